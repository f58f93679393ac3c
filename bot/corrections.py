"""Corrections in conversation: which pending request a "no, until Monday" is about, and what they read of it.

Words change what is asked for, never whom it is about: "for Bob, not me" ends what only Bob can ask for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.chat.card import Button, Card, Tone
from bot.chat.clean import plain
from bot.chat.inbound import Inbound
from bot.intent import corrections
from bot.intent.corrections import Correction
from bot.intent.understand import Proposal, SlotGuess, Understander
from bot.procedures.action import Slot, SlotKind
from bot.procedures.correcting import Change, Said
from bot.procedures.engine import Engine
from bot.procedures.lookup import Lookups
from bot.procedures.office import Office
from bot.procedures.request import CANCELLABLE, Request, State
from bot.store.handles import Choice, Handles, Meaning
from integrations.contract import AmbiguousName, Person, UnknownPerson

_LATELY = timedelta(minutes=10)  # what somebody did something about last is what they speak of
_OVER = timedelta(hours=1)  # as long as something that is done, or ended, is spoken of
_SURE = 0.7  # how likely another wish is, before it is no correction
_A_SENTENCE = 5  # words
_OFFERED = 5  # requests to choose from

WHICH = "Which of your requests do you want to change?"
WHAT = "I could not read what to change. Nothing is done before you say yes. What shall I ask you again?"
STOPPED = (
    "I could not read what to change, so I stopped it until you say yes again. What shall I ask you again?"
)
GIVE_UP = "Nothing is cancelled yet: press the button, and I cancel it."
SAME = "That is what it says already, so nothing changes."
UNREAD = "I could not read what to change, so nothing changes."
ENDED = "It has ended, so there is nothing left to change. Please ask for what you need in one sentence."
_STATES = {
    State.EXECUTING: "It is being done right now, so it can no longer be changed.",
    State.ACTIVE: "You have this already. Give it back, and ask again for what you want instead.",
    State.DONE: "It is done already, so it can no longer be changed.",
    State.REVOKING: "It is ending right now, so it can no longer be changed.",
    State.STUCK: "A person is looking at it, so it can no longer be changed here.",
}
_THEMSELVES = "This is done for whoever asks, so I cancelled yours. {name} can write to me."
_SOMEBODY = "The person it is for"

_PERSON = Slot("person", SlotKind.REPORT, "")


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message that may be a correction."""

    person: Person
    inbound: Inbound
    said: Correction
    words: str
    mine: Sequence[tuple[Request, datetime]]  # newest first, see ``Engine.recent``

    @property
    def told(self) -> Said:
        return Said(self.words, self.inbound.platform, self.inbound.key)

    @property
    def pending(self) -> list[Request]:
        return [each for each, _ in self.mine if each.state in CANCELLABLE]


