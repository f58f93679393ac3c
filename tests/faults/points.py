"""Where the desk can die: every write, every effect, every card, every job, every answer.

Hooks around the real functions count what passes by and, at the one point that was chosen, kill the
process with SIGKILL. Only the child of the fault suite installs them.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bot.chat.web.send import WebPlatform
from bot.durable import Jobs
from bot.procedures import ledger
from bot.store import deliveries, frozen, sealed
from bot.store.database import Database
from bot.store.inbox import Inbox, forget
from integrations.company import accounts, groups, tickets, time_off
from integrations.company.client import Client

ANY = "*"  # a target that counts points of every name
_IDS = re.compile(r"R-[0-9A-Z]{6}:?|p-\d+:?|in:web:.*")


class Points:
    """Counts from the moment it is armed."""

    def __init__(self, note: Path) -> None:
        self._note = note  # where the name of the last point is left behind
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self._target: tuple[str, int] | None = None
        self.passed: list[tuple[str, int]] | None = None  # while tracing

    def arm(self, name: str, nth: int) -> None:
        with self._lock:
            self._seen.clear()
            self._target = (name, nth)

    def trace(self) -> None:
        with self._lock:
            self._seen.clear()
            self._target, self.passed = None, []

    def hit(self, name: str) -> None:
        with self._lock:
            self._seen[name] += 1
            self._seen[ANY] += 1
            if self.passed is not None:
                self.passed.append((name, self._seen[name]))
            if self._target in ((name, self._seen[name]), (ANY, self._seen[ANY])):
                self._note.write_text(name)
                os.kill(os.getpid(), signal.SIGKILL)


def install(points: Points) -> None:
    marks = threading.local()  # what the unit of work that runs on this thread has done so far
    _mark_what_is_written(marks)
    _around_writes(points, marks)
    _around_effects(points, marks)
    _around_cards(points)
    _around_jobs(points)


def _mark(marks: threading.local, name: str) -> None:
    marks.done = [*getattr(marks, "done", []), name]


def _mark_what_is_written(marks: threading.local) -> None:
    def marked(owner: Any, name: str, label: Callable[..., str]) -> None:
        real = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            value = real(*args, **kwargs)
            _mark(marks, label(*args))
            return value

        setattr(owner, name, wrapped)

    marked(ledger, "create", lambda conn, request, note: note.kind)
    marked(ledger, "move", lambda conn, request, to, note, at: f"{note.kind}>{to}")
    marked(ledger, "begin_step", lambda conn, ref, name, state, seen: f"step.{state}")
    marked(ledger, "set_step", lambda conn, ref, name, state: f"step.{state}")
    marked(ledger, "approve", lambda conn, ref, approval, at: "approval")
    marked(deliveries, "record", lambda conn, ref, rows: "deliveries")
    marked(sealed, "destroy", lambda conn, ref: "destroy")
    marked(frozen, "freeze", lambda conn, person, by, at: "freeze")
    marked(Inbox, "put", lambda inbox, conn, inbound: f"inbox.put:{inbound.kind}")
    marked(Inbox, "done", lambda inbox, conn, inbound: f"inbox.done:{inbound.kind}")
    for module in (accounts, groups, tickets, time_off):
        marked(module, "record", lambda conn, op, kind, *rest: kind)


def _around_writes(points: Points, marks: threading.local) -> None:
    write, write_along = Database.write, Database.write_along

    def marked(work: Any, names: list[str]) -> Callable[[Any], Any]:
        """The unit of work with a point at its end; ``names`` gets what it did."""

        def marking(conn: Any) -> Any:
            marks.done = []
            value = work(conn)
            names[:] = marks.done or names
            points.hit(f"write {'+'.join(names)}: before the commit")
            return value

        return marking

    async def writing(self: Database, work: Any) -> Any:
        function = work.func if isinstance(work, partial) else work
        if function is forget:  # housekeeping: nobody's request
            return await write(self, work)
        names = [function.__qualname__.replace(".<locals>", "").replace(".<lambda>", "")]
        value = await write(self, marked(work, names))
        points.hit(f"write {'+'.join(names)}: after the commit")
        return value

    def writing_along(self: Database, work: Any) -> None:
        points.hit("write along: before")
        write_along(self, marked(work, ["along"]))

    Database.write, Database.write_along = writing, writing_along  # type: ignore[method-assign]  # hooks


def _around_effects(points: Points, marks: threading.local) -> None:
    real = Client._transaction

    def transaction(self: Client, work: Callable[[Any], Any]) -> Any:
        name = "look"

        def marked(connection: Any) -> Any:
            nonlocal name
            marks.done = []
            value = work(connection)
            name = "+".join(marks.done) or name
            points.hit(f"company {name}: before the commit")
            return value

        points.hit("company: before the write")
        value = real(self, marked)
        points.hit(f"company {name}: after the commit")
        return value

    Client._transaction = transaction  # type: ignore[method-assign]  # a hook


def _around_cards(points: Points) -> None:
    send, update = WebPlatform.send, WebPlatform.update

    async def sending(self: WebPlatform, conversation: str, card: Any, *, key: str) -> Any:
        name = _IDS.sub("", key).strip(":") or "reply"
        points.hit(f"send {name}: before")
        ref = await send(self, conversation, card, key=key)
        points.hit(f"send {name}: after")
        return ref

    async def updating(self: WebPlatform, ref: Any, card: Any) -> None:
        points.hit("update: before")
        await update(self, ref, card)
        points.hit("update: after")

    WebPlatform.send, WebPlatform.update = sending, updating  # type: ignore[method-assign]  # hooks


def _around_jobs(points: Points) -> None:
    real = Jobs._run

    async def run(self: Jobs, name: str, args: dict[str, Any]) -> None:
        points.hit("job: before")
        await real(self, name, args)
        points.hit("job: after")

    Jobs._run = run  # type: ignore[method-assign]  # a hook
