"""Enter time off for the sender, once their manager approves."""

from __future__ import annotations

from bot.procedures.action import Params, Preview, Procedure, Slot, SlotKind, Step, World
from bot.procedures.leave import EnterLeave, called, plan, said
from integrations.contract import Person


class RequestTimeOff(Procedure):
    name = "request_time_off"
    title = "Take time off"
    afterwards = 'Write "move my time off" or "cancel my time off".'
    slots = (
        Slot("policy", SlotKind.POLICY, "Which kind of time off?"),
        Slot("days", SlotKind.DAYS, "Which days?"),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        found = await plan(world, subject, params["policy"], params["days"])
        what = f"{said(found.days, 'days')} of {called(found.balance.policy)}"
        return Preview(
            sentence=f"Enter {what} for {subject.name} {found.period}",
            facts=found.facts(),
            done=f"{subject.name} has {what} {found.period}.",
            kind=found.kind,
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (EnterLeave(params),)


ACTION = RequestTimeOff()
