"""A fake Microsoft Teams on real sockets: the Bot Connector, its keys, its log-in, and people with a client.

It runs in a thread with a loop of its own, so the desk under test talks to it as to another machine. What
it delivers is signed as Microsoft signs it, held to Teams' deadlines, and shown as Teams shows it: the
answer to a press replaces the card for whoever pressed, an update for everybody.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.certificates import Certificates
from tests.servers.teams.connector import SECRET, Call, Connector, Fault
from tests.servers.teams.limits import CARD, of_card
from tests.servers.teams.state import (
    APP_ID,
    BOT,
    TENANT,
    Body,
    Room,
    State,
    User,
    actions,
    card_of,
    inputs,
    texts,
)
from tests.servers.thread import InThread

__all__ = [
    "APP_ID",
    "BOT",
    "SECRET",
    "TENANT",
    "Answer",
    "Call",
    "FakeTeams",
    "Fault",
    "actions",
    "card_of",
    "texts",
]


ISSUER = "https://api.botframework.com"
MESSAGE = "application/vnd.microsoft.activity.message"
_DEADLINES = {"message": 15.0, "invoke": 10.0}
_KEYS: dict[str, rsa.RSAPrivateKey] = {}  # made once a process: it takes a while


def signing_key(kid: str) -> rsa.RSAPrivateKey:
    if kid not in _KEYS:
        _KEYS[kid] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return _KEYS[kid]


@dataclass
class Answer:
    """What the desk said to one delivery. ``status`` 0: nothing in time."""

    status: int
    body: Any
    activity: Body
    seconds: float = 0.0


class FakeTeams(InThread):
    """``with FakeTeams.running() as teams``. People are meant by their object ids."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.connector = Connector(self.state)
        self.bot_url = ""
        self.errors: list[str] = []  # what a person would have seen go wrong
        self.toasts: dict[str, list[str]] = {}  # object id -> words that came in answer to a press
        self.answers: list[Answer] = []
        self.duplicates = 0  # how often each activity is delivered besides
        self.keys_down = False
        self.endorsements: dict[str, list[str]] = {"k1": ["msteams", "webchat"], "k2": ["webchat"]}
        self.port = self.login_port = 0
        self._folder = tempfile.TemporaryDirectory()
        self.certificates = Certificates.make(Path(self._folder.name))

    # life

    async def _open(self) -> None:
        app = web.Application(client_max_size=2**22)
        app.add_routes(self.connector.routes())
        app.router.add_get("/v1/.well-known/openidconfiguration", self._openid)
        app.router.add_get("/keys", self._jwks)
        login = web.Application()
        login.add_routes(self.connector.login.routes())
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(self.certificates.cert_file, self.certificates.key_file)
        self._runners = [web.AppRunner(app, shutdown_timeout=0.1), web.AppRunner(login, shutdown_timeout=0.1)]
        ports = []
        for runner, context in zip(self._runners, (None, trust), strict=True):
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            ports.append(site._server.sockets[0].getsockname()[1])  # type: ignore[union-attr]
        self.port, self.login_port = ports
        self._session = aiohttp.ClientSession()

    async def _close(self) -> None:
        await self._session.close()
        for runner in self._runners:
            await runner.cleanup()
        await asyncio.sleep(0.05)  # TLS says goodbye in further rounds of the loop
        self._folder.cleanup()

    @property
    def service_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/teams/"

    @property
    def openid_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/.well-known/openidconfiguration"

    @property
    def login_url(self) -> str:
        return f"https://localhost:{self.login_port}"

    async def _openid(self, request: web.Request) -> web.Response:
        if self.keys_down:
            return web.Response(status=503)
        return web.json_response({"issuer": ISSUER, "jwks_uri": f"http://127.0.0.1:{self.port}/keys"})

    async def _jwks(self, request: web.Request) -> web.Response:
        keys = []
        for kid, endorsed in self.endorsements.items():
            made = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(signing_key(kid).public_key()))
            keys.append({**made, "kid": kid, "use": "sig", "x5t": kid, "endorsements": endorsed})
        odd = [{"kty": "EC", "kid": "odd"}, {"kty": "RSA", "kid": "broken", "n": "!"}]
        return web.json_response({"keys": [*odd, *keys]})

    # who and where

    def add_user(
        self, mail: str, name: str, aad: str = "", *, app: bool = True, kind: str = "member"
    ) -> User:
        user = User(aad or str(uuid.uuid5(uuid.NAMESPACE_DNS, mail)), mail, name, kind, app)
        self.state.users[user.aad] = user
        return user

    def add_channel(self, name: str, *members: str) -> Room:
        return self.state.channel(name, *members)

    def fail(self, what: str, kind: str, *, times: int = 1, retry_after: str = "", room: str = "") -> None:
        """The next calls go wrong: see ``Fault``."""
        self.connector.faults.append(Fault(what, kind, times, retry_after, room))

    # what people do

    async def installs(self, aad: str) -> Answer:
        self.state.users[aad].app = True
        room = self.state.personal(self.state.users[aad])
        activity = self.activity("installationUpdate", aad, room, action="add")
        return await self.deliver(activity)

    async def uninstalls(self, aad: str) -> Answer:
        user = self.state.users[aad]
        activity = self.activity("installationUpdate", aad, self.state.personal(user), action="remove")
        user.app = False
        return await self.deliver(activity)

    async def adds_to_team(self, aad: str, room: Room) -> Answer:
        activity = self.activity("conversationUpdate", aad, room, membersAdded=[{"id": BOT}])
        return await self.deliver(activity)

    async def says(self, aad: str, text: str, **more: Any) -> Answer:
        """In the personal chat."""
        room = self.state.personal(self.state.users[aad])
        return await self.deliver(self.activity("message", aad, room, text=text, textFormat="plain", **more))

    async def mentions(self, aad: str, room: Room, text: str, *others: User, **more: Any) -> Answer:
        """In a channel: Deskhand first, and whoever stands as "@Name" in the text."""
        entities = [_mention(BOT, "Deskhand")]
        for user in others:
            text = text.replace(f"@{user.name}", f"<at>{user.name}</at>", 1)
            entities.append(_mention(user.id, user.name))
        activity = self.activity("message", aad, room, text=f"<at>Deskhand</at> {text}", entities=entities)
        activity["conversation"]["id"] = f"{room.id};messageid={activity['id']}"
        return await self.deliver({**activity, **more})

    async def clicks(
        self,
        aad: str,
        room: Room,
        message: Mapping[str, Any],
        label: str,
        fields: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """A press of a button as this person sees the message. What the desk answers is shown to them."""
        card = self.state.views.get((aad, message["id"])) or card_of(dict(message))
        pressed = actions(card)[label]
        assert pressed["type"] == "Action.Execute", f"{label} is no button of Deskhand's"
        data = dict(pressed["data"])
        if pressed.get("associatedInputs", "auto") == "auto":
            for name, one in inputs(card).items():
                given = (fields or {}).get(name.removeprefix("in."), one.get("value", ""))
                data[name] = _given(one, given)
        value = {
            "action": {"type": "Action.Execute", "verb": pressed["verb"], "data": data},
            "trigger": "manual",
        }
        activity = self.activity("invoke", aad, room, name="adaptiveCard/action", value=value)
        activity["replyToId"] = message["id"]
        if room.kind == "channel":
            activity["conversation"]["id"] = f"{room.id};messageid={message.get('thread') or message['id']}"
        answer = await self.deliver({**activity, **more})
        self._show(aad, message["id"], answer)
        return answer

    def _show(self, aad: str, message: str, answer: Answer) -> None:
        if answer.status != 200:
            self.errors.append(f"invoke: {answer.status}")
            return
        if not answer.body:
            return
        kind, value = answer.body.get("type"), answer.body.get("value")
        if answer.body.get("statusCode") != 200:
            self.errors.append(f"invoke: {answer.body!r:.200}")
        elif kind == CARD:
            if wrong := of_card(value):
                self.errors.append(f"invoke: the card is not valid ({wrong})")
            else:
                self.state.views[aad, message] = value
        elif kind == MESSAGE and isinstance(value, str) and value:
            self.toasts.setdefault(aad, []).append(value)
        else:
            self.errors.append(f"invoke: the answer is not valid ({answer.body!r:.200})")

    # what people see

    def dm(self, aad: str) -> list[Body]:
        """The bot's messages in this person's chat, as they see them, oldest first."""
        return self.seen(aad, self.state.personal(self.state.users[aad]))

    def seen(self, aad: str, room: Room) -> list[Body]:
        shown = []
        for message in room.messages:
            view = self.state.views.get((aad, message["id"]))
            card = [{"contentType": CARD, "content": view}] if view else message.get("attachments")
            shown.append({**message, "attachments": card})
        return shown

    # what was recorded

    @property
    def calls(self) -> list[Call]:
        return self.connector.calls

    def called(self, what: str) -> list[Call]:
        return [call for call in self.calls if call.what == what]

    # delivery

    def activity(self, kind: str, aad: str, room: Room, **more: Any) -> Body:
        user = self.state.users[aad]
        sender = {"id": user.id, "name": user.name, "aadObjectId": user.aad}
        if user.kind == "anonymous":
            sender["aadObjectId"] = None  # type: ignore[assignment]
        return {
            "type": kind,
            "id": f"f:{uuid.uuid4()}" if kind == "invoke" else self.state.new_id(),
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime()),
            "serviceUrl": self.service_url,
            "channelId": "msteams",
            "from": sender,
            "conversation": {
                "conversationType": room.kind,
                "tenantId": user.tenant,
                "id": room.id,
                **({"isGroup": True} if room.kind == "channel" else {}),
            },
            "recipient": {"id": BOT, "name": "Deskhand"},
            "entities": [{"type": "clientInfo", "locale": "en-US", "platform": "Web"}],
            "channelData": {"tenant": {"id": user.tenant}},
            "locale": "en-US",
            **more,
        }

    def token(self, kid: str = "k1", *, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """As Microsoft makes them; a claim that is None is left out."""
        now = int(time.time())
        said = {
            "iss": ISSUER,
            "aud": APP_ID,
            "iat": now,
            "nbf": now - 300,
            "exp": now + 3600,
            "serviceurl": self.service_url,
            **claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        headers = {"kid": kid} if kid else {}
        return jwt.encode(said, key or signing_key(kid), algorithm=algorithm, headers=headers)

    async def deliver(self, activity: Body) -> Answer:
        """As often as ``duplicates`` says, held to the deadline."""
        answers = [await self._in(self._once(activity)) for _ in range(1 + self.duplicates)]
        return answers[0]

    async def _once(self, activity: Body) -> Answer:
        begun = time.monotonic()
        limit = aiohttp.ClientTimeout(total=_DEADLINES.get(activity["type"], 15.0))
        headers = {"authorization": f"Bearer {self.token()}"}
        try:
            async with self._session.post(
                self.bot_url, json=activity, headers=headers, timeout=limit
            ) as said:
                raw = await said.text()
                body = json.loads(raw) if raw else {}
                answer = Answer(said.status, body, activity, time.monotonic() - begun)
        except (aiohttp.ClientError, TimeoutError):
            answer = Answer(0, {}, activity, time.monotonic() - begun)
        if answer.status not in (200, 201, 202) and activity["type"] != "invoke":
            self.errors.append(f"{activity['type']}: {answer.status}")
        self.answers.append(answer)
        return answer

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Any bytes to the desk's address."""

        async def send() -> tuple[int, str]:
            async with self._session.post(self.bot_url, data=body, headers=dict(headers)) as answer:
                return answer.status, await answer.text()

        return await self._in(send())


def _mention(user: str, name: str) -> Body:
    return {"type": "mention", "mentioned": {"id": user, "name": name}, "text": f"<at>{name}</at>"}


def _given(one: Body, given: str) -> str:
    """As the client sends it; it holds a text to its length, and a choice to what there is."""
    if one["type"] == "Input.Text":
        return given[: one.get("maxLength", 10_000)]
    if one["type"] == "Input.ChoiceSet":
        assert given in ("", *(choice["value"] for choice in one["choices"])), "that is no choice there"
    if one["type"] == "Input.Toggle":
        return one["valueOn"] if given == "yes" else one["valueOff"]
    return given
