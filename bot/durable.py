"""Jobs that survive: a thin port on DBOS Transact. Nothing else imports ``dbos``.

A job is a name and JSON arguments. ``later`` commits it with the caller's own transaction, to run
after a delay; it runs to its end, again after a crash, so every handler must be able to run
twice. No job waits for a person, and no secret stands in its arguments: DBOS keeps them in its
tables, in the same SQLite file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy import Connection, Engine

log = structlog.get_logger()

Handler = Callable[..., Awaitable[None]]

_APP = "deskhand"
_QUEUE = "jobs"
_POLL_S = 1.0  # 0.1 s costs 4 % of a core while idle
_WORKERS = 50  # jobs at once; the cap on jobs per second is _WORKERS / _POLL_S
_FAULTS = 6  # of ours, until a job is given up; a system that is down is waited for without end
_LONGEST_PAUSE_S = 300.0
_KEEP = timedelta(days=1)  # finished jobs, for looking into


class TryLater(Exception):
    """Raised by a handler: nothing is wrong with the job, a system it needs is down."""


class Jobs:
    """The jobs of one SQLite file. ``connect`` is enough to commit some; one process launches them."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self._path = path
        self._engine = engine
        self._handlers: dict[str, Handler] = {}
        self._client: DBOSClient | None = None

    def register(self, name: str, handler: Handler) -> None:
        self._handlers[name] = handler

    async def launch(self) -> None:
        """Create DBOS's tables on first start, and resume what a crash cut off.

        Only under the data lock: a second process re-runs what the first is running. Called on the
        loop the handlers are to run on: DBOS adopts it.
        """
        config: DBOSConfig = {
            "name": _APP,
            "system_database_url": f"sqlite:///{self._path}",
            "application_version": "1",  # constant: the default orphans jobs at every upgrade
            "serializer": DBOSPortableJSONSerializer(),  # the default is pickle
            "log_level": "WARNING",
            "use_listen_notify": False,
        }
        logging.getLogger("dbos").setLevel(logging.WARNING)
        DBOS(config=config)

        @DBOS.workflow(name="job", max_recovery_attempts=None)
        async def job(name: str, args: dict[str, Any]) -> None:  # DBOS takes functions, not methods
            await self._run(name, args)

        DBOS.launch()
        await DBOS.register_queue_async(_QUEUE, worker_concurrency=_WORKERS, polling_interval_sec=_POLL_S)
        self.connect()

    def connect(self) -> None:
        """Be able to commit jobs for the process that runs them. The tables must be there."""
        self._client = DBOSClient(
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=_APP,
        )

    async def stop(self) -> None:
        """Let running jobs end for a moment; the rest is resumed at the next start."""
        loop = asyncio.get_running_loop()
        # DBOS made its own pool the loop's default and shuts it now; whoever closes after us needs one.
        loop.set_default_executor(ThreadPoolExecutor())
        destroy = partial(DBOS.destroy, workflow_completion_timeout_sec=2, destroy_registry=True)
        await loop.run_in_executor(None, destroy)  # it waits: the jobs run on this loop

    def later(
        self, conn: Connection, job_id: str, name: str, args: Mapping[str, Any], delay: timedelta
    ) -> None:
        """Commit a job with the caller's transaction. An id that is in use already changes nothing."""
        self._connected.enqueue_in_transaction(
            conn, _options(job_id, delay.total_seconds()), name, dict(args)
        )

    async def soon(self, job_id: str, name: str, args: Mapping[str, Any], seconds: float = 1.0) -> None:
        """Queue a job by itself, outside any transaction. An id that is in use changes nothing."""
        await self._connected.enqueue_async(_options(job_id, seconds), name, dict(args))

    async def sweep(self) -> None:
        """Delete jobs that ended long ago (DBOS keeps them for ever)."""
        before = (datetime.now(UTC) - _KEEP).isoformat()
        ended = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            end_time=before,
            limit=5_000,
            load_input=False,
            load_output=False,
        )
        if ended:
            await DBOS.delete_workflows_async([each.workflow_id for each in ended])

    @property
    def _connected(self) -> DBOSClient:
        assert self._client is not None, "call connect or launch first"
        return self._client

    async def _run(self, name: str, args: dict[str, Any]) -> None:
        attempt, faults = int(args.pop("attempt", 0)), int(args.pop("faults", 0))
        try:
            await self._handlers[name](**args)
        except TryLater as reason:
            await self._again(name, args, attempt + 1, faults, str(reason))
        except Exception as error:
            log.exception("job.failed", job=name, args=args, faults=faults + 1)
            if faults + 1 < _FAULTS:
                await self._again(name, args, attempt + 1, faults + 1, type(error).__name__)
            else:
                log.error("job.given_up", job=name, args=args, reason=type(error).__name__)

    async def _again(self, name: str, args: dict[str, Any], attempt: int, faults: int, reason: str) -> None:
        pause = min(_LONGEST_PAUSE_S, 2.0 ** min(attempt - 1, 9))
        log.warning("job.put_off", job=name, args=args, attempt=attempt, seconds=pause, reason=reason)
        first = str(DBOS.workflow_id).partition("+")[0]
        counted = {**args, "attempt": attempt, "faults": faults}
        await self.soon(f"{first}+{attempt}", name, counted, pause)


def _options(job_id: str, seconds: float) -> EnqueueOptions:
    return {
        "workflow_name": "job",
        "queue_name": _QUEUE,
        "workflow_id": job_id,
        "delay_seconds": max(0.0, seconds),
    }
