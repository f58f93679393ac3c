"""Look-ups: one gate, one audit event, one answer. No request row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from bot.audit.trail import Event, append
from bot.chat.card import Card, Tone
from bot.chat.inbound import Inbound
from bot.procedures.action import Declined, Impossible, Lookup, World
from bot.procedures.gate import Gate, recorded
from bot.procedures.guess import Guess
from bot.procedures.office import Office
from bot.procedures.request import Pick
from bot.procedures.slots import fill
from integrations.contract import Person


class Lookups:
    def __init__(self, office: Office, gate: Gate) -> None:
        self._office = office
        self._gate = gate

    async def answer(
        self,
        sender: Person,
        action: Lookup,
        guesses: Mapping[str, Guess],
        world: World,
        inbound: Inbound,
        *,
        words: str,
        understood: str,
    ) -> list[Card]:
        """The answer, or why not. It is audited before it is given.

        :raises Impossible: what was asked for is not there, :raises SystemDown:
        """
        params = await self._params(sender, action, guesses, world)
        subject = await action.subject(world, sender, params)
        ask = await self._gate.ask(action.policy or action.name, sender.id, subject.id)
        decision = await self._gate.request(ask)
        data = {"decision": recorded(decision), "understood": understood}
        if not decision.allowed or decision.stages:  # nobody is asked for an answer that is given at once
            why = " ".join(decision.why)
            await self.audit(action.name, "lookup.refused", "refused", sender, subject, inbound, words, data)
            return [Card(title=action.title, text=why, tone=Tone.DANGER, status="Refused")]
        answer = await action.answer(world, sender, subject, params)
        await self.audit(action.name, "lookup.answered", "ok", sender, subject, inbound, words, data)
        return answer

    async def decline(
        self, sender: Person, action: Declined, inbound: Inbound, *, words: str, understood: str
    ) -> list[Card]:
        """Understood, never done: why, and the way out."""
        data = {"understood": understood}
        await self.audit(action.name, "action.declined", "refused", sender, sender, inbound, words, data)
        text = f"{action.why}\n\n{action.way_out}"
        return [Card(title=action.title, text=text, tone=Tone.WARN, status="Not by chat")]

    async def audit(
        self,
        action: str,
        kind: str,
        outcome: str,
        sender: Person,
        subject: Person,
        inbound: Inbound,
        words: str,
        data: Mapping[str, Any],
    ) -> int | None:
        """Keep what was asked in which words. Returns the id of the words, where there are any."""
        event = Event(
            at=self._office.clock(),
            kind=kind,
            actor=sender.id,
            service=inbound.platform,
            outcome=outcome,
            action=action,
            subject=subject.id,
            data={**data, "inbound": inbound.id},
        )

        def work(conn: Connection) -> int | None:
            kept = self._office.words.record(conn, sender.id, words) if words else None
            append(conn, event, words=kept)
            return kept.id if kept else None

        return await self._office.database.write(work)

    async def _params(
        self, sender: Person, action: Lookup, guesses: Mapping[str, Guess], world: World
    ) -> dict[str, Any]:
        params: dict[str, Any] = {}
        for slot in action.slots:
            guess = guesses.get(slot.name)
            if guess is None or not (guess.text or guess.value or guess.candidates):
                if slot.required:
                    raise Impossible(slot.question)
                if guess is not None and guess.problem:
                    raise Impossible(guess.problem)
                continue
            got = await fill(slot, guess, sender, world)
            if isinstance(got, Pick):
                raise Impossible("I do not know whom you mean. Write their full name or their mail address.")
            params[slot.name] = got.value
        return params
