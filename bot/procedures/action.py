"""What an action is: the one thing to implement to teach Deskhand something new.

One file in ``bot/actions`` holds one action, bound to the name ``ACTION``. There are three sorts:
a ``Lookup`` reads and answers at once, a ``Procedure`` becomes a request with steps, and a
``Declined`` is understood and never done. Actions do not know each other, the model, or the chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from bot.chat.card import Card, Fact
from bot.procedures.days import Calendars
from integrations.contract import Accounts, Directory, Groups, Memberships, Passes, Person, Secret
from integrations.work import Equipment, Expenses, Ticket, TimeOff
from policies.catalogue import Catalogue, Resource

# Parameters of a request: JSON values only, each put there by a slot. See ``SlotKind``.
Params = Mapping[str, Any]


class SlotKind(StrEnum):
    """What a slot holds, and the JSON it is stored as."""

    RESOURCE = "resource"  # a catalogue key: "figma"
    RESOURCES = "resources"  # [{"resource": "figma"}, {"resource": "jira", "span": {"minutes": 20160}}]
    SPAN = "span"  # {"minutes": 20160} or {"until": iso} or {"from": iso, "until": iso}, UTC
    REPORT = "report"  # id of a direct report of the sender
    GRANT = "grant"  # reference of an active grant of the sender: "R-7Q2M"
    WORD = "word"  # what stands in the words as it is: "AF-204711"; the slot says in which form
    TEXT = "text"  # what the person wrote about it: the id of it in audit's words table
    DAYS = "days"  # {"first": "2026-12-21", "last": "2027-01-03"}, with half_first or half_last: true
    DATE = "date"  # "2027-03-01"
    LEAVE = "leave"  # id of a booked time off of the sender
    POLICY = "policy"  # id of one of the sender's time-off policies
    ITEM = "item"  # key of a thing that can be ordered


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    kind: SlotKind
    question: str  # put to the person when the slot is empty
    required: bool = True
    pattern: str = ""  # of a WORD: a regular expression for the whole of it
    of: str = ""  # of an ITEM: the kind it has to be of
    asked: bool = False  # filled by the answer to its question alone, and by nothing that was said before


@dataclass(frozen=True, slots=True)
class Money:
    cents: int
    currency: str  # ISO 4217


@dataclass(frozen=True, slots=True)
class Grant:
    """An access this person holds through an earlier request."""

    ref: str
    resource: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket to be opened."""

    title: str  # empty: the words
    words: int | None = None  # what the person wrote
    kind: str = "help"
    context: bool = False  # with what was said here lately, and how far it got


class Requests(Protocol):
    """What actions may see of requests: the sender's own."""

    async def open_of(self, person_id: str) -> list[Card]:
        """A card a request of this person that is still under way, with its buttons."""

    async def grants_of(self, person_id: str) -> list[Grant]:
        """Accesses that run now, the next to end first."""

    async def state_of(self, ref: str) -> str:
        """The state a request is in: "active", "ended", ..."""

    async def end(self, ref: str, by: str) -> None:
        """Take a running grant back now; nothing happens where it ended before."""

    async def begin(self, ref: str, part: Part, whole: str) -> None:
        """Open the request ``ref`` as a part of the request ``whole``; it goes its own way from here on.
        Nothing happens where it is there. :raises TryLater: a system has to answer first"""

    async def keep(self, person_id: str, text: str) -> int:
        """Keep what somebody wrote; the id of it in audit's words table."""


class HelpDesk(Protocol):
    """The people at the help desk, through the ticket system."""

    name: str  # what people call that system

    async def open(self, person: Person, draft: Draft, *, ref: str, op: str) -> str:
        """Open a ticket, and follow what is said there. Its key. :raises OutcomeUnknown:"""

    async def opened(self, person: Person, draft: Draft, *, ref: str, op: str, since: datetime) -> str | None:
        """The key of what this operation, begun at ``since``, opened.

        :raises SystemDown: it cannot be told yet
        """

    async def known(self, op: str) -> str:
        """The key of what this operation opened, as far as it is known; empty: it is not."""

    async def of(self, person_id: str) -> list[Ticket]:
        """This person's own, the newest first."""


@dataclass(frozen=True, slots=True)
class World:
    """All that an action can reach."""

    directory: Directory
    groups: Groups
    linked: Mapping[str, Memberships]  # groups of other systems, by what the catalogue calls the system
    accounts: Accounts
    time_off: TimeOff
    passes: Passes | None
    equipment: Equipment | None
    expenses: Expenses | None
    help_desk: HelpDesk | None
    calendars: Calendars
    catalogue: Catalogue
    requests: Requests
    now: datetime  # UTC

    def groups_in(self, system: str) -> Memberships:
        """Where the groups of a catalogue entry are: the directory of record, unless it names another."""
        return self.linked.get(system, self.groups)


class Part(BaseModel):
    """Another action's procedure, as a part of this one: gated, approved and audited by itself."""

    model_config = ConfigDict(frozen=True)

    action: str
    params: dict[str, Any]
    subject: str  # id of the person it is for: the whole says it, and no words can
    sentence: str = ""  # what was shown of it; filled in by the engine


