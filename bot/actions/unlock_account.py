"""Unlock the sender's own account."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Impossible, Params, Preview, Procedure, Step, World
from bot.procedures.steps import Unlock
from integrations.contract import Person


class UnlockAccount(Procedure):
    name = "unlock_account"
    title = "Unlock my account"
    for_report = "unlock_for_report"

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        state = await world.accounts.state(subject.id)
        if state.disabled:
            raise Impossible("Your account is disabled, not locked. Please call the help desk.")
        if not state.locked:
            raise Impossible(
                "Your account is not locked. If you cannot log in, the password may be wrong:"
                ' write "reset my password".'
            )
        return Preview(
            sentence=f"Unlock the account of {subject.name}",
            done=f"The account of {subject.name} is not locked.",
            facts=(Fact(label="Account", value=f"{subject.name} ({subject.account})"),),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (Unlock(),)


ACTION = UnlockAccount()
