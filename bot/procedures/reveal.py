"""Showing a new credential: once, to whoever holds the link and proves that it is theirs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.audit.trail import DESKHAND
from bot.procedures import ledger, say
from bot.procedures.cards import SPOKEN
from bot.procedures.engine import Engine
from bot.procedures.ledger import Note
from bot.procedures.office import Office, credential
from bot.procedures.proofs import Purpose, shown_by
from bot.procedures.request import Request, State
from bot.store import frozen, proofs, quarantine, sealed
from bot.store.sealed import Sealed
from integrations.contract import Secret

SERVICE = "reveal"


@dataclass(frozen=True, slots=True)
class Refused:
    why: str
    tries: int = 0  # that are left; 0: the credential is gone


GONE = Refused("This link is not valid any more. It works once, and for ten minutes only. You can ask again.")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A credential that can be shown."""

    purpose: Purpose
    ways: tuple[str, ...]  # of proving that it is theirs


class Reveals:
    def __init__(self, office: Office, engine: Engine) -> None:
        self._office = office
        self._engine = engine
        self.credential = credential(office.ports)
        self._shown = (
            "Your new password was shown. It has to be changed."
            if self.credential == "password"
            else "Your new pass was shown. It is good for one sign-in."
        )
        self._rest = office.settings.quarantine

    def waiting(self, token: str) -> Waiting | None:
        """What can be shown under this token, and what has to be proved first. None: nothing."""
        with self._office.database.read() as conn:
            found = sealed.find(conn, token=token)
            request = self._valid(conn, found)
            if found is None or request is None:
                return None
            return Waiting(_purpose(request, token), shown_by(conn, self._office, request))

    async def show(self, token: str, *, code: str = "", browser: str = "") -> Secret | Refused:
        """The credential, destroyed in the same transaction that says it was shown.

        :param code: that the manager read out, where nothing was proved in this browser
        """
        code = "".join(code.split())
        shown = await self._office.database.write(lambda conn: self._open(conn, token, code, browser))
        if shown[0]:  # beside: nothing may come between destroying it and showing it
            self._engine.settle_soon(shown[0])
        return shown[1]

    def _open(self, conn: Connection, token: str, code: str, browser: str) -> tuple[str, Secret | Refused]:
        found = sealed.find(conn, token=token)
        request = self._valid(conn, found)
        if found is None or request is None:
            return "", GONE
        now = self._office.clock()
        proof = proofs.held(conn, browser, _purpose(request, token).what, now) if browser else None
        taken = shown_by(conn, self._office, request)
        if proof is None or proof.person != request.subject:
            if not code or SPOKEN not in taken:
                return "", Refused("First show that it is you.", found.tries)
            if not self._office.seals.right(conn, found.ref, code):
                return self._wrong(conn, found, request)
        secret = self._office.seals.open(conn, found.ref)
        sealed.destroy(conn, found.ref)
        proofs.spend(conn, browser, _purpose(request, token).what)
        quarantine.begin(conn, request.subject, now, "credential")
        until = say.moment(now + self._rest, request.zone)
        rest = f" Until {until} you can ask for nothing risky and approve nothing." if self._rest else ""
        by = proof.method if proof else SPOKEN
        self._move(conn, request, "credential.shown", "ok", self._shown + rest, by=by)
        return request.ref, secret or GONE

    def _wrong(self, conn: Connection, found: Sealed, request: Request) -> tuple[str, Refused]:
        left = found.tries - 1
        if left <= 0:
            sealed.destroy(conn, found.ref)
            what = self.credential
            said = f"The code was wrong too often, so the new {what} was destroyed. You can ask again."
            self._move(conn, request, "credential.locked", "refused", said)
            return request.ref, Refused(said)
        sealed.wrong_code(conn, found.ref)
        self._move(conn, request, "credential.wrong_code", "refused", request.outcome)
        return request.ref, Refused(f"That is not the code. {left} tries are left.", left)

    def _move(
        self, conn: Connection, request: Request, kind: str, result: str, outcome: str, by: str = ""
    ) -> None:
        data = {"proved_by": by} if by else None
        note = Note(kind, DESKHAND if result != "ok" else request.requester, SERVICE, result, data)
        gone = {} if kind == "credential.wrong_code" else {"unseal_until": None}
        ledger.move(conn, request, State.DONE, note, self._office.clock(), outcome=outcome, **gone)

    def _valid(self, conn: Connection, found: Sealed | None) -> Request | None:
        """Its request, where it was given, is in time, and its owner is not frozen."""
        if found is None or found.expires_at is None or self._office.clock() >= found.expires_at:
            return None
        request = ledger.load(conn, found.ref)
        return None if request is None or frozen.is_frozen(conn, request.subject) else request


def _purpose(request: Request, token: str) -> Purpose:
    return Purpose(
        what=f"reveal {request.ref} {request.digest}",
        back=f"/reveal/{token}",
        person=request.subject,
        ref=request.ref,
    )
