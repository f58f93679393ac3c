"""Open a ticket at the help desk, with what the sender wrote."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Draft, Params, Preview, Procedure, Run, Slot, SlotKind, Step, World
from bot.procedures.steps import OpenTicket, the_help_desk, ticket_of
from integrations.contract import Person


class OpenATicket(Procedure):
    name = "open_ticket"
    title = "Open a ticket"
    slots = (
        Slot("what", SlotKind.TEXT, "What is wrong, or what do you need? Write it as you would say it."),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        desk = the_help_desk(world)
        return Preview(
            sentence=f"Open a ticket for {subject.name} with what you wrote",
            done="Your ticket is open; answers come to you here.",
            facts=(Fact(label="Goes to", value=f"People at the help desk, in {desk.name}"),),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (OpenTicket(Draft(title="", words=params["what"])),)

    async def receipt(self, run: Run, done: str) -> str:
        return f"{await ticket_of(run)} is open. {done}"


# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = ()

ACTION = OpenATicket(PHRASES)
