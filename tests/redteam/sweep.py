"""All that a run does, desk by desk, in several processes at once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from tests.redteam.bulk import pour
from tests.redteam.dialogue import play
from tests.redteam.placements import BATCH, MODES, PLACES, place
from tests.redteam.tally import Finding, Tally

DESK, BULK = "desk", "bulk"
_SHOWN = 5  # findings of one desk that are printed in full
_DESK_SHARE = 0.2  # of the outputs go through the whole house
_DESK_SHARD, _BULK_SHARD = 800, 10_000  # outputs on one desk
_SHORT = (
    "name",
    "title",
    "group",
)  # hold the beginning of a string, so a quarter of the public ones does


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does on one desk."""

    level: str  # desk, bulk, or a place
    shard: int
    outputs: int = 0
    mode: str = ""
    strings: tuple[str, ...] = ()


def jobs(outputs: int, own: Sequence[str], public: Mapping[str, Sequence[str]]) -> Iterator[Job]:
    """Our own strings under every model in every place; a public one in every place, under one model each."""
    desk = round(outputs * _DESK_SHARE)
    yield from (Job(DESK, at, size) for at, size in enumerate(_shares(desk, _DESK_SHARD)))
    yield from (Job(BULK, at, size) for at, size in enumerate(_shares(outputs - desk, _BULK_SHARD)))
    more = [text for strings in public.values() for text in strings]
    for name in PLACES:
        for mode in MODES:
            yield from (Job(name, at, mode=mode, strings=part) for at, part in enumerate(_batches(own)))
        for at, part in enumerate(_batches(more[::4] if name in _SHORT else more), 1_000):
            yield Job(name, at, mode=MODES[at % len(MODES)], strings=part)


def _shares(whole: int, most: int) -> Iterator[int]:
    while whole > 0:
        yield min(whole, most)
        whole -= most


def _batches(strings: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for at in range(0, len(strings), BATCH):
        yield tuple(strings[at : at + BATCH])


def run(todo: Sequence[Job], seed: int, own: Sequence[str], workers: int) -> Tally:
    tally, done = Tally(), 0
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(work, job, seed, tuple(own)): job for job in todo}
        for ended in as_completed(waiting):
            result = _result(ended, waiting[ended], seed)
            tally.add(result)
            done += 1
            for finding in result.findings[:_SHOWN]:
                print("\n".join(finding.lines()), file=sys.stderr)
            said = f"redteam: {done} of {len(todo)} desks, {len(tally.findings)} findings"
            print(said, file=sys.stderr, end="\r" if sys.stderr.isatty() else "\n")
    return tally


def _result(ended: Future[Tally], job: Job, seed: int) -> Tally:
    """A desk that broke down is a finding like any other."""
    try:
        return ended.result()
    except Exception as error:  # noqa: BLE001  whatever it was
        where = (
            f"--seed {seed} --only {job.level} --shard {job.shard} {f'--mode {job.mode}' if job.mode else ''}"
        )
        return Tally(findings=[Finding("error", f"{type(error).__name__}: {error}", where, -1)])


def work(job: Job, seed: int, own: tuple[str, ...]) -> Tally:
    """One desk, in a process of the pool."""
    tally, began = Tally(), time.process_time()
    match job.level:
        case "desk":
            asyncio.run(play(tally, seed, job.shard, job.outputs, own))
        case "bulk":
            asyncio.run(pour(tally, seed, job.shard, job.outputs, own))
        case where:
            asyncio.run(place(tally, where, job.mode, job.strings, seed, job.shard))
    tally.counts["milliseconds of a core"] += round((time.process_time() - began) * 1000)
    return tally