@dataclass(frozen=True, slots=True)
class Preview:
    """Exactly what will be done, as shown to requester and approvers; the digest stands over it."""

    sentence: str  # "Add Ana Ruiz to Figma editors for 2 weeks"
    facts: tuple[Fact, ...]
    done: str  # what is true afterwards: "Ana Ruiz has access to Figma"
    resource: Resource | None = None
    minutes: int | None = None  # how long a timed grant lasts at most; None: it is not timed
    starts_at: datetime | None = None  # not before this; None: as soon as it may
    ends_at: datetime | None = None  # a fixed end; None with ``minutes``: counted from when given
    amount: Money | None = None  # what it costs
    kind: str = ""  # of what it is, for the rules: "Sick", "laptop"
    parts: tuple[Part, ...] = ()


class Vault(Protocol):
    """The sealed place of one request's new credential."""

    async def secret(self) -> Secret | None:
        """What lies in it; an empty one where the system has still to make it."""

    async def keep(self, secret: Secret) -> None:
        """In place of what lay in it; on disk when this returns."""


@dataclass(frozen=True, slots=True)
class Run:
    """One step's surroundings while it runs."""

    world: World
    subject: Person
    params: Params
    ref: str  # of the request
    sentence: str  # what was confirmed
    op: str  # id of this operation; the same again after a crash
    vault: Vault


# What a step saw before it acted: JSON, committed before the write.
Seen = Mapping[str, Any]


class Step(Protocol):
    """One effect in one system. ``look`` is committed before ``do`` is called.

    After a crash between the two, ``happened`` decides from the committed look and the system's
    present state: True, it was us; False, it was not done and is done again under the same
    ``op``; None, it cannot be told, and the request is stuck until a person looks.
    """

    name: str
    no_undo: str  # why there is no way back; empty where ``undo`` takes the effect back

    async def look(self, run: Run) -> Seen: ...

    def needless(self, seen: Seen) -> bool:
        """The wanted state is there already: nothing is done, and nothing of it is ours."""

    async def do(self, run: Run, seen: Seen) -> bool:
        """False: somebody else was faster, it was so already, and nothing of it is ours."""

    async def happened(self, run: Run, seen: Seen) -> bool | None: ...

    async def undo(self, run: Run, seen: Seen) -> None: ...


@dataclass(frozen=True)
class Action:
    """What every action declares of itself."""

    name: ClassVar[str]
    title: ClassVar[str]  # on buttons: "Reset my password"
    slots: ClassVar[tuple[Slot, ...]] = ()
    lead: ClassVar[str] = (
        ""  # a regular expression: a message that begins like this asks for it, whatever follows
    )
    phrased: ClassVar[bool] = True  # people ask for it in words of its own; else another action leads to it
    several: ClassVar[str] = ""  # the action that does it for several things at once
    for_report: ClassVar[str] = ""  # the action that does it for somebody who reports to the sender
    afterwards: ClassVar[str] = ""  # what one can do about it once it is done, as a sentence
    policy: ClassVar[str] = ""  # what the rules call it, where they speak of several at once; empty: its name


class Lookup(Action):
    """Reads and answers: one gate, one audit event, one answer. No request row."""

    async def subject(self, world: World, sender: Person, params: Params) -> Person:
        """Whose data it is; the gate decides on it before ``answer`` is called."""
        return sender

    async def answer(self, world: World, sender: Person, subject: Person, params: Params) -> list[Card]:
        raise NotImplementedError


class Procedure(Action):
    """Becomes a request: slots, gate, confirm, approvals, gate again, steps."""

    makes_secret: ClassVar[bool] = False  # a new credential is sealed before the steps run
    tells: ClassVar[bool] = False  # subject and manager are told, with a way to say "not me"

    async def subject(self, world: World, sender: Person, params: Params) -> Person:
        """Whom it is about. Self-service has no slot for it: the sender."""
        return sender

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        """:raises Impossible: with a sentence for the person, where it makes no sense now"""
        raise NotImplementedError

    def steps(self, params: Params) -> tuple[Step, ...]:
        raise NotImplementedError

    async def receipt(self, run: Run, done: str) -> str:
        """What is true afterwards, in a sentence, with what only the doing could tell.

        :param done: what the preview said would be true
        """
        return done


class Declined(Action):
    """Understood and never done by the desk, with the way out."""

    why: ClassVar[str]
    way_out: ClassVar[str]


class Impossible(Exception):
    """The request cannot be made as it stands; ``str(error)`` is for the person."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The actions there are, by name."""

    actions: Mapping[str, Action] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Action:
        return self.actions[name]

    def __contains__(self, name: object) -> bool:
        return name in self.actions

    def named(self) -> tuple[Action, ...]:
        """Those that people ask for."""
        return tuple(action for action in self.actions.values() if action.phrased)

    def ruled(self) -> frozenset[str]:
        """What the rules have to speak of."""
        return frozenset(action.policy or action.name for action in self.actions.values())
