"""What the person wants, as a proposal: an action of the list, typed slots, and how sure that is.

A proposal is never a permission. The text is untrusted, so nothing here can name an identity, an
approver or a target outside the catalogue: rules in code and people decide on what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.intent import days_off, several, spans
from bot.intent.classify import NONE, Classifier, Guess
from bot.intent.clauses import ONE, Parts, parts
from bot.intent.features import clean
from bot.intent.phrases import Phrases, word_of
from bot.intent.resources import Resources, person_named
from bot.intent.told import told_in
from bot.procedures.action import Slot, SlotKind
from policies.catalogue import Catalogue

_NAMED = 0.8  # how likely an action is, of which the very thing is named
_NAMED_CHARS = 500  # of a message in which a thing of somebody else's list may be named
LOCAL, PHRASE = "local", "phrase"
_REF = re.compile(r"\bR-[0-9A-Z]{6}\b", re.IGNORECASE)  # as ``request.new_ref`` makes them
_ASKS = re.compile(
    r"^\W*(?:how|what|which|who|whose|why|when|where|is|are|do|does|did|can|could|may|should|will|would)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SlotGuess:
    """What the words say for one slot: a value, or several to pick from, or a name to look up."""

    value: Any = None  # canonical JSON, see ``SlotKind``; for a grant, its reference or a catalogue key
    candidates: tuple[tuple[Any, str], ...] = ()  # value and label of each that comes close
    text: str = ""  # a person as written: the caller asks the directory
    problem: str = ""  # why what was said cannot be used, as a sentence for the person

    def __bool__(self) -> bool:
        return self.value is not None or bool(self.candidates or self.text)


@dataclass(frozen=True, slots=True)
class Proposal:
    action: str | None  # None: nothing reached the threshold, ask
    confidence: float  # calibrated probability of the first of the ranking
    source: str = LOCAL
    slots: Mapping[str, SlotGuess] = field(default_factory=dict)
    ranking: tuple[tuple[str, float], ...] = ()  # every action and "none", likeliest first
    question: bool = False  # it asks for something to be explained rather than done
    model: str = ""  # what a language model said or why it did not; empty: it was not asked
    suggested: str = ""  # the action that it said, to be offered first where it is not agreed upon
    failed: bool = False  # it was of no use
    words: str = ""  # of the message, what the action was said with
    parts: Parts = ONE  # the wishes that its parts are sure of


class Understander:
    """The local understanding: no network, no state between messages."""

    def __init__(
        self,
        classifier: Classifier,
        catalogue: Catalogue,
        declared: Mapping[str, Sequence[str]] | None = None,
        leads: Mapping[str, str] | None = None,
    ) -> None:
        """:param declared: phrases of actions that the classifier was not trained on, by action
        :param leads: how a message begins that asks for the action whatever follows, by action
        """
        self._leads = {name: re.compile(lead, re.IGNORECASE) for name, lead in (leads or {}).items()}
        self._classifier = classifier
        self._phrases = Phrases(declared or {})
        self._resources = Resources(catalogue)
        self._names = classifier.weights.names
        self._known = classifier.weights.known
        self._common = self._known | self._names

    @property
    def names(self) -> frozenset[str]:
        """Words that are names of people even in small letters."""
        return self._names

    @property
    def words(self) -> frozenset[str]:
        """Small words that are no names of people: the language's and the catalogue's."""
        return self._known | self._resources.words

    def propose(
        self,
        text: str,
        *,
        now: datetime,
        time_zone: str,
        slots_of: Mapping[str, tuple[Slot, ...]],
        only: str | None = None,
    ) -> Proposal:
        """What ``text`` asks for, with the slots that it fills.

        :param slots_of: the actions there are; no other is proposed
        :param only: the person chose this action; the text is read for its slots
        """
        if only is None and (named := self._phrases.find(text, slots_of) or self._led(text, slots_of)):
            found = self._filled(slots_of[named[0]], text, now, time_zone)
            return Proposal(*named, PHRASE, found, (named,), words=text)
        guess = self.classify(text)
        ranking = tuple((name, chance) for name, chance in guess.ranking if name in slots_of or name == NONE)
        action = guess.action if guess.action in slots_of else None
        if action is None and self._names_what_it_asks_for(text, guess, slots_of):
            action = guess.ranking[0][0]
        if only is not None:
            action = only
        split = ONE if only else self._split(text, slots_of)
        own = split.of(action)
        words = own.words if own else text
        found = self._filled(slots_of[action] if action else (), words, now, time_zone)
        return Proposal(
            action,
            guess.probability,
            LOCAL,
            found,
            ranking,
            question=action is None and ("?" in text[:2000] or bool(_ASKS.match(clean(text)))),
            words=words,
            parts=split,
        )

    def _split(self, text: str, slots_of: Mapping[str, tuple[Slot, ...]]) -> Parts:
        def sure(words: str) -> str | None:
            if named := self._phrases.find(words, slots_of) or self._led(words, slots_of):
                return named[0]
            guess = self.classify(words)
            if guess.action in slots_of or self._names_what_it_asks_for(words, guess, slots_of):
                return guess.ranking[0][0]
            return None

        return parts(text, sure)

    def _names_what_it_asks_for(
        self, text: str, guess: Guess, slots_of: Mapping[str, tuple[Slot, ...]]
    ) -> bool:
        """Something of the catalogue is named, and what is likely is about such things: that is surer."""
        name, chance = guess.ranking[0]
        about = any(slot.kind in (SlotKind.RESOURCE, SlotKind.GRANT) for slot in slots_of.get(name, ()))
        if not about or chance < _NAMED:
            return False
        one = self._resources.named(text, common=self._common).key
        return bool(one) or len(self._resources.all_named(text)) > 1

    def _led(self, text: str, slots_of: Mapping[str, tuple[Slot, ...]]) -> tuple[str, float] | None:
        plain = clean(text[:_NAMED_CHARS]).strip()
        return next(
            ((name, 1.0) for name, lead in self._leads.items() if name in slots_of and lead.match(plain)),
            None,
        )

    def _filled(
        self, slots: tuple[Slot, ...], text: str, now: datetime, time_zone: str
    ) -> dict[str, SlotGuess]:
        return {
            slot.name: said
            for slot in slots
            if (said := self._said(slot, text, now, time_zone, answer=False)) or said.problem
        }

    def fill(self, slot: Slot, text: str, *, now: datetime, time_zone: str) -> SlotGuess:
        """What ``text`` says as the answer to the question put for ``slot``."""
        return self._said(slot, text, now, time_zone, answer=True)

    def several(
        self, text: str, slots: tuple[Slot, ...], *, now: datetime, time_zone: str
    ) -> Mapping[str, SlotGuess]:
        """What a message says for slots of several things; empty where it names one, or none."""

        def find(words: str) -> spans.Span | None:
            return spans.find(words, now=now, time_zone=time_zone)

        found = several.read(text, self._resources, self._common, find)
        if found is None:
            return {}
        things = SlotGuess(value=[dict(each) for each in found.things])
        span = SlotGuess(value=found.span.value if found.span else None, problem=found.problem)
        return {slot.name: things if slot.kind is SlotKind.RESOURCES else span for slot in slots}

    def classify(self, text: str) -> Guess:
        """The classifier's guess, which knows when something of the catalogue is named, but not what."""
        return self._classifier.classify_both(text, self._resources.masked(text))

    def _said(self, slot: Slot, text: str, now: datetime, time_zone: str, *, answer: bool) -> SlotGuess:
        match slot.kind:
            case SlotKind.RESOURCE:
                return self._resource(text)
            case SlotKind.SPAN:
                span = spans.find(text, now=now, time_zone=time_zone, answer=answer)
                return SlotGuess(value=span.value, problem=span.problem) if span else SlotGuess()
            case SlotKind.REPORT:
                return SlotGuess(text=person_named(text, common=self._known, names=self._names))
            case SlotKind.GRANT:
                ref = _REF.search(text[:2000])
                return SlotGuess(value=ref[0].upper()) if ref else self._resource(text)
            case SlotKind.WORD:
                return SlotGuess(value=word_of(slot, text))
            case SlotKind.TEXT:
                return SlotGuess(text=text if answer else told_in(text))
            case SlotKind.DAYS | SlotKind.DATE | SlotKind.LEAVE:
                return _days_said(slot.kind, text, now, time_zone, answer=answer)
            case SlotKind.POLICY | SlotKind.ITEM:
                return SlotGuess(text=text[:_NAMED_CHARS])
            case SlotKind.RESOURCES:
                return SlotGuess()  # see ``several``

    def _resource(self, text: str) -> SlotGuess:
        named = self._resources.named(text, common=self._common)
        return SlotGuess(value=named.key, candidates=named.close)


def _days_said(kind: SlotKind, text: str, now: datetime, time_zone: str, *, answer: bool) -> SlotGuess:
    if kind is SlotKind.DATE:
        day = days_off.on_day(text, now=now, time_zone=time_zone)
        return SlotGuess(value=day.isoformat() if day else None)
    days = days_off.find(text, now=now, time_zone=time_zone, answer=answer)
    if days is None:
        return SlotGuess()
    if kind is SlotKind.LEAVE:  # which of theirs it is, the list tells
        return SlotGuess(candidates=((days.value, ""),) if days.value else ())
    return SlotGuess(value=days.value, problem=days.problem)
