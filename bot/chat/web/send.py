"""The web desk as a chat platform: cards go into its message store and to every open window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound
from bot.chat.platform import Account, MessageRef, PlatformDown, Section, Unreachable
from bot.chat.web.live import Live
from bot.chat.web.render import shown
from bot.chat.web.store import BOT, Message, Messages, StoreDown

APPROVALS = "approvals"
HELP_DESK = "help-desk"
DIRECT = "dm:"
ACCOUNT_LENGTH = 100  # characters; Inbound.id holds an account and a client's id in 200


class WebPlatform:
    name: str = "web"
    replaces: bool = False
    typed_commands: bool = False

    def __init__(self, path: Path | str) -> None:
        """:param path: the SQLite file of the messages; made where it is missing."""
        self.messages = Messages(path)
        self.live = Live()

    async def account(self, account: str, *, fresh: bool) -> Account:
        """On loopback one chooses who one is."""
        return Account(account, person=account, refused="" if account else "nobody")

    async def find(self, mail: str) -> Account | None:
        return None

    async def direct(self, account: str) -> str:
        if not account or len(account) > ACCOUNT_LENGTH:
            raise Unreachable(f"no web account can be called {account[:ACCOUNT_LENGTH]!r}")
        return DIRECT + account

    def approvals(self) -> str | None:
        return APPROVALS

    def help_desk(self) -> str | None:
        return HELP_DESK

    async def send(self, conversation: str, card: Card, *, key: str) -> MessageRef:
        direct = conversation.startswith(DIRECT) and conversation != DIRECT
        if conversation not in (APPROVALS, HELP_DESK) and not direct:
            raise Unreachable(f"the web desk has no conversation {conversation[:200]!r}")
        try:
            now = shown(card).model_dump_json()
            message, new = await self.messages.add(conversation, f"bot:{key}", BOT, card=now)
            old = message.card != now  # sent by a process that died before it could note that
            if old:
                await self.messages.replace_card(message.id, now)
        except StoreDown as error:
            raise PlatformDown(str(error)) from error
        if new or old:
            self.live.changed(conversation)
        return MessageRef(self.name, conversation, str(message.id))

    async def update(self, ref: MessageRef, card: Card) -> None:
        try:
            there = await self.message(ref.message_id)
            if there is None or there.conversation != ref.conversation or there.author != BOT:
                raise Unreachable(
                    f"the web desk has no card {ref.message_id[:40]!r} in {ref.conversation[:200]!r}"
                )
            await self.messages.replace_card(there.id, shown(card).model_dump_json())
        except StoreDown as error:
            raise PlatformDown(str(error)) from error
        self.live.changed(ref.conversation)

    async def whisper(self, inbound: Inbound, cards: Sequence[Card]) -> None:
        where = await self.direct(inbound.account)
        for number, card in enumerate(cards):
            await self.send(where, card, key=f"{inbound.key}:{number}")

    async def overview(self, account: str, sections: Sequence[Section], note: str = "") -> None:
        """There is no such page: "my requests" says the same."""

    async def working(self, inbound: Inbound) -> None:
        """The page shows that by itself while its request is under way."""

    async def late(self, inbound: Inbound, ack: Ack) -> None:
        """What an Ack says in passing stands on the cards too."""

    async def message(self, message_id: str) -> Message | None:
        """:raises StoreDown:"""
        number = (
            int(message_id) if message_id.isascii() and message_id.isdigit() and len(message_id) < 19 else 0
        )
        return await self.messages.get(number)

    async def close(self) -> None:
        self.live.close()
        await self.messages.close()
