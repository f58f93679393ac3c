"""Several things in one message: "Figma, Jira and the staging database until Friday".

Only what stands in one enumeration is asked for together: a name after other words ("because Jira is down")
is none of it. Each thing takes the time that follows it next; one time in front of all of them is
everybody's. Where it is not clear which time is whose, none is taken, and the person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.intent.features import listed
from bot.intent.resources import Named, Resources
from bot.intent.spans import Span, small, timed

_CHARS = 1_000
_TIMES = 8
_THING, _TIME = 0xE100, 0xE800  # private-use characters stand for a full name, and for a time
_SEPARATOR = re.compile(r"\s*(?:[,;&+\n]|\band\b|\bplus\b|\bas well as\b|\balong with\b)\s*")
_REASON = re.compile(
    r"\b(?:because|since|so that|so i can|as i|as we|while|whereas|instead of|rather than|but|though|"
    r"although|which|whenever|when|if|in order to)\b"
)
_TELLS = re.compile(r"\s*(?:is|are|was|were|does|doesn't|isn't|won't|will|has|have|keeps|not|seems|works?)\b")
_AROUND = listed(
    "a an the to for of in on also too please pls access accesses account accounts seat licence license "
    "rights i need want would like my our me with well then both as use using"
)
_NEEDS = re.compile(r"\b(?:need|needs|want|like|get|have|give|grant|add|access|request|require|use|can i)\b")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was read. ``things`` are values of a ``RESOURCES`` slot."""

    things: tuple[Mapping[str, Any], ...]
    span: Span | None  # of those that have none of their own
    problem: str = ""  # why a time that was said cannot be used


def read(
    text: str, resources: Resources, common: frozenset[str], find: Callable[[str], Span | None]
) -> Wishes | None:
    """None: it names one thing, or none.

    :param find: the time that is said in a text
    """
    reader = _Reader(small(text)[:_CHARS], resources, common, find)
    things = reader.things()
    different = {_mark(each.named) for each in things}
    if len(different) < 2 or len([each for each in things if each.named.key or each.named.close]) < 2:
        return None
    return reader.wishes(things)


@dataclass(frozen=True, slots=True)
class _Thing:
    named: Named  # neither a key nor anything close: it is not in the catalogue
    at: int


class _Reader:
    def __init__(
        self, text: str, resources: Resources, common: frozenset[str], find: Callable[[str], Span | None]
    ) -> None:
        self._resources = resources
        self._common = common
        self._names: list[str] = []
        self._spans: list[Span] = []
        self._problem = ""
        text = timed(resources.marked(text, self._kept_name))  # Mars is no month where it is a thing
        text = self._with_times_marked(text, find)
        self._text = _REASON.split(text, maxsplit=1)[0]

    def things(self) -> list[_Thing]:
        """What the first enumeration names, in the order of the message."""
        found: list[_Thing] = []
        at = 0
        for between in [*_SEPARATOR.finditer(self._text), None]:
            end = between.start() if between else len(self._text)
            segment = self._text[at:end]
            if found and not self._goes_on(segment):
                break
            if named := self._named(segment, first=not found):
                found.append(_Thing(named, at + self._place(segment)))
            at = between.end() if between else end
        return found

    def wishes(self, things: list[_Thing]) -> Wishes:
        """Each with the time that follows it next."""
        end = max(thing.at for thing in things)
        times = [(found.start(), ord(found[0]) - _TIME) for found in self._times()]
        after = [time for time in times if time[0] > end]
        inside = [time for time in times if things[0].at < time[0] <= end]
        before = [time for time in times if time[0] < things[0].at]
        if self._problem or (before and (inside or after)) or len(before) > 1 or len(after) > 1:
            return Wishes(tuple(dict(_value(thing.named)) for thing in things), None, self._problem)
        general = next(iter([*before, *after]), None)
        values: dict[str, Mapping[str, Any]] = {}
        for thing in things:
            own = next((self._spans[number] for at, number in inside if at > thing.at), None)
            value = {**_value(thing.named), **({"span": dict(own.value)} if own and own.value else {})}
            values.setdefault(_mark(thing.named), value)  # the same thing named twice is one
        return Wishes(tuple(values.values()), self._spans[general[1]] if general else None)

    def _kept_name(self, name: str) -> str:
        self._names.append(name)
        return chr(_THING + len(self._names) - 1)

    def _with_times_marked(self, text: str, find: Callable[[str], Span | None]) -> str:
        for number in range(_TIMES):
            span = find(text)
            if span is None:
                break
            if not span.value:
                self._problem = span.problem
                break
            self._spans.append(span)
            text = text.replace(span.text, chr(_TIME + number), 1)
        return text

    def _times(self) -> list[re.Match[str]]:
        return list(re.finditer(r"[\ue800-\ue8ff]", self._text))

    def _goes_on(self, segment: str) -> bool:
        """Whether a segment is another member: nothing but a name before whatever else is said."""
        place = self._place(segment)
        before = re.findall(r"[^\W_]+", segment[:place])
        after = re.sub(r"^[\ue100-\ue7ff]", "", segment[place:])
        return all(word in _AROUND for word in before) and not _TELLS.match(after)

    @staticmethod
    def _place(segment: str) -> int:
        """Where the name stands: a full one, else the first word that says something."""
        if full := re.search(r"[\ue100-\ue7ff]", segment):
            return full.start()
        words = re.finditer(r"[^\W_]+", segment)
        return next((word.start() for word in words if word[0] not in _AROUND), len(segment))

    def _named(self, segment: str, *, first: bool) -> Named | None:
        words = self._spoken(segment)
        named = self._resources.named(words, common=self._common)
        if named.key:
            return named
        full = re.search(r"[\ue100-\ue7ff]", segment)
        if named.close:
            return named if full or not first or _NEEDS.search(segment) else None
        strange = [word for word in re.findall(r"[^\W_]+", words) if word not in self._common | _AROUND]
        return Named() if strange and not first else None

    def _spoken(self, segment: str) -> str:
        """With the full names as they were written, and without times."""
        segment = re.sub(r"[\ue800-\ue8ff]", " ", segment)
        return re.sub(r"[\ue100-\ue7ff]", lambda found: self._names[ord(found[0]) - _THING], segment)


def _value(named: Named) -> Mapping[str, Any]:
    if named.key:
        return {"resource": named.key}
    return {"close": [key for key, _ in named.close]}


def _mark(named: Named) -> str:
    return named.key or " ".join(key for key, _ in named.close)
