"""Cancel time off of the sender's that has not begun."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Params, Preview, Procedure, Slot, SlotKind, Step, World
from bot.procedures.leave import CancelLeave, called, described, period, said, upcoming
from integrations.contract import Person


class CancelTimeOff(Procedure):
    name = "cancel_time_off"
    title = "Cancel my time off"
    slots = (Slot("leave", SlotKind.LEAVE, "Which time off do you want to cancel?"),)

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        leave = await upcoming(world, subject, params["leave"])
        policy = called(leave.policy)
        return Preview(
            sentence=f"Cancel the {policy} of {subject.name} {period(leave.first, leave.last)}",
            facts=(Fact(label="You get back", value=said(leave.amount, leave.unit)),),
            done=f"{subject.name} no longer has {described(leave)}.",
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (CancelLeave(),)


ACTION = CancelTimeOff()
