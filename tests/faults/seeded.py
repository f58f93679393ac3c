"""The fault that the suite has to find: an executor that keeps its record only after the effect.

This is what a naive worker does: do it, then write down that it was done. In fair weather nothing is
wrong with it. Killed between the two, it does it again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from bot.audit.trail import append
from bot.procedures import ledger
from bot.procedures.action import Run, Step
from bot.procedures.execute import Executor
from bot.procedures.ledger import Journal
from bot.procedures.request import Request


def forget() -> None:
    async def one(self: Executor, request: Request, step: Step, run: Run, entry: Journal | None) -> None:
        if entry is not None:
            return
        seen = await step.look(run)
        begun: Any = self._event(request, "step.begun", step.name, "ok", seen)
        await step.do(run, seen)

        def work(conn: Connection) -> None:
            ledger.begin_step(conn, request.ref, step.name, "done", seen)
            append(conn, begun)

        await self._office.database.write(work)

    Executor._one = one  # type: ignore[method-assign]  # the fault
