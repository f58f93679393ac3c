"""Wakes the open windows of those who may see a change. It carries no messages: a window that was woken
reads what changed from the store, so a slow window costs one flag and never misses anything."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

WINDOWS_PER_ACCOUNT = 20


class TooManyWindows(Exception):
    """This account has as many open streams as are served."""


class Live:
    def __init__(self) -> None:
        self._woken_by: dict[str, set[asyncio.Event]] = {}
        self._windows: dict[str, int] = {}
        self.closing = False

    @contextmanager
    def window(self, account: str, conversations: Iterable[str]) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the conversations changes. :raises TooManyWindows:"""
        if self._windows.get(account, 0) >= WINDOWS_PER_ACCOUNT:
            raise TooManyWindows(account)
        wake = asyncio.Event()
        watched = tuple(conversations)
        self._windows[account] = self._windows.get(account, 0) + 1
        for conversation in watched:
            self._woken_by.setdefault(conversation, set()).add(wake)
        try:
            yield wake
        finally:
            self._forget(account, watched, wake)

    def changed(self, conversation: str) -> None:
        for wake in self._woken_by.get(conversation, ()):
            wake.set()

    def close(self) -> None:
        """Lets every open stream end, so that a stopping server does not wait for them."""
        self.closing = True
        for conversation in list(self._woken_by):
            self.changed(conversation)

    def _forget(self, account: str, watched: tuple[str, ...], wake: asyncio.Event) -> None:
        for conversation in watched:
            self._woken_by[conversation].discard(wake)
            if not self._woken_by[conversation]:
                del self._woken_by[conversation]
        self._windows[account] -= 1
        if not self._windows[account]:
            del self._windows[account]
