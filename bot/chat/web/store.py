"""What a chat vendor keeps for the other platforms: the messages, and how far each person has read.

One SQLite file (WAL, synchronous NORMAL). Every call runs on one thread of its own, in order, so a slow disk
delays messages but never the event loop; a hop there and back costs about 0.1 ms.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

BUSY_SECONDS = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL,
    key TEXT NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT '',
    card TEXT NOT NULL DEFAULT '',
    undelivered INTEGER NOT NULL DEFAULT 0,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    change INTEGER NOT NULL,
    UNIQUE (conversation, key)
);
CREATE UNIQUE INDEX IF NOT EXISTS message_change ON message (change);
CREATE INDEX IF NOT EXISTS message_conversation ON message (conversation, id);
CREATE TABLE IF NOT EXISTS seen (
    account TEXT NOT NULL, conversation TEXT NOT NULL, message INTEGER NOT NULL,
    PRIMARY KEY (account, conversation)
);
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY,                -- digest of the cookie
    account TEXT NOT NULL, made REAL NOT NULL, seen REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""

T = TypeVar("T")


class StoreDown(Exception):
    """The file could not be read or written now: disk full, locked or gone."""


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    conversation: str
    key: str
    author: str  # an account, or BOT
    text: str
    card: str  # JSON of a Card; empty for a person's own words
    undelivered: bool  # kept, but the desk has not taken it
    created: str  # ISO 8601, UTC
    updated: str
    change: int  # number of the last change to it, counted over the whole file


BOT = "deskhand"


class Messages:
    """Raises StoreDown from every call where SQLite could not do it."""

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="web-messages")
        self._open: sqlite3.Connection | None = None

    async def add(
        self, conversation: str, key: str, author: str, *, text: str = "", card: str = ""
    ) -> tuple[Message, bool]:
        """The message under this key, and whether it is new: a key that is there changes nothing."""

        def work(db: sqlite3.Connection) -> tuple[Message, bool]:
            now = _now()
            found = db.execute(
                "INSERT INTO message (conversation, key, author, text, card, created, updated, change)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(change), 0) + 1 FROM message))"
                " ON CONFLICT DO NOTHING RETURNING *",
                (conversation, key, author, text, card, now, now),
            ).fetchone()
            if found is not None:
                return _message(found), True
            there = db.execute(
                "SELECT * FROM message WHERE conversation = ? AND key = ?", (conversation, key)
            ).fetchone()
            return _message(there), False

        return await self._run(work)

    async def replace_card(self, message_id: int, card: str) -> Message | None:
        """The changed message; None where there is no such message. The same card again is no change."""

        def work(db: sqlite3.Connection) -> Message | None:
            db.execute(
                "UPDATE message SET card = ?, updated = ?,"
                " change = (SELECT coalesce(max(change), 0) + 1 FROM message) WHERE id = ? AND card <> ?",
                (card, _now(), message_id, card),
            )
            return _one(db, message_id)

        return await self._run(work)

    async def mark_undelivered(self, message_id: int, undelivered: bool) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE message SET undelivered = ?,"
                " change = (SELECT coalesce(max(change), 0) + 1 FROM message)"
                " WHERE id = ? AND undelivered <> ?",
                (undelivered, message_id, undelivered),
            )

        await self._run(work)

    async def get(self, message_id: int) -> Message | None:
        return await self._run(lambda db: _one(db, message_id))

    async def page(self, conversation: str, *, before: int | None, limit: int) -> tuple[list[Message], bool]:
        """The newest ``limit`` messages before that one, oldest first, and whether there are older ones."""

        def work(db: sqlite3.Connection) -> tuple[list[Message], bool]:
            rows = db.execute(
                "SELECT * FROM message WHERE conversation = ? AND id < ? ORDER BY id DESC LIMIT ?",
                (conversation, before if before is not None else 2**62, limit + 1),
            ).fetchall()
            return [_message(row) for row in reversed(rows[:limit])], len(rows) > limit

        return await self._run(work)

    async def changed(self, conversations: Iterable[str], *, after: int, limit: int) -> list[Message]:
        """What was added or changed after change number ``after``, in that order."""
        wanted = json.dumps(list(conversations))
        return await self._run(
            lambda db: [
                _message(row)
                for row in db.execute(
                    "SELECT * FROM message WHERE change > ? AND conversation IN"
                    " (SELECT value FROM json_each(?)) ORDER BY change LIMIT ?",
                    (after, wanted, limit),
                )
            ]
        )

    async def last_change(self) -> int:
        return await self._run(
            lambda db: int(db.execute("SELECT coalesce(max(change), 0) FROM message").fetchone()[0])
        )

    async def unread(self, account: str, conversation: str, *, at_most: int = 100) -> int:
        return await self._run(
            lambda db: int(
                db.execute(
                    "SELECT count(*) FROM (SELECT 1 FROM message WHERE conversation = ? AND author <> ?"
                    " AND id > coalesce((SELECT message FROM seen WHERE account = ? AND conversation = ?), 0)"
                    " LIMIT ?)",
                    (conversation, account, account, conversation, at_most),
                ).fetchone()[0]
            )
        )

    async def mark_seen(self, account: str, conversation: str, message_id: int) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO seen (account, conversation, message) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET message = max(message, excluded.message)",
                (account, conversation, message_id),
            )

        await self._run(work)

    async def secret(self, name: str) -> bytes:
        """32 random bytes, made once and kept: what cookies are signed with survives a restart."""

        def work(db: sqlite3.Connection) -> bytes:
            db.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, secrets.token_bytes(32)))
            return bytes(db.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()[0])

        return await self._run(work)

    async def open_session(self, digest: str, account: str, now: float) -> None:
        """:param now: Unix seconds, here and below"""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM session WHERE made < ?", (now - 24 * 3600,))
            db.execute("INSERT INTO session VALUES (?, ?, ?, ?)", (digest, account, now, now))

        await self._run(work)

    async def session(self, digest: str) -> tuple[str, float, float] | None:
        """Account, when it was opened, when it was used last."""
        row = await self._run(
            lambda db: db.execute(
                "SELECT account, made, seen FROM session WHERE id = ?", (digest,)
            ).fetchone()
        )
        return (str(row[0]), float(row[1]), float(row[2])) if row else None

    async def touch_session(self, digest: str, now: float) -> None:
        await self._run(lambda db: db.execute("UPDATE session SET seen = ? WHERE id = ?", (now, digest)))

    async def end_session(self, digest: str) -> None:
        await self._run(lambda db: db.execute("DELETE FROM session WHERE id = ?", (digest,)))

    async def close(self) -> None:
        def work() -> None:
            if self._open is not None:
                self._open.close()
                self._open = None

        await asyncio.get_running_loop().run_in_executor(self._thread, work)
        self._thread.shutdown(wait=False)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """:raises StoreDown: where SQLite could not do it; each call is one statement or repeatable."""

        def on_thread() -> T:
            if self._open is None:
                self._open = _connect(self._path)
            return work(self._open)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, on_thread)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise StoreDown(f"{self._path}: {error}") from error


def _connect(path: str) -> sqlite3.Connection:
    # Autocommit: every write is a single statement, so each is its own transaction.
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")  # a card that changed leaves no bytes of what it said
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def _one(db: sqlite3.Connection, message_id: int) -> Message | None:
    row = db.execute("SELECT * FROM message WHERE id = ?", (message_id,)).fetchone()
    return _message(row) if row is not None else None


def _message(row: tuple[int, str, str, str, str, str, int, str, str, int]) -> Message:
    number, conversation, key, author, text, card, undelivered, created, updated, change = row
    return Message(number, conversation, key, author, text, card, bool(undelivered), created, updated, change)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
