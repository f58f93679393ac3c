"""People whose requests are stopped until an admin has looked."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.store.sql import Sql

_FREEZE = Sql("INSERT INTO frozen VALUES (:person, :by, :at) ON CONFLICT DO NOTHING")
_UNFREEZE = Sql("DELETE FROM frozen WHERE person = :person")
_FIND = Sql("SELECT at FROM frozen WHERE person = :person")


def freeze(conn: sa.Connection, person: str, by: str, at: datetime) -> bool:
    """False: the person was frozen before."""
    return _FREEZE.run(conn, person=person, by=by, at=at.isoformat()) == 1


def unfreeze(conn: sa.Connection, person: str) -> bool:
    return _UNFREEZE.run(conn, person=person) == 1


def is_frozen(conn: sa.Connection, person: str) -> bool:
    return _FIND.first(conn, person=person) is not None


def since(conn: sa.Connection, person: str) -> str | None:
    """Since when; None: they are not."""
    row = _FIND.first(conn, person=person)
    return str(row[0]) if row else None
