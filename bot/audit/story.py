"""Tells the whole story of one request, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from itertools import groupby

from sqlalchemy import Connection

from bot.audit.query import Entry, Filter, Names, details, find, named, plain, rulings, sentence
from bot.audit.trail import Event
from bot.audit.words import WordsChanged, WordStore

_INDENT = " " * 10


def show(
    conn: Connection, ref: str, *, name_of: Names, words: WordStore | None = None, zone: tzinfo = UTC
) -> list[str]:
    """Every event of request ``ref`` in order: who asked what in which words, what was understood
    and by what, each decision with its policies, each press, each step with its outcome.

    Without ``words`` the texts are left out and it is said that there are some. Empty: no such request.
    """
    entries = find(conn, Filter(request=ref), limit=None)
    if not entries:
        return []
    first, last = entries[0].event, entries[-1].event
    told = [f"{ref}  {first.action or 'request'}, asked by {plain(named(first.actor, name_of))}"]
    for day, of_day in groupby(entries, lambda e: e.event.at.astimezone(zone).date()):
        told += ["", f"{day:%A %d %B %Y} ({zone.tzname(last.at) or 'local time'})"]
        for entry in of_day:
            told += _paragraph(entry, name_of, zone, _reader(conn, words))
    return told


def _reader(conn: Connection, words: WordStore | None) -> Callable[[int], str]:
    def read(words_id: int) -> str:
        if words is None:
            return "(wrote something; not shown here)"
        try:
            said = words.read(conn, words_id)
        except WordsChanged as error:
            return f"({error})"
        return "(these words were shredded)" if said is None else said

    return read


def _paragraph(entry: Entry, name_of: Names, zone: tzinfo, read: Callable[[int], str]) -> Iterator[str]:
    event = entry.event
    via = f" ({event.service})" if event.service else ""
    yield f"{event.at.astimezone(zone):%H:%M:%S}  {plain(_sentence(event, name_of) + via)}"
    if entry.words is not None:
        for written in read(entry.words).splitlines() or [""]:
            yield f"{_INDENT}> {plain(written)}"
    for ruling in rulings(event.data, name_of):
        yield f"{_INDENT}{plain(ruling)}"


def _sentence(event: Event, name_of: Names) -> str:
    if not event.kind.startswith("step."):
        return sentence(event, name_of)
    failed = "" if event.outcome == "ok" else f" [{event.outcome}]"
    said = f"step {event.data.get('step', '?')}: {event.kind.removeprefix('step.')}{failed}"
    rest = details({name: value for name, value in event.data.items() if name != "step"})
    return f"{said}; {rest}" if rest else said
