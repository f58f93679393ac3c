"""What follows without anybody pressing: the clock, the last gate, execution, revocation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bot.audit.trail import DESKHAND
from bot.durable import TryLater
from bot.procedures import ledger, say
from bot.procedures.action import Procedure, Run, Step, World
from bot.procedures.execute import Executor, Outcome, Result
from bot.procedures.gate import Gate, recorded, target_of
from bot.procedures.hand_off_book import HandOffBook
from bot.procedures.ledger import Approval, Journal, Note
from bot.procedures.office import Office, credential
from bot.procedures.request import Request, Stale, State, digest_of
from bot.procedures.steps import BeginPart
from bot.procedures.timers import Timers
from bot.procedures.vault import SealedVault
from bot.store import frozen, sealed
from bot.store.hand_offs import Kind
from integrations.contract import Secret, UnknownPerson
from policies.decide import Ask, Decision

_SERVICE = "engine"
_FRESH = timedelta(seconds=30)  # how long the last gate holds for steps that have not begun


class Doing:
    def __init__(self, office: Office, gate: Gate, timers: Timers, world: Callable[[], World]) -> None:
        self._office = office
        self._gate = gate
        self._timers = timers
        self._world = world
        self._executor = Executor(office)
        self._book = HandOffBook(office)

    async def step(self, request: Request) -> bool:
        """Do the one thing that state and time call for. False: there is nothing to do now.

        :raises TryLater: a system has to answer first
        """
        now = self._office.clock()
        match request.state:
            case State.COLLECTING | State.CONFIRMING if request.wake_at and now >= request.wake_at:
                await self._move(
                    request,
                    State.EXPIRED,
                    _note("request.abandoned"),
                    outcome="Nobody answered, so I closed it.",
                )
            case State.APPROVING if request.waits_for:
                return await self._deadline(request)
            case State.APPROVING if self._starts(request):
                await self._begin(request)
            case State.EXECUTING:
                await self._execute(request)
            case State.ACTIVE if request.ends_at and now >= request.ends_at:
                await self._move(request, State.REVOKING, _note("request.time_over"))
            case State.REVOKING:
                await self._revoke(request)
            case State.DONE:
                return await self._destroy_late_secret(request)
            case _:
                return False
        return True

    def _starts(self, request: Request) -> bool:
        starts = request.shown.starts_at if request.shown else None
        return starts is None or self._office.clock() >= starts

    async def _deadline(self, request: Request) -> bool:
        now, stage = self._office.clock(), request.waits_for
        assert stage, "somebody is waited for"
        assert request.expires_at, "until a time"
        if now >= request.expires_at:
            asked = say.names([request.name(seat.person) for seat in request.seats[stage]])
            outcome = f"{asked} did not decide in time, so this was not done. You can ask again."
            await self._move(request, State.EXPIRED, _note("request.expired"), outcome=outcome)
            return True
        if request.remind_at and now >= request.remind_at and stage not in request.reminded:
            await self._move(
                request, State.APPROVING, _note("request.reminded"), reminded=(*request.reminded, stage)
            )
            return True
        return False

    async def _begin(self, request: Request) -> None:
        """The last gate, on fresh facts, after the last approval: nothing is executed without it."""
        self._wait_for_others(request)
        against, data = await self._objection(request)
        if against:
            await self._move(
                request, State.REFUSED, _note("request.refused", "refused", data), outcome=against
            )
            return
        note = _note("request.executing", data=data)
        action = self._procedure(request)

        def work(conn: Connection) -> None:
            if any(frozen.is_frozen(conn, each) for each in (request.requester, request.subject)):
                raise Stale(request.ref)  # frozen since the gate looked: it looks again
            if action.makes_secret:
                self._office.seals.put(conn, request.ref, self._new_secret())
            # No job of its own: the net of the move that led here is still out, and the sweep is under it.
            ledger.move(conn, request, State.EXECUTING, note, self._office.clock())

        await self._office.database.write(work)

    def _wait_for_others(self, request: Request) -> None:
        """What a grant would find there must not be about to go. :raises TryLater:"""
        with self._office.database.read() as conn:
            others = ledger.granted(conn, request.subject, request.resource or "")
        for each in others:
            leaving = each.state is State.REVOKING or (each.state is State.STUCK and each.given_at)
            if leaving and each.ref != request.ref:
                raise TryLater(f"{request.ref} waits until {each.ref} is taken back")

    async def _objection(self, request: Request) -> tuple[str, dict[str, Any]]:
        """Why it must not be executed, empty where nothing speaks against it; and for the record."""
        assert request.shown, "nothing is executed that was not shown"
        ask = await self._gate.ask_of(request)
        decision = await self._gate.request(ask)
        data: dict[str, Any] = {"decision": recorded(decision), "digest": request.digest}
        if not decision.allowed:
            return " ".join(decision.why), data
        if request.shown.ends_at and self._office.clock() >= request.shown.ends_at:
            return "The time this was asked for is over. Nothing was done; please ask again.", data
        version = self._office.policies.version
        if version != request.policy_version:
            return "The rules changed since you confirmed this. Please ask again.", data
        target = target_of(self._office.catalogue.get(request.resource or ""))
        if digest_of(request, request.shown, version) != request.digest or target != request.shown.target:
            return "This is not what you confirmed any more. Nothing was done; please ask again.", data
        if not request.stages:
            proceed = await self._gate.proceed(ask)
            return ("" if proceed.allowed else " ".join(proceed.why)), data | {"proceed": recorded(proceed)}
        with self._office.database.read() as conn:
            given = [each for each in ledger.approvals(conn, request.ref) if each.verdict == "approved"]
        return await self._approvals_hold(request, ask, decision, given, data)

    async def _approvals_hold(
        self, request: Request, ask: Ask, decision: Decision, given: list[Approval], data: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        by = {each.stage: each for each in given if each.digest == request.digest}
        people = {each.person for each in by.values()} - {request.requester, request.subject}
        if not set(by) >= set(decision.stages) or len(people) < max(decision.quorum, len(by)):
            return "Not everybody who has to approve this did.", data
        approvals: dict[str, Any] = {}
        for stage, each in by.items():
            seat = next((seat for seat in request.seats[stage] if seat.person == each.person), None)
            held = await self._gate.approve(
                ask, each.person, stage=stage, fallback=bool(seat and seat.fallback), attested=each.attested
            )
            approvals[stage] = {"by": each.person, **recorded(held)}
            if not held.allowed:
                name = request.name(each.person)
                return f"{name} approved this, but may not decide on it any more.", data | {
                    "approvals": approvals
                }
        return "", data | {"approvals": approvals}

    async def _execute(self, request: Request) -> None:
        steps = self._steps(request)
        self._wait_for_others(request)
        if against := await self._too_late(request):
            await self._failed(request, Result(Outcome.UNDONE, "", against))
            return
        run = await self._run(request)
        if run is None:
            result = Result(Outcome.STUCK, "", "the subject is no longer in the directory")
        else:
            result = await self._executor.carry_out(request, steps, run)
        if result.outcome is Outcome.DONE:
            await self._done(request, run)
        else:
            await self._failed(request, result)

    async def _too_late(self, request: Request) -> str:
        """Why steps that waited before the first of them began must not begin any more."""
        with self._office.database.read() as conn:
            begun = bool(ledger.journal(conn, request.ref))
        if begun or self._office.clock() - request.moved_at < _FRESH:
            return ""
        return (await self._objection(request))[0]

    async def resolve(self, request: Request, note: Note, *, happened: bool) -> Request:
        """What a person found of a stuck request: from here on it is like any other that was, or was
        not, done. A grant that happened ends in time; one that could not be taken back is tried again."""
        given = request.given_at is not None
        if not given and self._goes_on(request, happened=happened):
            return await self._resume(request, note, happened=happened)
        back = self._went_back(request)
        if happened and not given and not back:
            return await self._done(request, await self._run(request), by=note)
        to = State.REVOKING if given else State.UNDONE
        to = State.ENDED if given and happened else to
        outcome = "A person looked: it was done." if happened else "A person looked: it was not done."
        outcome = "A person took back what had been done of it." if back and happened else outcome
        now = self._office.clock()

        def work(conn: Connection) -> Request:
            if to is State.UNDONE:
                sealed.destroy(conn, request.ref)
            after = ledger.move(conn, request, to, note, now, outcome=outcome, alarm="")
            self._timers.follow(conn, after)
            return after

        return await self._office.database.write(work)

    def _went_back(self, request: Request) -> bool:
        """Whether a step failed, so that what was open is the way back."""
        with self._office.database.read() as conn:
            return any(each.state == "failed" for each in ledger.journal(conn, request.ref).values())

    def _goes_on(self, request: Request, *, happened: bool) -> bool:
        """Whether other steps are left to do, or done ones to be taken back."""
        with self._office.database.read() as conn:
            journal = ledger.journal(conn, request.ref)
        if happened:
            left = any(step.name not in journal for step in self._steps(request))
            return left and bool(journal) and not self._went_back(request)
        done = [step for step in self._steps(request) if not step.no_undo and step.name in journal]
        return any(journal[step.name].state == "done" for step in done)

    async def _resume(self, request: Request, note: Note, *, happened: bool) -> Request:
        """Execute on from what a person found of the step that was open."""
        now = self._office.clock()

        def work(conn: Connection) -> Request:
            for name, each in ledger.journal(conn, request.ref).items():
                if each.state in ("begun", "unknown"):
                    ledger.set_step(conn, request.ref, name, "done" if happened else "failed")
            after = ledger.move(conn, request, State.EXECUTING, note, now, outcome="", alarm="")
            self._timers.follow(conn, after)
            return after

        return await self._office.database.write(work)

    async def _done(
        self, request: Request, run: Callable[[Step], Run] | None, by: Note | None = None
    ) -> Request:
        """``by``: a person found that it happened; what was begun is ours then."""
        assert request.shown, "nothing is executed that was not shown"
        now, action = self._office.clock(), self._procedure(request)
        with self._office.database.read() as conn:
            journal = ledger.journal(conn, request.ref)
            others = ledger.granted(conn, request.subject, request.resource or "")
            shared = any(_gives(conn, each) for each in others if each.ref != request.ref)
        open_steps = [name for name, each in journal.items() if by and each.state in ("begun", "unknown")]
        did = bool(open_steps) or any(each.state == "done" for each in journal.values())
        ours = did or shared
        timed = ours and request.shown.minutes is not None
        done = await self._receipt(request, run, journal)
        changes: dict[str, Any] = {
            "given_at": now,
            "outcome": done if ours else f"It was so already: {done}",
            "alarm": "",
        }
        if timed:
            changes["ends_at"] = request.shown.ends_at or now + _minutes(request.shown.minutes)
        if action.makes_secret:
            changes["unseal_until"] = now + self._office.settings.reveal_for
        if action.tells:
            changes["told"] = await self._to_tell(request)
        note = by or _note("request.done", data={"ours": ours})

        def work(conn: Connection) -> Request:
            for name in open_steps:
                ledger.set_step(conn, request.ref, name, "done")
            after = ledger.move(conn, request, State.DONE, note, now, **changes)
            if timed:
                ends = {"ends_at": ledger.stamp(changes["ends_at"])}
                after = ledger.move(conn, after, State.ACTIVE, _note("request.active", data=ends), now)
            if action.makes_secret:
                sealed.start_clock(conn, request.ref, changes["unseal_until"])
            self._timers.follow(conn, after)
            return after

        return await self._office.database.write(work)

    def _steps(self, request: Request) -> tuple[Step, ...]:
        parts = request.shown.parts if request.shown else ()
        own = self._procedure(request).steps(request.params)
        return (*own, *(BeginPart(number, part) for number, part in enumerate(parts, start=1)))

    async def _receipt(
        self, request: Request, run: Callable[[Step], Run] | None, journal: Mapping[str, Journal]
    ) -> str:
        """What is true now, in words. :raises SystemDown: it cannot be told yet"""
        assert request.shown, "nothing is executed that was not shown"
        begun = [str(each.seen["ref"]) for name, each in journal.items() if name.startswith(BeginPart.PREFIX)]
        done = " ".join([request.shown.done, f"On their way: {', '.join(begun)}." if begun else ""]).strip()
        steps = self._steps(request)
        return await self._procedure(request).receipt(run(steps[0]), done) if run and steps else done

    async def _failed(self, request: Request, result: Result) -> None:
        now = self._office.clock()
        stuck = result.outcome is Outcome.STUCK
        to = State.STUCK if stuck else State.UNDONE
        data = {"step": result.step, "reason": result.reason}
        note = _note(f"request.{to}", "unknown" if stuck else "failed", data)
        outcome = (
            "I could not find out whether this was done. I called the admins; nothing is tried again blindly."
            if stuck
            else "This could not be done, and nothing was changed. The admins can see why; you can ask again."
        )
        alarm = (
            f"Step {result.step}: {result.reason}. End it with: deskhand resolve {request.ref}"
            if stuck
            else ""
        )

        def work(conn: Connection) -> None:
            if not stuck:
                sealed.destroy(conn, request.ref)
            after = ledger.move(conn, request, to, note, now, outcome=outcome, alarm=alarm)
            if stuck:
                mark = str(after.version)
                self._book.begin(conn, Kind.STUCK, after.ref, after.requester, mark=mark)

        await self._office.database.write(work)

    async def _revoke(self, request: Request) -> None:
        """Take back what was ours; hand it over where a later grant of ours still needs it."""
        now = self._office.clock()
        steps = self._steps(request)
        with self._office.database.read() as conn:
            heirs = [
                each
                for each in ledger.granted(conn, request.subject, request.resource or "")
                if each.ref != request.ref and _builds_on(conn, each)
            ]
        if heirs:
            heir = max(heirs, key=lambda each: each.ends_at or now)
            note = _note("request.ended", data={"handed_to": heir.ref})
            outcome = f"This grant ended; you keep the access through {heir.ref}."

            def hand_over(conn: Connection) -> None:
                _hand_over(conn, request, heir, steps)
                ledger.move(conn, request, State.ENDED, note, now, outcome=outcome)

            await self._office.database.write(hand_over)
            return
        run = await self._run(request)
        if run is None:
            result = Result(Outcome.STUCK, "", "the subject is no longer in the directory")
        else:
            result = await self._executor.take_back(request, steps, run)
        if result.outcome is Outcome.STUCK:
            await self._failed(request, result)
        else:
            was = request.shown.done if request.shown else request.ref
            await self._move(request, State.ENDED, _note("request.ended"), outcome=f"No longer so: {was}")

    async def _destroy_late_secret(self, request: Request) -> bool:
        now = self._office.clock()
        with self._office.database.read() as conn:
            waiting = sealed.find(conn, ref=request.ref)
        if waiting is None or waiting.expires_at is None or now < waiting.expires_at:
            return False
        note = _note("credential.expired")
        what = credential(self._office.ports)
        outcome = f"The new {what} was not looked at in time, so it was destroyed. Please ask again."

        def work(conn: Connection) -> None:
            sealed.destroy(conn, request.ref)
            ledger.move(conn, request, State.DONE, note, now, outcome=outcome, unseal_until=None)

        await self._office.database.write(work)
        return True

    async def _run(self, request: Request) -> Callable[[Step], Run] | None:
        """None: the subject is gone from the directory."""
        world = self._world()
        try:
            subject = await world.directory.person(request.subject)
        except UnknownPerson:
            return None
        vault = SealedVault(self._office.database, self._office.seals, request.ref)
        sentence = request.shown.sentence if request.shown else ""
        return lambda step: Run(
            world, subject, request.params, request.ref, sentence, f"{request.ref}:{step.name}", vault
        )

    def _new_secret(self) -> Secret:
        """A password of ours, or nothing yet: a pass is made by the system."""
        return Secret("") if self._office.ports.passes else sealed.new_password()

    async def _to_tell(self, request: Request) -> tuple[str, ...]:
        managers = await self._office.ports.directory.managers(request.subject)
        return tuple(dict.fromkeys([request.subject, *(each.id for each in managers[:1])]))

    async def _move(self, request: Request, to: State, note: Note, **changes: Any) -> None:
        now = self._office.clock()

        def work(conn: Connection) -> None:
            self._timers.follow(conn, ledger.move(conn, request, to, note, now, **changes))

        await self._office.database.write(work)

    def _procedure(self, request: Request) -> Procedure:
        action = self._office.registry[request.action]
        assert isinstance(action, Procedure), "only procedures become requests"
        return action


def _note(kind: str, result: str = "ok", data: dict[str, Any] | None = None) -> Note:
    return Note(kind, DESKHAND, _SERVICE, result, data)


def _minutes(count: int | None) -> timedelta:
    return timedelta(minutes=count or 0)


def _hand_over(conn: Connection, ended: Request, heir: Request, steps: tuple[Step, ...]) -> None:
    """What was ours stays ours: the later grant takes it back when it ends."""
    before = ledger.journal(conn, ended.ref)
    for step in steps:
        if before[step.name].state == "done":
            ledger.set_step(conn, heir.ref, step.name, "done")
            ledger.set_step(conn, ended.ref, step.name, "undone")


def _gives(conn: Connection, other: Request) -> bool:
    """Whether what is there may be this grant's work: it runs, or a crash came between its write and the
    note of it. A later grant that found it so already inherits it then, and must not end untimed."""
    if other.state in (State.EXECUTING, State.STUCK):
        journal = ledger.journal(conn, other.ref).values()
        return any(each.state in ("begun", "unknown", "done") for each in journal)
    return other.state is State.ACTIVE


def _builds_on(conn: Connection, other: Request) -> bool:
    """Whether this grant needs what an earlier one gave. A crash can leave one that has just begun."""
    if other.state is State.EXECUTING:
        return any(each.state == "needless" for each in ledger.journal(conn, other.ref).values())
    return other.state is State.ACTIVE
