"""The gate: every decision on fresh directory facts, each with the rules that made it.

May this person request it; may it proceed without approval; may that person approve it. Nothing
is cached: the facts are read anew for each question, at the press and again before execution.
"""

from __future__ import annotations

from bot.procedures import say
from bot.procedures.action import Preview
from bot.procedures.office import Office
from bot.procedures.request import Request, Shown
from bot.store import frozen, quarantine
from integrations.contract import Person, UnknownPerson
from policies.catalogue import Resource
from policies.decide import Ask, Decision, What, Who


class Gate:
    """Asks the rules. :raises SystemDown: where the directory does not answer"""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def request(self, ask: Ask) -> Decision:
        return self._office.policies.may_request(ask, now=self._office.clock())

    async def proceed(self, ask: Ask) -> Decision:
        return self._office.policies.may_proceed(ask, now=self._office.clock())

    async def approve(
        self, ask: Ask, approver: str, *, stage: str, fallback: bool, attested: frozenset[str]
    ) -> Decision:
        return self._office.policies.may_approve(
            ask,
            await self.who(approver),
            stage=stage,
            fallback=fallback,
            attested=attested,
            now=self._office.clock(),
        )

    async def ask(
        self,
        action: str,
        requester: str,
        subject: str,
        *,
        resource: str | None = None,
        shown: Shown | None = None,
    ) -> Ask:
        """The question, with everything the rules may look at."""
        asker = await self.who(requester)
        return Ask(
            action=action,
            requester=asker,
            subject=asker if subject == requester else await self.who(subject),
            resource=await self._what(resource) if resource else None,
            minutes=shown.minutes if shown else None,
            amount_cents=shown.amount_cents if shown else None,
            currency=shown.currency if shown else "",
            kind=shown.kind if shown else "",
            budget=await self._budget(subject) if shown and shown.amount_cents is not None else (),
        )

    async def ask_of(self, request: Request) -> Ask:
        """The question a stored request puts, on the facts of this moment."""
        return await self.ask(
            request.action,
            request.requester,
            request.subject,
            resource=request.resource,
            shown=request.shown,
        )

    async def budget_line(self, subject: str) -> list[Person]:
        """Who may decide on money spent for this person: whoever answers for the budget, then those above."""
        ports = self._office.ports
        if ports.equipment is None:
            return []
        try:
            mail = await ports.equipment.budget_owner(subject)
            if not mail:
                return []
            owner = await ports.directory.by_mail(mail)
        except UnknownPerson:
            return []
        return [owner, *await ports.directory.managers(owner.id)]

    async def _budget(self, subject: str) -> tuple[str, ...]:
        return tuple(person.id for person in await self.budget_line(subject))

    async def who(self, person_id: str) -> Who:
        """Somebody the directory does not know (any more) is somebody who left."""
        directory = self._office.ports.directory
        with self._office.database.read() as conn:
            stopped = frozen.is_frozen(conn, person_id)
            changed = quarantine.of(conn, person_id)
            provable = bool(self._office.sign_in or self._office.authenticators.since(conn, person_id))
        try:
            person = await directory.person(person_id)
        except UnknownPerson:
            return Who(person_id, "employee", "left", False, (), "", frozenset(), stopped)
        until = self._until(changed, person)
        return Who(
            id=person.id,
            kind=person.kind.value,
            status=person.status.value,
            privileged=person.privileged,
            managers=tuple(each.id for each in await directory.managers(person_id)),
            department=person.department,
            groups=await directory.groups_of(person_id),
            frozen=stopped,
            provable=provable,
            quarantined=bool(until),
            until=until,
        )

    def _until(self, changed: quarantine.Change | None, person: Person) -> str:
        """When their quarantine is over, in words; empty: they are in none."""
        over = changed.at + self._office.settings.quarantine if changed else None
        return say.moment(over, person.time_zone) if over and self._office.clock() < over else ""

    async def _what(self, key: str) -> What | None:
        resource = self._office.catalogue.get(key)
        if resource is None:
            return None
        try:
            owner = (await self._office.ports.directory.by_mail(resource.owner)).id
        except UnknownPerson:
            owner = "nobody"  # an owner who left: nobody matches, the fallback group decides
        return What(resource.key, resource.sensitivity.value, owner, resource.max_days)


def shown_of(preview: Preview) -> Shown:
    """What the card says, as it is stored and digested."""
    resource = preview.resource
    return Shown(
        sentence=preview.sentence,
        facts=preview.facts,
        done=preview.done,
        lets=resource.lets if resource else "",
        sensitivity=resource.sensitivity.value if resource else "",
        target=target_of(resource),
        minutes=preview.minutes,
        starts_at=preview.starts_at,
        ends_at=preview.ends_at,
        amount_cents=preview.amount.cents if preview.amount else None,
        currency=preview.amount.currency if preview.amount else "",
        kind=preview.kind,
        resource=resource.key if resource else None,
        parts=preview.parts,
    )


def target_of(resource: Resource | None) -> str:
    """What a catalogue entry stands for: the digest covers it, so an edited entry voids a yes."""
    return f"{resource.system}:{resource.group}" if resource else ""


def recorded(decision: Decision) -> dict[str, object]:
    """A decision as the audit trail keeps it."""
    return {
        "phase": decision.phase,
        "allowed": decision.allowed,
        "policies": list(decision.policies),
        "policy_version": decision.version[:16],
        **({"errors": list(decision.errors)} if decision.errors else {}),
    }
