"""Doing it: each step at most once, whatever dies in between.

What a step sees before it acts is committed before it acts. After a crash that record is
trusted, not a second look: "already a member" may be our own work. A step ends as done, as
needless (nothing of it is ours), or the request ends as undone, or stuck where nobody can tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.durable import TryLater
from bot.procedures import ledger
from bot.procedures.action import Run, Seen, Step
from bot.procedures.ledger import Journal
from bot.procedures.office import Office
from bot.procedures.request import Request
from integrations.contract import ConnectorError, OutcomeUnknown, SystemDown

log = structlog.get_logger()

T = TypeVar("T")

_PAUSES_S = (0.2, 1.0)  # between tries of a system that is down


class Outcome(StrEnum):
    DONE = "done"
    UNDONE = "undone"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    step: str = ""
    reason: str = ""  # what went wrong, for the admins; names no secret


class _Stuck(Exception):
    """The outcome of a step cannot be known."""


class Executor:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def carry_out(self, request: Request, steps: Sequence[Step], run: Callable[[Step], Run]) -> Result:
        """Run the steps that are not done yet, in order; once one of them failed, only backwards.

        :raises TryLater: a system has to answer before anything can be said
        """
        with self._office.database.read() as conn:
            journal = ledger.journal(conn, request.ref)
        for name, entry in journal.items():
            if entry.state == "failed":
                return await self._back(request, steps, run, name, str(entry.seen.get("reason", "it failed")))
        for step in steps:
            try:
                await self._one(request, step, run(step), journal.get(step.name))
            except _Stuck as stuck:
                return Result(Outcome.STUCK, step.name, str(stuck))
            except ConnectorError as error:
                log.warning("step.failed", ref=request.ref, step=step.name, error=type(error).__name__)
                reason = f"{type(error).__name__}: {error}"
                await self.fail(request, step.name, reason)
                return await self._back(request, steps, run, step.name, reason)
        return Result(Outcome.DONE)

    async def fail(self, request: Request, name: str, reason: str) -> None:
        """From here on the request goes back, whatever dies in between: a step certainly did nothing."""
        event = self._event(request, "step.failed", name, "failed", {"reason": reason})

        def work(conn: Connection) -> None:
            if name in ledger.journal(conn, request.ref):
                ledger.set_step(conn, request.ref, name, "failed")
            else:
                ledger.begin_step(conn, request.ref, name, "failed", {"reason": reason})
            append(conn, event)

        await self._office.database.write(work)

    async def _back(
        self, request: Request, steps: Sequence[Step], run: Callable[[Step], Run], name: str, reason: str
    ) -> Result:
        back = await self.take_back(request, steps, run)
        return back if back.outcome is Outcome.STUCK else Result(Outcome.UNDONE, name, reason)

    async def take_back(self, request: Request, steps: Sequence[Step], run: Callable[[Step], Run]) -> Result:
        """Undo what was ours, the last step first. ``TryLater`` until the system answers."""
        with self._office.database.read() as conn:
            journal = ledger.journal(conn, request.ref)
        for step in reversed(steps):
            entry = journal.get(step.name)
            if entry is None or entry.state != "done" or step.no_undo:
                continue
            try:
                await step.undo(run(step), entry.seen)
            except (SystemDown, OutcomeUnknown) as error:  # undoing twice is as good as once
                raise TryLater(f"undo of {step.name}: {error}") from error
            except ConnectorError as error:
                return Result(
                    Outcome.STUCK, step.name, f"cannot be taken back: {type(error).__name__}: {error}"
                )
            try:
                still = await _asked(step, run(step), entry.seen)
            except _Stuck as stuck:
                return Result(Outcome.STUCK, step.name, str(stuck))
            if still:
                return Result(Outcome.STUCK, step.name, "it was taken back, and reading back says it was not")
            await self._record(request, step.name, "undone", "step.undone")
        return Result(Outcome.UNDONE)

    async def _one(self, request: Request, step: Step, run: Run, entry: Journal | None) -> None:
        if entry is None:
            seen = await _patiently(lambda: step.look(run))
            state = "needless" if step.needless(seen) else "begun"
            await self._begin(request, step.name, state, seen)
            if state == "begun":
                await self._do(request, step, run, seen)
        elif entry.state in ("begun", "unknown"):
            await self._resume(request, step, run, entry)

    async def _do(self, request: Request, step: Step, run: Run, seen: Seen) -> None:
        state = "done"
        try:
            ours = await _patiently(lambda: step.do(run, seen))
            state = "done" if ours else "needless"
        except OutcomeUnknown as error:
            await self._record(request, step.name, "unknown", "step.unanswered", outcome="unknown")
            if await _asked(step, run, seen) is not True:
                raise _Stuck(f"no answer to the write: {error}") from error
        else:
            if await _asked(step, run, seen) is False:
                raise _Stuck("the system said it was done, and reading back says it was not")
        await self._record(request, step.name, state, f"step.{state}")

    async def _resume(self, request: Request, step: Step, run: Run, entry: Journal) -> None:
        """Begun before a crash: did it happen?"""
        happened = await _asked(step, run, entry.seen)
        if happened is None or (entry.state == "unknown" and not happened):
            raise _Stuck("it was begun before a crash, and whether it happened cannot be told")
        if happened:
            await self._record(request, step.name, "done", "step.found_done")
        else:
            await self._do(request, step, run, entry.seen)

    async def _begin(self, request: Request, name: str, state: str, seen: Seen) -> None:
        event = self._event(request, f"step.{state}", name, "ok", dict(seen))

        def work(conn: Connection) -> None:
            ledger.begin_step(conn, request.ref, name, state, seen)
            append(conn, event)

        await self._office.database.write(work)

    async def _record(self, request: Request, name: str, state: str, kind: str, outcome: str = "ok") -> None:
        event = self._event(request, kind, name, outcome, {})

        def work(conn: Connection) -> None:
            ledger.set_step(conn, request.ref, name, state)
            append(conn, event)

        await self._office.database.write(work)

    def _event(self, request: Request, kind: str, step: str, outcome: str, seen: Seen) -> Event:
        return Event(
            at=self._office.clock(),
            kind=kind,
            request=request.ref,
            actor=DESKHAND,
            service="engine",
            outcome=outcome,
            action=request.action,
            subject=request.subject,
            data={"step": step, **({"seen": dict(seen)} if seen else {})},
        )


async def _asked(step: Step, run: Run, seen: Seen) -> bool | None:
    """Read back. While the system is down nothing can be said, and nothing is lost by waiting."""
    try:
        return await _patiently(lambda: step.happened(run, seen))
    except SystemDown as error:
        raise TryLater(f"reading back {step.name}: {error}") from error
    except ConnectorError as error:  # it may have happened: that it cannot be read does not undo it
        raise _Stuck(f"cannot be read back: {type(error).__name__}: {error}") from error


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Try again where the system certainly did nothing."""
    for pause in _PAUSES_S:
        try:
            return await call()
        except SystemDown:
            await asyncio.sleep(pause)
    return await call()
