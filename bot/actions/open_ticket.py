"""Open a ticket at the help desk, with what the sender wrote."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Draft, Params, Preview, Procedure, Run, Slot, SlotKind, Step, World
from bot.procedures.steps import OpenTicket, the_help_desk, ticket_of
from integrations.contract import Person


class OpenATicket(Procedure):
    name = "open_ticket"
    title = "Open a ticket"
    lead = (
        r"(?:hi |hello |hey |please |can you |could you |i want to |i'd like to )*"
        r"(?:open|raise|create|log|file|make) (?:me |us )?(?:an? |another )?(?:new )?(?:it |support )?"
        r"(?:ticket|incident)\b"
    )
    slots = (
        Slot("what", SlotKind.TEXT, "What is wrong, or what do you need? Write it as you would say it."),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        desk = the_help_desk(world)
        return Preview(
            sentence=f"Open a ticket for {subject.name} with what you wrote",
            done="Answers come to you here.",
            facts=(Fact(label="Goes to", value=f"People at the help desk, in {desk.name}"),),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (OpenTicket(Draft(title="", words=params["what"])),)

    async def receipt(self, run: Run, done: str) -> str:
        return f"{await ticket_of(run)} is open. {done}"


ACTION = OpenATicket()
