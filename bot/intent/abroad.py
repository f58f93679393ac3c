"""Times said in German, Spanish, French or Portuguese, as the English grammar reads them.

"Bis Freitag" is "until friday", and the one grammar there is reads it. All or nothing: where any word of a
time is left that is not understood, no time is read at all, and it is asked for. "Nächsten Freitag" is as
open as "next Friday" and becomes that; what plainly means the coming one ("el próximo viernes", "vendredi
prochain") becomes "coming friday", which is never today.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

from bot.intent.tongues import TONGUES, Tongue

_REMEMBERED = 2_048  # words, and which languages they may be of
_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirty".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTHS = "january february march april may june july august september october november december".split()
_UNITS = "minute minutes hour hours day days week weeks month months year years".split()
_DAY = rf"(?:{'|'.join(_WEEKDAYS)})"
_MONTH = rf"(?:{'|'.join(_MONTHS)})"
_UNIT = rf"(?:{'|'.join(_UNITS)})\b"
_WRITTEN = r"\d{1,2}(?:/\d{1,2}(?:/\d{2,4})?|\.\d{1,2}(?:\.(?:\d{2,4})?)?|-\d{1,2}-\d{4})"
_DATE = rf"(?:{_WRITTEN}|\d{{1,2}}\b(?![./-]?\d| ?{_UNIT})(?: {_MONTH})?(?: \d{{4}}\b)?)"
_TIME = (
    rf"(?:(?:last |next |this |coming )?{_DAY}(?:,? (?:the )?{_DATE})?|\d{{1,2}}:\d\d|the \d{{1,2}}th|{_DATE}"
    r"|today|tomorrow|yesterday)"
)
_STRETCH = (
    r"(?:end of|next (?:week|month|year)|this (?:week|month|weekend)|noon|midnight"
    r"|day after tomorrow)"
)
_NUMBER = rf"\d{{1,3}}|{'|'.join(_NUMBERS)}"
_COUNTED = rf"(?:(?:{_NUMBER}) {_UNIT}|half a day)"
# What English would read as something else than was said: "1 a 2 weeks", "the 5th del next month", "not on".
_OPEN = (
    rf"(?:{_NUMBER}) (?:a|à|al|o|ou|y|e|et|und|oder) (?:{_COUNTED})",
    rf"(?:{_DATE}|the \d{{1,2}}th),? (?:a|à|al|au|ao|o|ou|y|e|et|und|oder|auf|del?|du|d[oae]s?|de[rs])"
    rf"(?: \w{{1,5}}){{0,2}} (?:\d|next|last|this|the|end)",
    r"\d{1,2} ?h",
    r"\d{1,2}\./\d{1,2}",
    rf"{_TIME} in {_COUNTED}",
    rf"los {_DAY}",
    rf"à (?:tomorrow|{_DAY})",
    r"(?:gracias|saludos|obrigad[oa]|abraço|merci|danke|dank|grüße|gruß)\W+(?:\w+ )?(?:until|on) \w+\W*$",
)
_ENGLISH = frozenset(
    "i the to my is are and of need until till from please have has not you your it this that with for what "
    "how when can could would access off next last an six once sept minute minutes hour hours week weeks day "
    "days month months friday monday am we at be".split()
)
_SHARED = frozenset((*_NUMBERS, *_MONTHS, *_UNITS))


class _Reader:
    """Puts the times of one language into English."""

    def __init__(self, tongue: Tongue) -> None:
        self._tongue = tongue
        times = " ".join((tongue.weekdays, tongue.months, tongue.numbers, tongue.units))
        self.tells = re.compile("|".join(tongue.said.split())).fullmatch
        known = "|".join((*tongue.said.split(), *times.split()))
        around = "|".join((tongue.article, tongue.both, *tongue.roles.values(), *tongue.ranges[0], "h"))
        self.knows = re.compile(known).fullmatch
        self._time_word = re.compile(f"{known}|{around}").fullmatch

    def only_times(self, words: Iterable[str]) -> bool:
        return all(map(self._time_word, words))

    def read(self, text: str) -> str:
        said = text
        for pattern, english in self._rules:
            said = pattern.sub(english, said)
        return _DIGITS.sub("#", text) if self._left.search(said) else said

    @cached_property
    def _left(self) -> re.Pattern[str]:
        """What is left where a time was not understood, or another was meant than it looks like."""
        tongue = self._tongue
        one, *numbers = tongue.numbers.split()
        words = " ".join((tongue.limits, tongue.weekdays, tongue.months, *numbers, tongue.units)).split()
        foreign = (word for word in words if word not in _SHARED)
        times = rf"(?:until|by|from|on|for|in)\b|{_TIME}|{_COUNTED}|{_STRETCH}"
        negated = (rf"(?:{tongue.no}) (?:\w+ )?(?:{times})", rf"{_TIME} (?:{tongue.no})")
        left = "|".join((*foreign, rf"(?:{one}) (?:{tongue.both})", *_OPEN, *negated))
        return re.compile(rf"(?<!\w)(?:{left})(?!\w)")

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
        yield rf"(\d{{1,2}}),(\d) ({'|'.join(units)})", r"\1.\2 \3"
        for word, number in zip(tongue.numbers.split(), _NUMBERS, strict=True):
            yield rf"(?:{word}) ({'|'.join(units)})", rf"{number} \1"
        for words, names in ((tongue.weekdays, _WEEKDAYS), (tongue.months, _MONTHS)):
            yield from zip(words.split(), names, strict=True)
        for word, month in zip(tongue.short.split(), _MONTHS, strict=True):
            yield rf"(\d{{1,2}})\.?(?: (?:{tongue.of}))? (?:{word})\.?", rf"\1 {month}"
        for word, unit in zip(units, _UNITS, strict=True):
            yield rf"({_NUMBER}) (?:{word})", rf"\1 {unit}"
        yield from tongue.after.items()
        yield r"(0?[1-9]|1[01]):(\d\d)(?: de)? afternoon", r"\1:\2 pm"
        yield r"(0?[1-9]|1[01]):(\d\d)(?: de)? morning", r"\1:\2 am"
        if tongue.of:
            yield rf"(\d{{1,2}}) {tongue.of} ({_MONTH})", r"\1 \2"
            yield rf"({_MONTH}) {tongue.of} (\d{{4}})", r"\1 \2"
        article = rf"(?: (?:{tongue.article})){{0,2}}"
        for opens, joins in tongue.ranges:
            yield rf"(?:{opens}){article} ({_TIME}) (?:{joins}){article} ({_TIME})", r"from \1 to \2"
        joins = tongue.ranges[0][1]
        yield rf"({_DATE}|{_DAY}) (?:{joins}){article} ({_DATE}|{_DAY})", r"\1 to \2"
        for role in ("until", "by", "from", "since", "on"):
            if said := tongue.roles.get(role):
                yield rf"(?:{said}){article} ({_TIME}|{_STRETCH})", rf"{role} \1"
        yield rf"({_COUNTED}) (?:{tongue.both}) ({_COUNTED})", r"\1 and \2"
        yield rf"(?:{tongue.roles['for']}){article} ({_COUNTED})", r"for \1"
        yield rf"(?:{tongue.ranges[0][0]}){article} ({_TIME}) (for {_COUNTED})", r"from \1 \2"
        yield rf"(?:{tongue.roles['in']}) ({_COUNTED})", r"in \1"
        yield rf"({_TIME}) (?:{tongue.both}){article} ({_TIME})", r"\1 and \2"


_READERS = tuple(_Reader(tongue) for tongue in TONGUES)


@lru_cache(maxsize=2)  # one message is read for several slots
def in_english(text: str) -> str:
    """``text``, in small letters, with its times in English. Unchanged where it is English; where it
    is not, and its times are not clear, without any figure."""
    words = set(_WORD.findall(text))
    spoken = [language for word in words for language in _languages(word)]
    hits = max(map(spoken.count, range(len(_READERS))))
    readers = [each for at, each in enumerate(_READERS) if spoken.count(at) == hits]
    english = len(words & _ENGLISH)
    telling = hits > english and any(each.tells(word) for each in readers for word in words)
    if not hits or not (telling or (hits >= english and any(each.only_times(words) for each in readers))):
        return text
    read = {reader.read(text) for reader in readers}
    return read.pop() if len(read) == 1 else _DIGITS.sub("#", text)  # it says two things, or neither for sure


@lru_cache(maxsize=_REMEMBERED)
def _languages(word: str) -> tuple[int, ...]:
    if word in _SHARED:
        return ()
    return tuple(at for at, each in enumerate(_READERS) if each.knows(word))
