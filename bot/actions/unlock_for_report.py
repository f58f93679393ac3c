"""A manager asks to unlock the account of somebody who reports to them."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Impossible, Params, Preview, Procedure, Slot, SlotKind, Step, World
from bot.procedures.steps import Unlock
from integrations.contract import Person


class UnlockForReport(Procedure):
    name = "unlock_for_report"
    title = "Unlock somebody who reports to me"
    slots = (Slot("report", SlotKind.REPORT, "Whose account shall I unlock?"),)

    async def subject(self, world: World, sender: Person, params: Params) -> Person:
        return await world.directory.person(params["report"])

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        manages = subject.manager_id == sender.id
        if manages:  # what state somebody else's account is in is not theirs to know
            state = await world.accounts.state(subject.id)
            if state.disabled:
                raise Impossible(
                    f"The account of {subject.name} is disabled, not locked. Please call the help desk."
                )
            if not state.locked:
                raise Impossible(f"The account of {subject.name} is not locked.")
        return Preview(
            sentence=f"Unlock the account of {subject.name}",
            done=f"The account of {subject.name} is not locked.",
            facts=(
                Fact(label="Account", value=f"{subject.name} ({subject.account})"),
                Fact(label="Asked by", value=f"{sender.name}, their manager" if manages else sender.name),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (Unlock(),)


ACTION = UnlockForReport()
