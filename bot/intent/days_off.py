"""Which days somebody wants off, out of what they wrote.

What is understood is whole days, in the person's time zone, the last one included:

    {"first": "2026-12-21", "last": "2027-01-03"}       "two weeks off from the 21st", "Dec 21 to Jan 3"
    {..., "half_first": true}                           "Friday afternoon", "from Wednesday noon to Friday"

The grammar of times is that of ``spans``, with days of their own ("Friday off", "the week of 14 December").
How long without a beginning is no answer, nor is a week in which only some days are meant: asked back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from bot.intent.features import listed
from bot.intent.spans import (
    FROM,
    LAST_MINUTE,
    MONTHS,
    WEEKDAYS,
    Day,
    Found,
    Reader,
    Refused,
    lowered,
    zone_of,
)

NO_BEGINNING = "It says how long, not which days."
WHICH = "Which days exactly?"

# Words that say what it is, and nothing of when.
_WHAT = re.compile(
    r"\b(?:(?:of|as) )?(?:my |some |paid |annual |unpaid )*"
    r"(?:time off|time-off|days? off|vacation|holidays?|pto|leave|off)\b"
)
_FROM_AFTERNOON = re.compile(r"\b((?:from|starting|beginning)(?: \w+){1,3}) afternoon\b")
_UNTIL_MORNING = re.compile(r"\b((?:to|until|till|through)(?: \w+){1,3}) morning\b")
_HALF = re.compile(r"\bhalf(?:[- ]| a | of the )?days?\b(?: of)?|\b(?:in )?(?:the )?(?:morning|afternoon)\b")
_NOT_LONG = re.compile(r"\b(?:this|the) (?:morning|afternoon)\b")
_CHRISTMAS = re.compile(r"\bchristmas(?: day)?\b")
_BACK = listed("back return returning except not since last")
_NOON = time(12)
_AN_HOUR_LATER = time(13)


@dataclass(frozen=True, slots=True)
class Days:
    """What was read. One of ``value`` and ``problem`` is set."""

    value: Mapping[str, Any] | None
    problem: str = ""  # a sentence for the person


def find(text: str, *, now: datetime, time_zone: str, answer: bool = False) -> Days | None:
    """The days named in a message; None where none were.

    :param answer: the text answers "which days?"
    """
    said = lowered(text)
    said = _UNTIL_MORNING.sub(r"\1 noon", _FROM_AFTERNOON.sub(r"\1 noon", said))
    half = bool(_HALF.search(said))
    if half:
        said = _HALF.sub(" ", _NOT_LONG.sub(" today ", said))
    reader = _DaysReader(_WHAT.sub(" ", said), now.astimezone(UTC), zone_of(time_zone))
    found = reader.days()
    if isinstance(found, Days):
        return found if answer or found.problem != NO_BEGINNING else None
    if found is None:
        return None
    if half and found["first"] == found["last"]:
        return Days({**found, "half_first": True})
    return Days(None, WHICH) if half else Days(found)


def on_day(text: str, *, now: datetime, time_zone: str) -> date | None:
    """The one day that is named by its date, or as the end of something; no other is guessed at."""
    said = _CHRISTMAS.sub("25 december", lowered(text))
    return _DaysReader(said, now.astimezone(UTC), zone_of(time_zone)).dated()


class _DaysReader(Reader):
    def days(self) -> dict[str, Any] | Days | None:
        """The days; a problem; or nothing."""
        exact = self.first_of([self._range, self._two, self._week_of, self._begun_duration, self._until])
        loose = None if exact else self.first_of([self._whole, self._single])
        span = exact or loose
        lasting = self.first_of([self._duration])
        if span is None:
            return Days(None, (lasting.problem or NO_BEGINNING)) if lasting else None
        if span.value is None:
            return Days(None, span.problem)
        found = self._whole_days(span.value)
        if loose and lasting and not self._as_long(found, lasting.value):
            return Days(None, WHICH)
        return found

    def dated(self) -> date | None:
        for at in range(len(self._tokens)):
            try:
                found = self._written(at) or self._month_first(at) or self._day_first(at) or self._end_of(at)
                day = self._resolve(found[0], self._today) if found else None
            except (Refused, OverflowError, ValueError):
                continue
            if day and self._today <= day <= self._today + timedelta(days=731):
                return day
        return None

    def _whole_days(self, span: Mapping[str, int | str]) -> dict[str, Any]:
        last = datetime.fromisoformat(str(span["until"])).astimezone(self._zone)
        first = datetime.fromisoformat(str(span["from"])).astimezone(self._zone) if "from" in span else None
        found: dict[str, Any] = {
            "first": (first.date() if first else self._today).isoformat(),
            "last": last.date().isoformat(),
        }
        if first and first.time() >= _NOON:
            found["half_first"] = True
        if last.time() <= _AN_HOUR_LATER:
            found["half_last"] = True
        return found

    @staticmethod
    def _as_long(found: Mapping[str, Any], lasting: Mapping[str, int | str] | None) -> bool:
        days = (date.fromisoformat(found["last"]) - date.fromisoformat(found["first"])).days + 1
        return lasting is not None and int(lasting["minutes"]) == days * 24 * 60

    def _begun_duration(self, at: int) -> Found:
        """With the day of a month that nobody named: "two weeks from the 21st"."""
        place = at + 1 + (self._word(at + 1) == "on")
        place += self._word(place) == "the"
        if self._word(at) not in FROM or self._kind(place) != "ordinal" or self._date(place):
            return super()._begun_duration(at)
        number = self._day_number(place)
        later = (self._lasting(start) for start in range(place + 1, len(self._tokens)))
        lasting = next(filter(None, later), None) or self._lasting_before(at)
        if number is None or lasting is None or lasting[0] % (24 * 60):
            raise Refused("It says when it starts, not when it ends.")
        first = self._of_month(number[0].day)
        return self._stretch(first, first + timedelta(minutes=lasting[0], days=-1)), place + 1

    def _week_of(self, at: int) -> Found:
        """ "the week of 14 December", "the week of the 14th" """
        if not self._words(at, "week of"):
            return None
        place = at + 2 + (self._word(at + 2) == "the")
        found = self._date(place)
        day = self._resolve(found[0], self._today) if found else None
        if day is None and self._kind(place) == "ordinal" and (number := self._day_number(place)):
            day = self._of_month(number[0].day)
        if day is None:
            return None
        monday = day - timedelta(days=day.weekday())
        return self._stretch(monday, monday + timedelta(days=6)), (found[1] if found else place + 1)

    def _two(self, at: int) -> Found:
        """ "Monday and Tuesday": two days that follow each other; of any others it is asked which"""
        first = self._date(at)
        if first is None or self._word(first[1]) != "and":
            return None
        place = first[1] + 1
        second = self._date(place) or (self._day_number(place) if first[0].month else None)
        completed = self._complete(first[0], second[0]) if second else None
        if second is None or completed is None:
            return None
        day = self._resolve(completed[0], self._today)
        if self._resolve(completed[1], day) != day + timedelta(days=1):
            raise Refused(WHICH)
        return self._stretch(day, day + timedelta(days=1)), second[1]

    def _whole(self, at: int) -> Found:
        if self._word(at) == "in" and self._word(at + 1) in MONTHS:
            raise Refused(WHICH)  # a month is when, and not how long
        return None if self._comes_back(at) else super()._whole(at)

    def _comes_back(self, at: int) -> bool:
        """Whether the day that is said here is one on which they work."""
        return any(self._word(at - before) in _BACK for before in (1, 2))

    def _single(self, at: int) -> Found:
        """ "Friday off", "the 5th", "5 January" """
        if self._comes_back(at):
            return None
        place = at + (self._word(at) == "the")
        if self._word(place) in WEEKDAYS and len(self._word(place)) < 4 and place > 0:
            return None  # "sun", "sat" and "wed" are other words as well
        found = self._date(place)
        if found is None and self._kind(place) == "ordinal" and (number := self._day_number(place)):
            found = Day(date=self._of_month(number[0].day)), number[1]
        if found is None:
            return None
        day = self._resolve(found[0], self._today)
        return self._stretch(day, day), found[1]

    def _stretch(self, first: date, last: date) -> Mapping[str, int | str]:
        return self._value(self._moment(first, time(0)), self._moment(last, LAST_MINUTE), asked_from=True)
