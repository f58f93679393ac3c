"""Move time off of the sender's that has not begun to other days."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Params, Preview, Procedure, Slot, SlotKind, Step, World
from bot.procedures.leave import CancelLeave, EnterLeave, described, plan, said, upcoming
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
        old = await upcoming(world, subject, params["leave"])
        new = await plan(world, subject, old.policy_id, params["days"], old)
        what = f"{said(new.days, 'days')} of {new.balance.policy.lower()}"
        return Preview(
            sentence=f"Cancel {described(old)} of {subject.name}, and enter {what} {new.period} instead",
            facts=(Fact(label="Instead of", value=described(old)), *new.facts()),
            done=f"{subject.name} has {what} {new.period}, instead of {described(old)}.",
            kind=new.balance.policy,
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (CancelLeave(), EnterLeave(params))


# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = ()

ACTION = ChangeTimeOff(PHRASES)
