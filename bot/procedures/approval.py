"""Who decides: the seats of a stage, and whether somebody who presses may.

A stage has its natural people: ``manager``, the chain above the subject, nearest first; ``owner``,
who answers for the resource; ``budget``, who answers for the money, then those above them. Whoever
is requester or subject, is away, or decided at an earlier stage is passed over. Where nobody is
left, the fallback group stands in; where nobody is there either, the request cannot be executed.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.clean import plain
from bot.people import active
from bot.procedures.gate import Gate
from bot.procedures.ledger import Approval
from bot.procedures.office import Office
from bot.procedures.request import Request, Seat
from integrations.contract import Person, UnknownGroup, UnknownPerson
from policies.decide import Ask, Decision


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a person may decide now, and what the rules said."""

    allowed: bool
    why: str
    decision: Decision | None
    missing: frozenset[str] = frozenset()  # what would still have to be attested
    fallback: bool = False  # they decide as one who stands in


class Approvers:
    def __init__(self, office: Office, gate: Gate) -> None:
        self._office = office
        self._gate = gate

    async def seats(self, request: Request, ask: Ask, stage: str, given: list[Approval]) -> tuple[Seat, ...]:
        """Who is asked at this stage. Empty: nobody is eligible, nothing may be executed."""
        out = {request.requester, request.subject} | {each.person for each in given}
        for person, why in await self._natural(request, stage):
            if (
                person.id not in out
                and active(person)
                and await self._may(ask, request, person.id, stage, False)
            ):
                return (Seat(person=person.id, why=why),)
        seats = []
        for person in await self._stand_ins():
            if (
                person.id not in out
                and active(person)
                and await self._may(ask, request, person.id, stage, True)
            ):
                why = f"Nobody else can decide as {stage}, and you are in the group that stands in"
                seats.append(Seat(person=person.id, why=why, fallback=True))
        return tuple(seats)

    async def judge(
        self, request: Request, person: str, stage: str, attested: frozenset[str], given: list[Approval]
    ) -> Verdict:
        """May this person decide at this stage, by the facts of this moment?"""
        if person in (request.requester, request.subject):
            return Verdict(False, "Nobody decides on a request of their own.", None)
        if any(each.person == person and each.stage != stage for each in given):
            return Verdict(False, "You decided at an earlier stage; this one needs somebody else.", None)
        ask = await self._gate.ask_of(request)
        earlier = [each for each in given if each.stage != stage]
        fallback = any(seat.fallback for seat in await self.seats(request, ask, stage, earlier))
        decision = await self._gate.approve(ask, person, stage=stage, fallback=fallback, attested=attested)
        missing = frozenset(request.needs) - attested
        return Verdict(decision.allowed, " ".join(decision.why), decision, missing, fallback)

    async def names(self, seats: tuple[Seat, ...]) -> dict[str, str]:
        """Ids and names, for the cards."""
        directory = self._office.ports.directory
        return {seat.person: plain((await directory.person(seat.person)).name, 80) for seat in seats}

    async def _may(self, ask: Ask, request: Request, person: str, stage: str, fallback: bool) -> bool:
        """Whether they could approve, once they attested what is asked of them."""
        attested = frozenset(request.needs)
        decision = await self._gate.approve(ask, person, stage=stage, fallback=fallback, attested=attested)
        return decision.allowed

    async def _natural(self, request: Request, stage: str) -> list[tuple[Person, str]]:
        directory = self._office.ports.directory
        subject = request.name(request.subject)
        if stage == "manager":
            chain = await directory.managers(request.subject)
            return [
                (
                    person,
                    f"You are {subject}'s manager" if at == 0 else f"You are in {subject}'s line of managers",
                )
                for at, person in enumerate(chain)
            ]
        resource = self._office.catalogue.get(request.resource or "")
        if stage == "owner" and resource:
            try:
                return [(await directory.by_mail(resource.owner), f"You answer for {resource.name}")]
            except UnknownPerson:
                return []
        if stage == "budget":
            line = await self._gate.budget_line(request.subject)
            return [
                (
                    person,
                    f"You answer for the budget that pays for {subject}"
                    if at == 0
                    else f"You are above whoever answers for the budget that pays for {subject}",
                )
                for at, person in enumerate(line)
            ]
        return []

    async def _stand_ins(self) -> list[Person]:
        try:
            return await self._office.ports.groups.members(self._office.settings.fallback)
        except UnknownGroup:
            return []
