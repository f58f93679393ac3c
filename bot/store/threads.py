"""Tickets that were opened for people: whose each is, and what of it was passed on to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.sql import Row, Sql

_READ = "SELECT key, person, ref, op, status, open, told, moved_at FROM threads WHERE place = :place"
_BEGIN = Sql(
    "INSERT INTO threads (place, key, person, ref, op, status, open, told, opened_at, moved_at, look_at)"
    " VALUES (:place, :key, :person, :ref, :op, :status, 1, '[]', :at, :at, :look_at) ON CONFLICT DO NOTHING"
)
_OF = Sql(f"{_READ} AND key = :key")
_OF_OP = Sql(f"{_READ} AND op = :op")
_OF_PERSON = Sql(f"{_READ} AND person = :person ORDER BY opened_at DESC LIMIT :limit")
_DUE = Sql(f"{_READ} AND open = 1 AND look_at <= :now ORDER BY look_at LIMIT :limit")
# Each writes what it knows and leaves the rest: an answer may come while a ticket is looked at.
_ONE = "WHERE place = :place AND key = :key"
_TOLD = Sql(f"UPDATE threads SET told = :told, moved_at = :at {_ONE}")  # noqa: S608  no value is in it
_LATER = Sql(
    f"UPDATE threads SET status = :status, look_at = :look_at {_ONE} AND moved_at = :moved_at"  # noqa: S608  likewise
)
_CLOSE = Sql(
    f"UPDATE threads SET status = :status, open = 0 {_ONE} AND moved_at = :moved_at"  # noqa: S608  likewise
)
_ANSWERED = Sql(f"UPDATE threads SET open = 1, moved_at = :at, look_at = :at {_ONE}")  # noqa: S608  likewise


@dataclass(frozen=True, slots=True)
class Thread:
    key: str  # "IT-12"
    person: str
    ref: str  # the request that opened it
    op: str
    status: str
    open: bool
    told: tuple[str, ...]  # ids of comments
    moved_at: datetime  # when something was said there last


class Threads:
    """Those of one ticket system: a key means something in one of them only."""

    def __init__(self, place: str) -> None:
        self._place = place

    def begin(
        self,
        conn: sa.Connection,
        key: str,
        person: str,
        *,
        ref: str,
        op: str,
        status: str,
        at: datetime,
        look_at: datetime,
    ) -> bool:
        """False: it is followed already."""
        values = {"key": key, "person": person, "ref": ref, "op": op, "status": status}
        times = {"at": at.isoformat(), "look_at": look_at.isoformat()}
        return _BEGIN.run(conn, place=self._place, **values, **times) == 1

    def of(self, conn: sa.Connection, key: str) -> Thread | None:
        row = _OF.first(conn, place=self._place, key=key)
        return _thread(row) if row else None

    def of_op(self, conn: sa.Connection, op: str) -> Thread | None:
        row = _OF_OP.first(conn, place=self._place, op=op)
        return _thread(row) if row else None

    def of_person(self, conn: sa.Connection, person: str, limit: int) -> list[Thread]:
        """The newest first."""
        return [_thread(row) for row in _OF_PERSON.rows(conn, place=self._place, person=person, limit=limit)]

    def due(self, conn: sa.Connection, now: datetime, limit: int) -> list[Thread]:
        """Open ones that are to be looked at, the one that waits longest first."""
        return [_thread(row) for row in _DUE.rows(conn, place=self._place, now=now.isoformat(), limit=limit)]

    def told(self, conn: sa.Connection, key: str, ids: Sequence[str], at: datetime) -> None:
        """These comments were passed on."""
        _TOLD.run(conn, place=self._place, key=key, told=json.dumps(list(ids)), at=at.isoformat())

    def later(self, conn: sa.Connection, seen: Thread, status: str, look_at: datetime) -> None:
        """Nothing more to tell for now; unless somebody said something since it was read."""
        moved_at, at = seen.moved_at.isoformat(), look_at.isoformat()
        _LATER.run(conn, place=self._place, key=seen.key, status=status, look_at=at, moved_at=moved_at)

    def close(self, conn: sa.Connection, seen: Thread, status: str) -> bool:
        """False: somebody said something since it was read, so it is looked at again."""
        moved_at = seen.moved_at.isoformat()
        return _CLOSE.run(conn, place=self._place, key=seen.key, status=status, moved_at=moved_at) == 1

    def answered(self, conn: sa.Connection, key: str, at: datetime) -> None:
        """The person said something: what becomes of it is followed, closed or not."""
        _ANSWERED.run(conn, place=self._place, key=key, at=at.isoformat())


def _thread(row: Row) -> Thread:
    key, person, ref, op, status, is_open, told, moved_at = row
    at = datetime.fromisoformat(moved_at)
    return Thread(key, person, ref, op, status, bool(is_open), tuple(json.loads(told)), at)
