"""How long, or from when to when: a small grammar that reads what is there and never invents.

What is understood becomes one of the values of a span slot, in UTC:

    {"minutes": 20160}                  "for two weeks", "2w", "for 90 minutes"
    {"until": "..."}                    "until Friday", "till end of month", "today", "until 5pm"
    {"from": "...", "until": "..."}     "Dec 24-31", "from Monday to Wednesday", "next week", "tomorrow"

Rules where people differ:

- A day lasts until 23:59 in the person's time zone. A week is Monday to Sunday.
- "Friday" is the next Friday, today included. "Next Friday" is the one in the next calendar week;
  "this Friday" the one in this week.
- A date without a year is the next one to come, unless it passed in the last 60 days: then it is
  more likely a slip than a date eleven months ahead, and is refused.
- "By Friday" ends on Friday. A month is 30 days, a year 365.
- What began already and has not ended runs from now. What has ended is refused, as is whatever
  ends more than two years from now. "A few days" and "3/4/2027" are asked back, not guessed.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.intent.abroad import in_english
from bot.intent.features import clean, listed

LONGEST = timedelta(days=731)
_SLIP = timedelta(days=60)
LAST_MINUTE = time(23, 59)


@dataclass(frozen=True, slots=True)
class Span:
    """What was read. One of ``value`` and ``problem`` is set."""

    value: Mapping[str, int | str] | None
    problem: str = ""  # a sentence for the person
    text: str = ""  # the words it was read from


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # word, number, ordinal, dotted, iso, german, slash, clock, short, dash, comma, mark
    text: str
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day as said: some of it may only be known from what stands beside it."""

    date: date | None = None
    month: int = 0
    day: int = 0
    weekday: int | None = None  # a plain weekday, counted from where the range begins
    clock: time | None = None

    @property
    def bare_number(self) -> bool:
        """The 24 of "24-31 December"."""
        return bool(self.day) and not self.month and self.date is None


class Refused(Exception):
    """It was said, and cannot be meant; ``str(error)`` is for the person."""


# What a rule may find: a value and the place after it.
Found = tuple[Mapping[str, int | str], int] | None


_TOKEN = re.compile(
    r"(?P<iso>\b\d{4}-\d{1,2}-\d{1,2}\b)"
    r"|(?P<german>\b\d{1,2}\.\s?\d{1,2}\.(?:\s?\d{4}\b|\d{2}\b)?)"
    r"|(?P<slash>\b\d{1,2}/\d{1,2}(?:/\d{2,4})?\b)"
    r"|(?P<clock>\b\d{1,2}(?:[:.]\d{2})?\s?[ap]\.?m\b\.?|\b\d{1,2}:\d{2}\b)"
    r"|(?P<short>\b\d{1,3}(?:\.\d)?\s?(?:mins?|m|hrs?|hr|h|d|wks?|wk|w|mos?|mths?|y|yrs?)\b)"
    r"|(?P<ordinal>\b\d{1,2}(?:st|nd|rd|th)\b)"
    r"|(?P<number>\b\d{1,6}(?:\.\d{1,2})?\b)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)"
    r"|(?P<dash>[-\u2013\u2014])"
    r"|(?P<comma>,)"
    r"|(?P<mark>[^\s])"
)
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("monday mon", "tuesday tue tues", "wednesday wed weds", "thursday thu thur thurs", "friday fri",
        "saturday sat",
         "sunday sun")
    )
    for name in names.split()
}  # fmt: skip
MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sep sept", "october oct", "november nov", "december dec"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_UP_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_NUMBERS = {word: number for number, word in enumerate(_UP_TO_TWENTY)} | {
    "a": 1, "an": 1, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90,
}  # fmt: skip
_MINUTES = {
    name: minutes
    for names, minutes in (
        ("minute minutes min mins m", 1), ("hour hours hr hrs h", 60), ("day days d",
        1440), ("week weeks wk wks w", 10080),
        ("fortnight fortnights", 20160), ("month months mo mos mth mths", 43200), ("quarter quarters",
        129600),
        ("year years yr yrs y", 525600),
    )
    for name in names.split()
}  # fmt: skip
_NEAR = {"yesterday": -1, "today": 0, "tonight": 0, "eod": 0, "tomorrow": 1, "tmrw": 1, "tomorow": 1}
_UNTIL = listed("until till til untill unitl through thru by ending")
_TO = listed("to until till til through thru")
_BETWEEN_TO = _TO | {"and"}
FROM = listed("from starting beginning between start")
_NOT_BEFORE_A_DURATION = listed("in since last past every within after before ago previous per under each")
_FILLERS = listed(
    "about around just only exactly roughly maybe another further next additional approximately say"
)
_VAGUE = listed("few several some couple")
_OF_WEEK = re.compile(  # "Monday next week" is next Monday; of "Monday to Friday next week" each is
    rf"\b(?P<first>(?:{'|'.join(WEEKDAYS)})\W+(?:(?:to|until|till|through|and|or)\W+)?)?"
    rf"(?P<day>{'|'.join(WEEKDAYS)}) (?:(?:of|in) )?(?P<which>next|this|last) week\b"
)


