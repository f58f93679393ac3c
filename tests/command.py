"""The `deskhand` command as people run it: a process of its own, on a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx2

from bot.settings import PREFIXES
from tests.house import company_template

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
_CHOICE = re.compile(r"\[(\d+)\] (.+)")


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Deskhand:
    """The command on one data folder, with the settings of this test and none from outside."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
        return {**outside, "DESKHAND_DATA": str(self.data), **self.settings, **more}

    def _people(self) -> None:
        """The embedded company as it is at first: hashing its passwords anew takes a second."""
        if not self.data.exists() and "DESKHAND_COMPANY_SEED" not in self.settings:
            self.data.mkdir(mode=0o700, parents=True)
            shutil.copy(company_template(), self.data / "company.db")

    def run(self, *words: str, typed: str = "", **more: str) -> Ran:
        self._people()
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=ROOT,
            env=self.environment(**more),
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def says(self, *words: str, typed: str = "", **more: str) -> str:
        """What it prints where all is well."""
        ran = self.run(*words, typed=typed, **more)
        assert ran.code == 0, f"{words} ended with {ran.code}: {ran.out}{ran.err}"
        return ran.out

    def refuses(self, *words: str, **more: str) -> str:
        """The one line it says where something has to be mended first."""
        ran = self.run(*words, **more)
        assert ran.code == 1, f"{words} ended with {ran.code}: {ran.out}{ran.err}"
        assert "Traceback" not in ran.err, ran.err
        return ran.err

    @contextmanager
    def serving(self) -> Iterator[str]:
        """`deskhand serve` on a free port; its address, once it answers."""
        self._people()
        port = str(free_port())
        self.settings["DESKHAND_PORT"] = port  # for `ask`, which has to find it
        log = self.data.parent / "serve.log"
        with log.open("ab") as out:
            server = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"],
                cwd=ROOT,
                env=self.environment(),
                stdout=out,
                stderr=out,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for_answer(url, server, log)
            yield url
        finally:
            server.terminate()
            server.wait(30)

    @contextmanager
    def talking(self, who: str, *words: str) -> Iterator[Talk]:
        """`deskhand ask --as WHO`, as somebody who reads what it says before they type."""
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "ask", "--as", who, *words],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        talk = Talk(process)
        try:
            yield talk
            talk.leave()
        finally:
            process.kill()
            process.wait()
            talk.close()


class Talk:
    """One terminal: what stands in it, and what one types."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._keys: IO[str] = process.stdin
        self._screen: IO[str] = process.stdout
        self._said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.prompted()

    @property
    def said(self) -> str:
        return self._said

    def prompted(self) -> None:
        """Wait until it is this person's turn."""
        self.until(lambda: self._said.endswith(("> ", ": ", "[y/n] ", "(number) ")))

    def types(self, line: str) -> None:
        before = len(self._said)
        self._keys.write(line + "\n")
        self._keys.flush()
        self.until(lambda: len(self._said) > before)
        self.prompted()

    def chooses(self, label: str) -> None:
        """Type the number of the newest choice with these words."""
        found = [number for number, name in _CHOICE.findall(self._said) if name.strip() == label]
        assert found, f"there is no choice {label!r} in:\n{self._said}"
        self.types(found[-1])

    def sees(self, words: str, seconds: float = 20.0) -> None:
        """Look for news until these words are there."""
        end = time.monotonic() + seconds
        while words not in self._said:
            assert time.monotonic() < end, f"{words!r} did not come; it says:\n{self._said}"
            self.types(".")

    def leave(self) -> None:
        """An empty line."""
        self._keys.write("\n")
        self._keys.flush()
        assert self._process.wait(20) == 0, self._said

    def until(self, holds: object, seconds: float = 30.0) -> None:
        assert callable(holds)
        end = time.monotonic() + seconds
        while not holds():
            assert self._process.poll() is None, f"it ended:\n{self._said}"
            assert time.monotonic() < end, f"it says no more than:\n{self._said}"
            time.sleep(0.02)

    def close(self) -> None:
        self._reader.join(5)
        self._keys.close()
        self._screen.close()

    def _read(self) -> None:
        while letter := self._screen.read(1):
            self._said += letter


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_answer(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        assert server.poll() is None, f"the server ended: {log.read_text()}"
        assert time.monotonic() < end, f"the server does not answer: {log.read_text()}"
        try:
            if httpx2.get(f"{url}/api/people", timeout=5).status_code != 503:  # 404 behind a sign-in
                return
            time.sleep(0.05)
        except httpx2.TransportError:
            time.sleep(0.05)
