"""Opaque handles: what a button carries, and what it means.

128 random bits that say nothing. The row says which choice it stands for, of which request, who
may press it, and the digest of what its card showed; the same meaning gets the same handle again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.store.sql import Sql

_OF = Sql("SELECT handle, owner, choice, audience, digest, detail FROM handles WHERE owner = :owner")
_KEEP = Sql("INSERT INTO handles VALUES (:h, :o, :c, :a, :d, :x) ON CONFLICT DO NOTHING")
_FIND = Sql("SELECT owner, choice, audience, digest, detail FROM handles WHERE handle = :handle")


class Choice(StrEnum):
    CONFIRM = "confirm"
    CANCEL = "cancel"
    APPROVE = "approve"
    DENY = "deny"
    PICK = "pick"  # a value for a slot
    CHANGE = "change"  # what a correction is about: a request, or one of its slots
    BEGIN = "begin"  # one of the likely actions
    GIVE_BACK = "give_back"
    NOT_ME = "not_me"
    AUDIT = "audit"  # another page of the trail
    LINK = "link"  # a page: whose chat account this is
    REPLY = "reply"  # an answer to a helper, on a ticket
    ENROL = "enrol"  # a page: one's own authenticator
    EXCEPTION = "exception"  # ask people at the help desk for one
    HELP_ANSWER = "help_answer"  # a helper's answer
    HELP_TAKE = "help_take"  # a helper has it
    HELP_DONE = "help_done"  # nothing is left to do


@dataclass(frozen=True, slots=True)
class Meaning:
    owner: str  # request reference, or the id of the inbound that led to the card
    choice: Choice
    audience: str = ""  # person id; empty: whoever presses is judged
    digest: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def row(self) -> tuple[str, str, str, str, str]:
        return (self.owner, self.choice.value, self.audience, self.digest, _json(self.detail))


class Handles:
    """The handles of one owner's cards, looked up together; the missing ones are minted."""

    def __init__(self, known: Mapping[tuple[str, ...], str]) -> None:
        self._known = dict(known)
        self._minted: list[tuple[str, ...]] = []

    @classmethod
    def of(cls, conn: sa.Connection, owner: str) -> Handles:
        return cls({row[1:]: row[0] for row in _OF.rows(conn, owner=owner)})

    def mint(self, meaning: Meaning) -> str:
        """The handle of this meaning. New ones count only once ``keep`` was committed."""
        row = meaning.row()
        if row not in self._known:
            self._known[row] = secrets.token_hex(16)
            self._minted.append((self._known[row], *row))
        return self._known[row]

    @property
    def minted(self) -> bool:
        return bool(self._minted)

    def keep(self, conn: sa.Connection) -> None:
        """Commit the minted ones. Another may have minted the same meaning meanwhile: read ``of`` again."""
        keep(conn, self._minted)


def keep(conn: sa.Connection, rows: Iterable[tuple[str, ...]]) -> None:
    for row in rows:
        _KEEP.run(conn, **dict(zip("hocadx", row, strict=True)))


def meaning_of(conn: sa.Connection, handle: str) -> Meaning | None:
    row = _FIND.first(conn, handle=handle)
    return Meaning(row[0], Choice(row[1]), row[2], row[3], json.loads(row[4])) if row else None


def _json(detail: Mapping[str, Any]) -> str:
    return json.dumps(dict(detail), sort_keys=True, ensure_ascii=False)
