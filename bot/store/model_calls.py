"""How often the language model was asked today, for each person and in all: restarts do not renew it."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from bot.store.sql import Sql

EVERYBODY = ""

_FORGET = Sql("DELETE FROM model_calls WHERE day < :day")
_OF = Sql("SELECT calls FROM model_calls WHERE day = :day AND who = :who")
_COUNT = Sql(
    "INSERT INTO model_calls VALUES (:day, :who, 1, 0) ON CONFLICT (day, who) DO UPDATE SET calls = calls + 1"
)
_TELL = Sql("UPDATE model_calls SET told = 1 WHERE day = :day AND who = :who AND told = 0")


def spend(conn: sa.Connection, day: date, limits: dict[str, int]) -> str | None:
    """Count one call for each of ``limits``, in the caller's transaction, or for none of them.

    :param limits: calls a day, by whose they are
    :returns: whose are used up; None: it was counted
    """
    today = day.isoformat()
    _FORGET.run(conn, day=today)
    for who, limit in limits.items():
        row = _OF.first(conn, day=today, who=who)
        if row and row[0] >= limit:
            return who
    for who in limits:
        _COUNT.run(conn, day=today, who=who)
    return None


def first_told(conn: sa.Connection, day: date, who: str) -> bool:
    """Whether this is the first time today that it is to be said that ``who`` has used it up."""
    return _TELL.run(conn, day=day.isoformat(), who=who) == 1
