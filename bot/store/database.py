"""The bot's own database: one SQLite file, one writer, group commit.

SQLite takes one writer at a time and each commit costs an fsync, so every write of this process
goes through one thread that commits whatever is waiting together. A unit of work is a function of
an open connection: all of it is committed, or none. BEGIN IMMEDIATE at every begin, since the
driver's own way loses updates silently. What nobody waits for may ride along with the next commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, ProgrammingError

from bot.store.migrations import Migration, migrate
from bot.store.sql import Sql, raise_named

log = structlog.get_logger()

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

_BUSY_MS = 5_000
_TOGETHER = 64  # units of work in one commit at most
_RIDE_S = 0.05  # how long a unit that nobody waits for is held for others to commit with

_OURS = (IntegrityError, ProgrammingError)  # the statement was wrong, not the database

_SAVEPOINT = Sql("SAVEPOINT unit")
_TAKE_BACK = Sql("ROLLBACK TO unit")
_RELEASE = Sql("RELEASE unit")


class StorageDown(Exception):
    """The database is locked, full, read-only or gone. Nothing of the unit of work was kept."""


@dataclass(slots=True)
class _Unit:
    work: Work[Any]
    done: asyncio.Future[Any] | None  # None: nobody waits, it rides along

    def settle(self, value: Any, error: BaseException | None) -> None:
        done = self.done
        if done is None:
            if error is not None:
                log.error("write.lost", reason=str(error))
            return

        def tell() -> None:
            if done.done():
                return
            if error is None:
                done.set_result(value)
            else:
                done.set_exception(error)

        with contextlib.suppress(RuntimeError):  # its loop is closed: nobody waits any more
            done.get_loop().call_soon_threadsafe(tell)


class Database:
    """Open with ``Database.open``; close to let the last writes out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.engine = _engine(path, immediate=True)
        self._writer: sa.Connection | None = None  # of the writer's thread
        self._reader = _engine(path, immediate=False).connect()
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_on, name="database-writer", daemon=True)

    @classmethod
    def open(cls, path: Path, migrations: Sequence[Migration]) -> Database:
        """Create the file or bring it to the present schema. :raises StorageDown:"""
        path.parent.mkdir(parents=True, exist_ok=True)
        database = cls(path)
        with _named(), database.engine.begin() as conn:
            migrate(conn, migrations)
        database._thread.start()
        return database

    def close(self) -> None:
        self._units.put(None)
        self._thread.join(timeout=10)
        self._reader.close()
        self.engine.dispose()

    async def write(self, work: Work[T]) -> T:
        """Run one unit of work in a transaction. Returns after it is on disk.

        :raises StorageDown: and whatever ``work`` raises; either way nothing of it was kept
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._units.put(_Unit(work, done))
        return await done

    def write_along(self, work: Work[object]) -> None:
        """Let one unit of work ride with the next commit, soon. A crash before that loses it: only
        for what is harmless to lose."""
        self._units.put(_Unit(work, None))

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A look at the committed state, on the loop's own thread: keep it to a few indexed rows."""
        raw: Any = self._reader.connection.driver_connection
        with _named():
            _begin(raw, "BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.rollback()  # of what SQLAlchemy began for itself
                raw.rollback()

    def _write_on(self) -> None:
        last = False
        while not last:
            batch, last = self._gather()
            try:
                self._commit(batch)
            except Exception as error:  # the one writer there is must outlive whatever happens
                log.exception("writer.failed")
                for unit in batch:
                    unit.settle(None, StorageDown(type(error).__name__))
        if self._writer is not None:
            self._writer.close()

    def _gather(self) -> tuple[list[_Unit], bool]:
        """What is there to commit, waiting for the first that somebody waits for. True: it is the end."""
        batch: list[_Unit] = []
        wanted = False
        while len(batch) < _TOGETHER:
            try:
                if wanted:
                    unit = self._units.get_nowait()
                else:
                    unit = self._units.get(timeout=_RIDE_S if batch else None)
            except queue.Empty:
                break
            if unit is None:
                return batch, True
            wanted = wanted or unit.done is not None
            batch.append(unit)
        return batch, False

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """On the writer's one connection: to take it from the pool each time costs as much as the work."""
        if self._writer is None:
            self._writer = self.engine.connect()
        try:
            with self._writer.begin():
                yield self._writer
        except DatabaseError as error:
            if not isinstance(error, _OURS):
                self._drop_writer()  # in what state it is, nobody knows
            raise

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(DBAPIError):
                writer.invalidate()
                writer.close()

    def _commit(self, batch: list[_Unit]) -> None:
        if len(batch) > 1 and self._commit_together(batch):
            return
        for unit in batch:
            try:
                with _named(), self._transaction() as conn:
                    value = unit.work(conn)
            except Exception as error:  # noqa: BLE001  it belongs to whoever waits for this unit
                unit.settle(None, error)
            else:
                unit.settle(value, None)

    def _commit_together(self, batch: list[_Unit]) -> bool:
        """All in one commit, each in a savepoint. False: nothing was kept, try them one by one."""
        outcomes: list[tuple[Any, BaseException | None]] = []
        try:
            with self._transaction() as conn:
                for unit in batch:
                    _SAVEPOINT.run(conn)
                    try:
                        outcomes.append((unit.work(conn), None))
                    except Exception as error:
                        if isinstance(error, DatabaseError) and not isinstance(error, _OURS):
                            raise  # the database failed, not this unit
                        _TAKE_BACK.run(conn)
                        outcomes.append((None, error))
                    _RELEASE.run(conn)
        except DatabaseError as error:
            log.warning("commit.apart", units=len(batch), reason=str(error.orig))
            return False
        for unit, (value, failure) in zip(batch, outcomes, strict=True):
            unit.settle(value, failure)
        return True


def _engine(path: Path, *, immediate: bool) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def prepare(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # the driver begins nothing by itself
        raw.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        raw.execute("PRAGMA journal_mode=WAL")  # DBOS does not set it
        raw.execute("PRAGMA synchronous=FULL")
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA secure_delete=ON")  # what is destroyed leaves no bytes behind

    @sa.event.listens_for(engine, "begin")
    def begin(conn: sa.Connection) -> None:
        raw: Any = conn.connection.driver_connection
        if not raw.in_transaction:
            _begin(raw, "BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _begin(raw: sqlite3.Connection, statement: str) -> None:
    try:
        raw.execute(statement)
    except sqlite3.Error as error:
        raise_named(error, statement)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if isinstance(error, _OURS):
            raise
        log.error("storage.down", reason=str(error.orig))
        raise StorageDown(str(error.orig)) from error
