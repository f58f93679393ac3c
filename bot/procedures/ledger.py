"""Requests on disk: each move a compare-and-swap with exactly one audit event beside it.

Every function takes the caller's open transaction, so what belongs together is kept together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot.audit.trail import Event, append
from bot.audit.words import Words
from bot.procedures.action import Seen
from bot.procedures.request import MOVES, IllegalMove, Request, Stale, State, body, restore
from bot.store.sql import Row, Sql

_NAMES = "ref action state version requester subject resource ends_at moved_at body".split()
_ALL = ", ".join(_NAMES)
_INSERT = Sql(
    "INSERT INTO requests"
    " (ref, action, state, version, requester, subject, resource, ends_at, moved_at,"
    " wake_at, published, body)"
    " VALUES (:ref, :action, :state, :version, :requester, :subject, :resource, :ends_at, :moved_at,"
    " :wake_at, -1, :body)"
)
_SWAP = Sql(
    "UPDATE requests SET state = :state, version = :version, resource = :resource, subject = :subject,"
    " ends_at = :ends_at, moved_at = :moved_at, wake_at = :wake_at, body = :body"
    " WHERE ref = :ref AND version = :version - 1"
)
_LOAD = Sql(f"SELECT {_ALL} FROM requests WHERE ref = :ref")  # noqa: S608  constants only
_DUE = Sql(
    "SELECT ref FROM requests WHERE wake_at <= :now AND moved_at < :still"
    " UNION SELECT ref FROM requests WHERE published < version AND moved_at < :still"
)
_WAITING_FOR = Sql(
    f"SELECT {_ALL} FROM requests WHERE state = 'approving' AND ref IN"  # noqa: S608  constants only
    " (SELECT owner FROM handles WHERE choice = 'approve' AND audience = :person) ORDER BY moved_at"
)
_PENDING = Sql(
    f"SELECT {_ALL} FROM requests WHERE state = :state ORDER BY moved_at LIMIT :limit"  # noqa: S608  constants only
)
_PUBLISHED = Sql("UPDATE requests SET published = :version WHERE ref = :ref AND published < :version")
_APPROVE = Sql(
    "INSERT INTO approvals VALUES (:ref, :stage, :person, :verdict, :attested, :digest, :words, :at)"
)
_APPROVALS = Sql(
    "SELECT stage, person, verdict, attested, digest, words FROM approvals WHERE ref = :ref ORDER BY at"
)
_VOID = Sql("DELETE FROM approvals WHERE ref = :ref")
_JOURNAL = Sql("SELECT name, state, seen FROM steps WHERE ref = :ref ORDER BY number")
_BEGIN_STEP = Sql(
    "INSERT INTO steps (ref, name, state, seen, number) VALUES (:ref, :name, :state, :seen,"
    " (SELECT count(*) FROM steps WHERE ref = :ref))"
)
_SET_STEP = Sql("UPDATE steps SET state = :state WHERE ref = :ref AND name = :name")


@dataclass(frozen=True, slots=True)
class Note:
    """What the audit trail is to say of a move."""

    kind: str  # "request.confirmed"
    actor: str  # person id, or "deskhand"
    service: str  # who acted for them: "web", "timer", "engine"
    outcome: str = "ok"
    data: Mapping[str, Any] | None = None
    words: Words | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    stage: str
    person: str
    verdict: str  # approved | denied
    attested: frozenset[str]
    digest: str
    words: int | None


@dataclass(frozen=True, slots=True)
class Journal:
    """How far one step got, and what it saw before it acted."""

    name: str
    state: str  # begun | unknown | done | needless | undone | failed
    seen: Seen


def create(conn: sa.Connection, request: Request, note: Note) -> Request:
    _INSERT.run(conn, **_row(request))
    _audit(conn, request, note, {"to": request.state})
    return request


def load(conn: sa.Connection, ref: str) -> Request | None:
    row = _LOAD.first(conn, ref=ref)
    return _restored(row) if row else None


def move(
    conn: sa.Connection, request: Request, to: State, note: Note, at: datetime, **changes: Any
) -> Request:
    """The one way a state changes. Returns the request as it now is.

    :raises IllegalMove: a move that the table in ``request`` does not have
    :raises Stale: somebody moved it first; nothing was written
    """
    if to not in MOVES.get(request.state, ()):
        raise IllegalMove(f"{request.ref}: {request.state} to {to}")
    after = request.model_copy(
        update={**changes, "state": to, "version": request.version + 1, "moved_at": at}
    )
    if _SWAP.run(conn, **_row(after)) != 1:
        raise Stale(request.ref)
    _audit(conn, after, note, {"from": request.state, "to": to})
    return after


def of(conn: sa.Connection, requester: str, states: Iterable[State]) -> list[Request]:
    """This person's requests in these states, the oldest first."""
    return _many(conn, "requester = :a", {"a": requester}, states)


