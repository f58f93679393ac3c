"""The whole desk in a test: real database, company, jobs and rules; people who write and press.

Tests read as dialogues: ``await house.says("ana", "I need figma for two weeks")``, then
``await house.press("ana", "Yes, do it")``. What a person sees is read from the web desk's store.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.app import App, Paths, running
from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.procedures import ledger
from bot.procedures.request import Request, State
from bot.settings import Settings
from integrations.company import Company


@cache
def company_template() -> Path:
    """Made once a test process: hashing forty passwords takes half a second."""
    path = Path(tempfile.mkdtemp()) / "company.db"
    Company.open(path).close()
    return path


@dataclass
class Clock:
    """UTC, moved by the test."""

    shift: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def forward(self, **by: float) -> None:
        self.shift += timedelta(**by)


@dataclass
class House:
    app: App
    clock: Clock
    ids: dict[str, str] = field(default_factory=dict)  # account -> person id

    async def id(self, account: str) -> str:
        if account not in self.ids:
            self.ids[account] = (await self.app.company.directory.by_account(account)).id
        return self.ids[account]

    async def says(self, account: str, text: str, inbound_id: str = "") -> Ack:
        return await self.app.desk.receive(await self.inbound(account, text, inbound_id))

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
            )
        )

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
        return await self.app.company.groups.has(group, await self.id(account))

    async def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for something that a job does."""
        for _ in range(int(seconds / 0.05)):
            if true():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it did not happen in time")

    async def settle(self) -> None:
        """What the clock calls for, without waiting for the poll of the jobs."""
        for request in self.requests():
            await self.app.engine.settle(request.ref)


@asynccontextmanager
async def house(data: Path, **settings: Any) -> AsyncIterator[House]:
    """The desk, running on this folder. Call it again on the same folder: a restart."""
    data.mkdir(parents=True, exist_ok=True)
    company = Paths(data).company
    if not company.exists():
        shutil.copy(company_template(), company)
    clock = settings.pop("clock", None) or Clock()
    async with running(Settings(data=data, **settings), clock) as app:
        yield House(app, clock)
