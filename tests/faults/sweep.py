"""The campaign: kill at every point of every scene, and at random moments of many at once."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.child import UNFINISHED
from tests.faults.judge import Verdict, judge
from tests.faults.lives import Broken, Kill, Lives, living, zygote
from tests.faults.play import ALONE, SCENES, Broke, Person, Play, TooLate
from tests.faults.points import ANY
from tests.house import company_template

# People with a manager who can decide, and in none of the groups that the scenes ask for.
_CAST = ("p-1030", "p-1032", "p-1061", "p-1070", "p-1094", "p-1050", "p-1041", "p-1021", "p-1031", "p-1060")
_FOLDERS = 2  # at once
_KILLS_A_FOLDER = 50  # then it is judged, and a fresh one begun
_AT_ONCE = 5  # scenes
_RANDOM_S = 0.3  # the longest life before a random kill
_AGAIN = 0.25  # of the lives after a random kill die at once again, while they recover
_AGAIN_POINTS = 20
_QUIET_S = 20.0
_TIMES = {"reveal_for": 2.0}
_TIMES_ALONE = {"remind_after": 0.3, "expire_after": 0.6}


@dataclass(frozen=True, slots=True)
class Target:
    """The ``nth`` time that a scene passes the point ``name``."""

    scene: str
    name: str
    nth: int

    @property
    def distance(self) -> int:
        """From an effect: the nearest are tried first, there a naive worker acts twice."""
        if self.name.startswith("company ") and "look" not in self.name:
            return 0
        return 1 if "step." in self.name else 2


@dataclass
class Outcome:
    kills: list[Kill] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    points: int = 0  # found in all scenes
    aimed: int = 0  # kills that hit the point they were aimed at
    seconds: float = 0.0

    @property
    def in_flight(self) -> int:
        return sum(kill.in_flight for kill in self.kills)

    @property
    def good(self) -> bool:
        return self.verdict.good and bool(self.kills) and self.in_flight >= 0.9 * len(self.kills)

    def summary(self) -> str:
        found = " ".join(f"{kind}={len(getattr(self.verdict, kind))}" for kind in Verdict.KINDS)
        return (
            f"kills={len(self.kills)} in_flight={self.in_flight} {found} requests={self.verdict.requests}"
            f" points={self.aimed}/{self.points} seconds={self.seconds:.0f}"
        )


class Sweep:
    def __init__(self, path: Path, folder: Path, seed: int, fault: str) -> None:
        self._zygote = path
        self._folder = folder
        self._chance = random.Random(seed)
        self._fault = fault
        self._folders = 0
        self.outcome = Outcome()

    async def run(self, kills: int, scenes: Sequence[str]) -> None:
        """At least this many kills: two thirds aimed, each at another point, the others at random."""
        targets = await self._points(scenes)
        self.outcome.points = len(targets)
        self._chance.shuffle(targets)
        targets.sort(key=lambda target: target.distance)
        targets = targets[: max(1, 2 * kills // 3)]
        jobs: list[Callable[[], Awaitable[None]]] = []
        for alone in (False, True):
            these = [target for target in targets if (target.scene in ALONE) is alone]
            for batch in _batches(these, _KILLS_A_FOLDER):
                jobs.append(lambda batch=batch, alone=alone: self._aimed(batch, alone))  # type: ignore[misc]  # bound
        crowd = [name for name in scenes if name in SCENES]
        for left in range(kills - len(targets) if crowd else 0, 0, -_KILLS_A_FOLDER):
            count = min(_KILLS_A_FOLDER, left)
            jobs.append(lambda count=count: self._at_random(count, crowd))  # type: ignore[misc]  # bound
        queue = iter(jobs)

        async def work() -> None:
            for job in queue:
                await job()

        await asyncio.gather(*(work() for _ in range(_FOLDERS)))
        if crowd and (short := kills - len(self.outcome.kills)) > 0:  # some points were not passed again
            await self._at_random(short, crowd)

    async def _points(self, scenes: Sequence[str]) -> list[Target]:
        """Every scene once, in peace: what points does it pass?"""
        found: list[Target] = []
        for alone in (False, True):
            names = [name for name in scenes if (name in ALONE) is alone]
            if names:
                async with self._folder_of_its_own(alone) as stage:
                    for name in names:
                        await stage.lives.surely("trace")
                        await stage.play(name)
                        passed = await stage.lives.surely("traced")
                        found += [Target(name, point, nth) for point, nth in passed]
        return found

    async def _aimed(self, batch: Sequence[Target], alone: bool) -> None:
        async with self._folder_of_its_own(alone) as stage:
            for target in batch:
                before = len(stage.lives.kills)
                await stage.lives.surely("arm", name=target.name, nth=target.nth)
                scene = stage.begin(target.scene, await stage.somebody())
                death = asyncio.create_task(stage.lives.died(before))
                await asyncio.wait([scene, death], return_when=asyncio.FIRST_COMPLETED)
                self.outcome.aimed += any(kill.point == target.name for kill in stage.lives.kills[before:])
                death.cancel()

    async def _at_random(self, count: int, crowd: Sequence[str]) -> None:
        async with self._folder_of_its_own(alone=False) as stage:
            lives = stage.lives
            while len(lives.kills) < count:
                while len(stage.scenes) < _AT_ONCE:
                    stage.begin(self._chance.choice(crowd), await stage.somebody())
                await asyncio.sleep(self._chance.uniform(0, _RANDOM_S))
                await stage.busy()
                if self._chance.random() < _AGAIN:
                    lives.arm_next = (ANY, self._chance.randint(1, _AGAIN_POINTS))
                await lives.kill()

    def _folder_of_its_own(self, alone: bool) -> _Stage:
        self._folders += 1
        data = self._folder / str(self._folders)
        times = _TIMES | (_TIMES_ALONE if alone else {})
        return _Stage(Lives(self._zygote, data, self._fault, times), self._chance, self.outcome)


class _Stage:
    """A data folder with people in it. Leaving it waits until all is quiet, and judges."""

    def __init__(self, lives: Lives, chance: random.Random, outcome: Outcome) -> None:
        self.lives = lives
        self.scenes: set[asyncio.Task[None]] = set()
        self._chance = chance
        self._outcome = outcome
        self._broken: list[str] = []
        self._living = living(lives)
        self._free: asyncio.Queue[str] = asyncio.Queue()
        for person in _CAST:
            self._free.put_nowait(person)

    async def __aenter__(self) -> _Stage:
        await self._living.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        missing: list[str] = []
        try:
            if error is None:
                await asyncio.gather(*self.scenes)
                missing = await self._quiet()
        finally:
            await self._living.__aexit__(kind, error, None)
        if error is not None:
            return
        verdict = judge(self.lives.data, self.lives.acknowledged.values())
        verdict.lost += self._broken
        verdict.cards += missing
        self._outcome.verdict.add(verdict)
        self._outcome.kills += self.lives.kills
        if verdict.good:
            shutil.rmtree(self.lives.data)

    async def somebody(self) -> Person:
        return Person(await self._free.get())

    def begin(self, scene: str, person: Person) -> asyncio.Task[None]:
        task = asyncio.create_task(self._played(scene, person))
        self.scenes.add(task)
        task.add_done_callback(self.scenes.discard)
        return task

    async def play(self, scene: str) -> None:
        await self.begin(scene, await self.somebody())

    async def _played(self, scene: str, person: Person) -> None:
        try:
            await (SCENES | ALONE)[scene](Play(self.lives, person, self._chance))
        except TooLate:
            return
        except (Broke, Broken) as broke:
            self._broken.append(f"{scene}: {broke}")
        finally:
            self._free.put_nowait(person.id)

    async def busy(self) -> None:
        """Until somebody waits for an answer."""
        while not self.lives.busy and self.scenes:  # noqa: ASYNC110  many reasons, none with an event
            await asyncio.sleep(0.001)

    async def _quiet(self) -> list[str]:
        """Until nothing is left to do. Returns the cards that are wrong even then."""
        end = time.monotonic() + _QUIET_S
        sealed = "SELECT count(*) FROM sealed"
        while True:
            counts = [(await self.lives.query("desk", sql))[0][0] for sql in (UNFINISHED, sealed)]
            wrong: list[str] = await self.lives.surely("cards")
            if not (wrong or any(counts)) or time.monotonic() > end:
                return wrong
            await asyncio.sleep(0.05)


def _batches(targets: Sequence[Target], size: int) -> list[Sequence[Target]]:
    return [targets[at : at + size] for at in range(0, len(targets), size)]


def sweep(kills: int, seed: int, fault: str = "", scenes: Sequence[str] = ()) -> Outcome:
    """Run a campaign. Folders in which something is wrong are kept in the system's folder for such."""
    started = time.monotonic()
    company_template()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    with zygote() as path:
        campaign = Sweep(path, folder, seed, fault)
        asyncio.run(campaign.run(kills, list(scenes) or [*SCENES, *ALONE]))
    if campaign.outcome.verdict.good:
        shutil.rmtree(folder)
    campaign.outcome.seconds = time.monotonic() - started
    return campaign.outcome
