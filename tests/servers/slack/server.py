"""A fake Slack on real sockets, which enforces what Slack enforces.

It runs in a thread with a loop of its own, so the desk under test talks to it as to another machine. It
delivers by signed HTTP posts or over Socket Mode, holds the desk to three seconds, sends events again
(never clicks, forms or commands), and refuses what Slack refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from tests.servers.slack import limits, payloads
from tests.servers.slack.delivery import JSON, Deliverer, Delivery, Post, Sockets
from tests.servers.slack.entrance import APP_TOKEN, BOT_TOKEN, Call, Entrance, Fault
from tests.servers.slack.payloads import Body, Payloads, buttons, texts
from tests.servers.slack.state import BOT_USER, SCOPES, Channel, State, User
from tests.servers.slack.web_api import WebApi, Wrong, change_view, content
from tests.servers.thread import InThread

__all__ = [
    "APP_TOKEN",
    "BOT_TOKEN",
    "SECRET",
    "Call",
    "Delivery",
    "FakeSlack",
    "Fault",
    "buttons",
    "texts",
]


SECRET = "s3cr3t-of-the-fake-app"
COMMAND = "/deskhand"
DEADLINE_S = 3.0


class FakeSlack(InThread):
    """``with FakeSlack.running() as slack``. Users and channels are meant by their ids."""

    def __init__(self, *, scopes: tuple[str, ...] = tuple(SCOPES), hurry: float = 100.0) -> None:
        """:param hurry: how many times faster Slack's own waiting goes by"""
        super().__init__()
        self.scopes = set(scopes)
        self.app_scopes = {"connections:write"}
        self.hurry = hurry
        self.state = State()
        self.events_url = ""  # where signed posts go; empty: Socket Mode
        self.errors: list[str] = []  # what a person would have seen go wrong
        self.duplicates = 0  # how often each event is delivered besides
        self.holding = False  # whether events wait for ``release``
        self.held: list[Body] = []
        self.port = 0

    # life

    async def _open(self) -> None:
        self._sockets = Sockets()
        api = WebApi(self.state, self.scopes, self._socket_url)
        self._entrance = Entrance(self.state, api, self.scopes, self.app_scopes)
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/api/{method}", self._entrance.call)
        app.router.add_post("/{kind:actions|commands}/{team}/{id}", self._entrance.reply)
        app.router.add_get("/link/", self._sockets.serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._session = aiohttp.ClientSession()
        self._post = Post(self._session)
        self._deliverer = Deliverer(self._post, self._sockets, lambda raw, kind: self.signed(raw, kind))
        self._payloads = Payloads(self.state, f"http://127.0.0.1:{self.port}")

    async def _close(self) -> None:
        await self._session.close()
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    def _socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link/?ticket={self._sockets.ticket()}"

    # who and where

    def add_user(self, mail: str, name: str, kind: str = "member", user_id: str = "") -> User:
        user = User(user_id or self.state.new("U"), mail, name, kind)
        self.state.users[user.id] = user
        return user

    def add_channel(self, name: str, *members: str, private: bool = False, shared: bool = False) -> Channel:
        channel = Channel(self.state.new("C"), name, private, shared, {BOT_USER, *members})
        self.state.channels[channel.id] = channel
        return channel

    # what goes wrong

    @property
    def faults(self) -> list[Fault]:
        return self._entrance.faults

    def limit(self, method: str, *, times: int = 1, retry_after: int = 1, channel: str = "") -> None:
        """The next calls of this method are answered 429."""
        self.faults.append(Fault(method, "throttle", times, retry_after, channel))

    def fail(self, method: str, kind: str, *, times: int = 1, channel: str = "") -> None:
        """:param kind: see Fault"""
        self.faults.append(Fault(method, kind, times, channel=channel))

    @property
    def down(self) -> bool:
        """Nobody answers."""
        return self._entrance.down

    @down.setter
    def down(self, down: bool) -> None:
        self._entrance.down = down

    @property
    def reply_s(self) -> float:
        """How long a response_url is good for."""
        return self._entrance.reply_s

    @reply_s.setter
    def reply_s(self, seconds: float) -> None:
        self._entrance.reply_s = seconds

    async def refresh_socket(self, reason: str = "refresh_requested") -> None:
        """Slack asks the app to connect anew ("warning", "refresh_requested", "link_disabled"), and goes."""
        await self._in(self._sockets.refresh(reason))

    async def drop_sockets(self) -> None:
        """The line breaks."""
        await self._in(self._sockets.drop())

    # what people do

    async def says(self, user: str, text: str, **event: Any) -> Body:
        """A direct message, as it was typed. Returns the body that was delivered."""
        return await self._writes(user, self.state.direct(user), text, {"type": "message", **event})

    async def mentions(self, user: str, channel: Channel, text: str, **event: Any) -> Body:
        return await self._writes(user, channel, f"<@{BOT_USER}> {text}", {"type": "app_mention", **event})

    async def _writes(self, user: str, channel: Channel, said: str, event: Body) -> Body:
        written = self._payloads.written(self.state.users[user], channel, said)
        channel.messages.append({"type": "message", **written})
        if event["type"] == "message":
            written["channel_type"] = channel.type
        return await self._event({**written, **event}, shared=channel.shared)

    async def opens_home(self, user: str, tab: str = "home") -> Body:
        return await self._event(self._payloads.opened_home(user, tab))

    async def changes(self, user: str) -> Body:
        """Somebody's profile or role was changed."""
        self.state.users[user].updated += 1
        return await self._event(self._payloads.changed(self.state.users[user]))

    async def command(self, user: str, text: str, channel: Channel | None = None, **form: str) -> Delivery:
        """``/deskhand`` and what was typed after it."""
        where = channel or self.state.direct(user)
        typed = self._payloads.typed(text, names=True)
        body = self._payloads.command(self.state.users[user], COMMAND, typed, where) | form
        done = await self._once("slash_commands", body)
        if done.taken and done.body:
            self._show_answer(user, where, {"text": done.body} if isinstance(done.body, str) else done.body)
        return done

    def _show_answer(self, user: str, channel: Channel, answer: Body) -> None:
        """What came with the acknowledgement of a command."""
        try:
            shown = content(self.state, answer)
        except Wrong as wrong:
            self.errors.append(f"slash_commands: the answer is not valid ({wrong})")
            return
        if answer.get("response_type") == "in_channel":
            channel.messages.append({"type": "message", "bot_id": "B", "ts": self.state.ts(), **shown})
        else:
            where = {"user": user, "channel": channel.id, "ts": self.state.ts()}
            self.state.ephemerals.append(where | shown)

    async def clicks(
        self,
        user: str,
        message: Mapping[str, Any],
        label: str,
        fields: Mapping[str, str] | None = None,
        **payload: Any,
    ) -> Delivery:
        """A press of a button that this message, ephemeral message or view shows.

        :param message: what ``dm``, ``posted``, ``ephemerals`` or ``modals`` gave, which changes as Slack's
            does; a copy is the message as it stood before
        :param fields: block_id -> what is filled in beside the button
        """
        return await self._acts(user, message, payloads.pressed(message, label), fields, payload)

    async def chooses(
        self, user: str, message: Mapping[str, Any], action_id: str, value: str, **payload: Any
    ) -> Delivery:
        """A choice in a menu that stands outside an input."""
        return await self._acts(user, message, payloads.chosen(message, action_id, value), None, payload)

    async def _acts(
        self,
        user: str,
        message: Mapping[str, Any],
        action: Body,
        fields: Mapping[str, str] | None,
        payload: Body,
    ) -> Delivery:
        values = payloads.values(message["blocks"], fields or {})
        body = self._payloads.pressed(self.state.users[user], message, action, values)
        return await self._once("interactive", body | payload)

    async def submits(self, user: str, fields: Mapping[str, str], **payload: Any) -> dict[str, str]:
        """Send off the modal on top. Returns Slack's field errors; without any the modal closes.

        :param fields: block_id -> text, or the value of an option
        """
        view = self.state.modals[user][-1]
        values = payloads.values(view["blocks"], fields)
        body = self._payloads.submitted(self.state.users[user], view, values)
        done = await self._once("interactive", body | payload)
        return self._answer_form(user, view, done.body or {}) if done.taken else {}

    def _answer_form(self, user: str, view: Body, answer: Any) -> dict[str, str]:
        """What the app says to a form: nothing closes it."""
        action = answer.get("response_action", "clear one") if isinstance(answer, dict) else "no JSON"
        if action == "errors":
            inputs = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
            errors = dict(answer["errors"])
            assert errors, "Slack takes no empty errors"
            assert set(errors) <= set(inputs), "Slack shows an error only at an input of the view"
            return errors
        stack = self.state.modals[user]
        if action in ("update", "push"):
            if wrong := limits.of_view(answer.get("view")):
                self.errors.append(f"view_submission: the answer is not valid ({wrong})")
            elif action == "update":
                change_view(self.state, view, answer["view"])
            else:
                stack.append(self.state.view(answer["view"], view))
        elif action == "clear":
            stack.clear()
        elif action == "clear one" and not answer:
            stack.pop()
        else:
            self.errors.append(f"view_submission: the answer is not valid ({answer!r:.100})")
        return {}

    # what people see

    def dm(self, user: str) -> list[Body]:
        """The bot's messages in this person's direct conversation, oldest first."""
        return self.posted(self.state.direct(user))

    def posted(self, channel: Channel) -> list[Body]:
        return [m for m in channel.messages if m.get("bot_id")]

    def ephemerals(self, user: str) -> list[Body]:
        return [m for m in self.state.ephemerals if m["user"] == user]

    def modals(self, user: str) -> list[Body]:
        return self.state.modals.get(user, [])

    def home(self, user: str) -> Body:
        """Empty: nothing was ever shown."""
        return self.state.homes.get(user, {})

    # what was recorded

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API and of a response_url."""
        return self._entrance.calls

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def deliveries(self) -> list[Delivery]:
        """Every attempt to hand something to the desk."""
        return self._deliverer.deliveries

    @property
    def sockets(self) -> list[web.WebSocketResponse]:
        """Those that are open."""
        return self._sockets.open

    # delivery

    def envelope(self, event: Body) -> Body:
        return self._payloads.envelope(event)

    async def deliver(self, body: Body) -> Delivery:
        """An event, once, whether or not it was delivered before."""
        again = any(each.event_id == body["event_id"] for each in self.deliveries)
        work = self._deliverer.once("events_api", self.events_url, body, DEADLINE_S, attempt=int(again))
        return await self._in(work)

    async def release(self, bodies: Iterable[Body] | None = None) -> None:
        """Deliver what ``holding`` kept back: all of it, or these, in this order."""
        for body in list(self.held if bodies is None else bodies):
            await self._in(self._until_taken(body))
            self.held = [each for each in self.held if each is not body]

    async def post(self, body: bytes, headers: Mapping[str, str], url: str = "") -> tuple[int, str]:
        """Any bytes to the desk's address."""

        async def send() -> tuple[int, str]:
            address = url or self.events_url
            async with self._session.post(address, data=body, headers=dict(headers)) as answer:
                return answer.status, await answer.text()

        return await self._in(send())

    def signed(self, body: bytes, kind: str = JSON, at: float | None = None) -> dict[str, str]:
        """Headers as Slack sends them with this body."""
        stamp = str(int(time.time() if at is None else at))
        base = f"v0:{stamp}:".encode() + body
        signature = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
        return {
            "content-type": kind,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": signature,
        }

    async def _event(self, event: Body, *, shared: bool = False) -> Body:
        outer = {k: event.pop(k) for k in ("team_id", "is_ext_shared_channel") if k in event}
        body = self._payloads.envelope(event, shared=shared) | outer
        if self.holding:
            self.held.append(body)
        else:
            await self._in(self._until_taken(body))
        return body

    async def _until_taken(self, body: Body) -> None:
        if not await self._deliverer.until_taken(self.events_url, body, DEADLINE_S, self.hurry):
            self.errors.append(f"event {body['event_id']} was given up")
        for _ in range(self.duplicates):
            await self._deliverer.once("events_api", self.events_url, body, DEADLINE_S, attempt=1)

    async def _once(self, kind: str, body: Body) -> Delivery:
        """A press, a form or a command: no second attempt, and the person sees when it failed."""
        done = await self._in(self._deliverer.once(kind, self.events_url, body, DEADLINE_S))
        if not done.taken:
            self.errors.append(f"{kind}: the app did not respond ({done.status})")
        return done
