"""Killed at its points and at random, the desk loses nothing, doubles nothing, and keeps the record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import directory
from tests.faults.sweep import sweep

ROOT = Path(__file__).resolve().parents[2]


def test_killed_twenty_times_nothing_is_lost_doubled_unaudited_or_stuck() -> None:
    outcome = sweep(21, seed=1, scenes=["medium", "reset", "give_back", "unlock"])
    assert outcome.verdict.lines() == []
    assert len(outcome.kills) >= 20
    assert outcome.in_flight >= 0.8 * len(outcome.kills)  # few kills: the command itself asks for 90 %


def test_an_executor_that_keeps_its_record_only_after_the_effect_is_found_out() -> None:
    """The suite itself under test: the same command, with the fault, must count doubled effects."""
    command = [sys.executable, "-m", "tests.faults", "--kills", "9", "--seed", "1", "--scene", "reset"]
    found = subprocess.run(
        [*command, "--fault", "forget"], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert found.returncode == 1, found.stderr
    counts = dict(part.split("=") for part in found.stdout.split() if "=" in part)
    assert int(counts["doubled"]) > 0, found.stdout
    assert int(counts["kills"]) >= 9


@pytest.mark.usefixtures("slapd")
def test_killed_while_it_changes_a_directory_each_change_is_made_once() -> None:
    outcome = directory.sweep(4, seed=3)
    assert outcome.wrong == []
    assert outcome.kills == 4
    assert outcome.effects == 4, "two grants and their returns, by the server's own log"
