"""Enter time off for the sender, once their manager approves."""

from __future__ import annotations

from bot.procedures.action import Params, Preview, Procedure, Slot, SlotKind, Step, World
from bot.procedures.leave import EnterLeave, plan, said
from integrations.contract import Person


class RequestTimeOff(Procedure):
    name = "request_time_off"
    title = "Take time off"
    slots = (
        Slot("policy", SlotKind.POLICY, "Which kind of time off?"),
        Slot("days", SlotKind.DAYS, "Which days?"),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        found = await plan(world, subject, params["policy"], params["days"])
        what = f"{said(found.days, 'days')} of {found.balance.policy.lower()}"
        return Preview(
            sentence=f"Enter {what} for {subject.name}, {found.period}",
            facts=found.facts(),
            done=f"{subject.name} has {what} {found.period}.",
            kind=found.balance.policy,
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (EnterLeave(params),)


# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = ()

ACTION = RequestTimeOff(PHRASES)
