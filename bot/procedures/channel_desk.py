"""The help desk where no ticket system is connected: its channel, in the place of tickets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.procedures import context
from bot.procedures.action import Draft
from bot.procedures.hand_off_book import HandOffBook
from bot.procedures.office import Office
from bot.store import hand_offs
from bot.store.hand_offs import HandOff, Kind
from integrations.contract import Person, SystemDown
from integrations.work import Ticket

_SHOWN = 5  # of one person


class ChannelDesk:
    """Fills ``action.HelpDesk``. What would be a ticket's key is the reference of the request."""

    name = "their channel"

    def __init__(self, office: Office) -> None:
        self._office = office
        self._book = HandOffBook(office)

    async def open(self, person: Person, draft: Draft, *, ref: str, op: str) -> str:
        """Local and committed at once: there is nothing to find out after a crash."""
        kind = Kind.PERSON if draft.context else Kind.TICKET

        def work(conn: Connection) -> None:
            self._book.begin(conn, kind, ref, person.id)

        if not self._book.reaches:
            raise SystemDown("the help desk has no channel any more")
        await self._office.database.write(work)
        return ref

    async def opened(self, person: Person, draft: Draft, *, ref: str, op: str, since: datetime) -> str | None:
        return await self.known(op) or None

    async def known(self, op: str) -> str:
        ref = op.partition(":")[0]
        with self._office.database.read() as conn:
            kinds = [each.kind for each in hand_offs.of_ref(conn, ref)]
        return ref if {Kind.PERSON, Kind.TICKET} & set(kinds) else ""

    async def of(self, person_id: str) -> list[Ticket]:
        with self._office.database.read() as conn:
            mine = hand_offs.of_person(conn, person_id, _SHOWN)
            titles = [context.words(conn, self._office, each.words, 100) for each in mine]
        return [_ticket(each, title) for each, title in zip(mine, titles, strict=True)]


def _ticket(handed: HandOff, title: str) -> Ticket:
    status = "Done" if handed.ended else f"{handed.holder} has it" if handed.holder else "Waits for a helper"
    return Ticket(handed.ref, title, status, handed.open)
