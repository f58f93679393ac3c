"""The process that is killed: the real desk on a data folder, driven over a socket.

``python -m tests.faults.child SOCKET`` is the zygote: it imports everything once, listens, and forks
a child for each connection. The first line of a connection says how that child is to live; each
later line is a command, answered under its number.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sqlite3
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from bot import app as composition
from bot import durable
from bot.actions import discover
from bot.app import App, running
from bot.chat.inbound import Inbound
from bot.chat.web.render import shown
from bot.intent.classify import Classifier
from bot.intent.understand import Proposal, SlotGuess, Understander
from bot.procedures import execute, ledger, timers
from bot.procedures.announce import views
from bot.procedures.request import State
from bot.procedures.reveal import Refused, Reveals
from bot.settings import Settings
from bot.settings.paths import Paths
from bot.store import deliveries
from bot.store.handles import Handles
from bot.store.lock import AlreadyRunning
from tests.faults.points import Points, install
from tests.faults.seeded import forget

_LOCK_TRIES = 100  # of 10 ms: the killed process may still be going
SCRIPT = "script:"  # a message that names its action and slots: what it wants is not what is tested here

# What is unfinished on disk: an inbound without its replies, a request that somebody has to go on with.
UNFINISHED = """
    SELECT (SELECT count(*) FROM inbox WHERE body IS NOT NULL)
         + (SELECT count(*) FROM requests WHERE state IN ('executing', 'revoking')
            OR (state = 'active' AND ends_at <= strftime('%Y-%m-%dT%H:%M:%f', 'now'))
            OR (state = 'approving' AND coalesce(json_extract(body, '$.stage'), 0)
                >= coalesce(json_array_length(body, '$.stages'), 0)))
