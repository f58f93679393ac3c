"""Makes what a person wrote unreadable for good, and says so in the trail."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from bot.audit.trail import Event, append


def shred(conn: Connection, person: str, *, by: str, at: datetime) -> int:
    """Delete the key of ``person`` and return how many texts cannot be read any more.

    After the commit call ``wipe``: until then the key still stands in the write-ahead log.
    """
    conn.exec_driver_sql("PRAGMA secure_delete = ON")  # zeros over the row, not only off the list
    count: int = conn.exec_driver_sql(
        "SELECT count(*) FROM words w JOIN person_keys k ON k.id = w.person_key WHERE k.person = ?", (person,)
    ).scalar_one()
    conn.exec_driver_sql("DELETE FROM person_keys WHERE person = ?", (person,))
    append(conn, Event(at=at, kind="words.shredded", actor=by, subject=person, data={"texts": count}))
    return count


def wipe(database: Path) -> bool:
    """Fold the write-ahead log into the file and empty it. False while somebody reads: call again."""
    conn = sqlite3.connect(database, isolation_level=None)
    try:
        busy: int = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        conn.close()
    return busy == 0
