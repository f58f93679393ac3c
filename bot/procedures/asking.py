"""From a wish to a confirmed request: slots, the gate, the card that says exactly what will be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from bot.chat.card import Fact
from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound
from bot.procedures import ledger
from bot.procedures.action import Impossible, Params, Part, Procedure, Slot, SlotKind, World
from bot.procedures.approval import Approvers
from bot.procedures.gate import Gate, recorded, shown_of
from bot.procedures.guess import Guess
from bot.procedures.ledger import Note
from bot.procedures.office import Office
from bot.procedures.request import CANCELLABLE, Pick, Request, Shown, State, digest_of, new_ref
from bot.procedures.slots import fill
from bot.procedures.timers import Timers
from integrations.contract import Person, UnknownGroup, UnknownPerson

_SERVICE = "engine"
_WHO = {"manager": "a manager above you", "owner": "its owner", "budget": "the budget's owner"}  # by stage

NO_APPROVER = (
    "This needs somebody's approval, and nobody is there who may give it."
    " I told the admins; nothing was done."
)


class Asking:
    def __init__(self, office: Office, gate: Gate, approvers: Approvers, timers: Timers) -> None:
        self._office = office
        self._gate = gate
        self._approvers = approvers
        self._timers = timers

    async def open(
        self,
        sender: Person,
        action: Procedure,
        guesses: Mapping[str, Guess],
        world: World,
        inbound: Inbound,
        *,
        words: str,
        understood: str,
    ) -> str:
        """A new request, as far as the words carry it. Returns its reference.

        :raises Impossible: it makes no sense now; nothing was opened
        """
        self._room(sender)
        first = Request(
            ref=new_ref(),
            action=action.name,
            state=State.COLLECTING,
            requester=sender.id,
            subject=sender.id,
            moved_at=world.now,
            created_at=world.now,
            zone=sender.time_zone,
            understood=understood,
            inbound=inbound.key,
            names={sender.id: plain(sender.name, 80)},
        )
        to, changes, note = await self.next_step(first, action, guesses, sender, world)

        def work(conn: Connection) -> None:
            kept = self._office.words.record(conn, sender.id, words) if words else None
            opened = first.model_copy(update={"words": kept.id if kept else None})
            changes["words"] = changes.get("words") or opened.words
            data = {"understood": understood, "inbound": inbound.id}
            ledger.create(
                conn, opened, Note("request.opened", sender.id, inbound.platform, data=data, words=kept)
            )
            told = note(sender.id, inbound.platform)
            self._timers.follow(conn, ledger.move(conn, opened, to, told, world.now, **changes))

        await self._office.database.write(work)
        return first.ref

    async def fill(
        self, request: Request, guesses: Mapping[str, Guess], sender: Person, world: World, inbound: Inbound
    ) -> None:
        """An answer to the slot that was put to the person."""
        action = self._procedure(request)
        try:
            to, changes, note = await self.next_step(request, action, guesses, sender, world)
        except Impossible as why:
            no = Note("request.impossible", sender.id, inbound.platform, "refused")
            await self._end(request, State.REFUSED, str(why), no, inbound=inbound.key)
            return
        told = note(sender.id, inbound.platform)
        await self._office.database.write(
            lambda conn: ledger.move(conn, request, to, told, world.now, inbound=inbound.key, **changes)
        )

    async def confirm(self, request: Request, sender: Person, digest: str, world: World, service: str) -> Ack:
        """The requester's yes, to exactly what the card showed."""
        action = self._procedure(request)
        subject = await self._subject(request, action, sender, world)
        try:
            shown = await self._shown(action, sender, subject, request.params, world)
        except Impossible as why:
            await self._end(
                request, State.REFUSED, str(why), Note("request.impossible", sender.id, service, "refused")
            )
            return Ack()
        version = self._office.policies.version
        if request.shown and shown.ends_at and shown.ends_at == request.shown.ends_at:
            # Only nearer to the same end than when it was shown: not another request.
            shown = shown.model_copy(update={"minutes": request.shown.minutes})
        present = digest_of(request, shown, version)
        if digest != request.digest or present != request.digest:
            note = Note("request.changed", sender.id, service, data={"digest": present})
            changes = {"shown": shown, "policy_version": version, "digest": present}
            await self._office.database.write(
                lambda conn: ledger.move(conn, request, State.CONFIRMING, note, world.now, **changes)
            )
            return Ack(notice="Something changed since this card was made. Please look at the new one.")
        return await self._confirmed(request, sender, world, service)

    async def _confirmed(self, request: Request, sender: Person, world: World, service: str) -> Ack:
        to, changes, note = await self._after_the_yes(request, sender, world, service)

        def work(conn: Connection) -> None:
            self._timers.follow(conn, ledger.move(conn, request, to, note, world.now, **changes))

        await self._office.database.write(work)
        return Ack()

    async def _after_the_yes(
        self, request: Request, sender: Person, world: World, service: str
    ) -> tuple[State, dict[str, Any], Note]:
        """Where a confirmed request goes: to whoever has to approve, on to its execution, or nowhere."""
        ask = await self._gate.ask_of(request)
        decision = await self._gate.request(ask)
        proceed = await self._gate.proceed(ask)
        data: dict[str, Any] = {"decision": recorded(decision), "proceed": recorded(proceed)}
        stages = () if proceed.allowed else decision.stages
        if not decision.allowed or not (stages or proceed.allowed):
            note = Note("request.refused", sender.id, service, "refused", data)
            why = decision.why if not decision.allowed else proceed.why
            return State.REFUSED, {"outcome": " ".join(why)}, note
        changes: dict[str, Any] = {
            "stages": stages,
            "quorum": decision.quorum if stages else 0,
            "needs": decision.needs if stages else (),
            "proof": decision.proof,
            "confirmed_at": world.now,
        }
        if stages:
            asked = request.model_copy(update=changes)
            seats = await self._approvers.seats(asked, ask, stages[0], [])
            if not seats:
                data["stage"] = stages[0]
                note = Note("request.no_approver", sender.id, service, "refused", data)
                alarm = f"Nobody can decide as {stages[0]}."
                return State.REFUSED, {"outcome": NO_APPROVER, "alarm": alarm}, note
            changes |= {
                "seats": {stages[0]: seats},
                "names": {**request.names, **await self._approvers.names(seats)},
                "remind_at": world.now + self._office.settings.remind_after,
                "expires_at": world.now + self._office.settings.expire_after,
            }
        data["digest"] = request.digest
        return State.APPROVING, changes, Note("request.confirmed", sender.id, service, data=data)

    async def next_step(
        self, request: Request, action: Procedure, guesses: Mapping[str, Guess], sender: Person, world: World
    ) -> tuple[State, dict[str, Any], _NoteOf]:
        """Where it goes from here: to the next question, to the confirm card, or to a refusal."""
        params, question = dict(request.params), None
        for slot in action.slots:  # all that was said counts, and the first gap is asked for
            if slot.name in params or not (slot.required or slot.name in guesses):
                continue
            guess = None if slot.asked and not self._put(request, slot) else guesses.get(slot.name)
            got = await fill(slot, guess, sender, world)
            if isinstance(got, Pick):
                question = question or got
            else:
                params[slot.name] = got.value
        got_on = {
            "params": params,
            "answers": _answers(request, params),
            "words": _words(action, request, params),
        }
        if question:
            changes = {**got_on, "pick": question, "asked": (*request.asked, question.slot)}
            return State.COLLECTING, changes, _NoteOf("request.asked", data={"slot": question.slot})
        return await self._show(request.model_copy(update=got_on), action, sender, world)

    async def _show(
        self, request: Request, action: Procedure, sender: Person, world: World
    ) -> tuple[State, dict[str, Any], _NoteOf]:
        subject = await self._subject(request, action, sender, world)
        shown = await self._shown(action, sender, subject, request.params, world)
        changes: dict[str, Any] = {
            "params": request.params,
            "answers": request.answers,
            "words": request.words,
            "pick": None,
            "subject": subject.id,
            "resource": shown.resource,
            "names": {**request.names, subject.id: plain(subject.name, 80)},
            "shown": shown,
            "policy_version": self._office.policies.version,
        }
        ready = request.model_copy(update=changes)
        ask = await self._gate.ask_of(ready)
        decision = await self._gate.request(ask)
        data = {"decision": recorded(decision), "shown": shown.sentence}
        if not decision.allowed:
            changes["outcome"] = " ".join(decision.why)
            return State.REFUSED, changes, _NoteOf("request.refused", "refused", data)
        digest = digest_of(ready, shown, self._office.policies.version)
        return (
            State.CONFIRMING,
            {**changes, "digest": digest},
            _NoteOf("request.shown", data={**data, "digest": digest}),
        )

    async def _end(self, request: Request, to: State, outcome: str, note: Note, **changes: Any) -> None:
        now = self._office.clock()
        await self._office.database.write(
            lambda conn: ledger.move(conn, request, to, note, now, outcome=outcome, **changes)
        )

    def _room(self, person: Person) -> None:
        """:raises Impossible: they have so many under way that approvers would drown in them"""
        with self._office.database.read() as conn:
            mine = ledger.of(conn, person.id, CANCELLABLE)
        if len(mine) >= self._office.settings.open_per_person:
            raise Impossible(
                f"You have {len(mine)} requests under way. Finish or cancel one first:"
                ' write "my requests" to see them.'
            )

    @staticmethod
    def _put(request: Request, slot: Slot) -> bool:
        """Whether it is this slot's question that is answered now."""
        return request.pick is not None and request.pick.slot == slot.name

    @staticmethod
    async def _subject(request: Request, action: Procedure, sender: Person, world: World) -> Person:
        """Whom it is about: as the action says, and of a part as the whole said."""
        if request.part_for:
            return await world.directory.person(request.part_for)
        return await action.subject(world, sender, request.params)

    async def _shown(
        self, action: Procedure, sender: Person, subject: Person, params: Params, world: World
    ) -> Shown:
        """What the card will say, with what each part of it would do. :raises Impossible:"""
        shown = shown_of(await action.preview(world, sender, subject, params))
        if not shown.parts:
            return shown
        parts, facts = [], list(shown.facts)
        for part in shown.parts:
            fact, fits = await self._part(part, sender, world)
            facts.append(fact)
            parts += [fits] if fits else []
        if not parts:
            said = dict.fromkeys(fact.value for fact in facts[len(shown.facts) :])  # each reason once
            raise Impossible(" ".join(said))
        return shown.model_copy(update={"facts": tuple(facts), "parts": tuple(parts)})

    async def _part(self, part: Part, sender: Person, world: World) -> tuple[Fact, Part | None]:
        """A line about a part, and the part as it was shown; None where it cannot be asked for."""
        action = self._office.registry[part.action]
        assert isinstance(action, Procedure), "a part is another action's procedure"
        try:
            subject = await world.directory.person(part.subject)
            shown = await self._shown(action, sender, subject, part.params, world)
        except Impossible as why:
            return Fact(label=_named(part, action, world), value=f"Not possible: {why}"), None
        ask = await self._gate.ask(action.name, sender.id, subject.id, resource=shown.resource, shown=shown)
        decision, proceed = await self._gate.request(ask), await self._gate.proceed(ask)
        if not decision.allowed:
            why_not = f"Not possible: {' '.join(decision.why)}"
            return Fact(label=_named(part, action, world), value=why_not), None
        after = "" if proceed.allowed else f", once {_deciders(decision.stages)}"
        fact = Fact(label=action.title, value=f"{shown.sentence}{after}")
        return fact, part.model_copy(update={"sentence": shown.sentence})

    async def open_part(self, ref: str, part: Part, whole: Request, world: World) -> None:
        """A part of a confirmed request as a request of its own: what was shown of it was confirmed with the
        whole. Where it would do anything else by now, it waits for a yes of its own."""
        sender = await world.directory.person(whole.requester)
        action = self._office.registry[part.action]
        assert isinstance(action, Procedure), "a part is another action's procedure"
        with self._office.database.read() as conn:
            if ledger.load(conn, ref):
                return
        await self._begin_part(ref, part, whole, action, sender, world)

    async def _begin_part(
        self, ref: str, part: Part, whole: Request, action: Procedure, sender: Person, world: World
    ) -> None:
        first = Request(
            ref=ref,
            action=action.name,
            state=State.COLLECTING,
            requester=sender.id,
            subject=sender.id,
            moved_at=world.now,
            created_at=world.now,
            zone=sender.time_zone,
            understood=f"part of {whole.ref}",
            params=part.params,
            part_of=whole.ref,
            part_for=part.subject,
            words=whole.words,
            names={sender.id: plain(sender.name, 80)},
        )
        try:
            to, changes, note = await self._show(first, action, sender, world)
        except Impossible as why:
            to, changes, note = _impossible(str(why))
        except (UnknownPerson, UnknownGroup):
            to, changes, note = _impossible("One of the systems does not know this person.")

        shown = first.model_copy(update={**changes, "state": to})
        on = None  # what follows from the yes to the whole
        if to is State.CONFIRMING and shown.shown and shown.shown.sentence == part.sentence:
            on = await self._after_the_yes(shown, sender, world, _SERVICE)

        def work(conn: Connection) -> None:  # all of it or nothing: a crash leaves no half-opened part
            ledger.create(
                conn, first, Note("request.opened", sender.id, _SERVICE, data={"part_of": whole.ref})
            )
            after = ledger.move(conn, first, to, note(sender.id, _SERVICE), world.now, **changes)
            if on:
                after = ledger.move(conn, after, on[0], on[2], world.now, **on[1])
            self._timers.follow(conn, after)

        await self._office.database.write(work)

    def _procedure(self, request: Request) -> Procedure:
        action = self._office.registry[request.action]
        assert isinstance(action, Procedure), "only procedures become requests"
        return action