"""


class Scripted(Understander):
    """Understands what tests say to the letter, and everything else as always."""

    def propose(self, text: str, **how: Any) -> Proposal:
        if not text.startswith(SCRIPT):
            return super().propose(text, **how)
        said = json.loads(text.removeprefix(SCRIPT))
        slots = {
            name: SlotGuess(text=value["text"])
            if isinstance(value, dict) and "text" in value
            else SlotGuess(value)
            for name, value in said["slots"].items()
        }
        return Proposal(said["action"], 1.0, "script", slots)


def hasten() -> None:
    """The same clockwork, with shorter hands: nobody waits ten seconds for five hundred kills."""
    timers._NET = timedelta(seconds=0.4)
    durable._POLL_S = 0.1
    composition._SWEEP_S = 0.5
    execute._PAUSES_S = (0.05, 0.1)


def warm() -> None:
    """Load once, before the first fork, what no life changes."""
    settings = Settings()
    loaded = composition.load_policies(settings, discover())
    classifier = Classifier.load()
    composition.load_policies = lambda settings, registry: loaded
    Classifier.load = classmethod(lambda cls, *args: classifier)  # type: ignore[assignment]
    vars(composition)["Understander"] = Scripted


def serve(path: str) -> None:
    """Fork a child for every connection, until nobody listens any more on stdin."""
    warm()
    hasten()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried at once
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _live(connection)
                os._exit(0)
            connection.close()


def _live(connection: socket.socket) -> None:
    first = connection.makefile("rb", buffering=0).readline()
    if not first:
        return
    how = json.loads(first)
    data = Path(how["data"])
    log = os.open(data / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    structlog.configure(
        [structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer(key_order=["event"])],
        structlog.make_filtering_bound_logger(logging.WARNING),
    )
    if how.get("fault") == "forget":
        forget()
    points = Points(data / "died-at")
    install(points)
    try:
        asyncio.run(_serve_one(connection, how, points))
    except BaseException:  # noqa: BLE001  it is told to whoever waits, and the process ends
        traceback.print_exc()
        connection.sendall(json.dumps({"failed": traceback.format_exc()}).encode() + b"\n")
        os._exit(1)


async def _serve_one(connection: socket.socket, how: dict[str, Any], points: Points) -> None:
    connection.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=connection, limit=2**24)
    paths = Paths(Path(how["data"]))
    unfinished = _unfinished(paths.database)
    if how.get("arm"):
        points.arm(*how["arm"])
    times: dict[str, Any] = {name: timedelta(seconds=value) for name, value in how["times"].items()}
    # The same people come again and again, also after a new password: no quarantine, and no other limit.
    times["quarantine"] = timedelta(0)
    settings = Settings(data=paths.data, requests_per_minute=10**6, open_per_person=10**6, **times)
    for _ in range(_LOCK_TRIES):
        try:
            async with running(settings) as app:
                child = Child(app, points, writer)
                child.tell({"ready": os.getpid(), "unfinished": unfinished})
                await child.obey(reader)
                os._exit(0)
        except AlreadyRunning:
            await asyncio.sleep(0.01)
    raise AlreadyRunning(str(paths.data))


def _unfinished(database: Path) -> int:
    """As the last life left it. The connection stays open: closing it would tidy up after the dead."""
    if not database.exists():
        return 0
    connection = sqlite3.connect(database, timeout=10)
    try:
        found = connection.execute(UNFINISHED).fetchone()[0]
    except sqlite3.OperationalError:  # died before the tables were made
        return 0
    _kept.append(connection)
    return int(found)


_kept: list[sqlite3.Connection] = []


class Child:
    """Obeys commands: each name is a method ``do_NAME``."""

    def __init__(self, app: App, points: Points, writer: asyncio.StreamWriter) -> None:
        self._app = app
        self._points = points
        self._writer = writer
        self._reveals = Reveals(app.office, app.engine)
        self._tasks: set[asyncio.Task[None]] = set()
        paths = Paths(app.settings.data)
        self._files = {"desk": paths.database, "web": paths.web, "company": paths.company}
        self._open: dict[str, sqlite3.Connection] = {}

    def tell(self, message: dict[str, Any]) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def obey(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            task = asyncio.create_task(self._one(json.loads(line)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _one(self, command: dict[str, Any]) -> None:
        number, name = command.pop("n"), command.pop("do")
        handler: Callable[..., Awaitable[Any]] = getattr(self, f"do_{name}")
        try:
            answer = {"answer": await handler(**command)}
        except Exception as error:  # noqa: BLE001  the answer of whoever asked
            answer = {"error": f"{type(error).__name__}: {error}"}
        if name == "receive":
            self._points.hit("answer: before")
        self.tell({"n": number, **answer})
        if name == "receive":
            await self._writer.drain()
            self._points.hit("answer: after")

    async def do_receive(self, inbound: dict[str, Any]) -> Any:
        return (await self._app.desk.receive(Inbound.model_validate(inbound))).model_dump(mode="json")

    async def do_reveal(self, token: str, code: str) -> bool:
        return not isinstance(await self._reveals.show(token, code=code), Refused)

    async def do_query(self, file: str, sql: str, values: list[Any]) -> list[Any]:
        if file not in self._open:
            self._open[file] = sqlite3.connect(self._files[file], timeout=10)
        return [list(row) for row in self._open[file].execute(sql, values)]

    async def do_lock(self, person: str) -> None:
        await self._app.company.hr.lock(person)

    async def do_freeze(self, person: str, on: bool) -> None:
        await self._app.engine.freeze(person, "deskhand", "test", on=on)

    async def do_arm(self, name: str, nth: int) -> None:
        self._points.arm(name, nth)

    async def do_trace(self) -> None:
        self._points.trace()

    async def do_traced(self) -> list[tuple[str, int]]:
        passed, self._points.passed = self._points.passed or [], None
        return passed

    async def do_cards(self) -> list[str]:
        """Cards that are missing, or do not show the state that is stored."""
        announcer, wrong = self._app.engine._announcer, []
        with self._app.office.database.read() as conn:
            requests = ledger.in_state(conn, tuple(State))
        for request in requests:
            with self._app.office.database.read() as conn:
                story = announcer._stories.of(conn, request)
                sent = deliveries.of(conn, request.ref)
                handles = Handles.of(conn, request.ref)
            admins = await announcer._admins() if request.alarm else frozenset()
            for view in views(story, frozenset(sent), admins, ("web",)):
                there = sent.get(view.key)
                found = await self._app.web.message(there.message_id) if there else None
                if found is None or found.card != shown(view.card(story, handles)).model_dump_json():
                    wrong.append(
                        f"{request.ref} {request.state}: {view.key} {'is stale' if found else 'is missing'}"
                    )
        return wrong


if __name__ == "__main__":
    serve(sys.argv[1])
