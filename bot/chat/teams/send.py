"""Teams as a chat platform: cards as Adaptive Cards, every copy kept up to date.

Teams takes no idempotency key, and lets no bot read a conversation: a message whose answer was lost is posted
again, and the earlier copy stays as it was. Its buttons are judged like any other, and a press on it shows
the present card.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import structlog

from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.places import Place
from bot.chat.platform import Account, MessageRef, Section, Unreachable
from bot.chat.teams import render
from bot.chat.teams.api import Api, Refused
from bot.chat.teams.gate import Home
from bot.chat.teams.identity import Members

_REMEMBERED = 20_000
_GONE = frozenset({403, 404})  # the app was taken away, or the conversation is no more

TOO_LATE = "Something is missing in that form, and I was too slow to say it there. Please press again."

log = structlog.get_logger()


class TeamsPlatform:
    name: str = "teams"
    replaces: bool = True
    typed_commands: bool = True

    def __init__(self, api: Api, home: Home, team: Place | None, help_desk: Place | None = None) -> None:
        """:param team: the approvals channel, where there is one
        :param help_desk: the help desk's channel; likewise"""
        self.api = api
        self.members = Members(
            api, home.tenants, team or help_desk, lenient=not home.app_id, directory=home.directory
        )
        self._home = home
        self._team = team
        self._help_desk = help_desk
        self._sent: OrderedDict[str, tuple[MessageRef, str]] = OrderedDict()  # key -> where, which content
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def account(self, account: str, *, fresh: bool) -> Account:
        return await self.members.account(account, fresh=fresh)

    async def find(self, mail: str) -> Account | None:
        return await self.members.find(mail)

    async def direct(self, account: str) -> str:
        place = await self.members.place_of(account) if account else None
        if place is None:
            raise Unreachable("Teams knows no way to them: they have to add Deskhand there first")
        if place.direct:
            return place.conversation
        body = {
            "isGroup": False,
            "bot": {"id": self._home.bot},
            "members": [{"id": place.user}],
            "tenantId": place.tenant,
            "channelData": {"tenant": {"id": place.tenant}},
        }
        try:
            conversation = await self.api.create(place.service_url, body)
        except Refused as error:
            raise Unreachable(str(error)) from error
        await self.members.places.keep(
            Place(conversation, account, place.user, place.service_url, place.tenant, True)
        )
        return conversation

    def approvals(self) -> str | None:
        return self._team.conversation if self._team else None

    def help_desk(self) -> str | None:
        return self._help_desk.conversation if self._help_desk else None

    async def send(self, conversation: str, card: Card, *, key: str) -> MessageRef:
        activity = render.message(card)
        async with self._turns.setdefault(key, asyncio.Lock()):
            known = self._sent.get(key)
            if known is None:
                message = await self.post(conversation, activity)
                ref = MessageRef(self.name, conversation, message)
            else:
                ref, content = known
                if content == _content(activity):
                    return ref
                await self._put(ref, activity)
            self._remember(key, ref, _content(activity))
            return ref

    async def update(self, ref: MessageRef, card: Card) -> None:
        await self._put(ref, render.message(card))

    async def whisper(self, inbound: Inbound, cards: Sequence[Card]) -> None:
        """Nothing in Teams is for one pair of eyes but the personal chat."""
        for number, card in enumerate(cards):
            if number == 0 and inbound.kind is InboundKind.PRESS and inbound.direct and inbound.message_id:
                await self.update(MessageRef(self.name, inbound.conversation, inbound.message_id), card)
            else:
                await self.send(await self.direct(inbound.account), card, key=f"{inbound.key}:{number}")

    async def overview(self, account: str, sections: Sequence[Section], note: str = "") -> None:
        """There is no such page: "my requests" says the same."""

    async def working(self, inbound: Inbound) -> None:
        """Three dots; a press was answered with words."""
        if inbound.kind is not InboundKind.PRESS:
            await self.post(inbound.conversation, {"type": "typing"})

    async def late(self, inbound: Inbound, ack: Ack) -> None:
        notice = TOO_LATE if ack.errors else ack.notice
        if notice:
            await self.post(await self.direct(inbound.account), render.line(notice))

    async def post(self, conversation: str, activity: Mapping[str, Any]) -> str:
        """The message's id. :raises Unreachable:, :raises PlatformDown:"""
        service = self._service(conversation)
        try:
            return await self.api.post(service, conversation, self._from_us(conversation, activity))
        except Refused as error:
            if error.status in _GONE and conversation not in (self.approvals(), self.help_desk()):
                await self.members.places.forget(base(conversation))
            raise Unreachable(str(error)) from error

    async def _put(self, ref: MessageRef, activity: Mapping[str, Any]) -> None:
        service = self._service(ref.conversation)
        said = {**self._from_us(ref.conversation, activity), "id": ref.message_id}
        try:
            await self.api.put(service, ref.conversation, ref.message_id, said)
        except Refused as error:
            raise Unreachable(str(error)) from error

    def _service(self, conversation: str) -> str:
        place = self.members.places.at(base(conversation))
        for channel in (self._team, self._help_desk):
            if place is None and channel and base(conversation) == channel.conversation:
                place = channel
        if place is None:
            raise Unreachable(f"Teams knows no conversation {conversation[:80]!r}")
        return place.service_url

    def _from_us(self, conversation: str, activity: Mapping[str, Any]) -> dict[str, Any]:
        sender = {"from": {"id": self._home.bot, "name": "Deskhand"}} if self._home.app_id else {}
        return {**activity, **sender, "conversation": {"id": conversation}}

    def _remember(self, key: str, ref: MessageRef, content: str) -> None:
        self._sent[key] = (ref, content)
        self._sent.move_to_end(key)
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)


def base(conversation: str) -> str:
    """A channel without the thread in it: "19:abc@thread.tacv2;messageid=17"."""
    return conversation.partition(";")[0]


def _content(activity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(activity).encode()).hexdigest()
