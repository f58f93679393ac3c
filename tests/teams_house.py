"""The desk in a made-up tenant of Microsoft Teams: everybody of the company is there, over real sockets.

Tests read as dialogues: ``await team.says("ana", "I need figma for two weeks")``, then
``await team.press("ana", "Yes, do it")``. What a person sees is read from the fake Teams.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from bot.chat.teams.package import PATH
from tests.house import House, house
from tests.servers.teams.server import APP_ID, SECRET, TENANT, Answer, FakeTeams, actions, card_of, texts
from tests.servers.teams.state import Body, Room, User


def object_id(account: str) -> str:
    """Entra's id of somebody of the company."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, account))


@dataclass
class Team:
    house: House
    teams: FakeTeams
    approvals: Room

    def user(self, account: str) -> User:
        return self.teams.state.users[object_id(account)]

    async def says(self, account: str, text: str, **more: Any) -> Answer:
        answer = await self.teams.says(object_id(account), text, **more)
        await self.house.quiet()
        return answer

    async def mentions(self, account: str, room: Room, text: str, *others: str, **more: Any) -> Answer:
        named = [self.user(each) for each in others]
        answer = await self.teams.mentions(object_id(account), room, text, *named, **more)
        await self.house.quiet()
        return answer

    async def press(
        self,
        account: str,
        label: str,
        fields: Mapping[str, str] | None = None,
        *,
        where: Room | None = None,
        message: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Answer:
        """Press the newest button of this label that the person sees."""
        room = where or self.teams.state.personal(self.user(account))
        if message is None:
            shown = self.teams.seen(object_id(account), room)
            fitting = [each for each in shown if label in actions(card_of(each))]
            seen = [list(actions(card_of(each))) for each in shown]
            assert fitting, f"{account} has no button {label!r}; there is {seen}"
            message = fitting[-1]
        answer = await self.teams.clicks(object_id(account), room, message, label, fields, **more)
        await self.house.quiet()
        return answer

    async def asks(self, account: str, text: str) -> None:
        await self.says(account, text)
        await self.press(account, "Yes, do it")

    def sees(self, account: str, where: Room | None = None) -> str:
        """Every text in the person's chat, or in a channel, as they see it."""
        room = where or self.teams.state.personal(self.user(account))
        return "\n".join(_read(each) for each in self.teams.seen(object_id(account), room))

    def last(self, account: str) -> str:
        return _read(self.teams.dm(object_id(account))[-1])

    def told(self, account: str) -> str:
        """What came in answer to their presses, in passing."""
        return "\n".join(self.teams.toasts.get(object_id(account), []))


def _read(message: Body) -> str:
    card = card_of(message)
    return texts(card) if card else str(message.get("text", ""))


def settings_of(teams: FakeTeams, approvals: Room | None) -> dict[str, Any]:
    return {
        "teams_app_id": APP_ID,
        "teams_tenant_id": TENANT,
        "teams_app_secret": SECRET,
        "teams_service_url": teams.service_url,
        "teams_openid_url": teams.openid_url,
        "teams_login_url": teams.login_url,
        "teams_approvals": approvals.id if approvals else "",
        "quarantine": timedelta(0),  # everybody was linked long ago
    }


@contextmanager
def trusting(teams: FakeTeams) -> Iterator[None]:
    """Its log-in has a certificate of its own authority."""
    with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(teams.certificates.ca_file)}):
        yield


@asynccontextmanager
async def team(data: Path, teams: FakeTeams | None = None, **settings: Any) -> AsyncIterator[Team]:
    """The desk in its tenant. Give the same ``teams`` and folder again: a restart."""
    with contextlib.ExitStack() as stack:
        teams = teams or stack.enter_context(FakeTeams.running())
        stack.enter_context(trusting(teams))
        approvals = teams.state.channel("approvals") if not teams.state.rooms else _approvals(teams)
        given = settings_of(teams, approvals) | settings
        async with house(data, **given) as running:
            await populate(running, teams, approvals)
            async with serving(running) as address:
                teams.bot_url = f"{address}{PATH}"
                yield Team(running, teams, approvals)
            running.canary.absent_from(repr(teams.calls), "what Teams was told")


def _approvals(teams: FakeTeams) -> Room:
    return next(room for room in teams.state.rooms.values() if room.kind == "channel")


async def populate(running: House, teams: FakeTeams, approvals: Room) -> None:
    for person in await running.app.company.directory.search("", limit=1000):
        if object_id(person.account) not in teams.state.users:
            teams.add_user(person.mail, person.name, object_id(person.account))
        approvals.members.add(object_id(person.account))


@asynccontextmanager
async def serving(running: House) -> AsyncIterator[str]:
    server = running.app.server()
    server.config.port = 0
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
