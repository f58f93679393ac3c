"""One inbound in, replies out: who is it, what do they want, and which part of the house does it.

An inbound is stored before it is acknowledged and marked done after its replies went out. A crash
in between replays it; every path below shows the present state then, and does nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bot.audit.trail import DESKHAND, Event, append
from bot.chat.card import Card, Tone
from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.platform import ANSWER_WITHIN_S, PlatformDown, Unreachable
from bot.chat.redact import redact
from bot.commands import Commands
from bot.corrections import Corrections
from bot.intent.classify import NONE
from bot.intent.clauses import Clause
from bot.intent.corrections import says_a_time, time_alone
from bot.intent.model import Model
from bot.intent.quoting import Quoting
from bot.intent.second import SecondOpinion
from bot.intent.understand import Proposal, Understander
from bot.offers import BESIDES, EACH, Offers
from bot.people import Stranger
from bot.procedures.action import Action, Declined, Impossible, Lookup, Procedure, Slot
from bot.procedures.cards import WRITTEN
from bot.procedures.engine import Engine, Picked
from bot.procedures.guess import Guess
from bot.procedures.hand_off_cards import ANSWER
from bot.procedures.helping import PRESSES as HELPERS_PRESSES
from bot.procedures.linking import Linking
from bot.procedures.lookup import Lookups
from bot.procedures.notices import Notices, about_a_person
from bot.procedures.office import Office
from bot.procedures.request import Request
from bot.store.database import StorageDown
from bot.store.handles import Choice, Meaning, meaning_of
from bot.store.inbox import Inbox, lately
from bot.wishes import Wishes
from integrations.contract import ConnectorError, Person, UnknownPerson

log = structlog.get_logger()

_TEXT_CHARS = 4_000
_MINUTE = timedelta(minutes=1)
_A_SENTENCE = 5  # words
_RATHER = 0.7  # how likely another wish is, before it is none of this one's answers
_IN_WORDS = (InboundKind.MESSAGE, InboundKind.COMMAND)
_PRESSES = 6  # times as many presses as messages

_WORKING_AFTER_S = 1.0  # until a person is shown that it takes longer

_OF_REQUESTS = frozenset(
    {Choice.CONFIRM, Choice.CANCEL, Choice.APPROVE, Choice.DENY, Choice.PICK, Choice.NOT_ME, Choice.EXCEPTION}
)

GIVE_BACK = "give_back_access"
ELSEWHERE = "I answer in our direct conversation."
REMOVED = (
    "I removed what looked like a password or code. Never send one here: nobody at the help desk needs it."
)
DOWN = "I cannot check your request right now, so I did nothing. Please try again in a minute."
UNKNOWN = (
    "One of our systems does not know whom this is about, so I did nothing. The help desk can mend that."
)
LATER = "I have your message and answer as soon as I can."
FAILED = "Something went wrong on my side, and this message went no further. The admins can see why."
BUSY = "That was a lot at once. I answer the next messages in a minute."


class Desk:
    def __init__(
        self,
        office: Office,
        engine: Engine,
        understander: Understander,
        inbox: Inbox,
        model: Model | None = None,
    ) -> None:
        self._office = office
        self._engine = engine
        self._understander = understander
        self._inbox = inbox
        self._lookups = Lookups(office, engine.gate)
        self._second = SecondOpinion(understander, office.registry, model)
        quoting = Quoting(model, self._second.told) if model else None
        self._offers = Offers(office, self._lookups, engine.helping, quoting)
        self._corrections = Corrections(office, engine, understander, self._lookups)
        self._commands = Commands(office, engine)
        self._linking = Linking(office)
        self._notices = Notices(office)
        self._wishes = Wishes(office)
        self._tasks: dict[str, asyncio.Task[Ack]] = {}  # by the key of the inbound
        self._late: set[asyncio.Task[None]] = set()

    async def receive(self, inbound: Inbound, within: float = ANSWER_WITHIN_S) -> Ack:
        """Store, handle, acknowledge within this many seconds: what comes later reaches the person
        through their platform. :raises StorageDown: it was not stored"""
        cleaned, removed = _clean(inbound)
        since = self._office.clock() - _MINUTE

        def store(conn: Connection) -> int | None:
            return lately(conn, cleaned, since) if self._inbox.put(conn, cleaned) else None

        recent = await self._office.database.write(store)
        if recent is None:
            return Ack(duplicate=True)
        task = asyncio.create_task(self._handle(cleaned, recent, removed=removed))
        self._tasks[inbound.key] = task
        task.add_done_callback(lambda _: self._tasks.pop(inbound.key, None))
        await asyncio.wait({task}, timeout=within)
        if task.done():
            return task.result()
        late = asyncio.create_task(self._follow(cleaned, task))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return Ack(working=True)

    async def _follow(self, inbound: Inbound, task: asyncio.Task[Ack]) -> None:
        """After the deadline: a sign where it takes long, and what the Ack would have said."""
        await asyncio.wait({task}, timeout=_WORKING_AFTER_S)
        if not task.done():
            with contextlib.suppress(PlatformDown, Unreachable):  # a courtesy; the answer itself is not lost
                await self._office.platforms[inbound.platform].working(inbound)
        await self._say_late(inbound, await task)

    async def _say_late(self, inbound: Inbound, ack: Ack) -> None:
        try:
            await self._office.platforms[inbound.platform].late(inbound, ack)
        except (PlatformDown, Unreachable) as error:
            log.warning("ack.lost", inbound=inbound.id, reason=str(error))

    async def replay(self, older_than: timedelta = timedelta()) -> int:
        """Handle what a crash, or a chat or database that was down, left unanswered; at the start, and
        now and then. Returns how many there were."""
        before = self._office.clock() - older_than
        with self._office.database.read() as conn:
            waiting = [each for each in self._inbox.waiting(conn, before) if each.key not in self._tasks]
        for inbound in waiting:
            if inbound.platform in self._office.platforms:  # else it waits until that one is connected again
                await self._say_late(inbound, await self._handle(inbound, 0, replayed=True))
        return len(waiting)

    async def finish(self) -> None:
        """Let what is under way end."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.gather(*self._late, return_exceptions=True)

    async def _handle(
        self, inbound: Inbound, recent: int, *, replayed: bool = False, removed: bool = False
    ) -> Ack:
        """Done once and for all, or left in the inbox for the next round. Never raises."""
        try:
            ack = await self._answered(inbound, recent, replayed=replayed)
        except (PlatformDown, StorageDown) as down:
            log.warning("inbound.put_off", inbound=inbound.id, reason=str(down))
            return Ack(notice=LATER)
        except Exception:  # a fault of ours: it must neither stop the desk nor come back for ever
            log.exception("inbound.failed", inbound=inbound.id)
            ack = await self._gave_up(inbound)
        self._office.database.write_along(lambda conn: self._inbox.done(conn, inbound))
        return ack.model_copy(update={"notice": f"{REMOVED} {ack.notice}".strip()}) if removed else ack

    async def _answered(self, inbound: Inbound, recent: int, *, replayed: bool) -> Ack:
        try:
            inbound = self._typed(inbound)
            person = await self._office.people.identify(inbound)
            if replayed and await self._engine.show_again(person, inbound):
                return Ack()
            if recent > self._limit(inbound):
                return await self._put_off(person, inbound, recent)
            return await self._take(person, inbound)
        except Stranger as stranger:
            return await self._turned_away(inbound, stranger, recent)
        except UnknownPerson as error:
            log.warning("person.unknown", reason=str(error))
            await self._reply(inbound, [Card(title="Not known there", text=UNKNOWN, tone=Tone.WARN)])
            return Ack(notice=UNKNOWN)
        except ConnectorError as error:
            log.warning("system.down", error=type(error).__name__, reason=str(error))
            await self._reply(inbound, [Card(title="Not now", text=DOWN, tone=Tone.WARN)])
            return Ack(notice=DOWN)
        except Unreachable as error:
            log.warning("reply.lost", inbound=inbound.id, reason=str(error))
            return Ack()

    def _typed(self, inbound: Inbound) -> Inbound:
        """A message that is a command, where there is no other way to give one."""
        typed = (
            inbound.kind is InboundKind.MESSAGE and self._office.platforms[inbound.platform].typed_commands
        )
        if typed and self._commands.typed(inbound.text):
            return inbound.model_copy(update={"kind": InboundKind.COMMAND})
        return inbound

    async def _take(self, person: Person, inbound: Inbound) -> Ack:
        match inbound.kind:
            case InboundKind.PRESS:
                ack = await self._press(person, inbound)
                if inbound.overview and not ack.errors:
                    await self._show_overview(person, inbound)
                if self._office.platforms[inbound.platform].replaces:
                    return ack.model_copy(update={"card": await self._engine.card_at(person, inbound)})
                return ack
            case InboundKind.OVERVIEW:
                await self._show_overview(person, inbound)
                return Ack()
            case InboundKind.ARRIVAL:
                return Ack()  # whose account it is, is known now
            case InboundKind.COMMAND if self._commands.means(inbound.text):
                await self._reply(inbound, await self._commands.run(person, inbound))
                return Ack()
        return await self._message(person, inbound)

    async def _show_overview(self, person: Person, inbound: Inbound) -> None:
        platform = self._office.platforms[inbound.platform]
        await platform.overview(inbound.account, await self._engine.overview(person))

    async def _point(self, inbound: Inbound) -> None:
        """Where others read along: that the answer stands in the direct conversation."""
        platform, card = self._office.platforms[inbound.platform], Card(title=ELSEWHERE)
        if inbound.reply_url:
            await platform.whisper(inbound, [card])
        else:
            await platform.send(inbound.conversation, card, key=f"{inbound.key}:here")

    async def _gave_up(self, inbound: Inbound) -> Ack:
        try:
            await self._audit("inbound.failed", DESKHAND, inbound, "failed")
            await self._reply(inbound, [Card(title="Something went wrong", text=FAILED, tone=Tone.WARN)])
        except (ConnectorError, PlatformDown, SQLAlchemyError, StorageDown, Unreachable) as error:
            log.error("inbound.failed_unsaid", inbound=inbound.id, reason=str(error))
        return Ack(notice=FAILED)

    def _limit(self, inbound: Inbound) -> int:
        """Events of one kind that one person gets handled in a minute."""
        per_minute = self._office.settings.requests_per_minute
        return per_minute if inbound.kind in _IN_WORDS else per_minute * _PRESSES

    async def _message(self, person: Person, inbound: Inbound) -> Ack:
        if "<@" in inbound.text:
            named = await self._office.people.named(inbound.platform, inbound.text)
            inbound = inbound.model_copy(update={"text": named})
        if (card := await self._wishes.answer(person, inbound)) is not None:
            await self._reply(inbound, [card])
            return Ack()
        if to := self._engine.helping.mine(person, inbound.text):
            ack = await self._engine.helping.reply(person, *to, inbound)
            title = to[0].partition(":")[0]
            await self._reply(inbound, [Card(title=title, text=ack.notice or ack.errors[ANSWER])])
            return Ack()
        proposal = self._propose(person, inbound.text)
        if await self._goes_on(person, inbound, proposal):
            return Ack()
        proposal = await self._second.on(person, inbound.text, proposal, now=self._office.clock())
        if proposal.action is None:
            await self._reply(inbound, [await self._offers.card(person, inbound, proposal)])
            return Ack()
        # First: once the request is open, a crash would not come back to it.
        await self._offer(person, inbound, proposal.parts.besides(proposal.action))
        understood = f"{proposal.source} {proposal.confidence:.2f}"
        return await self._run(person, inbound, proposal.action, proposal.slots, proposal.words, understood)

    def _propose(self, person: Person, text: str) -> Proposal:
        slots = {action.name: action.slots for action in self._office.registry.named()}
        now, zone = self._office.clock(), person.time_zone
        return self._understander.propose(text, now=now, time_zone=zone, slots_of=slots)

    async def _goes_on(self, person: Person, inbound: Inbound, proposal: Proposal) -> bool:
        """Whether it changes or answers what is under way, as a whole or by one of its sentences. What else
        it asks for is offered."""
        parts = proposal.parts
        if not parts.wishes:
            return await self._changes_or_answers(person, inbound, proposal)
        recent = self._engine.recent(person.id, timedelta())
        pending = {request.action for request, _ in recent}
        waiting = self._engine.waiting_question(person.id)
        told = bool(waiting and waiting.pick and waiting.pick.long)  # in their own words: it is one answer
        sentences = [parts.lead] if pending and says_a_time(parts.lead) else []
        sentences += [wish.words for wish in parts.wishes if wish.action in pending and len(parts.wishes) > 1]
        for words in (inbound.text, *([] if told else sentences)):
            whole = words == inbound.text
            said = inbound.model_copy(update={"text": words})
            read = proposal if whole else self._propose(person, words)
            if await self._changes_or_answers(person, said, read):
                others = [
                    wish
                    for wish in parts.wishes
                    if not (wish.action in pending if whole else wish.words == words)
                ]
                await self._offer(person, inbound, [] if told else others, EACH)
                return True
        return False

    async def _changes_or_answers(self, person: Person, inbound: Inbound, proposal: Proposal) -> bool:
        if (cards := await self._corrections.take(person, inbound, proposal)) is not None:
            await self._reply(inbound, cards)
            return True
        waiting = self._engine.waiting_question(person.id)
        if waiting and (said := self._answer(waiting, inbound.text, proposal, person.time_zone)):
            await self._engine.fill(waiting.ref, person, said, inbound)
            await self._reply(inbound, [])
            return True
        return False

    async def _offer(
        self, person: Person, inbound: Inbound, wishes: Sequence[Clause], text: str = BESIDES
    ) -> None:
        if not wishes:
            return
        card = await self._offers.one_by_one(person, inbound, wishes, text)
        try:
            await self._reply(inbound, [card], part="besides")
        except Unreachable as error:  # what is to be begun does not wait for it
            log.warning("reply.lost", inbound=inbound.id, reason=str(error))

    def _answer(
        self, waiting: Request, text: str, proposal: Proposal, zone: str
    ) -> Mapping[str, Guess] | None:
        """The words as an answer to the open question, unless they are clearly another wish."""
        slot = self._slot(waiting)
        another = _other_wish(waiting, proposal) or _rather_another(waiting, text, proposal)
        if slot is None or (another and not time_alone(text)):  # when, and not what: that is no wish
            return None
        guess = self._understander.fill(slot, text, now=self._office.clock(), time_zone=zone)
        if not (guess.value or guess.candidates or guess.text or guess.problem):
            return None
        return {**proposal.slots, slot.name: guess}  # all that was said counts

    def _slot(self, waiting: Request) -> Slot | None:
        asked = waiting.pick.slot if waiting.pick else ""
        return next(
            (slot for slot in self._office.registry[waiting.action].slots if slot.name == asked), None
        )

    async def _run(
        self,
        person: Person,
        inbound: Inbound,
        name: str,
        guesses: Mapping[str, Guess],
        words: str,
        understood: str,
    ) -> Ack:
        name, guesses = self._several(person, name, guesses, words)
        action: Action = self._office.registry[name]
        try:
            match action:
                case Declined():
                    cards = await self._lookups.decline(
                        person, action, inbound, words=words, understood=understood
                    )
                case Lookup():
                    cards = await self._lookups.answer(
                        person,
                        action,
                        guesses,
                        self._engine.world(),
                        inbound,
                        words=words,
                        understood=understood,
                    )
                case Procedure():
                    await self._engine.open(
                        person, action, guesses, inbound, words=words, understood=understood
                    )
                    cards = []
                case _:
                    raise TypeError(f"{name} is no sort of action there is")
        except Impossible as why:
            data = {"understood": understood, "why": str(why)}
            await self._lookups.audit(
                name, "request.impossible", "refused", person, person, inbound, words, data
            )
            cards = [Card(title=action.title, text=str(why), tone=Tone.WARN)]
        await self._reply(inbound, cards)
        return Ack()

    def _several(
        self, person: Person, name: str, guesses: Mapping[str, Guess], words: str
    ) -> tuple[str, Mapping[str, Guess]]:
        """Where the words name several things, the action that does it for all of them."""
        more = self._office.registry[name].several
        if more not in self._office.registry:
            return name, guesses
        found = self._understander.several(
            words,
            self._office.registry[more].slots,
            now=self._office.clock(),
            time_zone=person.time_zone,
        )
        return (more, found) if found else (name, guesses)

    async def _press(self, person: Person, inbound: Inbound) -> Ack:
        with self._office.database.read() as conn:
            meaning = meaning_of(conn, inbound.handle)
        if meaning is None:
            return await self._unknown_press(person, inbound)
        mine = meaning.audience == person.id
        of_request = meaning.choice in _OF_REQUESTS and not about_a_person(meaning)
        if of_request or (meaning.choice is Choice.GIVE_BACK and not mine):
            return await self._engine.press(person, meaning, inbound, self._written(person, meaning, inbound))
        if meaning.choice in HELPERS_PRESSES:
            return await self._engine.helping.press(person, meaning, inbound)
        match meaning.choice:
            case Choice.BEGIN:
                return await self._begin(person, inbound, meaning)
            case Choice.GIVE_BACK:
                slot = self._office.registry[GIVE_BACK].slots[0].name
                return await self._run(
                    person, inbound, GIVE_BACK, {slot: Picked(meaning.owner)}, "", "button"
                )
            case Choice.CHANGE if mine:
                await self._reply(inbound, await self._corrections.pressed(person, meaning, inbound))
                return Ack()
            case Choice.REPLY if mine:
                return await self._reply_to_helper(person, meaning, inbound)
            case Choice.AUDIT if mine:
                page = await self._commands.page(person, meaning, inbound)
                await self._office.platforms[inbound.platform].whisper(inbound, page)
                return Ack()
            case Choice.NOT_ME if mine:
                return await self._notices.not_me(person, meaning, inbound.platform)
        # Somebody else's, or what stands in the address of a page and on no button.
        return await self._unknown_press(person, inbound)

    def _written(self, person: Person, meaning: Meaning, inbound: Inbound) -> Guess | None:
        """What an answer in the person's own words means for the open question."""
        said = inbound.fields.get(WRITTEN, "").strip()
        waiting = self._engine.find(meaning.owner) if said and meaning.choice is Choice.PICK else None
        slot = self._slot(waiting) if waiting else None
        if slot is None:
            return None
        return self._understander.fill(slot, said, now=self._office.clock(), time_zone=person.time_zone)

    async def _begin(self, person: Person, inbound: Inbound, meaning: Meaning) -> Ack:
        if meaning.audience != person.id:
            return await self._unknown_press(person, inbound)
        name = str(meaning.detail["action"])
        words = self._words(meaning.detail.get("words"))
        if words and (ref := await self._engine.begun(person, name, words)):
            return Ack(notice=f"You have that under way already: {ref}.")
        slots = {name: self._office.registry[name].slots}
        proposal = self._understander.propose(
            words, now=self._office.clock(), time_zone=person.time_zone, slots_of=slots, only=name
        )
        return await self._run(person, inbound, name, proposal.slots, words, "button")

    async def _reply_to_helper(self, person: Person, meaning: Meaning, inbound: Inbound) -> Ack:
        """What stands in the card's field, or what they had written before."""
        said = inbound.fields.get(ANSWER, "") or self._words(meaning.detail.get("words"))
        return await self._engine.helping.reply(person, str(meaning.detail["key"]), said, inbound)

    def _words(self, words: object) -> str:
        if not isinstance(words, int):
            return ""
        with self._office.database.read() as conn:
            return self._office.words.read(conn, words) or ""

    async def _unknown_press(self, person: Person, inbound: Inbound) -> Ack:
        await self._audit("press.unknown", person.id, inbound)
        return Ack(notice="This button does not work (any more). Write to me, and I make a new one.")

    async def _turned_away(self, inbound: Inbound, stranger: Stranger, recent: int) -> Ack:
        if recent > self._limit(inbound):  # they have read it; neither trail nor chat is theirs to fill
            return Ack()
        await self._audit("sender.refused", DESKHAND, inbound, why=stranger.why)
        if inbound.kind is InboundKind.OVERVIEW:
            await self._office.platforms[inbound.platform].overview(inbound.account, (), str(stranger))
            return Ack()
        if stranger.unlinked and self._office.sign_in and inbound.kind in _IN_WORDS:
            await self._reply(inbound, [await self._linking.card(inbound)])
            return Ack()
        return Ack() if inbound.kind is InboundKind.ARRIVAL else Ack(notice=str(stranger))

    async def _put_off(self, person: Person, inbound: Inbound, recent: int) -> Ack:
        if recent == self._limit(inbound) + 1:  # said once, not to every message
            await self._audit("sender.put_off", person.id, inbound)
            await self._reply(inbound, [Card(title="One moment", text=BUSY, tone=Tone.WAIT)])
        return Ack(notice=BUSY)

    async def _audit(
        self, kind: str, actor: str, inbound: Inbound, outcome: str = "refused", **data: str
    ) -> None:
        event = Event(
            at=self._office.clock(),
            kind=kind,
            actor=actor,
            service=inbound.platform,
            outcome=outcome,
            data={"inbound": plain(inbound.id, 80), "account": plain(inbound.account, 80), **data},
        )
        await self._office.database.write(lambda conn: append(conn, event))

    async def _reply(self, inbound: Inbound, cards: list[Card], *, part: str = "") -> None:
        """To the person alone, wherever they wrote: what is answered is theirs.

        :param part: of the answer, where it goes out in several
        """
        platform = self._office.platforms[inbound.platform]
        if cards and inbound.kind is InboundKind.COMMAND:
            await platform.whisper(inbound, cards)
            return
        if cards:
            where = await platform.direct(inbound.account)
            for number, card in enumerate(cards):
                await platform.send(where, card, key=f"{inbound.key}:{part}{number}")
        if not inbound.direct and not part:
            await self._point(inbound)


def _other_wish(waiting: Request, proposal: Proposal) -> bool:
    """Another action, or the same one for something else than what was named already."""
    if proposal.action is None:
        return False
    return proposal.action != waiting.action or any(
        slot in waiting.params
        and waiting.params[slot] not in (guess.value, *(value for value, _ in guess.candidates))
        for slot, guess in proposal.slots.items()
        if guess.value or guess.candidates
    )


def _rather_another(waiting: Request, text: str, proposal: Proposal) -> bool:
    """A whole sentence that is more like another wish than like an answer."""
    if len(text.split()) < _A_SENTENCE or not proposal.ranking:
        return False
    name, chance = proposal.ranking[0]
    return name not in (waiting.action, NONE) and chance >= _RATHER


def _clean(inbound: Inbound) -> tuple[Inbound, bool]:
    """Secrets and what nobody can see are cut out before anything is stored, logged or understood."""
    text, removed = redact(plain(inbound.text, _TEXT_CHARS))
    fields = {}
    for name, value in list(inbound.fields.items())[:20]:
        kept, cut = redact(plain(value, _TEXT_CHARS))
        removed = removed or cut
        fields[plain(name, 80)] = kept
    return inbound.model_copy(update={"text": text, "fields": fields}), removed
