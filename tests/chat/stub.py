"""A desk that understands a few words, behind the real web desk on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from bot.chat.card import (
    Button,
    Card,
    CheckInput,
    ChoiceInput,
    Fact,
    Link,
    Option,
    Quote,
    TextInput,
    Tone,
)
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.platform import MessageRef
from bot.chat.redact import redact
from bot.chat.web.identity import Choice
from bot.chat.web.listen import web_app
from bot.chat.web.send import WebPlatform
from bot.chat.web.serve import WebServer, web_server

PEOPLE = [
    Choice("ana", "Ana Ruiz", "Product Designer", "Design"),
    Choice("bo", "Bo Lind", "Head of Design", "Design"),
    Choice("cleo", "Cléo Martin", "Data Analyst", "Finance", approvals=False),
    Choice("dan", "Dan O'Neill", "Platform Engineer", "Engineering"),
    Choice("eve", "Eve Nakamura", "Chief Information Security Officer", "Security"),
    Choice("finn", "Finn Olsen", "Support Agent (contractor)", "Support"),
    Choice("gia", "Gia Rossi", "Accountant", "Finance"),
    Choice("hal", "Hal Okafor", "Engineering Manager", "Engineering"),
]

HOSTILE = [
    "<script>window.pwned = 1</script>",
    "<img src=x onerror='window.pwned = 1'>",
    '"><svg/onload=window.pwned=1>',
    "javascript:window.pwned=1",
    "</title></style></textarea><script>window.pwned = 1</script>",
    "{{constructor.constructor('window.pwned=1')()}}",
    "'; DROP TABLE message; --",
    "\u202eevorppA\u202c \u2066x\u2069 \u200bhidden\ufeff",
    "line\x00\x1b[31m\x9b bell\x07",
    "lone \ud800 half",
    "Z̸̢̛" * 200,
    "W" * 6000,
]


class People:
    def __init__(self) -> None:
        self.all = list(PEOPLE)

    async def choices(self) -> Sequence[Choice]:
        return self.all

    async def choice(self, account: str) -> Choice | None:
        return next((choice for choice in self.all if choice.account == account), None)


@dataclass
class StubDesk:
    """Remembers what came in; answers a handful of words with cards."""

    platform: WebPlatform
    came_in: list[Inbound] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    refs: dict[str, MessageRef] = field(default_factory=dict)
    slow: float = 0.0  # seconds before a press is answered
    broken: bool = False

    async def receive(self, inbound: Inbound, within: float = 1.0) -> Ack:
        if self.broken:
            raise RuntimeError("the stub is broken: secret-detail")
        if inbound.id in self.ids:
            return Ack(duplicate=True)
        self.ids.add(inbound.id)
        self.came_in.append(inbound)
        if inbound.kind is InboundKind.PRESS:
            await asyncio.sleep(self.slow)
            return await self._pressed(inbound)
        return await self._said(inbound)

    async def _said(self, inbound: Inbound) -> Ack:
        words = inbound.text.lower()
        if words == "boom":
            raise RuntimeError("secret-detail")
        if words == "silence":
            return Ack(working=True)
        if words == "whisper":
            return Ack(notice="Only for you")
        if words.startswith("hostile"):
            card = hostile_card(HOSTILE[int(words.split()[-1])])
        elif "figma" in words or "prod" in words:
            card = confirm_card(redact(inbound.text)[0])
        elif words == "form":
            card = form_card()
        else:
            card = Card(title=f"You said: {inbound.text}")
        ref = await self.platform.send(inbound.conversation, card, key=f"reply:{inbound.id}")
        self.refs[inbound.account] = ref
        return Ack()

    async def _pressed(self, inbound: Inbound) -> Ack:
        verb = inbound.handle.partition(":")[0]
        ref = MessageRef("web", inbound.conversation, inbound.message_id)
        if verb == "confirm":
            await self.platform.update(ref, waiting_card())
            approvals = self.platform.approvals()
            assert approvals is not None
            await self.platform.send(approvals, approval_card(), key=f"approval:{inbound.id}")
            return Ack()
        if verb == "approve":
            for conversation_ref in self.refs.values():
                await self.platform.update(conversation_ref, done_card())
            return Ack(card=decided_card(inbound.fields.get("reason", "")))
        if verb == "submit":
            if inbound.fields.get("reason") != "because":
                return Ack(errors={"reason": "Please say why in the word: because."})
            return Ack(card=Card(title="Thank you", text="The form is in.", tone=Tone.GOOD, status="Done"))
        return Ack(notice="This button is not for you.")


def confirm_card(words: str) -> Card:
    return Card(
        title="Access to Figma for two weeks",
        text="I will add you to the group Figma Editors and take you out again when the time is over.",
        tone=Tone.PRIMARY,
        status="Please confirm",
        facts=(
            Fact(label="What", value="Figma, as editor"),
            Fact(label="Who", value="Ana Ruiz"),
            Fact(label="From", value="when it is approved"),
            Fact(label="Until", value="Sunday 6 December 2026, 12:00"),
            Fact(label="Needs", value="approval by Bo Lind, your manager"),
        ),
        quotes=(Quote(label="You wrote", text=words),),
        buttons=(
            Button(label="Confirm", handle="confirm:1", tone=Tone.PRIMARY),
            Button(label="Cancel", handle="cancel:1", sends_inputs=False),
        ),
        footer="REQ-1042 · expires today at 18:00 unless you confirm",
    )


def waiting_card() -> Card:
    return Card(
        title="Access to Figma for two weeks",
        tone=Tone.WAIT,
        status="Waiting for Bo Lind",
        facts=(
            Fact(label="What", value="Figma, as editor"),
            Fact(label="Until", value="Sunday 6 December 2026, 12:00"),
            Fact(label="Approver", value="Bo Lind, because he is your manager"),
        ),
        buttons=(Button(label="Cancel request", handle="cancel:2", sends_inputs=False),),
        footer="REQ-1042 · expires tomorrow at 12:00",
    )


def approval_card() -> Card:
    return Card(
        title="Ana Ruiz asks for access to Figma",
        text="As editor, one can change every design file of the team.",
        tone=Tone.WAIT,
        status="Needs your decision",
        facts=(
            Fact(label="Requester", value="Ana Ruiz, Product Designer"),
            Fact(label="Sensitivity", value="Medium"),
            Fact(label="For", value="two weeks from approval"),
            Fact(label="Why you", value="You are Ana's manager"),
        ),
        quotes=(Quote(label="Ana Ruiz wrote", text="I need Figma for two weeks"),),
        inputs=(
            TextInput(
                name="reason", label="Reason", required=False, placeholder="Shown to Ana", multiline=True
            ),
        ),
        buttons=(
            Button(label="Approve", handle="approve:1", tone=Tone.GOOD),
            Button(label="Deny", handle="deny:1", tone=Tone.DANGER, sends_inputs=False),
        ),
        footer="REQ-1042 · expires tomorrow at 12:00",
    )


def decided_card(reason: str) -> Card:
    return Card(
        title="Ana Ruiz asks for access to Figma",
        tone=Tone.GOOD,
        status="Approved",
        facts=(Fact(label="Decided by", value="Bo Lind, just now"),),
        quotes=(Quote(label="Bo Lind wrote", text=reason),) if reason else (),
        footer="REQ-1042",
    )


def done_card() -> Card:
    return Card(
        title="Access to Figma for two weeks",
        text="You are in. Figma may ask you to sign in again.",
        tone=Tone.GOOD,
        status="Done",
        facts=(
            Fact(label="Approved by", value="Bo Lind"),
            Fact(label="Ends", value="Sunday 6 December 2026, 12:00, by itself"),
        ),
        buttons=(Button(label="Give it back early", handle="back:1", sends_inputs=False),),
        links=(Link(label="Open the guide", url="/guide"),),
        footer="REQ-1042",
    )


def form_card() -> Card:
    return Card(
        title="A few details",
        text="Tell me what you need, and I will check whether you may have it.",
        inputs=(
            ChoiceInput(
                name="level",
                label="How much access",
                options=(
                    Option(value="view", label="Viewer", hint="Look at files and comment"),
                    Option(value="edit", label="Editor", hint="Change files"),
                ),
            ),
            ChoiceInput(
                name="team",
                label="For which team",
                options=tuple(Option(value=f"t{n}", label=f"Team {n}") for n in range(1, 9)),
                required=False,
            ),
            TextInput(name="reason", label="Why", placeholder="One sentence is enough"),
            CheckInput(name="soon", label="It is urgent"),
        ),
        buttons=(
            Button(label="Send", handle="submit:1", tone=Tone.PRIMARY),
            Button(label="Cancel", handle="cancel:1", sends_inputs=False),
        ),
    )


def hostile_card(words: str) -> Card:
    """The same words in every field that takes any."""
    return Card(
        title=words,
        text=words,
        status=words,
        tone=Tone.DANGER,
        facts=(Fact(label=words, value=words),),
        quotes=(Quote(label=words, text=words),),
        inputs=(
            TextInput(name=words, label=words, placeholder=words),
            ChoiceInput(
                name="c" + words, label=words, options=(Option(value=words, label=words, hint=words),)
            ),
            CheckInput(name="k" + words, label=words),
        ),
        buttons=(Button(label=words, handle=words[:64]),),
        links=(Link(label=words, url=words), Link(label=words, url="//evil.example/" + words)),
        footer=words,
    )


@dataclass
class Running:
    """A web desk that is being served; ``client`` is a browser that was given a person."""

    url: str
    platform: WebPlatform
    desk: StubDesk
    people: People
    server: WebServer
    loop: asyncio.AbstractEventLoop
    ready: threading.Event
    clients: list[httpx2.Client] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def client(self, account: str = "", **headers: str) -> httpx2.Client:
        client = httpx2.Client(base_url=self.url, headers={"origin": self.url, **headers}, timeout=10)
        self.clients.append(client)
        if account:
            assert client.post("/api/session", json={"person": account}).status_code == 200
        return client

    def send(self, conversation: str, card: Card, key: str) -> MessageRef:
        sending = self.platform.send(conversation, card, key=key)
        return asyncio.run_coroutine_threadsafe(sending, self.loop).result(10)

    def update(self, ref: MessageRef, card: Card) -> None:
        asyncio.run_coroutine_threadsafe(self.platform.update(ref, card), self.loop).result(10)


@contextlib.contextmanager
def serving(folder: Path, *, port: int = 0) -> Iterator[Running]:
    """The desk over the messages in this folder, on a free port, until the block ends."""
    platform = WebPlatform(folder / "messages.sqlite")
    desk, people, ready = StubDesk(platform), People(), threading.Event()
    ready.set()
    app = web_app(platform, desk.receive, people, ready.is_set)
    server = web_server(app, platform.live, host="127.0.0.1", port=port)
    up = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has a flag and no event
            await asyncio.sleep(0.005)
        up.set()
        await task
        await platform.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert up.wait(10)
    bound = server.servers[0].sockets[0].getsockname()[1]
    running = Running(f"http://127.0.0.1:{bound}", platform, desk, people, server, loops[0], ready)
    try:
        yield running
    finally:
        server.should_exit = True
        thread.join(10)
        for client in running.clients:
            client.close()
        assert not thread.is_alive()
