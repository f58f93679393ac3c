"""The jobs of a request: one handler, ``settle``, woken by the safety net and by the clock.

Each is committed with the move that calls for it. A job that comes when there is nothing to do
does nothing, so none is ever taken back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.durable import Jobs
from bot.procedures.request import Request
from bot.settings import Settings

SETTLE = "settle"

_NET = timedelta(seconds=10)  # by then the process that made the move has followed it up, or is dead
ABANDONED = timedelta(hours=24)  # a question nobody answered, a card nobody confirmed


class Timers:
    def __init__(self, jobs: Jobs, settings: Settings) -> None:
        self._jobs = jobs
        self._settings = settings

    def net(self, conn: Connection, request: Request) -> None:
        """Look again soon whether this move was followed up."""
        self._at(conn, request, f"net:{request.version}", _NET)

    def abandon(self, conn: Connection, request: Request) -> None:
        self._at(conn, request, "abandon", ABANDONED)

    def stage(self, conn: Connection, request: Request) -> None:
        """A stage begins: remind its approvers, then let the request expire."""
        self._at(conn, request, f"remind:{request.waits_for}", self._settings.remind_after)
        self._at(conn, request, f"expire:{request.waits_for}", self._settings.expire_after)

    def start(self, conn: Connection, request: Request) -> None:
        if request.shown and request.shown.starts_at:
            self._at(conn, request, "start", request.shown.starts_at - request.moved_at)

    def end(self, conn: Connection, request: Request) -> None:
        """The grant is taken back when its time is over."""
        assert request.ends_at is not None, "a timed grant has an end"
        self._at(conn, request, "end", request.ends_at - request.moved_at)

    def unseal(self, conn: Connection, request: Request, at: datetime) -> None:
        self._at(conn, request, "unseal", at - request.moved_at)

    def _at(self, conn: Connection, request: Request, label: str, delay: timedelta) -> None:
        self._jobs.later(conn, f"{request.ref}:{label}", SETTLE, {"ref": request.ref}, delay)
