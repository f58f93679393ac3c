"""What the platform suite needs to know of a chat platform: the desk on it, and what people see there."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.chat.inbound import Inbound, InboundKind
from bot.chat.platform import Platform
from bot.settings.paths import Paths
from tests.house import House, house
from tests.servers.slack.server import texts
from tests.servers.teams.server import card_of
from tests.servers.teams.server import texts as teams_texts
from tests.slack_house import Work, user_id, work
from tests.teams_house import Team, object_id, team


class Place(Protocol):
    """One platform, with the whole desk behind it."""

    @property
    def house(self) -> House: ...
    @property
    def platform(self) -> Platform: ...

    def account(self, name: str, person: str) -> str:
        """The platform's id of somebody's account."""

    async def shown(self, conversation: str) -> list[str]:
        """What stands in a conversation, a message each, oldest first."""

    async def says(self, name: str, text: str) -> None: ...
    async def press(self, name: str, label: str, fields: Mapping[str, str] | None = None) -> None: ...
    async def sees(self, name: str) -> str: ...

    def break_down(self) -> None:
        """From now on the platform takes nothing."""


@dataclass
class Web:
    house: House

    @property
    def platform(self) -> Platform:
        return self.house.app.web

    def account(self, name: str, person: str) -> str:
        return person

    async def shown(self, conversation: str) -> list[str]:
        page, _ = await self.house.app.web.messages.page(conversation, before=None, limit=500)
        return ["\n".join(_strings(json.loads(each.card))) for each in page if each.card]

    async def says(self, name: str, text: str) -> None:
        await self.house.says(name, text)

    async def press(self, name: str, label: str, fields: Mapping[str, str] | None = None) -> None:
        await self.house.press(name, label, fields)

    async def sees(self, name: str) -> str:
        return "\n".join(await self.shown(f"dm:{await self.house.id(name)}"))

    def break_down(self) -> None:
        with contextlib.closing(sqlite3.connect(Paths(self.house.app.settings.data).web)) as store:
            store.execute("ALTER TABLE message RENAME TO gone")
            store.commit()


@dataclass
class Slack:
    work: Work

    @property
    def house(self) -> House:
        return self.work.house

    @property
    def platform(self) -> Platform:
        return self.house.app.office.platforms["slack"]

    def account(self, name: str, person: str) -> str:
        return user_id(name)

    async def shown(self, conversation: str) -> list[str]:
        channel = self.work.slack.state.channels[conversation]
        return [texts(each["blocks"]) for each in self.work.slack.posted(channel)]

    async def says(self, name: str, text: str) -> None:
        await self.work.says(name, text)

    async def press(self, name: str, label: str, fields: Mapping[str, str] | None = None) -> None:
        await self.work.press(name, label, fields)

    async def sees(self, name: str) -> str:
        return self.work.sees(name)

    def break_down(self) -> None:
        self.work.slack.down = True


@dataclass
class Teams:
    team: Team

    @property
    def house(self) -> House:
        return self.team.house

    @property
    def platform(self) -> Platform:
        return self.house.app.office.platforms["teams"]

    def account(self, name: str, person: str) -> str:
        return object_id(name)

    async def shown(self, conversation: str) -> list[str]:
        room = self.team.teams.state.rooms[conversation]
        return [teams_texts(card_of(each)) for each in room.messages]

    async def says(self, name: str, text: str) -> None:
        await self.team.says(name, text)

    async def press(self, name: str, label: str, fields: Mapping[str, str] | None = None) -> None:
        await self.team.press(name, label, fields)

    async def sees(self, name: str) -> str:
        return self.team.sees(name)

    def break_down(self) -> None:
        self.team.teams.connector.down = True


def _strings(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [found for value in part.values() for found in _strings(value)]
    if isinstance(part, list):
        return [found for value in part for found in _strings(value)]
    return [part] if isinstance(part, str) else []


@asynccontextmanager
async def web(data: Path, **settings: Any) -> AsyncIterator[Place]:
    async with house(data, **settings) as running:
        yield Web(running)


@asynccontextmanager
async def slack(data: Path, **settings: Any) -> AsyncIterator[Place]:
    async with work(data, "http", **settings) as running:
        yield Slack(running)


@asynccontextmanager
async def teams(data: Path, **settings: Any) -> AsyncIterator[Place]:
    async with team(data, **settings) as running:
        yield Teams(running)


PLATFORMS: dict[str, Callable[..., AbstractAsyncContextManager[Place]]] = {
    "web": web,
    "slack": slack,
    "teams": teams,
}


def message(place: Place, account: str, conversation: str) -> Inbound:
    return Inbound(
        platform=place.platform.name,
        id="contract",
        kind=InboundKind.MESSAGE,
        account=account,
        conversation=conversation,
        at=place.house.clock(),
    )
