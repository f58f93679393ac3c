"""One process owns a data folder: two that launch jobs on one SQLite file run live steps twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process owns this data folder."""


class DataLock:
    """Held until the process ends, however it ends: the system lets go of it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "serve.lock"
        self._file: int | None = None

    def take(self) -> None:
        """:raises AlreadyRunning: with the folder in its words"""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            self._file = None
            raise AlreadyRunning(f"another Deskhand already serves {self._path.parent}") from error

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
