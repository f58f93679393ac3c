"""What the systems that people work with promise: time off, tickets, equipment, expenses.

The errors are those of ``integrations.contract``, and so are the manners: every port is asynchronous, people
are keyed by their id in the directory of record, and a write of which nobody knows whether it happened is an
``OutcomeUnknown``. ``op`` is the id of an operation: the same again after a crash. A system that can keeps it
with the change; where it cannot, the connector finds a way to tell its own work again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from integrations.contract import ConnectorError

HOURS, DAYS = "hours", "days"  # the units in which time off is counted
DAY_HOURS = Decimal(8)  # one working day, where a policy counts hours


# Time off


@dataclass(frozen=True, slots=True)
class Balance:
    """Time off that is left to one person under one policy."""

    policy: str  # "Vacation"
    unit: str  # HOURS or DAYS
    available: Decimal
    used: Decimal
    as_of: date
    policy_id: str = ""  # what the system calls the policy


class LeaveState(StrEnum):
    REQUESTED = "requested"  # somebody has still to decide, in that system
    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"

    @property
    def counts(self) -> bool:
        """Whether it takes days, now or once somebody decides."""
        return self in (LeaveState.REQUESTED, LeaveState.APPROVED)


@dataclass(frozen=True, slots=True)
class Leave:
    """One time off that was asked for."""

    id: str  # immutable
    policy: str  # "Vacation"
    policy_id: str
    first: date
    last: date  # the last day that is off
    amount: Decimal  # that it takes from the balance, in ``unit``
    unit: str
    state: LeaveState
    amounts: Mapping[date, Decimal]  # of every day from the first to the last


@dataclass(frozen=True, slots=True)
class NewLeave:
    """Time off to be entered. Whoever had to decide did, so it is entered as approved."""

    policy_id: str
    amounts: Mapping[date, Decimal]  # every day from the first to the last; 0 where it takes nothing
    note: str = ""  # plain text, for whoever looks at it there

    @property
    def first(self) -> date:
        return min(self.amounts)

    @property
    def last(self) -> date:
        return max(self.amounts)


class UnknownLeave(ConnectorError):
    """This person has no time off of this id."""


class LeaveRefused(ConnectorError):
    """The system's own rules refuse it. ``str(error)`` says why. Nothing was changed."""


class TimeOff(Protocol):
    """Balances, and what was booked."""

    async def balances(self, person_id: str, on: date) -> list[Balance]:
        """What is left on a day, one entry a policy: what is booked up to that day is taken off, what accrues
        until then is added."""

    async def booked(self, person_id: str, first: date, last: date) -> list[Leave]:
        """What touches these days (both included) and counts: requested or approved. The earliest first."""

    async def leave(self, person_id: str, leave_id: str) -> Leave:
        """In whatever state it is. :raises UnknownLeave: also where it is somebody else's"""

    async def enter(self, person_id: str, new: NewLeave, *, op: str) -> str:
        """Its id. :raises LeaveRefused:, :raises OutcomeUnknown:"""

    async def entered(self, person_id: str, new: NewLeave, *, op: str) -> str | None:
        """The id of what this operation entered, and None where it entered nothing, cancelled or not."""

    async def cancel(self, person_id: str, leave_id: str, *, op: str) -> bool:
        """True where this call cancelled it, False where it counted no more.

        :raises UnknownLeave:, :raises LeaveRefused: it has begun, :raises OutcomeUnknown:
        """


# Tickets


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What a person at the help desk needs to begin. All of it is plain text, and people's own words in it
    are marked as theirs."""

    person_id: str
    title: str  # one line
    body: str
    kind: str = "help"  # "help" or "equipment": a system may keep them apart


@dataclass(frozen=True, slots=True)
class Ticket:
    key: str  # "IT-12"
    title: str
    status: str  # as the system calls it
    open: bool
    url: str = ""  # where the person can look at it; empty: nowhere
    moved_at: datetime | None = None  # UTC


@dataclass(frozen=True, slots=True)
class Comment:
    """One that the person may read."""

    id: str
    author: str  # a name, for people
    text: str  # plain; untrusted like everything that people write
    at: datetime  # UTC
    ours: bool  # written through ``Tickets.comment``


TICKET_KEY = r"[A-Z][A-Z0-9_]{0,79}-[0-9]{1,12}"  # "IT-12"; the longest that Jira makes


class UnknownTicket(ConnectorError):
    """No ticket has this key."""


class Tickets(Protocol):
    """The people at the help desk, through the system they work in."""

    name: str  # what people call it: "Jira"
    place: str  # tells it from every other: a key means something in one of them only

    async def open(self, new: NewTicket, *, op: str) -> Ticket:
        """:raises UnknownPerson:, :raises OutcomeUnknown:"""

    async def opened(self, op: str, since: datetime) -> Ticket | None:
        """What this operation opened, begun at ``since``; None: nothing, for certain.

        :raises SystemDown: it cannot be told yet: what was opened just now may not be found at once
        """

    async def ticket(self, key: str) -> Ticket:
        """:raises UnknownTicket:"""

    async def comments(self, key: str) -> list[Comment]:
        """What helpers and the person wrote, the oldest first; nothing that is internal."""

    async def comment(self, key: str, text: str, *, op: str) -> None:
        """Write what the person says, once for every ``op``.

        :raises UnknownTicket:, :raises OutcomeUnknown:"""


# Equipment and expenses


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be ordered."""

    key: str  # immutable: lower-case letters, digits and dashes
    name: str  # "MacBook Pro 14"
    price: Decimal  # for one
    currency: str  # ISO 4217: "EUR"
    kind: str = ""  # "laptop", "monitor", ...
    aliases: tuple[str, ...] = ()


class Equipment(Protocol):
    """What can be ordered, and who answers for the money."""

    async def items(self) -> list[Item]: ...

    async def budget_owner(self, person_id: str) -> str:
        """Mail of whoever answers for the budget that pays for this person; empty: nobody is named.

        :raises UnknownPerson:"""


@dataclass(frozen=True, slots=True)
class Expense:
    """One report of somebody's expenses."""

    id: str
    title: str
    amount: Decimal
    currency: str
    status: str  # as the system calls it: "Submitted", "Approved", "Paid"
    submitted_on: date | None = None
    paid_on: date | None = None


class Expenses(Protocol):
    async def expenses(self, person_id: str) -> list[Expense]:
        """This person's own, the newest first. :raises UnknownPerson:"""


# Documents


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of one document, as plain text. Untrusted like everything that people write."""

    title: str
    heading: str
    text: str
    url: str  # https, where the document can be read; empty: nowhere
    file: str  # below the folder
    score: float  # 0 to 1, comparable between questions
    audience: str  # a group id; empty: everybody


class Documents(Protocol):
    async def ask(self, question: str, groups: frozenset[str], limit: int = 3) -> list[Passage]:
        """The passages that answer, the best first; none where nothing answers well.

        :param groups: ids of all groups of the person who asks: nobody is shown what is not for them
        """
