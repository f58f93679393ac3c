"""Proving again who one is: by a sign-in at the company's provider, or by a code of an authenticator app.

A proof is good in one browser, for one thing (``what`` names it, digest included), and for a few minutes.
What it is for checks it where it counts; nothing here permits anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.people import Stranger
from bot.procedures.cards import SPOKEN
from bot.procedures.office import Office
from bot.procedures.request import Request
from bot.store import proofs
from bot.store.proofs import Proof
from integrations.contract import Person, SignInRefused, SystemDown, UnknownPerson

log = structlog.get_logger()

SIGN_IN, AUTHENTICATOR = "sign-in", "authenticator"  # as policies call them
CALLBACK = "/sign-in/callback"  # registered at the provider behind DESKHAND_PUBLIC_URL

_AWAY = timedelta(minutes=10)  # for whoever is at the provider
_SERVICE = "page"
_OTHER_BROWSER = "This sign-in was not begun in this browser, or it is over. Please begin again."
_NOT_GOOD = "That sign-in does not count. Please begin again; the help desk can see why."
_DOWN = "The sign-in does not answer now. Please try again in a few minutes."


class NoProof(Exception):
    """Nobody proved anything; ``str(error)`` is for whoever is there."""


class Purpose(BaseModel):
    """What a proof is for."""

    model_config = ConfigDict(frozen=True)

    what: str  # "approve R-7Q2MXB manager DIGEST": a proof of one thing is none of another
    back: str  # the page that goes on with it
    person: str = ""  # who it has to be; empty: whoever it is, the page looks
    ref: str = ""  # the request, for the record
    fresh: bool = True  # an earlier sign-in elsewhere does not count


class Proofs:
    def __init__(self, office: Office) -> None:
        self._office = office

    def held(self, what: str, browser: str) -> Proof | None:
        """The proof of this that was given in this browser."""
        with self._office.database.read() as conn:
            return proofs.held(conn, browser, what, self._office.clock()) if browser else None

    async def spend(self, what: str, browser: str) -> None:
        await self._office.database.write(lambda conn: proofs.spend(conn, browser, what))

    async def begin(self, purpose: Purpose, browser: str) -> str:
        """Where the browser goes to sign in. :raises NoProof:"""
        if self._office.sign_in is None:
            raise NoProof("There is no sign-in here.")
        state = secrets.token_urlsafe(24)
        try:
            begun = await self._office.sign_in.begin(
                f"{self._office.settings.url}{CALLBACK}",
                state,
                hint=await self._hint(purpose.person),
                fresh=purpose.fresh,
            )
        except (SystemDown, SignInRefused) as error:
            log.warning("sign_in.down", reason=str(error))
            raise NoProof(_DOWN) from error
        until = self._office.clock() + _AWAY
        await self._office.database.write(
            lambda conn: self._office.sign_ins.leave(
                conn,
                state=state,
                what=purpose.what,
                anybody=not purpose.person and not purpose.ref and not purpose.fresh,
                browser=browser,
                purpose=purpose.model_dump_json(),
                kept=begun.kept,
                until=until,
            )
        )
        return begun.url

    async def finish(self, answer: Mapping[str, str], browser: str) -> tuple[Purpose, Person]:
        """The browser is back. The proof is kept, and who it was. :raises NoProof:"""
        now = self._office.clock()
        found = await self._office.database.write(
            lambda conn: self._office.sign_ins.back(
                conn, state=answer.get("state", ""), browser=browser, now=now
            )
        )
        if found is None or self._office.sign_in is None:
            log.warning("sign_in.unknown_answer")  # anybody can send one: it is not for the trail
            raise NoProof(_OTHER_BROWSER)
        try:
            purpose = Purpose.model_validate_json(found[0])
        except ValidationError as error:  # written by another version of Deskhand
            raise NoProof(_OTHER_BROWSER) from error
        try:
            signed_in = await self._office.sign_in.finish(found[1], answer)
            person = await self._office.people.signed_in(signed_in)
        except SystemDown as error:
            await self._refused(purpose, DESKHAND, str(error))
            raise NoProof(_DOWN) from error
        except (SignInRefused, UnknownPerson) as error:
            await self._refused(purpose, DESKHAND, str(error))
            raise NoProof(_NOT_GOOD) from error
        except Stranger as error:
            await self._refused(purpose, DESKHAND, error.why)
            raise NoProof(str(error)) from error
        if purpose.person and person.id != purpose.person:
            await self._refused(purpose, person.id, "somebody else signed in")
            raise NoProof("You signed in as somebody else than this page is for.")
        await self._keep(purpose, browser, Proof(person.id, SIGN_IN, now))
        return purpose, person

    async def by_code(self, purpose: Purpose, code: str, browser: str) -> None:
        """A code of the person's app, or one of their recovery codes. :raises NoProof:"""
        now = self._office.clock()
        checked = await self._office.database.write(
            lambda conn: self._office.authenticators.check(conn, purpose.person, code, now)
        )
        if not checked.method:
            await self._refused(purpose, purpose.person, "locked" if checked.locked else "wrong code")
            raise NoProof(
                "Too many wrong codes. Please wait a quarter of an hour, then use a new one."
                if checked.locked
                else "That is not the present code. Wait for the next one, and type that."
            )
        await self._keep(purpose, browser, Proof(purpose.person, checked.method, now))

    async def _keep(self, purpose: Purpose, browser: str, proof: Proof) -> None:
        until = self._office.clock() + self._office.settings.verify_within
        event = Event(
            at=self._office.clock(),
            kind="identity.proved",
            request=purpose.ref,
            actor=proof.person,
            service=_SERVICE,
            subject=proof.person,
            data={"by": proof.method, "for": purpose.what},
        )

        def work(conn: Connection) -> None:
            proofs.prove(conn, browser, purpose.what, proof, until)
            append(conn, event)

        await self._office.database.write(work)

    async def _refused(self, purpose: Purpose, actor: str, why: str) -> None:
        log.warning("identity.refused", purpose=purpose.what.split()[0], reason=why)
        if not (purpose.person or purpose.ref or actor != DESKHAND):
            return  # anybody can begin and break off a sign-in to the desk: it is not for the trail
        event = Event(
            at=self._office.clock(),
            kind="identity.refused",
            request=purpose.ref,
            actor=actor,
            service=_SERVICE,
            outcome="refused",
            subject=purpose.person,
            data={"why": why, "for": purpose.what},
        )
        await self._office.database.write(lambda conn: append(conn, event))

    async def _hint(self, person: str) -> str:
        """The log-in name that the provider's page begins with."""
        if not person:
            return ""
        try:
            return (await self._office.ports.directory.person(person)).account
        except (UnknownPerson, SystemDown):
            return ""


def shown_by(conn: Connection, office: Office, request: Request) -> tuple[str, ...]:
    """What is taken as a proof before this request's credential is shown: of what the rules take, what the
    subject has. Who had an authenticator before they asked uses that; a code read out by voice is for those
    who had none."""
    asked = request.proof or (SPOKEN,)
    found = ways(conn, office, request.subject, before=request.created_at)
    spoken = () if AUTHENTICATOR in found and AUTHENTICATOR in asked else (SPOKEN,)
    return tuple(way for way in (*found, *spoken) if way in asked)


def ways(conn: Connection, office: Office, person: str, *, before: datetime | None = None) -> tuple[str, ...]:
    """How this person can prove who they are.

    :param before: an authenticator counts that was there before this moment
    """
    since = office.authenticators.since(conn, person)
    enrolled = since is not None and (before is None or since < before)
    return (*((SIGN_IN,) if office.sign_in else ()), *((AUTHENTICATOR,) if enrolled else ()))
