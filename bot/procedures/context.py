"""What a person at the help desk should know before they begin, so that nobody has to say it twice.

Plain text: who asks, what they wrote here lately and what was understood of it, and where their requests
stand. Their words come from the encrypted store; what was cut out of them as a secret is not in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.audit.query import Entry, Filter, find
from bot.audit.words import WordsChanged
from bot.chat.clean import plain
from bot.procedures import ledger
from bot.procedures.cards import Story, status
from bot.procedures.office import Office
from bot.procedures.request import OPEN, State
from bot.store import quarantine
from integrations.contract import Person

_LATELY = timedelta(hours=24)
_LINES = 20  # things said, the newest
_CHARS = 600  # of one of them
_IN_FULL = 2  # misunderstood in a row, before a person is offered first
MATTER_CHARS = 4_000  # of what a ticket is about: all that a message holds
_SAID = re.compile(  # kinds of events that quote a wish of theirs
    r"message\.(?:unclear|answered|besides)|(?:lookup|action)\..*|request\.(?:opened|impossible)"
)

WHAT_IS_PASSED_ON = "What you wrote here since yesterday, what I made of it, and where your requests stand"


def who(conn: Connection, office: Office, person: Person) -> str:
    """And whether it may be somebody else: how they sign in changed lately."""
    about = ", ".join(filter(None, (person.title, person.department)))
    line = f"Asked by {plain(person.name, 80)} ({person.mail}{f'; {plain(about, 120)}' if about else ''})"
    changed = quarantine.of(conn, person.id)
    if changed and office.clock() < changed.at + office.settings.quarantine:
        line += "\nTheir way to sign in changed lately. Speak to them before you do anything risky for them."
    return line


def said_lately(
    conn: Connection, office: Office, person: str, until: datetime | None = None
) -> Iterator[str]:
    """A line for each thing they wrote, and what came of it. What was not understood last stands in full:
    nobody else has it.

    :param until: nothing from then on; None: all of it
    """
    wanted = Filter(person=person, since=(until or office.clock()) - _LATELY, until=until)
    entries = [
        each
        for each in find(conn, wanted, limit=500)
        if each.words is not None
        and each.event.actor == person
        and each.event.subject in ("", person)
        and _SAID.fullmatch(each.event.kind)
    ]
    unclear = [each.seq for each in entries if each.event.kind == "message.unclear"][-_IN_FULL:]
    for entry in entries[-_LINES:]:
        most = MATTER_CHARS if entry.seq in unclear else _CHARS
        yield f'{entry.event.at:%H:%M} UTC, wrote: "{words(conn, office, entry.words, most)}"'
        yield f"    {_made_of(entry, office)}"


def requests_now(conn: Connection, office: Office, person: str, *, but: str) -> Iterator[str]:
    """:param but: the one that asks for the ticket"""
    for request in ledger.of(conn, person, [*OPEN, State.ACTIVE, State.REVOKING]):
        if request.ref == but:
            continue
        title = office.registry[request.action].title
        shown = f": {plain(request.shown.sentence, 200)}" if request.shown else ""
        yield f"{request.ref}, {title}{shown} ({status(Story(request, title)) or request.state.value})"


def words(conn: Connection, office: Office, words_id: int | None, chars: int = _CHARS) -> str:
    if words_id is None:
        return ""
    try:
        return plain(office.words.read(conn, words_id) or "(removed)", chars)
    except WordsChanged:
        return "(cannot be read)"


def _made_of(entry: Entry, office: Office) -> str:
    event = entry.event
    if event.kind == "message.answered":
        return f"answered with: {', '.join(map(str, event.data.get('documents', ())))}"
    if event.kind == "message.besides":
        return f"offered: {_title(event.action, office)}"
    if event.kind == "message.unclear":
        likely = [
            _title(name, office) for name, _ in event.data.get("ranking", ()) if name in office.registry
        ]
        return f"not understood; nearest: {', '.join(likely) or 'nothing'}"
    reason = f": {plain(str(event.data['why']), 200)}" if event.data.get("why") else ""
    outcome = "" if event.outcome == "ok" else f", {event.outcome}{reason}"
    ref = f", {event.request}" if event.request else ""
    return f"understood as: {_title(event.action, office)}{ref}{outcome}"


def _title(action: str, office: Office) -> str:
    return office.registry[action].title if action in office.registry else action
