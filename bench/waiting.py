"""What 100,000 requests that wait for a person cost: processor while idle, memory, and a restart.

A few go through the desk; the rest are their copies, row by row, in every table that knows them.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from bench.crowd import ask_and_confirm, hire
from bench.figure import Figure, busy_seconds, megabytes, say
from bench.server import desk, first_answer
from bot.settings.paths import Paths
from integrations.company import Company
from tests.house import house

LIMITS = {"requests_per_minute": 10**6, "open_per_person": 10**6}
_KEYED = {"requests": "ref", "deliveries": "ref", "handles": "owner", "workflow_status": "workflow_uuid"}
_FRESH = {"handles": "handle"}  # unique by themselves
_REF = len("R-7Q2MXB")


async def main(quick: bool) -> None:
    real, all_of_them, idle = (40, 10_000, 6.0) if quick else (250, 100_000, 60.0)
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as other:
        data, bare = Path(name), Path(other)
        await _ask(data, real)
        jobs = clone(Paths(data).database, all_of_them)
        begun = time.perf_counter()
        with desk(data, **LIMITS) as (process, url):
            first_answer(f"{url}/api/people")
            restart = time.perf_counter() - begun
            share = _idle(process.pid, idle)
            memory = megabytes(process.pid)
        Company.open(Paths(bare).company).close()  # making it takes memory of its own
        with desk(bare) as (process, url):
            first_answer(f"{url}/api/people")
            empty = _idle(process.pid, idle / 2)
            small = megabytes(process.pid)
    what = f"{all_of_them:,} waiting"
    say(Figure(f"{what}: idle, of one core", share, "%", bar=2, note=f"an empty desk {empty:.2f} %"))
    say(Figure(f"{what}: memory", memory, "MB", bar=150, note=f"an empty desk {small:.0f} MB; {jobs:,} jobs"))
    say(Figure(f"{what}: restart to first answer", restart, "s", bar=2))


def _idle(pid: int, seconds: float) -> float:
    time.sleep(3)  # what follows a start is over
    begun, busy = time.perf_counter(), busy_seconds(pid)
    time.sleep(seconds)
    return (busy_seconds(pid) - busy) / (time.perf_counter() - begun) * 100


async def _ask(data: Path, count: int) -> None:
    Company.open(Paths(data).company).close()
    accounts = hire(data, count)
    async with house(data, **LIMITS) as there:
        ready = await ask_and_confirm(there, accounts)
    if len(ready) != count:
        sys.exit(f"{len(ready)} of {count} requests wait for approval; the figures would not count")


def clone(database: Path, wanted: int) -> int:
    """Copy the waiting requests until there are so many. Returns how many jobs there are for them."""
    db = sqlite3.connect(database, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    models = [row[0] for row in db.execute("SELECT ref FROM requests WHERE state = 'approving'")]
    pairs = [(models[n % len(models)], f"R-{n:06X}"[:_REF]) for n in range(wanted - len(models))]
    db.execute("CREATE TEMP TABLE pair (old TEXT, new TEXT)")
    db.executemany("INSERT INTO pair VALUES (?, ?)", pairs)
    for table, key in _KEYED.items():
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        copied = [
            "lower(hex(randomblob(16)))"
            if name == _FRESH.get(table)
            else f'CASE typeof("{name}") WHEN \'text\' THEN replace("{name}", old, new) ELSE "{name}" END'
            for name in columns
        ]
        names = ", ".join(f'"{name}"' for name in columns)
        db.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(copied)}"
            f" FROM {table} JOIN pair ON substr({key}, 1, {_REF}) = old"
        )
    db.execute("COMMIT")
    jobs = db.execute("SELECT count(*) FROM workflow_status WHERE status = 'DELAYED'").fetchone()[0]
    found = db.execute("SELECT count(*) FROM requests WHERE state = 'approving'").fetchone()[0]
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    if found != wanted:
        sys.exit(f"{found} requests wait, not {wanted}")
    return int(jobs)


if __name__ == "__main__":
    asyncio.run(main("--quick" in sys.argv))
