"""Gathers everything that the cards of one request are made of."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from bot.audit.words import WordsChanged
from bot.procedures import ledger
from bot.procedures.cards import VERIFIED, Story
from bot.procedures.office import Office, credential
from bot.procedures.proofs import shown_by
from bot.procedures.request import Request
from bot.store import sealed

log = structlog.get_logger()


class Stories:
    def __init__(self, office: Office) -> None:
        self._office = office

    def of(self, conn: Connection, request: Request) -> Story:
        given = ledger.approvals(conn, request.ref)
        asked = request.seats.get(request.waits_for or "", ())
        waiting = sealed.find(conn, ref=request.ref)
        return Story(
            request=request,
            title=self._office.registry[request.action].title,
            approvals=given,
            sealed=waiting,
            code=self._office.seals.code(conn, request.ref) if waiting else None,
            words=self._read(conn, request.words),
            reasons={each.person: self._read(conn, each.words) for each in given if each.words},
            url=self._office.settings.url,
            credential=credential(self._office.ports),
            shown_by=shown_by(conn, self._office, request) if waiting else (),
            signs_in=self._office.sign_in is not None,
            enrolled=frozenset(
                seat.person for seat in asked if self._office.authenticators.since(conn, seat.person)
            )
            if VERIFIED in request.needs
            else frozenset(),
        )

    def _read(self, conn: Connection, words: int | None) -> str:
        if words is None:
            return ""
        try:
            return self._office.words.read(conn, words) or "(removed)"
        except WordsChanged as error:
            log.error("words.changed", reason=str(error))
            return "(cannot be read)"
