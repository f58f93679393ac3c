"""What an action may see of requests: the sender's own, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.chat.card import Card
from bot.procedures import cards, ledger
from bot.procedures.action import Grant
from bot.procedures.announce import kept
from bot.procedures.cards import Story
from bot.procedures.office import Office
from bot.procedures.request import OPEN, Request, State
from bot.store.handles import Handles

_SHOWN = 10  # cards in one answer, the newest

End = Callable[[str, str, str], Awaitable[None]]


class OwnRequests:
    """Fills ``action.Requests``."""

    def __init__(self, office: Office, end: End) -> None:
        self._office = office
        self._end = end

    async def open_of(self, person_id: str) -> list[Card]:
        return await self._cards(person_id, [*OPEN, State.ACTIVE, State.REVOKING])

    async def grants_of(self, person_id: str) -> list[Grant]:
        with self._office.database.read() as conn:
            running = ledger.of(conn, person_id, [State.ACTIVE])
        grants = [Grant(each.ref, each.resource or "", each.ends_at) for each in running]
        return sorted(grants, key=lambda grant: (grant.ends_at is None, grant.ends_at))

    async def state_of(self, ref: str) -> str:
        with self._office.database.read() as conn:
            request = ledger.load(conn, ref)
        return request.state.value if request else "unknown"

    async def end(self, ref: str, by: str) -> None:
        await self._end(ref, by, "engine")

    async def _cards(self, person_id: str, states: list[State]) -> list[Card]:
        out: list[Card] = []
        with self._office.database.read() as conn:
            mine = ledger.of(conn, person_id, states)
        for request in mine[-_SHOWN:]:
            with self._office.database.read() as conn:
                handles = Handles.of(conn, request.ref)
            card = self._card(request, handles)
            if handles.minted:
                card = self._card(request, await kept(self._office.database, request.ref, handles))
            out.append(card)
        return out

    def _card(self, request: Request, handles: Handles) -> Card:
        story = Story(request=request, title=self._office.registry[request.action].title)
        return (
            cards.question(story, handles)
            if request.pick and not request.shown
            else cards.main(story, handles)
        )
