"""The desk in a terminal: the same dialogue, with numbers in place of buttons."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings.paths import Paths
from integrations.company import Company
from tests.command import ROOT, Deskhand

ANA = "ana.ruiz@alderfinch.example"
BO = "bo.lind@alderfinch.example"
NADIA = "nadia.okafor@alderfinch.example"
CRITICAL = "I need to read the production database for 2 hours to look at an incident"


@pytest.fixture
def desk(tmp_path: Path) -> Deskhand:
    return Deskhand(tmp_path / "data")


@pytest.fixture
def served(desk: Deskhand) -> Iterator[Deskhand]:
    with desk.serving():
        yield desk


def holds(desk: Deskhand, person: str, group: str) -> bool:
    company = Company.open(Paths(desk.data).company)
    try:
        return asyncio.run(_holds(company, person, group))
    finally:
        company.close()


async def _holds(company: Company, account: str, group: str) -> bool:
    return await company.groups.has(group, (await company.directory.by_account(account)).id)


def reference(said: str) -> str:
    """The request that was spoken of first."""
    return re.findall(r"R-[0-9A-Z]{6}", said)[0]


def test_three_terminals_side_by_side_play_a_critical_request_through(served: Deskhand) -> None:
    with served.talking(ANA, CRITICAL) as ana, served.talking(BO) as bo, served.talking(NADIA) as nadia:
        ana.sees("Several come close")
        ana.chooses("Production database (read)")
        ana.sees("Give Ana Ruiz access to Production database (read) for 2 hours")
        ana.chooses("Yes, do it")
        ana.sees("Waiting for Bo Lind")
        assert "Ana" not in nadia.said  # it is the manager's turn
        bo.sees("Why you: You are Ana Ruiz's manager.")
        bo.chooses("Approve")
        bo.types("go ahead, but be careful")
        bo.sees("Approved by Bo Lind")
        nadia.sees("Why you: You answer for Production database (read).")
        nadia.chooses("Approve")
        nadia.types("")
        ana.sees("Active until")
        ana.sees("Ana Ruiz has access to Production database (read).")
        assert holds(served, "ana", "prod-db-read")
        ana.chooses("Give it back")
        ana.sees("Take Production database (read) back from Ana Ruiz now")
        ana.chooses("Yes, do it")
        ana.sees("(Ended)")
        assert not holds(served, "ana", "prod-db-read")
    story = served.says("audit", "show", reference(ana.said))
    for words in (CRITICAL, "Bo Lind", "Nadia Okafor", "go ahead, but be careful", "join_group"):
        assert words in story
    assert served.says("audit", "verify").startswith("whole")


def test_without_a_server_each_finds_what_waits_for_them(desk: Deskhand) -> None:
    with desk.talking(ANA, CRITICAL) as ana:
        ana.chooses("Production database (read)")
        ana.chooses("Yes, do it")
        ana.sees("Waiting for Bo Lind")
    with desk.talking(BO) as bo:
        bo.sees(f"Ana Ruiz wrote: “{CRITICAL}”")
        bo.chooses("Approve")
        bo.types("")
        bo.sees("Approved by Bo Lind")
    with desk.talking(NADIA) as nadia:
        nadia.chooses("Approve")
        nadia.types("")
        nadia.sees("Approved by Nadia Okafor")
    assert holds(desk, "ana", "prod-db-read")
    with desk.talking(ANA) as ana:
        ana.sees("Active until")
        ana.chooses("Give it back")
        ana.sees("Take Production database (read) back from Ana Ruiz now")
        ana.chooses("Yes, do it")
        ana.sees("(Ended)")
    assert not holds(desk, "ana", "prod-db-read")
    assert desk.says("audit", "verify").startswith("whole")


def test_a_tick_is_asked_for_and_without_it_nothing_is_approved(desk: Deskhand) -> None:
    with desk.talking(ANA, "I forgot my password") as ana:
        ana.chooses("Yes, do it")
        ana.sees("Waiting for Bo Lind")
    with desk.talking(BO) as bo:
        bo.chooses("Approve")
        assert bo.said.endswith("[y/n] ")
        bo.types("n")
        bo.types("")
        assert "Approved by" not in bo.said
        bo.chooses("Approve")
        bo.types("y")
        bo.types("")
        bo.sees("Code to read out to Ana Ruiz: ")


def test_the_ceo_s_password_is_out_of_reach(desk: Deskhand) -> None:
    with desk.talking(ANA, "reset the CEO's password") as ana:
        assert "Grace" not in ana.said
        assert "Set a new password for Grace" not in ana.said


def test_somebody_who_left_is_told_so_in_a_line(desk: Deskhand) -> None:
    assert "can use this desk" in desk.refuses("ask", "--as", "gil", "hello")


def test_nobody_by_that_name_is_said_in_a_line(desk: Deskhand) -> None:
    assert "nobody is called zorro" in desk.refuses("ask", "--as", "zorro", "hello")
    assert "sam.okoye@alderfinch.example" in desk.refuses("ask", "--as", "sam", "hello")


def test_a_second_terminal_says_why_it_cannot_join_the_first(desk: Deskhand) -> None:
    with desk.talking(ANA, "what are my open requests?"):
        said = desk.refuses("ask", "--as", BO, DESKHAND_PORT="1")
    assert "DESKHAND_PORT" in said
    assert "deskhand serve" in said


def test_ctrl_c_leaves_at_once(desk: Deskhand) -> None:
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "ask", "--as", ANA, "hello"],
        cwd=ROOT,
        env=desk.environment(),
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    )
    os.close(screen)
    said = b""
    try:
        while not said.endswith(b"> "):
            said += os.read(keyboard, 1024)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(10) == 130
        assert time.monotonic() - began < 5
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)
