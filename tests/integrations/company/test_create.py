"""A new company file: whole or not there, made once, and only from seeds that make sense."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from integrations.company import Company
from integrations.company.company import SEED
from integrations.company.seed_files import SeedRefused
from integrations.contract import SystemDown

OPEN = (
    "import sys; from pathlib import Path; from integrations.company import Company;"
    "Company.open(Path(sys.argv[1])).close()"
)
ROOT = SEED.parents[2]


def opening(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", OPEN, str(path)], cwd=ROOT)


async def test_a_company_is_created_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "company.db"
    with closing(Company.open(path)) as company:
        await company.groups.add("figma-editors", "p-1020", op="op-1")
    with closing(Company.open(path)) as company:
        assert await company.groups.has("figma-editors", "p-1020")


def test_nobody_else_on_the_machine_can_read_the_file(template: Path) -> None:
    assert stat.S_IMODE(template.stat().st_mode) == 0o600


def test_creation_leaves_nothing_beside_the_file(template: Path) -> None:
    assert [path.name for path in template.parent.iterdir()] == [template.name]


def test_a_kill_during_creation_leaves_either_nothing_or_a_whole_company(tmp_path: Path) -> None:
    chance = random.Random(7)
    for number in range(5):
        path = tmp_path / str(number) / "company.db"
        process = opening(path)
        while not list(path.parent.glob(".*.unfinished")):  # it has begun to build
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.6))
        process.kill()
        process.wait()
        if path.exists():
            with closing(sqlite3.connect(path)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with closing(Company.open(path)) as company:
            assert company.login("ana", "welcome-ana") == "ok"


def test_what_a_killed_creation_left_is_swept_away_by_the_next(tmp_path: Path) -> None:
    old, young = (tmp_path / f".company.db.{name}.unfinished" for name in ("old", "young"))
    for left in (old, young):
        left.touch()
    os.utime(old, (time.time() - 3600,) * 2)
    Company.open(tmp_path / "company.db").close()
    assert not old.exists()
    assert young.exists()  # perhaps another process is at work on it


def test_of_several_processes_that_create_one_company_all_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "company.db"
    processes = [opening(path) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert [left.name for left in tmp_path.iterdir()] == ["company.db"]


@pytest.mark.parametrize("content", [b"not a database, but long enough to look" * 100, b""])
def test_another_file_in_its_place_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "company.db"
    path.write_bytes(content)
    with pytest.raises(SystemDown):
        Company.open(path)
    assert path.read_bytes() == content


def test_a_company_of_another_version_is_refused(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "company.db"
    shutil.copy(template, path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SystemDown, match="version"):
        Company.open(path)


def test_a_place_where_no_file_can_be_made_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemDown, match="cannot be created"):
        Company.open(tmp_path / "file" / "company.db")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("people.yaml", "id: p-1021", "id: p-1020", "p-1020"),
        ("people.yaml", "account: luis", "account: ana", "ana"),
        ("people.yaml", "manager: bo", "manager: nobody", "nobody"),
        ("people.yaml", "account: luis", "account: lüis", "pattern"),
        ("people.yaml", "status: left", "status: gone", "status"),
        ("people.yaml", "title: Legal Counsel", "titel: Legal Counsel", "titel"),
        ("groups.yaml", "people: [ida]", "people: [idda]", "idda"),
        ("groups.yaml", "groups: [tier-0-admins]", "groups: [tier-9]", "tier-9"),
        ("company.yaml", "protected_group: protected", "protected_group: protekted", "protekted"),
        ("company.yaml", "lockout_after: 5", "lockout_after: 0", "lockout_after"),
        ("time_off.yaml", "Vacation: {unit: hours", "Vacation: {unit: weeks", "unit"),
        ("time_off.yaml", "    ana: {Vacation", "    anna: {Vacation", "anna"),
        ("people.yaml", "- {id: p-1001", "- {{id: p-1001", "people.yaml"),
    ],
)
def test_a_seed_that_makes_no_sense_is_refused_by_name(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    seed = tmp_path / "seed"
    shutil.copytree(SEED, seed)
    text = (seed / file).read_text()
    assert old in text
    (seed / file).write_text(text.replace(old, new))
    with pytest.raises(SeedRefused, match=said):
        Company.open(tmp_path / "company.db", seed)
    assert not (tmp_path / "company.db").exists()
