"""From what was understood to what is asked: each slot filled from the catalogue and the directory.

A guess never becomes a value by itself: it names an entry that exists, or it becomes a picker.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any

from bot.procedures import listed, say
from bot.procedures.action import Grant, Impossible, Slot, SlotKind, World
from bot.procedures.guess import Filled, Guess
from bot.procedures.request import Pick
from integrations.contract import AmbiguousName, Person, UnknownPerson

HOW_TO_WRITE = {
    SlotKind.SPAN: 'Write it like "2 weeks", "until Friday" or "Dec 24-31".',
    SlotKind.DAYS: 'Write it like "Dec 24-31", "next week" or "Friday afternoon".',
    SlotKind.TEXT: "Write it in a sentence or two.",
}
SEVERAL = 5  # things asked for at once
_SPANS = (24 * 60, 7 * 24 * 60, 14 * 24 * 60, 30 * 24 * 60)  # minutes, offered where no time was named
_LONGEST = 10 * 365 * 24 * 60  # minutes; what a rule allows is far less


async def fill(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    """:raises Impossible: there is nothing to choose from, :raises SystemDown:"""
    if guess and guess.value is not None and not _fits(slot.kind, guess.value):
        guess = None  # whatever understood the words is not trusted with the form of its answer either
    return await _FILLED[slot.kind](slot, guess, sender, world)


def _fits(kind: SlotKind, value: Any) -> bool:
    """Whether a value has the form in which its slot is stored."""
    if kind is SlotKind.RESOURCES:
        return isinstance(value, list) and bool(value) and all(map(_is_wish, value))
    if kind not in (SlotKind.SPAN, SlotKind.DAYS):
        return isinstance(value, str)
    if not isinstance(value, dict):
        return False
    if kind is SlotKind.DAYS:
        halves = {name: value[name] for name in value if name not in ("first", "last")}
        days = [value.get("first"), value.get("last")]
        return set(halves) <= {"half_first", "half_last"} and all(map(_is_day, days))
    if set(value) == {"minutes"}:
        return type(value["minutes"]) is int and 0 < value["minutes"] <= _LONGEST
    return set(value) in ({"until"}, {"from", "until"}) and all(map(_is_moment, value.values()))


def _is_wish(value: object) -> bool:
    """One of several things: an entry, or those that come close to what was named."""
    if not isinstance(value, dict) or not set(value) <= {"resource", "close", "span"}:
        return False
    near = value.get("close", [])
    named = isinstance(value.get("resource", ""), str) and ("resource" in value) != ("close" in value)
    listed = isinstance(near, list) and all(isinstance(key, str) for key in near)
    return named and listed and ("span" not in value or _fits(SlotKind.SPAN, value["span"]))


def _is_moment(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_day(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(date.fromisoformat(text))
    except ValueError:
        return False


async def _text(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    """What they wrote, kept where people's words are kept."""
    said = guess.text.strip() if guess else ""
    if not said:
        return Pick(slot=slot.name, note=slot.question, written=True, long=True)
    return Filled(await world.requests.keep(sender.id, said))


