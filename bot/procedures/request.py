"""A request: its states, the legal moves between them, and all that is known of it."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.chat.card import Fact
from bot.procedures.action import Part


class State(StrEnum):
    COLLECTING = "collecting"  # a slot is empty
    CONFIRMING = "confirming"  # shown to the requester, who has not said yes
    APPROVING = "approving"  # confirmed; waits for approvers, or for its start
    EXECUTING = "executing"
    DONE = "done"
    ACTIVE = "active"  # a timed grant that runs
    REVOKING = "revoking"
    ENDED = "ended"  # a timed grant that was taken back
    REFUSED = "refused"  # by policy
    CANCELLED = "cancelled"  # by the requester
    DENIED = "denied"  # by an approver
    EXPIRED = "expired"
    UNDONE = "undone"  # a step failed, earlier ones were taken back
    STUCK = "stuck"  # outcome unknown: a person must look


_ENDS = frozenset({State.REFUSED, State.CANCELLED, State.EXPIRED})

MOVES: dict[State, frozenset[State]] = {
    State.COLLECTING: frozenset({State.COLLECTING, State.CONFIRMING}) | _ENDS,
    # Back to collecting or confirming: the requester changed it, and what was said to it before is void.
    State.CONFIRMING: frozenset({State.COLLECTING, State.CONFIRMING, State.APPROVING}) | _ENDS,
    State.APPROVING: frozenset(
        {State.COLLECTING, State.CONFIRMING, State.APPROVING, State.EXECUTING, State.DENIED}
    )
    | _ENDS,
    State.EXECUTING: frozenset({State.EXECUTING, State.DONE, State.UNDONE, State.STUCK}),
    State.DONE: frozenset({State.DONE, State.ACTIVE}),
    State.ACTIVE: frozenset({State.ACTIVE, State.REVOKING}),
    State.REVOKING: frozenset({State.REVOKING, State.ENDED, State.STUCK}),
    State.STUCK: frozenset({State.DONE, State.UNDONE, State.REVOKING, State.ENDED, State.EXECUTING}),
}

OPEN = frozenset({State.COLLECTING, State.CONFIRMING, State.APPROVING, State.EXECUTING, State.STUCK})
ABANDONED = timedelta(hours=24)  # a question nobody answered, a card nobody confirmed
CANCELLABLE = frozenset({State.COLLECTING, State.CONFIRMING, State.APPROVING})


class IllegalMove(Exception):
    """A move the table above does not have: a fault of ours, never of a person."""


class Stale(Exception):
    """Somebody moved the request first. Load it again and look."""


class Pick(BaseModel):
    """What a person may choose from to fill one slot."""

    model_config = ConfigDict(frozen=True)

    slot: str
    options: tuple[tuple[Any, str], ...] = ()  # value, label
    note: str = ""  # why it is asked (again)
    written: bool = False  # may be answered in the person's own words too
    long: bool = False  # and those may be many


class Shown(BaseModel):
    """What requester and approvers are shown: the JSON form of a ``Preview``."""

    model_config = ConfigDict(frozen=True)

    sentence: str = ""
    facts: tuple[Fact, ...] = ()
    done: str = ""
    lets: str = ""
    sensitivity: str = ""
    target: str = ""  # system and group behind the catalogue entry
    minutes: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    amount_cents: int | None = None
    currency: str = ""
    kind: str = ""
    resource: str | None = None  # key of the catalogue entry
    parts: tuple[Part, ...] = ()


class Seat(BaseModel):
    """Somebody who was asked to decide, and why it is them."""

    model_config = ConfigDict(frozen=True)

    person: str
    why: str
    fallback: bool = False


class Request(BaseModel):
    """One request as last committed. Never changed: ``ledger.move`` returns the next one."""

    model_config = ConfigDict(frozen=True)

    # columns of the table
    ref: str
    action: str
    state: State
    version: int = 0
    requester: str
    subject: str
    resource: str | None = None
    ends_at: datetime | None = None
    moved_at: datetime

    # what was asked
    created_at: datetime
    zone: str = "UTC"  # the requester's, for every time on the cards
    words: int | None = None  # the person's message, in audit's words table
    part_of: str = ""  # reference of the request whose part it is
    part_for: str = ""  # id of the person that this part is for
    inbound: str = ""  # the last one that opened or filled it: a replay of that shows it again
    understood: str = ""  # by what, and how sure: "local 0.97"
    params: dict[str, Any] = {}
    asked: tuple[str, ...] = ()  # slots that were put to the person
    answers: dict[str, str] = {}  # what was chosen for a slot, as it was called
    pick: Pick | None = None  # the slot that is put to the person now
    revision: int = 0  # how often its requester changed it; each has cards and a digest of its own
    corrected_at: datetime | None = None
    said: tuple[int, ...] = ()  # what they wrote to change it, in audit's words table
    remark: str = ""  # why the change they asked for last was not made
    names: dict[str, str] = {}  # of everybody on the cards, as at the last look

    # what was shown and confirmed
    shown: Shown | None = None
    policy_version: str = ""
    digest: str = ""
    confirmed_at: datetime | None = None

    # who decides
    stages: tuple[str, ...] = ()
    quorum: int = 0
    needs: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()  # of who the subject is, before a credential is shown: one of these
    stage: int = 0  # index of the stage that is waited for; len(stages): all have decided
    seats: dict[str, tuple[Seat, ...]] = {}
    reminded: tuple[str, ...] = ()  # stages whose approvers were reminded
    remind_at: datetime | None = None
    expires_at: datetime | None = None

    # how it went
    given_at: datetime | None = None
    unseal_until: datetime | None = None  # a credential that nobody looked at is destroyed then
    told: tuple[str, ...] = ()  # people told of a new credential
    alarm: str = ""  # what admins are told; empty: nothing
    outcome: str = ""  # for the requester, in a sentence

    @property
    def waits_for(self) -> str | None:
        """The stage that has to decide next."""
        if self.state is State.APPROVING and self.stage < len(self.stages):
            return self.stages[self.stage]
        return None

    @property
    def wake_at(self) -> datetime | None:
        """When time calls for something next, whatever jobs there are. None: never."""
        match self.state:
            case State.COLLECTING | State.CONFIRMING:
                return (self.corrected_at or self.created_at) + ABANDONED
            case State.APPROVING if self.waits_for:
                return self.expires_at if self.waits_for in self.reminded else self.remind_at
            case State.APPROVING:
                return (self.shown.starts_at if self.shown else None) or self.moved_at
            case State.EXECUTING | State.REVOKING:
                return self.moved_at
            case State.ACTIVE:
                return self.ends_at
            case State.DONE:
                return self.unseal_until
        return None

    def name(self, person: str) -> str:
        return self.names.get(person, person)


_COLUMNS = frozenset(
    {"ref", "action", "state", "version", "requester", "subject", "resource", "ends_at", "moved_at"}
)


def body(request: Request) -> str:
    """What is not a column, as JSON."""
    return request.model_dump_json(exclude=set(_COLUMNS), exclude_defaults=True)


def restore(row: Any) -> Request:
    """A request from its row (a mapping with the columns and ``body``)."""
    return Request.model_validate({**json.loads(row["body"]), **{name: row[name] for name in _COLUMNS}})


_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"  # no vowels, no look-alikes: read out by voice


def new_ref() -> str:
    """Six letters behind "R-": 481 million, unique by the table's key."""
    return "R-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))


def digest_of(request: Request, shown: Shown, policy_version: str) -> str:
    """SHA-256 over exactly what is to be done and what was shown, under which rules."""
    bound = {
        "action": request.action,
        "params": request.params,
        "requester": request.requester,
        "subject": request.subject,
        "shown": shown.model_dump(mode="json"),
        "policies": policy_version,
        **({"revision": request.revision} if request.revision else {}),
    }
    canonical = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
