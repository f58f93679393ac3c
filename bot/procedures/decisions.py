"""Decisions that are given on a page of their own, after a fresh proof of who decides."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound
from bot.people import Stranger
from bot.procedures import ledger
from bot.procedures.approval import Approvers
from bot.procedures.engine import Engine
from bot.procedures.office import Office
from bot.procedures.overview import approvers_card
from bot.procedures.proofs import AUTHENTICATOR, Purpose, ways
from bot.procedures.stories import Stories
from bot.store.handles import Choice, Handles, Meaning, meaning_of
from bot.store.proofs import Proof


@dataclass(frozen=True, slots=True)
class Open:
    """A decision that can still be given, and what has to be proved for it."""

    meaning: Meaning
    purpose: Purpose
    ways: tuple[str, ...]

    @property
    def digest(self) -> str:
        return self.meaning.digest


class Decisions:
    def __init__(self, office: Office, engine: Engine) -> None:
        self._office = office
        self._engine = engine
        self._stories = Stories(office)
        self._approvers = Approvers(office, engine.gate)

    def open(self, handle: str) -> Open | None:
        """What an Approve button's handle stands for now. None: nothing that waits."""
        with self._office.database.read() as conn:
            meaning = meaning_of(conn, handle)
        if meaning is None or meaning.choice is not Choice.APPROVE:
            return None
        request = self._engine.find(meaning.owner)
        stage = str(meaning.detail.get("stage", ""))
        if request is None or request.waits_for != stage or request.digest != meaning.digest:
            return None
        purpose = Purpose(
            what=f"approve {request.ref} {stage} {request.digest}",
            back=f"/approve/{handle}",
            person=meaning.audience,
            ref=request.ref,
        )
        return Open(meaning, purpose, self._ways(meaning.audience))

    def _ways(self, person: str) -> tuple[str, ...]:
        """On a channel's copy nobody is named: only a sign-in can tell who is there."""
        with self._office.database.read() as conn:
            found = ways(conn, self._office, person)
        return found if person else tuple(way for way in found if way != AUTHENTICATOR)

    async def against(self, found: Open, person: str) -> str:
        """Why this person does not even get to see it; empty where they may decide. A channel's copy leads
        here whoever follows its link."""
        request = self._engine.find(found.meaning.owner)
        if request is None or request.waits_for is None:
            return "This waits for nobody any more."
        if person in (seat.person for seat in request.seats.get(request.waits_for, ())):
            return ""
        with self._office.database.read() as conn:
            given = ledger.approvals(conn, request.ref)
        whole = frozenset(request.needs)
        verdict = await self._approvers.judge(request, person, request.waits_for, whole, given)
        return "" if verdict.allowed else verdict.why

    async def card(self, found: Open, person: str) -> Card:
        """What the approver's own card says."""
        request = self._engine.find(found.meaning.owner)
        assert request, "it was there a moment ago, and requests are never deleted"
        with self._office.database.read() as conn:
            story = self._stories.of(conn, request)
            handles = Handles.of(conn, request.ref)
        return approvers_card(story, person, handles)

    async def decide(self, found: Open, proof: Proof, pressed: Inbound, *, yes: bool) -> Ack:
        """Judged like any other press, by the facts of this moment, as a proven one."""
        try:
            person = await self._office.people.present(proof.person)
        except Stranger as stranger:
            return Ack(notice=str(stranger))
        meaning = found.meaning
        if not yes:
            meaning = Meaning(meaning.owner, Choice.DENY, meaning.audience, meaning.digest, meaning.detail)
        return await self._engine.press(person, meaning, pressed, proved=True)
