"""Say what became of the sender's own tickets."""

from __future__ import annotations

from bot.chat.card import Card, Fact
from bot.chat.clean import plain
from bot.procedures.action import Lookup, Params, Slot, SlotKind, World
from bot.procedures.steps import the_help_desk
from integrations.contract import Person
from integrations.work import TICKET_KEY, Ticket


class TicketStatus(Lookup):
    name = "ticket_status"
    title = "What became of my ticket"
    slots = (Slot("key", SlotKind.WORD, "Which ticket?", required=False, pattern=TICKET_KEY),)

    async def answer(self, world: World, sender: Person, subject: Person, params: Params) -> list[Card]:
        mine = await the_help_desk(world).of(subject.id)
        named = [each for each in mine if each.key == params.get("key")]
        if "key" in params and not named:
            text = f"{params['key']} is no ticket that you opened through me."
            return [Card(title=self.title, text=text)]
        if not mine:
            return [Card(title=self.title, text="You have no ticket that was opened through me.")]
        shown = named or mine
        return [
            Card(
                title=self.title,
                text=f"{shown[0].key} is: {plain(shown[0].status, 60)}.",
                facts=tuple(_fact(each) for each in shown),
                footer='To add something, write it after the key: "IT-12: it happens on Mondays"',
            )
        ]


def _fact(ticket: Ticket) -> Fact:
    moved = f", {ticket.moved_at:%d %b}" if ticket.moved_at else ""
    return Fact(label=ticket.key, value=f"{plain(ticket.title, 100)}: {plain(ticket.status, 60)}{moved}")


ACTION = TicketStatus()
