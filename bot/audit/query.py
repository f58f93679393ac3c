"""Finds events: by person, action, outcome, kind, request and time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Connection, text

from bot.audit.trail import DESKHAND, Event, time_text

Names = Callable[[str], str]  # id of a person -> what to call them

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

_FILTERS = {
    "person": "(actor = :person OR subject = :person)",
    "action": "action = :action",
    "outcome": "outcome = :outcome",
    "kind": "(kind = :kind OR substr(kind, 1, length(:kind) + 1) = :kind || '.')",
    "request": "request = :request",
    "since": "at >= :since",
    "until": "at < :until",
    "before": "seq < :before",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; an empty field asks for nothing."""

    person: str = ""  # as actor or as subject
    action: str = ""
    outcome: str = ""
    kind: str = ""  # "request" stands for all of "request.*"
    request: str = ""
    since: datetime | None = None  # UTC, included
    until: datetime | None = None  # UTC, not included

    def asked(self) -> dict[str, str]:
        """The fields that ask for something, as text."""
        times = {"since": self.since, "until": self.until}
        texts = {name: getattr(self, name) for name in ("person", "action", "outcome", "kind", "request")}
        return {n: v for n, v in texts.items() if v} | {n: time_text(v) for n, v in times.items() if v}


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the trail."""

    seq: int
    event: Event
    words: int | None = None  # id of the words it quotes


def ago(text: str, now: datetime) -> datetime:
    """ "7d", "3h", "30m", "2w" before ``now``, or an ISO date. :raises ValueError: with what to write"""
    if found := re.fullmatch(r"([0-9]{1,6})([mhdw])", text):
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time: write 7d, 3h, 30m, 2w or 2026-11-30") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def find(
    conn: Connection, wanted: Filter, *, before: int | None = None, limit: int | None = 50
) -> list[Entry]:
    """The newest ``limit`` events that fit, newest last; for the page before give the first one's seq."""
    values: dict[str, Any] = dict(wanted.asked())
    if before is not None:
        values["before"] = before
    sql = f"SELECT seq, words, body FROM audit_events {where(values)} ORDER BY seq DESC LIMIT :limit"  # noqa: S608  values are bound
    rows = conn.execute(text(sql), values | {"limit": -1 if limit is None else limit})
    return [Entry(row.seq, event_of(row.body), row.words) for row in rows][::-1]


def where(values: dict[str, Any]) -> str:
    """The condition for named parameters; nothing of a value becomes SQL."""
    return "WHERE " + " AND ".join(_FILTERS[name] for name in values) if values else ""


def event_of(body: bytes) -> Event:
    """Read from the bytes the chain stands over, not from the columns beside them."""
    said = json.loads(body)
    del said["words"]
    return Event(**said | {"at": datetime.fromisoformat(said["at"])})


