"""Messages that say what an admin declared, nearly in the declared words.

The classifier was trained on the phrases of ``bot/actions`` alone; what is declared on a machine is found by
likeness. Only what is very like counts: everything else stays with the classifier.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz

from bot.procedures.action import Slot

LIKE = 0.88  # of 1, from here on it is the same sentence with a typo or a please

_TEXT_CHARS = 300
_VALUE_CHARS = 40  # of what fills a slot
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|pls|can you|could you|tell me|deskhand) )+| (?:please|pls|thanks|thank you)$"
)
_PLACE = re.compile(r"\{(\w+)\}")


class Phrases:
    def __init__(self, declared: Mapping[str, Sequence[str]]) -> None:
        self._phrases = [
            (action, phrase, frozenset(_PLACE.findall(phrase)))
            for action, phrases in declared.items()
            for phrase in phrases
        ]

    def find(self, text: str, slots_of: Mapping[str, tuple[Slot, ...]]) -> tuple[str, float] | None:
        """The action whose phrase this is, and how like it is. None: it is like none of them."""
        if not self._phrases or len(text) > _TEXT_CHARS:
            return None
        best: tuple[float, str] = (0.0, "")
        for action, phrase, places in self._phrases:
            if action not in slots_of:
                continue
            said = text
            for slot in slots_of[action]:
                value = word_of(slot, text) if slot.name in places else None
                if value:
                    said = said.replace(value, f"{{{slot.name}}}", 1)
            best = max(best, (fuzz.ratio(_plain(phrase), _plain(said)) / 100, action))
        return (best[1], best[0]) if best[0] >= LIKE else None


def word_of(slot: Slot, text: str) -> str | None:
    """The first word of the text that has the slot's form."""
    for found in re.finditer(r"[^\s,;?!\"'()<>]+", text[:_TEXT_CHARS]):
        bare = found[0].strip(".:")
        if len(bare) <= _VALUE_CHARS and re.fullmatch(slot.pattern, bare):
            return bare
    return None


def _plain(text: str) -> str:
    """Without case, punctuation and courtesies."""
    words = " ".join(re.sub(r"[^\w{}]+", " ", text.casefold()).split())
    return _POLITE.sub("", words)
