"""Statements made once and handed straight to the driver.

SQLAlchemy's way round a statement costs 17 to 45 us, ten times what SQLite itself takes for one of
ours, and a message leads to a dozen of them. On any other database they go the usual way.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]


class Sql:
    """One statement with ``:named`` places. Runs in the caller's open transaction."""

    __slots__ = ("_clause", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._clause = sa.text(text)

    def rows(self, conn: sa.Connection, **values: Any) -> list[Row]:
        raw = driver(conn)
        if raw is None:
            return [tuple(row) for row in conn.execute(self._clause, values)]
        try:
            return raw.execute(self._text, values).fetchall()
        except sqlite3.Error as error:
            raise_named(error, self._text)

    def first(self, conn: sa.Connection, **values: Any) -> Row | None:
        rows = self.rows(conn, **values)
        return rows[0] if rows else None

    def run(self, conn: sa.Connection, **values: Any) -> int:
        """How many rows it wrote."""
        raw = driver(conn)
        if raw is None:
            return conn.execute(self._clause, values).rowcount
        try:
            return raw.execute(self._text, values).rowcount
        except sqlite3.Error as error:
            raise_named(error, self._text)


def driver(conn: sa.Connection) -> sqlite3.Connection | None:
    """SQLite's own connection; None where it is another database, or no transaction was begun."""
    raw = conn.connection.driver_connection
    return raw if isinstance(raw, sqlite3.Connection) and raw.in_transaction else None


def raise_named(error: sqlite3.Error, text: str) -> NoReturn:
    """As SQLAlchemy would have raised it: what catches errors knows them by those names."""
    named = DBAPIError.instance(text, None, error, sqlite3.Error)
    assert isinstance(named, DBAPIError), "every error of the driver has a name"
    raise named from error
