"""An approver's press: judged on the facts of this moment, counted once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.audit.trail import Event, append
from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound
from bot.procedures import ledger
from bot.procedures.approval import Approvers, Verdict
from bot.procedures.cards import ATTEST, VERIFIED
from bot.procedures.gate import Gate, recorded
from bot.procedures.ledger import Approval, Note
from bot.procedures.office import Office
from bot.procedures.request import Request, Seat, Stale, State
from bot.procedures.timers import Timers
from bot.store.handles import Choice, Meaning
from integrations.contract import Person


@dataclass(frozen=True, slots=True)
class Press:
    """What an approver sent."""

    stage: str
    digest: str
    yes: bool
    attested: frozenset[str]
    reason: str
    service: str


def pressed(request: Request, meaning: Meaning, inbound: Inbound, *, proved: bool) -> Press:
    """What somebody pressed. Boxes are the person's word; that they were verified is ours alone."""
    yes = meaning.choice is Choice.APPROVE
    ticked = {need for need in request.needs if need in ATTEST and inbound.fields.get(need) == "yes"}
    attested = frozenset(ticked | ({VERIFIED} if proved else set())) if yes else frozenset[str]()
    reason = inbound.fields.get("reason", "").strip()
    stage = str(meaning.detail.get("stage", ""))
    return Press(stage, meaning.digest, yes, attested, reason, inbound.platform)


class Deciding:
    def __init__(self, office: Office, gate: Gate, approvers: Approvers, timers: Timers) -> None:
        self._office = office
        self._gate = gate
        self._approvers = approvers
        self._timers = timers

    async def decide(self, request: Request, person: Person, press: Press) -> Ack:
        """:raises Stale: somebody was faster; look again"""
        if request.waits_for != press.stage:
            return await self._too_late(request, person, press)
        if request.digest != press.digest:
            return await self.refuse(request, person, press.service, "This card is out of date.")
        with self._office.database.read() as conn:
            given = ledger.approvals(conn, request.ref)
        attested = press.attested if press.yes else frozenset(request.needs)
        verdict = await self._approvers.judge(request, person.id, press.stage, attested, given)
        if not verdict.allowed:
            missing = verdict.missing & ATTEST.keys()
            whole = press.attested | missing
            if (
                missing
                and (await self._approvers.judge(request, person.id, press.stage, whole, given)).allowed
            ):
                name = request.name(request.subject)
                words = {need: f"Tick this first: {ATTEST[need].format(name=name)}." for need in missing}
                return Ack(errors=words)
            return await self.refuse(request, person, press.service, verdict.why, verdict)
        to, changes, note = await self._outcome(request, person, press, verdict, given)
        return await self._record(request, person, press, to, changes, note)

    async def _outcome(
        self, request: Request, person: Person, press: Press, verdict: Verdict, given: list[Approval]
    ) -> tuple[State, dict[str, Any], Note]:
        name = plain(person.name, 80)
        data: dict[str, Any] = {
            "stage": press.stage,
            "digest": press.digest,
            "attested": sorted(press.attested),
        }
        if verdict.decision:
            data["decision"] = recorded(verdict.decision)
        names = {**request.names, person.id: name}
        if not press.yes:
            note = Note("request.denied", person.id, press.service, "refused", data)
            return State.DENIED, {"names": names, "outcome": f"{name} denied this request."}, note
        note = Note("request.approved", person.id, press.service, data=data)
        seats_now = {**request.seats, press.stage: _seated(request, person, press.stage, verdict)}
        changes: dict[str, Any] = {"stage": request.stage + 1, "names": names, "seats": seats_now}
        if request.stage + 1 < len(request.stages):
            stage = request.stages[request.stage + 1]
            now_given = [
                *given,
                Approval(press.stage, person.id, "approved", press.attested, press.digest, None),
            ]
            seats = await self._approvers.seats(request, await self._gate.ask_of(request), stage, now_given)
            if not seats:
                note = Note(
                    "request.no_approver", person.id, press.service, "refused", {**data, "missing": stage}
                )
                outcome = f"This also needs a decision as {stage}, and nobody is there who may give it."
                alarm = f"Nobody can decide as {stage}."
                return State.REFUSED, {"names": names, "outcome": outcome, "alarm": alarm}, note
            changes |= {
                "seats": {**seats_now, stage: seats},
                "names": {**names, **await self._approvers.names(seats)},
                "remind_at": self._office.clock() + self._office.settings.remind_after,
                "expires_at": self._office.clock() + self._office.settings.expire_after,
            }
        return State.APPROVING, changes, note

    async def _record(
        self, request: Request, person: Person, press: Press, to: State, changes: dict[str, Any], note: Note
    ) -> Ack:
        now = self._office.clock()

        def work(conn: Connection) -> None:
            words = self._office.words.record(conn, person.id, press.reason) if press.reason else None
            verdict = "approved" if press.yes else "denied"
            kept = words.id if words else None
            given = Approval(press.stage, person.id, verdict, press.attested, press.digest, kept)
            ledger.approve(conn, request.ref, given, now)
            full = Note(note.kind, note.actor, note.service, note.outcome, note.data, words)
            self._timers.follow(conn, ledger.move(conn, request, to, full, now, **changes))

        try:
            await self._office.database.write(work)
        except IntegrityError as error:  # this person's verdict on this stage is in already
            raise Stale(request.ref) from error
        return Ack(notice="Thank you, noted." if press.yes else "Denied. I tell them.")

    async def _too_late(self, request: Request, person: Person, press: Press) -> Ack:
        with self._office.database.read() as conn:
            said = next(
                (each for each in ledger.approvals(conn, request.ref) if each.stage == press.stage), None
            )
        if said and said.person == person.id:
            why = f"You {said.verdict} this already."
        elif said:
            why = f"{request.name(said.person)} {said.verdict} this already."
        elif request.revision and request.state in (State.COLLECTING, State.CONFIRMING):
            name = request.name(request.requester)
            why = f"{name} changed this meanwhile. Whoever has to decide is asked anew once it is confirmed."
        else:
            why = f"This is no longer waiting for a decision: {request.state.value}."
        return await self.refuse(request, person, press.service, why)

    async def refuse(
        self, request: Request, person: Person, service: str, why: str, verdict: Verdict | None = None
    ) -> Ack:
        """Answered politely, and kept."""
        decision = {"decision": recorded(verdict.decision)} if verdict and verdict.decision else {}
        event = Event(
            at=self._office.clock(),
            kind="press.refused",
            request=request.ref,
            actor=person.id,
            service=service,
            outcome="refused",
            action=request.action,
            subject=request.subject,
            data={"why": why, **decision},
        )
        await self._office.database.write(lambda conn: append(conn, event))
        return Ack(notice=why)


def _seated(request: Request, person: Person, stage: str, verdict: Verdict) -> tuple[Seat, ...]:
    """Whoever approves has a seat: a card of their own (a code to read out stands nowhere else), and
    for the last gate the role they approved in."""
    seats = request.seats.get(stage, ())
    own = next((seat for seat in seats if seat.person == person.id), None)
    if own:
        kept = own.model_copy(update={"fallback": verdict.fallback})
        return tuple(kept if seat is own else seat for seat in seats)
    why = "You decided this in the approvals channel"
    return (*seats, Seat(person=person.id, why=why, fallback=verdict.fallback))
