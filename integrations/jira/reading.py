"""What Jira answers, value by value: of the expected type, or a ``SystemDown`` that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.contract import SystemDown

NAME = "Jira"


def unreadable(field: str) -> SystemDown:
    return SystemDown(f"{NAME}: {field} of an answer cannot be read")


def part(value: Any, field: str) -> Mapping[str, Any]:
    """An object; one that is absent is empty."""
    found = _of(value, field)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise unreadable(field)
    return found


def text(value: Any, field: str) -> str:
    """Not empty; a number is one that was not put in quotes."""
    found = _of(value, field)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found.strip():
        raise unreadable(field)
    return found


def number(value: Any, field: str) -> int:
    found = text(value, field)
    if not (found.isascii() and found.isdigit() and len(found) <= 18):
        raise unreadable(field)
    return int(found)


def flag(value: Any, field: str) -> bool:
    found = _of(value, field)
    if not isinstance(found, bool):
        raise unreadable(field)
    return found


def listed(value: Any, field: str) -> list[Mapping[str, Any]]:
    found = _of(value, field)
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise unreadable(field)
    return found


def when(value: Any, field: str) -> datetime:
    """Jira writes a time in several ways beside each other; the number leaves least to doubt."""
    given = part(value, field)
    millis, written = given.get("epochMillis"), given.get("iso8601")
    try:
        if isinstance(millis, int | str) and str(millis).isascii() and str(millis).isdigit():
            return datetime.fromtimestamp(int(millis) / 1000, UTC)
        found = datetime.fromisoformat(written) if isinstance(written, str) else None
    except (ValueError, OverflowError, OSError):
        raise unreadable(field) from None
    if found is None or found.tzinfo is None:
        raise unreadable(field)
    return found.astimezone(UTC)


def _of(value: Any, field: str) -> Any:
    if not isinstance(value, Mapping):
        raise unreadable(field)
    return value.get(field)
