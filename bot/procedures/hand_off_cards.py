"""What the cards of a hand-off say, to helpers and to the person: pure functions of what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.chat.card import Button, Card, Fact, Quote, TextInput, Tone
from bot.chat.clean import plain
from bot.procedures.announce import HELP_DESK, Copy
from bot.procedures.briefing import Briefing
from bot.store.hand_offs import NOWHERE, HandOff, Kind, Said, Side
from bot.store.handles import Choice, Handles, Meaning

ANSWER = "answer"  # the field of what somebody says
ANSWER_CHARS = 2_000

_SHOWN = 3  # of what was said, on the helpers' card
_WITH_TICKET = (Kind.EXCEPTION, Kind.STUCK)  # of the others the receipt says where they are


@dataclass(frozen=True, slots=True)
class Matter:
    """Everything the cards of one hand-off are made of."""

    hand_off: HandOff
    told: Briefing
    said: Sequence[Said]
    words: Mapping[int, str] = field(default_factory=dict)  # number of what was said -> what
    outcome: str = ""  # of the request, as its requester reads it
    tickets: str = ""  # what the ticket system is called; empty: there is none


def copies(matter: Matter, channels: Sequence[str], handles: Handles) -> Iterator[Copy]:
    """Every card that should exist. A new one where somebody should notice, changed ones where not."""
    hand_off = matter.hand_off
    for name in channels:
        yield Copy(f"desk:{name}", HELP_DESK + name, for_helpers(matter, handles))
    if hand_off.kind in _WITH_TICKET:
        yield Copy("mine", hand_off.person, for_person(matter))
    for each in matter.said:
        if each.side is Side.HELPER:
            card = answer(matter, each, handles)
            yield Copy(f"said:{each.number}", hand_off.person, card)
        elif each.side is Side.PERSON:
            for name in channels:
                card = heard(matter, each, handles)
                yield Copy(f"said:{each.number}:{name}", HELP_DESK + name, card)
    if hand_off.ended and hand_off.ended != "ticket":  # of a closed ticket they hear by itself
        yield Copy(f"over:{len(matter.said)}", hand_off.person, over(matter))


def for_helpers(matter: Matter, handles: Handles) -> Card:
    hand_off, told = matter.hand_off, matter.told
    return Card(
        title=told.title,
        text=told.text,
        tone=Tone.WAIT if hand_off.open else Tone.GOOD,
        status=_status(hand_off),
        facts=(*told.facts, *_ticket(matter)),
        quotes=(*told.quotes, *_said(matter)),
        inputs=answer_input("Your answer") if hand_off.open else (),
        buttons=tuple(_buttons(hand_off, handles)),
        footer=hand_off.ref,
    )


def for_person(matter: Matter) -> Card:
    """That a person has it, and under which ticket."""
    hand_off = matter.hand_off
    where = f", under {hand_off.key}" if hand_off.key else ""
    text = (
        f"A person at the help desk has this{where}, with all that is known."
        " Their answer comes to you here; you need not say anything twice."
    )
    if hand_off.ended:
        text = "This is over."
    title = (
        "Your wish for an exception"
        if hand_off.kind is Kind.EXCEPTION
        else f"{hand_off.ref}: a person has it"
    )
    return Card(
        title=title,
        text=text,
        tone=Tone.WAIT if hand_off.open else Tone.GOOD,
        status=_status(hand_off),
        footer=f'{hand_off.ref} · to add something, write "{hand_off.name}: what you want to add"',
    )


def answer(matter: Matter, said: Said, handles: Handles) -> Card:
    """A helper's answer, with the place for the person's own."""
    title = f"{matter.hand_off.name}: an answer for you"
    quotes = (Quote(label=f"{said.author} wrote", text=matter.words[said.number]),)
    return reply_form(matter.hand_off, handles).model_copy(update={"title": title, "quotes": quotes})


def reply_form(hand_off: HandOff, handles: Handles) -> Card:
    """The place for what the person has to say."""
    reply = Meaning(hand_off.id, Choice.REPLY, hand_off.person, detail={"key": hand_off.id})
    return Card(
        title=f"{hand_off.name}: your answer",
        tone=Tone.PRIMARY,
        inputs=answer_input("Your answer"),
        buttons=(Button(label="Send", handle=handles.mint(reply), tone=Tone.PRIMARY),),
        footer=f'{hand_off.ref} · or write "{hand_off.ref}: your answer"',
    )


def heard(matter: Matter, said: Said, handles: Handles) -> Card:
    """For the helpers: what the person wrote back."""
    hand_off = matter.hand_off
    return Card(
        title=f"{matter.told.name} answers",
        text=matter.told.title,
        tone=Tone.PRIMARY,
        status=_status(hand_off),
        quotes=(Quote(label=f"{said.author} wrote", text=matter.words[said.number]),),
        inputs=answer_input("Your answer") if hand_off.open else (),
        buttons=tuple(_buttons(hand_off, handles)),
        footer=f"{hand_off.ref} · {hand_off.key}" if hand_off.key else hand_off.ref,
    )


def over(matter: Matter) -> Card:
    hand_off = matter.hand_off
    notes = [each.note for each in matter.said if each.side is Side.DESK]
    text = " ".join(filter(None, [*notes[-1:], matter.outcome if hand_off.kind is Kind.STUCK else ""]))
    return Card(
        title=f"{hand_off.name} is done",
        text=text,
        tone=Tone.GOOD,
        footer=f'If it is not solved, write "{hand_off.name}: what is still wrong"',
    )


def answer_input(label: str) -> tuple[TextInput, ...]:
    return (TextInput(name=ANSWER, label=label, multiline=True, max_length=ANSWER_CHARS),)


def _status(hand_off: HandOff) -> str:
    if hand_off.ended:
        return "Done"
    return f"{hand_off.holder} has it" if hand_off.holder else "Waits for a helper"


def _ticket(matter: Matter) -> Iterator[Fact]:
    hand_off = matter.hand_off
    if hand_off.key:
        yield Fact(label="Ticket", value=hand_off.key)
    elif matter.tickets and hand_off.place != NOWHERE and hand_off.open:
        value = f"Not yet: {matter.tickets} has not taken it. I go on trying."
        yield Fact(label="Ticket", value=value)


def _said(matter: Matter) -> Iterator[Quote]:
    """The last of it; the whole stands in messages of its own, and on the ticket."""
    for each in matter.said[-_SHOWN:]:
        if each.side is Side.DESK:
            yield Quote(label="Deskhand noted", text=each.note)
        else:
            yield Quote(label=f"{each.author} wrote", text=plain(matter.words[each.number], 600))


def _buttons(hand_off: HandOff, handles: Handles) -> Iterator[Button]:
    if not hand_off.open:
        return

    def handle(choice: Choice) -> str:
        return handles.mint(Meaning(hand_off.id, choice))

    yield Button(label="Answer", handle=handle(Choice.HELP_ANSWER), tone=Tone.PRIMARY)
    if not hand_off.holder:
        yield Button(label="Taken by me", handle=handle(Choice.HELP_TAKE), sends_inputs=False)
    yield Button(label="Done", handle=handle(Choice.HELP_DONE), sends_inputs=False)
