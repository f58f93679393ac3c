"""The company file: one SQLite database, opened, read and written.

Readers of a write-ahead log are never held up by a writer, so reads run inline, in some ten
microseconds. A write waits for its turn and for the disk, so it runs in a thread: one transaction,
begun IMMEDIATE, durable (synchronous FULL) when it returns.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from integrations.company.errors import is_busy, named, named_at_commit
from integrations.contract import SystemDown

BUSY_SECONDS = 2.0  # how long a write waits for its turn before the system counts as down
APPLICATION_ID = 0x414C4649  # "ALFI", in the header of every company file
VERSION = 2  # of the tables

Row = tuple[Any, ...]
T = TypeVar("T")


class Client:
    """The connections to one company file: one that reads, one that writes."""

    def __init__(self, path: Path) -> None:
        """:raises SystemDown: when there is no company file of this version at ``path``"""
        self.path = path
        self._turn = threading.Lock()  # one write at a time in this process
        self._file = _identity(path)
        self._writer = _connect(path, BUSY_SECONDS)
        try:
            _check_header(self._writer)
            self._reader = _connect(path, 0)
            self._reader.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            self._writer.close()
            raise named(error) from error
        except SystemDown:
            self._writer.close()
            raise

    async def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows of one statement, from one moment."""
        self._still_there()
        try:
            return self._reader.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if not is_busy(error):
                raise named(error) from error
        # Rare: another process recovers or rebuilds the log. Wait for it, but not on the event loop.
        return await asyncio.to_thread(self._read_patiently, sql, values)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns, once its changes are committed."""
        return await asyncio.to_thread(self.write_now, work)

    def write_now(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same, for callers without an event loop."""
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise SystemDown("the company file is busy with other changes; try again in a moment")
        try:
            self._still_there()
            return self._transaction(work)
        finally:
            self._turn.release()

    def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.rollback()
                raise
        except sqlite3.Error as error:
            raise named(error) from error
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._abandon()
            raise named_at_commit(error) from error
        return result

    def _abandon(self) -> None:
        """Leave the transaction whose commit failed, so that the next one can begin."""
        try:
            self._writer.rollback()  # does nothing where SQLite has already rolled back
        except sqlite3.Error:
            self._writer.close()  # later writes say that the system is down

    def _read_patiently(self, sql: str, values: Sequence[object]) -> list[Row]:
        connection = _connect(self.path, BUSY_SECONDS)
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise named(error) from error
        finally:
            connection.close()

    def _still_there(self) -> None:
        """A file that was moved away or replaced keeps answering from the past: do not listen."""
        if _identity(self.path) != self._file:
            raise SystemDown(f"the company file {self.path.name} was replaced; restart to use the new one")

    def close(self) -> None:
        self._reader.close()
        self._writer.close()


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """An existing file, never a new one; every transaction is begun by hand."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise named(error) from error
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        connection.close()
        raise named(error) from error
    return connection


def _check_header(connection: sqlite3.Connection) -> None:
    found = (
        connection.execute("PRAGMA application_id").fetchone()[0],
        connection.execute("PRAGMA user_version").fetchone()[0],
    )
    if found != (APPLICATION_ID, VERSION):
        raise SystemDown("this is not a company file of this version; move it away to start a new company")


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise SystemDown(f"the company file {path.name} is not there: {error.strerror}") from error
    return status.st_dev, status.st_ino
