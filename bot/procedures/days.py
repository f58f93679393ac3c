"""Which days count as time off: all but weekends and public holidays, which differ from place to place.

Where somebody works is told by their time zone. A setting names whose holidays it means; for every other
zone they are those of its country, without those of a part of it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = 366  # days, of one time off
AHEAD = timedelta(days=731)  # beyond it, holidays are a guess
_ELSEWHERE, _NONE = "*", "none"
_WHOLE, _HALF, _NOTHING = Decimal(1), Decimal("0.5"), Decimal(0)
_WEEKEND = (5, 6)  # Saturday and Sunday, where no country says otherwise


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one place."""

    name: str  # "Germany, Berlin"
    _holidays: Any = field(default=None, repr=False)  # the library's; None: weekends alone
    _clock: Callable[[], datetime] = field(default=_now, repr=False)

    def why_off(self, day: date) -> str:
        """ "Saturday", "Christmas Day"; empty where it is a working day."""
        holiday = self._holidays.get(day) if self._holidays is not None else None
        if self._rests(day):
            return f"{day:%A}"
        return str(holiday or "")

    def counted(
        self, first: date, last: date, half_first: bool = False, half_last: bool = False
    ) -> dict[date, Decimal]:
        """What each day from the first to the last takes: 1, 0.5, or 0 where nobody works.

        One day that is half at either end is half a day.

        :raises ValueError: says why there is no such time off
        """
        if last < first:
            raise ValueError("the last day lies before the first")
        if (last - first).days >= LONGEST:
            raise ValueError(f"that is more than {LONGEST} days")
        if last > self._clock().date() + AHEAD:
            raise ValueError("that is more than two years away")
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        parts = {day: _NOTHING if self.why_off(day) else _WHOLE for day in days}
        for half, day in ((half_first, first), (half_last, last)):
            if half:
                parts[day] = min(parts[day], _HALF)
        return parts

    def _rests(self, day: date) -> bool:
        """Weekends, but for the Saturdays that are worked in place of another day."""
        if self._holidays is None:
            return day.weekday() in _WEEKEND
        return bool(self._holidays.is_weekend(day)) and day not in self._holidays.weekend_workdays


class Calendars:
    """The calendar of every time zone."""

    def __init__(self, setting: str, clock: Callable[[], datetime] = _now) -> None:
        """:param setting: "Europe/Berlin=DE-BE, America/New_York=US, *=none"; ``*`` is every other zone

        :raises ValueError: names the part that is wrong
        """
        self._clock = clock
        self._loaded: dict[str, Calendar] = {}  # by place: "DE-BE"
        self._none = Calendar("no public holidays", _clock=clock)
        self._named = dict[str, Calendar]()
        for part in filter(None, (each.strip() for each in setting.split(","))):
            zone, calendar = self._read(part)
            if zone in self._named:
                raise ValueError(f"{zone!r} is there twice")
            self._named[zone] = calendar

    def calendar(self, zone: str) -> Calendar:
        """That of people in this time zone; without public holidays where nobody can tell."""
        named = self._named.get(zone) or self._named.get(_ELSEWHERE)
        if named:
            return named
        country = self._countries.get(zone)
        return self._of(country) if country else self._none

    def _read(self, part: str) -> tuple[str, Calendar]:
        zone, equals, place = (each.strip() for each in part.partition("="))
        if not (zone and equals and place):
            raise ValueError(f"{part!r} is no ZONE=COUNTRY, like Europe/Berlin=DE-BE")
        if zone != _ELSEWHERE and not _is_zone(zone):
            raise ValueError(f"{part!r}: there is no time zone {zone!r}")
        try:
            return zone, self._none if place == _NONE else self._of(place)
        except ValueError as error:
            raise ValueError(f"{part!r}: {error}") from None

    def _of(self, place: str) -> Calendar:
        """:raises ValueError: there are no holidays of it"""
        if place not in self._loaded:
            country, dash, subdivision = place.partition("-")
            if dash and not subdivision:
                raise ValueError(f"{place!r} names no subdivision")
            holidays = _load(country, subdivision)
            names = (_country_name(country), _subdivision_name(holidays, subdivision))
            self._loaded[place] = Calendar(", ".join(filter(None, names)), holidays, self._clock)
        return self._loaded[place]

    @cached_property
    def _countries(self) -> Mapping[str, str]:
        return _zone_countries()


def _load(country: str, subdivision: str) -> Any:
    """:raises ValueError: no such country or subdivision"""
    library = importlib.import_module("holidays")  # 4 MB, and 8 more with the first country: only where used
    known = getattr(library, country, None) if re.fullmatch("[A-Z]{2}", country) else None
    if known is None:
        raise ValueError(f"there is no country {country!r}; two letters, like DE")
    # Named, for it would follow the machine's own language otherwise.
    languages = [each for each in known.supported_languages if each.startswith("en")]
    language = "en_US" if "en_US" in languages or not languages else languages[0]
    try:
        return library.country_holidays(country, subdiv=subdivision or None, language=language)
    except NotImplementedError:
        codes = ", ".join(known.subdivisions) or "none"
        raise ValueError(f"{country} has no subdivision {subdivision!r}; it has: {codes}") from None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _table(name: str) -> list[list[str]]:
    text = (resources.files("tzdata") / "zoneinfo" / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def _zone_countries() -> Mapping[str, str]:
    """The country of each zone, also by a former name of the zone ("Asia/Calcutta")."""
    of = {row[2]: row[0] for row in _table("zone.tab")}
    alone = {row[2]: row[0] for row in _table("zone1970.tab") if "," not in row[0]}
    links = (line[0].split() for line in _table("tzdata.zi") if line[0].startswith("L "))
    # A zone of several countries does not tell whose former name it is: Iceland's leads to Africa/Abidjan.
    former = {name: alone[zone] for _, zone, name in links if zone in alone}
    return former | of


def _country_name(country: str) -> str:
    return dict(_table("iso3166.tab")).get(country, country)


def _subdivision_name(holidays: Any, subdivision: str) -> str:
    named = holidays.get_subdivision_aliases().get(subdivision)
    return str(named[0]) if named else subdivision
