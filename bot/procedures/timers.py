"""The jobs of a request: one handler, ``settle``, woken when the state or the clock calls for it.

Each is committed with the move that calls for it. A job that comes when there is nothing to do
does nothing, so none is ever taken back. Under the jobs lies the sweep (``Engine.sweep``), which
finds by the same ``wake_at`` what no job came for.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from bot.durable import Jobs
from bot.procedures.request import Request

SETTLE = "settle"

_NET = timedelta(seconds=10)  # by then the process that made the move has followed it up, or is dead


class Timers:
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def follow(self, conn: Connection, request: Request) -> None:
        """Have the request looked at when its time comes; where that is now, a little later, as a net."""
        wake = request.wake_at
        if wake is None:
            return
        delay = wake - request.moved_at
        if delay > timedelta():
            job_id = f"{request.ref}:{wake:%Y%m%dT%H%M%S%f}"  # the same time again is the same job
        else:
            job_id, delay = f"{request.ref}:net:{request.version}", _NET
        self._jobs.later(conn, job_id, SETTLE, {"ref": request.ref}, delay)
