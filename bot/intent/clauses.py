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
# No run of white space is looked at from each of its places: a message may hold thousands.
_BETWEEN = re.compile(
    r"(?<=[.!?;])\s+|(?<!\n)\n+|(?<!\s)\s+[-–—]\s+|(?:,\s+|(?<![\s,])(?<!\bi)\s+)"
    r"\b(?:(?:and )?(?:can|could|would) you (?:please )?also"
    r"|and (?:also|then|while \w+(?:'re| are) at it)|and|also|plus|oh and|besides)\b,?\s+",
    re.IGNORECASE,
)
# What is no wish of its own: it speaks of what was named before, of somebody else, or of what is not wanted.
_NOT_BY_ITSELF = re.compile(
    r"\b(?:an?(?:other)?|the) (?:\w+ )?one\b"
    r"|^\W*(?:is|was|has|can|could|does|did|will) (?:it|this|they)\b(?! (?:be )?possible)"
    r"|\b(?:she|he|they|her|his|him|them|their)\b"
    r"|^\W*(?:please )?(?:don't|do not|no need|not asking|never)\b"
    r"|\bi (?:don't|do not) (?:need|want) (?:my|a|an)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clause:
    action: str
    words: str


@dataclass(frozen=True, slots=True)
class Parts:
    lead: str = ""  # what stands before the first wish
    first: str = ""  # that wish with what leads to it
    wishes: tuple[Clause, ...] = ()  # in the order of the message; an action stands again after another one

    def of(self, action: str | None) -> Clause | None:
        """The first wish for this action, with the words that lead to it."""
        for at, wish in enumerate(self.wishes):
            if wish.action == action:
                return Clause(wish.action, self.first) if at == 0 else wish
        return None

    def besides(self, action: str | None) -> tuple[Clause, ...]:
        """All the others; all of them where it is not among them."""
        own = next((at for at, wish in enumerate(self.wishes) if wish.action == action), None)
        return tuple(wish for at, wish in enumerate(self.wishes) if at != own)


ONE = Parts()  # nothing but one wish, or none


def parts(text: str, sure: Callable[[str], str | None]) -> Parts:
    """What is not sure by itself belongs to what stands before it.

    :param sure: the action that some words ask for beyond doubt
    """
    pieces = _pieces(text[:_CHARS])
    found: list[tuple[str, int]] = []  # each action, and where its words begin
    for start, end in pieces if len(pieces) > 1 or (pieces and pieces[0][0] > 0) else ():
        action = None if _NOT_BY_ITSELF.search(text[start:end]) else sure(text[start:end])
        if action and action not in (name for name, _ in found[-1:]):
            found.append((action, start))
    starts = [start for _, start in found]
    ends = [*(_end(text[:_CHARS], start) for start in starts[1:]), len(text)]
    wishes = tuple(
        Clause(action, text[start:end].strip()) for (action, start), end in zip(found, ends, strict=False)
    )
    if not wishes:
        return ONE
    return Parts(text[: _end(text[:_CHARS], starts[0])].strip(), text[: ends[0]].strip(), wishes)


def _pieces(text: str) -> list[tuple[int, int]]:
    """Where the parts begin and end that are long enough to say something."""
    bounds = [(0, 0), *(found.span() for found in _BETWEEN.finditer(text)), (len(text), len(text))]
    pieces = [(before[1], after[0]) for before, after in pairwise(bounds)]
    return [(start, end) for start, end in pieces if len(text[start:end].split()) >= _WORDS][:_MOST]


def _end(text: str, start: int) -> int:
    """Where the words before a part end: without what joins them to it."""
    joins = (found.start() for found in _BETWEEN.finditer(text) if found.end() == start)
    return next(joins, start)
