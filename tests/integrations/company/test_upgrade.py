"""A company file from before there was daily work: opened anew it has it, and keeps all that it was."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.company import Company
from integrations.company.client import APPLICATION_ID, VERSION
from integrations.company.company import SEED
from integrations.company.create import upgrade
from integrations.company.equipment import CompanyEquipment
from integrations.company.expenses import CompanyExpenses
from integrations.company.seed_files import Seed, SeedRefused
from integrations.contract import SystemDown

NEW = ("leave", "ticket", "ticket_comment", "item", "budget", "expense")
FIRM = Seed.read(SEED)
ANA, MEI = "p-1020", "p-1002"

OPEN = (
    "import sys; from pathlib import Path; from integrations.company import Company;"
    "Company.open(Path(sys.argv[1])).close()"
)
# Upgrades copies of a file, each in a child that is killed before its n-th statement, until one lives.
KILLED = """
import os, shutil, signal, sqlite3, sys
from pathlib import Path
from integrations.company.company import SEED
from integrations.company.create import upgrade

file, folder, left, connect = Path(sys.argv[1]), Path(sys.argv[2]), 0, sqlite3.connect

def count(statement):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def watched(*values, **names):
    connection = connect(*values, **names)
    connection.set_trace_callback(count)
    return connection

sqlite3.connect = watched
ended = signal.SIGKILL
while ended == signal.SIGKILL:
    copy = folder / f"{left}.db"
    shutil.copy(file, copy)
    if (child := os.fork()) == 0:
        upgrade(copy, SEED)
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    left += 1
sys.exit(ended)
"""


@pytest.fixture
def old(template: Path, tmp_path: Path) -> Path:
    """A file of version 1."""
    path = tmp_path / "company.db"
    shutil.copy(template, path)
    with closing(sqlite3.connect(path)) as connection:
        for table in reversed(NEW):
            connection.execute(f'DROP TABLE "{table}"')
        connection.execute("PRAGMA user_version = 1")
        connection.execute("UPDATE person SET title = 'Cartographer' WHERE id = ?", (ANA,))
        connection.execute("UPDATE time_off SET available = '17.25' WHERE person_id = ?", (ANA,))
        connection.execute("INSERT INTO membership VALUES ('figma-editors', ?)", (ANA,))
        connection.commit()
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return found


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def told(path: Path) -> set[str]:
    """Every table, row and index that was there before."""
    with closing(sqlite3.connect(path)) as connection:
        new = tuple(f'{verb} "{name}"' for name in NEW for verb in ("CREATE TABLE", "INSERT INTO"))
        indexes = tuple(f'CREATE {kind}INDEX "idx_{name}_' for name in NEW for kind in ("", "UNIQUE "))
        return {line for line in connection.iterdump() if not line.startswith((*new, *indexes))}


def counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in NEW}


SEEDED = {
    "leave": 0,
    "ticket": 0,
    "ticket_comment": 0,
    "item": len(FIRM.equipment.items),
    "budget": len(FIRM.equipment.budgets),
    "expense": len(FIRM.expenses),
}


async def test_an_old_file_has_equipment_and_expenses_when_it_is_opened_anew(old: Path) -> None:
    assert not tables(old) & set(NEW)
    with closing(Company.open(old)) as company:
        assert len(await CompanyEquipment(company.client).items()) == len(FIRM.equipment.items)
        assert await CompanyEquipment(company.client).budget_owner(ANA) == "mei.tanaka@alderfinch.example"
        assert len(await CompanyExpenses(company.client).expenses(ANA)) == 3
    assert (version(old), counts(old)) == (VERSION, SEEDED)


async def test_people_balances_passwords_and_groups_stay_as_they_were(old: Path) -> None:
    before = told(old)
    with closing(Company.open(old)) as company:
        assert (await company.directory.person(ANA)).title == "Cartographer"
        balances = await company.time_off.balances(ANA, datetime.now(UTC).date())
        assert {str(balance.available) for balance in balances} == {"17.25"}
        assert await company.groups.has("figma-editors", ANA)
        assert company.login("ana", "welcome-ana") == "ok"
    assert told(old) == before


def test_an_upgraded_file_is_a_new_one(old: Path, template: Path) -> None:
    def shape(path: Path) -> set[tuple[str, str]]:
        with closing(sqlite3.connect(path)) as connection:
            return set(connection.execute("SELECT name, sql FROM sqlite_master"))

    upgrade(old, SEED)
    assert shape(old) == shape(template)


def test_what_was_taken_away_after_an_upgrade_does_not_come_back(old: Path) -> None:
    upgrade(old, SEED)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("DELETE FROM expense")
        connection.commit()
    Company.open(old).close()
    assert counts(old)["expense"] == 0


def test_who_is_not_in_the_old_file_gets_nothing(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("UPDATE person SET account = 'anna' WHERE id = ?", (ANA,))
        connection.execute("UPDATE person SET account = 'may' WHERE id = ?", (MEI,))
        connection.commit()
    upgrade(old, SEED)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT * FROM expense WHERE person_id = ?", (ANA,)).fetchall() == []
        assert connection.execute("SELECT * FROM budget WHERE owner_id = ?", (MEI,)).fetchall() == []
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_several_processes_that_open_an_old_file_at_once_all_can(old: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(old)], cwd=SEED.parents[2]) for _ in range(3)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert (version(old), counts(old)) == (VERSION, SEEDED)


def test_several_threads_that_open_an_old_file_at_once_all_can(old: Path) -> None:
    together = threading.Barrier(6)

    def open_it() -> None:
        together.wait(10)
        Company.open(old).close()

    with ThreadPoolExecutor(6) as pool:
        for opened in [pool.submit(open_it) for _ in range(6)]:
            opened.result(60)
    assert (version(old), counts(old)) == (VERSION, SEEDED)


@pytest.mark.parametrize("made", [VERSION, 3])
def test_whoever_waited_for_another_upgrade_does_not_touch_what_it_made(old: Path, made: int) -> None:
    with (
        closing(sqlite3.connect(old, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(upgrade, old, SEED)
        with pytest.raises(TimeoutError):
            waiting.result(0.5)  # it has seen version 1
        other.execute(f"PRAGMA user_version = {made}")
        other.execute("COMMIT")
        waiting.result(10)
    assert version(old) == made
    assert not tables(old) & set(NEW)


def test_a_file_of_a_later_version_is_refused_and_left_alone(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("PRAGMA user_version = 3")
    before = told(old)
    with pytest.raises(SystemDown, match="version"):
        Company.open(old)
    assert (version(old), told(old)) == (3, before)
    assert not tables(old) & set(NEW)


def test_a_file_of_somebody_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "company.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE note (text TEXT)")
        connection.execute("PRAGMA user_version = 1")
    assert APPLICATION_ID != 0
    with pytest.raises(SystemDown, match="version"):
        Company.open(path)
    assert tables(path) == {"note"}


def test_a_folder_in_its_place_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(SystemDown, match="cannot be opened"):
        Company.open(tmp_path)


@pytest.fixture
def killed(old: Path, tmp_path: Path) -> list[Path]:
    """A copy for every statement of the upgrade, killed before it; the last one lived."""
    folder = tmp_path / "killed"
    folder.mkdir()
    code = [sys.executable, "-c", KILLED, str(old), str(folder)]
    subprocess.run(code, cwd=SEED.parents[2], check=True, timeout=100)
    return sorted(folder.glob("*.db"), key=lambda path: int(path.stem))


@pytest.mark.slow
async def test_a_killed_upgrade_leaves_the_old_file_or_the_new_one(killed: list[Path]) -> None:
    assert len(killed) > 20
    for number, path in enumerate(killed):
        found = (version(path), tables(path) & set(NEW))
        assert found in ((1, set()), (VERSION, set(NEW))), number
        with closing(Company.open(path)) as company:
            assert (await company.directory.person(ANA)).title == "Cartographer"
        assert (version(path), counts(path)) == (VERSION, SEEDED), number
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("equipment.yaml", "items: [{key: mouse}]", "equipment.yaml"),
        ("expenses.yaml", "- {id: ex-1, account: nobody}", "expenses.yaml"),
    ],
)
def test_a_seed_that_makes_no_sense_stops_the_upgrade_and_leaves_the_old_file(
    old: Path, tmp_path: Path, file: str, text: str, said: str
) -> None:
    seed = tmp_path / "seed"
    shutil.copytree(SEED, seed)
    (seed / file).write_text(text)
    with pytest.raises(SeedRefused, match=said):
        Company.open(old, seed)
    assert version(old) == 1
    assert not tables(old) & set(NEW)


def test_a_seed_from_before_has_neither_equipment_nor_expenses_to_give(old: Path, tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    shutil.copytree(SEED, seed)
    for name in ("equipment.yaml", "expenses.yaml"):
        (seed / name).unlink()
    Company.open(old, seed).close()
    assert set(counts(old).values()) == {0}


def test_an_old_file_that_another_process_holds_is_a_named_error(old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SystemDown, match="locked"):
            Company.open(old)
        other.execute("ROLLBACK")
    Company.open(old).close()
