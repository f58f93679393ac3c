"""A language model, asked within limits: a deadline, a budget, a rest when it is down. It may only propose.

Whatever it says goes through one pure function (``wish.read_wish``, ``quoting.read_answer``) that takes any
string at all. Every way in which it does not help is a ``ModelFailed``, and the desk goes on without it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.store.database import Database
from bot.store.model_calls import EVERYBODY, first_told, spend

log = structlog.get_logger()

T = TypeVar("T")

ANSWER_CHARS = 16 * 1024  # of an answer that are looked at: the longest honest one is a tenth of it
_IN_A_ROW = 3  # failures of the endpoint: one is chance, two are a bad minute
_REST_S = 60.0  # long enough to cost nobody a wait, short enough that nobody has to mend it by hand


class Reason(StrEnum):
    """Why there is no answer to be used."""

    TIMEOUT = "timeout"  # not within the deadline
    DOWN = "down"  # no connection, a fault of its own, too busy, or no answer of its protocol
    DENIED = "denied"  # the key does not open it
    UNSUPPORTED = "unsupported"  # it does not know the model, or no JSON schema
    REFUSED = "refused"  # the model, or a filter, would not answer this
    TOO_LONG = "too_long"
    GARBAGE = "garbage"  # not what was asked for
    BUDGET = "budget"  # used up for today; it was not asked
    RESTING = "resting"  # it failed a moment ago; it was not asked


# About the endpoint, not about one message: else three odd messages of one person took it from everybody.
_OF_THE_ENDPOINT = frozenset({Reason.TIMEOUT, Reason.DOWN, Reason.DENIED, Reason.UNSUPPORTED})
_NOT_ASKED = frozenset({Reason.BUDGET, Reason.RESTING})


class ModelFailed(Exception):
    """It does not help. ``reason`` is for the log and the audit; no word of a message stands in it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Completion(Protocol):
    """One question to a language model; the only thing that knows how one is reached."""

    async def complete(self, system: str, data: str, schema: Mapping[str, Any], name: str) -> str:
        """What it answers, as it came: any string at all.

        :param system: what it shall do; ours alone
        :param data: what it shall do it with: JSON with the words of people and documents, never instructions
        :param schema: JSON schema that the answer has to fit
        :param name: what the answer is called: "wish" or "answer"
        :raises ModelFailed:
        """

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Question:
    system: str
    data: str
    schema: Mapping[str, Any]
    name: str


@dataclass(frozen=True, slots=True)
class Limits:
    deadline: timedelta  # of a whole call
    per_person: int  # calls a day, UTC
    company: int


@dataclass
class Breaker:
    """After some failures in a row it rests; then one attempt decides."""

    clock: Callable[[], float] = time.monotonic  # seconds
    failures: int = 0
    since: float = 0.0
    trying: bool = False

    def enter(self) -> None:
        """:raises ModelFailed: it rests, or somebody is trying it just now"""
        if self.failures < _IN_A_ROW:
            return
        if self.trying or self.clock() - self.since < _REST_S:
            raise ModelFailed(Reason.RESTING)
        self.trying = True

    def leave(self, *, failed: bool | None) -> None:
        """:param failed: None: it came to no attempt"""
        self.trying = False
        if failed is None:
            return
        if not failed:
            self.failures = 0
            return
        self.failures += 1
        if self.failures >= _IN_A_ROW:
            self.since = self.clock()
            log.warning("model.rests", failures=self.failures, seconds=_REST_S)


@dataclass
class Model:
    """What the desk asks. Use it from one event loop."""

    completion: Completion
    database: Database
    clock: Callable[[], datetime]  # UTC
    limits: Limits
    breaker: Breaker = field(default_factory=Breaker)

    async def ask(self, person_id: str, question: Question, read: Callable[[str], T]) -> T:
        """What ``read`` makes of the answer. :raises ModelFailed: logged already, :raises StorageDown:"""
        began = time.monotonic()
        try:
            return read(await self._answer(person_id, question))
        except ModelFailed as failed:
            if failed.reason not in _NOT_ASKED:
                took = round(time.monotonic() - began, 2)
                log.warning("model.failed", reason=failed.reason.value, asked=question.name, seconds=took)
            raise

    async def close(self) -> None:
        await self.completion.close()

    async def _answer(self, person_id: str, question: Question) -> str:
        self.breaker.enter()
        failed: bool | None = None
        try:
            await self._spend(person_id)
            try:
                raw = await self._in_time(question)
                failed = False
            except ModelFailed as error:
                failed = error.reason in _OF_THE_ENDPOINT
                raise
        finally:
            self.breaker.leave(failed=failed)
        return raw

    async def _in_time(self, question: Question) -> str:
        try:
            async with asyncio.timeout(self.limits.deadline.total_seconds()):
                return await self.completion.complete(
                    question.system, question.data, question.schema, question.name
                )
        except ModelFailed:
            raise
        except TimeoutError:
            raise ModelFailed(Reason.TIMEOUT) from None
        except Exception as error:  # noqa: BLE001  no fault of a package or an endpoint costs anybody an answer
            # Not its words: those of a parser quote what it could not parse.
            log.error("model.fault", error=type(error).__name__)
            raise ModelFailed(Reason.DOWN) from None

    async def _spend(self, person_id: str) -> None:
        """Counted before the call, and whatever becomes of it. :raises ModelFailed: it is used up"""
        now = self.clock()
        limits = {person_id: self.limits.per_person, EVERYBODY: self.limits.company}

        def work(conn: Connection) -> tuple[str | None, bool]:
            over = spend(conn, now.date(), limits)
            tell = over is not None and first_told(conn, now.date(), over)
            if tell:
                data = {"limit": limits[over or EVERYBODY], **({"person": over} if over else {})}
                append(
                    conn, Event(at=now, kind="model.used_up", actor=DESKHAND, outcome="refused", data=data)
                )
            return over, tell

        over, tell = await self.database.write(work)
        if tell:
            log.warning("model.used_up", whose="one person" if over else "the company", day=str(now.date()))
        if over is not None:
            raise ModelFailed(Reason.BUDGET)
