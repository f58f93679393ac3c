"""Slots that are filled from a list of another system: booked time off, kinds of it, things to order.

The words only narrow the list down: what is not on it cannot be meant, and of several one picks.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot.chat.clean import plain
from bot.procedures.action import Impossible, Slot, SlotKind, World
from bot.procedures.guess import Filled, Guess
from bot.procedures.leave import described, today
from bot.procedures.request import Pick
from integrations.contract import AmbiguousName, Person, UnknownPerson
from integrations.work import Item, Leave

_AHEAD = timedelta(days=731)  # of booked time off that is looked for
_OFFERED = 25  # options of a list
_SICK = re.compile(
    r"\b(?:sick|ill|unwell|flu|fever|migraine|doctor(?:'?s note)?|not (?:feeling )?well|food poisoning|"
    r"(?:a|the|caught a|bad) cold|hospital|threw up|vomiting|injured|broke my)\b",
    re.IGNORECASE,
)
_OTHER_KINDS = re.compile(  # that the ordinary policy is not meant by
    r"\b(?:parental|maternity|paternity|unpaid|bereavement|compassionate|jury duty|study|sabbatical|"
    r"volunteer(?:ing)?|comp(?:ensatory)? time|toil)\b",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(  # "Ana is sick today", "Ana Ruiz needs Friday off"
    r"\W*(?:(?:hi|hello|hey|please|my report|my colleague)\W+)*([A-Z][\w'-]+(?: [A-Z][\w'-]+)?)"
    r" (?:is|has|was|will|needs|wants|would|called in)\b"
)
# The policy meant by "time off".
_ORDINARY = ("vacation", "annual", "holiday", "pto", "paid time off", "leave")


async def leave(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    """One that has not begun. Days that were named say which. :raises Impossible: there is none"""
    now = today(world, sender)
    booked = await world.time_off.booked(sender.id, now, now + _AHEAD)
    mine = [each for each in booked if each.first > now]
    if not mine:
        raise Impossible("You have no time off booked that has not begun.")
    if guess and guess.value in {each.id for each in mine}:
        return Filled(guess.value)
    named = [each for each in mine if guess and _touches(each, guess)]
    dated = bool(guess and guess.candidates)
    if len(named) == 1 or (len(mine) == 1 and not dated):
        return Filled((named or mine)[0].id)
    options = tuple((each.id, described(each).capitalize()) for each in (named or mine)[:_OFFERED])
    missed = "None of yours is on those days. " if dated and not named else ""
    return Pick(slot=slot.name, options=options, note=f"{missed}{slot.question}")


async def policy(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    """:raises Impossible: they have none"""
    balances = await world.time_off.balances(sender.id, today(world, sender))
    names = {each.policy_id: plain(each.policy, 60) for each in balances}
    if not names:
        raise Impossible("You have no time-off policy on record. HR can tell why.")
    if guess and guess.value in names:
        return Filled(guess.value)
    await _for_themselves(guess, sender, world)
    said = guess.text.casefold() if guess else ""
    found = [key for key, name in names.items() if _said(name, said)]
    sick = [key for key, name in names.items() if _SICK.search(name)]
    ordinary = [key for key, name in names.items() if any(word in name.casefold() for word in _ORDINARY)]
    if not found and (kind := _OTHER_KINDS.search(said)):
        there = ", ".join(names.values())
        raise Impossible(f"I see no {kind[0]} leave of yours on record, only: {there}. HR can enter it.")
    for fits in (found, sick if _SICK.search(said) else ordinary, list(names)):
        if len(fits) == 1:
            return Filled(fits[0])
    options = tuple((key, names[key]) for key in found or list(names))
    return Pick(slot=slot.name, options=options[:_OFFERED], note=slot.question)


async def _for_themselves(guess: Guess | None, sender: Person, world: World) -> None:
    """:raises Impossible: the words are about somebody else, whose time off is theirs to ask for"""
    named = _SOMEBODY.match(guess.text) if guess else None
    if named is None:
        return
    try:
        other = await world.directory.by_name(named[1])
    except AmbiguousName as several:
        other = several.candidates[0]
    except UnknownPerson:
        return
    if other.id != sender.id:
        raise Impossible(
            f"Time off is entered for whoever asks for it. {plain(named[1], 60)} can write to me."
        )


async def item(slot: Slot, guess: Guess | None, sender: Person, world: World) -> Filled | Pick:
    """:raises Impossible: nothing can be ordered"""
    items = await world.equipment.items() if world.equipment else []
    offered = [each for each in items if not slot.of or each.kind == slot.of]
    if not offered:
        raise Impossible("I have no list of what can be ordered. Open a ticket for it.")
    if guess and guess.value in {each.key for each in offered}:
        return Filled(guess.value)
    said = guess.text.casefold() if guess else ""
    named = [
        each for each in offered if any(_said(name, said) for name in (each.name, each.key, *each.aliases))
    ]
    done = {each.kind for each in named}
    kinds = [each for each in offered if each.kind not in done and each.kind and _said(each.kind, said)]
    close = [*named, *kinds] if not slot.of else named
    if len(close) == 1:
        return Filled(close[0].key)
    note = f"{slot.question} One at a time, please." if named and kinds else slot.question
    if said and not close and not slot.of:
        note = f"{slot.question} I know these things; for anything else open a ticket."
    options = tuple((each.key, _label(each)) for each in (close or offered)[:_OFFERED])
    return Pick(slot=slot.name, options=options, note=note)


async def says_which(slot: Slot, said: str, sender: Person, world: World) -> bool:
    """Whether the words name a kind of time off, or a thing, at all."""
    if slot.kind is SlotKind.ITEM:
        items = await world.equipment.items() if world.equipment else []
        names = [name for each in items for name in (each.name, each.key, each.kind, *each.aliases)]
    else:
        balances = await world.time_off.balances(sender.id, today(world, sender))
        names = [*(plain(each.policy, 60) for each in balances), *_ORDINARY]
        if _SICK.search(said) or _OTHER_KINDS.search(said):
            return True
    return any(_said(name, said.casefold()) for name in names)


def _label(each: Item) -> str:
    return f"{plain(each.name, 50)}, {each.price:,.2f} {each.currency}"


def _said(name: str, said: str) -> bool:
    """Whether the words name it, as words of their own and in one piece."""
    name = re.escape(name.casefold()).replace(r"\-", "[- ]").replace(r"\ ", r"[- ]?")
    return bool(name) and re.search(rf"(?<!\w){name}(?:s|es)?(?!\w)", said) is not None


def _touches(each: Leave, guess: Guess) -> bool:
    days = guess.candidates[0][0] if guess.candidates else None
    if not isinstance(days, dict):
        return False
    return each.first <= date.fromisoformat(days["last"]) and date.fromisoformat(days["first"]) <= each.last
