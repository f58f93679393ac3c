"""Times said in German, Spanish, French or Portuguese, as the English grammar reads them.

"Bis Freitag" is "until friday", and the one grammar there is reads it. All or nothing: where any word of a
time is left that is not understood, the message stays as it was, and is asked about. "Nächsten Freitag" is as
open as "next Friday" and becomes that; what plainly means the coming one ("el próximo viernes", "vendredi
prochain") becomes the day alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache

from bot.intent.tongues import TONGUES, Tongue

_REMEMBERED = 2_048  # words, and which languages they may be of
_WORD = re.compile(r"[^\W\d_]+")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirty".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTHS = "january february march april may june july august september october november december".split()
_UNITS = "minute minutes hour hours day days week weeks month months year years".split()
_DAY = rf"(?:{'|'.join(_WEEKDAYS)})"
_MONTH = rf"(?:{'|'.join(_MONTHS)})"
_UNIT = rf"(?:{'|'.join(_UNITS)})\b"
_DATE = rf"\d{{1,2}}\b(?! ?{_UNIT})(?: {_MONTH})?(?: \d{{4}}\b)?"
_TIME = (
    rf"(?:(?:last |next |this )?{_DAY}(?: {_DATE})?|\d{{1,2}}:\d\d|the \d{{1,2}}th|{_DATE}|today|tomorrow)"
)
_STRETCH = r"(?:end of|next (?:week|month|year)|this (?:week|month|weekend)|noon|midnight)"
_NUMBER = rf"\d{{1,3}}|{'|'.join(_NUMBERS)}"
_COUNTED = rf"(?:(?:{_NUMBER}) {_UNIT}|half a day)"
# "1 a 2 weeks": how many, nobody can tell.
_SO_MANY = rf"(?:{_NUMBER}) (?:a|à|al|o|ou|y|e|et|und|oder) (?:{_COUNTED})|\d{{1,2}} ?h|\d{{1,2}}\./\d{{1,2}}"
_ENGLISH = frozenset(
    "i the to my is are and of need until till from please have has not you your it this that with for what "
    "how when can could would access off next last an six once sept minute minutes hour hours week weeks day "
    "days month months friday monday am me a we on at be in".split()
)
_SHARED = frozenset((*_NUMBERS, *_MONTHS, *_UNITS))


class _Reader:
    """Puts the times of one language into English."""

    def __init__(self, tongue: Tongue) -> None:
        self._tongue = tongue
        times = " ".join((tongue.weekdays, tongue.months, tongue.numbers, tongue.units))
        self.tells = re.compile("|".join(tongue.said.split())).fullmatch
        self.knows = re.compile("|".join((*tongue.said.split(), *times.split()))).fullmatch

    def read(self, text: str) -> str:
        said = text
        for pattern, english in self._rules:
            said = pattern.sub(english, said)
        return text if self._left.search(said) else said

    @cached_property
    def _left(self) -> re.Pattern[str]:
        """What is left where a time was not understood, or another was meant than it looks like."""
        tongue = self._tongue
        one, *numbers = tongue.numbers.split()
        words = " ".join((tongue.limits, tongue.weekdays, tongue.months, *numbers, tongue.units)).split()
        foreign = "|".join(word for word in words if word not in _SHARED)
        return re.compile(rf"(?<!\w)(?:{foreign}|(?:{one}) (?:{tongue.both})|{_SO_MANY})(?!\w)")

    @cached_property
    def _rules(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple(
            (re.compile(rf"(?<![\w'-])(?:{pattern})(?!\w)"), english)
            for pattern, english in self._rules_in_order()
        )

    def _rules_in_order(self) -> Iterator[tuple[str, str]]:
        """First whole phrases, then words, then what introduces them."""
        tongue = self._tongue
        yield from tongue.phrases.items()
        units = tongue.units.split()
        for word, number in zip(tongue.numbers.split(), _NUMBERS, strict=True):
            yield rf"(?:{word}) ({'|'.join(units)})", rf"{number} \1"
        for words, names in ((tongue.weekdays, _WEEKDAYS), (tongue.months, _MONTHS)):
            yield from zip(words.split(), names, strict=True)
        for word, unit in zip(units, _UNITS, strict=True):
            yield rf"({_NUMBER}) (?:{word})", rf"\1 {unit}"
        yield from tongue.after.items()
        if tongue.of:
            yield rf"(\d{{1,2}}) {tongue.of} ({_MONTH})", r"\1 \2"
            yield rf"({_MONTH}) {tongue.of} (\d{{4}})", r"\1 \2"
        article = rf"(?: (?:{tongue.article})){{0,2}}"
        for opens, joins in tongue.ranges:
            yield rf"(?:{opens}){article} ({_TIME}) (?:{joins}){article} ({_TIME})", r"from \1 to \2"
        for role in ("until", "by", "from", "since", "on"):
            if said := tongue.roles.get(role):
                yield rf"(?:{said}){article} ({_TIME}|{_STRETCH})", rf"{role} \1"
        yield rf"(?:{tongue.roles['for']}){article} ({_COUNTED})", r"for \1"
        yield rf"(?:{tongue.roles['in']}) ({_COUNTED})", r"in \1"
        yield rf"({_TIME}) (?:{tongue.both}){article} ({_TIME})", r"\1 and \2"


_READERS = tuple(_Reader(tongue) for tongue in TONGUES)


@lru_cache(maxsize=2)  # one message is read for several slots
def in_english(text: str) -> str:
    """``text``, in small letters, with its times in English; unchanged where it is English, or unclear."""
    words = set(_WORD.findall(text))
    spoken = [language for word in words for language in _languages(word)]
    counts = sorted((spoken.count(at), at) for at in range(len(_READERS)))
    (second, _), (hits, at) = counts[-2:]
    reader = _READERS[at]
    sure = any(map(reader.tells, words)) or hits == len(words)
    return reader.read(text) if sure and hits > max(second, len(words & _ENGLISH)) else text


@lru_cache(maxsize=_REMEMBERED)
def _languages(word: str) -> tuple[int, ...]:
    return tuple(at for at, each in enumerate(_READERS) if each.knows(word))
