"""The desk in a made-up Slack workspace: everybody of the company is there, and talks over real sockets.

Tests read as dialogues: ``await work.says("ana", "I need figma for two weeks")``, then
``await work.press("ana", "Yes, do it")``. What a person sees is read from the fake Slack.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.chat.slack.manifest import PATH
from tests.house import House, house
from tests.servers.slack.server import APP_TOKEN, BOT_TOKEN, SECRET, Delivery, FakeSlack, buttons, texts
from tests.servers.slack.state import Channel

MODES = ("socket", "http")


def user_id(account: str) -> str:
    """The Slack id of somebody of the company: "U" and their log-in name."""
    return "U0" + account.upper().replace(".", "").replace("-", "")


@dataclass
class Work:
    house: House
    slack: FakeSlack
    approvals: Channel

    async def says(self, account: str, text: str, **event: Any) -> dict[str, Any]:
        body = await self.slack.says(user_id(account), text, **event)
        await self.house.quiet()
        return body

    async def mentions(self, account: str, channel: Channel, text: str, **event: Any) -> dict[str, Any]:
        body = await self.slack.mentions(user_id(account), channel, text, **event)
        await self.house.quiet()
        return body

    async def command(self, account: str, text: str, channel: Channel | None = None) -> str:
        """What the person reads of it, for their eyes only."""
        before = len(self.slack.ephemerals(user_id(account)))
        await self.slack.command(user_id(account), text, channel)
        await self.house.quiet()
        return "\n".join(_read(each) for each in self.slack.ephemerals(user_id(account))[before:])

    async def opens_home(self, account: str) -> str:
        await self.slack.opens_home(user_id(account))
        await self.house.quiet()
        return texts(self.slack.state.homes.get(user_id(account), {}))

    async def press(
        self,
        account: str,
        label: str,
        fields: Mapping[str, str] | None = None,
        *,
        where: Channel | None = None,
        message: Mapping[str, Any] | None = None,
        **payload: Any,
    ) -> Delivery:
        """Press the newest button of this label that the person sees."""
        if message is None:
            shown = self.slack.posted(where) if where else self.slack.dm(user_id(account))
            fitting = [each for each in shown if label in buttons(each)]
            assert fitting, f"{account} has no button {label!r}; there is {[list(buttons(e)) for e in shown]}"
            message = fitting[-1]
        done = await self.slack.clicks(user_id(account), message, label, fields, **payload)
        await self.house.quiet()
        return done

    async def submits(self, account: str, fields: Mapping[str, str], **payload: Any) -> dict[str, str]:
        errors = await self.slack.submits(user_id(account), fields, **payload)
        await self.house.quiet()
        return errors

    async def asks(self, account: str, text: str) -> None:
        await self.says(account, text)
        await self.press(account, "Yes, do it")

    def sees(self, account: str, where: Channel | None = None) -> str:
        """Every text in the person's direct conversation, or in a channel."""
        shown = self.slack.posted(where) if where else self.slack.dm(user_id(account))
        return "\n".join(_read(each) for each in shown)

    def last(self, account: str) -> str:
        return _read(self.slack.dm(user_id(account))[-1])

    def told(self, account: str) -> str:
        """What only this person saw, in passing."""
        return "\n".join(_read(each) for each in self.slack.ephemerals(user_id(account)))


def _read(message: Mapping[str, Any]) -> str:
    return texts(message["blocks"]) if message.get("blocks") else str(message.get("text", ""))


def settings_of(slack: FakeSlack, mode: str, approvals: Channel | None) -> dict[str, Any]:
    way = {"slack_app_token": APP_TOKEN} if mode == "socket" else {"slack_signing_secret": SECRET}
    channel = {"slack_approvals": approvals.id} if approvals else {}
    # Everybody was linked long ago; what a new link brings is in test_linking.py.
    known = {"quarantine": timedelta(0)}
    return {"slack_bot_token": BOT_TOKEN, "slack_api_url": slack.api_url, **way, **channel, **known}


@asynccontextmanager
async def work(
    data: Path, mode: str = "socket", slack: FakeSlack | None = None, **settings: Any
) -> AsyncIterator[Work]:
    """The desk in its workspace. Give the same ``slack`` and folder again: a restart."""
    with contextlib.ExitStack() as stack:
        slack = slack or stack.enter_context(FakeSlack.running())
        approvals = next((c for c in slack.state.channels.values() if c.name == "approvals"), None)
        approvals = approvals or slack.add_channel("approvals", private=True)
        async with house(data, **{**settings_of(slack, mode, approvals), **settings}) as running:
            for person in await running.app.company.directory.search("", limit=1000):
                if user_id(person.account) not in slack.state.users:
                    slack.add_user(person.mail, person.name, user_id=user_id(person.account))
                approvals.members.add(user_id(person.account))
            async with _serving(running, slack, mode):
                yield Work(running, slack, approvals)
            running.canary.absent_from(repr(slack.calls), "what Slack was told")


@asynccontextmanager
async def _serving(running: House, slack: FakeSlack, mode: str) -> AsyncIterator[None]:
    """Signed HTTP needs an address; Socket Mode a socket that is open."""
    if mode == "socket":
        end = time.monotonic() + 10
        while not slack.sockets:
            assert time.monotonic() < end, "no socket was opened"
            await asyncio.sleep(0.01)
        yield
        return
    server = running.app.server()
    server.config.port = 0
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    slack.events_url = f"http://127.0.0.1:{port}{PATH}"
    try:
        yield
    finally:
        server.should_exit = True
        await task
