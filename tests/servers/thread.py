"""A server of the tests, in a thread with a loop of its own: one talks to it as to another machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

T = TypeVar("T")


class InThread:
    """``with Server.running() as server``. A server opens its sockets in ``_open``."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    @classmethod
    @contextmanager
    def running(cls, **kwargs: Any) -> Iterator[Self]:
        server = cls(**kwargs)
        up = threading.Event()
        thread = threading.Thread(target=server._live, args=(up,), daemon=True)
        thread.start()
        assert up.wait(10)
        try:
            yield server
        finally:
            server._loop.call_soon_threadsafe(server._loop.stop)
            thread.join(10)

    async def _open(self) -> None:
        raise NotImplementedError

    async def _close(self) -> None:
        raise NotImplementedError

    async def _in(self, work: Coroutine[Any, Any, T]) -> T:
        """From the test's loop into ours."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def _live(self, up: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        up.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._close())
        self._loop.close()
