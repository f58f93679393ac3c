"""A server of the tests that speaks HTTPS with a private authority, and can go away and come back."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from tests.servers.certificates import Certificates
from tests.servers.thread import InThread


class HttpsServer(InThread):
    """Says its routes in ``_routes``. The port stays the same through all its lives."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 0
        self._folder = tempfile.TemporaryDirectory()
        self.certificates = Certificates.make(Path(self._folder.name))

    def _routes(self) -> Sequence[BaseRoute]:
        raise NotImplementedError

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Nothing listens any more."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    async def _open(self) -> None:
        self._app = Starlette(routes=self._routes())
        await self._start()

    async def _start(self) -> None:
        config = uvicorn.Config(
            self._app,
            host="127.0.0.1",
            port=self.port,
            ssl_certfile=self.certificates.cert_file,
            ssl_keyfile=str(self.certificates.key_file),
            log_config=None,
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.should_exit = True
        await self._serving

    async def _close(self) -> None:
        await asyncio.gather(self._serving, return_exceptions=True)
        for server in getattr(self._server, "servers", []):
            server.close()
        await asyncio.sleep(0.05)  # TLS says goodbye in further rounds of the loop
        self._folder.cleanup()
