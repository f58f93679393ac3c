"""What one understood, gated, audited look-up costs, without HTTP: whole, and stage by stage.

Processor time of the whole process, threads included: what the disk takes is not in it.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from bench.crowd import hire
from bench.figure import Figure, percentile, say
from bot.chat.inbound import Inbound
from bot.procedures.action import Lookup
from bot.settings.paths import Paths
from bot.store.inbox import lately
from integrations.company import Company
from tests.house import House, house

WORDS = "how many vacation days do I have left?"
ERRBOT_US = 400.0  # a bare regex turn of Errbot 6.2.1: 365-460 us
PEOPLE = 100  # who ask in turn
UNLIMITED = {"requests_per_minute": 10**6}


async def main(quick: bool) -> None:
    rounds, count = (3, 150) if quick else (7, 500)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        Company.open(Paths(data).company).close()
        people = hire(data, PEOPLE)
        async with house(data, **UNLIMITED) as desk:
            await _whole(desk, people, rounds, count)
            await _stages(desk, rounds, count)


async def _whole(desk: House, people: list[str], rounds: int, count: int) -> None:
    await _receive(desk, people, 2 * PEOPLE)
    busy, wall = [], []
    for _ in range(rounds):
        took, each = await _receive(desk, people, count)
        busy.append(took)
        wall += each
    assert "left" in (await desk.card(people[0])).text, "it was answered"
    say(
        Figure(
            "look-up without HTTP, processor",
            statistics.median(busy),
            "us",
            bar=4 * ERRBOT_US,
            note=f"best round {min(busy):,.0f}; aim {ERRBOT_US:.0f}",
        )
    )
    say(
        Figure(
            "look-up without HTTP, clock, p50",
            statistics.median(wall),
            "us",
            note=f"p99 {percentile(wall, 0.99):,.0f}; two commits to disk",
        )
    )


async def _receive(desk: House, people: list[str], count: int) -> tuple[float, list[float]]:
    """Microseconds of processor each, and by the clock; somebody else asks each time."""
    inbounds = [await desk.inbound(people[number % len(people)], WORDS) for number in range(count)]
    gc.collect()
    each = []
    busy = time.process_time()
    for inbound in inbounds:
        begun = time.perf_counter()
        await desk.app.desk.receive(inbound)
        each.append((time.perf_counter() - begun) * 1e6)
    return (time.process_time() - busy) / count * 1e6, each


async def _stages(desk: House, rounds: int, count: int) -> None:
    """The same work, one stage at a time, each in a loop of its own."""
    office, inner = desk.app.office, desk.app.desk
    inbox, lookups, gate = inner._inbox, inner._lookups, desk.app.engine.gate
    action = office.registry["pto_balance"]
    assert isinstance(action, Lookup)
    slots = {each.name: each.slots for each in office.registry.named()}
    message = await desk.inbound("ana", WORDS)
    person = await office.people.identify(message)
    ask = await gate.ask(action.name, person.id, person.id)
    cards = await action.answer(desk.app.engine.world(), person, person, {})

    def fresh() -> Inbound:
        return message.model_copy(update={"id": uuid4().hex})

    async def store() -> None:
        inbound = fresh()
        await office.database.write(
            lambda conn: (inbox.put(conn, inbound), lately(conn, inbound, office.clock()))
        )

    async def understand() -> None:
        inner._understander.propose(WORDS, now=office.clock(), time_zone=person.time_zone, slots_of=slots)

    async def question() -> None:
        desk.app.engine.waiting_question(person.id)

    async def audit() -> None:
        data = {"understood": "local 0.99"}
        await lookups.audit(action.name, "lookup.answered", "ok", person, person, message, WORDS, data)

    stages: dict[str, Callable[[], Awaitable[object]]] = {
        "store the message": store,
        "who is it": lambda: office.people.identify(message),
        "understand": understand,
        "is a question open": question,
        "facts for the gate": lambda: gate.ask(action.name, person.id, person.id),
        "decide": lambda: gate.request(ask),
        "answer": lambda: action.answer(desk.app.engine.world(), person, person, {}),
        "audit": audit,
        "send": lambda: inner._reply(fresh(), cards),
        "mark as done": lambda: office.database.write(lambda conn: inbox.done(conn, message)),
    }
    for name, stage in stages.items():
        took = [await _spent(stage, count) for _ in range(rounds)]
        say(Figure(f"  {name}", statistics.median(took), "us"))


async def _spent(stage: Callable[[], Awaitable[object]], count: int) -> float:
    busy = time.process_time()
    for _ in range(count):
        await stage()
    return (time.process_time() - busy) / count * 1e6


if __name__ == "__main__":
    asyncio.run(main("--quick" in sys.argv))
