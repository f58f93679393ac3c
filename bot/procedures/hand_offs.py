"""Handing over to people: the card in their channel, the ticket, and what is said, to whom it is for.

``settle`` is the one thing that follows a change, as ``Engine.settle`` is of requests: it compares what
should stand where with what was done, and does the rest. The channel is told first: the ticket system may be
the very system that is down.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Connection

from bot.audit.query import Filter, find
from bot.audit.trail import DESKHAND, Event, append
from bot.chat.card import Card
from bot.chat.clean import plain
from bot.chat.inbound import Inbound
from bot.durable import TryLater
from bot.procedures import context, hand_off_cards, ledger
from bot.procedures.announce import HELP_DESK, Announcer, Copy, kept
from bot.procedures.briefing import as_text, briefing
from bot.procedures.hand_off_book import SETTLE_HAND_OFF, HandOffBook
from bot.procedures.hand_off_cards import Matter
from bot.procedures.help_desk import HelpDeskThreads
from bot.procedures.office import Office
from bot.store import deliveries, hand_offs
from bot.store.database import StorageDown
from bot.store.hand_offs import NOWHERE, HandOff, Kind, Said, Side
from bot.store.handles import Handles
from integrations.contract import ConnectorError, UnknownPerson
from integrations.work import NewTicket, UnknownTicket

log = structlog.get_logger()

_TITLE_CHARS = 100
_WORDS_CHARS = 2_000


class HandOffs:
    def __init__(self, office: Office, announcer: Announcer, threads: HelpDeskThreads | None) -> None:
        self._office = office
        self._announcer = announcer
        self._threads = threads
        self.book = HandOffBook(office)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        office.jobs.register(SETTLE_HAND_OFF, self.settle)

    async def settle(self, handed: str) -> None:
        """Do all that is left to do for it. May run at any time.

        :raises TryLater: a system or a platform has to answer first
        """
        async with self._locks.setdefault(handed, asyncio.Lock()):
            await self._resolved(handed)
            hand_off = self._load(handed)
            if hand_off is None or hand_off.settled >= hand_off.version:
                return
            put_off, shown = [], -1
            for part in (self._show, self._open_ticket, self._note, self._show):
                try:
                    shown = await part(handed) or shown
                except (ConnectorError, StorageDown, TryLater) as error:
                    put_off.append(f"{type(error).__name__}: {error}")
            if put_off:
                raise TryLater("; ".join(dict.fromkeys(put_off)))
            await self._settled(handed, shown)

    async def settle_now(self, handed: str) -> None:
        """The same right after a change; where a system is down, the committed job does it later."""
        try:
            await self.settle(handed)
        except TryLater as reason:
            log.warning("hand_off.put_off", id=handed, reason=str(reason))
        except Exception:  # the change is committed: whoever made it is not to hear that it was not
            log.exception("hand_off.failed", id=handed)

    def waiting(self, ref: str) -> list[str]:
        """Those of a request that have something left to do, or that a move of it may end."""
        with self._office.database.read() as conn:
            of_request = hand_offs.of_ref(conn, ref)
        return [
            each.id
            for each in of_request
            if each.settled < each.version or (each.open and each.kind is Kind.STUCK)
        ]

    async def sweep(self) -> None:
        """What no job came for."""
        with self._office.database.read() as conn:
            due = hand_offs.due(conn, self._office.clock())
        for each in due:
            await self.settle_now(each)

    async def card_at(self, person: str, inbound: Inbound) -> Card | None:
        """What the message that was pressed shows now; None: it is no card of a hand-off, or not theirs."""
        with self._office.database.read() as conn:
            found = deliveries.at(conn, inbound.platform, inbound.conversation, inbound.message_id)
            hand_off = hand_offs.of(conn, found[0]) if found else None
            if found is None or hand_off is None:
                return None
            handles, matter = Handles.of(conn, hand_off.id), self._matter(conn, hand_off)
        for copy in hand_off_cards.copies(matter, self.book.channels(), handles):
            if copy.key == found[1] and (copy.recipient == person or copy.recipient.startswith(HELP_DESK)):
                return None if handles.minted else copy.card
        return None

    def form(self, hand_off: HandOff) -> Card:
        """The helpers' card, for an answer that is still missing."""
        with self._office.database.read() as conn:
            return hand_off_cards.for_helpers(self._matter(conn, hand_off), Handles.of(conn, hand_off.id))

    async def reply_form(self, hand_off: HandOff) -> Card:
        """The place for what the person has to say."""
        with self._office.database.read() as conn:
            handles = Handles.of(conn, hand_off.id)
        hand_off_cards.reply_form(hand_off, handles)
        return hand_off_cards.reply_form(hand_off, await kept(self._office.database, hand_off.id, handles))

    async def _resolved(self, handed: str) -> None:
        """What was stuck and is not any more needs nobody."""

        def work(conn: Connection) -> None:
            hand_off = hand_offs.of(conn, handed)
            if hand_off is None or hand_off.ended or hand_off.kind is not Kind.STUCK:
                return
            request = ledger.load(conn, hand_off.ref)
            if request is None or request.version <= int(handed.rpartition(":")[2]):
                return
            found = find(conn, Filter(request=hand_off.ref, kind="request.resolved"), limit=1)
            happened = bool(found and found[-1].event.data.get("happened"))
            note = f"An admin looked: it was {'' if happened else 'not '}done."
            self.book.end(conn, hand_off, "resolved", note)

        hand_off = self._load(handed)
        if hand_off and hand_off.open and hand_off.kind is Kind.STUCK:
            await self._office.database.write(work)

    async def _show(self, handed: str) -> int:
        """The version that everybody sees now."""
        with self._office.database.read() as conn:
            hand_off = hand_offs.of(conn, handed)
            assert hand_off, "it is never deleted"
            matter, handles = self._matter(conn, hand_off), Handles.of(conn, handed)
            sent = deliveries.of(conn, handed)

        def copies(handles: Handles) -> list[Copy]:
            return list(hand_off_cards.copies(matter, self.book.channels(), handles))

        await self._announcer.show(handed, copies, handles, sent, lambda _: None)
        return hand_off.version

    async def _open_ticket(self, handed: str) -> None:
        """Once, whatever dies in between: that it was begun is committed before it is."""
        hand_off = self._load(handed)
        if self._threads is None or hand_off is None or hand_off.place or hand_off.ended:
            return
        op, threads = f"{handed}:ticket", self._threads
        try:
            if hand_off.tried_at and await threads.was_put(
                hand_off.person, ref=hand_off.ref, op=op, hand_off=handed, since=hand_off.tried_at
            ):
                return
            new = await self._new_ticket(hand_off)
            if hand_off.tried_at is None:
                await self._change(handed, "hand_off.ticket_begun", tried_at=self._office.clock())
            await threads.put(new, ref=hand_off.ref, op=op, hand_off=handed)
        except UnknownPerson:  # nobody a ticket could be for: the channel has it
            await self._change(handed, "hand_off.no_ticket", "failed", place=NOWHERE)

    async def _new_ticket(self, hand_off: HandOff) -> NewTicket:
        """:raises UnknownPerson:, :raises SystemDown: the directory says who asks"""
        person = await self._office.ports.directory.person(hand_off.person)
        with self._office.database.read() as conn:
            told = briefing(conn, self._office, hand_off)
            who = context.who(conn, self._office, person)
        return NewTicket(person.id, plain(told.title, _TITLE_CHARS), as_text(told, who))

    async def _note(self, handed: str) -> None:
        """What was said elsewhere, onto the ticket, in its order."""
        with self._office.database.read() as conn:
            hand_off, said = hand_offs.of(conn, handed), hand_offs.said(conn, handed)
            told = briefing(conn, self._office, hand_off).name if hand_off else ""
            words = self._words(conn, said)
        if self._threads is None or hand_off is None or not hand_off.key:
            return
        for each in said:
            if each.noted:
                continue
            try:
                text = _on_ticket(each, words.get(each.number, ""), told)
                await self._threads.note(hand_off.key, text, op=f"{handed}:{each.number}")
                outcome = "ok"
            except UnknownTicket:
                outcome = "failed"
            await self._noted(hand_off, each, outcome)

    async def _noted(self, hand_off: HandOff, said: Said, outcome: str) -> None:
        event = Event(
            at=self._office.clock(),
            kind="hand_off.noted",
            request=hand_off.ref,
            actor=DESKHAND,
            service="engine",
            outcome=outcome,
            subject=hand_off.person,
            data={"hand_off": hand_off.id, "key": hand_off.key, "number": said.number},
        )

        def work(conn: Connection) -> None:
            if hand_offs.noted(conn, hand_off.id, said.number):
                append(conn, event)

        await self._office.database.write(work)

    async def _change(self, handed: str, kind: str, outcome: str = "ok", **changes: Any) -> None:
        def work(conn: Connection) -> None:
            if hand_off := hand_offs.of(conn, handed):
                self.book.move(conn, hand_off, kind, outcome=outcome, **changes)

        await self._office.database.write(work)

    async def _settled(self, handed: str, version: int) -> None:
        """Unless something was said while it was told: that has a job of its own."""

        def work(conn: Connection) -> None:
            hand_off, said = hand_offs.of(conn, handed), hand_offs.said(conn, handed)
            if self._threads is None or not (hand_off and hand_off.key) or all(s.noted for s in said):
                hand_offs.settled(conn, handed, version)

        await self._office.database.write(work)

    def _matter(self, conn: Connection, hand_off: HandOff) -> Matter:
        said = hand_offs.said(conn, hand_off.id)
        request = ledger.load(conn, hand_off.ref)
        return Matter(
            hand_off=hand_off,
            told=briefing(conn, self._office, hand_off),
            said=said,
            words=self._words(conn, said),
            outcome=request.outcome if request else "",
            tickets=self._threads.name if self._threads else "",
        )

    def _words(self, conn: Connection, said: list[Said]) -> dict[int, str]:
        return {each.number: context.words(conn, self._office, each.words, _WORDS_CHARS) for each in said}

    def _load(self, handed: str) -> HandOff | None:
        with self._office.database.read() as conn:
            return hand_offs.of(conn, handed)


def _on_ticket(said: Said, words: str, person: str) -> str:
    match said.side:
        case Side.HELPER:
            return f"{said.author} answered {person} in the help desk's channel:\n{words}"
        case Side.PERSON:
            return f"{said.author} answers:\n{words}"
    return said.note
