"""What is offered where nothing is sure: the likely actions as buttons, and a person. Never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from bot.audit.query import Filter, find
from bot.chat.card import Button, Card, Fact, Quote, Tone
from bot.chat.clean import plain
from bot.chat.inbound import Inbound
from bot.intent.clauses import Clause
from bot.intent.model import ModelFailed
from bot.intent.quoting import Quoting
from bot.intent.understand import Proposal
from bot.procedures.helping import Helping
from bot.procedures.lookup import Lookups
from bot.procedures.office import Office
from bot.store.handles import Choice, Handles, Meaning
from integrations.contract import ConnectorError, Person
from integrations.work import Passage

log = structlog.get_logger()

PERSON = "talk_to_a_person"  # the action

_LIKELY = 3  # actions
_IN_A_ROW = timedelta(minutes=10)

_QUESTION = (
    "That sounds like a question, and I only do things; people at the help desk answer. Or did you mean:"
)
_UNSURE = "I am not sure what you would like me to do. Did you mean one of these?"
_ONE_BY_ONE = "One thing at a time"
EACH = "You asked for more than one thing. Press for each, one after the other."
BESIDES = "You asked for more than one thing. One I begin at once; press for the rest."
_UNKNOWN = "Nothing that I may show you answers that."
_AGAIN = "I did not understand that either. A person can take it from here, and you need not say it twice."


class Offers:
    def __init__(
        self,
        office: Office,
        lookups: Lookups,
        helping: Helping,
        quoting: Quoting | None = None,
    ) -> None:
        self._office = office
        self._quoting = quoting
        self._lookups = lookups
        self._helping = helping

    async def card(self, person: Person, inbound: Inbound, proposal: Proposal) -> Card:
        if len(proposal.parts.wishes) > 1:
            return await self.one_by_one(person, inbound, proposal.parts.wishes, EACH, proposal.model)
        again = self._misunderstood(person)
        passages = await self._documents(person, inbound.text)
        found = await self._picked(person, inbound.text, passages, proposal)
        data: dict[str, Any] = {"ranking": [[name, round(p, 3)] for name, p in proposal.ranking[:_LIKELY]]}
        data |= {"model": proposal.model} if proposal.model else {}
        data |= {"documents": list(dict.fromkeys(each.file for each in found))} if found else {}
        kind = "message.answered" if found else "message.unclear"
        kept = await self._lookups.audit("", kind, "ok", person, person, inbound, inbound.text, data)
        with self._office.database.read() as conn:
            handles = Handles.of(conn, inbound.key)
        sure = (each.action for each in proposal.parts.wishes)
        likely = dict.fromkeys((proposal.suggested, *sure, *(name for name, _ in proposal.ranking)))
        names = [name for name in likely if name in self._office.registry][:_LIKELY]
        if self._helping.reaches and PERSON in self._office.registry:
            names = [PERSON, *names] if again else [*names, PERSON]
        buttons = [
            self._button(handles, inbound, person, name, kept, first=again and name == PERSON)
            for name in dict.fromkeys(names)
        ]
        if kept and (key := self._helping.open_key(person)):
            detail = {"key": key, "words": kept}
            handle = handles.mint(Meaning(inbound.key, Choice.REPLY, person.id, detail=detail))
            buttons.append(Button(label=f"Pass it on to {key}", handle=handle, sends_inputs=False))
        await self._office.database.write(handles.keep)
        if found:
            return _answer(found, buttons)
        if passages:
            return Card(title="I don't know", text=_UNKNOWN, buttons=tuple(buttons))
        text = _AGAIN if again and self._helping.reaches else _QUESTION if proposal.question else _UNSURE
        return Card(title="How can I help?", text=text, buttons=tuple(buttons))

    async def one_by_one(
        self,
        person: Person,
        inbound: Inbound,
        wishes: Sequence[Clause],
        text: str = BESIDES,
        model: str = "",
    ) -> Card:
        """What a message asks for too, each with its own words: nothing of it begins without a press."""
        with self._office.database.read() as conn:
            handles = Handles.of(conn, inbound.key)
        data = {"model": model} if model else {}
        facts, buttons = [], []
        for wish in wishes:
            kept = await self._lookups.audit(
                wish.action, "message.besides", "ok", person, person, inbound, wish.words, data
            )
            title = self._office.registry[wish.action].title
            facts.append(Fact(label=title, value=plain(wish.words, 300)))
            buttons.append(self._button(handles, inbound, person, wish.action, kept, first=False))
        await self._office.database.write(handles.keep)
        return Card(title=_ONE_BY_ONE, text=text, facts=tuple(facts), buttons=tuple(buttons))

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

    async def _documents(self, person: Person, question: str) -> list[Passage]:
        """What is written about it, for this person; what goes wrong there costs nobody an answer."""
        ports = self._office.ports
        if ports.documents is None:
            return []
        try:
            groups = await ports.directory.groups_of(person.id)
            return await ports.documents.ask(question, groups)
        except ConnectorError as error:
            log.warning("documents.failed", error=type(error).__name__, reason=str(error))
            return []

    async def _picked(
        self, person: Person, question: str, found: list[Passage], proposal: Proposal
    ) -> list[Passage]:
        """What a model finds the answer in; all of it where there is none, or it is of no use just now."""
        if not found or self._quoting is None or proposal.failed:
            return found
        try:
            return await self._quoting.pick(person, question, found)
        except ModelFailed:
            return found

    def _misunderstood(self, person: Person) -> bool:
        """Whether the last thing they wrote, a moment ago, was not understood either."""
        since = self._office.clock() - _IN_A_ROW
        with self._office.database.read() as conn:
            before = find(conn, Filter(person=person.id, since=since), limit=1)
        return bool(before) and before[0].event.kind == "message.unclear"


def _answer(found: Sequence[Passage], buttons: Sequence[Button]) -> Card:
    """Quotes with their sources, and nothing else: no document can make anything happen."""
    sources = dict.fromkeys((plain(each.title, 100), each.url) for each in found)
    return Card(
        title="This is what I found",
        text="I only quote what is written. If it is not what you meant, choose below.",
        quotes=tuple(
            Quote(
                label=plain(" · ".join(filter(None, (each.title, each.heading))), 150),
                text=plain(each.text, 900),
            )
            for each in found
        ),
        facts=tuple(Fact(label="Source", value=", ".join(filter(None, source))) for source in sources),
        buttons=tuple(buttons),
    )
