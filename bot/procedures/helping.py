"""What helpers and people do with a hand-off: ask for an exception, take it, answer, answer back, finish it.

Only whom the rules let help may press on its card, judged on the facts of that moment. Every other press is
answered politely and kept.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection

from bot.audit.trail import Event, append
from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound
from bot.procedures.cards import WHY
from bot.procedures.gate import Gate, recorded
from bot.procedures.hand_off_cards import ANSWER, ANSWER_CHARS
from bot.procedures.hand_offs import HandOffs
from bot.procedures.help_desk import OPEN_TICKET, HelpDeskThreads
from bot.procedures.office import Office
from bot.procedures.refusals import refusal
from bot.procedures.request import Request
from bot.store import hand_offs
from bot.store.hand_offs import HandOff, Kind, Side
from bot.store.handles import Choice, Meaning
from integrations.contract import Person

HELP = "help"  # what the rules call it: to answer for the help desk
PRESSES = frozenset({Choice.HELP_ANSWER, Choice.HELP_TAKE, Choice.HELP_DONE})

_MINE = 5  # hand-offs of one person
_TYPED = re.compile(r"(R-[0-9A-Z]{6})\s*[:,-]\s*(\S.*)", re.DOTALL)
_NO_HELPER = "Only people at the help desk can do this."


class Helping:
    def __init__(self, office: Office, gate: Gate, desk: HandOffs, threads: HelpDeskThreads | None) -> None:
        self._office = office
        self._gate = gate
        self._desk = desk
        self._threads = threads

    @property
    def reaches(self) -> bool:
        """Whether there are people to hand anything over to."""
        return self._desk.book.reaches

    # What the person does

    async def ask_exception(self, request: Request, person: Person, inbound: Inbound) -> Ack:
        """Put a refusal to people. It is a message to them, and lets nothing happen."""
        decision = await self._gate.request(await self._gate.ask(OPEN_TICKET, person.id, person.id))
        with self._office.database.read() as conn:
            no = refusal(conn, self._office, request)
        if not decision.allowed or not (no and no.excusable) or not self.reaches:
            why = " ".join(decision.why) if not decision.allowed else "Nobody can be asked for this."
            return await self._refuse(person, request.ref, inbound, why, {"decision": recorded(decision)})
        said = plain(inbound.fields.get(WHY, ""), ANSWER_CHARS).strip()

        def work(conn: Connection) -> bool:
            words = self._office.words.record(conn, person.id, said) if said else None
            data = {"rules": list(no.rules), "decision": recorded(decision)}
            return self._desk.book.begin(
                conn,
                Kind.EXCEPTION,
                request.ref,
                person.id,
                words=words,
                by=person.id,
                service=inbound.platform,
                data=data,
            )

        begun = await self._office.database.write(work)
        await self._desk.settle_now(f"{request.ref}:{Kind.EXCEPTION.value}")
        return Ack(notice="I passed it on. A person answers you here." if begun else "They have it already.")

    def mine(self, person: Person, text: str) -> tuple[str, str] | None:
        """A message that begins with a ticket or a hand-off of theirs: which, and the rest of it."""
        if self._threads and (to := self._threads.mine(person, text)):
            return to
        found = _TYPED.fullmatch(text.strip())
        if found is None:
            return None
        handed = self._of_ref(found[1])
        return (handed.id, found[2]) if handed and handed.person == person.id else None

    def open_key(self, person: Person) -> str | None:
        """Where what they write can be passed on to: what of theirs is open, and moved last."""
        if self._threads and (key := self._threads.open_key(person)):
            return key
        with self._office.database.read() as conn:
            mine = [each for each in hand_offs.of_person(conn, person.id, _MINE) if each.open]
        return max(mine, key=lambda each: each.moved_at).ref if mine else None

    async def reply(self, person: Person, to: str, said: str, inbound: Inbound) -> Ack:
        """What the person says to the helpers.

        :param to: a ticket, a hand-off, or the request of one
        """
        with self._office.database.read() as conn:
            handed = hand_offs.of(conn, to)
        handed = handed or self._of_ref(to)
        if handed is None:
            return await self._on_ticket(person, to, said, inbound)
        if handed.person != person.id:
            return Ack(notice="That is nothing of yours.")
        if handed.key and self._threads:
            return await self._on_ticket(person, handed.key, said, inbound, handed)
        return await self._in_channel(person, handed, said, inbound)

    async def _on_ticket(
        self, person: Person, key: str, said: str, inbound: Inbound, handed: HandOff | None = None
    ) -> Ack:
        if self._threads is None:
            return Ack(notice="No ticket system is connected any more.")
        ack = await self._threads.reply(person, key, said, inbound)
        if handed is None:
            with self._office.database.read() as conn:
                handed = hand_offs.of_key(conn, self._threads.place, key)
        if handed:
            await self._desk.settle_now(handed.id)
        return ack

    async def _in_channel(self, person: Person, handed: HandOff, said: str, inbound: Inbound) -> Ack:
        said = plain(said, ANSWER_CHARS).strip()
        if not said:
            return Ack(errors={ANSWER: "Write your answer first."}, form=await self._desk.reply_form(handed))
        decision = await self._gate.request(await self._gate.ask(OPEN_TICKET, person.id, person.id))
        data = {"decision": recorded(decision)}
        if not decision.allowed:
            return await self._refuse(person, handed.ref, inbound, " ".join(decision.why), data)
        await self._say(person, handed.id, Side.PERSON, "hand_off.replied", said, inbound, data)
        await self._desk.settle_now(handed.id)
        return Ack(notice="Passed on to the help desk.")

    # What a helper does

    async def helps(self, person: str) -> bool:
        """Whether they read the web desk's own help-desk channel: where it counts, and the rules let them."""
        home = next(iter(self._office.platforms))
        who = await self._gate.who(person)
        may = self._office.policies.may_administer(who, HELP).allowed
        return may and home in self._desk.book.channels()

    async def press(self, person: Person, meaning: Meaning, inbound: Inbound) -> Ack:
        with self._office.database.read() as conn:
            handed = hand_offs.of(conn, meaning.owner)
        if handed is None:
            return Ack(notice="This is not there any more.")
        decision = self._office.policies.may_administer(await self._gate.who(person.id), HELP)
        data = {"decision": recorded(decision)}
        if not decision.allowed:
            why = f"{_NO_HELPER} {' '.join(decision.why)}"
            return await self._refuse(person, handed.ref, inbound, why, data)
        match meaning.choice:
            case Choice.HELP_TAKE:
                ack = await self._take(person, handed.id, inbound, data)
            case Choice.HELP_DONE:
                ack = await self._finish(person, handed.id, inbound, data)
            case _:
                ack = await self._answer(person, handed, inbound, data)
        if not ack.errors:
            await self._desk.settle_now(handed.id)
        return ack

    async def _take(self, person: Person, handed: str, inbound: Inbound, data: dict[str, Any]) -> Ack:
        name = plain(person.name, 80)

        def work(conn: Connection) -> str:
            seen = _seen(conn, handed)
            if seen.ended:
                return "This is done already."
            if seen.holder:
                return f"{'You have' if seen.holder == name else f'{seen.holder} has'} it already."
            note = f"{name} has it."
            hand_offs.say(conn, handed, Side.DESK, self._office.clock(), note=note, inbound=inbound.key)
            self._desk.book.move(
                conn, seen, "hand_off.taken", by=person.id, service=inbound.platform, data=data, holder=name
            )
            return "It is yours."

        return Ack(notice=await self._office.database.write(work))

    async def _finish(self, person: Person, handed: str, inbound: Inbound, data: dict[str, Any]) -> Ack:
        name = plain(person.name, 80)

        def work(conn: Connection) -> str:
            seen = _seen(conn, handed)
            if seen.ended:
                return "This is done already."
            note = f"{name} at the help desk says that it is done."
            self._desk.book.end(conn, seen, "done", note, by=person.id, service=inbound.platform)
            return "Done. I tell them."

        return Ack(notice=await self._office.database.write(work))

    async def _answer(self, person: Person, handed: HandOff, inbound: Inbound, data: dict[str, Any]) -> Ack:
        said = plain(inbound.fields.get(ANSWER, ""), ANSWER_CHARS).strip()
        if handed.ended:
            return await self._refuse(person, handed.ref, inbound, "This is done already.", data)
        if not said:
            return Ack(errors={ANSWER: "Write your answer first."}, form=self._desk.form(handed))
        await self._say(person, handed.id, Side.HELPER, "hand_off.answered", said, inbound, data)
        return Ack(notice="I pass it on.")

    async def _say(
        self,
        person: Person,
        handed: str,
        side: Side,
        kind: str,
        said: str,
        inbound: Inbound,
        data: dict[str, Any],
    ) -> None:
        """Once for every inbound. Whatever the person says opens it again."""
        now, name = self._office.clock(), plain(person.name, 80)

        def work(conn: Connection) -> None:
            seen = _seen(conn, handed)
            if hand_offs.was_said(conn, handed, inbound.key):
                return
            words = self._office.words.record(conn, person.id, said)
            hand_offs.say(conn, handed, side, now, author=name, words=words.id, inbound=inbound.key)
            ended = "" if side is Side.PERSON else seen.ended
            self._desk.book.move(
                conn, seen, kind, by=person.id, service=inbound.platform, data=data, words=words, ended=ended
            )

        await self._office.database.write(work)

    async def _refuse(
        self, person: Person, ref: str, inbound: Inbound, why: str, data: dict[str, Any]
    ) -> Ack:
        """Answered politely, and kept."""
        event = Event(
            at=self._office.clock(),
            kind="press.refused",
            request=ref,
            actor=person.id,
            service=inbound.platform,
            outcome="refused",
            data={"why": why, **data},
        )
        await self._office.database.write(lambda conn: append(conn, event))
        return Ack(notice=why)

    def _of_ref(self, ref: str) -> HandOff | None:
        """The newest of a request's that is open, else the newest."""
        with self._office.database.read() as conn:
            found = hand_offs.of_ref(conn, ref)
        return max(found, key=lambda each: (each.open, each.opened_at)) if found else None


def _seen(conn: Connection, handed: str) -> HandOff:
    found = hand_offs.of(conn, handed)
    assert found is not None, "it is never deleted"
    return found
