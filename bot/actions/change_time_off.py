"""Move time off of the sender's that has not begun to other days."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.chat.clean import plain
from bot.procedures.action import Params, Preview, Procedure, Slot, SlotKind, Step, World
from bot.procedures.leave import CancelLeave, EnterLeave, called, movable, period, plan, said
from integrations.contract import Person


class ChangeTimeOff(Procedure):
    name = "change_time_off"
    title = "Move my time off"
    # Old and new days stand in the same sentence, so the new ones are asked for.
    slots = (
        Slot("leave", SlotKind.LEAVE, "Which time off do you want to move?"),
        Slot("days", SlotKind.DAYS, "To which days?", asked=True),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        old = await movable(world, subject, params["leave"])
        new = await plan(world, subject, old.policy_id, params["days"], old)
        before = period(old.first, old.last)
        what = f"{said(new.days, 'days')} of {called(new.balance.policy)}"
        return Preview(
            sentence=f"Enter {what} for {subject.name} {new.period}, instead of {before}",
            facts=(Fact(label="Instead of", value=f"{plain(old.policy, 60)} {before}"), *new.facts()),
            done=f"{subject.name} has {what} {new.period}, instead of {before}.",
            kind=new.kind,
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (CancelLeave(moves=True), EnterLeave(params))


ACTION = ChangeTimeOff()
