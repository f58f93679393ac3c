"""From a manager's press on Approve until it is done and every card says so: how soon, how many a second."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.crowd import Waiting, ask_and_confirm, hire
from bench.figure import Figure, percentile, say
from bot.chat.inbound import Inbound, InboundKind
from bot.procedures.request import State
from bot.settings.paths import Paths
from integrations.company import Company
from tests.house import House, house

LIMITS = {"requests_per_minute": 10**6, "open_per_person": 10**6}
_AT_ONCE = 32  # presses under way


async def main(quick: bool) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for all of it
    one_by_one, together = (40, 120) if quick else (200, 1000)
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        Company.open(Paths(data).company).close()
        accounts = hire(data, one_by_one + together)
        async with house(data, **LIMITS) as desk:
            begun = time.perf_counter()
            ready = await ask_and_confirm(desk, accounts)
            rate = len(ready) / (time.perf_counter() - begun)
            say(Figure("asked and confirmed, one core", rate, "/s"))
            await _latency(desk, ready[:one_by_one])
            await _rate(desk, ready[one_by_one:])
            _all_done(desk, len(accounts))


async def _press(desk: House, request: Waiting) -> float:
    """Seconds until the answer: by then it is done, and the cards are changed."""
    inbound = Inbound(
        platform="web",
        id=f"press:{request.ref}",
        kind=InboundKind.PRESS,
        account=request.approver,
        conversation=f"dm:{request.approver}",
        direct=True,
        handle=request.handle,
        at=desk.clock(),
    )
    begun = time.perf_counter()
    await desk.app.desk.receive(inbound)
    return time.perf_counter() - begun


async def _latency(desk: House, ready: list[Waiting]) -> None:
    busy = time.process_time()
    took = [await _press(desk, request) * 1e3 for request in ready]
    busy = (time.process_time() - busy) / len(ready) * 1e3
    say(
        Figure(
            "press Approve to done, p50",
            statistics.median(took),
            "ms",
            bar=150,
            note=f"{busy:.1f} ms of processor; one core",
        )
    )
    say(Figure("press Approve to done, p99", percentile(took, 0.99), "ms"))


async def _rate(desk: House, ready: list[Waiting]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(request: Waiting) -> None:
        async with gate:
            await _press(desk, request)

    busy, begun = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one(request) for request in ready))
    await desk.app.desk.finish()
    wall, busy = time.perf_counter() - begun, time.process_time() - busy
    say(
        Figure(
            "approvals, press to done, one core",
            len(ready) / wall,
            "/s",
            bar=100,
            more_is_better=True,
            note=f"{busy / len(ready) * 1e3:.1f} ms of processor each; {_AT_ONCE} presses under way",
        )
    )


def _all_done(desk: House, wanted: int) -> None:
    done = len(desk.requests(State.ACTIVE))
    if done != wanted:
        sys.exit(f"{done} of {wanted} requests were granted; the figures above do not count")


if __name__ == "__main__":
    asyncio.run(main("--quick" in sys.argv))
