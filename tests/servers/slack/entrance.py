"""The door of the Web API: tokens, scopes, throttling, and what goes wrong on purpose.

Sources: https://docs.slack.dev/apis/web-api, .../apis/web-api/rate-limits
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.servers.slack.state import State
from tests.servers.slack.web_api import NEEDS, NO_JSON, WebApi, Wrong, reply

BOT_TOKEN, APP_TOKEN = "xoxb-1-fake", "xapp-1-A0DESKHAND-fake"

_BROKEN = ("throttle", "500", "503", "cut before", "hang")
_NESTED = ("blocks", "view", "attachments", "metadata")  # JSON within a form
_HANG_S = 60


@dataclass
class Fault:
    """What goes wrong with the next calls of one method.

    ``method`` may be "response_url", or "*" for whatever is called. ``kind``: "throttle", "500", "503",
    "cut before" (nothing happened), "cut after" (it happened, and the answer is lost), "hang" (no answer,
    nothing happened), or Slack's name of an error.
    """

    method: str
    kind: str
    times: int = 1
    retry_after: int = 1
    channel: str = ""


@dataclass
class Call:
    method: str
    args: dict[str, Any]
    answer: str  # "ok", or what was wrong
    at: float = field(default_factory=time.monotonic)


class Entrance:
    def __init__(self, state: State, api: WebApi, scopes: set[str], app_scopes: set[str]) -> None:
        """:param scopes: of the bot token; :param app_scopes: of the app token"""
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.down = False  # nobody answers
        self.reply_s = 30 * 60.0  # how long a response_url is good for
        self._state = state
        self._api = api
        self._scopes = scopes
        self._app_scopes = app_scopes

    async def call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await _args(request, method)
        fault = self._fault(method, args)
        if self.down or (fault and fault.kind in _BROKEN):
            return await self._broken(request, Call(method, args, ""), fault)
        headers = {}
        try:
            granted = self._let_in(request, method, args)
            headers["x-oauth-scopes"] = ",".join(sorted(granted))
            headers["x-accepted-oauth-scopes"] = ",".join(NEEDS[method])
            if fault and fault.kind != "cut after":
                raise Wrong(fault.kind)
            said = {"ok": True, **self._api.run(method, args)}
        except Wrong as wrong:
            said = self._refused(wrong)
        self.calls.append(Call(method, args, "ok" if said["ok"] else said.pop("detail")))
        if fault and fault.kind == "cut after":
            _cut(request)
        return web.json_response(said, headers=headers)

    async def reply(self, request: web.Request) -> web.StreamResponse:
        """A post to a response_url."""
        body = await request.json()
        fault = self._fault("response_url", {})
        if self.down or (fault and fault.kind in _BROKEN):
            return await self._broken(request, Call("response_url", body, ""), fault)
        status, said = reply(self._state, request.match_info["id"], body, self.reply_s)
        self.calls.append(Call("response_url", body, "ok" if status == 200 else said))
        if fault and fault.kind == "cut after":
            _cut(request)
        return web.Response(status=status, text=said)

    def _let_in(self, request: web.Request, method: str, args: Mapping[str, Any]) -> set[str]:
        """The scopes of the caller. :raises Wrong:"""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            token = str(args.get("token", ""))
        if method not in NEEDS:
            raise Wrong("unknown_method")
        if not token:
            raise Wrong("not_authed")
        if token not in (BOT_TOKEN, APP_TOKEN):
            raise Wrong("invalid_auth")
        with_app = method == "apps.connections.open"
        if (token == APP_TOKEN) != with_app:
            raise Wrong("not_allowed_token_type")
        granted = self._app_scopes if with_app else self._scopes
        if NEEDS[method] and not granted & set(NEEDS[method]):
            raise Wrong("missing_scope", NEEDS[method])
        return granted

    def _refused(self, wrong: Wrong) -> dict[str, Any]:
        code, _, about = str(wrong).partition(": ")
        said: dict[str, Any] = {"ok": False, "error": code, "detail": str(wrong)}
        if about:
            said["response_metadata"] = {"messages": [f"[ERROR] {about}"]}
        if wrong.needed:
            granted = self._app_scopes if "connections:write" in wrong.needed else self._scopes
            said |= {"needed": ",".join(wrong.needed), "provided": ",".join(sorted(granted))}
        return said

    def _fault(self, method: str, args: Mapping[str, Any]) -> Fault | None:
        for fault in self.faults:
            fits = fault.method in (method, "*") and fault.channel in ("", args.get("channel"))
            if fits and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    async def _broken(self, request: web.Request, call: Call, fault: Fault | None) -> web.StreamResponse:
        call.answer = "cut before" if self.down or fault is None else fault.kind
        self.calls.append(call)
        if call.answer == "throttle":
            assert fault is not None
            said = {"ok": False, "error": "ratelimited"}
            return web.json_response(said, status=429, headers={"Retry-After": str(fault.retry_after)})
        if call.answer in ("500", "503"):
            status = int(call.answer)
            return web.Response(status=status, text="<html>internal error</html>", content_type="text/html")
        if call.answer == "hang":
            await asyncio.sleep(_HANG_S)
        _cut(request)
        return web.Response()


def _cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


async def _args(request: web.Request, method: str) -> dict[str, Any]:
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        said = _parsed(await request.text())
        args |= said if isinstance(said, dict) and method not in NO_JSON else {}
    elif request.method == "POST":
        args |= dict((await request.post()).items())
    return args | {name: _parsed(args[name]) for name in _NESTED if isinstance(args.get(name), str)}


def _parsed(text: str) -> Any:
    """What is no JSON stays a text, which no check takes for blocks or a view."""
    try:
        return json.loads(text)
    except ValueError:
        return text
