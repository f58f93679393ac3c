"""One line for ``deskhand doctor``: is the company file whole, and may we write it?"""

from __future__ import annotations

import sqlite3

from integrations.company.client import Client
from integrations.contract import SystemDown


async def check(client: Client) -> str:
    """:raises ConnectorError: with what to do"""
    return await client.write(lambda connection: _look(connection, client.path.name))


def _look(connection: sqlite3.Connection, file_name: str) -> str:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise SystemDown(f"the company file is damaged ({found}); restore it from a backup")
    connection.execute("UPDATE setting SET value = value WHERE key = 'name'")  # may we write?
    name, people, groups = connection.execute(
        """SELECT (SELECT value FROM setting WHERE key = 'name'),
                  (SELECT count(*) FROM person), (SELECT count(*) FROM "group")"""
    ).fetchone()
    return f"{name}: {people} people and {groups} groups in {file_name}, writable"
