"""Whether a message corrects what somebody asked for just now, and what it says instead.

A correction opens like one ("no, until Monday", "sorry, I meant Figma", "make it two weeks"), sets one thing
against another ("not Tuesday, Wednesday", "staging instead of prod"), or is nothing but a time ("until
Monday"). A whole wish ("I need access to Jira until Friday") is none, however politely it begins. What is
said replaces what was said; what is not said stays: "no, until Monday" moves the end of a stretch and leaves
its beginning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.intent import spans
from bot.intent.features import clean
from bot.intent.spans import FROM, LAST_MINUTE, MONTHS, WEEKDAYS, lowered, zone_of
from bot.intent.understand import SlotGuess
from bot.procedures.action import Slot, SlotKind

_CHARS = 300  # longer messages are letters, not corrections
_WORDS = 16
_BARE = 6  # words of a time that stands alone
UNCLEAR = "I cannot tell which of the days you mean."

_TIMES = "|".join((*WEEKDAYS, *MONTHS))
_NUMBER = r"(?:\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten)"
# "No access", "no sound" are complaints: without a comma only these follow a no that corrects.
_AFTER_NO = (
    rf"until|till|til|for|from|only|just|not|make|i|it|it's|its|that's|use|rather|actually|wait|sorry|instead|"
    rf"on|next|this|the|starting|better|{_TIMES}|{_NUMBER}"
)
# How a correction opens. The strong ones can be nothing else; the others also begin an ordinary wish.
_STRONG = re.compile(
    r"(?:"
    rf"(?:no|nope|nah)(?: no)?(?:\s*[,.!:;\u2013\u2014-]+|\s+(?=(?:{_AFTER_NO})\b)|$)"
    r"|(?:oh |but )?(?:what )?i (?:actually |really )?(?:meant|mean|wanted|said)(?: to (?:say|write|type))?\b"
    r"(?: was\b| is\b)?(?! to\b)"
    r"|(?:(?:can|could) (?:you|we|i) |please |let'?s |just |rather |better )*"
    r"(?:make|change|switch|correct|set)"
    r" (?:it|that|this|the (?:end|start|time|dates?|days?|duration|length))\b"
    r"(?: (?:to|be|into|from (?:.{1,40}?) to)\b)?"
    r"|change (?!my\b|your\b|the password)(?:.{1,40}?) to\b"
    r"|(?:it|that|this) (?:should|was supposed to|was meant to) (?:be|say|read)\b"
    r"|should (?:be|have been)\b"
    r"|(?:small )?correction\b|typo\b|scratch that\b|on second thoughts?\b|change of plans?\b"
    r"|(?:that's|that is|that was) (?:wrong|not right|not it|not what i (?:meant|wanted))\b"
    r"|(?:the )?wrong (?:one|day|date|time|person|database|app|thing)\b|not (?:that|this) one\b"
    r"|(?:i (?:said|wrote|typed) )?the wrong (?:one|day|date|time|person|thing)\b"
    r"|(?:only|just|better|rather)(?: just| only)? (?=(?:until|till|til|from|for (?!me\b))\b)"
    r")"
)
_WEAK = re.compile(
    r"(?:actually|sorry|apologies|pardon|wait|hold on|hang on|oops|ups|hmm?|well|ah|oh|ok(?:ay)?|but|and|"
    r"my (?:mistake|bad)|better|rather(?! than)|instead(?! of)|or)\b"
)
_BETWEEN = re.compile(r"^[\s,.!:;\u2026\u2013\u2014-]+")
_TAIL = re.compile(r"[\s,.!]*\b(?:instead|rather|then|please|pls|thanks|thank you|sorry|after all)[\s.!]*$")
_WISH = re.compile(
    r"\b(?:i(?:'d| would)? (?:really )?(?:need|want|like|require)|(?:can|could|may) (?:i|you|we)|"
    r"give me|get me|grant me|reset|unlock|order|book|request|please (?:give|grant|get|add|open))\b"
)
_OF_THE_SAME = re.compile(  # "I need it until Monday" is about what was asked for
    r"\b(?:need|want|have|use|get|make|like|require) (?:it|that|this|them|those)\b"
)
_MORE = re.compile(r"\b(?:also|too|as well|additionally|in addition|on top|another|plus)\b")
_ASKS = re.compile(r"(?:is|are|was|how|what|why|when|where|who|does|do|did|has|have|which|am|will|should)\b")
_TELLS = re.compile(r"\b(?:i|i'm|we|my|our|he|she|they|is|are|was|were|does|doesn't|don't|can't)\b")
_NO_OPPOSITE = (
    r"(?:sure|working|work|able|needed|need|enough|now|yet|only|urgent|a problem|again|anymore|really)\b"
)
_SAID_AS = r"(?:(?:it|that|this)(?:'?s| is)|i said|i meant)"
_NOT_X_Y = re.compile(
    rf"(?:{_SAID_AS} )?not (?!{_NO_OPPOSITE})(?P<x>.{{1,60}}?)"
    r"(?:\s*[,;.:\u2013\u2014]\s*(?:but |rather )?| but | - )"
    rf"(?:{_SAID_AS} )?(?P<y>.+)"
)
_Y_NOT_X = re.compile(
    rf"(?P<y>.*\S)\s*(?:,| and| but|;|\u2013|\u2014)?\s+not (?!{_NO_OPPOSITE})(?P<x>.{{1,60}})"
)
_DOES_NOT = re.compile(r"\b(?:do|does|did|is|are|am|was|can|could|will|would|should|has|have|had)$")
_INSTEAD = re.compile(r"(?P<y>.*\S)\s*,?\s+(?:instead of|rather than|in place of) (?P<x>.{1,60})")
_INSTEAD_FIRST = re.compile(r"(?:instead of|rather than) (?P<x>.{1,60}?),\s*(?P<y>.+)")
_NOT_ME = re.compile(r"[\s,;]*\b(?:and |but )?not (?:for )?(?:me|myself)\b[\s,;.]*(?:but\b)?")
_GIVES_UP = re.compile(
    r"(?:(?:no|nah|ok(?:ay)?|actually|sorry|oh|wait|please|well|hmm?)[\s,.!]+){0,3}"
    r"(?:please )?"
    r"(?:cancel|stop|drop|scrap|withdraw|forget(?: about)?|abort|undo|leave|delete)"
    r" (?:that|it|this|the request|my request|this request|that request)"
    r"(?: please| then| again| for now| thanks| one)?[\s.!]*"
    r"|(?:(?:no|ok(?:ay)?|actually|sorry|oh|well)[\s,.!]+){0,2}"
    r"(?:(?:never ?mind|nvm|forget it)(?: then| that| it)?"
    r"|(?:i )?(?:do not|don't|no longer) (?:need|want) (?:it|that|this)"
    r"(?: any ?more| after all| now)?)[\s.!]*"
)
_TIME_WORD = re.compile(
    rf"(?:until|till|til|to|from|for|only|just|please|the|on|of|and|next|this|end|noon|today|tomorrow|tmrw|am|pm|at|"
    rf"{_TIMES}|{_NUMBER}|days?|weeks?|hours?|months?|minutes?|years?|fortnight|midnight|morning|afternoon|weekend|"
    r"half|then|\d{1,4}(?:st|nd|rd|th|h|d|w|m|am|pm)?|\d{4}|eow|eom|starting|through|rest|better)"
)
_UNTIL_WORD = r"(?:until|till|til|through|to|up to)"
_ENDS = re.compile(rf"^(?:only |just |better |rather |maybe )*{_UNTIL_WORD}\b")
_BEGINS = re.compile(rf"^(?:only |just |better |rather |maybe )*(?:{'|'.join(sorted(FROM))})\b")
_PREPOSITION = re.compile(rf"^(?:only |just )*(?:{'|'.join(sorted(FROM))}|{_UNTIL_WORD}|on)\s+")
_A_LENGTH = re.compile(
    rf"^(?:only |just |for |about )*{_NUMBER} (?:and a half )?(?:day|week|fortnight|month|working day)s?\b"
)


@dataclass(frozen=True, slots=True)
class Correction:
    """What is said instead, and what it is said instead of."""

    text: str  # where the new value stands
    instead_of: str = ""
    not_me: bool = False
    strong: bool = True  # it can be nothing else than a correction
    bare: bool = False  # nothing but a time: only just after a card was shown it is a correction


def read(text: str) -> Correction | None:
    """None: it is no correction."""
    plain = " ".join(clean(text).replace("\u2019", "'").split())
    if not plain or len(plain) > _CHARS or len(plain.split()) > _WORDS:
        return None
    rest, strong, weak = _opened(plain)
    not_me = bool(_NOT_ME.search(rest.lower()))
    rest = _cut(_NOT_ME, rest)
    found, opposed = _opposed(rest)
    low = found.text.lower()
    if _MORE.search(low) or (not strong and _ASKS.match(low)):
        return None
    if strong or not_me:
        return replace(found, not_me=not_me)
    found = replace(found, strong=False)
    if opposed and (weak or not _TELLS.search(low)):
        return found
    if weak:
        told = _TELLS.search(low) and not _OF_THE_SAME.search(low)
        return None if told or (_WISH.search(low) and not _OF_THE_SAME.search(low)) else found
    return Correction(rest, strong=False, bare=True) if _is_a_time(rest) else None


def time_alone(text: str) -> bool:
    """Whether it is nothing but a time: when, and not what."""
    said = read(text)
    return said is not None and said.bare


def says_a_time(text: str) -> bool:
    """Whether it is a time and nothing else, alone or as a correction: "no, until Friday"."""
    said = read(text)
    return said is not None and _is_a_time(said.text)


def gives_up(text: str) -> bool:
    """ "Never mind", "cancel that": they want none of it, whatever it is."""
    return (
        _GIVES_UP.fullmatch(" ".join(clean(text).replace("\u2019", "'").lower().split())[:_CHARS]) is not None
    )


def _opened(text: str) -> tuple[str, bool, bool]:
    """The text without how it opens and ends, and whether that was the opening of a correction."""
    strong = weak = False
    for _ in range(6):
        text = _cut(_BETWEEN, text)
        low = text.lower()
        if found := _STRONG.match(low):
            strong = True
        elif found := _WEAK.match(low):
            weak = True
        else:
            break
        text = text[found.end() :]
    while (ended := _TAIL.search(text.lower())) and ended.start():
        weak = weak or "instead" in ended[0].lower() or "rather" in ended[0].lower()
        text = text[: ended.start()]
    return text.strip(" ,.!:;"), strong, weak


def _opposed(text: str) -> tuple[Correction, bool]:
    """ "Not X, Y", "Y, not X", "Y instead of X"."""
    low = text.lower()
    for pattern in (_NOT_X_Y, _INSTEAD_FIRST, _Y_NOT_X, _INSTEAD):
        if (found := pattern.fullmatch(low)) and not _DOES_NOT.search(found["y"]):
            new, old = text[slice(*found.span("y"))], text[slice(*found.span("x"))]
            return Correction(new.strip(" ,.!;"), old.strip(" ,.!;?")), True
    return Correction(text), False


def _is_a_time(text: str) -> bool:
    words = re.findall(r"[\w']+", text.lower())
    return 0 < len(words) <= _BARE and all(_TIME_WORD.fullmatch(word) for word in words)


def _cut(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text.lower())
    return (text[: found.start()] + " " + text[found.end() :]).strip() if found else text


# What is said for one slot

Fill = Callable[[Slot, str], SlotGuess]


def said(
    slot: Slot, correction: Correction, present: Any, fill: Fill, *, now: datetime, time_zone: str
) -> SlotGuess:
    """The new value of a slot, what was not said taken from its present one.

    :param fill: reads an answer to the slot's question
    """
    match slot.kind:
        case SlotKind.SPAN:
            return _Stretch.of_span(present, zone_of(time_zone)).corrected(
                correction, lambda text: fill(slot, text), now, time_zone
            )
        case SlotKind.DAYS:
            return _Stretch.of_days(present).corrected(
                correction, lambda text: fill(slot, text), now, time_zone
            )
        case SlotKind.RESOURCE | SlotKind.GRANT:
            return _but_not(fill(slot, correction.text), fill(slot, correction.instead_of), correction)
        case SlotKind.RESOURCES:
            return _exchanged(present, correction, fill)
        case SlotKind.TEXT | SlotKind.WORD | SlotKind.DATE:
            return SlotGuess()
    return fill(slot, correction.text)


def _but_not(new: SlotGuess, old: SlotGuess, correction: Correction) -> SlotGuess:
    if not correction.instead_of:
        return new
    gone = {old.value, *(value for value, _ in old.candidates)}
    close = tuple(each for each in new.candidates if each[0] not in gone)
    return replace(new, candidates=close or new.candidates)


def _exchanged(present: Any, correction: Correction, fill: Fill) -> SlotGuess:
    """Of several things one for another."""
    one = Slot("one", SlotKind.RESOURCE, "")
    if not correction.instead_of or not isinstance(present, list):
        return SlotGuess()
    old, new = fill(one, correction.instead_of), fill(one, correction.text)
    gone = {old.value} if old.value else {value for value, _ in old.candidates}
    meant = [each for each in present if each.get("resource") in gone]
    if len(meant) != 1 or not new.value:
        return SlotGuess()
    return SlotGuess(
        value=[{**each, "resource": new.value} if each is meant[0] else each for each in present]
    )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From when to when something is asked for now, as it can be written into a sentence."""

    start: str = ""  # "2026-12-24"; empty: at once
    end: str = ""
    length: str = ""  # "20160 minutes"
    days: bool = False  # days off: a single day is both start and end
    halves: Mapping[str, bool] | None = None

    @classmethod
    def of_span(cls, present: Any, zone: ZoneInfo) -> _Stretch:
        if not isinstance(present, dict):
            return cls()
        if "minutes" in present:
            return cls(length=f"{present['minutes']} minutes")
        start = _local(present["from"], zone, time(0)) if "from" in present else ""
        return cls(start, _local(present["until"], zone, LAST_MINUTE))

    @classmethod
    def of_days(cls, present: Any) -> _Stretch:
        if not isinstance(present, dict):
            return cls(days=True)
        halves = {name: True for name in ("half_first", "half_last") if present.get(name)}
        return cls(str(present["first"]), str(present["last"]), days=True, halves=halves)

    def corrected(
        self, correction: Correction, fill: Callable[[str], SlotGuess], now: datetime, time_zone: str
    ) -> SlotGuess:
        today = now.astimezone(zone_of(time_zone)).date()
        said = self._near(_bare(lowered(correction.text)), self.start, today)
        if correction.instead_of and self.start and self.start != self.end:
            moved = self._one_end(correction, now, time_zone)
            return self._halved(fill(moved)) if moved else SlotGuess(problem=UNCLEAR)
        if _ENDS.match(said) and self.start and _weekday_of(said.split()[-1], self.start) == self.start[:10]:
            return SlotGuess(problem=UNCLEAR)  # the day on which it begins, or a week later
        found = fill(said)
        whole = self._whole(said, found)
        return self._halved(fill(whole)) if whole else found

    @staticmethod
    def _near(said: str, day: str, today: date) -> str:
        """ "From Tuesday" of days in December is the Tuesday of that week, and not the next to come."""
        found = re.fullmatch(r"((?:on|from|starting|beginning) )?(?:on )?(\w+)", said)
        near = _weekday_of(found[2], day) if found and day else ""
        return f"{found[1] or ''}{near}" if found and near and near >= today.isoformat() else said

    def _whole(self, said: str, found: SlotGuess) -> str:
        """What they said together with what they left as it is; empty: they said all of it."""
        if not found and not found.problem:
            return ""  # no time at all
        if _BEGINS.match(said) and not found.value:
            end = f"to {self.end}" if self.end else f"for {self.length}" if self.length else ""
            return f"{said} {end}" if end else ""
        if not self.start:
            return ""
        if _ENDS.match(said):
            return f"from {self.start} {said}"
        if _A_LENGTH.match(said):
            return f"from {self.start} for {re.sub(r'^(?:only |just |for |about )+', '', said)}"
        if not self.days and found.value and "from" not in found.value:
            return f"from {self.start} to {said}"
        return ""

    def _one_end(self, correction: Correction, now: datetime, time_zone: str) -> str:
        """Of a stretch, one of its two ends for another day; empty: neither is meant by what it is not."""
        today = now.astimezone(zone_of(time_zone)).date()
        new, old = (_PREPOSITION.sub("", lowered(each)) for each in (correction.text, correction.instead_of))
        named = _day(old, now, time_zone)
        start, end = (
            bool(end) and end[:10] in (named, _weekday_of(old, end)) for end in (self.start, self.end)
        )
        if start == end:  # neither of them, or both
            return ""
        if start:
            return f"from {self._near(new, self.start, today)} to {self.end}"
        return f"from {self.start} to {self._near(new, self.end, today)}"

    def _halved(self, found: SlotGuess) -> SlotGuess:
        """Half days at an end that stayed are half days still."""
        value = found.value
        if not self.halves or not isinstance(value, dict) or value.get("first") == value.get("last"):
            return found
        kept = {
            name: True
            for name, end in (("half_first", "first"), ("half_last", "last"))
            if name in self.halves and value[end] == {"first": self.start, "last": self.end}[end]
        }
        return replace(found, value={**value, **kept})


def _bare(said: str) -> str:
    return re.sub(r"^(?:only |just |better |rather |maybe )+", "", said)


def _local(moment: Any, zone: ZoneInfo, usual: time) -> str:
    """ "2026-12-24", with the time of day where that is not the usual one."""
    at = datetime.fromisoformat(str(moment)).astimezone(zone)
    clock = "" if (at.hour, at.minute) == (usual.hour, usual.minute) else f" {at:%H:%M}"
    return f"{at:%Y-%m-%d}{clock}"


def _day(text: str, now: datetime, time_zone: str) -> str | None:
    """The day that is named, as ISO."""
    span = spans.find(text, now=now, time_zone=time_zone, answer=True)
    if span is None or not span.value or "until" not in span.value:
        return None
    return datetime.fromisoformat(str(span.value["until"])).astimezone(zone_of(time_zone)).date().isoformat()


def _weekday_of(text: str, day: str) -> str:
    """That day, where the text names its weekday alone."""
    number = WEEKDAYS.get(text.strip())
    on = date.fromisoformat(day[:10])
    return (on + timedelta(days=(number - on.weekday()))).isoformat() if number is not None else ""
