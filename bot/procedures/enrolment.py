"""Getting an authenticator app, before it is needed: for those who have no provider to sign in at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.audit.trail import Event, append
from bot.chat.card import Card, Link, Tone
from bot.procedures import page_links
from bot.procedures.linking import PAUSED
from bot.procedures.notices import Notices
from bot.procedures.office import Office
from bot.procedures.proofs import Purpose
from bot.store import authenticators, frozen, proofs, quarantine
from bot.store.handles import Choice
from integrations.contract import Person, UnknownPerson

_SERVICE = "page"


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Somebody on their enrolment page."""

    person: str
    since: datetime | None  # when they got the one they have
    left: int  # of its recovery codes
    purpose: Purpose  # what has to be proved first: by a sign-in, or by a code of the one they have


class Enrolments:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def card(self, person: Person) -> Card:
        """The way to one's own page."""
        with self._office.database.read() as conn:
            if frozen.is_frozen(conn, person.id):
                return Card(title="Your authenticator", text=PAUSED, tone=Tone.DANGER, status="Refused")
        owner = f"authenticator:{person.id}"
        handle = await page_links.make(self._office, Choice.ENROL, owner, audience=person.id)
        return Card(
            title="Your authenticator",
            text="With an authenticator app you can show that it is you: before a new password, and where you"
            " approve something critical. The page is good for half an hour, and for you alone.",
            tone=Tone.PRIMARY,
            links=(Link(label="Set it up", url=f"{self._office.settings.url}/authenticator/{handle}"),),
        )

    def open(self, handle: str) -> Enrolling | None:
        """None: it is no such link, or it is over."""
        meaning = page_links.opened(self._office, Choice.ENROL, handle)
        if meaning is None:
            return None
        with self._office.database.read() as conn:
            if frozen.is_frozen(conn, meaning.audience):
                return None
            since = self._office.authenticators.since(conn, meaning.audience)
            left = self._office.authenticators.left(conn, meaning.audience)
        # The address opens the page, so what is recorded of it is a digest.
        what = f"authenticator {proofs.digest(handle)}"
        purpose = Purpose(what=what, back=f"/authenticator/{handle}", person=meaning.audience)
        return Enrolling(meaning.audience, since, left, purpose)

    async def offer(self, found: Enrolling) -> tuple[str, str]:
        """The secret for the app, and the same as what the app's camera reads."""
        person, page = found.person, found.purpose.what
        secret = await self._office.database.write(
            lambda conn: self._office.authenticators.offer(conn, person, page)
        )
        try:
            account = (await self._office.ports.directory.person(person)).account
        except UnknownPerson:
            account = "you"
        return secret, authenticators.address(secret, account)

    async def enrol(self, found: Enrolling, code: str) -> list[str]:
        """Recovery codes; empty where the code is not of the app that was offered."""
        now, person, page = self._office.clock(), found.person, found.purpose.what
        event = self._event("authenticator.enrolled", person, now)

        def work(conn: Connection) -> list[str]:
            codes = self._office.authenticators.enrol(conn, person, page, code, now)
            if codes:
                quarantine.begin(conn, person, now, "authenticator")
                append(conn, event)
            return codes

        codes = await self._office.database.write(work)
        if codes:
            await self._tell(person, now)
        return codes

    async def remove(self, person: str, *, by: str, service: str = _SERVICE) -> bool:
        """False: there was none."""
        now = self._office.clock()
        event = self._event("authenticator.removed", person, now, by=by, service=service)

        def work(conn: Connection) -> bool:
            removed = authenticators.remove(conn, person)
            if removed:
                append(conn, event)
            return removed

        return await self._office.database.write(work)

    async def _tell(self, person: str, now: datetime) -> None:
        await Notices(self._office).warn(
            person,
            "An authenticator was set up in your name",
            "From now on its codes show that it is you. For a day you can ask for nothing risky and approve"
            " nothing.",
            key=f"authenticator:{person}:{now.isoformat()}",
        )

    def _event(
        self, kind: str, person: str, now: datetime, *, by: str = "", service: str = _SERVICE
    ) -> Event:
        return Event(at=now, kind=kind, actor=by or person, service=service, subject=person)
