"""All that the engine works with, put together once by ``bot.app``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.audit.words import WordStore
from bot.chat.platform import Platform
from bot.durable import Jobs
from bot.people import People
from bot.procedures.action import Registry
from bot.procedures.days import Calendars
from bot.settings import Settings
from bot.store.authenticators import Authenticators
from bot.store.database import Database
from bot.store.proofs import SignIns
from bot.store.sealed import Seals
from integrations.contract import Accounts, Directory, Groups, Memberships, Passes, SignIn
from integrations.work import Documents, Equipment, Expenses, Tickets, TimeOff
from policies.catalogue import Catalogue
from policies.decide import Policies


@dataclass(frozen=True, slots=True)
class Ports:
    """The connected systems."""

    directory: Directory
    groups: Groups
    accounts: Accounts
    time_off: TimeOff
    passes: Passes | None = None  # where a new credential is a pass, and not a password
    tickets: Tickets | None = None
    equipment: Equipment | None = None
    expenses: Expenses | None = None
    documents: Documents | None = None
    linked: Mapping[str, Memberships] = field(default_factory=dict)  # groups of other systems, by their name


def credential(ports: Ports) -> str:
    """What people call the new credential that these systems give."""
    return "pass" if ports.passes else "password"


@dataclass(frozen=True, slots=True)
class Office:
    settings: Settings
    database: Database
    jobs: Jobs
    words: WordStore
    seals: Seals
    sign_ins: SignIns
    authenticators: Authenticators
    policies: Policies
    catalogue: Catalogue
    registry: Registry
    ports: Ports
    people: People
    platforms: Mapping[str, Platform]
    clock: Callable[[], datetime]  # UTC
    calendars: Calendars
    sign_in: SignIn | None = None  # where people can sign in
