"""Steps that more than one action takes."""

from __future__ import annotations

from bot.procedures.action import Run, Seen


class Unlock:
    """Unlock an account. An account that is not locked is left as it is."""

    name = "unlock"
    no_undo = "An account that was unlocked is not locked again: only failed log-ins do that."

    async def look(self, run: Run) -> Seen:
        return {"locked": (await run.world.accounts.state(run.subject.id)).locked}

    def needless(self, seen: Seen) -> bool:
        return not seen["locked"]

    async def do(self, run: Run, seen: Seen) -> bool:
        return await run.world.accounts.unlock(run.subject.id, op=run.op)

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        return not (await run.world.accounts.state(run.subject.id)).locked

    async def undo(self, run: Run, seen: Seen) -> None:
        """See ``no_undo``."""
