"""Appends one event to the trail, in the transaction of the caller.

The body of an event is stored as the bytes it was written as (ASCII JSON), and each hash stands over
the hash before it, the number of the event and those bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from bot.audit.tables import COLUMNS
from bot.audit.words import Words
from bot.store.sql import Sql

DESKHAND = "deskhand"  # the actor where no person acts

_HEAD = Sql("SELECT seq, hash FROM audit_head")
_NAMES = ("seq", *COLUMNS, "words", "body", "hash")
_INSERT = Sql(f"INSERT INTO audit_events ({', '.join(_NAMES)}) VALUES (:{', :'.join(_NAMES)})")  # noqa: S608  constants only
_NO_OFFSET = timedelta(0)


class NotRecordable(Exception):
    """The event cannot be written down; the message says which part of it, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. Everything but ``data`` can be searched for."""

    at: datetime  # UTC
    kind: str  # dotted name: "request.moved", "press.refused", "step.done"
    actor: str  # id of a person, or DESKHAND
    outcome: str = "ok"  # "ok", "refused", "failed", "unknown"
    request: str = ""  # reference: "R-7Q2M"
    service: str = ""  # what acted: "web", "company", "timer"
    action: str = ""
    subject: str = ""  # id of the person it is about
    data: Mapping[str, Any] = field(default_factory=dict)  # JSON values; never a secret


def append(conn: Connection, event: Event, *, words: Words | None = None) -> int:
    """Write ``event`` at the end of the trail and return its number.

    ``conn`` is inside BEGIN IMMEDIATE. Take this as the last write of the transaction: it is the one
    all writers meet at.

    :raises NotRecordable: a time without UTC, control characters in a field, ``data`` that is not JSON
    """
    columns = _columns(event)
    body = _body(event, columns, words)
    last, link = _HEAD.rows(conn)[0]
    seq: int = last + 1
    link = sha256(link + seq.to_bytes(8, "big") + body).digest()
    row = (seq, *columns, words.id if words else None, body, link)
    _INSERT.run(conn, **dict(zip(_NAMES, row, strict=True)))
    return seq


def time_text(at: datetime) -> str:
    """UTC with microseconds, always of the same width: sorts as text."""
    if at.utcoffset() != _NO_OFFSET:
        raise NotRecordable(f"the time {at!r} is not in UTC; use datetime.now(UTC)")
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _columns(event: Event) -> tuple[str, ...]:
    columns = (
        time_text(event.at),
        event.kind,
        event.request,
        event.actor,
        event.service,
        event.outcome,
        event.action,
        event.subject,
    )
    if not (event.kind and event.actor):
        raise NotRecordable("an event needs a kind and an actor")
    if not "".join(columns).isprintable():  # ids and dotted names; what people wrote is Words
        wrong = next(n for n, value in zip(COLUMNS, columns, strict=True) if not value.isprintable())
        raise NotRecordable(f"{wrong} of {event.kind} holds a character that cannot be printed")
    return columns


def _body(event: Event, columns: tuple[str, ...], words: Words | None) -> bytes:
    whole = dict(zip(COLUMNS, columns, strict=True)) | {
        "words": words.reference() if words else None,
        "data": event.data,
    }
    try:
        return _encode(whole).encode("ascii")
    except NotRecordable as refused:
        raise NotRecordable(f"data of {event.kind}: {refused}") from None
    except (TypeError, ValueError, RecursionError) as error:  # a key, a NaN, a circle
        raise NotRecordable(f"data of {event.kind} is not JSON: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    name = type(value).__name__
    raise NotRecordable(f"a {name} is no JSON value; record an id or a digest of it, never a secret")


# ASCII, so that no text a person can send (half a surrogate pair) makes the trail unwritable.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain).encode
