"""Who proved who they are, in which browser, and the one thing it counts for.

A browser is known by a random cookie, of which only the digest is kept. A sign-in that was begun counts once,
in the browser that began it, for a few minutes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.keys import Box, KeyFile
from bot.store.sql import Sql

_LEAVE = Sql("INSERT INTO sign_ins VALUES (:state, :what, :browser, :purpose, :kept, :until)")
_AWAY = Sql("SELECT count(*) FROM sign_ins WHERE what = :what")
_OLDEST = Sql(
    "DELETE FROM sign_ins WHERE state = (SELECT state FROM sign_ins WHERE what = :what"
    " ORDER BY expires_at LIMIT 1)"
)
_BACK = Sql("SELECT browser, purpose, kept, expires_at FROM sign_ins WHERE state = :state")
_USED = Sql("DELETE FROM sign_ins WHERE state = :state")
_PROVE = Sql(
    "INSERT INTO proofs VALUES (:browser, :what, :person, :method, :at, :until)"
    " ON CONFLICT (browser, what) DO UPDATE SET person = excluded.person, method = excluded.method,"
    " at = excluded.at, expires_at = excluded.expires_at"
)
_HELD = Sql(
    "SELECT person, method, at FROM proofs WHERE browser = :browser AND what = :what AND expires_at > :now"
)
_SPEND = Sql("DELETE FROM proofs WHERE browser = :browser AND what = :what")
_FORGET = (
    Sql("DELETE FROM sign_ins WHERE expires_at <= :now"),
    Sql("DELETE FROM proofs WHERE expires_at <= :now"),
)


MOST_AWAY = 10_000  # people at the provider at once, for the desk: anybody can begin that
_MOST_FOR_ONE = 20  # for the page of one link: the newest count


@dataclass(frozen=True, slots=True)
class Proof:
    person: str
    method: str  # sign-in | authenticator | recovery
    at: datetime


class SignIns:
    """People who are on their way to a provider."""

    def __init__(self, keys: KeyFile) -> None:
        self._box: Box = keys.box("sign-in")

    def leave(
        self,
        conn: sa.Connection,
        *,
        state: str,
        what: str,
        anybody: bool,
        browser: str,
        purpose: str,
        kept: Mapping[str, Any],
        until: datetime,
    ) -> None:
        """:param anybody: it takes no link to begin this one; of too many the oldest is given up, so that
        nobody keeps others out for long"""
        away = int((_AWAY.first(conn, what=what) or (0,))[0])
        if away >= (MOST_AWAY if anybody else _MOST_FOR_ONE):
            _OLDEST.run(conn, what=what)
        hashed = digest(state)
        sealed = self._box.seal(json.dumps(dict(kept)).encode(), hashed.encode())
        _LEAVE.run(
            conn,
            state=hashed,
            what=what,
            browser=digest(browser),
            purpose=purpose,
            kept=sealed,
            until=until.isoformat(),
        )

    def back(
        self, conn: sa.Connection, *, state: str, browser: str, now: datetime
    ) -> tuple[str, Mapping[str, Any]] | None:
        """Purpose and what was kept, once. None: unknown, used, too old, or another browser's."""
        hashed = digest(state)
        row = _BACK.first(conn, state=hashed)
        if row is None or row[0] != digest(browser):
            return None
        _USED.run(conn, state=hashed)
        if datetime.fromisoformat(row[3]) <= now:
            return None
        kept: Mapping[str, Any] = json.loads(self._box.unseal(row[2], hashed.encode()))
        return row[1], kept


def prove(conn: sa.Connection, browser: str, what: str, proof: Proof, until: datetime) -> None:
    _PROVE.run(
        conn,
        browser=digest(browser),
        what=what,
        person=proof.person,
        method=proof.method,
        at=proof.at.isoformat(),
        until=until.isoformat(),
    )


def held(conn: sa.Connection, browser: str, what: str, now: datetime) -> Proof | None:
    row = _HELD.first(conn, browser=digest(browser), what=what, now=now.isoformat())
    return Proof(row[0], row[1], datetime.fromisoformat(row[2])) if row else None


def spend(conn: sa.Connection, browser: str, what: str) -> None:
    _SPEND.run(conn, browser=digest(browser), what=what)


def forget(conn: sa.Connection, now: datetime) -> None:
    """What is over."""
    for statement in _FORGET:
        statement.run(conn, now=now.isoformat())


def digest(secret: str) -> str:
    """Of a random value of ours: without salt, for it cannot be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()
