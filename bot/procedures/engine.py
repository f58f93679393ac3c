"""How a request runs, top to bottom: open, fill, confirm, approve, execute, end.

Each public method is one thing that can happen to a request. It looks at the committed state,
asks the gate, and makes at most one unit of work: the moves, their audit events and the jobs they
need, in one transaction. ``settle`` then does what the new state calls for, and every chat is
made to show it. ``settle`` is also what the safety-net job runs: whichever comes second finds
nothing left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.chat.card import Card
from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound
from bot.procedures import ledger, say
from bot.procedures.action import Impossible, Procedure, Run, Slot, Step, World
from bot.procedures.announce import Announcer
from bot.procedures.approval import Approvers
from bot.procedures.cards import ATTEST, pick_mark
from bot.procedures.execute import Executor, Outcome, Result
from bot.procedures.gate import Gate, recorded, shown_of
from bot.procedures.ledger import Approval, Note
from bot.procedures.office import Office
from bot.procedures.request import CANCELLABLE, Pick, Request, Shown, Stale, State, digest_of, new_ref
from bot.procedures.slots import Filled, Guess, fill
from bot.store import frozen, sealed
from bot.store.handles import Choice, Meaning
from integrations.contract import Person, SystemDown, UnknownPerson
from policies.decide import Decision

log = structlog.get_logger()

_NET = timedelta(seconds=10)  # until the safety net looks whether a move was followed up
_ABANDONED = timedelta(hours=24)  # an unanswered question or an unconfirmed card
ENGINE = "engine"


class Engine:
    def __init__(self, office: Office, world: WorldOf) -> None:
        self._office = office
        self._world_of = world
        self._gate = Gate(office)
        self._approvers = Approvers(office, self._gate)
        self._executor = Executor(office)
        self._announcer = Announcer(office)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def gate(self) -> Gate:
        return self._gate
