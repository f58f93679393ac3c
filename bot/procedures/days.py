"""Which days are working days where somebody works, and how many of them a time off takes.

A person's profile says their time zone. It leads to a country, and that to its weekend and its public
holidays (the holidays library); a setting says more exactly, since many holidays hang on a region.
"""

from __future__ import annotations

import functools
import importlib
import importlib.resources
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

LONGEST = 366  # days of one time off
_WHOLE, _HALF, _NONE = Decimal(1), Decimal("0.5"), Decimal(0)
_EVERYWHERE = "*"
_NOWHERE = "none"
_WEEKEND = frozenset({5, 6})


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one place."""

    name: str  # for people: "Germany (BE)", or "no place: weekends only"
    code: str = ""  # "DE-BE"; empty: weekends only

    def why_off(self, day: date) -> str:
        """ "Saturday", "Christmas Day"; empty where it is a working day."""
        public = _public(self.code, day.year) if self.code else None
        if public is not None:
            if name := public.get(day):
                return str(name)
            if public.is_working_day(day):  # some countries work on a Saturday instead of a holiday
                return ""
            return f"{day:%A}"
        return f"{day:%A}" if day.weekday() in _WEEKEND else ""

    def counted(
        self, first: date, last: date, *, half_first: bool = False, half_last: bool = False
    ) -> dict[date, Decimal]:
        """Every day from the first to the last, with the part of it that is taken: 1, 0.5 or 0.

        :raises ValueError: with what is wrong with the days, as the rest of a sentence
        """
        if last < first:
            raise ValueError("the last of them comes before the first")
        if (last - first).days >= LONGEST:
            raise ValueError("they are more than a year")
        parts = {
            day: _NONE if self.why_off(day) else _WHOLE
            for day in (first + timedelta(days=number) for number in range((last - first).days + 1))
        }
        for half, day in ((half_first, first), (half_last, last)):
            if half and parts[day]:
                parts[day] = _HALF
        return parts


class Calendars:
    """The calendar of each time zone."""

    def __init__(self, setting: str = "") -> None:
        """:param setting: "Europe/Berlin=DE-BE, America/New_York=US, *=none"; what is not named there is
        guessed from the zone, unless "*" says otherwise

        :raises ValueError: with the part that is wrong
        """
        self._named: dict[str, str] = {}
        for pair in filter(None, (each.strip() for each in setting.split(","))):
            zone, equals, code = (each.strip() for each in pair.partition("="))
            if not equals or not code or (zone != _EVERYWHERE and zone not in available_timezones()):
                raise ValueError(f"{pair!r} is no ZONE=COUNTRY, as in Europe/Berlin=DE-BE")
            if code != _NOWHERE and not _exists(code):
                raise ValueError(
                    f"{code!r} is no country (DE) or region (DE-BE) whose public holidays are known"
                )
            self._named[zone] = code

    def calendar(self, zone: str) -> Calendar:
        """Of everybody in this time zone (an IANA name)."""
        code = self._named.get(zone) or self._named.get(_EVERYWHERE) or _countries().get(zone, "")
        if code in ("", _NOWHERE) or not _exists(code):
            return Calendar("nowhere; weekends only")
        country, _, region = code.partition("-")
        return Calendar(f"{_name(country)} ({region})" if region else _name(country), code)


@functools.lru_cache(maxsize=512)
def _public(code: str, year: int) -> Any:
    """The public holidays of a year, by day."""
    country, _, region = code.partition("-")
    return _library().country_holidays(country, subdiv=region or None, years=year, language="en_US")


@functools.lru_cache(maxsize=512)
def _exists(code: str) -> bool:
    try:
        _public(code, 2026)
    except (NotImplementedError, AttributeError):  # what the library raises for a place that it does not know
        return False
    return True


@functools.cache
def _countries() -> dict[str, str]:
    """Time zone -> country, from the zone database's own table."""
    table = (importlib.resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="ascii")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {row[2]: row[0] for row in rows}


@functools.cache
def _names() -> dict[str, str]:
    table = (importlib.resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return dict(line.split("\t")[:2] for line in table.splitlines() if line and not line.startswith("#"))


def _name(country: str) -> str:
    return _names().get(country, country)


def _library() -> Any:
    """Not before somebody asks for time off: it costs 45 ms and 11 MB."""
    return importlib.import_module("holidays")
