"""The write log counts what reached the company: one row a write, in the transaction of the change."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from integrations.company import Company
from integrations.contract import (
    AccountDisabled,
    PasswordRefused,
    PermissionRefused,
    Secret,
    UnknownGroup,
    UnknownPerson,
)

ANA, LUIS, BEN, IDA, FIGMA = "p-1020", "p-1021", "p-1062", "p-1040", "figma-editors"
GOOD = Secret("Quiet-Harbour-Lantern-42")


async def test_every_write_adds_one_row_that_says_whether_it_changed_anything(company: Company) -> None:
    await company.groups.add(FIGMA, ANA, op="a")
    await company.groups.add(FIGMA, ANA, op="b")
    await company.groups.remove(FIGMA, ANA, op="c")
    await company.groups.remove(FIGMA, ANA, op="d")
    await company.accounts.reset(ANA, GOOD, op="e")
    await company.accounts.unlock(LUIS, op="f")
    await company.accounts.unlock(LUIS, op="g")
    seen = [(w.op, w.kind, w.person_id, w.group_id, w.changed) for w in await company.writes()]
    assert seen == [
        ("a", "group.add", ANA, FIGMA, True),
        ("b", "group.add", ANA, FIGMA, False),
        ("c", "group.remove", ANA, FIGMA, True),
        ("d", "group.remove", ANA, FIGMA, False),
        ("e", "account.reset", ANA, None, True),
        ("f", "account.unlock", LUIS, None, True),
        ("g", "account.unlock", LUIS, None, False),
    ]


async def test_an_operation_done_twice_shows_twice(company: Company) -> None:
    for _ in range(2):
        await company.accounts.reset(ANA, GOOD, op="twice")
    assert [write.changed for write in await company.writes("twice")] == [True, True]


async def test_what_was_refused_adds_no_row(company: Company) -> None:
    for call, error in (
        (company.groups.add("no-group", ANA, op="x"), UnknownGroup),
        (company.groups.add(FIGMA, "p-9999", op="x"), UnknownPerson),
        (company.groups.add("tier-0-admins", ANA, op="x"), PermissionRefused),
        (company.groups.remove("protected", IDA, op="x"), PermissionRefused),
        (company.accounts.reset(BEN, GOOD, op="x"), AccountDisabled),
        (company.accounts.reset(IDA, GOOD, op="x"), PermissionRefused),
        (company.accounts.reset(ANA, Secret("short"), op="x"), PasswordRefused),
        (company.accounts.unlock(IDA, op="x"), PermissionRefused),
    ):
        with pytest.raises(error):
            await call
    assert await company.writes() == []


async def test_logging_in_and_what_the_company_does_itself_add_no_row(company: Company) -> None:
    company.login("ana", "wrong")
    company.change_password("ana", "welcome-ana", GOOD.value)
    await company.hr.set_manager(ANA, None)
    await company.hr.join("protected", ANA)
    assert await company.writes() == []


async def test_without_its_row_there_is_no_change(company: Company) -> None:
    with closing(sqlite3.connect(company.client.path)) as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON write_log BEGIN SELECT RAISE(ABORT, 'no log'); END")
    with pytest.raises(Exception, match="no log"):
        await company.groups.add(FIGMA, ANA, op="a")
    assert not await company.groups.has(FIGMA, ANA)


async def test_an_odd_operation_id_is_kept_readable(company: Company) -> None:
    await company.groups.add(FIGMA, ANA, op="odd-\ud800")
    assert [write.op for write in await company.writes("odd-\ud800")] == ["odd-\\ud800"]


def test_a_kill_between_writes_loses_no_row_and_no_change(company: Company) -> None:
    """The child reports each write after it returned; all of them must stand after the kill."""
    script = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom integrations.company import Company\n"
        "async def main():\n"
        "    c = Company.open(Path(sys.argv[1]))\n"
        "    for n in range(100000):\n"
        "        call = c.groups.add if n % 2 == 0 else c.groups.remove\n"
        "        await call('figma-editors', 'p-1020', op=f'op-{n}')\n"
        "        print(n, flush=True)\n"
        "asyncio.run(main())\n"
    )
    run = [sys.executable, "-c", script, str(company.client.path)]
    with subprocess.Popen(run, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        reported = [int(child.stdout.readline()) for _ in range(50)]
        os.kill(child.pid, signal.SIGKILL)
        reported += [int(line) for line in child.stdout if line.endswith(b"\n")]
    with closing(sqlite3.connect(company.client.path)) as connection:
        rows = connection.execute("SELECT op, changed FROM write_log ORDER BY id").fetchall()
        member = connection.execute(
            "SELECT count(*) FROM membership WHERE group_id = ? AND person_id = ?", (FIGMA, ANA)
        ).fetchone()[0]
    assert len(rows) in (len(reported), len(reported) + 1)  # one may have been done and not yet reported
    assert rows == [(f"op-{number}", 1) for number in range(len(rows))]
    assert member == len(rows) % 2
