"""The web desk on a socket: loopback only, and a stop that does not wait for open windows."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp

from bot.chat.web.guard import check_host
from bot.chat.web.live import Live


class WebServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.close()
        await super().shutdown(sockets)


def web_server(app: ASGIApp, live: Live, *, host: str, port: int) -> WebServer:
    """:raises NotLoopback: for an address that others could reach."""
    config = uvicorn.Config(
        app,
        host=check_host(host),
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,  # seconds for a request that is being answered
        limit_concurrency=1000,
    )
    return WebServer(config, live)
