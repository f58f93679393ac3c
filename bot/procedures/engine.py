"""How a request runs, top to bottom: open, fill, confirm, approve, execute, end.

Each method is one thing that can happen to a request. It looks at the committed state, asks the
gate, and makes one unit of work: the move, its audit event and the jobs it needs, in a single
transaction. Then ``settle`` does what the new state calls for and makes every chat show it.
``settle`` is also what every job of a request runs, so the safety net and the clock need no code
of their own: whichever comes second finds nothing left to do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Connection

from bot.audit.query import Filter, find
from bot.audit.trail import DESKHAND, Event, append
from bot.chat.card import Card
from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound
from bot.chat.platform import Section
from bot.durable import TryLater
from bot.procedures import cards, context, ledger
from bot.procedures.action import Impossible, Part, Procedure, SlotKind, World
from bot.procedures.announce import Announcer
from bot.procedures.approval import Approvers
from bot.procedures.asking import Asking
from bot.procedures.cards import pick_mark
from bot.procedures.channel_desk import ChannelDesk
from bot.procedures.correcting import AS_IT_WAS, Change, Correcting, Said
from bot.procedures.deciding import Deciding, pressed
from bot.procedures.doing import Doing
from bot.procedures.gate import Gate
from bot.procedures.guess import Guess
from bot.procedures.hand_offs import HandOffs
from bot.procedures.help_desk import HelpDeskThreads
from bot.procedures.helping import Helping
from bot.procedures.ledger import Note
from bot.procedures.office import Office
from bot.procedures.overview import Overview
from bot.procedures.own import OwnRequests
from bot.procedures.request import CANCELLABLE, IllegalMove, Request, Stale, State
from bot.procedures.slots import HOW_TO_WRITE
from bot.procedures.stories import Stories
from bot.procedures.timers import SETTLE, Timers
from bot.store import frozen, quarantine, sealed
from bot.store.database import StorageDown
from bot.store.handles import Choice, Handles, Meaning
from integrations.contract import ConnectorError, Person, SystemDown

log = structlog.get_logger()

_UNDER_WAY = timedelta(seconds=15)  # whoever moved a request lately is still at it
_LATE = timedelta(minutes=5)  # until the admins hear that something does not go on
_WORKING = frozenset({State.APPROVING, State.EXECUTING, State.ACTIVE, State.REVOKING})


class Engine:
    """The life of requests. One a process."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.gate = Gate(office)
        self._timers = Timers(office.jobs)
        approvers = Approvers(office, self.gate)
        self._asking = Asking(office, self.gate, approvers, self._timers)
        self._correcting = Correcting(office, self._asking, self._timers)
        self._deciding = Deciding(office, self.gate, approvers, self._timers)
        self._doing = Doing(office, self.gate, self._timers, self.world)
        self._announcer = Announcer(office)
        self._stories = Stories(office)
        self._overview = Overview(office)
        self._own = OwnRequests(office, self.end_grant, self.begin_part)
        tickets = office.ports.tickets
        self.help_desk = HelpDeskThreads(office, self.gate, tickets) if tickets else None
        self.hand_offs = HandOffs(office, self._announcer, self.help_desk)
        self.helping = Helping(office, self.gate, self.hand_offs, self.help_desk)
        self._channel_desk = ChannelDesk(office)
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        office.jobs.register(SETTLE, self.settle)

    def world(self) -> World:
        ports = self._office.ports
        return World(
            directory=ports.directory,
            groups=ports.groups,
            linked=ports.linked,
            accounts=ports.accounts,
            time_off=ports.time_off,
            passes=ports.passes,
            equipment=ports.equipment,
            expenses=ports.expenses,
            help_desk=self.help_desk or (self._channel_desk if self.hand_offs.book.channels() else None),
            calendars=self._office.calendars,
            catalogue=self._office.catalogue,
            requests=self._own,
            now=self._office.clock(),
        )

    # What a person can do

    async def open(
        self,
        sender: Person,
        action: Procedure,
        guesses: Mapping[str, Guess],
        inbound: Inbound,
        *,
        words: str,
        understood: str,
    ) -> str:
        """Start a request. Returns its reference. :raises Impossible: with a sentence for the person"""
        ref = await self._asking.open(
            sender, action, guesses, self.world(), inbound, words=words, understood=understood
        )
        await self.settle_now(ref)
        return ref

    async def fill(self, ref: str, sender: Person, guesses: Mapping[str, Guess], inbound: Inbound) -> None:
        """Answer the question that was put. Nothing happens where it was answered meanwhile."""
        request = self._load(ref)
        if request.state is State.COLLECTING and request.requester == sender.id:
            with contextlib.suppress(Stale):  # two answers at once: the first counts, and is shown
                await self._asking.fill(request, guesses, sender, self.world(), inbound)
            await self.settle_now(ref)

    async def correct(
        self, ref: str, sender: Person, guesses: Mapping[str, Guess], said: Said
    ) -> tuple[Change, Request]:
        """What the requester says instead. Whatever was said to the request before is void then."""

        async def change(request: Request) -> Change:
            return await self._correcting.correct(request, guesses, sender, self.world(), said)

        return await self._change(ref, sender, change)

    async def stop(self, ref: str, sender: Person, said: Said) -> tuple[Change, Request]:
        """They want it otherwise and nobody can tell how: as it was, and unconfirmed."""

        async def change(request: Request) -> Change:
            return await self._correcting.put_back(request, AS_IT_WAS, said)

        return await self._change(ref, sender, change)

    async def ask_again(self, ref: str, sender: Person, slot: str, said: Said) -> tuple[Change, Request]:
        """One slot is put to the requester again, and everything said to the request before is void."""

        async def change(request: Request) -> Change:
            return await self._correcting.reopen(request, slot, sender, self.world(), said)

        return await self._change(ref, sender, change)

    async def withdraw(self, ref: str, sender: Person, outcome: str, said: Said) -> tuple[Change, Request]:
        """It was meant for somebody else, which no words can make of it: it ends."""

        async def change(request: Request) -> Change:
            await self._correcting.withdraw(request, outcome, said)
            return Change.MADE

        return await self._change(ref, sender, change)

    async def _change(
        self, ref: str, sender: Person, change: Callable[[Request], Awaitable[Change]]
    ) -> tuple[Change, Request]:
        """What became of it, and the request as it was found: exactly one of a change and whatever else
        moves the request counts, and whoever comes second is told."""
        for _ in range(5):
            request = await self._on_time(ref)
            if request.state not in CANCELLABLE or request.requester != sender.id:
                break
            with contextlib.suppress(Stale):
                made = await change(request)
                await self.settle_now(ref)
                return made, request
        return Change.LATE, request

    async def meant(self, request: Request, sender: Person, guesses: Mapping[str, Guess]) -> bool:
        """Whether the words have something for a slot of this request that is filled already."""
        with contextlib.suppress(Impossible, ConnectorError):
            return bool(await self._correcting.meant(request, guesses, sender, self.world()))
        return True  # nobody can tell, or it cannot be: which is said where it is tried

    async def press(
        self,
        person: Person,
        meaning: Meaning,
        inbound: Inbound,
        written: Guess | None = None,
        *,
        proved: bool = False,
    ) -> Ack:
        """A button of a request: judged by who pressed it, on what it showed.

        :param written: what was understood of an answer in the person's own words
        :param proved: they proved who they are, just now and for this very press
        """
        for _ in range(3):  # a lost race: look again, and say what is true now
            request = await self._on_time(meaning.owner)
            try:
                ack = await self._pressed(request, person, meaning, inbound, written, proved)
            except Stale:
                continue
            await self.settle_now(meaning.owner)
            return ack.model_copy(update={"form": self._form(request, meaning)}) if ack.errors else ack
        return Ack(notice="Several people pressed at once. Please look at the card again.")

    async def _on_time(self, ref: str) -> Request:
        """The request as it is now: what is over by the clock is over, whether or not a job came."""
        request = self._load(ref)
        if request.wake_at and request.wake_at <= self._office.clock():
            await self.settle_now(ref)
            request = self._load(ref)
        return request

    def _form(self, request: Request, meaning: Meaning) -> Card:
        """The card whose inputs the press did not fill in."""
        with self._office.database.read() as conn:
            story = self._stories.of(conn, request)
            handles = Handles.of(conn, request.ref)
        if meaning.choice is Choice.PICK:
            return cards.question(story, handles, written=bool(meaning.detail.get("written")))
        return cards.approval(story, str(meaning.detail.get("stage", "")), None, handles)

    async def _pressed(
        self,
        request: Request,
        person: Person,
        meaning: Meaning,
        inbound: Inbound,
        written: Guess | None,
        proved: bool,
    ) -> Ack:
        service = inbound.platform
        if meaning.audience and meaning.audience != person.id:
            return await self._deciding.refuse(request, person, service, "This card is not yours to answer.")
        match meaning.choice:
            case Choice.APPROVE | Choice.DENY:
                press = pressed(request, meaning, inbound, proved=proved)
                return await self._deciding.decide(request, person, press)
            case Choice.CONFIRM if request.state is State.CONFIRMING:
                return await self._asking.confirm(request, person, meaning.digest, self.world(), service)
            case Choice.CANCEL if request.state in CANCELLABLE:
                return await self._cancel(request, person, service)
            case Choice.PICK if request.state is State.COLLECTING and meaning.digest == pick_mark(request):
                return await self._pick(request, person, meaning, inbound, written)
            case Choice.NOT_ME:
                return await self._not_me(request, person, service)
            case Choice.EXCEPTION:
                return await self.helping.ask_exception(request, person, inbound)
        return await self._deciding.refuse(request, person, service, _late(request))

    async def _pick(
        self, request: Request, person: Person, meaning: Meaning, inbound: Inbound, written: Guess | None
    ) -> Ack:
        assert request.pick, "a question is open"
        guess: Guess
        if meaning.detail.get("written"):
            if written is None or not (written.value or written.text):
                said = written.problem if written else ""
                return Ack(errors={cards.WRITTEN: said or self._how_to_write(request)})
            guess = written
        else:
            chosen = str(meaning.detail.get("option", inbound.fields.get("option", "")))
            if not chosen.isascii() or not chosen.isdigit() or int(chosen) >= len(request.pick.options):
                return Ack(errors={"option": "Choose one of these."})
            guess = Picked(request.pick.options[int(chosen)][0])
        await self._asking.fill(request, {request.pick.slot: guess}, person, self.world(), inbound)
        return Ack()

    def _how_to_write(self, request: Request) -> str:
        slots = {slot.name: slot.kind for slot in self._office.registry[request.action].slots}
        asked = slots.get(request.pick.slot) if request.pick else None
        return HOW_TO_WRITE.get(asked or SlotKind.SPAN, "Choose one of these.")

    async def _cancel(self, request: Request, person: Person, service: str) -> Ack:
        note = Note("request.cancelled", person.id, service)
        now = self._office.clock()
        await self._office.database.write(
            lambda conn: ledger.move(conn, request, State.CANCELLED, note, now, outcome="You cancelled this.")
        )
        return Ack()

    async def _not_me(self, request: Request, person: Person, service: str) -> Ack:
        """ "This wasn't me": stop everything in this name, destroy what is not shown yet, call the admins."""
        if not await self._concerned(request, person):
            return await self._deciding.refuse(request, person, service, "This is no longer yours to say.")
        subject = request.name(request.subject)
        alarm = f"{request.name(person.id)} says that the reset for {subject} was not theirs."
        note = Note("person.frozen", person.id, service, data={"person": request.subject})
        now = self._office.clock()

        def work(conn: Connection) -> None:
            frozen.freeze(conn, request.subject, person.id, now)
            sealed.destroy(conn, request.ref)
            ledger.move(
                conn,
                request,
                request.state,
                note,
                now,
                alarm=alarm,
                outcome="Stopped: it was reported.",
                unseal_until=None,
            )

        await self._office.database.write(work)
        return Ack(notice="Thank you. Everything in this name is stopped, and the admins know.")

    async def _concerned(self, request: Request, person: Person) -> bool:
        """The subject, or whoever is their manager today."""
        managers = await self._office.ports.directory.managers(request.subject)
        return person.id == request.subject or person.id in [each.id for each in managers[:1]]

    async def show_again(self, person: Person, inbound: Inbound) -> bool:
        """After a crash: show what became of this inbound. False: no request was moved by it."""
        with self._office.database.read() as conn:
            mine = ledger.of(conn, person.id, State)
        moved = [request.ref for request in mine if request.inbound == inbound.key]
        for ref in moved:
            await self.settle_now(ref)
        return bool(moved)

    async def begun(self, person: Person, action: str, words: str) -> str:
        """The reference of a request for this action in these words that waits for the person; its card is
        shown as it is. Empty: there is none."""
        with self._office.database.read() as conn:
            waiting = ledger.of(conn, person.id, [State.COLLECTING, State.CONFIRMING])
            said = plain(words, context.MATTER_CHARS)
            same = [
                each.ref
                for each in waiting
                if each.action == action
                and context.words(conn, self._office, each.words, context.MATTER_CHARS) == said
            ]
        for ref in same[-1:]:
            await self.settle_now(ref)
        return same[-1] if same else ""

    async def overview(self, person: Person) -> list[Section]:
        """What waits for this person's decision, their open requests, their access and when it ends."""
        return await self._overview.of(person.id)

    async def card_at(self, person: Person, inbound: Inbound) -> Card | None:
        """What the message that was pressed shows now. None: it is no card of a request, or not theirs."""
        of_request = await self._announcer.card_at(person.id, inbound)
        return of_request or await self.hand_offs.card_at(person.id, inbound)

    # What follows by itself

    async def settle(self, ref: str) -> None:
        """Do all that state and time call for, then make every chat show it. May run at any time.

        :raises TryLater: a system or a platform has to answer first
        """
        async with self._locks.setdefault(ref, asyncio.Lock()):
            try:
                while (request := self.find(ref)) and await self._step(request):
                    pass
            except Stale:
                raise TryLater(f"{ref} was moved meanwhile") from None
            except (ConnectorError, StorageDown) as error:
                raise TryLater(f"{type(error).__name__}: {error}") from error
            finally:
                await self._publish(ref)

    async def _publish(self, ref: str) -> None:
        try:
            self._hand_over(ref)
            await self._announcer.publish(ref)
        except (ConnectorError, StorageDown) as error:
            raise TryLater(f"{type(error).__name__}: {error}") from error

    def _hand_over(self, ref: str) -> None:
        """Beside it: people are told of what needs them, or no longer does."""
        for each in self.hand_offs.waiting(ref):
            self._beside(self.hand_offs.settle_now(each))

    async def _step(self, request: Request) -> bool:
        """One request of a kind about a person does something at a time: each looks at what others left."""
        async with self._locks.setdefault(f"{request.subject} {request.resource or ''}", asyncio.Lock()):
            return await self._doing.step(request)

    async def settle_now(self, ref: str) -> None:
        """The same right after a move; where a system is down, the committed job does it later."""
        try:
            await self.settle(ref)
        except TryLater as reason:
            log.warning("settle.put_off", ref=ref, reason=str(reason))
        except Exception:  # the move is committed: whoever made it is not to hear that it was not
            log.exception("settle.failed", ref=ref)

    def settle_soon(self, ref: str) -> None:
        """The same beside what the caller does next."""
        self._beside(self.settle_now(ref))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Let what goes on beside end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end_grant(self, ref: str, actor: str, service: str) -> None:
        """Take a running grant back now. Nothing happens where it ended before."""
        request = self._load(ref)
        if request.state is State.ACTIVE:
            note = Note("request.given_back", actor, service)
            now = self._office.clock()

            def work(conn: Connection) -> None:
                self._timers.follow(conn, ledger.move(conn, request, State.REVOKING, note, now))

            await self._office.database.write(work)
        await self.settle(ref)

    async def begin_part(self, ref: str, part: Part, whole: str) -> None:
        """Open ``ref`` as a part of another request, which its requester confirmed with everything in it.

        :raises TryLater: a system has to answer first
        """
        try:
            await self._asking.open_part(ref, part, self._load(whole), self.world())
        except (SystemDown, StorageDown) as error:
            raise TryLater(f"{ref}: {type(error).__name__}: {error}") from error
        self.settle_soon(ref)  # not now: whoever calls us holds the turn of this person

    async def sweep(self) -> None:
        """All that time calls for and no job came for: after a restored backup, a fault, a chat that
        was down. What stays undone for long is told to the admins."""
        now = self._office.clock()
        with self._office.database.read() as conn:
            due = ledger.due(conn, now, now - _UNDER_WAY)
        for ref in due:
            await self.settle_now(ref)
            await self._overdue(ref)
        await self.hand_offs.sweep()

    async def _overdue(self, ref: str) -> None:
        request = self._load(ref)
        late = (
            request.state in _WORKING and request.wake_at and self._office.clock() - request.wake_at > _LATE
        )
        if not late or request.alarm:
            return
        alarm = "It should have gone on minutes ago, and cannot. The log says why."
        note = Note("request.overdue", DESKHAND, "engine", "failed")
        now = self._office.clock()

        def work(conn: Connection) -> None:
            ledger.move(conn, request, request.state, note, now, alarm=alarm)

        with contextlib.suppress(Stale):
            await self._office.database.write(work)
        await self.settle_now(ref)

    # What an admin can do

    async def freeze(self, person: str, by: str, service: str, *, on: bool) -> bool:
        """Stop, or let again, everything in this person's name. False: it was so already."""
        now = self._office.clock()
        kind = "person.frozen" if on else "person.unfrozen"

        def work(conn: Connection) -> bool:
            changed = frozen.freeze(conn, person, by, now) if on else frozen.unfreeze(conn, person)
            if changed:
                append(conn, Event(at=now, kind=kind, actor=by, service=service, subject=person))
            return changed

        return await self._office.database.write(work)

    async def release(self, person: str, by: str, service: str) -> bool:
        """From quarantine. False: they were not in it."""
        event = Event(
            at=self._office.clock(), kind="quarantine.released", actor=by, service=service, subject=person
        )

        def work(conn: Connection) -> bool:
            released = quarantine.release(conn, person)
            if released:
                append(conn, event)
            return released

        return await self._office.database.write(work)

    async def resolve(self, ref: str, by: str, service: str, *, happened: bool) -> Request:
        """End a stuck request by what a person found. :raises IllegalMove: it is not stuck"""
        request = self._load(ref)
        if request.state is not State.STUCK:
            raise IllegalMove(f"{ref} is {request.state}")
        note = Note("request.resolved", by, service, data={"happened": happened})
        return await self._doing.resolve(request, note, happened=happened)

    def recent(self, person: str, since: timedelta) -> list[tuple[Request, datetime]]:
        """This person's requests that are pending, and those that moved lately, each with when they did
        something about it themselves; the last of these comes first."""
        now = self._office.clock()
        with self._office.database.read() as conn:
            mine = [
                (each, _touched(conn, each))
                for each in ledger.of(conn, person, State)
                if each.state in CANCELLABLE or now - each.moved_at <= since
            ]
        return sorted(mine, key=lambda found: found[1], reverse=True)

    def waiting_question(self, person: str) -> Request | None:
        """The request whose question this person was asked last, if one is open."""
        with self._office.database.read() as conn:
            asked = ledger.of(conn, person, [State.COLLECTING])
        return asked[-1] if asked else None

    def find(self, ref: str) -> Request | None:
        with self._office.database.read() as conn:
            return ledger.load(conn, ref)

    def _load(self, ref: str) -> Request:
        request = self.find(ref)
        if request is None:
            raise KeyError(ref)
        return request


class Picked:
    """A guess that is none: the person chose it from a list we made."""

    candidates: tuple[tuple[object, str], ...] = ()
    text = ""
    problem = ""

    def __init__(self, value: object) -> None:
        self.value = value


def _touched(conn: Connection, request: Request) -> datetime:
    """When its requester did something about it last; what others and the clock do is none of theirs."""
    events = find(conn, Filter(request=request.ref, person=request.requester), limit=None)
    own = [entry.event.at for entry in events if entry.event.actor == request.requester]
    return max(own, default=request.created_at)


def _late(request: Request) -> str:
    return f"This card is out of date: the request is {request.state.value} by now."
