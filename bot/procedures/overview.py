"""One person's page: what waits for their decision, what they asked for, what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.chat.card import Card
from bot.chat.platform import Section
from bot.procedures import cards, ledger
from bot.procedures.announce import kept
from bot.procedures.cards import Story
from bot.procedures.office import Office
from bot.procedures.request import OPEN, Request
from bot.procedures.stories import Stories
from bot.store.handles import Handles

SHOWN = 10  # cards of one section, the newest


def approvers_card(story: Story, person: str, handles: Handles) -> Card:
    """The card of the stage that is waited for, as this person has it."""
    stage = story.request.waits_for or ""
    seat = next((s for s in story.request.seats.get(stage, ()) if s.person == person), None)
    return cards.approval(story, stage, seat, handles)


class Overview:
    def __init__(self, office: Office) -> None:
        self._office = office
        self._stories = Stories(office)

    async def of(self, person: str) -> list[Section]:
        with self._office.database.read() as conn:
            waiting = ledger.waiting_for(conn, person)
            open_ = ledger.of(conn, person, OPEN)
            held = ledger.held(conn, person)

        def decide(story: Story, handles: Handles) -> Card:
            return approvers_card(story, person, handles)

        return [
            await self._section("Waiting for your decision", waiting, decide),
            await self._section("Your open requests", open_, cards.own),
            await self._section("Your access", held, cards.own),
        ]

    async def _section(
        self, title: str, requests: Sequence[Request], card: Callable[[Story, Handles], Card]
    ) -> Section:
        shown = requests[-SHOWN:]
        return Section(title, [await self.card(each, card) for each in shown], len(requests) - len(shown))

    async def card(self, request: Request, card: Callable[[Story, Handles], Card]) -> Card:
        """One of a request's cards, with its handles kept."""
        with self._office.database.read() as conn:
            story = self._stories.of(conn, request)
            handles = Handles.of(conn, request.ref)
        made = card(story, handles)
        if not handles.minted:
            return made
        return card(story, await kept(self._office.database, request.ref, handles))
