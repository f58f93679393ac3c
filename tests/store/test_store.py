"""The store: what is committed is kept whole, what is sealed stays closed, and one process owns it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.audit import tables as audit_tables
from bot.chat.inbound import Inbound, InboundKind
from bot.procedures import ledger
from bot.procedures.request import Request, State
from bot.store import frozen, sealed
from bot.store.database import Database, StorageDown
from bot.store.deliveries import Delivery, record
from bot.store.deliveries import of as deliveries_of
from bot.store.handles import Choice, Handles, Meaning, meaning_of
from bot.store.inbox import Inbox, forget, lately
from bot.store.keys import KeyFile
from bot.store.lock import AlreadyRunning, DataLock
from bot.store.migrations import migrate, spine
from bot.store.sealed import Seals, new_password
from integrations.contract import Secret

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "deskhand.db", (spine, audit_tables.create))
    yield opened
    opened.close()


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile.open(tmp_path / "keys" / "master.key")


def inbound(**changes: Any) -> Inbound:
    whole = {"platform": "web", "id": "1", "kind": InboundKind.MESSAGE, "account": "p-1", "text": "hello"}
    return Inbound.model_validate({**whole, "conversation": "dm:p-1", "at": NOW, **changes})


def freeze(name: str) -> Any:
    return lambda conn: frozen.freeze(conn, name, "somebody", NOW)


class TestUnitsOfWork:
    async def test_all_of_one_is_kept_or_nothing(self, database: Database) -> None:
        def half(conn: Any) -> None:
            frozen.freeze(conn, "ana", "somebody", NOW)
            raise ValueError("in the middle")

        with pytest.raises(ValueError, match="in the middle"):
            await database.write(half)
        with database.read() as conn:
            assert not frozen.is_frozen(conn, "ana")

    async def test_one_that_fails_takes_none_of_those_committed_with_it(self, database: Database) -> None:
        def fails(conn: Any) -> None:
            frozen.freeze(conn, "nobody", "somebody", NOW)
            raise ValueError("not this one")

        works = [fails if number % 5 == 0 else freeze(f"p-{number}") for number in range(200)]
        results = await asyncio.gather(*map(database.write, works), return_exceptions=True)
        assert [isinstance(each, ValueError) for each in results] == [n % 5 == 0 for n in range(200)]
        with database.read() as conn:
            assert conn.exec_driver_sql("SELECT count(*) FROM frozen").scalar_one() == 160

    async def test_no_update_is_lost_among_many_at_once(self, database: Database) -> None:
        await database.write(lambda conn: conn.exec_driver_sql("CREATE TABLE counter (n INTEGER)"))
        await database.write(lambda conn: conn.exec_driver_sql("INSERT INTO counter VALUES (0)"))

        def count(conn: Any) -> None:
            (seen,) = conn.exec_driver_sql("SELECT n FROM counter").one()
            conn.exec_driver_sql("UPDATE counter SET n = ?", (seen + 1,))

        await asyncio.gather(*(database.write(count) for _ in range(300)))
        with database.read() as conn:
            assert conn.exec_driver_sql("SELECT n FROM counter").scalar_one() == 300

    async def test_a_locked_database_is_down_by_name_and_works_again_later(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await database.write(lambda conn: conn.exec_driver_sql("PRAGMA busy_timeout=50"))
        other = sqlite3.connect(database.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageDown, match="locked"):
            await database.write(freeze("ana"))
        other.execute("ROLLBACK")
        other.close()
        assert await database.write(freeze("ana"))

    async def test_it_is_durable_and_in_one_file_with_its_log(self, database: Database) -> None:
        with database.read() as conn:
            assert conn.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
            assert conn.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2, "FULL"
            assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1

    async def test_a_reader_sees_one_moment(self, database: Database) -> None:
        with database.read() as conn:
            assert not frozen.is_frozen(conn, "ana")
            await database.write(freeze("ana"))
            assert not frozen.is_frozen(conn, "ana")
        with database.read() as conn:
            assert frozen.is_frozen(conn, "ana")


class TestMigrations:
    def test_each_is_applied_once_and_new_ones_at_the_next_start(self, tmp_path: Path) -> None:
        applied: list[int] = []
        first = (spine, lambda conn: applied.append(2))
        Database.open(tmp_path / "x.db", first).close()
        Database.open(tmp_path / "x.db", first).close()
        assert applied == [2]
        Database.open(tmp_path / "x.db", (*first, lambda conn: applied.append(3))).close()
        assert applied == [2, 3]

    def test_one_that_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        def broken(conn: Any) -> None:
            conn.exec_driver_sql("CREATE TABLE half (x)")
            raise ValueError("in the middle")

        database = Database.open(tmp_path / "x.db", ())
        with pytest.raises(ValueError), database.engine.begin() as conn:
            migrate(conn, (broken,))
        with database.read() as conn:
            assert not conn.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'half'").all()
        database.close()


class TestInbox:
    async def test_an_event_is_put_once_and_waits_until_it_is_done(
        self, database: Database, keys: KeyFile
    ) -> None:
        inbox = Inbox(keys)
        assert await database.write(lambda conn: inbox.put(conn, inbound()))
        assert not await database.write(lambda conn: inbox.put(conn, inbound(text="again")))
        with database.read() as conn:
            assert inbox.waiting(conn, NOW) == [inbound()]
        await database.write(lambda conn: inbox.done(conn, inbound()))
        with database.read() as conn:
            assert inbox.waiting(conn, NOW) == []
        assert not await database.write(lambda conn: inbox.put(conn, inbound())), "nor after it was done"

    async def test_what_people_write_stands_in_it_sealed(self, database: Database, keys: KeyFile) -> None:
        await database.write(lambda conn: Inbox(keys).put(conn, inbound(text="a private matter")))
        for file in database.path.parent.glob("deskhand.db*"):
            assert b"a private matter" not in file.read_bytes()

    async def test_a_row_that_was_changed_or_moved_is_not_read(
        self, database: Database, keys: KeyFile
    ) -> None:
        inbox = Inbox(keys)
        await database.write(lambda conn: inbox.put(conn, inbound(text="mine")))
        await database.write(
            lambda conn: conn.exec_driver_sql("UPDATE inbox SET id = '2'")  # as if another had sent it
        )
        with database.read() as conn:
            assert inbox.waiting(conn, NOW) == []

    async def test_it_counts_one_persons_messages_of_late(self, database: Database, keys: KeyFile) -> None:
        inbox = Inbox(keys)
        for number in range(5):
            earlier = inbound(id=str(number), at=NOW - timedelta(seconds=30 * number))
            await database.write(partial(_put, inbox, earlier))
        await database.write(lambda conn: inbox.put(conn, inbound(id="other", account="p-2")))
        await database.write(lambda conn: inbox.put(conn, inbound(id="press", kind=InboundKind.PRESS)))
        with database.read() as conn:
            assert lately(conn, inbound(), NOW - timedelta(minutes=1)) == 2

    async def test_only_what_was_answered_is_forgotten(self, database: Database, keys: KeyFile) -> None:
        inbox = Inbox(keys)
        await database.write(lambda conn: inbox.put(conn, inbound(id="answered")))
        await database.write(lambda conn: inbox.put(conn, inbound(id="waits")))
        await database.write(lambda conn: inbox.done(conn, inbound(id="answered")))
        await database.write(lambda conn: forget(conn, NOW + timedelta(days=1)))
        with database.read() as conn:
            assert [each.id for each in inbox.waiting(conn, NOW)] == ["waits"]
            assert conn.exec_driver_sql("SELECT count(*) FROM inbox").scalar_one() == 1


def _put(inbox: Inbox, event: Inbound, conn: Any) -> bool:
    return inbox.put(conn, event)


class TestHandles:
    async def test_the_same_meaning_is_the_same_handle_and_any_other_is_another(
        self, database: Database
    ) -> None:
        meanings = [
            Meaning("R-1", Choice.APPROVE, "p-1", "digest"),
            Meaning("R-1", Choice.DENY, "p-1", "digest"),
            Meaning("R-1", Choice.APPROVE, "p-2", "digest"),
            Meaning("R-1", Choice.APPROVE, "p-1", "another"),
            Meaning("R-1", Choice.APPROVE, "p-1", "digest", {"stage": "owner"}),
            Meaning("R-2", Choice.APPROVE, "p-1", "digest"),
        ]
        handles = Handles({})
        minted = [handles.mint(each) for each in meanings]
        assert len(set(minted)) == len(meanings)
        assert [handles.mint(each) for each in meanings] == minted
        with database.read() as conn:
            assert meaning_of(conn, minted[0]) is None, "it counts once it was kept"
        await database.write(handles.keep)
        with database.read() as conn:
            assert [meaning_of(conn, handle) for handle in minted] == meanings
            assert Handles.of(conn, "R-2").mint(meanings[-1]) == minted[-1]

    def test_a_handle_is_128_bits_of_chance(self) -> None:
        minted = {Handles({}).mint(Meaning("R-1", Choice.APPROVE)) for _ in range(1_000)}
        assert len(minted) == 1_000
        assert {len(bytes.fromhex(handle)) for handle in minted} == {16}


class TestSealed:
    async def test_it_opens_for_its_own_request_and_key_only(
        self, database: Database, keys: KeyFile, tmp_path: Path
    ) -> None:
        await self._request(database, "R-1")
        await self._request(database, "R-2")
        seals, secret = Seals(keys), new_password()
        await database.write(lambda conn: seals.put(conn, "R-1", secret))
        with database.read() as conn:
            assert seals.open(conn, "R-1") == secret
        await database.write(lambda conn: conn.exec_driver_sql("UPDATE sealed SET ref = 'R-2'"))
        with database.read() as conn, pytest.raises(Exception, match="sealed"):
            seals.open(conn, "R-2")
        await database.write(lambda conn: conn.exec_driver_sql("UPDATE sealed SET ref = 'R-1'"))
        stranger = Seals(KeyFile.open(tmp_path / "other" / "master.key"))
        with database.read() as conn, pytest.raises(Exception, match="sealed"):
            stranger.open(conn, "R-1")

    async def test_it_is_found_by_its_own_token_and_by_no_empty_one(
        self, database: Database, keys: KeyFile
    ) -> None:
        await self._request(database, "R-1")
        await database.write(lambda conn: Seals(keys).put(conn, "R-1", Secret("x")))
        with database.read() as conn:
            found = sealed.find(conn, ref="R-1")
            assert found is not None
            assert found.expires_at is None, "its time starts when it is given"
            assert sealed.find(conn, token=found.token) == found
            assert sealed.find(conn, token="") is None
            assert sealed.find(conn) is None

    def test_new_passwords_are_long_and_of_every_kind(self) -> None:
        made = [new_password().value for _ in range(200)]
        assert len(set(made)) == 200
        for password in made:
            assert len(password) >= 20
            assert any(c.islower() for c in password)
            assert any(c.isupper() for c in password)
            assert any(c.isdigit() for c in password)
            assert not set(password) & set("0O1lIi"), "typed from a screen"

    async def _request(self, database: Database, ref: str) -> None:
        whole = {"action": "x", "state": State.DONE, "requester": "p", "subject": "p"}
        request = Request.model_validate({**whole, "ref": ref, "moved_at": NOW, "created_at": NOW})
        note = ledger.Note("request.opened", "p", "test")
        await database.write(lambda conn: ledger.create(conn, request, note))


async def test_where_a_card_stands_is_kept_and_brought_up_to_date(database: Database) -> None:
    first = Delivery("main", "web", "dm:p-1", "7", "hash-1")
    await database.write(lambda conn: record(conn, "R-1", [first]))
    later = Delivery("main", "web", "dm:p-1", "7", "hash-2")
    await database.write(lambda conn: record(conn, "R-1", [later]))
    with database.read() as conn:
        assert deliveries_of(conn, "R-1") == {"main": later}
        assert deliveries_of(conn, "R-2") == {}


def test_one_process_owns_a_folder_until_it_lets_go(tmp_path: Path) -> None:
    first, second = DataLock(tmp_path), DataLock(tmp_path)
    first.take()
    with pytest.raises(AlreadyRunning, match=str(tmp_path)):
        second.take()
    first.release()
    second.take()
    second.release()
