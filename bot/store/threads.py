"""Tickets that were opened for people: whose each is, and what of it was passed on to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.sql import Row, Sql

_COLUMNS = "key, person, ref, op, status, open, told, opened_at, moved_at, look_at"
_BEGIN = Sql(
    f"INSERT INTO threads ({_COLUMNS})"  # noqa: S608  no value is in it
    " VALUES (:key, :person, :ref, :op, :status, 1, '[]', :at, :at, :look_at) ON CONFLICT DO NOTHING"
)
_OF = Sql(f"SELECT {_COLUMNS} FROM threads WHERE key = :key")  # noqa: S608  likewise
_OF_OP = Sql(f"SELECT {_COLUMNS} FROM threads WHERE op = :op")  # noqa: S608  likewise
_OF_PERSON = Sql(
    f"SELECT {_COLUMNS} FROM threads WHERE person = :person ORDER BY opened_at DESC LIMIT :limit"  # noqa: S608  likewise
)
_DUE = Sql(
    f"SELECT {_COLUMNS} FROM threads WHERE open = 1 AND look_at <= :now ORDER BY look_at LIMIT :limit"  # noqa: S608  likewise
)
# Each writes what it knows and leaves the rest: an answer may come while a ticket is looked at.
_TOLD = Sql("UPDATE threads SET told = :told, moved_at = :at WHERE key = :key")
_QUIET = Sql("UPDATE threads SET status = :status, look_at = :look_at WHERE key = :key")
_CLOSE = Sql("UPDATE threads SET status = :status, open = 0 WHERE key = :key AND moved_at = :moved_at")
_ANSWERED = Sql("UPDATE threads SET open = 1, moved_at = :at, look_at = :at WHERE key = :key")


@dataclass(frozen=True, slots=True)
class Thread:
    key: str  # "IT-12"
    person: str
    ref: str  # the request that opened it
    op: str
    status: str
    open: bool
    told: tuple[str, ...]  # ids of comments
    opened_at: datetime
    moved_at: datetime
    look_at: datetime


def begin(
    conn: sa.Connection,
    key: str,
    person: str,
    ref: str,
    op: str,
    status: str,
    at: datetime,
    look_at: datetime,
) -> bool:
    """False: it is followed already."""
    values = {"key": key, "person": person, "ref": ref, "op": op, "status": status}
    return _BEGIN.run(conn, **values, at=at.isoformat(), look_at=look_at.isoformat()) == 1


def of(conn: sa.Connection, key: str) -> Thread | None:
    return _thread(_OF.first(conn, key=key))


def of_op(conn: sa.Connection, op: str) -> Thread | None:
    return _thread(_OF_OP.first(conn, op=op))


def of_person(conn: sa.Connection, person: str, limit: int) -> list[Thread]:
    """The newest first."""
    return [each for row in _OF_PERSON.rows(conn, person=person, limit=limit) if (each := _thread(row))]


def due(conn: sa.Connection, now: datetime, limit: int) -> list[Thread]:
    """Open ones that are to be looked at, the one that waits longest first."""
    rows = _DUE.rows(conn, now=now.isoformat(), limit=limit)
    return [each for row in rows if (each := _thread(row))]


def told(conn: sa.Connection, key: str, ids: Sequence[str], at: datetime) -> None:
    """These comments were passed on."""
    _TOLD.run(conn, key=key, told=json.dumps(list(ids)), at=at.isoformat())


def quiet(conn: sa.Connection, key: str, status: str, look_at: datetime) -> None:
    """Nothing more to tell for now."""
    _QUIET.run(conn, key=key, status=status, look_at=look_at.isoformat())


def close(conn: sa.Connection, seen: Thread, status: str) -> bool:
    """False: somebody said something since it was read, so it is looked at again."""
    return _CLOSE.run(conn, key=seen.key, status=status, moved_at=seen.moved_at.isoformat()) == 1


def answered(conn: sa.Connection, key: str, at: datetime) -> None:
    """The person said something: what becomes of it is followed, closed or not."""
    _ANSWERED.run(conn, key=key, at=at.isoformat())


def _thread(row: Row | None) -> Thread | None:
    if row is None:
        return None
    key, person, ref, op, status, is_open, told, *times = row
    opened, moved, look = map(datetime.fromisoformat, times)
    return Thread(key, person, ref, op, status, bool(is_open), tuple(json.loads(told)), opened, moved, look)
