"""Hand the sender over to a person at the help desk, who is told everything so far."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Draft, Params, Preview, Procedure, Run, Step, World
from bot.procedures.context import WHAT_IS_PASSED_ON
from bot.procedures.steps import OpenTicket, the_help_desk, ticket_of
from integrations.contract import Person


class TalkToAPerson(Procedure):
    name = "talk_to_a_person"
    title = "Talk to a person"

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        desk = the_help_desk(world)
        return Preview(
            sentence=f"Ask a person at the help desk to answer {subject.name} here",
            done="A person answers you here.",
            facts=(
                Fact(label="Goes to", value=f"People at the help desk, in {desk.name}"),
                Fact(label="They are told", value=f"{WHAT_IS_PASSED_ON}."),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (OpenTicket(Draft(title="Wants to talk to a person", context=True)),)

    async def receipt(self, run: Run, done: str) -> str:
        return f"{done} {await ticket_of(run)} has all of it; you need not say anything twice."


ACTION = TalkToAPerson()
