"""Look-ups that were declared in files, as actions: asked, gated and audited like any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.chat.card import Card, Fact, Tone
from bot.chat.clean import plain
from bot.procedures.action import Action, Lookup, Params, Slot, SlotKind, World
from integrations.contract import Person
from integrations.declared import Fetcher, LookUp, NotFound, load

Ask = Callable[[Mapping[str, str], Person], Awaitable[tuple[str, list[tuple[str, str]]]]]


@dataclass(frozen=True)
class Declared(Lookup):
    """One of them. Who asks is put into the address by us; the words can fill its slots and nothing else."""

    phrases: tuple[str, ...]  # what people write when they want it
    ask: Ask

    async def answer(self, world: World, sender: Person, subject: Person, params: Params) -> list[Card]:
        try:
            line, facts = await self.ask({name: str(value) for name, value in params.items()}, sender)
        except NotFound:
            line, facts = "", []
        if not line and not facts:
            return [Card(title=self.title, text="Nothing is known about that.", tone=Tone.PLAIN)]
        shown = tuple(Fact(label=plain(label, 40), value=plain(value, 500)) for label, value in facts)
        return [Card(title=self.title, text=plain(line, 500), facts=shown)]


def declared(folder: Path | None, ca_file: Path | None = None) -> dict[str, Action]:
    """The look-ups of a folder, by name. :raises DeclaredError:"""
    if folder is None:
        return {}
    fetcher = Fetcher(ca_file)
    return {look_up.name: _action(look_up, secret, fetcher) for look_up, secret in load(folder)}


def _action(look_up: LookUp, secret: str, fetcher: Fetcher) -> Action:
    slots = tuple(
        Slot(name, SlotKind.WORD, slot.ask, pattern=slot.pattern) for name, slot in look_up.slots.items()
    )

    async def ask(values: Mapping[str, str], me: Person) -> tuple[str, list[tuple[str, str]]]:
        return await fetcher.ask(look_up, secret, values, me)

    about = {"name": look_up.name, "title": look_up.title, "slots": slots, "policy": look_up.policy}
    made: type[Declared] = type(f"Declared_{look_up.name}", (Declared,), about)
    return made(look_up.phrases, ask)
