"""Times and lengths in people's words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_UNITS = (("week", 7 * 24 * 60), ("day", 24 * 60), ("hour", 60), ("minute", 1))


def length(minutes: int) -> str:
    """ "2 weeks", "30 days", "90 minutes": the largest unit that fits without a rest."""
    for unit, size in _UNITS:
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise ValueError(minutes)


def moment(at: datetime, zone: str) -> str:
    """ "Fri 27 Nov 2026, 23:59 (Europe/Madrid)"."""
    try:
        there = at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        there, zone = at, "UTC"
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M} ({zone})"


def together(things: list[str]) -> str:
    """ "Figma", "Figma and Jira", "Figma, Jira and VPN"."""
    return f"{', '.join(things[:-1])} and {things[-1]}" if len(things) > 1 else "".join(things)


def names(people: list[str]) -> str:
    """ "Bo", "Bo or Mei", "Bo, Mei or Ann"."""
    if len(people) < 2:
        return "".join(people)
    return f"{', '.join(people[:-1])} or {people[-1]}"
