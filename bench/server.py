"""The real desk as a process of its own, started, asked and stopped as a person would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

# The test tools bring numpy, which sqlite-utils loads wherever it is; what `make run` installs has none.
_SERVE = """
import runpy, sys
sys.modules["numpy"] = None
sys.argv = ["deskhand", "serve"]
runpy.run_module("bot", run_name="__main__", alter_sys=True)
"""


@contextmanager
def running(*command: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """``python command...`` until the block ends; whatever it logs is dropped."""
    process = subprocess.Popen(
        [sys.executable, *command],
        env=os.environ | (env or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def desk(data: Path, **settings: object) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The desk on this data folder, and where it answers. Not waited for."""
    port = free_port()
    env = {
        "DESKHAND_DATA": str(data),
        "DESKHAND_PORT": str(port),
        "DESKHAND_LOG_LEVEL": "error",
    }
    for name, value in settings.items():
        chat = name.startswith(("slack_", "teams_"))
        env[name.upper() if chat else f"DESKHAND_{name.upper()}"] = str(value)
    with running("-c", _SERVE, env=env) as process:
        yield process, f"http://127.0.0.1:{port}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def first_answer(url: str, patience: float = 120.0) -> float:
    """Seconds from now until this page answers 200. The desk says 503 until it is ready."""
    begun = time.perf_counter()
    while (waited := time.perf_counter() - begun) < patience:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return time.perf_counter() - begun
        except OSError:  # refused, or 503
            time.sleep(0.005)
    raise TimeoutError(f"{url} did not answer in {waited:.0f} s")


@contextmanager
def signed_in(url: str, *accounts: str) -> Iterator[httpx2.Client]:
    """A browser in which these people were chosen."""
    with httpx2.Client(base_url=url, headers={"origin": url}, timeout=30) as client:
        for account in accounts:
            client.post("/api/session", json={"person": account}).raise_for_status()
        yield client


def account_of(url: str, name: str) -> str:
    with urllib.request.urlopen(f"{url}/api/people", timeout=5) as answer:
        people = json.load(answer)["people"]
    return next(each["account"] for each in people if each["name"].startswith(name))