def _answers(request: Request, params: Mapping[str, Any]) -> dict[str, str]:
    """What was chosen so far, as the options called it."""
    pick = request.pick
    if pick is None:
        return request.answers
    labels = [label for value, label in pick.options if value == params.get(pick.slot)]
    return {**request.answers, pick.slot: labels[0]} if labels else request.answers


def _impossible(why: str) -> tuple[State, dict[str, Any], _NoteOf]:
    return State.REFUSED, {"outcome": why}, _NoteOf("request.impossible", "refused")


def _named(part: Part, action: Procedure, world: World) -> str:
    """What a part is about, where it is about one thing."""
    resource = world.catalogue.get(str(part.params.get("resource", "")))
    return resource.name if resource else action.title


def _deciders(stages: tuple[str, ...]) -> str:
    """ "the manager and the budget's owner approve"."""
    people = [_WHO.get(stage, stage) for stage in stages]
    return f"{' and '.join(people)} approve{'s' if len(people) == 1 else ''}"


def _words(action: Procedure, request: Request, params: Mapping[str, Any]) -> int | None:
    """What the card quotes: what they wrote about it, else what they wrote at first."""
    about = [params[slot.name] for slot in action.slots if slot.kind is SlotKind.TEXT and slot.name in params]
    return about[0] if about else request.words


class _NoteOf:
    """A note of which actor and service are filled in when it is written."""

    def __init__(self, kind: str, outcome: str = "ok", data: Mapping[str, Any] | None = None) -> None:
        self._kind, self._outcome, self._data = kind, outcome, data

    def __call__(self, actor: str, service: str) -> Note:
        return Note(self._kind, actor, service, self._outcome, self._data)