class Corrections:
    def __init__(self, office: Office, engine: Engine, understander: Understander, lookups: Lookups) -> None:
        self._office = office
        self._engine = engine
        self._understander = understander
        self._lookups = lookups

    async def take(self, person: Person, inbound: Inbound, proposal: Proposal) -> list[Card] | None:
        """What they read, beside the cards of a request that changed. None: it is no correction."""
        if corrections.gives_up(inbound.text):
            return await self._give_up(person, inbound)
        said = corrections.read(inbound.text)
        if said is None or self._tells_a_matter(person):
            return None
        mine = self._engine.recent(person.id, _OVER)
        heard = _Heard(person, inbound, said, inbound.text, mine)
        if await self._answers(heard):
            return None
        if said.bare:
            return await self._bare(heard, proposal)
        if (cards := await self._for_somebody_else(heard)) is not None:
            return cards
        fits = [each for each in mine if await self._fits(heard, each[0], proposal)]
        return await self._about(heard, fits) if fits else await self._unread(heard, proposal)

    async def pressed(self, person: Person, meaning: Meaning, inbound: Inbound) -> list[Card]:
        """Which request their words were about, or which of its questions they want to answer anew."""
        ref, slot = str(meaning.detail["ref"]), str(meaning.detail.get("slot", ""))
        words = self._words(meaning.detail.get("words"))
        heard = _Heard(person, inbound, corrections.read(words) or Correction(words), words, ())
        if slot:
            return await self._told(heard, *await self._engine.ask_again(ref, person, slot, heard.told))
        request = self._engine.find(ref)
        return await self._correct(heard, request) if request else []

    # Which request

    async def _about(self, heard: _Heard, fits: list[tuple[Request, datetime]]) -> list[Card]:
        newest, touched = fits[0]
        pending = [each for each, _ in fits if each.state in CANCELLABLE]
        together = [each for each in pending if each.part_of and each.part_of == newest.part_of]
        lately = self._office.clock() - touched <= _LATELY
        if len(together) > 1 or (not lately and len(pending) > 1):
            return [await self._which(heard, together if len(together) > 1 else pending)]
        if together:  # one yes began all parts: the others are under way
            return await self._correct(heard, together[0])
        return await self._correct(heard, newest if lately or not pending else pending[0])

    async def _bare(self, heard: _Heard, proposal: Proposal) -> list[Card] | None:
        """A time alone is about the card that waits for a yes since a moment ago, or no correction."""
        if not heard.mine:
            return None
        request, touched = heard.mine[0]
        fresh = request.state is State.CONFIRMING and self._office.clock() - touched <= _LATELY
        other = proposal.action not in (None, request.action) and proposal.confidence >= _SURE
        if (
            not fresh
            or other
            or not await self._engine.meant(request, heard.person, self._times(heard, request))
        ):
            return None
        return await self._correct(heard, request)

    def _times(self, heard: _Heard, request: Request) -> dict[str, SlotGuess]:
        times = {
            slot.name
            for slot in self._office.registry[request.action].slots
            if slot.kind in (SlotKind.SPAN, SlotKind.DAYS)
        }
        return {name: guess for name, guess in self._guesses(heard, request).items() if name in times}

    async def _fits(self, heard: _Heard, request: Request, proposal: Proposal) -> bool:
        """Whether the words fill one of its slots, and are no wish for something else."""
        other = proposal.action not in (None, request.action) and proposal.confidence >= _SURE
        if other and len(heard.words.split()) >= _A_SENTENCE:
            return False
        return await self._engine.meant(request, heard.person, self._guesses(heard, request))

    def _guesses(self, heard: _Heard, request: Request) -> dict[str, SlotGuess]:
        """What is said for each slot that is filled, and what answers those that are not."""
        now, zone = self._office.clock(), heard.person.time_zone

        def fill(slot: Slot, text: str) -> SlotGuess:
            return self._understander.fill(slot, text, now=now, time_zone=zone)

        return {
            slot.name: corrections.said(
                slot, heard.said, request.params.get(slot.name), fill, now=now, time_zone=zone
            )
            for slot in self._office.registry[request.action].slots
        }

    async def _answers(self, heard: _Heard) -> bool:
        """Whether it is the answer to the open question, and changes nothing that was said before."""
        waiting = self._engine.waiting_question(heard.person.id)
        guesses = self._guesses(heard, waiting) if waiting else {}
        guess = guesses.get(waiting.pick.slot) if waiting and waiting.pick else None
        if waiting is None or guess is None or not (guess or guess.problem):
            return False
        return not await self._engine.meant(waiting, heard.person, guesses)

    def _tells_a_matter(self, person: Person) -> bool:
        """They were asked to tell something in their own words: whatever they write is that."""
        waiting = self._engine.waiting_question(person.id)
        return bool(waiting and waiting.pick and waiting.pick.long)

    async def _which(self, heard: _Heard, pending: Sequence[Request]) -> Card:
        kept = await self._note(heard, "correction.unclear", {"requests": [each.ref for each in pending]})
        with self._office.database.read() as conn:
            handles = Handles.of(conn, heard.inbound.key)
        buttons = tuple(
            Button(
                label=plain(f"{self._called(each)} ({each.ref})", 75),
                handle=handles.mint(
                    Meaning(
                        heard.inbound.key,
                        Choice.CHANGE,
                        heard.person.id,
                        detail={"ref": each.ref, "words": kept},
                    )
                ),
                sends_inputs=False,
            )
            for each in pending[:_OFFERED]
        )
        await self._office.database.write(handles.keep)
        return Card(title="Which one?", text=WHICH, buttons=buttons, tone=Tone.PRIMARY)

    # What becomes of it

    async def _correct(self, heard: _Heard, request: Request) -> list[Card]:
        guesses = self._times(heard, request) if heard.said.bare else self._guesses(heard, request)
        if request.state not in CANCELLABLE:
            return await self._told(heard, Change.LATE, request)
        return await self._told(
            heard, *await self._engine.correct(request.ref, heard.person, guesses, heard.told)
        )

    async def _told(self, heard: _Heard, change: Change, request: Request) -> list[Card]:
        """Nothing, where the request's own card shows it."""
        if change in (Change.MADE, Change.KEPT):
            return []
        await self._note(heard, f"correction.{change}", {"request": request.ref})
        if change is Change.LATE:
            return [self._late(request)]
        title = self._office.registry[request.action].title
        text = SAME if change is Change.SAME else UNREAD
        return [Card(title=title, text=text, footer=request.ref)]

    async def _note(self, heard: _Heard, kind: str, data: Mapping[str, Any]) -> int | None:
        """What moved no request stands in the trail by itself. Returns the id of the words."""
        person, inbound = heard.person, heard.inbound
        return await self._lookups.audit("", kind, "ok", person, person, inbound, heard.words, data)

    def _late(self, request: Request) -> Card:
        action = self._office.registry[request.action]
        text = f"{_STATES.get(request.state, ENDED)} {action.afterwards}"
        if request.state is not State.DONE:
            text = _STATES.get(request.state, ENDED)
        return Card(
            title=action.title,
            text=text.strip(),
            tone=Tone.WARN,
            footer=f"{request.ref}: {self._called(request)}",
        )

    async def _unread(self, heard: _Heard, proposal: Proposal) -> list[Card] | None:
        """Clearly a correction, of which nothing can be read: asked, and never guessed."""
        short = len(heard.words.split()) < _A_SENTENCE + 1
        if not (heard.said.strong and short and heard.mine) or proposal.action is not None:
            return None
        request, touched = heard.mine[0]
        lately = self._office.clock() - touched <= _LATELY
        if not lately or request.state not in (State.CONFIRMING, State.APPROVING):
            return None
        if request.state is State.CONFIRMING:
            await self._note(heard, "correction.unread", {"request": request.ref})
            return [await self._what(heard, request, WHAT)]
        change, found = await self._engine.stop(request.ref, heard.person, heard.told)
        if change is Change.LATE:
            return await self._told(heard, change, found)
        return [await self._what(heard, request, STOPPED)]

    async def _what(self, heard: _Heard, request: Request, text: str) -> Card:
        with self._office.database.read() as conn:
            handles = Handles.of(conn, heard.inbound.key)
        action = self._office.registry[request.action]
        buttons = tuple(
            Button(
                label=plain(slot.question, 75),
                handle=handles.mint(
                    Meaning(
                        heard.inbound.key,
                        Choice.CHANGE,
                        heard.person.id,
                        detail={"ref": request.ref, "slot": slot.name},
                    )
                ),
                sends_inputs=False,
            )
            for slot in action.slots
            if slot.name in request.params and slot.kind not in (SlotKind.TEXT, SlotKind.RESOURCES)
        )
        await self._office.database.write(handles.keep)
        cancel = await self._cancel(heard.person, request, "Cancel it")
        return Card(title=action.title, text=text, buttons=(*buttons, cancel), footer=request.ref)

    async def _give_up(self, person: Person, inbound: Inbound) -> list[Card] | None:
        """A button each: words alone cancel nothing."""
        pending = [each for each, _ in self._engine.recent(person.id, _OVER) if each.state in CANCELLABLE]
        if not pending:
            return None
        shown = pending[:_OFFERED]
        buttons = [
            await self._cancel(person, each, plain(f"Cancel {each.ref}: {self._called(each)}", 75))
            for each in shown
        ]
        return [Card(title="Cancel a request", text=GIVE_UP, buttons=tuple(buttons), tone=Tone.PRIMARY)]

    async def _cancel(self, person: Person, request: Request, label: str) -> Button:
        with self._office.database.read() as conn:
            handles = Handles.of(conn, request.ref)
        handle = handles.mint(Meaning(request.ref, Choice.CANCEL, person.id))
        if handles.minted:
            await self._office.database.write(handles.keep)
            with self._office.database.read() as conn:
                handle = Handles.of(conn, request.ref).mint(Meaning(request.ref, Choice.CANCEL, person.id))
        return Button(label=label, handle=handle, sends_inputs=False)

    # For somebody else

    async def _for_somebody_else(self, heard: _Heard) -> list[Card] | None:
        """What is self-service ends; where an action for reports exists, it is offered."""
        if not heard.pending:
            return None
        request = heard.pending[0]
        action = self._office.registry[request.action]
        if any(slot.kind is SlotKind.REPORT for slot in action.slots):
            return None  # a slot like any other
        name = await self._somebody(heard)
        if name is None:
            return None
        outcome = _THEMSELVES.format(name=name)
        change, found = await self._engine.withdraw(request.ref, heard.person, outcome, heard.told)
        if change is Change.LATE:
            return await self._told(heard, change, found)
        if action.for_report in self._office.registry:
            return [await self._for_report(heard, action.for_report)]
        return []

    async def _somebody(self, heard: _Heard) -> str | None:
        """The name of another person that the words put in the sender's place. None: they name nobody."""
        said = heard.said
        if not (said.not_me or said.strong or re.search(r"\bfor\b", said.text)):
            return None
        guess = self._understander.fill(
            _PERSON, said.text, now=self._office.clock(), time_zone=heard.person.time_zone
        )
        try:
            if guess.text and "@" in guess.text:
                other = await self._office.ports.directory.by_mail(guess.text)
            elif guess.text:
                other = await self._office.ports.directory.by_name(guess.text)
            else:
                return _SOMEBODY if said.not_me else None
        except AmbiguousName:
            return _SOMEBODY
        except UnknownPerson:
            return _SOMEBODY if said.not_me else None
        return None if other.id == heard.person.id else plain(other.name, 60)

    async def _for_report(self, heard: _Heard, name: str) -> Card:
        """Through its own slots, its own rules and its own yes."""
        action = self._office.registry[name]
        kept = await self._note(heard, "correction.offered", {"action": name})
        with self._office.database.read() as conn:
            handles = Handles.of(conn, heard.inbound.key)
        detail = {"action": name, "words": kept}
        handle = handles.mint(Meaning(heard.inbound.key, Choice.BEGIN, heard.person.id, detail=detail))
        await self._office.database.write(handles.keep)
        return Card(
            title=action.title,
            text="For somebody who reports to you I can do this instead.",
            buttons=(Button(label=action.title, handle=handle, tone=Tone.PRIMARY, sends_inputs=False),),
        )

    def _called(self, request: Request) -> str:
        return request.shown.sentence if request.shown else self._office.registry[request.action].title

    def _words(self, words: object) -> str:
        if not isinstance(words, int):
            return ""
        with self._office.database.read() as conn:
            return self._office.words.read(conn, words) or ""