# What is said of an event. Kinds that are not here speak for themselves.
_VERBS = {
    "request.opened": "asked for",
    "request.asked": "was asked a question on",
    "request.shown": "was shown",
    "request.confirmed": "said yes to",
    "request.changed": "was shown anew",
    "request.approved": "approved",
    "request.denied": "denied",
    "request.refused": "refused",
    "request.no_approver": "found nobody to approve",
    "request.cancelled": "cancelled",
    "request.reminded": "reminded the approvers of",
    "request.expired": "closed, undecided,",
    "request.abandoned": "closed, unanswered,",
    "request.executing": "began",
    "request.done": "did",
    "request.active": "started the clock of",
    "request.time_over": "ended the time of",
    "request.given_back": "gave back",
    "request.ended": "took back",
    "request.undone": "could not do",
    "request.stuck": "does not know the outcome of",
    "request.resolved": "resolved",
    "credential.shown": "saw the credential of",
    "credential.expired": "destroyed the unseen credential of",
    "credential.locked": "destroyed, after wrong codes, the credential of",
    "credential.wrong_code": "was given a wrong code for",
    "person.frozen": "froze",
    "person.unfrozen": "unfroze",
    "person.linked": "linked an account",
    "person.unlinked": "took away the link of an account",
    "sender.refused": "turned away a sender",
    "admin.refused": "refused a command of",
    "pending.read": "looked at what is pending",
    "press.refused": "pressed in vain",
    "lookup.answered": "looked up",
    "lookup.refused": "was refused",
    "action.declined": "declined",
    "message.unclear": "was not understood",
    "message.answered": "was answered with documents",
    "message.besides": "asked in the same message for",
    "message.kept": "told what it is about",
    "ticket.opened": "opened a ticket",
    "ticket.passed_on": "passed on a helper's answer",
    "ticket.answered": "answered a helper",
    "ticket.refused": "may not answer a helper",
    "ticket.not_answered": "could not answer a helper",
    "ticket.closed": "saw a ticket closed",
    "hand_off.begun": "handed over to a person",
    "hand_off.ticket_begun": "began the ticket of a hand-off",
    "hand_off.ticket": "opened the ticket of a hand-off",
    "hand_off.no_ticket": "could open no ticket for a hand-off",
    "hand_off.taken": "took",
    "hand_off.answered": "answered, as a helper,",
    "hand_off.replied": "answered a helper",
    "hand_off.heard": "answered a helper",
    "hand_off.noticed": "saw an answer on the ticket",
    "hand_off.noted": "noted an answer on the ticket",
    "hand_off.ended": "ended a hand-off",
    "audit.read": "read the trail",
    "audit.exported": "exported the trail",
    "words.shredded": "shredded the words of",
}
_DECISIONS = ("decision", "proceed")  # data that says what the rules said
_LONG = {"digest": 16}  # of a hash, as much as tells it from others
_UNSAID = frozenset({"inbound", "approvals", *_DECISIONS})


def line(entry: Entry, name_of: Names, zone: tzinfo = UTC) -> str:
    """``2026-11-22 12:01  Ana Ruiz  asked for  grant_access  R-7Q2M``"""
    at = entry.event.at.astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M}  {sentence(entry.event, name_of, entry.event.request)}"


def sentence(event: Event, name_of: Names, ref: str = "") -> str:
    """Who did what, on one line; the reference only where it is not said already."""
    parts = [
        named(event.actor, name_of),
        _VERBS.get(event.kind, event.kind),
        event.action,
        f"for {named(event.subject, name_of)}" if event.subject not in ("", event.actor) else "",
        ref,
        details(event.data),
        "" if event.outcome == "ok" else f"[{event.outcome}]",
    ]
    return "  ".join(plain(part) for part in parts if part)


def named(person: str, name_of: Names) -> str:
    return "Deskhand" if person == DESKHAND else name_of(person)


def details(data: Mapping[str, Any]) -> str:
    """The data in a line: a move as an arrow, the rest as names and values, decisions apart."""
    data = {name: value for name, value in data.items() if name not in _UNSAID}
    said = []
    if "from" in data and "to" in data:
        said.append(f"{data.pop('from')} -> {data.pop('to')}")
    said += [
        f"{name}: {_value(value)[: _LONG.get(name)]}"
        for name, value in data.items()
        if value not in (None, "", [], {})
    ]
    return ", ".join(said)


def rulings(data: Mapping[str, Any], name_of: Names) -> Iterator[str]:
    """Each decision of the rules that the event carries, with the ids of its policies."""
    for name in _DECISIONS:
        if decision := data.get(name):
            yield _ruling(decision, "")
    for stage, decision in (data.get("approvals") or {}).items():
        yield _ruling(decision, f" as {stage} by {named(decision['by'], name_of)}")


def _ruling(decision: Mapping[str, Any], whose: str) -> str:
    verdict = "allowed" if decision.get("allowed") else "not allowed"
    by = " ".join(decision.get("policies") or ())
    return f"rules on {decision.get('phase', 'it')}{whose}: {verdict} by {by}{_version(decision)}"


def _version(decision: Mapping[str, Any]) -> str:
    return f" (set {decision['policy_version']})" if decision.get("policy_version") else ""


def plain(text_: str) -> str:
    """On one line, with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text_)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return " ".join(value)
    return json.dumps(value, ensure_ascii=False)
