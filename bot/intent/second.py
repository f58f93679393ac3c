"""A second opinion, where the local reading is not sure: a language model's, and what may be made of it.

What is local decides how far it goes. An action counts only where the local ranking has it among its first,
and a value only where our own grammars read it out of words that the person wrote. All else is asked, with
buttons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.intent.classify import NONE
from bot.intent.hidden import hidden
from bot.intent.model import Model, ModelFailed
from bot.intent.understand import Proposal, SlotGuess, Understander
from bot.intent.wish import Wish, question, read_wish
from bot.procedures.action import Action, Lookup, Procedure, Registry, Slot, SlotKind
from integrations.contract import Person

SOURCE = "model"
# Both measured on messages of other authors (``judged.jsonl``) that the local reading is not sure of. Of 329
# that want something, the right action is among the first three of 323 (first two: 318).
_AMONG = 3
# Half: it is likelier that nothing is wanted than that anything is. 289 of those 329 are below, and 103 of
# 879 that want nothing: with the others no answer of a model leads further than to buttons.
_NOTHING = 0.5


class SecondOpinion:
    def __init__(self, understander: Understander, registry: Registry, model: Model | None) -> None:
        self._understander = understander
        self._registry = registry
        self._model = model
        self._slots = {action.name: action.slots for action in registry.named()}

    async def on(self, person: Person, text: str, local: Proposal, *, now: datetime) -> Proposal:
        """``local``, or where it is not sure what a model and it agree upon. :raises StorageDown:"""
        if self._model is None or local.action is not None or not text.strip():
            return local
        told = self.told(person, text)
        try:
            wish = await self._model.ask(
                person.id,
                question(self._registry, told),
                lambda raw: read_wish(raw, text, self._slots),
            )
        except ModelFailed as failed:
            return replace(local, model=failed.reason.value, failed=True)
        return self.weighed(wish, text, local, now=now, time_zone=person.time_zone)

    def told(self, person: Person, text: str) -> str:
        """A message of this person, as it may be told."""
        return hidden(
            text,
            known=self._understander.words,
            names=self._understander.names,
            own=(person.name, person.mail, person.id, person.account, *person.name.split()),
        )

    def weighed(self, wish: Wish, text: str, local: Proposal, *, now: datetime, time_zone: str) -> Proposal:
        """What a model said, against the local reading: agreed, or to be asked. No network, no state."""
        heard = replace(local, model=wish.said)
        if wish.action is None:
            return heard
        heard = replace(heard, suggested=wish.action)
        if not _agrees(local, wish.action):
            return heard
        action = self._registry[wish.action]
        own = local.parts.of(wish.action)
        words = own.words if own else text
        slots = self._filled(action, wish.quotes, words, now, time_zone)
        if not _may_go_on(action, slots):
            return heard
        chance = dict(local.ranking)[wish.action]
        return replace(
            heard,
            action=wish.action,
            confidence=chance,
            source=SOURCE,
            slots=slots,
            question=False,
            words=words,
        )

    def _filled(
        self, action: Action, quotes: Mapping[str, str], text: str, now: datetime, time_zone: str
    ) -> dict[str, SlotGuess]:
        """What the whole message says for sure stands; a quote only narrows what it leaves open."""
        own = self._understander.propose(
            text, now=now, time_zone=time_zone, slots_of={action.name: action.slots}, only=action.name
        )
        slots = dict(own.slots)
        for slot in action.slots:
            quote, said = quotes.get(slot.name), slots.get(slot.name, SlotGuess())
            if not quote or said.value is not None or said.text or said.problem:
                continue
            read = self._understander.fill(slot, quote, now=now, time_zone=time_zone)
            if read.value is not None and _among(read, said):
                slots[slot.name] = read
        return slots


def _agrees(local: Proposal, action: str) -> bool:
    chances = dict(local.ranking)
    actions = [name for name, _ in local.ranking if name != NONE]
    return action in actions[:_AMONG] and chances.get(NONE, 0.0) < _NOTHING


def _may_go_on(action: Action, slots: Mapping[str, SlotGuess]) -> bool:
    """A procedure shows what it will do and waits for a yes; a look-up answers, so only about the sender."""
    if isinstance(action, Procedure):
        return True
    return not (isinstance(action, Lookup) and any(_person(slot, slots) for slot in action.slots))


def _person(slot: Slot, slots: Mapping[str, SlotGuess]) -> bool:
    return slot.kind is SlotKind.REPORT and bool(slots.get(slot.name))


def _among(read: SlotGuess, said: SlotGuess) -> bool:
    return not said.candidates or read.value in {value for value, _ in said.candidates}