async def _word(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    if guess and guess.value and re.fullmatch(slot.pattern, guess.value):
        return Filled(guess.value)
    raise Impossible(slot.question)


async def _date(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    return Filled(guess.value) if guess and guess.value else Pick(slot=slot.name, note=slot.question)


async def _days(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    if guess and guess.value:
        return Filled(guess.value)
    said = f"{guess.problem} " if guess is not None and guess.problem else ""
    note = f"{said}{slot.question} {HOW_TO_WRITE[SlotKind.DAYS]}"
    return Pick(slot=slot.name, note=note, written=True)


async def _resource(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    if guess and guess.value in world.catalogue:
        return Filled(guess.value)
    near = guess.candidates if guess else ()
    close = tuple((key, label) for key, label in near if isinstance(key, str) and key in world.catalogue)
    if close:
        return Pick(slot=slot.name, options=close, note=f"{slot.question} Several come close.")
    every = tuple((each.key, each.name) for each in world.catalogue)
    return Pick(slot=slot.name, options=every, note=slot.question)


async def _resources(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    """Each of several entries; the first that is not clear is asked for."""
    if not guess or not guess.value:
        raise Impossible("Please name what you need access to in one sentence.")
    wishes: list[dict[str, Any]] = [dict(each) for each in guess.value]
    if len(wishes) > SEVERAL:
        raise Impossible(
            f"You named {len(wishes)} things. I ask for at most {SEVERAL} at once:"
            " please name the others in another message."
        )
    for at, each in enumerate(wishes):
        close = [entry for key in each.get("close", ()) if (entry := world.catalogue.get(key))]
        own = {"span": each["span"]} if "span" in each else {}
        options = tuple(
            ([*wishes[:at], {"resource": entry.key, **own}, *wishes[at + 1 :]], entry.name) for entry in close
        )
        if options:
            return Pick(slot=slot.name, options=options, note=slot.question)
    named = {each["resource"]: each for each in reversed(wishes) if each.get("resource") in world.catalogue}
    unknown = [each for each in wishes if each.get("resource") not in world.catalogue]
    kept = [each for each in wishes if each is named.get(each.get("resource", ""))]
    return Filled([*kept, *({"close": []} for _ in unknown)])


async def _span(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    if guess and guess.value:
        return Filled(guess.value)
    options = tuple(({"minutes": minutes}, say.length(minutes)) for minutes in _SPANS)
    said = f"{guess.problem} " if guess is not None and guess.problem else ""
    note = f'{said}{slot.question} Choose one, or write it, like "until Friday" or "Dec 24-31".'
    return Pick(slot=slot.name, options=options, note=note, written=True)


async def _report(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    reports = await world.directory.reports(sender.id)
    if guess and guess.value in {person.id for person in reports}:
        return Filled(guess.value)  # picked from the list
    written = guess.text.strip() if guess and guess.text else ""
    if written:
        named = [person for person in reports if _goes_by(person, written)]
        if len(named) == 1:
            return Filled(named[0].id)
        if not named and (other := await _known(written, world)):
            return Filled(
                other.id
            )  # not theirs: the gate says no, and the audit trail keeps whom they asked for
        reports = named or reports
    if not reports:
        raise Impossible("Nobody reports to you in the directory, so I cannot do this for anybody else.")
    note = (
        slot.question if not written or len(reports) > 1 else f"I do not know whom you mean. {slot.question}"
    )
    return Pick(
        slot=slot.name, options=tuple((each.id, f"{each.name}, {each.title}") for each in reports), note=note
    )


async def _grant(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    grants = await world.requests.grants_of(sender.id)
    if not grants:
        raise Impossible("You hold no access that I gave you, so there is nothing for me to take back.")
    keys = {guess.value} | {key for key, _ in guess.candidates} if guess else set()
    meant = [each for each in grants if each.ref in keys or each.resource in keys]
    if len(meant) == 1 or (len(grants) == 1 and not keys - {None}):
        return Filled((meant or grants)[0].ref)
    options = tuple((each.ref, _label(each, world, sender)) for each in meant or grants)
    return Pick(slot=slot.name, options=options, note=slot.question)


async def _known(written: str, world: World) -> Person | None:
    try:
        if "@" in written:
            return await world.directory.by_mail(written)
        return await world.directory.by_name(written)
    except (UnknownPerson, AmbiguousName):
        return None


def _goes_by(person: Person, written: str) -> bool:
    asked = written.casefold().lstrip("@")
    return asked in (person.mail.casefold(), person.account.casefold(), person.name.casefold()) or asked in (
        person.name.casefold().split()
    )


def _label(grant: Grant, world: World, sender: Person) -> str:
    resource = world.catalogue.get(grant.resource)
    name = resource.name if resource else grant.resource
    return f"{name}, until {say.moment(grant.ends_at, sender.time_zone)}" if grant.ends_at else name


_Fill = Callable[[Slot, Guess | None, Person, World], Awaitable[Filled | Pick]]

_FILLED: Mapping[SlotKind, _Fill] = {
    SlotKind.RESOURCE: _resource,
    SlotKind.RESOURCES: _resources,
    SlotKind.SPAN: _span,
    SlotKind.REPORT: _report,
    SlotKind.GRANT: _grant,
    SlotKind.WORD: _word,
    SlotKind.TEXT: _text,
    SlotKind.DAYS: _days,
    SlotKind.DATE: _date,
    SlotKind.LEAVE: listed.leave,
    SlotKind.POLICY: listed.policy,
    SlotKind.ITEM: listed.item,
}
