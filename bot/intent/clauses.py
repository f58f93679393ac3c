"""Several wishes in one message: "I'm locked out. And how many days off have I left?"

A message is several only where its parts are sure by themselves. Each wish keeps its own words, so that a
date or a thing said for one fills no slot of the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

_CHARS = 1_500
_MOST = 6  # parts that are read
_WORDS = 3  # of the shortest part: less is a name, a greeting, or thanks
_BETWEEN = re.compile(
    r"(?<=[.!?;])\s+|\n+|\s+[-–—]\s+"
    r"|,?\s+\b(?:and (?:also|then|while \w+(?:'re| are) at it)|and|also|plus|oh and|besides)\b,?\s+",
    re.IGNORECASE,
)
_AT_THE_END = re.compile(rf"(?:{_BETWEEN.pattern})$", re.IGNORECASE)
_POINTS_BACK = re.compile(  # "can I get a new one?", "is it approved yet?"
    r"\b(?:an?(?:other)?|the) (?:\w+ )?one\b"
    r"|^\W*(?:is|was|has|can|could|does|did|will) (?:it|that|this|they)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    action: str
    words: str


def clauses(text: str, sure: Callable[[str], str | None]) -> tuple[Clause, ...]:
    """Each action once, in the order of the message. Empty: it has one part, or none is sure.

    What is not sure by itself belongs to what stands before it, and at the beginning to what follows.

    :param sure: the action that some words ask for beyond doubt
    """
    found: list[tuple[str, int]] = []  # each action, and where its words begin
    parts = _parts(text[:_CHARS])
    for start, end in parts if len(parts) > 1 else ():
        action = None if _POINTS_BACK.search(text[start:end]) else sure(text[start:end])
        if action and action not in (name for name, _ in found):
            found.append((action, start if found else 0))
    ends = [*(start for _, start in found[1:]), len(text)][: len(found)]
    return tuple(
        Clause(action, _AT_THE_END.sub("", text[start:end]).strip())
        for (action, start), end in zip(found, ends, strict=True)
    )


def _parts(text: str) -> list[tuple[int, int]]:
    """Where the parts begin and end that are long enough to say something."""
    bounds = [(0, 0), *(found.span() for found in _BETWEEN.finditer(text)), (len(text), len(text))]
    parts = [(before[1], after[0]) for before, after in pairwise(bounds)]
    return [(start, end) for start, end in parts if len(text[start:end].split()) >= _WORDS][:_MOST]
