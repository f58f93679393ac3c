"""Slack, put together: connects when it can, by Socket Mode or by signed HTTP, and lets go at the end.

Socket Mode is used where there is an app token; it needs no public address. Else Slack posts to
``/slack/events``, signed with the signing secret.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncBoltRequest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.chat.envelope import BadEnvelope, Body, raw_body
from bot.chat.places import Places
from bot.chat.platform import ChatWrong, PlatformDown, Receive
from bot.chat.proxy import env_proxy
from bot.chat.slack import gate
from bot.chat.slack.api import Api, TokenRefused
from bot.chat.slack.check import Line, check, prove
from bot.chat.slack.gate import Home
from bot.chat.slack.listen import Listener
from bot.chat.slack.manifest import PATH
from bot.chat.slack.send import SlackPlatform
from bot.settings import Settings

_PATIENCE_S = 5.0  # a start waits this long for Slack, then goes on without it
_AGAIN_S = 5.0
_REPLIES = "hooks.slack.com"

log = structlog.get_logger()


class Slack:
    """One workspace, connected or about to be."""

    def __init__(self, settings: Settings) -> None:
        hosts = frozenset({_REPLIES, urlsplit(settings.slack_api_url).netloc.replace("slack.com", _REPLIES)})
        self.platform = SlackPlatform(
            Api(settings.slack_bot_token, settings.slack_api_url),
            settings.slack_approvals,
            reply_hosts=hosts,
            help_desk=settings.slack_help_desk,
        )
        self._settings = settings
        self._receive: Receive | None = None
        self._ready: Callable[[], bool] = lambda: False
        self._listener: Listener | None = None
        self._home: Home | None = None
        self._socket: SocketModeClient | None = None
        self._connecting: asyncio.Task[None] | None = None

    def attach(self, receive: Receive, ready: Callable[[], bool], places: Places) -> None:
        """:param ready: whether the desk can store what comes in
        :param places: of no use here: Slack says where people are when it is asked"""
        self._receive, self._ready = receive, ready

    def routes(self) -> list[BaseRoute]:
        """What has to be served for it; nothing with Socket Mode."""
        if self._settings.slack_app_token:
            return []
        return [Route(PATH, self._post, methods=["POST"])]

    async def check(self) -> list[Line]:
        """For ``deskhand doctor``, beside a running desk."""
        await self.platform.api.open()
        try:
            return await check(self.platform.api, self._settings)
        finally:
            await self.platform.api.close()

    async def prove(self, find: Callable[[], Awaitable[str | None]], key: str) -> Line:
        """That a direct message arrives. ``find`` says at which account."""
        await self.platform.api.open()
        try:
            await self._know_home()
            account = await find()
            if account is None:
                return "slack message", False, "they have no account in this workspace that could be linked"
            return await prove(self.platform, account, key)
        except PlatformDown as error:
            return "slack message", False, str(error)
        finally:
            await self.platform.api.close()

    async def start(self) -> None:
        """Connect, or go on trying beside. :raises ChatWrong:"""
        await self.platform.api.open()
        self._connecting = asyncio.create_task(self._connect())
        await asyncio.wait({self._connecting}, timeout=_PATIENCE_S)
        if self._connecting.done() and (error := self._connecting.exception()):
            raise error

    async def listen(self) -> None:
        """Let messages in: to be called once the desk is ready for them."""
        if self._connecting is not None and self._connecting.done():
            await self._open_socket()

    async def stop(self) -> None:
        """No new inbound after this."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()  # type: ignore[no-untyped-call]  # the SDK ships half of its types
            await self._socket.aiohttp_client_session.close()
            self._socket = None

    async def close(self) -> None:
        """After the desk has said its last word."""
        if self._listener is not None:
            await self._listener.finish()
        await self.platform.api.close()

    async def _connect(self) -> None:
        while True:
            try:
                home = self._home = await self._know_home()
                break
            except TokenRefused as error:
                raise ChatWrong(f"SLACK_BOT_TOKEN: Slack answers {error.code!r} to it") from error
            except PlatformDown as error:
                log.warning("slack.not_connected", reason=str(error))
                await asyncio.sleep(_AGAIN_S)
        assert self._receive, "attached before it is started"
        secret = "" if self._settings.slack_app_token else self._settings.slack_signing_secret
        self._listener = Listener(self.platform, self._receive, home, secret)
        log.info("slack.connected", team=home.team, mode="socket" if not secret else "http")
        if self._ready():
            await self._open_socket()

    async def _know_home(self) -> Home:
        me = await self.platform.api.call("auth.test")
        self.platform.members.team = str(me["team_id"])
        return Home(str(me["team_id"]), str(me["user_id"]))

    async def _open_socket(self) -> None:
        if not self._settings.slack_app_token or self._socket is not None:
            return
        proxy = env_proxy(self._settings.slack_api_url)
        token, url = self._settings.slack_app_token, self._settings.slack_api_url
        client = AsyncWebClient(token=token, base_url=url, proxy=proxy)
        self._socket = SocketModeClient(token, web_client=client, ping_interval=5, proxy=proxy)
        self._socket.socket_mode_request_listeners.append(self._envelope)
        await self._socket.connect()  # type: ignore[no-untyped-call]  # likewise

    async def _envelope(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """One envelope of the socket. What could not be stored is not acknowledged: Slack sends it again."""
        listener, home = self._listener, self._home
        if not (listener and home and self._ready()):
            return
        started = time.time()
        if reason := gate.unwanted(request.payload, home):
            log.info("slack.dropped", reason=reason)
            await client.send_socket_mode_response({"envelope_id": request.envelope_id})
            return
        await send_async_response(client, request, await run_async_bolt_app(listener.app, request), started)

    async def _post(self, request: Request) -> Response:
        try:
            raw = await raw_body(request)
            gate.verify(raw, _headers(request), self._settings.slack_signing_secret, time.time())
            body = gate.read(raw, request.headers.get("content-type", ""))
        except BadEnvelope as error:
            log.warning("slack.refused", reason=str(error), status=error.status)
            return PlainTextResponse("", error.status)
        except ClientDisconnect:
            return PlainTextResponse("", 400)
        return await self._dispatch(request, raw, body)

    async def _dispatch(self, request: Request, raw: bytes, body: Body) -> Response:
        if body.get("type") == "url_verification":
            return PlainTextResponse(str(body.get("challenge", ""))[:200])
        listener, home = self._listener, self._home
        if not (listener and home and self._ready()):
            return PlainTextResponse("", 503, {"retry-after": "5"})
        if reason := gate.unwanted(body, home):
            log.info("slack.dropped", reason=reason)
            return PlainTextResponse("")
        answer = await listener.app.async_dispatch(
            AsyncBoltRequest(body=raw.decode(), headers=dict(request.headers))
        )
        return Response(answer.body, answer.status, answer.first_headers_without_set_cookie())


def _headers(request: Request) -> dict[str, list[str]]:
    names = ("x-slack-request-timestamp", "x-slack-signature")
    return {name: request.headers.getlist(name) for name in names}
