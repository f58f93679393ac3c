"""What is offered where nothing is sure: the likely actions as buttons, and a person. Never a guess."""

from __future__ import annotations

from datetime import timedelta

from bot.audit.query import Filter, find
from bot.chat.card import Button, Card, Tone
from bot.chat.inbound import Inbound
from bot.intent.understand import Proposal
from bot.procedures.help_desk import HelpDeskThreads
from bot.procedures.lookup import Lookups
from bot.procedures.office import Office
from bot.store.handles import Choice, Handles, Meaning
from integrations.contract import Person

PERSON = "talk_to_a_person"  # the action

_LIKELY = 3  # actions
_IN_A_ROW = timedelta(minutes=10)

_QUESTION = (
    "That sounds like a question, and I only do things; people at the help desk answer. Or did you mean:"
)
_UNSURE = "I am not sure what you would like me to do. Did you mean one of these?"
_AGAIN = "I did not understand that either. A person can take it from here, and you need not say it twice."


class Offers:
    def __init__(self, office: Office, lookups: Lookups, help_desk: HelpDeskThreads | None) -> None:
        self._office = office
        self._lookups = lookups
        self._help_desk = help_desk

    async def card(self, person: Person, inbound: Inbound, proposal: Proposal) -> Card:
        again = self._misunderstood(person)
        data = {"ranking": [[name, round(p, 3)] for name, p in proposal.ranking[:_LIKELY]]}
        kept = await self._lookups.audit(
            "", "message.unclear", "ok", person, person, inbound, inbound.text, data
        )
        with self._office.database.read() as conn:
            handles = Handles.of(conn, inbound.key)
        names = [name for name, _ in proposal.ranking if name in self._office.registry][:_LIKELY]
        if self._help_desk and PERSON in self._office.registry:
            names = [PERSON, *names] if again else [*names, PERSON]
        buttons = [
            self._button(handles, inbound, person, name, kept, first=again and name == PERSON)
            for name in dict.fromkeys(names)
        ]
        if kept and self._help_desk and (key := self._help_desk.open_key(person)):
            detail = {"key": key, "words": kept}
            handle = handles.mint(Meaning(inbound.key, Choice.REPLY, person.id, detail=detail))
            buttons.append(Button(label=f"Pass it on to {key}", handle=handle, sends_inputs=False))
        await self._office.database.write(handles.keep)
        text = _AGAIN if again and self._help_desk else _QUESTION if proposal.question else _UNSURE
        return Card(title="How can I help?", text=text, buttons=tuple(buttons))

    def _button(
        self, handles: Handles, inbound: Inbound, person: Person, name: str, words: int | None, *, first: bool
    ) -> Button:
        detail = {"action": name, "words": words}
        return Button(
            label=self._office.registry[name].title,
            handle=handles.mint(Meaning(inbound.key, Choice.BEGIN, person.id, detail=detail)),
            tone=Tone.PRIMARY if first else Tone.PLAIN,
            sends_inputs=False,
        )

    def _misunderstood(self, person: Person) -> bool:
        """Whether the last thing they wrote, a moment ago, was not understood either."""
        since = self._office.clock() - _IN_A_ROW
        with self._office.database.read() as conn:
            before = find(conn, Filter(person=person.id, since=since), limit=1)
        return bool(before) and before[0].event.kind == "message.unclear"
