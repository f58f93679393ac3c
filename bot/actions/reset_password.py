"""Reset the sender's own password."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Impossible, Params, Preview, Procedure, Run, Seen, Step, World
from integrations.contract import OutcomeUnknown, Passes, Person, SystemDown


class NewCredential:
    """A new password, which was sealed before; or, where the system makes passes, one of those, sealed
    at once."""

    name = "set_password"
    no_undo = "The old password is not known to anybody; a wrong reset is ended by the next one."

    async def look(self, run: Run) -> Seen:
        return await _way(run).look(run)

    def needless(self, seen: Seen) -> bool:
        return False

    async def do(self, run: Run, seen: Seen) -> bool:
        await _way(run).do(run)
        return True

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        return await _way(run).happened(run, seen)

    async def undo(self, run: Run, seen: Seen) -> None:
        """See ``no_undo``."""


class _Password:
    """``password_set_at`` moves with it, so a crash leaves no doubt."""

    async def look(self, run: Run) -> Seen:
        state = await run.world.accounts.state(run.subject.id)
        return {"password_set_at": state.password_set_at.isoformat() if state.password_set_at else None}

    async def do(self, run: Run) -> None:
        secret = await run.vault.secret()
        assert secret, "the credential is sealed before the step runs"
        await run.world.accounts.reset(run.subject.id, secret, op=run.op)

    async def happened(self, run: Run, seen: Seen) -> bool:
        state = await run.world.accounts.state(run.subject.id)
        moved = state.password_set_at.isoformat() if state.password_set_at else None
        return moved != seen["password_set_at"] and state.must_change


class _Pass:
    """One that was made before a crash and not sealed is nobody's: another is made, and it is void."""

    def __init__(self, passes: Passes) -> None:
        self._passes = passes

    async def look(self, run: Run) -> Seen:
        return {"waiting": sorted(await self._passes.waiting(run.subject.id))}

    async def do(self, run: Run) -> None:
        try:
            made = await self._passes.issue(run.subject.id, op=run.op)
        except OutcomeUnknown as error:  # whichever there is, nobody has seen it: trying again is no harm
            raise SystemDown(f"no answer to the wish for a pass: {error}") from error
        await run.vault.keep(made)

    async def happened(self, run: Run, seen: Seen) -> bool:
        kept = await run.vault.secret()
        new = await self._passes.waiting(run.subject.id) - set(seen["waiting"])
        return bool(kept and kept.value and new)


def _way(run: Run) -> _Password | _Pass:
    return _Pass(run.world.passes) if run.world.passes else _Password()


class ResetPassword(Procedure):
    name = "reset_password"
    title = "Reset my password"
    makes_secret = True
    tells = True

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        state = await world.accounts.state(subject.id)
        if state.disabled:
            raise Impossible(
                "Your account is disabled, so its password cannot be reset. Please call the help desk."
            )
        if world.passes:
            sentence = f"Give {subject.name} a pass for one sign-in, and end their open sessions"
            done = f"{subject.name} has a pass for one sign-in."
        else:
            sentence = f"Set a new password for {subject.name}, to be changed at the next log-in"
            done = f"{subject.name} has a new password, to be changed at the next log-in."
        return Preview(
            sentence=sentence,
            done=done,
            facts=(
                Fact(label="Account", value=f"{subject.name} ({subject.account})"),
                Fact(
                    label="Handed over",
                    value="On a page that opens with a code the manager reads out",
                ),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (NewCredential(),)


ACTION = ResetPassword()
