"""The company file locked, read-only, full, broken, replaced: each a named error, nothing half done."""

from __future__ import annotations

import asyncio
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from integrations.company import Company
from integrations.company.client import BUSY_SECONDS
from integrations.company.errors import named_at_commit
from integrations.contract import OutcomeUnknown, PermissionRefused, Secret, SystemDown

ANA, LUIS, FIGMA = "p-1020", "p-1021", "figma-editors"
GOOD = Secret("Quiet-Harbour-Lantern-42")


async def test_while_another_process_holds_the_file_reads_answer_and_writes_say_it_is_down(
    company: Company,
) -> None:
    with closing(sqlite3.connect(company.client.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert (await company.directory.person(ANA)).account == "ana"
        with pytest.raises(SystemDown, match="locked"):
            await company.groups.add(FIGMA, ANA, op="op-1")
        with pytest.raises(SystemDown, match="locked"):
            await company.accounts.reset(ANA, GOOD, op="op-2")
        other.execute("ROLLBACK")
    assert not await company.groups.has(FIGMA, ANA)
    assert await company.writes() == []
    assert await company.groups.add(FIGMA, ANA, op="op-3") is True


async def test_writes_that_wait_for_a_lock_give_up_together_and_leave_the_event_loop_free(
    company: Company,
) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    with closing(sqlite3.connect(company.client.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ticking = asyncio.create_task(tick())
        started = time.monotonic()
        ended = await asyncio.gather(
            *(company.groups.add(FIGMA, ANA, op=f"op-{number}") for number in range(4)),
            return_exceptions=True,
        )
        waited = time.monotonic() - started
        ticking.cancel()
    assert all(isinstance(error, SystemDown) for error in ended)
    assert waited < 3 * BUSY_SECONDS  # one after the other would be four times
    assert ticks > 20


async def test_a_lock_let_go_in_time_is_waited_for(company: Company) -> None:
    with closing(sqlite3.connect(company.client.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        adding = asyncio.create_task(company.groups.add(FIGMA, ANA, op="op-1"))
        await asyncio.sleep(0.2)
        other.execute("ROLLBACK")
        assert await adding is True


def test_a_file_that_another_process_holds_for_itself_alone_does_not_open(template: Path) -> None:
    with closing(sqlite3.connect(template, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SystemDown, match="locked"):
            Company.open(template)


def read_only_copy(template: Path, folder: Path) -> Path:
    """With SQLite's own mark of a file not to be written (write version > 2), which holds for root too."""
    path = folder / "company.db"
    content = bytearray(template.read_bytes())
    content[18] = 3
    path.write_bytes(content)
    return path


async def test_a_read_only_file_refuses_every_write_and_answers_every_read(
    template: Path, tmp_path: Path
) -> None:
    with closing(Company.open(read_only_copy(template, tmp_path))) as company:
        assert (await company.directory.person(ANA)).account == "ana"
        for call in (
            company.groups.add(FIGMA, ANA, op="op-1"),
            company.accounts.reset(ANA, GOOD, op="op-2"),
            company.accounts.unlock(LUIS, op="op-3"),
            company.check(),
        ):
            with pytest.raises(PermissionRefused, match="read-only"):
                await call


async def test_on_a_full_disk_a_write_says_so_and_leaves_nothing_behind(company: Company) -> None:
    done = 0

    def fill(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    company.client.write_now(fill)

    async def change_until_full() -> None:
        nonlocal done
        for _ in range(2000):
            call = company.groups.add if done % 2 == 0 else company.groups.remove
            await call(FIGMA, ANA, op=f"op-{done}")
            done += 1

    with pytest.raises(SystemDown, match="full"):
        await change_until_full()
    assert done > 0
    assert len(await company.writes()) == done  # the refused one left no row,
    assert await company.groups.has(FIGMA, ANA) is (done % 2 == 1)  # and no membership

    company.client.write_now(
        lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchone()
    )
    await company.groups.add(FIGMA, ANA, op="after")
    assert await company.groups.has(FIGMA, ANA)


@contextmanager
def no_file_may_grow_beyond(size: int) -> Iterator[None]:
    """The kernel itself refuses the write, at the commit: nothing is pretended."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


async def test_a_disk_that_fails_at_the_commit_leaves_the_outcome_unknown(company: Company) -> None:
    await company.groups.remove(FIGMA, ANA, op="op-0")
    log = company.client.path.with_name("company.db-wal")
    with no_file_may_grow_beyond(log.stat().st_size), pytest.raises(OutcomeUnknown):
        await company.groups.add(FIGMA, ANA, op="op-1")
    assert await company.groups.add(FIGMA, ANA, op="op-2") is True  # here it had not happened
    assert [write.op for write in await company.writes()] == ["op-0", "op-2"]


async def test_a_commit_that_is_refused_and_left_open_does_not_block_the_next_write(company: Company) -> None:
    def owe_a_row(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("INSERT INTO membership (group_id, person_id) VALUES (?, 'p-9999')", (FIGMA,))

    with pytest.raises(SystemDown):
        await company.client.write(owe_a_row)
    assert await company.groups.add(FIGMA, ANA, op="op-1") is True


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_IOERR_FSYNC, OutcomeUnknown),  # after the last frame was written
        (sqlite3.SQLITE_IOERR_WRITE, OutcomeUnknown),
        (sqlite3.SQLITE_NOMEM, OutcomeUnknown),
        (sqlite3.SQLITE_BUSY, SystemDown),
        (sqlite3.SQLITE_FULL, SystemDown),
        (sqlite3.SQLITE_READONLY, PermissionRefused),
    ],
)
def test_a_failed_commit_is_unknown_unless_sqlite_stopped_before_its_last_write(
    code: int, expected: type[Exception]
) -> None:
    error = sqlite3.OperationalError("made up")
    error.sqlite_errorcode = code
    assert type(named_at_commit(error)) is expected


def replace(path: Path, other: Path) -> None:
    path.rename(path.with_suffix(".old"))
    path.write_bytes(other.read_bytes())


async def test_a_replaced_file_is_not_answered_from_the_past(company: Company, template: Path) -> None:
    replace(company.client.path, template)
    with pytest.raises(SystemDown, match="replaced"):
        await company.directory.person(ANA)
    with pytest.raises(SystemDown, match="replaced"):
        await company.groups.add(FIGMA, ANA, op="op-1")


async def test_after_closing_every_call_says_it_is_down(template: Path) -> None:
    company = Company.open(template)
    company.close()
    with pytest.raises(SystemDown):
        await company.directory.person(ANA)
    with pytest.raises(SystemDown):
        await company.groups.add(FIGMA, ANA, op="op-1")


async def test_two_processes_worth_of_companies_see_each_others_changes(company: Company) -> None:
    with closing(Company.open(company.client.path)) as other:
        await company.groups.add(FIGMA, ANA, op="op-1")
        assert await other.groups.has(FIGMA, ANA)
        assert await other.groups.add(FIGMA, ANA, op="op-2") is False
