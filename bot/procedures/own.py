"""What an action may see of requests: the sender's own, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

from bot.audit.trail import Event, append
from bot.chat.card import Card
from bot.procedures import cards, ledger
from bot.procedures.action import Grant, Part
from bot.procedures.office import Office
from bot.procedures.overview import SHOWN, Overview
from bot.procedures.request import OPEN, State

End = Callable[[str, str, str], Awaitable[None]]
Begin = Callable[[str, Part, str], Awaitable[None]]


class OwnRequests:
    """Fills ``action.Requests``."""

    def __init__(self, office: Office, end: End, begin: Begin) -> None:
        self._office = office
        self._end = end
        self._begin = begin
        self._overview = Overview(office)

    async def open_of(self, person_id: str) -> list[Card]:
        with self._office.database.read() as conn:
            mine = [*ledger.of(conn, person_id, OPEN), *ledger.held(conn, person_id)]
        return [await self._overview.card(each, cards.own) for each in mine[-SHOWN:]]

    async def grants_of(self, person_id: str) -> list[Grant]:
        with self._office.database.read() as conn:
            running = [each for each in ledger.held(conn, person_id) if each.state is State.ACTIVE]
        grants = [Grant(each.ref, each.resource or "", each.ends_at) for each in running]
        return sorted(grants, key=lambda grant: (grant.ends_at is None, grant.ends_at))

    async def state_of(self, ref: str) -> str:
        with self._office.database.read() as conn:
            request = ledger.load(conn, ref)
        return request.state.value if request else "unknown"

    async def end(self, ref: str, by: str) -> None:
        await self._end(ref, by, "engine")

    async def begin(self, ref: str, part: Part, whole: str) -> None:
        await self._begin(ref, part, whole)

    async def keep(self, person_id: str, text: str) -> int:
        event = Event(
            at=self._office.clock(),
            kind="message.kept",
            actor=person_id,
            service="engine",
            subject=person_id,
        )

        def work(conn: Connection) -> int:
            kept = self._office.words.record(conn, person_id, text)
            append(conn, event, words=kept)
            return kept.id

        return await self._office.database.write(work)
