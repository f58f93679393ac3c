"""Values of BambooHR, which come as text, as numbers, empty, or in another shape than the day before.

What cannot be read is an error that names the field, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.contract import SystemDown
from integrations.work import DAYS, HOURS

Json = Mapping[str, Any]

_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID = re.compile(r"[1-9][0-9]{0,17}")  # 0 stands for whoever the key belongs to


def unreadable(field: str) -> SystemDown:
    return SystemDown(f"BambooHR: {field} of an answer cannot be read")


def listed(answer: Any, field: str) -> list[Json]:
    """The objects of a list, or of the list under this name."""
    found = answer.get(field) if isinstance(answer, Mapping) else answer
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise unreadable(field)
    return found


def part(of: Json, field: str) -> Json:
    """An object in an object; an empty one comes as an empty list."""
    found = of.get(field)
    if isinstance(found, list) and not found:
        return {}
    if not isinstance(found, Mapping):
        raise unreadable(field)
    return found


def text(of: Json, field: str) -> str:
    found = of.get(field)
    if not isinstance(found, str) or not found.strip():
        raise unreadable(field)
    return found.strip()


def number(of: Json, field: str) -> Decimal:
    found = _plain(of.get(field))
    if not _NUMBER.fullmatch(found):
        raise unreadable(field)
    return Decimal(found)


def identity(of: Json, field: str) -> str:
    found = _plain(of.get(field))
    if not is_id(found):
        raise unreadable(field)
    return found


def is_id(given: str) -> bool:
    return _ID.fullmatch(given) is not None


def day(of: Json, field: str) -> date:
    return as_day(of.get(field), field)


def as_day(found: Any, field: str) -> date:
    if not isinstance(found, str) or not _DAY.fullmatch(found):
        raise unreadable(field)
    try:
        return date.fromisoformat(found)
    except ValueError:  # 0000-00-00
        raise unreadable(field) from None


def unit(of: Json, field: str) -> str:
    found = text(of, field).lower()
    if found not in (HOURS, DAYS):
        raise unreadable(field)
    return found


def notes(request: Json) -> list[str]:
    """What anybody noted, as an object by who it was or as a list of notes."""
    found = request.get("notes") or {}
    given = list(found.values()) if isinstance(found, Mapping) else found
    if not isinstance(given, list):
        raise unreadable("notes")
    flat = [each for one in given for each in (one.values() if isinstance(one, Mapping) else (one,))]
    return [each for each in flat if isinstance(each, str)]


def _plain(found: Any) -> str:
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found.strip() if isinstance(found, str) else ""
