"""Databases that are locked, read-only or full: nothing is doubled, nothing is said that is not so."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import app, durable
from bot.procedures.request import State
from bot.settings.paths import Paths
from bot.store.database import StorageDown
from integrations.company.client import Client
from tests.house import House, house

LOW, MEDIUM = "I need miro for two weeks", "I need the staging database write for two weeks"


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """Jobs and housekeeping come sooner than in life, and the company gives up waiting sooner."""
    monkeypatch.setattr(durable, "_POLL_S", 0.1)
    monkeypatch.setattr(app, "_SWEEP_S", 0.5)
    monkeypatch.setattr("integrations.company.client.BUSY_SECONDS", 0.1)
    monkeypatch.setattr("bot.store.database._BUSY_MS", 300)
    async with house(tmp_path / "data") as running:
        yield running


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=5)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def read_only(client: Client) -> Iterator[None]:
    client._writer.execute("PRAGMA query_only = ON")
    yield
    client._writer.execute("PRAGMA query_only = OFF")


@contextmanager
def full(client: Client) -> Iterator[None]:
    """As SQLite answers where no page can be added any more."""
    writer = client._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute("CREATE TABLE filler (x)")
    writer.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        writer.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
            " INSERT INTO filler SELECT zeroblob(900) FROM n"
        )
    yield
    writer.execute("PRAGMA max_page_count = 1000000")


async def _effects(desk: House) -> list[str]:
    return [write.op for write in await desk.app.company.writes() if write.changed]


async def _reads(desk: House, account: str, words: str) -> None:
    for _ in range(100):
        if words in await desk.text(account):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{account} does not read {words!r}: {await desk.text(account)}")


class TestTheCompany:
    async def test_locked_while_a_step_runs_the_request_ends_undone_and_says_so(self, desk: House) -> None:
        await desk.says("ana", LOW)
        with locked(Paths(desk.app.settings.data).company):
            await desk.press("ana", "Yes, do it")
            await desk.until(lambda: desk.state() is State.UNDONE)
        assert await _effects(desk) == []
        assert not await desk.has("ana", "miro-users")
        await _reads(desk, "ana", "could not be done")
        await desk.says("ana", LOW)
        await desk.press("ana", "Yes, do it")
        await desk.until(lambda: desk.state() is State.ACTIVE)
        assert len(await _effects(desk)) == 1

    @pytest.mark.parametrize("trouble", [read_only, full])
    async def test_read_only_or_full_while_a_step_runs_nothing_is_done_and_nothing_is_claimed(
        self, desk: House, trouble: Any
    ) -> None:
        await desk.says("ana", MEDIUM)
        await desk.press("ana", "Yes, do it")
        with trouble(desk.app.company.client):
            await desk.press("bo", "Approve")
            await desk.until(lambda: desk.state() in (State.UNDONE, State.ACTIVE))
        member = await desk.has("ana", "staging-db-write")
        assert (desk.state() is State.ACTIVE) is member
        assert len(await _effects(desk)) == int(member)

    async def test_down_at_the_gate_nothing_is_decided_and_the_person_reads_it(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.says("ana", MEDIUM)
        await desk.press("ana", "Yes, do it")
        company = Paths(desk.app.settings.data).company
        away = company.with_suffix(".away")
        card = await desk.card("bo")
        company.rename(away)  # every read says that the system is down
        try:
            ack = await desk.press("bo", "Approve", card=card)
            assert "did nothing" in ack.notice
            assert desk.state() is State.APPROVING
        finally:
            away.rename(company)
        await desk.press("bo", "Approve")
        await desk.until(lambda: desk.state() is State.ACTIVE)
        assert len(await _effects(desk)) == 1

    async def test_down_when_a_grant_ends_it_is_taken_back_once_it_answers(self, desk: House) -> None:
        await desk.says("ana", LOW)
        await desk.press("ana", "Yes, do it")
        await desk.until(lambda: desk.state() is State.ACTIVE)
        with locked(Paths(desk.app.settings.data).company):
            desk.clock.forward(days=15)
            await desk.until(lambda: desk.state() is State.REVOKING)
            await asyncio.sleep(1)  # it has tried, and could not
            assert desk.state() is State.REVOKING
            assert await desk.has("ana", "miro-users")
        await desk.until(lambda: desk.state() is State.ENDED, seconds=30)
        assert not await desk.has("ana", "miro-users")
        assert [write.kind for write in await desk.app.company.writes()] == ["group.add", "group.remove"]


class TestItsOwnDatabase:
    async def test_locked_nothing_is_taken_and_the_platform_hears_it(self, desk: House) -> None:
        with locked(Paths(desk.app.settings.data).database), pytest.raises(StorageDown):
            await desk.says("ana", LOW, "first")
        assert desk.requests() == []
        await desk.says("ana", LOW, "first")  # sent again, as platforms do
        assert len(desk.requests()) == 1

    async def test_full_nothing_is_taken_that_cannot_be_kept_and_nothing_done_that_is_not_on_record(
        self, desk: House
    ) -> None:
        await desk.says("ana", LOW)
        yes = await desk.card("ana")
        database = desk.app.office.database
        pages = await database.write(lambda conn: conn.exec_driver_sql("PRAGMA page_count").scalar_one())
        most = pages + 4

        def limit(raw: Any, _record: Any = None) -> None:
            raw.execute(f"PRAGMA max_page_count = {most}")

        sa.event.listen(database.engine, "connect", limit)  # the desk may take a new connection
        await database.write(lambda conn: limit(conn.connection.driver_connection))
        await self._fill(desk)
        with pytest.raises(StorageDown):
            await desk.says("ana", "x" * 3_900)
        with contextlib.suppress(StorageDown):  # little as it is, it may still find a place
            await desk.press("ana", "Yes, do it", card=yes)
        assert len(await _effects(desk)) <= len(desk.events("step.begun")), "nothing that is not on record"

        most = 10**9
        await database.write(lambda conn: limit(conn.connection.driver_connection))
        await desk.press("ana", "Yes, do it", card=yes)
        await desk.until(lambda: desk.state() is State.ACTIVE, seconds=30)
        assert len(await _effects(desk)) == 1

    async def _fill(self, desk: House) -> None:
        """Until the last free page is used."""
        write = desk.app.office.database.write
        await write(lambda conn: conn.exec_driver_sql("CREATE TABLE filler (x)"))
        for _ in range(100):
            try:
                await write(lambda conn: conn.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(3000))"))
            except StorageDown:
                return
        raise AssertionError("it is not full")

    async def test_without_a_trail_to_write_to_nothing_takes_effect(self, desk: House) -> None:
        await desk.says("ana", LOW)
        await desk.app.office.database.write(
            lambda conn: conn.exec_driver_sql(
                "CREATE TRIGGER full_up BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )
        yes = await desk.card("ana")
        await desk.press("ana", "Yes, do it", card=yes)
        assert desk.state() is State.CONFIRMING
        assert await _effects(desk) == []
        assert not await desk.has("ana", "miro-users")
        left = await desk.inbound("luis", LOW)
        await desk.app.office.database.write(lambda conn: desk.app.desk._inbox.put(conn, left))
        assert await desk.app.desk.replay() >= 1, "what cannot be noted does not stop a start either"
        await desk.app.office.database.write(lambda conn: conn.exec_driver_sql("DROP TRIGGER full_up"))
        await desk.press("ana", "Yes, do it", card=yes)
        await desk.until(lambda: desk.state() is State.ACTIVE)


async def test_a_card_that_was_sent_and_not_noted_still_shows_what_came_later(desk: House) -> None:
    """Killed between the sending and the note: the same key again must show the present state."""
    await desk.says("ana", MEDIUM)
    await desk.press("ana", "Yes, do it")
    card = await desk.card("bo")
    await desk.app.office.database.write(lambda conn: conn.exec_driver_sql("DELETE FROM deliveries"))
    await desk.press("bo", "Deny", card=card)
    assert (await desk.card("bo")).buttons == ()
    assert (await desk.card("bo")).status == "Denied by Bo Lind"
