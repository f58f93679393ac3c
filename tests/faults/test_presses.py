"""Simultaneous presses from several processes, over HTTP: exactly one counts."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.settings.paths import Paths
from tests.faults.served import Window, press_at, served

ANA, BO = "p-1020", "p-1010"
GROUP = "staging-db-write"
_FROM_NOW_S = 1.5  # until the presses: four processes have started by then


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    with served(tmp_path / "data") as (_, url):
        yield tmp_path / "data", url


def _asked(url: str) -> Window:
    """Ana's confirmed request waits for Bo, who has the card in front of him."""
    ana = Window(url, ANA)
    assert ana.says("I need the staging database write for two weeks").status_code == 200
    ana.press("Yes, do it")
    return Window(url, BO)


def _all_press(url: str, buttons: list[dict[str, str]]) -> list[str]:
    at = time.time() + _FROM_NOW_S
    with multiprocessing.get_context("spawn").Pool(len(buttons)) as pool:
        return pool.starmap(press_at, [(url, BO, button, at) for button in buttons])


def _company(data: Path) -> tuple[list[str], bool]:
    """Operations that took effect, and whether Ana is in the group."""
    with closing(sqlite3.connect(Paths(data).company)) as file:
        ops = [row[0] for row in file.execute("SELECT op FROM write_log WHERE changed")]
        query = "SELECT 1 FROM membership WHERE group_id = ? AND person_id = ?"
        return ops, file.execute(query, (GROUP, ANA)).fetchone() is not None


def _events(data: Path, kind: str) -> int:
    with closing(sqlite3.connect(Paths(data).database)) as file:
        return int(file.execute("SELECT count(*) FROM audit_events WHERE kind = ?", (kind,)).fetchone()[0])


def test_four_processes_approve_at_once_and_one_counts(desk: tuple[Path, str]) -> None:
    data, url = desk
    approve = _asked(url).button("Approve")
    notices = _all_press(url, [approve] * 4)
    assert sorted(notices) == ["Thank you, noted.", *["You approved this already."] * 3]
    Window(url, ANA).button("Give it back")  # it was done
    ops, member = _company(data)
    assert len(ops) == 1
    assert member
    assert _events(data, "request.approved") == 1


def test_approve_and_deny_at_once_and_the_loser_reads_who_decided(desk: tuple[Path, str]) -> None:
    data, url = desk
    bo = _asked(url)
    approve, deny = bo.button("Approve"), bo.button("Deny")
    notices = _all_press(url, [approve, deny, approve, deny])
    verdicts = _events(data, "request.approved") + _events(data, "request.denied")
    assert verdicts == 1
    approved = _events(data, "request.approved") == 1
    won = "Thank you, noted." if approved else "Denied. I tell them."
    said = "You approved this already." if approved else "You denied this already."
    assert sorted(notices) == sorted([won, said, said, said])
    if approved:
        Window(url, ANA).button("Give it back")
    ops, member = _company(data)
    assert (len(ops), member) == ((1, True) if approved else (0, False))
    assert _events(data, "press.refused") == 3, "the presses that did not count are on record too"