def held(conn: sa.Connection, subject: str) -> list[Request]:
    """What this person has through requests, whoever asked for it, and what is being taken back."""
    return _many(conn, "subject = :a", {"a": subject}, (State.ACTIVE, State.REVOKING))


def granted(conn: sa.Connection, subject: str, resource: str) -> list[Request]:
    """Grants of this resource to this person that are being given, run, or are being taken back; those
    of which nobody knows how they went included."""
    states = (State.EXECUTING, State.ACTIVE, State.REVOKING, State.STUCK)
    return _many(conn, "subject = :a AND resource = :b", {"a": subject, "b": resource}, states)


def in_state(conn: sa.Connection, states: Iterable[State]) -> list[Request]:
    return _many(conn, "1 = 1", {}, states)


def waiting_for(conn: sa.Connection, person: str) -> list[Request]:
    """Requests whose present stage this person was asked to decide, the oldest first."""
    found = [_restored(row) for row in _WAITING_FOR.rows(conn, person=person)]
    return [
        each for each in found if person in [seat.person for seat in each.seats.get(each.waits_for or "", ())]
    ]


def oldest(conn: sa.Connection, state: State, limit: int) -> list[Request]:
    return [_restored(row) for row in _PENDING.rows(conn, state=state.value, limit=limit)]


def due(conn: sa.Connection, now: datetime, still: datetime) -> list[str]:
    """References of requests that time calls for, or that chats do not show as they are, and that
    nobody moved since ``still``: what is being moved right now is followed up by who moves it."""
    return [row[0] for row in _DUE.rows(conn, now=stamp(now), still=stamp(still))]


def published(conn: sa.Connection, ref: str, version: int) -> None:
    """Every chat shows this version."""
    _PUBLISHED.run(conn, ref=ref, version=version)


def approve(conn: sa.Connection, ref: str, approval: Approval, at: datetime) -> None:
    _APPROVE.run(
        conn,
        ref=ref,
        stage=approval.stage,
        person=approval.person,
        verdict=approval.verdict,
        attested=json.dumps(sorted(approval.attested)),
        digest=approval.digest,
        words=approval.words,
        at=stamp(at),
    )


def approvals(conn: sa.Connection, ref: str) -> list[Approval]:
    rows = _APPROVALS.rows(conn, ref=ref)
    return [Approval(r[0], r[1], r[2], frozenset(json.loads(r[3])), r[4], r[5]) for r in rows]


def void(conn: sa.Connection, ref: str) -> None:
    """Take back what was decided on: the request was changed since. The trail keeps who decided what."""
    _VOID.run(conn, ref=ref)


def journal(conn: sa.Connection, ref: str) -> dict[str, Journal]:
    """The steps that were begun, by name, in the order they began."""
    rows = _JOURNAL.rows(conn, ref=ref)
    return {name: Journal(name, state, json.loads(seen)) for name, state, seen in rows}


def begin_step(conn: sa.Connection, ref: str, name: str, state: str, seen: Seen) -> None:
    """Commit what the step saw before it acts: recovery trusts this record, not a second look."""
    _BEGIN_STEP.run(conn, ref=ref, name=name, state=state, seen=json.dumps(dict(seen)))


def set_step(conn: sa.Connection, ref: str, name: str, state: str) -> None:
    _SET_STEP.run(conn, ref=ref, name=name, state=state)


def stamp(at: datetime) -> str:
    """UTC, sortable as text, to the microsecond."""
    return at.isoformat(timespec="microseconds")


def _row(request: Request) -> dict[str, Any]:
    return {
        "ref": request.ref,
        "action": request.action,
        "state": request.state.value,
        "version": request.version,
        "requester": request.requester,
        "subject": request.subject,
        "resource": request.resource,
        "ends_at": stamp(request.ends_at) if request.ends_at else None,
        "moved_at": stamp(request.moved_at),
        "wake_at": stamp(request.wake_at) if request.wake_at else None,
        "body": body(request),
    }


def _many(conn: sa.Connection, where: str, values: dict[str, Any], states: Iterable[State]) -> list[Request]:
    wanted = {f"state{at}": state.value for at, state in enumerate(states)}
    query = _in_states(where, len(wanted))
    return [_restored(row) for row in query.rows(conn, **values, **wanted)]


@cache
def _in_states(where: str, count: int) -> Sql:
    places = ", ".join(f":state{at}" for at in range(count))
    return Sql(f"SELECT {_ALL} FROM requests WHERE {where} AND state IN ({places}) ORDER BY moved_at")  # noqa: S608  constants only


def _restored(row: Row) -> Request:
    return restore(dict(zip(_NAMES, row, strict=True)))


def _audit(conn: sa.Connection, request: Request, note: Note, move_data: Mapping[str, Any]) -> None:
    append(
        conn,
        Event(
            at=request.moved_at,
            kind=note.kind,
            request=request.ref,
            actor=note.actor,
            service=note.service,
            outcome=note.outcome,
            action=request.action,
            subject=request.subject,
            data={**move_data, **(note.data or {})},
        ),
        words=note.words,
    )
