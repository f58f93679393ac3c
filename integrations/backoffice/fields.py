"""One object of an answer, read field by field: plain and exact, or refused by the name of the field.

The price decides who has to approve, so nothing here guesses: an amount is read as it is written, or not
at all. What was refused is named by its place and never repeated: it may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from integrations.contract import Person, SystemDown
from integrations.text import exact

MOST_ENTRIES = 1_000  # of one list
MOST_ALIASES = 50  # of one item
LONGEST_TEXT = 120  # characters; what is beyond is cut off
HIGHEST_AMOUNT = 10_000_000

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT = re.compile(r"[0-9]{1,8}(?:\.([0-9]{1,3}))?")
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})  # ISO 4217; all others: two


class Fields:
    """``where`` is its place, for whoever has to mend the answer: "Back office: items[3]"."""

    def __init__(self, where: str, said: object) -> None:
        """:raises SystemDown: it is no object"""
        if not isinstance(said, Mapping):
            raise SystemDown(f"{where}: an object is needed")
        self._where = where
        self._said = said

    def id(self, name: str = "id") -> str:
        found = self._string(name)
        if not _ID.fullmatch(found):
            raise self._refused(name, "lower-case letters, digits and dashes are needed, at most 63")
        return found

    def text(self, name: str) -> str:
        """One line, which says something."""
        if not (found := plain(self._string(name))):
            raise self._refused(name, "it is empty")
        return found

    def text_or_empty(self, name: str) -> str:
        return plain(self._string(name)) if self._said.get(name) is not None else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """May be absent; each of them stands once."""
        found = self._said.get(name)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self._refused(name, "a list of texts is needed")
        if len(found) > MOST_ALIASES:
            raise self._refused(name, f"more than {MOST_ALIASES}")
        return tuple(dict.fromkeys(text for text in map(plain, found) if text))

    def currency(self, name: str = "currency") -> str:
        found = self._string(name)
        if not _CURRENCY.fullmatch(found):
            raise self._refused(name, 'three capital letters are needed, like "EUR"')
        return found

    def amount(self, name: str, currency: str) -> Decimal:
        """Exact. A third decimal is refused: where the dot parts thousands, 1.450 is no price below two."""
        found = self._present(name)
        written = str(found) if isinstance(found, int) else found  # of true and false no amount
        # A number with a point comes as its own text, NaN and infinity as floats.
        shape = _AMOUNT.fullmatch(written) if isinstance(written, str) else None
        decimals = 3 if currency in _THREE_DECIMALS else 2
        if shape is None or len(shape[1] or "") > decimals:
            raise self._refused(
                name, f'an amount is needed, like "1450.00", with at most {decimals} decimals'
            )
        if (amount := Decimal(shape[0])) > HIGHEST_AMOUNT:
            raise self._refused(name, f"more than {HIGHEST_AMOUNT:,}")
        return amount

    def day(self, name: str) -> date | None:
        """May be absent."""
        if self._said.get(name) is None:
            return None
        found = self._string(name)
        try:
            return date.fromisoformat(found if _DAY.fullmatch(found) else "")
        except ValueError:
            raise self._refused(name, 'a day is needed, like "2026-11-09"') from None

    def mail_or_nobody(self, name: str) -> str:
        """Has to be there; null is nobody, and an empty text."""
        if self._present(name) is None:
            return ""
        found = exact(self._string(name))
        if found is None or not _MAIL.fullmatch(found):
            raise self._refused(name, "a mail address or null is needed")
        return found

    def entries(self, name: str) -> list[Fields]:
        found = self._present(name)
        if not isinstance(found, list):
            raise self._refused(name, "a list is needed")
        if len(found) > MOST_ENTRIES:
            raise self._refused(name, f"more than {MOST_ENTRIES:,}")
        head = self._where.partition(":")[0]
        return [Fields(f"{head}: {name}[{number}]", each) for number, each in enumerate(found)]

    def require_new(self, key: str, seen: set[str], name: str = "id") -> None:
        """:raises SystemDown: another entry has this one"""
        if key in seen:
            raise self._refused(name, "it stands twice")
        seen.add(key)

    def require_of(self, person: Person, name: str = "employee") -> None:
        """Where it says whose it is, it says that it is this person's."""
        if name not in self._said:
            return
        found = self._said[name]
        theirs = {person.id.lower(), person.mail.lower()} - {""}
        if not isinstance(found, str) or found.lower() not in theirs:
            raise self._refused(name, "it is about somebody else than was asked for")

    def _present(self, name: str) -> object:
        if name not in self._said:
            raise self._refused(name, "it is missing")
        found: object = self._said[name]
        return found

    def _string(self, name: str) -> str:
        found = self._present(name)
        if not isinstance(found, str):
            raise self._refused(name, "a text is needed")
        return found

    def _refused(self, name: str, why: str) -> SystemDown:
        return SystemDown(f"{self._where}.{name}: {why}")


def plain(text: str) -> str:
    """One line without control characters, and without what reorders or hides text."""
    kept = "".join(each for each in text if each.isprintable() or each.isspace())
    return " ".join(kept.split())[:LONGEST_TEXT].rstrip()
