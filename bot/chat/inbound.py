"""What comes in from a chat platform, and what may be answered in the same breath."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from bot.chat.card import Card


class InboundKind(StrEnum):
    MESSAGE = "message"  # words; ``text``
    PRESS = "press"  # a button, or a form sent off; ``handle`` and ``fields``
    COMMAND = "command"  # a slash command; ``text`` without its name
    OVERVIEW = "overview"  # a person opened the page on which their requests and access stand
    ARRIVAL = "arrival"  # the app was added for a person, by whomever: from now on they can be reached


class Inbound(BaseModel):
    """One event of one platform. ``id`` is the platform's own and unique within it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: str
    id: str = Field(max_length=200)
    kind: InboundKind
    account: str = Field(max_length=200)  # the platform's immutable user id
    conversation: str = Field(max_length=200)
    direct: bool = True  # a conversation of this account and the bot alone
    text: str = ""
    handle: str = Field(default="", max_length=64)
    fields: dict[str, str] = Field(default_factory=dict)
    message_id: str = ""  # of the card that was pressed, or of the message itself
    reply_url: str = ""  # the platform's own address for an answer that this person alone sees
    overview: bool = False  # pressed on the person's overview, which is shown anew after it
    at: datetime  # UTC

    @property
    def key(self) -> str:
        """Unique over all platforms."""
        return f"in:{self.platform}:{self.id}"


class Ack(BaseModel):
    """Answered within a second; whatever else there is follows by send and update."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notice: str = ""  # one line for this person's eyes only
    errors: dict[str, str] = Field(default_factory=dict)  # input name -> what is wrong with it
    form: Card | None = None  # its inputs have to be filled in first: for platforms that ask in a window
    card: Card | None = None  # what the pressed card shows now: for platforms that replace it at once
    working: bool = False  # not finished within the second
    duplicate: bool = False  # seen before: nothing was done again
