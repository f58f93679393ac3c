"""What every connected system promises: the values that cross the border, the ports, the named errors.

Here: people, their accounts and groups, and how they sign in. What they work with is in
``integrations.work``.

A connector is one folder beside this file that implements some of these ports. Every port is
asynchronous; a connector whose SDK blocks wraps its calls in ``asyncio.to_thread``. People and
groups are keyed by the immutable id of their system, never by what somebody typed.
The suite in ``tests/contracts`` must pass for every connector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Kind(StrEnum):
    EMPLOYEE = "employee"
    CONTRACTOR = "contractor"
    SERVICE = "service"


class Status(StrEnum):
    ACTIVE = "active"
    ON_LEAVE = "on_leave"
    DISABLED = "disabled"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Person:
    """One person of the directory of record, as read at one moment."""

    id: str  # immutable: objectGUID, entryUUID, Entra object id
    account: str  # log-in name
    mail: str
    name: str
    title: str = ""
    department: str = ""
    kind: Kind = Kind.EMPLOYEE
    status: Status = Status.ACTIVE
    manager_id: str | None = None
    privileged: bool = False  # by flag, or by a protected group at any depth
    time_zone: str = "UTC"  # IANA name

    @property
    def present(self) -> bool:
        """Still with the company: active or on leave."""
        return self.status in (Status.ACTIVE, Status.ON_LEAVE)


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A group that looks like something one could ask for."""

    key: str
    name: str
    description: str
    group: str  # immutable id
    owner: str  # mail; empty: the directory names nobody


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the directory says of somebody's account."""

    locked: bool
    disabled: bool
    must_change: bool  # the password has to be changed at the next log-in
    password_set_at: datetime | None  # UTC; moves with every reset: the read-back of one


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential on its way. Never printed, logged, or stored in the clear."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "•••"


class ConnectorError(Exception):
    """Base of every error a connector may raise; nothing else crosses the border."""


class UnknownPerson(ConnectorError):
    """Nobody has this id, mail, account or name."""


class UnknownGroup(ConnectorError):
    """No group has this id."""


class AmbiguousName(ConnectorError):
    """Several people carry this name. ``candidates`` are for a picker."""

    def __init__(self, text: str, candidates: Sequence[Person]) -> None:
        super().__init__(f"{len(candidates)} people match {text!r}")
        self.candidates = tuple(candidates)


class SystemDown(ConnectorError):
    """The system did not answer, and certainly nothing was changed."""


class OutcomeUnknown(ConnectorError):
    """A write was sent and no answer came: it may have happened."""


class PermissionRefused(ConnectorError):
    """The system refused the service account the right to do this. Nothing was changed."""


class PasswordRefused(ConnectorError):
    """The system's password policy refused the new password. Nothing was changed."""


class AccountDisabled(ConnectorError):
    """The account is disabled, so it can be neither reset nor unlocked. Nothing was changed."""


class SignInRefused(ConnectorError):
    """A sign-in that counts for nothing. ``str(error)`` says what was wrong with it, and no value of it."""


@dataclass(frozen=True, slots=True)
class SignInBegun:
    """A person is on their way to the provider."""

    url: str  # where their browser goes
    kept: Mapping[str, Any] = field(repr=False)  # what ``finish`` needs; JSON, secret until then


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, by the provider's word."""

    account: str  # immutable at the provider
    at: datetime  # UTC; when they proved who they are
    person: str = ""  # id in the directory of record, where the provider knows it
    mail: str = ""  # which the provider has confirmed to be theirs; links once


class Directory(Protocol):
    """Who is who. Every call reads afresh; nothing is cached."""

    async def person(self, person_id: str) -> Person:
        """:raises UnknownPerson:, :raises SystemDown:"""

    async def by_mail(self, mail: str) -> Person:
        """The one with exactly this mail address, upper and lower case alike."""

    async def by_account(self, account: str) -> Person:
        """The one with exactly this log-in name."""

    async def by_name(self, name: str) -> Person:
        """The one with this full name, or whose only match it is.

        :raises UnknownPerson:, :raises AmbiguousName: with the candidates
        """

    async def search(self, text: str, limit: int = 10) -> list[Person]:
        """People for a picker, by the beginning of a word of their name, mail or account.

        An empty text means everybody.
        """

    async def managers(self, person_id: str) -> list[Person]:
        """The chain upwards, nearest first; ends at the top, at a gap, or before a repetition."""

    async def reports(self, person_id: str) -> list[Person]:
        """The people whose manager this person is."""

    async def groups_of(self, person_id: str) -> frozenset[str]:
        """Ids of all groups the person is in, directly or through other groups."""


class Memberships(Protocol):
    """Who is in a group. ``op`` is the id of the operation; a system that can keeps it with the change."""

    async def has(self, group_id: str, person_id: str) -> bool:
        """Whether the person is a *direct* member: what ``add`` and ``remove`` change."""

    async def add(self, group_id: str, person_id: str, *, op: str) -> bool:
        """True where this call made the person a member, False where they were one before."""

    async def remove(self, group_id: str, person_id: str, *, op: str) -> bool:
        """True where this call ended the membership, False where there was none."""


class Groups(Memberships, Protocol):
    """The groups of the directory of record."""

    async def group(self, group_id: str) -> Group:
        """:raises UnknownGroup:"""

    async def members(self, group_id: str) -> list[Person]:
        """Everybody in the group, directly or through other groups."""


class Accounts(Protocol):
    """Log-in accounts of people."""

    async def state(self, person_id: str) -> AccountState:
        """:raises UnknownPerson:"""

    async def reset(self, person_id: str, password: Secret, *, op: str) -> None:
        """Set a password that must be changed at the next log-in, and unlock.

        :raises PasswordRefused:, :raises AccountDisabled:, :raises OutcomeUnknown:
        """

    async def unlock(self, person_id: str, *, op: str) -> bool:
        """True where this call unlocked the account, False where it was not locked."""


class Passes(Protocol):
    """Credentials for one sign-in, made by the system itself."""

    async def waiting(self, person_id: str) -> frozenset[str]:
        """Ids of this person's passes that can still be used; none of them tells the pass."""

    async def issue(self, person_id: str, *, op: str) -> Secret:
        """A new pass, which nobody can look up later. Earlier ones are void, and open sessions end.

        :raises PermissionRefused:, :raises AccountDisabled:, :raises OutcomeUnknown:
        """


class SignIn(Protocol):
    """Proof of who somebody is, at a provider: authorization code with PKCE, state and nonce."""

    name: str  # on the button: "Sign in with ..."

    async def begin(self, redirect: str, state: str, *, hint: str = "", fresh: bool = True) -> SignInBegun:
        """:param redirect: where the provider sends the browser back to, registered there
        :param state: comes back in the answer; the caller knows by it whose answer it is
        :param hint: the log-in name that is expected
        :param fresh: the person has to prove who they are now, however lately they did elsewhere
        :raises SystemDown:"""

    async def finish(self, kept: Mapping[str, Any], answer: Mapping[str, str]) -> SignedIn:
        """:param answer: what the browser brought back, by name
        :raises SignInRefused:, :raises SystemDown:"""

    async def check(self) -> str:
        """For ``deskhand doctor``. :raises ConnectorError:"""


class Check(Protocol):
    """One line of ``deskhand doctor`` a system."""

    async def check(self) -> str:
        """What answers, in one line. :raises ConnectorError: with what to do."""
