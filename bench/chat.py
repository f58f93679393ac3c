"""What is measured of a chat platform: an event to its reply beside a bare no-op, and 50 a second, held."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Protocol

from bench.figure import Figure, busy_seconds, megabytes, percentile, say

PEOPLE = 100  # who ask in turn
PER_SECOND = 50
BARE_TIMES = 3.0  # the bar: so many bare no-ops


class Sender(Protocol):
    """Sends events to one address, somebody else each time."""

    async def send(self) -> float:
        """Seconds until it was acknowledged."""

    def replies(self) -> int:
        """Messages that were posted so far."""

    def doubled(self) -> int:
        """Messages that stand there twice."""


async def taken(sender: Sender, count: int) -> None:
    for _ in range(count):
        await sender.send()


async def replied(sender: Sender, count: int) -> list[float]:
    """Seconds from each event to its reply, one after the other."""
    took = []
    for _ in range(count):
        before, begun = sender.replies(), time.perf_counter()
        await sender.send()
        while sender.replies() == before:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.0005)
        took.append(time.perf_counter() - begun)
    return took


async def cost(
    name: str, bare: str, sender: Sender, other: Sender, pids: tuple[int, int], rounds: int, count: int
) -> None:
    """:param pids: of the desk, and of the bare app"""
    mine, theirs, clock = [], [], []
    for _ in range(rounds):  # in turn, so that both meet the same weather
        busy = busy_seconds(pids[0])
        clock += await replied(sender, count)
        mine.append((busy_seconds(pids[0]) - busy) / count * 1e6)
        busy = busy_seconds(pids[1])
        await taken(other, 4 * count)
        theirs.append((busy_seconds(pids[1]) - busy) / count / 4 * 1e6)
    whole, no_op = statistics.median(mine), statistics.median(theirs)
    note = f"clock p50 {statistics.median(clock) * 1e3:.1f} ms, p99 {percentile(clock, 0.99) * 1e3:.1f} ms"
    say(Figure(f"{name}: signed event to reply, processor", whole, "us", note=note))
    say(Figure(f"{bare}, processor", no_op, "us"))
    say(Figure(f"{name}: look-up, in bare no-ops", whole / no_op, "x", bar=BARE_TIMES))


async def held(name: str, sender: Sender, pid: int, seconds: int) -> None:
    """Fifty a second, whatever the answers take."""
    before, memory, busy = sender.replies(), megabytes(pid), busy_seconds(pid)
    total, begun, tasks = PER_SECOND * seconds, time.perf_counter(), []
    for number in range(total):
        await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
        tasks.append(asyncio.create_task(sender.send()))
    acknowledged = await asyncio.gather(*tasks)
    while sender.replies() - before < total and time.perf_counter() - begun < seconds + 60:  # noqa: ASYNC110  another process
        await asyncio.sleep(0.05)
    drained = time.perf_counter() - begun - seconds
    what = f"{name}: {PER_SECOND} inbound/s for {seconds} s"
    usual, rest = statistics.median(acknowledged) * 1e3, max(0.0, drained)
    note = f"p50 {usual:.1f} ms; last reply {rest:.1f} s after the end"
    say(Figure(f"{what}, acknowledge p99", percentile(acknowledged, 0.99) * 1e3, "ms", bar=250, note=note))
    say(Figure(f"{what}, lost", total - min(total, sender.replies() - before), "", bar=0))
    say(Figure(f"{what}, doubled", sender.doubled(), "", bar=0))
    share = (busy_seconds(pid) - busy) / (seconds + max(0.0, drained)) * 100
    say(Figure(f"{what}, of one core", share, "%", note=f"{megabytes(pid) - memory:+.0f} MB"))
