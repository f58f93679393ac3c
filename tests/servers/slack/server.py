"""A fake Slack on real sockets, which enforces what Slack enforces.

It runs in a thread with a loop of its own, so the desk under test talks to it as to another machine. It
delivers by signed HTTP posts or over Socket Mode, holds the desk to three seconds, sends events again
(never clicks, forms or commands), and refuses what Slack refuses.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
from aiohttp import web

from tests.servers.slack.state import APP, BOT_USER, SCOPES, TEAM, Channel, ReplyUrl, State, User
from tests.servers.slack.web_api import NEEDS, WebApi, Wrong, reply

T = TypeVar("T")

BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-1-fake", "xapp-1-A0DESKHAND-fake", "s3cr3t-of-the-fake-app"
DEADLINE_S = 3.0
AGAIN_S = (0.0, 60.0, 300.0)  # after a failure; scaled


@dataclass
class Fault:
    """What goes wrong with the next calls of one method."""

    method: str
    kind: str  # "throttle", "500", "cut before", "cut after", "hang", or Slack's name of an error
    times: int = 1
    retry_after: int = 1
    channel: str = ""


@dataclass
class Call:
    method: str
    args: dict[str, Any]
    answer: str  # "ok", or what was wrong
    at: float = field(default_factory=time.monotonic)


@dataclass
class Delivery:
    """One attempt to hand something to the desk."""

    kind: str
    status: int  # HTTP status; 200 for an acknowledged envelope; 0: no answer in time
    seconds: float
    attempt: int = 0
    body: Any = None  # of the answer


class FakeSlack:
    """``with FakeSlack.running() as slack``."""

    def __init__(self, *, scopes: tuple[str, ...] = tuple(SCOPES), hurry: float = 100.0) -> None:
        """:param hurry: how many times faster Slack's own waiting goes by"""
        self.scopes = set(scopes)
        self.hurry = hurry
        self.state = State()
        self.events_url = ""  # where signed posts go; empty: Socket Mode
        self.calls: list[Call] = []
        self.deliveries: list[Delivery] = []
        self.errors: list[str] = []  # what a person would have seen go wrong
        self.faults: list[Fault] = []
        self.down = False  # nobody answers
        self.duplicates = 0  # how often each event is delivered besides
        self.port = 0
        self.sockets: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._sending: set[asyncio.Task[Any]] = set()
        self._api = WebApi(self.state, lambda: f"ws://127.0.0.1:{self.port}/socket?ticket={uuid4().hex}")
        self._loop = asyncio.new_event_loop()

    # life

    @classmethod
    @contextmanager
    def running(cls, **kwargs: Any) -> Iterator[FakeSlack]:
        slack = cls(**kwargs)
        up = threading.Event()
        thread = threading.Thread(target=slack._live, args=(up,), daemon=True)
        thread.start()
        assert up.wait(10)
        try:
            yield slack
        finally:
            slack._loop.call_soon_threadsafe(slack._loop.stop)
            thread.join(10)

    def _live(self, up: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        up.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/reply/{id}", self._reply)
        app.router.add_get("/socket", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._session = aiohttp.ClientSession()

    async def _close(self) -> None:
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._session.close()
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    async def _in(self, work: Coroutine[Any, Any, T]) -> T:
        """From the test's loop into ours."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    # who and where

    def add_user(self, mail: str, name: str, kind: str = "member", user_id: str = "") -> User:
        user = User(user_id or self.state.new("U"), mail, name, kind)
        self.state.users[user.id] = user
        return user

    def add_channel(self, name: str, *members: str, private: bool = False, shared: bool = False) -> Channel:
        channel = Channel(self.state.new("C"), name, private, shared, {BOT_USER, *members})
        self.state.channels[channel.id] = channel
        return channel

    # what people do

    async def says(self, user: str, text: str, **event: Any) -> dict[str, Any]:
        """A direct message. Returns the body that was delivered, for delivering it once more."""
        channel = self.state.direct(user)
        written = self._written(user, channel, text)
        channel.messages.append({"type": "message", "user": user, "ts": written["ts"], "text": text})
        return await self._event({**written, "type": "message", "channel_type": "im", **event})

    async def mentions(self, user: str, channel: Channel, text: str, **event: Any) -> dict[str, Any]:
        said = f"<@{BOT_USER}> {text}"
        written = self._written(user, channel, said)
        channel.messages.append({"type": "message", "user": user, "ts": written["ts"], "text": said})
        return await self._event({**written, "type": "app_mention", **event})

    async def opens_home(self, user: str) -> dict[str, Any]:
        channel = self.state.direct(user)
        return await self._event(
            {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": "home", "event_ts": "1"}
        )

    async def changes(self, user: str) -> dict[str, Any]:
        """Somebody's profile or role was changed."""
        return await self._event({"type": "user_change", "user": self.state.users[user].json()})

    async def command(self, user: str, text: str, channel: Channel | None = None) -> Delivery:
        where = channel or self.state.direct(user)
        form = {
            "token": "legacy",
            "team_id": TEAM,
            "team_domain": "alderfinch",
            "channel_id": where.id,
            "channel_name": where.name or "directmessage",
            "user_id": user,
            "user_name": self.state.users[user].name,
            "command": "/deskhand",
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._reply_url(ReplyUrl(user, where.id)),
            "trigger_id": self._trigger(user),
        }
        done = await self._in(self._once("slash_commands", form, form=form))
        if isinstance(done.body, dict) and done.body.get("text"):
            shown = {"user": user, "channel": where.id, "ts": self.state.ts(), "text": done.body["text"]}
            self.state.ephemerals.append(shown)
        return done

    async def clicks(
        self,
        user: str,
        message: Mapping[str, Any],
        label: str,
        fields: Mapping[str, str] | None = None,
        **payload: Any,
    ) -> Delivery:
        """A press of a button that this message, ephemeral message or view shows now."""
        button = _button(message, label)
        where = self._container(user, message)
        body = {
            "type": "block_actions",
            "user": self._user(user),
            "api_app_id": APP,
            "token": "legacy",
            "trigger_id": self._trigger(user),
            "team": {"id": TEAM, "domain": "alderfinch"},
            "enterprise": None,
            "is_enterprise_install": False,
            "actions": [{**button, "type": "button", "action_ts": self.state.ts()}],
            **where,
            **payload,
        }
        state = {"values": _values(message["blocks"], fields or {})}
        body.get("view", body)["state"] = state
        return await self._in(self._once("interactive", body))

    async def submits(self, user: str, fields: Mapping[str, str], **payload: Any) -> dict[str, str]:
        """Send off the newest modal. Returns Slack's field errors; without any the modal closes."""
        view = self.state.modals[user][-1]
        body = {
            "type": "view_submission",
            "user": self._user(user),
            "team": {"id": TEAM, "domain": "alderfinch"},
            "api_app_id": APP,
            "token": "legacy",
            "trigger_id": self._trigger(user),
            "view": {**view, "state": {"values": _values(view["blocks"], fields)}},
            "response_urls": [],
            "is_enterprise_install": False,
            **payload,
        }
        done = await self._in(self._once("interactive", body))
        if done.status != 200:
            return {}
        errors = done.body.get("errors", {}) if isinstance(done.body, dict) else {}
        names = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
        assert set(errors) <= set(names), "Slack shows an error only at an input of the view"
        if not errors:
            self.state.modals[user].pop()
        return dict(errors)

    # what people see

    def dm(self, user: str) -> list[dict[str, Any]]:
        """The bot's messages in this person's direct conversation, oldest first."""
        return [m for m in self.state.direct(user).messages if m.get("bot_id")]

    def posted(self, channel: Channel) -> list[dict[str, Any]]:
        return [m for m in channel.messages if m.get("bot_id")]

    def ephemerals(self, user: str) -> list[dict[str, Any]]:
        return [m for m in self.state.ephemerals if m["user"] == user]

    def modals(self, user: str) -> list[dict[str, Any]]:
        return self.state.modals.get(user, [])

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    # delivery

    async def deliver(self, body: dict[str, Any]) -> Delivery:
        """An event, once, whether or not it was delivered before."""
        return await self._in(self._once("events_api", body))

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Any bytes to the desk's address."""

        async def send() -> tuple[int, str]:
            async with self._session.post(self.events_url, data=body, headers=dict(headers)) as answer:
                return answer.status, await answer.text()

        return await self._in(send())

    def signed(self, body: bytes, kind: str = "application/json", at: float | None = None) -> dict[str, str]:
        stamp = str(int(time.time() if at is None else at))
        base = f"v0:{stamp}:".encode() + body
        signature = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
        return {
            "content-type": kind,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature,
        }

    def envelope(self, event: dict[str, Any]) -> dict[str, Any]:
        return {
            "token": "legacy",
            "team_id": TEAM,
            "context_team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": self.state.new("Ev"),
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            "is_ext_shared_channel": False,
        }

    async def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        outer = {k: event.pop(k) for k in ("team_id", "is_ext_shared_channel") if k in event}
        body = self.envelope(event) | outer
        await self._in(self._until_taken(body))
        return body

    async def _until_taken(self, body: dict[str, Any]) -> None:
        """As Slack does: at once, and after a failure at once, in a minute and in five."""
        for attempt, pause in enumerate((0.0, *AGAIN_S)):
            await asyncio.sleep(pause / self.hurry)
            done = await self._once("events_api", body, attempt=attempt)
            if done.status == 200:
                break
        else:
            self.errors.append(f"event {body['event_id']} was given up")
        for _ in range(self.duplicates):
            await self._once("events_api", body, attempt=1)

    async def _once(
        self, kind: str, body: Mapping[str, Any], *, attempt: int = 0, form: Mapping[str, str] | None = None
    ) -> Delivery:
        begun = time.monotonic()
        try:
            if self.events_url:
                status, said = await self._by_http(kind, body, attempt, form)
            else:
                status, said = await self._by_socket(kind, body, attempt)
        except (TimeoutError, aiohttp.ClientError) as error:
            status, said = 0, type(error).__name__
        done = Delivery(kind, status, time.monotonic() - begun, attempt, said)
        self.deliveries.append(done)
        if status != 200 and kind != "events_api":
            self.errors.append(f"{kind}: the app did not respond ({status})")
        return done

    async def _by_http(
        self, kind: str, body: Mapping[str, Any], attempt: int, form: Mapping[str, str] | None
    ) -> tuple[int, Any]:
        if kind == "events_api":
            raw, content = json.dumps(body).encode(), "application/json"
        else:
            raw = urlencode(form if form is not None else {"payload": json.dumps(body)}).encode()
            content = "application/x-www-form-urlencoded"
        headers = self.signed(raw, content)
        if attempt:
            headers |= {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": "http_error"}
        limit = aiohttp.ClientTimeout(total=DEADLINE_S)
        async with self._session.post(self.events_url, data=raw, headers=headers, timeout=limit) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if answer.content_type == "application/json" else text

    async def _by_socket(self, kind: str, body: Mapping[str, Any], attempt: int) -> tuple[int, Any]:
        if not self.sockets:
            return 0, "no socket"
        envelope = uuid4().hex
        waiting = self._waiting[envelope] = asyncio.get_running_loop().create_future()
        message = {
            "type": kind,
            "envelope_id": envelope,
            "payload": body,
            "accepts_response_payload": kind != "events_api",
            "retry_attempt": attempt,
        }
        await self.sockets[-1].send_json(message)
        try:
            return 200, await asyncio.wait_for(waiting, DEADLINE_S)
        finally:
            del self._waiting[envelope]

    async def refresh_socket(self, reason: str = "refresh_requested") -> None:
        """Slack asks the app to connect anew, and goes."""

        async def tell() -> None:
            for socket in list(self.sockets):
                await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

        await self._in(tell())

    async def drop_sockets(self) -> None:
        async def drop() -> None:
            for socket in list(self.sockets):
                await socket.close()

        await self._in(drop())

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self.sockets) >= 10:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        await socket.send_json({"type": "hello", "num_connections": len(self.sockets) + 1})
        self.sockets.append(socket)
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    said = json.loads(frame.data)
                    waiting = self._waiting.get(said.get("envelope_id", ""))
                    if waiting and not waiting.done():
                        waiting.set_result(said.get("payload"))
        finally:
            self.sockets.remove(socket)
        return socket

    # the Web API

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await _args(request)
        fault = self._fault(method, args)
        if self.down or (fault and fault.kind in ("cut before", "hang", "500", "throttle")):
            return await self._broken(request, method, args, fault)
        try:
            if fault and fault.kind != "cut after":
                raise Wrong(fault.kind)
            said = {"ok": True, **self._allowed(request, method, args)}
        except Wrong as wrong:
            said = {"ok": False, "error": str(wrong).partition(":")[0], "detail": str(wrong)}
            if str(wrong) == "missing_scope":
                said |= {"needed": ",".join(NEEDS[method]), "provided": ",".join(sorted(self.scopes))}
        self.calls.append(Call(method, args, "ok" if said["ok"] else said["detail"]))
        if fault and fault.kind == "cut after":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(said, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})

    def _allowed(self, request: web.Request, method: str, args: dict[str, Any]) -> dict[str, Any]:
        """:raises Wrong:"""
        token = request.headers.get("authorization", "").removeprefix("Bearer ") or args.get("token", "")
        if method not in NEEDS:
            raise Wrong("unknown_method")
        if not token:
            raise Wrong("not_authed")
        if token not in (BOT_TOKEN, APP_TOKEN):
            raise Wrong("invalid_auth")
        if (token == APP_TOKEN) != (method == "apps.connections.open"):
            raise Wrong("not_allowed_token_type")
        if NEEDS[method] and not self.scopes & set(NEEDS[method]):
            raise Wrong("missing_scope")
        return self._api.run(method, args)

    def _fault(self, method: str, args: Mapping[str, Any]) -> Fault | None:
        for fault in self.faults:
            fits = fault.method == method and fault.channel in ("", args.get("channel"))
            if fits and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    async def _broken(
        self, request: web.Request, method: str, args: dict[str, Any], fault: Fault | None
    ) -> web.StreamResponse:
        kind = "cut before" if fault is None else fault.kind
        self.calls.append(Call(method, args, kind))
        if kind == "throttle":
            assert fault is not None
            said = {"ok": False, "error": "ratelimited"}
            return web.json_response(said, status=429, headers={"Retry-After": str(fault.retry_after)})
        if kind == "500":
            return web.Response(status=500, text="<html>internal error</html>", content_type="text/html")
        if kind == "hang":
            await asyncio.sleep(60)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _reply(self, request: web.Request) -> web.Response:
        body = await request.json()
        status, said = (500, "down") if self.down else reply(self.state, request.match_info["id"], body)
        self.calls.append(Call("response_url", body, "ok" if status == 200 else said))
        return web.Response(status=status, text=said)

    # payloads

    def _written(self, user: str, channel: Channel, text: str) -> dict[str, Any]:
        ts, team = self.state.ts(), self.state.users[user].team
        more = {"user_team": team, "source_team": team} if team != TEAM else {}
        return {
            "user": user,
            "ts": ts,
            "client_msg_id": str(uuid4()),
            "text": text,
            "team": team,
            "channel": channel.id,
            "event_ts": ts,
            **more,
        }

    def _user(self, user: str) -> dict[str, Any]:
        known = self.state.users[user]
        return {"id": user, "username": known.name, "name": known.name, "team_id": known.team}

    def _container(self, user: str, message: Mapping[str, Any]) -> dict[str, Any]:
        if message.get("type") == "home":
            view = {**message}
            return {"container": {"type": "view", "view_id": message["id"]}, "view": view}
        ephemeral = next((each for each in self.state.ephemerals if each is message), None)
        channel = ephemeral["channel"] if ephemeral else self._channel_of(message)
        at = str(message["ts"])
        place = {"type": "message", "message_ts": at, "channel_id": channel, "is_ephemeral": bool(ephemeral)}
        url = self._reply_url(ReplyUrl(user, channel, at, ephemeral))
        named = {"id": channel, "name": self.state.channels[channel].name or "directmessage"}
        shown = {} if ephemeral else {"message": dict(message)}
        return {"container": place, "channel": named, "response_url": url, **shown}

    def _channel_of(self, message: Mapping[str, Any]) -> str:
        return next(c.id for c in self.state.channels.values() if any(each is message for each in c.messages))

    def _trigger(self, user: str) -> str:
        made = f"{next(self.state.numbers)}.{TEAM}.{uuid4().hex}"
        self.state.triggers[made] = (user, time.monotonic() + DEADLINE_S)
        return made

    def _reply_url(self, url: ReplyUrl) -> str:
        made = uuid4().hex
        self.state.reply_urls[made] = url
        return f"http://127.0.0.1:{self.port}/reply/{made}"


def texts(blocks: Any) -> str:
    """Every text in these blocks, one a line."""
    found: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("type") in ("plain_text", "mrkdwn"):
                found.append(part["text"])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(blocks)
    return "\n".join(found)


def buttons(message: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Label -> button, of what the message shows now."""
    return {
        element["text"]["text"]: {**element, "block_id": block.get("block_id", "")}
        for block in message.get("blocks", ())
        if block["type"] == "actions"
        for element in block["elements"]
    }


def _button(message: Mapping[str, Any], label: str) -> dict[str, Any]:
    found = buttons(message)
    assert label in found, f"no button {label!r}; there is {list(found)}"
    return found[label]


def _values(blocks: list[dict[str, Any]], fields: Mapping[str, str]) -> dict[str, Any]:
    """state.values: every input of the blocks, filled in or not."""
    values: dict[str, Any] = {}
    inputs = {block["block_id"]: block["element"] for block in blocks if block["type"] == "input"}
    assert set(fields) <= set(inputs), f"no input {set(fields) - set(inputs)}; there is {list(inputs)}"
    for name, element in inputs.items():
        given = fields.get(name)
        state: dict[str, Any] = {"type": element["type"]}
        if element["type"] == "plain_text_input":
            state["value"] = given
        elif element["type"] == "static_select":
            state["selected_option"] = next((o for o in element["options"] if o["value"] == given), None)
        else:
            state["selected_options"] = element["options"] if given else []
        values[name] = {element["action_id"]: state}
    return values


async def _args(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        said = await request.json()
        return said if isinstance(said, dict) else {}
    form = await request.post() if request.method == "POST" else {}
    return {**dict(request.query), **dict(form.items())}
