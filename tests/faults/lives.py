"""A desk through all its lives: started, killed, started again, and asked again where it gave no answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.chat.inbound import Inbound
from bot.settings import PREFIXES
from bot.settings.paths import Paths
from tests.house import company_template

_ROOT = Path(__file__).resolve().parents[2]
_START_S = 20.0


class Died(Exception):
    """The process was killed before it answered."""


class Broken(Exception):
    """The desk does not start, or answers with an error that is none of the expected ones."""


@contextmanager
def zygote() -> Iterator[Path]:
    """A process that has everything imported; connecting to its socket gives a fresh desk process."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    path = folder / "zygote"
    command = [sys.executable, "-m", "tests.faults.child", str(path)]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, env=_environment())
    assert process.stdout is not None
    try:
        if process.stdout.readline() != b"ready\n":
            raise Broken("the zygote did not start")
        yield path
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}


@dataclass(frozen=True, slots=True)
class Kill:
    point: str  # where it died; empty: at a random moment
    in_flight: bool


@dataclass
class Lives:
    """One data folder. While ``keep`` runs, there is always a living process, or soon will be."""

    zygote: Path
    data: Path
    fault: str = ""
    times: dict[str, float] = field(default_factory=dict)  # settings in seconds
    arm_next: tuple[str, int] | None = None  # where the next life is to die
    kills: list[Kill] = field(default_factory=list)
    acknowledged: dict[str, Inbound] = field(default_factory=dict)
    closing: bool = False
    _pid: int = 0
    _outstanding: int = 0
    _number: int = 0
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _alive: asyncio.Event = field(default_factory=asyncio.Event)
    _born: asyncio.Event = field(default_factory=asyncio.Event)
    _dead: list[tuple[str, int]] = field(
        default_factory=list
    )  # since the last life: where, and how many unanswered
    _writer: asyncio.StreamWriter | None = None

    async def keep(self) -> None:
        """Start it, and start it again whenever it died."""
        self.data.mkdir(parents=True, exist_ok=True)
        if not Paths(self.data).company.exists():
            shutil.copy(company_template(), Paths(self.data).company)
        while not self.closing:
            reader, self._writer = await asyncio.open_unix_connection(str(self.zygote), limit=2**24)
            self._send(
                {"data": str(self.data), "fault": self.fault, "times": self.times, "arm": self.arm_next}
            )
            self.arm_next = None
            while line := await _line(reader):
                message = json.loads(line)
                if "failed" in message:
                    raise Broken(message["failed"])
                if "ready" in message:
                    self._pid = message["ready"]
                    self.kills += [
                        Kill(point, bool(asked or message["unfinished"])) for point, asked in self._dead
                    ]
                    self._dead.clear()
                    self._alive.set()
                    self._born.set()
                else:
                    self._answer(message)
            self._alive.clear()
            self._writer.close()
            self._dead.append((self._died_at(), self._outstanding))
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(Died())
            self._waiting.clear()

    def _died_at(self) -> str:
        note = self.data / "died-at"
        point = note.read_text() if note.exists() else ""
        note.unlink(missing_ok=True)
        return point

    def _answer(self, message: dict[str, Any]) -> None:
        future = self._waiting.pop(message["n"], None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(Broken(message["error"]))
        else:
            future.set_result(message["answer"])

    def _send(self, message: dict[str, Any]) -> None:
        assert self._writer is not None
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def call(self, do: str, **arguments: Any) -> Any:
        """:raises Died: no answer came"""
        await asyncio.wait_for(self._alive.wait(), _START_S)
        self._number += 1
        future = self._waiting[self._number] = asyncio.get_running_loop().create_future()
        self._send({"n": self._number, "do": do, **arguments})
        return await future

    async def surely(self, do: str, **arguments: Any) -> Any:
        """The same, for what may be asked again."""
        while True:
            try:
                return await self.call(do, **arguments)
            except Died:
                continue

    async def query(self, file: str, sql: str, *values: Any) -> list[Any]:
        rows: list[Any] = await self.surely("query", file=file, sql=sql, values=list(values))
        return rows

    async def receive(self, inbound: Inbound) -> dict[str, Any]:
        """Deliver it as a platform does: again, under the same id, until it is acknowledged."""
        self._outstanding += 1
        try:
            ack: dict[str, Any] = await self.surely("receive", inbound=inbound.model_dump(mode="json"))
        finally:
            self._outstanding -= 1
        self.acknowledged[inbound.id] = inbound
        return ack

    @property
    def busy(self) -> bool:
        """Somebody waits for an answer."""
        return self._outstanding > 0

    async def kill(self) -> None:
        """SIGKILL, now. Returns once the next life is there."""
        await self._alive.wait()
        before = len(self.kills)
        with contextlib.suppress(ProcessLookupError):  # it died by itself just now
            os.kill(self._pid, signal.SIGKILL)
        await self.died(before)

    async def died(self, before: int) -> None:
        """Wait until there was one more kill than ``before``, and a new life after it."""
        while len(self.kills) <= before:
            self._born.clear()
            await self._born.wait()

    def end(self) -> None:
        """The last life ends; it is not counted as a kill."""
        self.closing = True
        if self._alive.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ConnectionError:
        return b""


@asynccontextmanager
async def living(lives: Lives) -> AsyncIterator[Lives]:
    """Keeps it alive for as long as the block runs. :raises Broken: it does not start"""
    keeper = asyncio.create_task(lives.keep())
    user = asyncio.current_task()
    assert user is not None
    keeper.add_done_callback(lambda task: None if lives.closing else user.cancel())
    try:
        yield lives
    except asyncio.CancelledError:
        if keeper.done() and (error := keeper.exception()):
            raise error from None
        raise
    finally:
        lives.end()
        await asyncio.wait([keeper], timeout=5)
        keeper.cancel()
