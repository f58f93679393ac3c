"""The desk as people run it, ``python -m bot serve`` on a free port, and browsers without a browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from bot.settings import PREFIXES

ROOT = Path(__file__).resolve().parents[2]
_START_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(data: Path, port: int, **settings: str) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    environ |= {"DESKHAND_DATA": str(data), "DESKHAND_PORT": str(port), **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def served(data: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and where it listens."""
    port = free_port()
    process = start(data, port, **settings)
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + _START_S
        while not _answers(url):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end, "it does not start"
            time.sleep(0.05)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/api/people").status_code == 200
    except httpx2.TransportError:
        return False


class Window:
    """One person's window on the web desk."""

    def __init__(self, url: str, person: str) -> None:
        self.person = person
        self._url = url
        self._cookies = httpx2.Cookies()
        self._send("POST", "/api/session", {"person": person}).raise_for_status()

    def says(self, text: str) -> httpx2.Response:
        return self._send("POST", "/api/messages", {"text": text, "id": uuid4().hex})

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        with httpx2.Client(
            cookies=self._cookies, headers={"origin": self._url}, timeout=30, verify=False
        ) as client:
            answer = client.request(method, self._url + path, json=body)
            self._cookies = client.cookies
        return answer

    def cards(self) -> list[dict[str, Any]]:
        """What stands in the direct conversation, the newest first; each with the id of its message."""
        page = self._send("GET", f"/api/conversations/dm:{self.person}/messages").json()
        return [
            {**message["card"], "message": message["id"]}
            for message in reversed(page["messages"])
            if message["card"]
        ]

    def button(self, label: str, seconds: float = 10.0) -> dict[str, str]:
        """What pressing it sends, once it is there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for card in self.cards():
                for button in card["buttons"]:
                    if button["label"] == label:
                        return {"handle": button["handle"], "message_id": str(card["message"])}
            time.sleep(0.02)
        raise AssertionError(f"{self.person} has no button {label!r}: {self.cards()}")

    def presses(self, button: dict[str, str]) -> httpx2.Response:
        return self._send("POST", "/api/presses", {**button, "id": uuid4().hex})

    def press(self, label: str) -> httpx2.Response:
        return self.presses(self.button(label))


def press_at(url: str, person: str, button: dict[str, str], at: float) -> str:
    """For a process of its own: press at that second, and return what the person reads."""
    window = Window(url, person)
    time.sleep(max(0.0, at - time.time()))
    return str(window.presses(button).json()["notice"])
