"""Steps that more than one action takes."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from bot.procedures.action import Draft, HelpDesk, Impossible, Part, Run, Seen, World
from bot.procedures.request import new_ref
from integrations.contract import SystemDown


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


class BeginPart:
    """Open the request of one part. It comes after everything else, and goes its own way from here on."""

    PREFIX: ClassVar[str] = "part_"
    no_undo = "A part has requests, approvals and an end of its own."

    def __init__(self, number: int, part: Part) -> None:
        self.name = f"{self.PREFIX}{number}"
        self._part = part

    async def look(self, run: Run) -> Seen:
        return {"ref": new_ref()}

    def needless(self, seen: Seen) -> bool:
        return False

    async def do(self, run: Run, seen: Seen) -> bool:
        await run.world.requests.begin(seen["ref"], self._part, run.ref)
        return True

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        return await run.world.requests.state_of(seen["ref"]) != "unknown"

    async def undo(self, run: Run, seen: Seen) -> None:
        """See ``no_undo``."""


class OpenTicket:
    """Open a ticket at the help desk, once, whatever is retried."""

    name = "open_ticket"
    no_undo = "A ticket that somebody may have read already is closed by them."

    def __init__(self, draft: Draft | None = None) -> None:
        """:param draft: None: what was confirmed is what is to be done there"""
        self._draft = draft

    async def look(self, run: Run) -> Seen:
        return {"at": run.world.now.isoformat()}

    def needless(self, seen: Seen) -> bool:
        return False

    async def do(self, run: Run, seen: Seen) -> bool:
        await _connected(run.world).open(run.subject, self._drafted(run), ref=run.ref, op=run.op)
        return True

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        since = datetime.fromisoformat(seen["at"])
        desk, draft = _connected(run.world), self._drafted(run)
        return await desk.opened(run.subject, draft, ref=run.ref, op=run.op, since=since) is not None

    def _drafted(self, run: Run) -> Draft:
        return self._draft or Draft(title=run.sentence, kind="equipment")

    async def undo(self, run: Run, seen: Seen) -> None:
        """See ``no_undo``."""


async def ticket_of(run: Run) -> str:
    """What the ticket is called that the request opened: its key, where that is known."""
    return await _connected(run.world).known(f"{run.ref}:{OpenTicket.name}") or "A ticket"


def the_help_desk(world: World) -> HelpDesk:
    """:raises Impossible: nobody can be reached through Deskhand"""
    if world.help_desk is None:
        raise Impossible("No ticket system is connected to me, so I cannot pass this on. Please call them.")
    return world.help_desk


def _connected(world: World) -> HelpDesk:
    """:raises SystemDown: it was there when this was shown"""
    if world.help_desk is None:
        raise SystemDown("no ticket system is connected any more")
    return world.help_desk
