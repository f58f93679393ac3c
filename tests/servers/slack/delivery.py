"""How Slack hands things to an app: by signed posts, or by envelopes on a socket; again where it may.

An event that was not taken comes again at once, in a minute and in five; a press, a form and a command
never: there the person reads that the app did not respond.
Sources: https://docs.slack.dev/apis/events-api#retries, .../apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
from aiohttp import web

from tests.servers.slack.state import APP

AGAIN_S = (0.0, 60.0, 300.0)  # after a failure; scaled
SOCKETS = 10  # at the same time
_GRACE_S = 0.5  # between Slack's wish that one connects anew and its going
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass
class Delivery:
    """One attempt to hand something to the desk."""

    kind: str  # "events_api", "interactive", "slash_commands"
    status: int  # HTTP status; 200 for an acknowledged envelope; 0: no answer in time
    seconds: float
    attempt: int = 0
    body: Any = None  # of the answer
    reason: str = ""  # why it failed, in Slack's words
    event_id: str = ""

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Answer:
    status: int
    body: Any = None
    no_retry: bool = False  # x-slack-no-retry: 1


class Post:
    """By HTTP, to the app's address."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, url: str, raw: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        limit = aiohttp.ClientTimeout(total=seconds)
        async with self._session.post(
            url, data=raw, headers=dict(headers), timeout=limit, allow_redirects=False
        ) as answer:
            text = await answer.text()
            body = json.loads(text) if answer.content_type == JSON and text else text
            return Answer(answer.status, body, answer.headers.get("x-slack-no-retry") == "1")


class Sockets:
    """Socket Mode: any of the open connections gets an envelope, and acknowledges it by its id."""

    def __init__(self) -> None:
        self.open: list[web.WebSocketResponse] = []
        self._tickets: set[str] = set()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._leaving: set[web.WebSocketResponse] = set()
        self._sent = 0

    def ticket(self) -> str:
        """For one connection."""
        made = uuid4().hex
        self._tickets.add(made)
        return made

    async def send(
        self, kind: str, body: Mapping[str, Any], seconds: float, attempt: int, why: str
    ) -> Answer:
        """:raises TimeoutError: nobody acknowledged it"""
        sockets = [each for each in self.open if each not in self._leaving] or self.open
        if not sockets:
            return Answer(0, "no socket")
        envelope = uuid4().hex
        waiting = self._waiting[envelope] = asyncio.get_running_loop().create_future()
        again = {"retry_attempt": attempt, "retry_reason": why} if kind == "events_api" else {}
        self._sent += 1
        try:
            await sockets[self._sent % len(sockets)].send_json(
                {
                    "envelope_id": envelope,
                    "payload": body,
                    "type": kind,
                    "accepts_response_payload": kind != "events_api",
                    **again,
                }
            )
            return Answer(200, await asyncio.wait_for(waiting, seconds))
        except ConnectionError:
            return Answer(0, "the socket broke")
        finally:
            del self._waiting[envelope]

    async def refresh(self, reason: str) -> None:
        """Say that the connection ends ("warning": in ten seconds), and a moment later end it."""
        leaving = list(self.open)
        self._leaving |= set(leaving)
        for socket in leaving:
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "fake"}})
        await asyncio.sleep(_GRACE_S)
        for socket in leaving:
            await socket.close()

    async def drop(self) -> None:
        """Without a word, as a broken line."""
        for socket in list(self.open):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self.open) >= SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.open) + 1,
                "debug_info": {"host": "fake", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": APP},
            }
        )
        self.open.append(socket)
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledged(json.loads(frame.data))
        finally:
            self.open.remove(socket)
            self._leaving.discard(socket)
        return socket

    def _acknowledged(self, said: Mapping[str, Any]) -> None:
        waiting = self._waiting.get(said.get("envelope_id", ""))
        if waiting is not None and not waiting.done():
            waiting.set_result(said.get("payload"))


class Deliverer:
    """Both ways, and the record of every attempt."""

    def __init__(self, post: Post, sockets: Sockets, sign: Callable[[bytes, str], dict[str, str]]) -> None:
        self.deliveries: list[Delivery] = []
        self._post = post
        self._sockets = sockets
        self._sign = sign

    async def until_taken(self, url: str, body: Mapping[str, Any], seconds: float, hurry: float) -> bool:
        """An event, as often as Slack tries."""
        why = ""
        for attempt, pause in enumerate((0.0, *AGAIN_S)):
            await asyncio.sleep(pause / hurry)
            done, no_retry = await self._try("events_api", url, body, seconds, attempt=attempt, why=why)
            if done.taken:
                return True
            if no_retry:
                return False
            why = done.reason
        return False

    async def once(
        self,
        kind: str,
        url: str,
        body: Mapping[str, Any],
        seconds: float,
        *,
        attempt: int = 0,
    ) -> Delivery:
        why = "http_timeout" if attempt else ""
        return (await self._try(kind, url, body, seconds, attempt=attempt, why=why))[0]

    async def _try(
        self, kind: str, url: str, body: Mapping[str, Any], seconds: float, *, attempt: int, why: str
    ) -> tuple[Delivery, bool]:
        """:param url: of the app; empty: Socket Mode"""
        begun = time.monotonic()
        try:
            if url:
                raw, content = _raw(kind, body)
                headers = self._sign(raw, content)
                if attempt:
                    headers |= {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": why}
                answer = await self._post.send(url, raw, headers, seconds)
            else:
                answer = await self._sockets.send(kind, body, seconds, attempt, why)
            reason = "" if 200 <= answer.status < 300 else "http_error"
        except TimeoutError:
            answer, reason = Answer(0, "TimeoutError"), "http_timeout"
        except (aiohttp.ClientError, ConnectionError) as error:
            answer, reason = Answer(0, type(error).__name__), "connection_failed"
        done = Delivery(
            kind,
            answer.status,
            time.monotonic() - begun,
            attempt,
            answer.body,
            reason,
            str(body.get("event_id", "")),
        )
        self.deliveries.append(done)
        return done, answer.no_retry


def _raw(kind: str, body: Mapping[str, Any]) -> tuple[bytes, str]:
    if kind == "events_api":
        return json.dumps(body).encode(), JSON
    form = body if kind == "slash_commands" else {"payload": json.dumps(body)}
    return urlencode(form).encode(), FORM
