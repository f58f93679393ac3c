"""Whose way to sign in changed lately: a new credential, a new link, a new authenticator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.sql import Sql

_BEGIN = Sql(
    "INSERT INTO quarantine VALUES (:person, :at, :why)"
    " ON CONFLICT (person) DO UPDATE SET at = excluded.at, why = excluded.why"
)
_OF = Sql("SELECT at, why FROM quarantine WHERE person = :person")
_SINCE = Sql("SELECT person, at, why FROM quarantine WHERE at > :since ORDER BY at")
_RELEASE = Sql("DELETE FROM quarantine WHERE person = :person")


@dataclass(frozen=True, slots=True)
class Change:
    person: str
    at: datetime
    why: str  # credential | link | authenticator


def begin(conn: sa.Connection, person: str, at: datetime, why: str) -> None:
    _BEGIN.run(conn, person=person, at=at.isoformat(), why=why)


def of(conn: sa.Connection, person: str) -> Change | None:
    row = _OF.first(conn, person=person)
    return Change(person, datetime.fromisoformat(row[0]), row[1]) if row else None


def since(conn: sa.Connection, at: datetime) -> list[Change]:
    rows = _SINCE.rows(conn, since=at.isoformat())
    return [Change(row[0], datetime.fromisoformat(row[1]), row[2]) for row in rows]


def release(conn: sa.Connection, person: str) -> bool:
    """False: they were not in it."""
    return _RELEASE.run(conn, person=person) == 1
