"""The Bot Connector's REST API with our manners: waits where it is throttled, and errors by name.

Microsoft asks to try again after 429, 412, 502 and 504; a call does so for a few seconds, with pauses that
grow and differ, and is given back for a later round after that. Only calls about the same conversation wait
with it. botbuilder's own client tries nothing again, and fetches its tokens on the event loop.
Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
import structlog

from bot.chat.platform import PlatformDown
from bot.chat.proxy import env_proxy
from bot.chat.teams.token import Tokens

PATIENCE_S = 5.0  # how long a call goes on trying
_AGAIN = frozenset({412, 429, 502, 504})
_FIRST_PAUSE_S = 0.4
_LONGEST_S = 3600.0
# Long, because a message whose answer was not waited for is posted again, and stands there twice.
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
_LANES = 10_000

log = structlog.get_logger()


class Lost(PlatformDown):
    """It was sent and no answer came: it may have happened."""


class Refused(Exception):
    """Microsoft said no. ``code`` is its own name for why."""

    def __init__(self, what: str, status: int, code: str) -> None:
        super().__init__(f"{what}: {status} {code}".strip())
        self.status = status
        self.code = code


class Api:
    def __init__(self, tokens: Tokens | None) -> None:
        """:param tokens: None: a playground on this machine, which asks for none"""
        self._tokens = tokens
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str | None] = {}  # service -> on the way to it
        self._not_before: dict[str, float] = {}  # conversation -> when Microsoft takes the next call

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None
        if self._tokens:
            self._tokens.close()

    async def create(self, service: str, body: Mapping[str, Any]) -> str:
        """The id of the direct conversation; the same again where there is one."""
        said = await self._call("POST", service, "v3/conversations", "", body)
        return str(said["id"])

    async def post(self, service: str, conversation: str, activity: Mapping[str, Any]) -> str:
        """The new message's id."""
        said = await self._call("POST", service, _room(conversation, "activities"), conversation, activity)
        return str(said.get("id", ""))

    async def put(self, service: str, conversation: str, message: str, activity: Mapping[str, Any]) -> None:
        path = _room(conversation, "activities", message)
        await self._call("PUT", service, path, conversation, activity)

    async def member(self, service: str, conversation: str, user: str) -> Mapping[str, Any]:
        return await self._call("GET", service, _room(conversation, "members", user), conversation)

    async def members(self, service: str, conversation: str, after: str = "") -> Mapping[str, Any]:
        """One page of whoever is in a conversation or team."""
        path = _room(conversation, "pagedmembers") + "?pageSize=500"
        if after:
            path += f"&continuationToken={quote(after, safe='')}"
        return await self._call("GET", service, path, conversation)

    async def token(self) -> str:
        """:raises PlatformDown:, :raises TokenRefused:"""
        return await self._tokens.get() if self._tokens else ""

    async def _call(
        self, method: str, service: str, path: str, lane: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """:raises Refused:, :raises Lost:, :raises PlatformDown:"""
        what = f"{method} {path.split('/')[-2 if 'activities/' in path else -1].partition('?')[0]}"
        until = time.monotonic() + PATIENCE_S
        renewed = False
        for attempt in range(100):
            await self._wait(lane, until, what)
            token = await self.token()
            status, said, retry_after = await self._once(method, service, path, token, body)
            if status < 300:
                return said
            if status in _AGAIN:
                self._pause(lane, attempt, retry_after, what, status)
                continue
            if status == 401 and self._tokens and not renewed:
                self._tokens.forget(token)
                renewed = True
                continue
            if status >= 500:
                raise Lost(f"{what}: answered {status}")
            raise Refused(what, status, _code(said))
        raise PlatformDown(f"{what}: not taken")

    async def _once(
        self, method: str, service: str, path: str, token: str, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, Any], str]:
        """Status, answer, and what Retry-After says."""
        if self._session is None:
            raise PlatformDown("Teams is not connected")
        headers = {"authorization": f"Bearer {token}"} if token else {}
        url = f"{service.rstrip('/')}/{path}"
        if service not in self._proxies:
            self._proxies[service] = env_proxy(service)
        try:
            async with self._session.request(
                method,
                url,
                json=body,
                headers=headers,
                proxy=self._proxies[service],
                allow_redirects=False,
            ) as answer:
                return answer.status, _object(await answer.read()), answer.headers.get("retry-after", "")
        except aiohttp.ClientConnectorError as error:
            raise PlatformDown(f"{method}: no connection") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Lost(f"{method}: {type(error).__name__}") from error

    def _pause(self, lane: str, attempt: int, retry_after: str, what: str, status: int) -> None:
        """Half of each pause is chance, so that those who wait do not come back together."""
        grown = _FIRST_PAUSE_S * 2.0 ** min(attempt, 6)
        asked = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
        pause = max(min(asked, _LONGEST_S), grown * (0.5 + random.random() / 2))  # noqa: S311  no secret
        if len(self._not_before) > _LANES:
            self._not_before.clear()
        self._not_before[lane] = time.monotonic() + pause
        log.warning("teams.throttled", call=what, status=status, seconds=round(pause, 2))

    async def _wait(self, lane: str, until: float, what: str) -> None:
        """:raises PlatformDown: Microsoft takes this later than we can wait"""
        while (pause := self._not_before.get(lane, 0.0) - time.monotonic()) > 0:
            if time.monotonic() + pause > until:
                raise PlatformDown(f"{what}: to be tried in {pause:.0f} s")
            await asyncio.sleep(pause)
        self._not_before.pop(lane, None)


def _room(conversation: str, *path: str) -> str:
    return "/".join(
        ["v3/conversations", quote(conversation, safe=""), *(quote(each, safe="") for each in path)]
    )


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(raw)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _code(said: Mapping[str, Any]) -> str:
    error = said.get("error")
    return str(error.get("code", ""))[:80] if isinstance(error, Mapping) else ""
