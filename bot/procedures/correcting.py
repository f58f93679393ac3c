"""A pending request is changed by its requester: what they say replaces what they said before.

Whatever was confirmed or approved before is void with the same move, also where the change cannot be
made: what somebody no longer wants is not done on the strength of an old yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from bot.procedures import ledger, listed
from bot.procedures.action import Impossible, Procedure, Slot, SlotKind, World
from bot.procedures.asking import Asking
from bot.procedures.guess import Filled, Guess
from bot.procedures.ledger import Note
from bot.procedures.office import Office
from bot.procedures.request import Pick, Request, State, digest_of
from bot.procedures.slots import fill
from bot.procedures.timers import Timers
from integrations.contract import ConnectorError, Person

_MOST = 20  # changes of one request: each asks its approvers anew

DOWN = "One of our systems does not answer right now, so I could not make this change."
AS_IT_WAS = "I could not read what to change, so nothing goes on until you say yes to this, or cancel it."
TOO_OFTEN = "You changed this often enough. Please cancel it, and ask for what you need in one sentence."


class Change(StrEnum):
    """What became of a correction."""

    MADE = "made"  # a new card, or the next question, shows it
    KEPT = "kept"  # it cannot be made; the new card says why, and wants a new yes
    SAME = "same"  # that is what it says already
    UNREAD = "unread"  # it names nothing that this request has
    LATE = "late"  # it is under way, or over


@dataclass(frozen=True, slots=True)
class Said:
    """What the requester said, and how it came here."""

    words: str  # empty: they pressed a button
    service: str
    inbound: str  # its key


class Correcting:
    def __init__(self, office: Office, asking: Asking, timers: Timers) -> None:
        self._office = office
        self._asking = asking
        self._timers = timers

    async def meant(
        self, request: Request, guesses: Mapping[str, Guess], sender: Person, world: World
    ) -> frozenset[str]:
        """The slots for which the words have something: all that are clear, else the first to be asked."""
        clear, asked = set(), []
        slots = {slot.name: slot for slot in self._procedure(request).slots if slot.name in request.params}
        dated = any(slot.kind is SlotKind.DAYS for slot in slots.values())
        for name, slot in slots.items():
            guess = guesses.get(name)
            if guess is None or (slot.kind is SlotKind.LEAVE and dated):
                continue  # the days that are said are the new ones
            got = await self._got(slot, guess, sender, world)
            if isinstance(got, Filled):
                clear.add(name)
            elif got:
                asked.append(name)
        return frozenset(clear or asked[:1])

    async def correct(
        self,
        request: Request,
        guesses: Mapping[str, Guess],
        sender: Person,
        world: World,
        said: Said,
    ) -> Change:
        """:raises Stale: somebody moved it first"""
        if request.revision >= _MOST:
            return await self.put_back(request, TOO_OFTEN, said)
        try:
            meant = await self.meant(request, guesses, sender, world)
            if not meant:
                return Change.UNREAD
            began = self._without(request, meant)
            told = {name: guesses[name] for name in guesses if name in meant or name not in request.params}
            to, changes, shown = await self._asking.next_step(
                began, self._procedure(request), told, sender, world
            )
        except Impossible as why:
            return await self.put_back(request, str(why), said)
        except ConnectorError:
            return await self.put_back(request, DOWN, said)
        if to is State.REFUSED:
            data = shown(sender.id, said.service).data
            return await self.put_back(request, str(changes["outcome"]), said, data)
        params = changes["params"]
        if all(params.get(name) == request.params[name] for name in meant):
            return Change.SAME
        data = {
            "was": {name: request.params[name] for name in meant},
            "is": {name: params.get(name) for name in meant},
            **(shown(sender.id, said.service).data or {}),
        }
        await self._move(request, to, {**_void(began), **changes}, said, data)
        return Change.MADE

    async def reopen(self, request: Request, slot: str, sender: Person, world: World, said: Said) -> Change:
        """Ask for one slot again. :raises Stale:"""
        if slot not in request.params or request.revision >= _MOST:
            return Change.SAME
        began = self._without(request, frozenset({slot})).model_copy(update={"pick": None})
        action = self._procedure(request)
        question = next(each for each in action.slots if each.name == slot)
        try:
            pick = await fill(question, None, sender, world)
        except (Impossible, ConnectorError) as why:
            reason = DOWN if isinstance(why, ConnectorError) else str(why)
            return await self.put_back(request, reason, said)
        if isinstance(pick, Filled):  # there is only one it can be
            return Change.SAME
        changes = {**_void(began), "pick": pick, "asked": (*request.asked, slot)}
        await self._move(request, State.COLLECTING, changes, said, {"slot": slot})
        return Change.MADE

    async def put_back(
        self, request: Request, why: str, said: Said, data: Mapping[str, Any] | None = None
    ) -> Change:
        """As it was, and unconfirmed, with the reason. :raises Stale:"""
        began = self._without(request, frozenset())
        changes: dict[str, Any] = {**_void(began), "remark": why}
        if request.shown:
            changes["digest"] = digest_of(began, request.shown, request.policy_version)
            changes |= {"shown": request.shown, "resource": request.resource}
        elif request.pick:
            again = request.pick.model_copy(update={"note": f"{why} {request.pick.note}"})
            changes |= {"pick": again, "asked": (*request.asked, again.slot)}
        to = State.CONFIRMING if request.shown else State.COLLECTING
        await self._move(request, to, changes, said, {"kept": why, **(data or {})})
        return Change.KEPT

    async def withdraw(self, request: Request, outcome: str, said: Said) -> None:
        """It was meant for somebody else: nothing of it is done. :raises Stale:"""
        now = self._office.clock()

        def work(conn: Connection) -> None:
            note = self._note(conn, request, "request.withdrawn", said, {})
            changes = {"outcome": outcome, "inbound": said.inbound}
            ledger.move(conn, request, State.CANCELLED, note, now, **changes)

        await self._office.database.write(work)

    async def _got(self, slot: Slot, guess: Guess, sender: Person, world: World) -> Filled | Pick | None:
        """None: the words have nothing for this slot."""
        if not (guess.value or guess.candidates or guess.text or guess.problem):
            return None
        of_a_list = slot.kind in (SlotKind.ITEM, SlotKind.POLICY) and not guess.value
        if of_a_list and not await listed.says_which(slot, guess.text, sender, world):
            return None
        return await fill(slot, guess, sender, world)

    def _without(self, request: Request, slots: frozenset[str]) -> Request:
        """The next revision, with these slots empty and nothing said to it yet."""
        asked = [each.name for each in self._procedure(request).slots if each.asked and each.name in slots]
        return request.model_copy(
            update={
                "revision": request.revision + 1,
                "corrected_at": self._office.clock(),
                "params": {name: value for name, value in request.params.items() if name not in slots},
                "answers": {name: label for name, label in request.answers.items() if name not in slots},
                "pick": Pick(slot=asked[0]) if asked else None,
                "shown": None,
                "digest": "",
                "resource": None,
            }
        )

    async def _move(
        self, request: Request, to: State, changes: dict[str, Any], said: Said, data: Mapping[str, Any]
    ) -> None:
        now = self._office.clock()

        def work(conn: Connection) -> None:
            decided = [each.person for each in ledger.approvals(conn, request.ref)]
            void = {"confirmed": request.confirmed_at is not None, "decided": decided}
            about = {**data, "revision": request.revision + 1, "void": void}
            note = self._note(conn, request, "request.corrected", said, about)
            quoted = (*request.said, note.words.id) if note.words else request.said
            told = {**changes, "said": quoted, "inbound": said.inbound}
            ledger.void(conn, request.ref)
            self._timers.follow(conn, ledger.move(conn, request, to, note, now, **told))

        await self._office.database.write(work)

    def _note(
        self, conn: Connection, request: Request, kind: str, said: Said, data: Mapping[str, Any]
    ) -> Note:
        """With their words kept where people's words are kept."""
        by = request.requester
        words = self._office.words.record(conn, by, said.words) if said.words else None
        return Note(kind, by, said.service, data=data, words=words)

    def _procedure(self, request: Request) -> Procedure:
        action = self._office.registry[request.action]
        assert isinstance(action, Procedure), "only procedures become requests"
        return action


def _void(began: Request) -> dict[str, Any]:
    """Nobody has said anything to the new revision."""
    return {
        "revision": began.revision,
        "corrected_at": began.corrected_at,
        "params": began.params,
        "answers": began.answers,
        "pick": None,
        "shown": None,
        "digest": "",
        "resource": None,
        "confirmed_at": None,
        "stages": (),
        "quorum": 0,
        "needs": (),
        "proof": (),
        "stage": 0,
        "seats": {},
        "reminded": (),
        "remind_at": None,
        "expires_at": None,
        "remark": "",
    }
