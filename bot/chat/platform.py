"""What a chat platform can do for the desk. One folder a platform implements it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound

ANSWER_WITHIN_S = 1.0  # how long an Ack waits for what is being done


class Receive(Protocol):
    """``Desk.receive``. :raises StorageDown: it was not stored, so it must not be acknowledged"""

    def __call__(self, inbound: Inbound, within: float = ANSWER_WITHIN_S) -> Awaitable[Ack]: ...


class ChatWrong(Exception):
    """A chat service will never work with these settings; names them and says what to do."""


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


@dataclass(frozen=True, slots=True)
class Account:
    """What a platform says of one of its accounts at this moment."""

    id: str  # immutable
    person: str = ""  # id of the person, where the platform itself knows it (the web desk)
    mail: str = ""  # which the platform has confirmed to be theirs; links once, never identifies
    refused: str = ""  # why nobody behind it is served: "guest", "bot", ...; empty: a full member


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a person's overview."""

    title: str
    cards: Sequence[Card]
    more: int = 0  # how many there are beyond these


class Platform(Protocol):
    name: str
    replaces: bool  # an Ack's card takes the pressed one's place in the same answer
    typed_commands: bool  # there are no slash commands: what admins ask stands in messages

    async def account(self, account: str, *, fresh: bool) -> Account:
        """Who this is, by the platform's word. ``fresh``: not from what was read a moment ago.
        :raises PlatformDown:"""

    async def find(self, mail: str) -> Account | None:
        """The account with this confirmed mail address. None: there is none, or the platform has no such
        look-up. :raises PlatformDown:"""

    async def direct(self, account: str) -> str:
        """The conversation of this account with the bot. :raises PlatformDown:, :raises Unreachable:"""

    def approvals(self) -> str | None:
        """The approvals channel's conversation, or None where there is none."""

    def help_desk(self) -> str | None:
        """The conversation of the people at the help desk, or None where there is none."""

    async def send(self, conversation: str, card: Card, *, key: str) -> MessageRef:
        """Post a card. The same ``key`` again posts nothing: the first message is returned, and shows
        this card from now on, as far as the platform allows. :raises PlatformDown:, :raises Unreachable:"""

    async def update(self, ref: MessageRef, card: Card) -> None:
        """Replace a card that was sent. :raises PlatformDown:, :raises Unreachable:"""

    async def whisper(self, inbound: Inbound, cards: Sequence[Card]) -> None:
        """Answer where the person is, for their eyes alone; a press on such an answer replaces it.
        :raises PlatformDown:, :raises Unreachable:"""

    async def overview(self, account: str, sections: Sequence[Section], note: str = "") -> None:
        """Show this person their page. Nothing happens on a platform without such a page.
        :raises PlatformDown:, :raises Unreachable:"""

    async def working(self, inbound: Inbound) -> None:
        """A sign that the answer takes longer than a moment."""

    async def late(self, inbound: Inbound, ack: Ack) -> None:
        """The Ack that came after its deadline: take the sign away, say what it says.
        :raises PlatformDown:, :raises Unreachable:"""
