"""The neutral card: what a person is shown, as structure and plain text, on any chat platform.

No field carries markup. A platform renders every string as text, and what people wrote stands
only in ``quotes``, each under its own label. Everything is JSON both ways (pydantic).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Tone(StrEnum):
    """How a button or a card is coloured; never the only carrier of a meaning."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"
    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(_Part):
    label: str
    value: str


class Quote(_Part):
    """Words of a person, untrusted: plain text under a label that says whose they are."""

    label: str
    text: str


class Option(_Part):
    value: str
    label: str
    hint: str = ""


class TextInput(_Part):
    kind: Literal["text"] = "text"
    name: str
    label: str
    placeholder: str = ""
    required: bool = True
    multiline: bool = False
    max_length: int = 500


class ChoiceInput(_Part):
    kind: Literal["choice"] = "choice"
    name: str
    label: str
    options: tuple[Option, ...]
    required: bool = True


class CheckInput(_Part):
    """A box to tick; its field is "yes" when ticked and absent when not."""

    kind: Literal["check"] = "check"
    name: str
    label: str
    required: bool = False


Input = Annotated[TextInput | ChoiceInput | CheckInput, Field(discriminator="kind")]


class Button(_Part):
    """A press sends the opaque handle and the card's input fields, nothing else."""

    label: str
    handle: str
    tone: Tone = Tone.PLAIN
    sends_inputs: bool = True  # False: a press needs no input filled in (Deny, Cancel)


class Link(_Part):
    """A page of Deskhand's own; never an address that came from a person."""

    label: str
    url: str


class Card(_Part):
    title: str
    text: str = ""
    tone: Tone = Tone.PLAIN
    status: str = ""  # one or two words beside the title: "Waiting for Bo Lind"
    facts: tuple[Fact, ...] = ()
    quotes: tuple[Quote, ...] = ()
    inputs: tuple[Input, ...] = ()
    buttons: tuple[Button, ...] = ()
    links: tuple[Link, ...] = ()
    footer: str = ""  # small print: reference, when it expires