def find(text: str, *, now: datetime, time_zone: str, answer: bool = False) -> Span | None:
    """The span said in a message, or None where none was.

    :param answer: the text answers "for how long?", so that a bare day means its end
    """
    return Reader(lowered(text), now.astimezone(UTC), zone_of(time_zone)).read(answer)


def zone_of(name: str) -> ZoneInfo:
    """UTC where there is no such zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def lowered(text: str) -> str:
    """As a reader takes it: small letters, and times in English."""
    return timed(small(text))


def timed(text: str) -> str:
    """A text in small letters with its times as the grammar knows them."""
    return _OF_WEEK.sub(
        lambda said: said[0] if said["first"] else f"{said['which']} {said['day']}", in_english(text)
    )


def small(text: str) -> str:
    """In small letters, with one sort of apostrophe."""
    return clean(text).lower().replace("\u2019", "'")


class Reader:
    """Reads one message. Methods that read at a place return what they read and the next place."""

    def __init__(self, text: str, now: datetime, zone: ZoneInfo) -> None:
        self._text = text
        self._tokens = [
            _Token(found.lastgroup or "", found[0], found.start(), found.end())
            for found in _TOKEN.finditer(text)
        ]
        self._now = now
        self._zone = zone
        self._today = now.astimezone(zone).date()

    def read(self, answer: bool) -> Span | None:
        rules = [self._range, self._until, self._begun_duration, self._duration, self._whole]
        return self.first_of([*rules, self._bare] if answer else rules)

    def first_of(self, rules: Sequence[Callable[[int], Found]]) -> Span | None:
        """What the first rule finds that finds anything."""
        for rule in rules:
            for at in range(len(self._tokens)):
                try:
                    found = rule(at)
                except Refused as error:  # said, but not to be used: nothing else is made of it
                    return Span(None, problem=str(error))
                except (OverflowError, ValueError):  # a day no calendar has
                    continue
                if found:
                    value, end = found
                    return Span(value, text=self._text[self._tokens[at].at : self._tokens[end - 1].end])
        return None

    def _range(self, at: int) -> Found:
        """ "from Monday to Wednesday", "Dec 24-31", "24.-31.12." """
        begun = self._word(at) in FROM
        place = at + 1 if begun else at
        if begun and self._word(place) in ("on", "at"):
            place += 1
        if begun and self._word(place) == "now":
            return self._ending(place + 2) if self._word(place + 1) in _TO else None
        first = self._day(place) or self._day_number(place)
        if not first:
            return None
        start, place = first
        if self._dot(place) and self._kind(place + 1) == "dash":  # "24.-31.12."
            place += 1
        joins = _BETWEEN_TO if self._word(at) == "between" else _TO
        if not (self._kind(place) == "dash" or self._word(place) in joins):
            return None
        second = self._day(place + 1) or (self._day_number(place + 1) if start.month else None)
        if not second:
            return None
        completed = self._complete(start, second[0])
        return (self._between(*completed), second[1]) if completed else None

    @staticmethod
    def _complete(start: Day, end: Day) -> tuple[Day, Day] | None:
        """Each side takes the month from the other where it has none."""
        if start.bare_number:
            if end.date:
                start = Day(date=date(end.date.year, end.date.month, start.day), clock=start.clock)
            elif end.month:
                start = replace(start, month=end.month)
            else:
                return None
        if end.bare_number:
            end = replace(end, month=start.month)
        return start, end

    def _between(self, start: Day, end: Day) -> Mapping[str, int | str]:
        if (
            start.clock
            and start.date is None
            and end.date is None
            and start.weekday is None
            and not start.month
        ):
            day = self._today if end.weekday is None else self._weekday(end.weekday, self._today)
            first, last = day, day
        elif start.date is None and start.month:
            first, last = self._yearless(start, end)
        else:
            first = self._resolve(start, self._today)
            last = self._resolve(end, first)
            if last < first and end.month and end.date is None:
                last = date(first.year + 1, end.month, end.day)
        if last < first:
            raise Refused("The end lies before the start.")
        return self._value(
            self._moment(first, start.clock or time(0)),
            self._moment(last, end.clock or LAST_MINUTE),
            asked_from=True,
        )

    def _yearless(self, start: Day, end: Day) -> tuple[date, date]:
        for year in (self._today.year - 1, self._today.year, self._today.year + 1):
            if end.date:  # "Dec 24 to 2027-01-03": the start is the last such day before the end
                first = _on(end.date.year, start.month, start.day)
                return (
                    first if first <= end.date else _on(end.date.year - 1, start.month, start.day)
                ), end.date
            first = _on(year, start.month, start.day)
            last = (
                self._weekday(end.weekday, first)
                if end.weekday is not None
                else _on(year, end.month, end.day)
            )
            if last < first:
                last = _on(year + 1, end.month, end.day)
            if last >= self._today:
                return first, last
            if self._today - last <= _SLIP:
                raise Refused(f"{_said(last)} has passed.")
        raise Refused("That lies in the past.")

    def _until(self, at: int) -> Found:
        if self._word(at) in _UNTIL:
            return self._ending(at + 1)
        if self._words(at, "up to") or self._words(at, "up until"):
            return self._ending(at + 2)
        if self._words(at, "rest of"):  # "for the rest of the week"
            period = self._period(at + 2)
            return (self._value(None, self._moment(period[1], LAST_MINUTE)), period[2]) if period else None
        return None

    def _ending(self, at: int) -> Found:
        if self._word(at) in ("and", "including", "the", "about", "on"):
            at += 1
        if self._word(at) == "including":
            at += 1
        if self._words(at, "next week") or self._words(at, "next month") or (
            self._word(at) in MONTHS and len(self._word(at)) > 3 and not self._day(at)
        ):  # fmt: skip
            raise Refused("Until which day exactly?")
        found = self._day(at)
        if not found:
            if self._kind(at) == "ordinal" and (number := self._day_number(at)):
                if self._word(at + 1) == "of":  # "of next month"
                    raise Refused("Until which day exactly?")
                return self._value(None, self._moment(self._of_month(number[0].day), LAST_MINUTE)), number[1]
            return None
        day, place = found
        last = self._resolve(day, self._today)
        return self._value(None, self._moment(last, day.clock or LAST_MINUTE)), place

    def _begun_duration(self, at: int) -> Found:
        """ "from Monday for two weeks", "two weeks from Monday", "starting tomorrow, 3 days" """
        if self._word(at) not in FROM and not self._words(at, "as of"):
            return None
        place = at + (2 if self._words(at, "as of") else 1)
        if self._word(place) in ("on", "with", "now", "today"):
            place += 1
        if self._word(place - 1) in ("now", "today"):
            return None  # the duration alone says it
        week = self._period(place) if self._word(place) == "next" else None
        found = self._day(place) if not week else (Day(date=week[0]), week[2])
        if not found:
            return None
        day, place = found
        later = (self._lasting(start) for start in range(place, len(self._tokens)))
        lasting = next(filter(None, later), None) or self._lasting_before(at)
        if not lasting:
            raise Refused("It says when it starts, not when it ends.")
        first = self._moment(self._resolve(day, self._today), day.clock or time(0))
        minutes, end = lasting
        last = first + timedelta(minutes=minutes)
        if minutes % 1440 == 0 and not day.clock:  # whole days: the last one ends at 23:59 there
            last = self._moment(
                first.astimezone(self._zone).date() + timedelta(days=minutes // 1440 - 1), LAST_MINUTE
            )
        return self._value(first, last, asked_from=True), max(end, at + 1)

    def _lasting_before(self, at: int) -> tuple[int, int] | None:
        for start in range(max(0, at - 5), at):
            lasting = self._lasting(start)
            if lasting and lasting[1] == at:
                return lasting[0], at + 1
        return None

    def _duration(self, at: int) -> Found:
        before = self._word(at - 1) if at else ""
        if before in _NOT_BEFORE_A_DURATION or (
            before == "the" and at > 1 and self._word(at - 2) in _NOT_BEFORE_A_DURATION
        ):
            return None
        if at and (self._kind(at - 1) == "number" or (before in _NUMBERS and before not in ("a", "an"))):
            return None
        lasting = self._lasting(at)
        if not lasting or self._word(lasting[1]) in (
            "ago",
            "old",
            "long",
            "earlier",
            "notice",
            "later",
            "left",
            "back",
        ):
            return None
        minutes, place = lasting
        if minutes > LONGEST // timedelta(minutes=1):
            raise Refused("That is longer than two years.")
        return ({"minutes": minutes}, place) if minutes > 0 else None

    def _lasting(self, at: int) -> tuple[int, int] | None:
        """A number and a unit: minutes, and the next place."""
        if self._kind(at) == "short":
            found = re.fullmatch(r"([\d.]+)\s?([a-z]+)", self._tokens[at].text)
            return (round(float(found[1]) * _MINUTES[found[2]]), at + 1) if found else None
        while self._word(at) in _FILLERS or (self._word(at) == "the" and self._word(at + 1) in _FILLERS):
            at += 1
        if self._words(at, "half an hour") or self._words(at, "half a day"):
            return (30 if self._word(at + 2) == "hour" else 720), at + 3
        vague = at + (self._word(at) == "a")
        if self._word(vague) in _VAGUE:
            return self._vague(vague)
        number = self._number(at)
        if number is None and at and self._word(at - 1) == "another" and self._word(at) in _MINUTES:
            number, at = 1, at - 1  # "for another week"
        if number is None:
            return None
        at += 1
        if self._words(at, "and a half"):
            number, at = number + 0.5, at + 3
        return self._unit(number, at)

    def _vague(self, at: int) -> tuple[int, int] | None:
        """ "a couple of days" is two; "a few" and "several" are asked back."""
        unit = at + 1 + (self._word(at + 1) == "of")
        if self._word(unit) not in _MINUTES:
            return None
        if self._word(at) == "couple":
            return 2 * _MINUTES[self._word(unit)], unit + 1
        raise Refused(f"How many {self._word(unit)} exactly?")

    def _unit(self, number: float, at: int) -> tuple[int, int] | None:
        joined = self._kind(at) == "dash"
        if (joined or self._word(at) in ("or", "to")) and self._number(at + 1) is not None:
            if self._word(at + 2) in _MINUTES:  # "2-3 weeks"
                raise Refused(f"How many {self._word(at + 2)} exactly?")
            return None
        at += joined  # "2-week"
        if self._word(at) in ("working", "business"):
            raise Refused("Until which day exactly?")
        at += self._word(at) in ("full", "whole", "more", "calendar", "solid")
        unit = self._word(at)
        if unit not in _MINUTES or (unit in "mhdwy" and self._kind(at - 1) != "number"):
            return None
        minutes, at = round(number * _MINUTES[unit]), at + 1
        if self._words(at, "and a half"):
            return minutes + _MINUTES[unit] // 2, at + 3
        if self._word(at) == "and" and (more := self._lasting(at + 1)):
            return minutes + more[0], more[1]
        return minutes, at

    def _whole(self, at: int) -> Found:
        """ "tomorrow", "next week", "over the weekend", "on Friday", "in December" """
        before = self._word(at - 1) if at else ""
        if before in ("since", "last", "after", "before", "not", "yesterday"):
            return None
        word = self._word(at)
        if word in (
            "this",
            "next",
            "today",
            "tomorrow",
            "tonight",
            "weekend",
            "eod",
            "eow",
            "eom",
            "rest",
        ) or (word in ("the", "over") and self._word(at + 1) in ("weekend", "week", "day", "month")):
            skip = 1 if word in ("the", "over") else 0
            if skip and word == "the" and before not in ("for", "over", "on", "during"):
                return None
            if period := self._period(at + skip):
                first, last, place = period
                return self._value(
                    self._moment(first, time(0)), self._moment(last, LAST_MINUTE), asked_from=True
                ), place
        if word in ("on", "for", "this", "next") or self._word(at) == "only":
            place = at if word in ("this", "next") else at + 1
            if found := self._day(place):
                day = self._resolve(found[0], self._today)
                clock = found[0].clock
                if clock and word != "for":
                    return None  # "on Friday at 5pm" is a moment, and has no end
                end = self._moment(day, clock or LAST_MINUTE)
                return self._value(self._moment(day, time(0)), end, asked_from=True), found[1]
        if word == "in" and self._word(at + 1) in MONTHS and self._kind(at + 2) not in ("number", "ordinal"):
            return self._month(MONTHS[self._word(at + 1)]), at + 2
        return None

    def _month(self, month: int) -> Mapping[str, int | str]:
        year = self._today.year + (month < self._today.month)
        last = calendar.monthrange(year, month)[1]
        return self._value(
            self._moment(date(year, month, 1), time(0)),
            self._moment(date(year, month, last), LAST_MINUTE),
            asked_from=True,
        )

    def _bare(self, at: int) -> Found:
        """ "friday" as an answer: until then."""
        return self._ending(at)

    def _period(self, at: int) -> tuple[date, date, int] | None:
        """A stretch of days: its first, its last, the next place."""
        if self._word(at) in ("the", "my", "our"):
            at += 1
        word, today = self._word(at), self._today
        shift, name, place = 0, word, at + 1
        if word in ("this", "next", "current", "coming"):
            shift, name, place = int(word == "next"), self._word(at + 1), at + 2
        monday = today - timedelta(days=today.weekday())
        if name in ("day", "today", "eod", "tonight", "afternoon", "evening", "morning") and not shift:
            return today, today, place
        if name == "tomorrow":
            return today + timedelta(days=1), today + timedelta(days=1), place
        if name in ("week", "eow"):
            return monday + timedelta(weeks=shift), monday + timedelta(weeks=shift, days=6), place
        if name == "weekend":
            return monday + timedelta(weeks=shift, days=5), monday + timedelta(weeks=shift, days=6), place
        if name in ("month", "eom"):
            year, month = divmod(today.year * 12 + today.month - 1 + shift, 12)
            return (
                date(year, month + 1, 1),
                date(year, month + 1, calendar.monthrange(year, month + 1)[1]),
                place,
            )
        if name == "quarter":
            year, quarter = divmod(today.year * 4 + (today.month - 1) // 3 + shift, 4)
            last = quarter * 3 + 3
            return date(year, last - 2, 1), date(year, last, calendar.monthrange(year, last)[1]), place
        if name == "year":
            return date(today.year + shift, 1, 1), date(today.year + shift, 12, 31), place
        return None

    # Days

    def _day(self, at: int) -> tuple[Day, int] | None:
        """A day, with a time of day before or after it; or a time of day alone."""
        if self._word(at) == "the":
            at += 1
        clock = self._clock(at)
        if clock:
            value, place = clock
            skip = place + (self._word(place) in ("on", "of"))
            if day := self._date(skip):
                return replace(day[0], clock=value), day[1]
            return Day(clock=value), place
        day = self._date(at)
        if not day:
            return None
        found, place = day
        skip = place + (self._word(place) == "at") + (self._kind(place) == "comma")
        if after := self._clock(skip):
            return replace(found, clock=after[0]), after[1]
        return found, place

    def _clock(self, at: int) -> tuple[time, int] | None:
        word = self._word(at)
        if word == "noon":
            return time(12), at + 1
        if word == "midnight":
            return LAST_MINUTE, at + 1
        if self._kind(at) != "clock":
            return None
        found = re.match(r"(\d{1,2})(?:[:.](\d{2}))?\s?([ap])?", self._tokens[at].text)
        if not found:
            return None
        hour, minute = int(found[1]), int(found[2] or 0)
        if found[3]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if found[3] == "p" else 0)
        return (time(hour, minute), at + 1) if hour < 24 and minute < 60 else None

    def _date(self, at: int) -> tuple[Day, int] | None:
        readers: tuple[Callable[[int], tuple[Day, int] | None], ...] = (
            self._written, self._month_first, self._day_first, self._named,
        )  # fmt: skip
        return next((found for reader in readers if (found := reader(at))), None)

    def _written(self, at: int) -> tuple[Day, int] | None:
        """ISO, German and slashed dates."""
        kind = self._kind(at)
        if kind not in ("iso", "german", "slash"):
            return None
        parts = [int(part) for part in re.findall(r"\d+", self._tokens[at].text)]
        if kind == "iso":
            return Day(date=date(*parts)), at + 1
        first, second, year = parts[0], parts[1], parts[2] if len(parts) > 2 else 0
        if kind == "slash":
            if first <= 12 and second <= 12 and first != second:
                raise Refused("Is that day/month or month/day? Please write the month as a word.")
            first, second = (second, first) if second > 12 else (first, second)
        if year:
            return Day(date=date(year + 2000 if year < 100 else year, second, first)), at + 1
        return _valid(second, first, at + 1)

    def _month_first(self, at: int) -> tuple[Day, int] | None:
        month = MONTHS.get(self._word(at))
        place = at + 1 + (self._word(at + 1) == "the") + (self._dot(at + 1))
        if not month or self._kind(place) not in ("number", "ordinal"):
            return None
        day = self._whole_number(place)
        if day is None or not 1 <= day <= 31:
            return None
        return self._with_year(month, day, place + 1)

    def _day_first(self, at: int) -> tuple[Day, int] | None:
        if self._kind(at) not in ("number", "ordinal"):
            return None
        day = self._whole_number(at)
        place = at + 1 + self._dot(at + 1)
        place += self._word(place) == "of"
        month = MONTHS.get(self._word(place))
        if day is None or not month or not 1 <= day <= 31:
            return None
        return self._with_year(month, day, place + 1)

    def _with_year(self, month: int, day: int, place: int) -> tuple[Day, int] | None:
        skip = place + (self._kind(place) == "comma") + self._dot(place)
        if self._kind(skip) == "number" and re.fullmatch(r"[12]\d{3}", self._tokens[skip].text):
            return Day(date=date(int(self._tokens[skip].text), month, day)), skip + 1
        return _valid(month, day, place)

    def _named(self, at: int) -> tuple[Day, int] | None:
        word, today = self._word(at), self._today
        if word in _NEAR:
            return Day(date=today + timedelta(days=_NEAR[word])), at + 1
        if self._words(at, "day after tomorrow"):
            return Day(date=today + timedelta(days=2)), at + 3
        if word in WEEKDAYS:
            return self._with_date(at) or (Day(weekday=WEEKDAYS[word]), at + 1)
        if word in ("this", "next", "coming") and self._word(at + 1) in WEEKDAYS:
            number = WEEKDAYS[self._word(at + 1)]
            if word == "coming":
                return Day(date=self._weekday(number, today + timedelta(days=1))), at + 2
            monday = today - timedelta(days=today.weekday())
            return Day(date=monday + timedelta(days=number, weeks=int(word == "next"))), at + 2
        if word == "weekend":  # "until the weekend": up to its eve
            return Day(date=self._weekday(4, today)), at + 1
        return self._end_of(at)

    def _with_date(self, at: int) -> tuple[Day, int] | None:
        """ "Friday, 4 December", "Friday the 4th": that date, where it is that weekday"""
        place = at + 1 + (self._kind(at + 1) == "comma")
        place += self._word(place) == "the"
        found = self._written(place) or self._month_first(place) or self._day_first(place)
        weekday, ordinal = WEEKDAYS[self._word(at)], self._kind(place) == "ordinal"
        if found is None and (number := self._day_number(place)) and self._word(place + 1) not in _MINUTES:
            found = Day(date=self._of_month(number[0].day)), number[1]
            if not ordinal and self._resolve(found[0], self._today).weekday() != weekday:
                return None  # "on Friday 3 of us"
        if found and self._resolve(found[0], self._today).weekday() != weekday:
            day = self._resolve(found[0], self._today)
            raise Refused(f"{_said(day)} is a {day:%A}.")
        return found

    def _end_of(self, at: int) -> tuple[Day, int] | None:
        """ "end of the month", "end of December", "eow" """
        word = self._word(at)
        if word in ("eow", "eom"):
            place = at
        elif word == "end":
            place = at + 1 + (self._word(at + 1) == "of")
            place += self._word(place) == "the"
        else:
            return None
        if period := self._period(place):
            return Day(date=period[1]), period[2]
        if month := MONTHS.get(self._word(place)):
            year = self._today.year + (month < self._today.month)
            return Day(date=date(year, month, calendar.monthrange(year, month)[1])), place + 1
        return None

    def _day_number(self, at: int) -> tuple[Day, int] | None:
        """A day of a month that is said elsewhere, or not at all."""
        if self._kind(at) not in ("number", "ordinal"):
            return None
        day = self._whole_number(at)
        if day is None or not 1 <= day <= 31:
            return None
        return Day(day=day), at + 1

    def _resolve(self, day: Day, base: date) -> date:
        if day.date:
            return day.date
        if day.weekday is not None:
            return self._weekday(day.weekday, base)
        if day.month:
            if base != self._today:
                this = _on(base.year, day.month, day.day)
                return this if this >= base else _on(base.year + 1, day.month, day.day)
            this = _on(base.year, day.month, day.day)
            for year in (base.year - 1, base.year):
                passed = base - _on(year, day.month, day.day)
                if timedelta(0) < passed <= _SLIP:
                    raise Refused(f"{_said(base - passed)} has passed.")
            return this if this >= base else _on(base.year + 1, day.month, day.day)
        return base

    @staticmethod
    def _weekday(number: int, base: date) -> date:
        return base + timedelta(days=(number - base.weekday()) % 7)

    def _of_month(self, day: int) -> date:
        for ahead in range(13):
            year, month = divmod(self._today.year * 12 + self._today.month - 1 + ahead, 12)
            if day <= calendar.monthrange(year, month + 1)[1] and date(year, month + 1, day) >= self._today:
                return date(year, month + 1, day)
        raise Refused("There is no such day.")

    def _moment(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self._zone).astimezone(UTC)

    def _value(
        self, first: datetime | None, last: datetime, *, asked_from: bool = False
    ) -> Mapping[str, int | str]:
        if last <= self._now:
            raise Refused("That lies in the past.")
        if last - self._now > LONGEST:
            raise Refused("That is more than two years away.")
        if first and asked_from and first > self._now:
            if first >= last:
                raise Refused("The end lies before the start.")
            return {"from": first.isoformat(), "until": last.isoformat()}
        return {"until": last.isoformat()}

    # Tokens

    def _kind(self, at: int) -> str:
        return self._tokens[at].kind if 0 <= at < len(self._tokens) else ""

    def _word(self, at: int) -> str:
        return self._tokens[at].text if self._kind(at) == "word" else ""

    def _words(self, at: int, said: str) -> bool:
        return all(self._word(at + offset) == word for offset, word in enumerate(said.split()))

    def _dot(self, at: int) -> bool:
        return self._kind(at) == "mark" and self._tokens[at].text == "."

    def _number(self, at: int) -> float | None:
        if self._kind(at) == "number":
            return float(self._tokens[at].text)
        return _NUMBERS.get(self._word(at))

    def _whole_number(self, at: int) -> int | None:
        found = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", self._tokens[at].text)
        return int(found[1]) if found else None


def _on(year: int, month: int, day: int) -> date:
    """The day of that year; 29 February falls on the 28th in a year that has none."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _valid(month: int, day: int, place: int) -> tuple[Day, int] | None:
    if not (1 <= month <= 12 and 1 <= day <= calendar.monthrange(2028, month)[1]):
        return None
    return Day(month=month, day=day), place


def _said(day: date) -> str:
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"
