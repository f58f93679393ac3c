"""Gathers everything that the cards of one request are made of."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Connection

from bot.audit.words import WordsChanged
from bot.procedures import ledger
from bot.procedures.cards import VERIFIED, Story
from bot.procedures.hand_off_book import HandOffBook
from bot.procedures.office import Office, credential
from bot.procedures.proofs import shown_by
from bot.procedures.refusals import refusal
from bot.procedures.request import Request, State
from bot.store import hand_offs, sealed
from bot.store.hand_offs import Kind

log = structlog.get_logger()


class Stories:
    def __init__(self, office: Office) -> None:
        self._office = office
        self._book = HandOffBook(office)

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
            words="\n".join(self._read(conn, each) for each in (request.words, *request.said) if each),
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
            **self._exception(conn, request),
        )

    def _exception(self, conn: Connection, request: Request) -> dict[str, Any]:
        """Of a refusal: whether people may be asked, or were."""
        if request.state is not State.REFUSED or not self._book.reaches:
            return {}
        asked = [each for each in hand_offs.of_ref(conn, request.ref) if each.kind is Kind.EXCEPTION]
        no = None if asked else refusal(conn, self._office, request)
        return {"excusable": bool(no and no.excusable), "exception": asked[0].name if asked else ""}

    def _read(self, conn: Connection, words: int | None) -> str:
        if words is None:
            return ""
        try:
            return self._office.words.read(conn, words) or "(removed)"
        except WordsChanged as error:
            log.error("words.changed", reason=str(error))
            return "(cannot be read)"
