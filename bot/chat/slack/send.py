"""Slack as a chat platform: cards as Block Kit, each posted once, every copy kept up to date.

Slack takes no idempotency key. So each message carries a mark (the id of its first block), and where it
cannot be known whether a message stands there already (an answer was lost, the process has just begun),
the conversation is looked through for its mark before anything is posted.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import structlog

from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.platform import Account, MessageRef, PlatformDown, Section, Unreachable
from bot.chat.slack import render
from bot.chat.slack.api import Api, Lost, Refused
from bot.chat.slack.identity import Members

LOOK_BACK_S = 15 * 60.0  # after the start: how long a message may be one that an earlier process posted
_LOOKED_AT = 50  # messages of a conversation
_REMEMBERED = 20_000
_SIGN = "hourglass_flowing_sand"
_WHISPERS = 4  # a response_url takes five

WORKING = "Working on it…"
TOO_LATE = "I was too slow to open the form. Please press the button again."

log = structlog.get_logger()


class SlackPlatform:
    name: str = "slack"
    replaces: bool = False
    typed_commands: bool = False

    def __init__(self, api: Api, approvals: str, *, reply_hosts: frozenset[str], help_desk: str = "") -> None:
        """:param approvals: id of the approvals channel; empty: there is none
        :param help_desk: id of the help desk's channel; likewise
        :param reply_hosts: where a response_url may lead"""
        self.api = api
        self.members = Members(api)
        self._approvals = approvals
        self._help_desk = help_desk
        self._reply_hosts = reply_hosts
        self._sent: OrderedDict[str, tuple[MessageRef, str]] = OrderedDict()  # mark -> where, which content
        self._doubted: set[str] = set()  # marks of which the answer was lost
        self._looked: set[str] = set()  # conversations that were looked through since the start
        self._direct: dict[str, str] = {}  # account -> conversation
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._signs: set[str] = set()  # inbounds that carry a sign
        self._started = time.monotonic()

    async def account(self, account: str, *, fresh: bool) -> Account:
        return await self.members.account(account, fresh=fresh)

    async def find(self, mail: str) -> Account | None:
        try:
            return await self.members.find(mail)
        except Refused as error:
            log.error("slack.refused", reason=str(error))
            return None

    async def direct(self, account: str) -> str:
        if account not in self._direct:
            answer = await self._ask("conversations.open", users=account)
            self._direct[account] = str(answer["channel"]["id"])
        return self._direct[account]

    def approvals(self) -> str | None:
        return self._approvals or None

    def help_desk(self) -> str | None:
        return self._help_desk or None

    async def send(self, conversation: str, card: Card, *, key: str) -> MessageRef:
        mark = hashlib.sha256(key.encode()).hexdigest()[:32]
        message = render.message(card, mark)
        async with self._turns.setdefault(mark, asyncio.Lock()):
            known = self._sent.get(mark) or await self._stands(conversation, mark)
            if known is None:
                return await self._post(conversation, message, mark)
            ref, content = known
            if content != _content(message):
                await self._change(ref, message, mark)
            return ref

    async def update(self, ref: MessageRef, card: Card) -> None:
        await self._change(ref, render.message(card), "")

    async def whisper(self, inbound: Inbound, cards: Sequence[Card]) -> None:
        """By the response_url; a press on such an answer replaces it. Where that is used up or too old,
        in the direct conversation."""
        for number, card in enumerate(cards):
            body = {
                **render.message(card),
                "response_type": "ephemeral",
                "replace_original": inbound.kind is InboundKind.PRESS and number == 0,
            }
            if number >= _WHISPERS or not await self._replied(inbound, body):
                await self.send(await self.direct(inbound.account), card, key=f"{inbound.key}:{number}")

    async def overview(self, account: str, sections: Sequence[Section], note: str = "") -> None:
        await self._ask("views.publish", user_id=account, view=render.page(sections, note))

    async def open_form(self, trigger: str, view: Mapping[str, Any]) -> None:
        """:raises Unreachable: the trigger is too old; :raises PlatformDown:"""
        await self._ask("views.open", trigger_id=trigger, view=view)

    async def working(self, inbound: Inbound) -> None:
        """An hourglass at the message; for a command or a press a line of text."""
        if inbound.kind in (InboundKind.COMMAND, InboundKind.PRESS):
            await self._aside(inbound, WORKING)
        elif inbound.message_id and await self._sign("reactions.add", inbound):
            self._signs.add(inbound.key)

    async def late(self, inbound: Inbound, ack: Ack) -> None:
        if inbound.key in self._signs:
            self._signs.discard(inbound.key)
            await self._sign("reactions.remove", inbound)
        notice = TOO_LATE if ack.errors else ack.notice
        if notice:
            await self._aside(inbound, notice)

    async def _sign(self, method: str, inbound: Inbound) -> bool:
        channel, _ = _place(inbound.conversation)
        try:
            await self.api.call(method, channel=channel, timestamp=inbound.message_id, name=_SIGN)
        except (Refused, PlatformDown) as error:  # a sign is a courtesy: the answer comes with or without it
            log.warning("slack.sign_lost", reason=str(error))
            return False
        return True

    async def _aside(self, inbound: Inbound, text: str) -> None:
        """A line for this person alone, where they are."""
        body = {"response_type": "ephemeral", "replace_original": False, "text": render.fallback(text)}
        if inbound.reply_url and await self._replied(inbound, body):
            return
        channel, thread = _place(inbound.conversation)
        try:
            if not inbound.overview:
                await self._whisper(channel, inbound.account, text, thread)
                return
        except Unreachable as error:  # they are not in that conversation
            log.info("slack.said_in_private", reason=str(error))
        await self._whisper(await self.direct(inbound.account), inbound.account, text)

    async def _whisper(self, channel: str, account: str, text: str, thread: str = "") -> None:
        args = {"thread_ts": thread} if thread else {}
        said = render.fallback(text)
        await self._ask("chat.postEphemeral", channel=channel, user=account, text=said, **args)

    async def _replied(self, inbound: Inbound, body: Mapping[str, Any]) -> bool:
        """False: the address leads elsewhere, or is used up."""
        parts = urlsplit(inbound.reply_url)
        if parts.netloc not in self._reply_hosts:
            return False
        status, said = await self.api.post(inbound.reply_url, body)
        if status != 200:
            log.warning("slack.reply_refused", status=status, reason=said[:60])
        return status == 200

    async def _post(self, conversation: str, message: Mapping[str, Any], mark: str) -> MessageRef:
        channel, thread = _place(conversation)
        args = {"thread_ts": thread} if thread else {}
        try:
            answer = await self._ask(
                "chat.postMessage", channel=channel, unfurl_links=False, unfurl_media=False, **args, **message
            )
        except Lost:
            self._doubted.add(mark)
            raise
        ref = MessageRef(self.name, str(answer.get("channel", channel)), str(answer["ts"]))
        self._remember(mark, ref, _content(message))
        return ref

    async def _change(self, ref: MessageRef, message: Mapping[str, Any], mark: str) -> None:
        await self._ask("chat.update", channel=_place(ref.conversation)[0], ts=ref.message_id, **message)
        if mark:
            self._remember(mark, ref, _content(message))

    async def _stands(self, conversation: str, mark: str) -> tuple[MessageRef, str] | None:
        """A message that was posted without our knowing, where that can be told."""
        doubted = mark in self._doubted
        young = time.monotonic() - self._started < LOOK_BACK_S
        if ":" in conversation or not (doubted or (young and conversation not in self._looked)):
            return None
        try:
            answer = await self.api.call("conversations.history", channel=conversation, limit=_LOOKED_AT)
        except Refused as error:  # a public channel, of which Deskhand may not read the history
            log.warning("slack.cannot_look_back", conversation=conversation, reason=error.code)
        else:
            for found, ref in _marks(answer, conversation):
                if found not in self._sent:
                    self._remember(found, ref, "")
        self._looked.add(conversation)
        self._doubted.discard(mark)
        return self._sent.get(mark)

    def _remember(self, mark: str, ref: MessageRef, content: str) -> None:
        self._sent[mark] = (ref, content)
        self._sent.move_to_end(mark)
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    async def _ask(self, method: str, **args: Any) -> Mapping[str, Any]:
        """:raises Unreachable: Slack has no way there, or does not take this; :raises PlatformDown:"""
        try:
            return await self.api.call(method, **args)
        except Refused as error:
            raise Unreachable(str(error)) from error


def _place(conversation: str) -> tuple[str, str]:
    """Channel and thread of "C123" or "C123:1700000000.000100"."""
    channel, _, thread = conversation.partition(":")
    return channel, thread


def _content(message: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(message).encode("utf-8", "replace")).hexdigest()


def _marks(answer: Mapping[str, Any], conversation: str) -> list[tuple[str, MessageRef]]:
    """The marks of the bot's messages in an answer of conversations.history, the oldest first."""
    found = []
    for message in reversed(answer.get("messages") or []):
        blocks = message.get("blocks") or [{}]
        if message.get("bot_id") and message.get("ts") and (mark := blocks[0].get("block_id")):
            found.append((str(mark), MessageRef(SlackPlatform.name, conversation, str(message["ts"]))))
    return found
