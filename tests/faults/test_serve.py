"""The served process: alone on its folder, stopped cleanly, and punctual after days away."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bot.settings.paths import Paths
from tests.faults.served import Window, free_port, served, start
from tests.house import Clock, house

ANA = "p-1020"


def test_a_second_process_on_the_same_folder_is_refused_with_a_reason(tmp_path: Path) -> None:
    with served(tmp_path / "data") as (_, url):
        second = start(tmp_path / "data", free_port())
        _, err = second.communicate(timeout=30)
        assert second.returncode == 1
        assert "another Deskhand already serves" in err
        assert "Traceback" not in err
        assert Window(url, ANA).says("what is my vacation balance").status_code == 200, "the first goes on"


def test_told_to_stop_it_ends_with_0_and_leaves_no_trace_of_trouble(tmp_path: Path) -> None:
    with served(tmp_path / "data") as (process, url):
        ana = Window(url, ANA)
        ana.says("I need miro for two weeks")
        ana.press("Yes, do it")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err, err


def test_killed_and_started_again_it_serves_within_seconds(tmp_path: Path) -> None:
    with served(tmp_path / "data") as (process, url):
        ana = Window(url, ANA)
        ana.says("I need miro for two weeks")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with served(tmp_path / "data") as (_, url):
        Window(url, ANA).press("Yes, do it")
        Window(url, ANA).button("Give it back")
    with closing(sqlite3.connect(Paths(tmp_path / "data").company)) as file:
        assert file.execute("SELECT count(*) FROM write_log WHERE changed").fetchone() == (1,)


async def test_grants_that_ended_while_it_was_down_for_a_week_are_taken_back_at_the_start(
    tmp_path: Path,
) -> None:
    async with house(tmp_path / "data") as before:
        for account, text in (
            ("ana", "I need miro for 3 days"),
            ("luis", "I need figma for 3 days"),
            ("yuki", "I need grafana for 30 days"),
        ):
            await before.says(account, text)
            await before.press(account, "Yes, do it")
            assert before.state() == "active"
    with closing(sqlite3.connect(Paths(tmp_path / "data").database)) as file:
        file.execute("DELETE FROM workflow_status")  # the clock alone has to do: no job is there to help it
        file.commit()
    started = time.monotonic()
    async with house(tmp_path / "data", clock=Clock(timedelta(days=7))) as after:
        await after.until(lambda: len([r for r in after.requests() if r.state == "ended"]) == 2, seconds=60)
        assert time.monotonic() - started < 60
        assert not await after.has("ana", "miro-users")
        assert not await after.has("luis", "figma-editors")
        assert await after.has("yuki", "grafana-viewers"), "this one has not ended"
        removed = [write for write in await after.app.company.writes() if write.kind == "group.remove"]
        assert len(removed) == 2
