"""The people at the help desk: tickets opened for somebody, and what is said on them, both ways.

Nothing is pushed to us, so open tickets are looked at, the lively ones often. A comment is passed on once:
what was sent is recorded, and sent again under the same key where a crash came between.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.chat.card import Card
from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound
from bot.chat.platform import PlatformDown, Unreachable
from bot.procedures import context, ledger, ticket_cards
from bot.procedures.action import Draft
from bot.procedures.announce import kept
from bot.procedures.gate import Gate, recorded
from bot.procedures.hand_off_book import HandOffBook
from bot.procedures.hand_off_cards import ANSWER, ANSWER_CHARS
from bot.procedures.office import Office
from bot.store import hand_offs
from bot.store.hand_offs import Kind
from bot.store.handles import Choice, Handles, Meaning
from bot.store.threads import Thread, Threads
from integrations.contract import ConnectorError, OutcomeUnknown, Person
from integrations.work import TICKET_KEY, Comment, NewTicket, Ticket, Tickets, UnknownTicket

log = structlog.get_logger()

Also = Callable[[Connection, Ticket], None]

OPEN_TICKET = "open_ticket"  # the action: who may open a ticket may say something on it

_SHOWN = 5  # tickets of one person
_AT_ONCE = 50  # tickets looked at in one round
_COMMENTS_AT_ONCE = 10  # of one ticket
_GONE = "no longer there"  # a status of ours
_GONE_FOR = timedelta(days=1)  # until that is believed: a right may be missing for an hour
_TYPED = re.compile(rf"({TICKET_KEY})\s*[:,-]?\s+(.+)", re.DOTALL)


class HelpDeskThreads:
    """Fills ``action.HelpDesk``."""

    def __init__(self, office: Office, gate: Gate, tickets: Tickets) -> None:
        self._office = office
        self._gate = gate
        self._tickets = tickets
        self._book = HandOffBook(office)
        self._threads = Threads(tickets.place)
        self.name = tickets.name
        self.place = tickets.place

    async def open(self, person: Person, draft: Draft, *, ref: str, op: str) -> str:
        with self._office.database.read() as conn:
            body = self._body(conn, person, draft, ref)
            said = context.words(conn, self._office, draft.words)
        title = plain(draft.title or " ".join(said.split()), 100)
        ticket = await self._tickets.open(NewTicket(person.id, title, body, draft.kind), op=op)
        await self._follow(person.id, ref, op, ticket, self._into_channel(draft, person.id, ref))
        return ticket.key

    async def opened(self, person: Person, draft: Draft, *, ref: str, op: str, since: datetime) -> str | None:
        into_channel = self._into_channel(draft, person.id, ref)
        return await self._found(person.id, ref, op, since, into_channel)

    def _into_channel(self, draft: Draft, person: str, ref: str) -> Also:
        """Whoever wants a person is handed over in the help desk's channel too."""

        def work(conn: Connection, ticket: Ticket) -> None:
            if draft.context:
                self._book.begin(conn, Kind.PERSON, ref, person, key=ticket.key)

        return work

    async def put(self, new: NewTicket, *, ref: str, op: str, hand_off: str) -> None:
        """Open the ticket of a hand-off. :raises UnknownPerson:, :raises OutcomeUnknown:"""
        ticket = await self._tickets.open(new, op=op)
        await self._follow(new.person_id, ref, op, ticket, self._of_hand_off(hand_off))

    async def was_put(self, person: str, *, ref: str, op: str, hand_off: str, since: datetime) -> bool:
        """Whether that was done, begun at ``since``. :raises SystemDown: it cannot be told yet"""
        return await self._found(person, ref, op, since, self._of_hand_off(hand_off)) is not None

    def _of_hand_off(self, hand_off: str) -> Also:
        return lambda conn, ticket: self._book.ticketed(conn, hand_off, self._tickets.place, ticket.key)

    async def _found(self, person: str, ref: str, op: str, since: datetime, also: Also) -> str | None:
        if key := await self.known(op):
            return key
        ticket = await self._tickets.opened(op, since)
        if ticket is None:
            return None
        await self._follow(person, ref, op, ticket, also)
        return ticket.key

    async def note(self, key: str, text: str, *, op: str) -> None:
        """What was said elsewhere, written on the ticket once for every ``op``. :raises UnknownTicket:"""
        await self._comment(key, text, op)

    async def known(self, op: str) -> str:
        with self._office.database.read() as conn:
            thread = self._threads.of_op(conn, op)
        return thread.key if thread else ""

    async def of(self, person_id: str) -> list[Ticket]:
        with self._office.database.read() as conn:
            mine = self._threads.of_person(conn, person_id, _SHOWN)
        return [await self._now(each.key) for each in mine]

    async def _now(self, key: str) -> Ticket:
        try:
            return await self._tickets.ticket(key)
        except UnknownTicket:
            return Ticket(key, title="", status=_GONE, open=False)

    async def look(self) -> None:
        """One round over the open tickets that are due. What goes wrong with one stops no other."""
        with self._office.database.read() as conn:
            due = self._threads.due(conn, self._office.clock(), _AT_ONCE)
        for thread in due:
            try:
                await self._look_at(thread)
            except (ConnectorError, PlatformDown, Unreachable) as error:
                log.warning("ticket.put_off", key=thread.key, reason=f"{type(error).__name__}: {error}")
                await self._later(thread, thread.status)
            except Exception:  # a fault of ours, or an answer that nobody thought of: the others go on
                log.exception("ticket.failed", key=thread.key)
                await self._later(thread, thread.status)

    def mine(self, person: Person, text: str) -> tuple[str, str] | None:
        """A message that begins with the key of a ticket of theirs: the key, and the rest of it."""
        found = _TYPED.fullmatch(text.strip())
        if found is None:
            return None
        with self._office.database.read() as conn:
            thread = self._threads.of(conn, found[1])
        return (found[1], found[2]) if thread and thread.person == person.id else None

    def open_key(self, person: Person) -> str | None:
        """The key of the ticket of theirs on which something was said last, while it is open."""
        with self._office.database.read() as conn:
            mine = [each for each in self._threads.of_person(conn, person.id, _SHOWN) if each.open]
        return max(mine, key=lambda each: each.moved_at).key if mine else None

    async def reply(self, person: Person, key: str, said: str, inbound: Inbound) -> Ack:
        """What the person says to the helper, written on their ticket once, whatever is retried."""
        with self._office.database.read() as conn:
            thread = self._threads.of(conn, key)
        if thread is None or thread.person != person.id:
            return Ack(notice="That is no ticket of yours.")
        said = plain(said, ANSWER_CHARS).strip()
        if not said:
            form = ticket_cards.form(key, await self._reply_handle(thread))
            return Ack(errors={ANSWER: "Write your answer first."}, form=form)
        decision = await self._gate.request(await self._gate.ask(OPEN_TICKET, person.id, person.id))
        data = {"key": key, "inbound": inbound.id, "decision": recorded(decision)}
        if not decision.allowed:
            await self._record(thread, "ticket.refused", data, by=person.id, outcome="refused")
            return Ack(notice=" ".join(decision.why))
        words = await self._record(thread, "ticket.answered", data, by=person.id, said=said)
        try:
            await self._comment(key, f"{plain(person.name, 80)} answers:\n{said}", inbound.key)
        except UnknownTicket:
            return Ack(notice=f"{key} is not there any more. Open a new ticket, or ask for a person.")
        except OutcomeUnknown:
            return Ack(notice=f"I could not find out whether this reached {key}. Please look there.")
        except ConnectorError:
            await self._record(thread, "ticket.not_answered", {"key": key}, by=person.id, outcome="failed")
            raise
        await self._into_the_channel(thread, person, words, inbound)
        closed = "" if thread.open else " It is closed: where nobody answers, open a new ticket."
        return Ack(notice=f"Passed on to {key}.{closed}")

    async def _into_the_channel(
        self, thread: Thread, person: Person, words: int | None, inbound: Inbound
    ) -> None:
        """Where the ticket stands in the help desk's channel too, they read it there."""

        def work(conn: Connection) -> None:
            handed = hand_offs.of_key(conn, self._tickets.place, thread.key)
            if handed and words is not None:
                name = plain(person.name, 80)
                self._book.heard(conn, handed, name, words, inbound.key, by=person.id)

        await self._office.database.write(work)

    async def _comment(self, key: str, text: str, op: str) -> None:
        try:
            await self._tickets.comment(key, text, op=op)
        except OutcomeUnknown:
            await self._tickets.comment(key, text, op=op)  # once for every op, so asking again is no harm

    def _body(self, conn: Connection, person: Person, draft: Draft, ref: str) -> str:
        office = self._office
        parts = [context.who(conn, office, person), f"Request {ref}"]
        if draft.words is not None:
            wrote = context.words(conn, office, draft.words, context.MATTER_CHARS)
            parts.append(f'They wrote:\n"{wrote}"')
        parts += filter(None, [_approvals(conn, ref)])
        if draft.context:
            said = list(context.said_lately(conn, office, person.id))
            under_way = list(context.requests_now(conn, office, person.id, but=ref))
            parts += ["Said here lately:\n" + "\n".join(said)] if said else []
            parts += ["Requests under way:\n" + "\n".join(under_way)] if under_way else []
        return "\n\n".join(parts)

    async def _follow(self, person: str, ref: str, op: str, ticket: Ticket, also: Also) -> None:
        """:param also: what is committed with it"""
        now = self._office.clock()
        event = Event(
            at=now,
            kind="ticket.opened",
            request=ref,
            actor=DESKHAND,
            service="engine",
            subject=person,
            data={"key": ticket.key, "system": self.name},
        )

        def work(conn: Connection) -> None:
            look_at = now + self._office.settings.tickets_poll
            begun = self._threads.begin(
                conn, ticket.key, person, ref=ref, op=op, status=ticket.status, at=now, look_at=look_at
            )
            if begun:
                append(conn, event)
                also(conn, ticket)

        await self._office.database.write(work)

    async def _look_at(self, thread: Thread) -> None:
        try:
            ticket = await self._tickets.ticket(thread.key)
            said = await self._tickets.comments(thread.key)
        except UnknownTicket:
            await self._gone(thread)
            return
        new = [each for each in said if not each.ours and each.id not in thread.told]
        for comment in new[:_COMMENTS_AT_ONCE]:
            await self._pass_on(thread, ticket, comment)
            thread = await self._note_told(thread, comment)
        if len(new) > _COMMENTS_AT_ONCE:
            return  # the rest in the next round
        if ticket.open:
            await self._later(thread, ticket.status)
        else:
            await self._close(thread, ticket_cards.closed(ticket), ticket.status)

    async def _gone(self, thread: Thread) -> None:
        """Deleted, moved, or hidden from us for a moment: believed when it is still so a day later."""
        if thread.status != _GONE:
            look_at = self._office.clock() + _GONE_FOR
            await self._office.database.write(lambda conn: self._threads.later(conn, thread, _GONE, look_at))
            return
        await self._close(thread, ticket_cards.gone(thread.key), _GONE)

    async def _close(self, thread: Thread, card: Card, status: str) -> None:
        key = f"ticket:{thread.key}:closed:{len(thread.told)}"  # once, until a helper says something again
        await self._office.people.deliver(thread.person, card, key=key)
        event = self._event(thread, "ticket.closed", {"key": thread.key, "status": status})

        def work(conn: Connection) -> None:
            if self._threads.close(conn, thread, status):
                append(conn, event)
                handed = hand_offs.of_key(conn, self._tickets.place, thread.key)
                if handed and handed.open:
                    self._book.end(conn, handed, "ticket")

        await self._office.database.write(work)

    async def _later(self, thread: Thread, status: str) -> None:
        now = self._office.clock()
        look_at = now + _pace(now - thread.moved_at, self._office.settings.tickets_poll)
        await self._office.database.write(lambda conn: self._threads.later(conn, thread, status, look_at))

    async def _note_told(self, thread: Thread, comment: Comment) -> Thread:
        now = self._office.clock()
        after = replace(thread, told=(*thread.told, comment.id), moved_at=now)
        event = self._event(thread, "ticket.passed_on", {"key": thread.key, "comment": comment.id})
        author = plain(comment.author, 80) or "Somebody"

        def work(conn: Connection) -> None:
            self._threads.told(conn, thread.key, after.told, now)
            append(conn, event)
            if handed := hand_offs.of_key(conn, self._tickets.place, thread.key):
                self._book.noticed(conn, handed, f"{author} answered in {thread.key}.")

        await self._office.database.write(work)
        return after

    async def _record(
        self,
        thread: Thread,
        kind: str,
        data: dict[str, Any],
        *,
        by: str,
        said: str = "",
        outcome: str = "ok",
    ) -> int | None:
        """The id of what was said."""
        event = self._event(thread, kind, data, by=by, outcome=outcome)

        def work(conn: Connection) -> int | None:
            words = None
            if said:
                self._threads.answered(conn, thread.key, event.at)
                words = self._office.words.record(conn, by, said)
            append(conn, event, words=words)
            return words.id if words else None

        return await self._office.database.write(work)

    def _event(
        self, thread: Thread, kind: str, data: dict[str, Any], *, by: str = DESKHAND, outcome: str = "ok"
    ) -> Event:
        return Event(
            at=self._office.clock(),
            kind=kind,
            request=thread.ref,
            actor=by,
            service="engine",
            outcome=outcome,
            subject=thread.person,
            data=data,
        )

    async def _pass_on(self, thread: Thread, ticket: Ticket, comment: Comment) -> None:
        card = ticket_cards.answered(ticket, comment, await self._reply_handle(thread))
        await self._office.people.deliver(thread.person, card, key=f"ticket:{thread.key}:{comment.id}")

    async def _reply_handle(self, thread: Thread) -> str:
        owner = f"ticket:{thread.key}"
        meaning = Meaning(owner, Choice.REPLY, thread.person, detail={"key": thread.key})
        with self._office.database.read() as conn:
            handles = Handles.of(conn, owner)
        handles.mint(meaning)
        return (await kept(self._office.database, owner, handles)).mint(meaning)


def _approvals(conn: Connection, ref: str) -> str:
    """Who said yes to what, for whoever spends the money."""
    request = ledger.load(conn, ref)
    return "\n".join(
        f"Approved by {request.name(each.person)}, as {each.stage}"
        for each in ledger.approvals(conn, ref)
        if request and each.verdict == "approved"
    )


def _pace(quiet: timedelta, often: timedelta) -> timedelta:
    """How long until it is looked at again: a ticket on which nothing happens can wait."""
    if quiet < timedelta(hours=1):
        return often
    return often * (4 if quiet < timedelta(days=1) else 40)
