"""Slack's Web API with our manners: nothing sent twice by itself, throttling obeyed, errors by name.

A call that Slack throttles waits as long as Slack says, where that is short; else it is given back for
a later round. Only calls to the same method and channel wait with it. The SDK's own retries are off: they
post a message again whose answer was lost.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.platform import PlatformDown
from bot.chat.proxy import env_proxy
from bot.chat.slack.manifest import METHODS

PATIENCE_S = 5.0  # how long a call waits where Slack throttles it
_TIMEOUT_S = 10

# Read with form parameters: these methods take no JSON.
_FORMS = frozenset({"users.info", "users.lookupByEmail", "conversations.info", "conversations.history"})

# Slack's own trouble, or ours with the token: neither says anything of the message.
_PASSING = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "ratelimited",
        "team_added_to_org",
    }
)
_TOKEN = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "not_allowed_token_type",
        "org_login_required",
        "access_denied",
        "no_permission",
    }
)

log = structlog.get_logger()


class Lost(PlatformDown):
    """It was sent and no answer came: it may have happened."""


class Refused(Exception):
    """Slack said no. ``code`` is its own name for why."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code


class TokenRefused(PlatformDown):
    """The token or one of its scopes is not accepted: an admin has to mend it. ``code`` as Slack says it."""

    def __init__(self, method: str, code: str, needed: str = "") -> None:
        super().__init__(f"{method}: {code}{f' (needs {needed})' if needed else ''}; see `deskhand doctor`")
        self.code = code


class Api:
    def __init__(self, token: str, base_url: str) -> None:
        self._token = token
        self._base_url = base_url
        self._session: aiohttp.ClientSession | None = None
        self.client: AsyncWebClient | None = None  # once open
        self.scopes = ""  # which Slack says the token has, as of the last answer
        self._not_before: dict[tuple[str, str], float] = {}  # method and channel -> when Slack takes it again

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))
        self.client = AsyncWebClient(
            token=self._token,
            base_url=self._base_url,
            session=self._session,
            timeout=_TIMEOUT_S,
            retry_handlers=[],
            proxy=env_proxy(self._base_url),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = self.client = None

    async def call(self, method: str, **args: Any) -> Mapping[str, Any]:
        """:raises Refused:, :raises Lost:, :raises TokenRefused:, :raises PlatformDown:"""
        if method not in METHODS:
            raise KeyError(
                f"{method} is not in bot.chat.slack.manifest.METHODS, so its scope is not asked for"
            )
        lane = (method, str(args.get("channel", args.get("user", ""))))
        until = time.monotonic() + PATIENCE_S
        while True:
            await self._wait(lane, until)
            try:
                return await self._once(method, args)
            except SlackApiError as error:
                self._sort_out(lane, method, error)

    async def post(self, url: str, body: Mapping[str, Any]) -> tuple[int, str]:
        """To a one-time address that Slack gave. Returns status and text. :raises PlatformDown:"""
        if self._session is None:
            raise PlatformDown("Slack is not connected")
        try:
            proxy = env_proxy(url)
            async with self._session.post(url, json=body, proxy=proxy, allow_redirects=False) as answer:
                return answer.status, (await answer.text())[:200]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Lost(f"response_url: {type(error).__name__}") from error

    async def _once(self, method: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.client is None:
            raise PlatformDown("Slack is not connected")
        given: dict[str, Any] = {"params": _params(args)} if method in _FORMS else {"json": dict(args)}
        try:
            answer = await self.client.api_call(
                method, http_verb="GET" if method in _FORMS else "POST", **given
            )
        except aiohttp.ClientConnectorError as error:
            raise PlatformDown(f"{method}: no connection") from error
        except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as error:
            raise Lost(f"{method}: {type(error).__name__}") from error
        data = answer.data
        self.scopes = answer.headers.get("x-oauth-scopes", self.scopes)
        return data if isinstance(data, dict) else {}

    def _sort_out(self, lane: tuple[str, str], method: str, error: SlackApiError) -> None:
        """Returns where the call may be made again."""
        answer: Any = error.response  # a SlackResponse, or aiohttp's own where the body was no JSON
        status = getattr(answer, "status_code", getattr(answer, "status", 0))
        data = getattr(answer, "data", None)
        said: Mapping[str, Any] = data if isinstance(data, dict) else {}
        code, needed = str(said.get("error") or ""), str(said.get("needed") or "")
        if status == 429:
            pause = _seconds(answer.headers.get("Retry-After", answer.headers.get("retry-after", "1")))
            self._not_before[lane] = time.monotonic() + pause
            log.warning("slack.throttled", method=method, seconds=pause)
            return
        if status >= 500 or not code:
            raise Lost(f"{method}: answered {status}") from error
        if code in _PASSING:
            raise PlatformDown(f"{method}: {code}") from error
        if code in _TOKEN:
            log.error("slack.token_refused", method=method, error=code, needed=needed)
            raise TokenRefused(method, code, needed) from error
        raise Refused(method, code) from error

    async def _wait(self, lane: tuple[str, str], until: float) -> None:
        """:raises PlatformDown: Slack takes this later than we can wait"""
        while (pause := self._not_before.get(lane, 0.0) - time.monotonic()) > 0:
            if time.monotonic() + pause > until:
                raise PlatformDown(f"{lane[0]}: throttled for {pause:.0f} s more")
            await asyncio.sleep(pause)
        self._not_before.pop(lane, None)


def _params(args: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in args.items()}


def _seconds(text: str) -> float:
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else 1.0
