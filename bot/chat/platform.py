"""What a chat platform can do for the desk. One folder a platform implements it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound

Receive = Callable[[Inbound], Awaitable[Ack]]


class PlatformDown(Exception):
    """The platform did not take the message now; sending it again later is right."""


class Unreachable(Exception):
    """The platform has no way to this conversation; trying again will not help."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a sent card stands, so that it can be changed later."""

    platform: str
    conversation: str
    message_id: str


class Platform(Protocol):
    name: str

    async def direct(self, account: str) -> str:
        """The conversation of this account with the bot. :raises Unreachable:"""

    def approvals(self) -> str | None:
        """The approvals channel's conversation, or None where there is none."""

    async def send(self, conversation: str, card: Card, *, key: str) -> MessageRef:
        """Post a card. The same ``key`` again posts nothing: the first message is returned, and shows
        this card from now on, as far as the platform allows. :raises PlatformDown:, :raises Unreachable:"""

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Replace a card that was sent. :raises PlatformDown:, :raises Unreachable:"""
