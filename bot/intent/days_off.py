"""Which days somebody wants off, out of what they wrote.

What is understood is whole days, in the person's time zone, the last one included:

    {"first": "2026-12-21", "last": "2027-01-03"}   "two weeks off from the 21st", "Dec 21 to Jan 3"
    {..., "half_first": true}                       "Friday afternoon", "from Wednesday noon to Friday"
    {..., "half_last": true}                        "Friday morning", "from Wednesday to Friday noon"

On a single day ``half_first`` is the afternoon, or the half of which nobody said which it is.

The grammar of times is that of ``spans``. Here are the days it has no use for ("Friday off", "the 21st", "the
week of 14 December"), and rules of time off:

- "Until Friday" begins today. "Two weeks" has no beginning, "next month" and "some day next week" no days.
- "The 21st" is the next one to come. Three days from Thursday are Thursday to Saturday.
- Noon halves a day; hours do not: "2 hours on Friday" is asked back.
- One stretch at a time: of two days that do not follow each other neither is taken.
- What has passed is asked back, and so is a stretch that began before today.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from bot.intent.spans import LAST_MINUTE, LONGEST, MONTHS, Reader, Refused, Span, lowered, zone_of

BEGINS = "On which day does it begin?"
WHICH = "Which is the first day off, and which is the last?"
HALVES = "Half days are entered one at a time: which day is it, and is it the morning or the afternoon?"
ONE = "One stretch of days at a time, please: which is the first day, and which is the last?"
HALF = "Time off is counted in whole and half days: is it the whole day, the morning or the afternoon?"
PAST = "That lies in the past."
FAR = "That is more than two years away."
LONG = "That is longer than a year."
_LONGEST = 366  # days
_DAY, _HALF_DAY = 24 * 60, 12 * 60  # minutes
_MIDNIGHT, _NOON = time(0), time(12)

# Each pattern is bounded: a hostile message costs no more than another of its length.
_MONTH = rf"(?:{'|'.join(MONTHS)})\b"
_TH = r"(?:st|nd|rd|th)"
_TO = r"\s*(?:-|\u2013|\u2014|\b(?:to|until|till|through|thru|and)\b)\s*"
_FIXED = {
    r"(?:christmas|xmas) eve": "24 december",
    r"(?:christmas|xmas) day": "25 december",
    r"boxing day": "26 december",
    r"new year'?s eve": "31 december",
    r"new year'?s day": "1 january",
}
_NEAR_FIXED = _FIXED | {  # a date when something is due, though no day off
    r"(?:christmas|xmas)": "25 december",
    r"(?:eoy|year[ -]end)": "end of year",
}
_HALVES = re.compile(r"(?<!a )\bhalf[- ]days\b|\b(?:mornings|afternoons)\b", re.IGNORECASE)
# Days that the grammar would take for the next of their name.
_ELSEWHEN = re.compile(
    r"\beaster\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day (?:week|fortnight)\b", re.IGNORECASE
)
_GREETING = re.compile(
    r"\bgood (?:morning|afternoon|evening|night|day)\b|^\W*(?:morning|afternoon|evening) ?[,!.]"
)
# What it is, and nothing of when.
_WHAT = re.compile(
    r"\b(?:of )?(?:(?:my|some|paid|unpaid|annual|sick|parental) ){0,3}"
    r"(?:time[ -]off|off|vacation|holidays?|leave|pto)\b"
)
_POSSESSIVE = re.compile(r"(?<=day|eek)(?:'s|s')(?= )")  # "two weeks' leave"
_HALF_A_DAY = re.compile(r"(?<!and )(?<!and a )\b(?:half|1/2)(?: an?| of| of the)?[ -]?day\b")
_HALF_WORD = re.compile(
    r"\b(?:morning|afternoon|(?<!and a )half(?! ?(?:an?|days?|weeks?|months?|years?)\b))\b"
)
_THE_NTH = re.compile(rf"\bthe (?=\d{{1,2}}{_TH}\b)")
_NTH = re.compile(
    rf"\b(\d{{1,2}}){_TH}\b(?! ?(?:of\b|{_MONTH}|floor|time|day|week|weekend|month|quarter|half|year))"
)
_AFTER_MONTH = re.compile(rf"\b{_MONTH}\.? $")
_TO_NTH_OF_MONTH = re.compile(rf"{_TO}\d{{1,2}}{_TH}?(?: of)? ?{_MONTH}")
_AFTER_TO = re.compile(_TO + "$")
_SEVERAL = re.compile(
    rf"\b\d{{1,2}}{_TH}?(?: ?(?:, ?and|,|and|&) ?(?:the )?\d{{1,2}}{_TH}?\b){{1,31}}"
    r"(?! ?(?:days?|weeks?|hours?|months?|d|w|h)\b)"
)
_MONTH_NEAR = (re.compile(rf"\b{_MONTH}\.? $"), re.compile(rf" ?(?:of )?{_MONTH}"))
_WEEK_OF = re.compile(r"\bweek (of|commencing|beginning|starting|from) $")
# Words before a day that make it another than a day off.
_NOT_ON = re.compile(r"\b(?:since|last|past|after|not|than) +(?:on +)?(?:the +)?$")
_ASIDE = re.compile(
    r"\b(?:since|last|past|before|after|by|not|than|back|return|returning|asked|said|told) +"
    r"(?:on +)?(?:the +)?$"
)
_EXCEPT = re.compile(r"\b(?:except|excluding|without|but not|apart from|every|each)\b")
_OR = re.compile(r"[ ,]*\bor\b")
_SOME = re.compile(
    r"\b(?:some ?(?:time|days?|point)|any ?(?:time|days?)|one of|a day|days|early|late|mid|middle)\b"
)
_PART_OF = re.compile(
    r"\b(?:end|start|beginning|part|half|most|first|second|last) +(?:of +|in +)?(?:the +)?$"
)
_WEEK = re.compile(r"(?:(?:the|this|next|over|for|current|coming) ){0,3}week(?:end)?")
_MONTHS_LONG = re.compile(
    r"(?:in [a-z]+|(?:(?:the|this|next|over|for|current|coming) ){0,3}(?:month|quarter|year|eom))"
)
_COUNTED_MONTHS = re.compile(
    r"\b(?:\d{1,2}|an?|one|two|three|four|five|six|half an?)[ -](?:months?|mths?|quarters?|years?|yrs?)\b"
)
_SURE = re.compile(r"[-\u2013\u2014]|\b(?:to|until|till?|through|thru|and|week|weekend|rest of)\b")
_JOINED = re.compile(r"[-\u2013\u2014]|\b(?:to|until|till?|through|thru|and)\b")
_NO_DAY = re.compile(r"(?:the )?(?:weekend|end|eow|eom)\b")  # the grammar's end of a stretch
_OTHER_WORDS = frozenset(("sun", "sat", "wed"))
_EVENING = re.compile(r"\b(?:evening|night|tonight|morning|afternoon)\b")


@dataclass(frozen=True, slots=True)
class Days:
    """What was read. One of ``value`` and ``problem`` is set."""

    value: Mapping[str, Any] | None
    problem: str = ""  # a sentence for the person


@dataclass(frozen=True, slots=True)
class _Named:
    """A day that the text names, or a time of day alone."""

    date: date | None
    clock: time | None
    at: int
    end: int
    weekday: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Stretch:
    first: date
    last: date
    at: int  # the words that say it
    end: int
    half_first: bool = False
    half_last: bool = False

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def value(self) -> dict[str, Any]:
        halves = {name: True for name in ("half_first", "half_last") if getattr(self, name)}
        return {"first": self.first.isoformat(), "last": self.last.isoformat(), **halves}


def find(text: str, *, now: datetime, time_zone: str, answer: bool = False) -> Days | None:
    """The days said in a message; None where none were.

    :param answer: the text answers "which days?", so that it is asked for what is missing
    """
    if _HALVES.search(text[:2000]):
        return Days(None, HALVES)
    if _ELSEWHEN.search(text[:2000]):
        return Days(None, WHICH)
    reading = _Reading(now, time_zone, answer)
    try:
        stretch = reading.of(_spaced(text))
    except Refused as error:
        return Days(None, str(error))
    if stretch:
        return Days(stretch.value())
    return Days(None, BEGINS) if answer and reading.lasting else None


def on_day(text: str, *, now: datetime, time_zone: str) -> date | None:
    """The one day to come that a message names by its date, its weekday, or as the end of something."""
    reading = _Reading(now, time_zone, answer=True)
    try:
        said = reading.meant(reading.dated(_with_dates(_spaced(text), _NEAR_FIXED)), _NOT_ON)
    except Refused:
        return None
    span = reading.reader(said).read(answer=False)
    if span and span.value and "from" in span.value and reading.several(span.value):
        return None
    named = [each for each in reading.named(said) if each.date or each.problem]
    days = {each.date for each in named if not re.match("(?:the )?weekend", said[each.at : each.end])}
    day = days.pop() if len(days) == 1 else None
    return day if day and reading.today <= day <= reading.today + LONGEST else None


class _DayReader(Reader):
    """The grammar of spans, which tells also what it named, and when what runs already began."""

    since: datetime | None = None

    def named(self) -> list[_Named]:
        found, at = [], 0
        while at < len(self._tokens):
            each, place = self._named_at(at)
            if each:
                found.append(each)
            at = max(place, at + 1)
        return found

    def _named_at(self, at: int) -> tuple[_Named | None, int]:
        begins, place = self._tokens[at].at, at + 1
        try:
            read = self._day(at)
            if not read:
                return None, place
            day, place = read
            dated = day.date or day.month or day.weekday is not None
            on = self._resolve(day, self._today) if dated else None
            return _Named(on, day.clock, begins, self._tokens[place - 1].end, day.weekday is not None), place
        except Refused as error:
            return _Named(None, None, begins, self._tokens[place - 1].end, problem=str(error)), place
        except (OverflowError, ValueError):  # a day no calendar has
            return None, place

    def _value(
        self, first: datetime | None, last: datetime, *, asked_from: bool = False
    ) -> Mapping[str, int | str]:
        value = super()._value(first, last, asked_from=asked_from)
        self.since = first
        return value


class _Reading:
    """Reads one message. What it cannot take raises ``Refused``, for the person."""

    def __init__(self, now: datetime, time_zone: str, answer: bool) -> None:
        self._zone = zone_of(time_zone)
        self._now = now.astimezone(UTC)
        self._answer = answer
        self.today = now.astimezone(self._zone).date()
        self.lasting = False  # it says how long, and not from when

    def of(self, text: str) -> _Stretch | None:
        said = self.dated(_with_dates(_blank(_GREETING, text), _FIXED))
        half = bool(_HALF_A_DAY.search(said))
        plain = _blank(_POSSESSIVE, _blank(_WHAT, _blank(_HALF_A_DAY, said)))
        plain = self.meant(re.sub(r"\bthis (?=morning\b|afternoon\b)", "today ", plain), _ASIDE)
        halves = _HALF_WORD.sub(lambda found: " " * len(found[0]), plain)
        stretch = self._week_of(halves) or self._stretch(halves, plain)
        if stretch is None:
            self.lasting |= half
            return None
        self._alone(stretch, halves)
        return self._possible(self._halved(stretch, plain, halves, half))

    def reader(self, text: str) -> _DayReader:
        return _DayReader(text, self._now, self._zone)

    def named(self, text: str) -> list[_Named]:
        return self.reader(text).named()

    def meant(self, text: str, aside: re.Pattern[str]) -> str:
        """Without the days that are named for something else."""
        for each in self.named(text):
            if each.date and aside.search(text[: each.at][-30:]):
                text = _without(text, each.at, text[each.at : each.end])
        return text

    def several(self, span: Mapping[str, int | str]) -> bool:
        return self._local(span["from"]).date() != self._local(span["until"]).date()

    def dated(self, text: str) -> str:
        """With "the 21st" as the date it is, and "24 and 25 December" as what lies between them."""
        text = _SEVERAL.sub(_joined, _THE_NTH.sub("", text))
        done, place = "", 0
        for found in _NTH.finditer(text):
            done += text[place : found.start()]
            place = found.end()
            known = _AFTER_MONTH.search(done[-12:]) or _TO_NTH_OF_MONTH.match(text, place)
            day = None if known else self._next(int(found[1]), self._before(done))
            done += day.isoformat() if day else found[0]
        return self._agreed(done + text[place:])

    def _agreed(self, text: str) -> str:
        """Without the weekday of a date. :raises Refused: it is that of another"""
        named = self.named(text)
        for name, day in reversed(list(pairwise(named))):
            beside = re.fullmatch("[ ,]*(?:the )?", text[name.end : day.at][:30])
            if not (beside and name.weekday and name.date and day.date) or day.weekday:
                continue
            if name.date.weekday() != day.date.weekday():
                raise Refused(f"{_said(day.date)} is a {day.date:%A}.")
            text = text[: name.at] + text[day.at :]
        return text

    def _before(self, text: str) -> date:
        """The day from which the next is counted: the beginning, where this is the end of a stretch."""
        named = self.reader(text[-40:]).named() if _AFTER_TO.search(text[-12:]) else []
        return next((each.date for each in reversed(named) if each.date), self.today)

    @staticmethod
    def _next(number: int, base: date) -> date | None:
        for ahead in range(4):
            year, month = divmod(base.year * 12 + base.month - 1 + ahead, 12)
            if 1 <= number <= calendar.monthrange(year, month + 1)[1]:
                day = date(year, month + 1, number)
                if day >= base:
                    return day
        return None

    def _stretch(self, text: str, plain: str) -> _Stretch | None:
        reader = self.reader(text)
        span = reader.read(answer=False)
        if span is None:
            return self._bare(text, plain)
        if span.value is None:
            raise Refused(span.problem)
        at = max(text.find(span.text), 0)
        if "minutes" in span.value:
            return self._lasting(int(span.value["minutes"]), _without(text, at, span.text), plain, at)
        since = reader.since
        found = self._spanned(span, since.astimezone(self._zone) if since else None, text, at)
        if found.days > 1 or found.half_last or found.half_first or _SURE.search(span.text):
            return found
        return self._bare(text, plain)  # there may be another day beside it

    def _spanned(self, span: Span, since: datetime | None, text: str, at: int) -> _Stretch:
        """From one moment to another, as days."""
        assert span.value is not None
        last = self._local(span.value["until"])
        first = self._local(span.value["from"]) if "from" in span.value else since
        if first is None:
            first = self._until(span, text, at)
        elif first.date() < self.today:
            if not _WEEK.fullmatch(span.text):
                raise Refused(f"{_said(first)} has passed. {BEGINS}")
            first = datetime.combine(self.today, _MIDNIGHT, self._zone)
        before = text[:at][-30:]
        joined = bool(_JOINED.search(span.text))
        if _MONTHS_LONG.fullmatch(span.text) or (not joined and _COUNTED_MONTHS.search(text)):
            raise Refused(WHICH)
        if _WEEK.fullmatch(span.text) and (_SOME.search(text) or _PART_OF.search(before)):
            raise Refused(WHICH)
        half_first, half_last = _is_half(first.time(), begins=True), _is_half(last.time(), begins=False)
        found = _Stretch(first.date(), last.date(), at, at + len(span.text), half_first, half_last)
        if found.days == 1 and half_first and half_last:
            raise Refused(HALF)
        return found

    def _until(self, span: Span, text: str, at: int) -> datetime:
        """Where the end alone was said, it begins today, unless a length beside it says otherwise."""
        assert span.value is not None
        last = self._local(span.value["until"])
        if span.text.startswith(("by ", "ending ")):
            raise Refused(BEGINS)
        if last.date() == self.today and last.time() != LAST_MINUTE:
            raise Refused(HALF)
        beside = self.reader(_without(text, at, span.text)).read(answer=False)
        minutes = beside.value.get("minutes") if beside and beside.value else None
        if minutes and minutes != _DAY * ((last.date() - self.today).days + 1):
            raise Refused(BEGINS)
        return datetime.combine(self.today, _MIDNIGHT, self._zone)

    def _lasting(self, minutes: int, rest: str, plain: str, at: int) -> _Stretch | None:
        """ "a day off on Friday", "a week off next week": a length, and days that are as long"""
        if minutes % _HALF_DAY:
            raise Refused(HALF)
        if (again := self.reader(rest).read(answer=False)) and again.value and "minutes" in again.value:
            raise Refused(WHICH)
        found = self._stretch(rest, plain)
        if found is None:
            self.lasting = True
            return None
        if minutes == _HALF_DAY and found.days == 1 and not (found.half_first or found.half_last):
            return replace(found, half_first=True)
        if found.days == 1 and minutes % _DAY == 0 and re.match(r"[ ,]*for *$", rest[found.end : at][-30:]):
            return replace(found, last=found.first + timedelta(minutes=minutes - _DAY))
        if minutes != found.days * _DAY or found.half_first or found.half_last:
            raise Refused(WHICH)
        return found

    def _bare(self, text: str, plain: str) -> _Stretch | None:
        """ "Friday off", "2026-12-24", "Thursday and Friday" """
        named = [each for each in self.named(text) if self._is_day(each, plain)]
        if not any(each.date or each.problem for each in named):
            return None
        if problem := next((each.problem for each in named if each.problem), ""):
            raise Refused(problem)
        if any(each.clock for each in named):
            raise Refused(HALF)
        days: list[date] = []
        for each in named:
            if each.date and each.date not in days:
                earlier = bool(days) and each.weekday and each.date < days[-1]
                days.append(each.date + timedelta(weeks=earlier))  # said on a Tuesday: "Monday and Tuesday"
        if any(after - before != timedelta(days=1) for before, after in pairwise(days)):
            raise Refused(ONE)
        if _AFTER_TO.search(text[: named[0].at][-12:]):
            raise Refused(BEGINS)
        return _Stretch(days[0], days[-1], named[0].at, named[-1].end)

    def _is_day(self, each: _Named, plain: str) -> bool:
        word = plain[each.at : each.end].removeprefix("the ")
        if _NO_DAY.match(word):
            return False
        return word not in _OTHER_WORDS or self._answer or each.at == 0

    def _week_of(self, text: str) -> _Stretch | None:
        """ "the week of 14 December" is Monday to Sunday"""
        for each in self.named(text):
            before = text[: each.at][-30:]
            found = _WEEK_OF.search(before)
            if not (found and each.date) or re.match(_TO, text[each.end :]):
                continue
            of = found[1] == "of"
            if not of and not re.search(r"\bthe +week \w+ +$", before):
                continue  # "a week from Monday"
            begins = each.date - timedelta(days=each.date.weekday() if of else 0)
            ends = begins + timedelta(days=6)
            if begins < self.today <= ends:
                begins = self.today
            return _Stretch(begins, ends, each.at - len(found[0]), each.end)
        return None

    def _alone(self, stretch: _Stretch, text: str) -> None:
        """:raises Refused: something else is said that would change it"""
        words = text[stretch.at : stretch.end]
        if _EXCEPT.search(text) or _OR.search(words) or _OR.match(text[stretch.end :][:20]):
            raise Refused(ONE)
        beside = self.reader(_without(text, stretch.at, words)).read(answer=False)
        if beside and beside.value and "from" in beside.value:
            first, last = (self._local(beside.value[side]).date() for side in ("from", "until"))
            if not first <= stretch.first <= stretch.last <= last:
                raise Refused(ONE)
        halves = bool(_JOINED.search(words)) or stretch.half_last
        for each in self.named(text):
            within = each.at < stretch.end and each.end > stretch.at
            if each.clock and not (within and halves):
                raise Refused(HALF)
            if each.date and not _NO_DAY.match(text[each.at : each.end]) and not _same(each, stretch, within):
                raise Refused(ONE)

    def _halved(self, stretch: _Stretch, plain: str, text: str, half: bool) -> _Stretch:
        """With "morning" and "afternoon" where they stand beside its first or its last day."""
        named = self.named(text)
        mornings = afternoons = False
        left = plain
        for found in _HALF_WORD.finditer(plain):
            each = _beside(found, named, plain)
            if each is None:
                continue
            left = _without(left, found.start(), found[0])
            if stretch.days == 1:
                mornings |= found[0] == "morning"
                afternoons |= found[0] == "afternoon"
                half |= found[0] == "half"
            elif found[0] == "half" or each.date not in (stretch.first, stretch.last):
                raise Refused(HALF)
            else:
                mornings |= found[0] == "morning" and each.date == stretch.last
                afternoons |= found[0] == "afternoon" and each.date == stretch.first
        if _EVENING.search(left) or (half and stretch.days > 1):
            raise Refused(HALF)
        if stretch.days == 1 and mornings and afternoons:
            return stretch
        first = afternoons or stretch.half_first or (half and not mornings and not stretch.half_last)
        return replace(stretch, half_first=first, half_last=mornings or stretch.half_last)

    def _possible(self, found: _Stretch) -> _Stretch:
        noon = self._now.astimezone(self._zone).time() >= _NOON
        morning = found.days == 1 and found.half_last and not found.half_first
        if found.last < self.today or (morning and noon and found.last == self.today):
            raise Refused(PAST)
        if found.first < self.today:
            raise Refused(f"{_said(found.first)} has passed. {BEGINS}")
        if found.last > self.today + LONGEST:
            raise Refused(FAR)
        if found.days > _LONGEST:
            raise Refused(LONG)
        return found

    def _local(self, moment: object) -> datetime:
        return datetime.fromisoformat(str(moment)).astimezone(self._zone)


def _same(each: _Named, stretch: _Stretch, within: bool) -> bool:
    """Whether it is one of the days between which the stretch lies, or one of its words."""
    if within:
        return each.weekday or stretch.first <= each.date <= stretch.last if each.date else True
    return each.date in (stretch.first, stretch.last)


def _is_half(clock: time, *, begins: bool) -> bool:
    """:raises Refused: it is neither about noon nor about the end of a day"""
    if _NOON <= clock < time(14):
        return True
    if (begins and clock >= time(10)) or (not begins and clock < time(16)):
        raise Refused(HALF)
    return False


def _beside(found: re.Match[str], named: list[_Named], text: str) -> _Named | None:
    """The day to which it belongs: "Friday afternoon", "the morning of 5 January", "half of Friday"."""
    for each in named:
        after = each.end <= found.start() and re.fullmatch(
            r" *(?:in the *)?", text[each.end : found.start()][:60]
        )
        before = found.end() <= each.at and re.fullmatch(r" *(?:of|on)? *", text[found.end() : each.at][:60])
        if each.date and ((after and found[0] != "half") or before):
            return each
    return None


def _joined(found: re.Match[str]) -> str:
    """ "24, 25 and 26 December" is one stretch. :raises Refused: days that do not follow each other"""
    text, numbers = found.string, [int(number) for number in re.findall(r"\d+", found[0])]
    beside = _MONTH_NEAR[0].search(text[: found.start()][-12:]) or _MONTH_NEAR[1].match(text, found.end())
    if not beside and not re.search(rf"\d{_TH}", found[0]):
        return found[0]
    if any(after != before + 1 for before, after in pairwise(numbers)):
        raise Refused(ONE)
    suffix = "" if beside else "th"
    return f"{numbers[0]}{suffix} - {numbers[-1]}{suffix}"


def _spaced(text: str) -> str:
    """In lower case, its words one space apart."""
    return " ".join(lowered(text).split())


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _with_dates(text: str, names: Mapping[str, str]) -> str:
    """With the days that have a name as their dates."""
    for name, day in names.items():
        text = re.sub(rf"\b{name}\b", day, text)
    return text


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Without what is found; everything else stays in its place."""
    return pattern.sub(lambda found: " " * len(found[0]), text)


def _without(text: str, at: int, words: str) -> str:
    return text[:at] + " " * len(words) + text[at + len(words) :]
