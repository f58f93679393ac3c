"""Typed text, made comparable: what may match somebody, and what may match nobody.

Look-alikes (full-width letters, Cyrillic letters that look Latin, the Kelvin sign) never match: a
person is found by the very letters of the record, upper and lower case alike, or not at all.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 254  # characters of a mail address, the longest thing anybody is looked up by
LAST_CHARACTER = "\U0010ffff"  # no word of a record contains it: the end of a range of prefixes

_BETWEEN_WORDS = re.compile(r"[ .@_'\u2019-]+")


def exact(text: str) -> str | None:
    """A mail address or account in comparable form; None where it can be nobody's."""
    plain = known_id(text)
    return plain.lower() if plain else None


def known_id(text: str) -> str | None:
    """An id as it is; None where it can be nobody's. All addresses and ids of ours are ASCII."""
    return text if text and len(text) <= LONGEST and text.isascii() and text.isprintable() else None


def folded(text: str) -> str | None:
    """A name in comparable form; None where it can be nobody's."""
    if not text or len(text) > LONGEST or not text.isprintable():  # surrogates are not printable
        return None
    if not text.isascii() and any(_poses_as_ascii(character) for character in text):
        return None
    return " ".join(unicodedata.normalize("NFC", text).lower().split()) or None


def words(text: str) -> list[str]:
    """The words of a folded text, each once."""
    return [word for word in dict.fromkeys(_BETWEEN_WORDS.split(text)) if word]


def _poses_as_ascii(character: str) -> bool:
    return not character.isascii() and unicodedata.normalize("NFKC", character).lower().isascii()
