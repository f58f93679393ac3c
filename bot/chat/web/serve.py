"""The web desk on a socket: loopback only without sign-in, and a stop that does not wait for open windows."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from bot.chat.web.guard import check_host
from bot.chat.web.live import Live


class WebServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Told to stop, it stops and returns. Uvicorn would raise the signal once more after that, and
        end the process before whoever called could let go of what is open."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals come to the main thread alone
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.close()
        await super().shutdown(sockets)


def web_server(
    app: ASGIApp,
    live: Live,
    *,
    host: str,
    port: int,
    beyond: bool = False,
    cert: Path | None = None,
    key: Path | None = None,
) -> WebServer:
    """:param beyond: people sign in, so others may reach it
    :param cert: with its key, where nothing in front of us speaks TLS
    :raises NotLoopback: for an address that others could reach."""
    config = uvicorn.Config(
        app,
        host=check_host(host, beyond=beyond),
        ssl_certfile=cert,
        ssl_keyfile=key,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,  # seconds for a request that is being answered
        limit_concurrency=1000,
    )
    return WebServer(config, live)
