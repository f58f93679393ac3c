"""The whole desk in a test: real database, company, jobs and rules; people who write and press.

Tests read as dialogues: ``await house.says("ana", "I need figma for two weeks")``, then
``await house.press("ana", "Yes, do it")``. What a person sees is read from the web desk's store.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import httpx2
from dbos import DBOS
from dbos._dbos import _get_dbos_instance as dbos_instance

from bot.app import App, load_policies, running
from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.intent.model import Completion
from bot.procedures import ledger
from bot.procedures.action import Registry
from bot.procedures.request import Request, State
from bot.settings import Settings
from bot.settings.paths import Paths
from integrations.company import Company
from integrations.company.hr import HumanResources
from integrations.company.write_log import Write
from policies.catalogue import Catalogue
from policies.decide import Policies
from tests.canary import Canary, watched
from tests.servers import model as language_model

# A Monday morning, so that "until Friday" and "Dec 24-31" mean the same whenever the tests run.
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)

PATIENCE_S = 60.0  # a loaded machine may take longer than an Ack waits in life


@cache
def company_template() -> Path:
    """Made once a test process: hashing forty passwords takes half a second."""
    path = Path(tempfile.mkdtemp()) / "company.db"
    Company.open(path).close()
    with closing(sqlite3.connect(path)) as conn:  # as old as the tests are, whenever they run
        conn.execute("UPDATE time_off SET as_of = ?", (MONDAY.date().isoformat(),))
        conn.commit()
    return path


@dataclass
class Clock:
    """UTC, moved by the test."""

    shift: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    @classmethod
    def at(cls, moment: datetime) -> Clock:
        """Starts at this moment and runs on."""
        return cls(moment - datetime.now(UTC))

    def forward(self, **by: float) -> None:
        self.shift += timedelta(**by)


@dataclass
class House:
    app: App
    clock: Clock
    ids: dict[str, str] = field(default_factory=dict)  # account -> person id
    canary: Canary = field(default_factory=Canary)

    async def id(self, account: str) -> str:
        if account not in self.ids:
            self.ids[account] = (await self.app.system.directory.by_account(account)).id
        return self.ids[account]

    async def says(self, account: str, text: str, inbound_id: str = "") -> Ack:
        return await self.app.desk.receive(await self.inbound(account, text, inbound_id), PATIENCE_S)

    async def inbound(self, account: str, text: str, inbound_id: str = "") -> Inbound:
        person = await self.id(account)
        return Inbound(
            platform="web",
            id=inbound_id or uuid4().hex,
            kind=InboundKind.MESSAGE,
            account=person,
            conversation=f"dm:{person}",
            text=text,
            at=self.clock(),
        )

    async def asks(self, account: str, text: str) -> Request:
        """Say it and confirm what is shown; the request that came of it."""
        await self.says(account, text)
        await self.press(account, "Yes, do it")
        return self.request()

    async def press(
        self,
        account: str,
        label: str,
        fields: Mapping[str, str] | None = None,
        *,
        where: str | None = None,
        card: Card | None = None,
    ) -> Ack:
        """Press the newest button of this label that stands in the person's conversation."""
        shown = [card] if card else list(reversed(await self.cards(account, where)))
        for each in shown:
            for button in each.buttons:
                if button.label == label:
                    return await self.press_handle(account, button.handle, fields, where=where)
        seen = [[each.title, [b.label for b in each.buttons]] for each in shown]
        raise AssertionError(f"{account} has no button {label!r}; there is {seen}")

    async def press_handle(
        self, account: str, handle: str, fields: Mapping[str, str] | None = None, *, where: str | None = None
    ) -> Ack:
        person = await self.id(account)
        return await self.app.desk.receive(
            Inbound(
                platform="web",
                id=uuid4().hex,
                kind=InboundKind.PRESS,
                account=person,
                conversation=where or f"dm:{person}",
                direct=where is None,
                handle=handle,
                fields=dict(fields or {}),
                at=self.clock(),
            ),
            PATIENCE_S,
        )

    async def handle(self, account: str, label: str, where: str | None = None) -> str:
        """What the newest button of this label carries, to be pressed when its card is an old one."""
        for card in reversed(await self.cards(account, where)):
            for button in card.buttons:
                if button.label == label:
                    return button.handle
        raise AssertionError(f"{account} has no button {label!r}")

    async def buttons(self, account: str, where: str | None = None) -> list[str]:
        """The labels of every button that stands there, oldest first."""
        return [button.label for card in await self.cards(account, where) for button in card.buttons]

    async def cards(self, account: str, where: str | None = None) -> list[Card]:
        """What stands in the person's direct conversation (or another), oldest first."""
        conversation = where or f"dm:{await self.id(account)}"
        page, _ = await self.app.web.messages.page(conversation, before=None, limit=500)
        return [Card.model_validate(json.loads(each.card)) for each in page if each.card]

    async def card(self, account: str, where: str | None = None) -> Card:
        return (await self.cards(account, where))[-1]

    async def text(self, account: str, where: str | None = None) -> str:
        """Everything that stands there, as one text."""
        return "\n".join(card.model_dump_json() for card in await self.cards(account, where))

    async def heard(self, account: str) -> str:
        """What every card in the person's direct conversation says: title, status, text."""
        return "\n".join(f"{card.title} ({card.status}): {card.text}" for card in await self.cards(account))

    def browser(self) -> httpx2.AsyncClient:
        """A browser on this machine, looking at the desk's own pages."""
        transport = httpx2.ASGITransport(app=self.app.asgi)
        return httpx2.AsyncClient(transport=transport, base_url=self.app.settings.url)

    async def link(self, account: str) -> str:
        """The newest link on a card of this person."""
        return next(link.url for card in reversed(await self.cards(account)) for link in card.links)

    async def code(self, account: str) -> str:
        """The six digits on the newest card of this approver."""
        facts = [fact for card in await self.cards(account) for fact in card.facts]
        shown = [fact.value for fact in facts if fact.label.startswith("Code to read out")]
        return shown[-1].replace(" ", "") if shown else ""

    async def effects(self) -> list[Write]:
        """What changed in the company, from its own write log."""
        return [write for write in await self.app.company.writes() if write.changed]

    @property
    def hr(self) -> HumanResources:
        """What the company changes by itself, past the desk."""
        return self.app.company.hr

    def requests(self, *states: State) -> list[Request]:
        with self.app.office.database.read() as conn:
            return ledger.in_state(conn, states or tuple(State))

    def request(self) -> Request:
        """The newest one."""
        return max(self.requests(), key=lambda each: each.created_at)

    def state(self) -> State:
        return self.request().state

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        with self.app.office.database.read() as conn:
            rows = conn.exec_driver_sql("SELECT body FROM audit_events ORDER BY seq").all()
        found = [json.loads(row[0]) for row in rows]
        return [each for each in found if each["kind"].startswith(kind)]

    async def has(self, account: str, group: str) -> bool:
        return await self.app.system.groups.has(group, await self.id(account))

    async def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for something that a job does."""
        for _ in range(int(seconds / 0.05)):
            if true():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it did not happen in time")

    async def quiet(self) -> None:
        """Until nothing is under way any more, in the desk and in its chats."""
        for _ in range(3):  # what ends may begin something
            await self.app.desk.finish()
            await self.app.engine.finish()
            for chat in self.app.chats:
                if listener := getattr(chat, "_listener", None):
                    await listener.finish()
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """What the clock calls for, without waiting for the poll of the jobs."""
        for request in self.requests():
            await self.app.engine.settle(request.ref)


TEST_MODEL = os.environ.get("TEST_MODEL", "")  # a mode of tests/servers/model.py: every house has one


@asynccontextmanager
async def house(data: Path, **settings: Any) -> AsyncIterator[House]:
    """The desk, running on this folder. Call it again on the same folder: a restart.

    Beside settings it takes a ``clock``, and as ``model`` a language model in the process, in place of one
    behind a socket.
    """
    model: Completion | None = settings.pop("model", None)
    if TEST_MODEL and model is None and "model_key" not in settings:
        settings = {**settings, **language_model.of_this_process(TEST_MODEL).for_journeys()}
    data.mkdir(parents=True, exist_ok=True)
    company = Paths(data).company
    if not company.exists():
        shutil.copy(company_template(), company)
    clock = settings.pop("clock", None) or Clock()
    with _brisk(), mock.patch("bot.app.load_policies", _rules), watched() as canary:
        async with running(Settings(data=data, **settings), clock, model) as app:
            yield House(app, clock, canary=canary)
            for _ in range(100):
                if not dbos_instance()._active_workflows_set.activeList():
                    break
                await asyncio.sleep(0.02)
        canary.absent_from_files(data)


_KNOWN_RULES: dict[tuple[str, str], tuple[Policies, Catalogue]] = {}


def _rules(settings: Settings, registry: Registry) -> tuple[Policies, Catalogue]:
    """The project's own rules are checked once a test process, not at every start of a desk."""
    if settings.policies != Settings().policies:
        return load_policies(settings, registry)
    key = (settings.admins, settings.fallback)
    if key not in _KNOWN_RULES:
        _KNOWN_RULES[key] = load_policies(settings, registry)
    return _KNOWN_RULES[key]


@contextmanager
def _brisk() -> Iterator[None]:
    """DBOS takes two seconds to stop, asleep: in one it waits for jobs (here they have ended), in one its
    listener waits for its next look."""
    begin, destroy = DBOS.__init__, DBOS.destroy

    def watchful(self: DBOS, *, config: Any, **kwargs: Any) -> None:
        config["notification_listener_polling_interval_sec"] = 0.05
        begin(self, config=config, **kwargs)

    def at_once(**kwargs: Any) -> None:
        destroy(**{**kwargs, "workflow_completion_timeout_sec": 0})

    with mock.patch.object(DBOS, "__init__", watchful), mock.patch.object(DBOS, "destroy", at_once):
        yield
