"""What the trail costs, and that no tampering gets past: ``python -m bench.audit [--tamper 10000]``."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from bot.audit.chain import opened, walk
from bot.audit.checkpoint import checkpoint, public_key
from bot.audit.query import Filter, find
from bot.audit.tables import GENESIS
from bot.audit.trail import Event, append
from bot.audit.verify import verify
from tests.audit.made_up import START, Desk
from tests.audit.tamper import campaign

EVENT = Event(
    at=START,
    kind="request.moved",
    actor="p-0017",
    request="R-7Q2M",
    action="grant_access",
    subject="p-0017",
    service="web",
    data={
        "from": "confirming",
        "to": "approving",
        "policies": ["medium-by-manager", "self-only"],
        "digest": "ab" * 32,
    },
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=500_000, help="events to verify (default %(default)s)")
    options.add_argument("--tamper", type=int, metavar="N", help="only try N random tamperings")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if chosen.tamper:
            return tamperings(Path(name), chosen.tamper, chosen.seed)
        appends(Path(name) / "appends")
        verifying(Path(name) / "verify", chosen.events)
    return 0


def fresh(folder: Path, synchronous: str) -> Desk:
    folder.mkdir()
    return Desk(folder, synchronous=synchronous)


def appends(folder: Path) -> None:
    desk = fresh(folder, "FULL")
    with desk.engine.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE bare (x BLOB)")

    def bare() -> None:
        with desk.engine.begin() as conn:
            conn.exec_driver_sql("INSERT INTO bare VALUES (zeroblob(400))")

    def durable() -> None:
        with desk.engine.begin() as conn:
            append(conn, EVENT)

    for name, work in (("bare insert", bare), ("append", durable)) * 2:
        begun, count = time.perf_counter(), 1000
        for _ in range(count):
            work()
        say(f"{name}, one transaction and fsync each", f"{count / (time.perf_counter() - begun):,.0f} /s")
    with desk.engine.begin() as conn:
        say("append, processor time", f"{spent(20_000, lambda: append(conn, EVENT)):.1f} us")

        def with_words() -> None:
            append(conn, EVENT, words=desk.words.record(conn, "p-0017", "I need figma for two weeks"))

        say("append with words, processor time", f"{spent(5_000, with_words):.1f} us")
    desk.close()


def say(name: str, figure: str) -> None:
    print(f"{name:46} {figure}", flush=True)


def spent(count: int, work) -> float:
    begun = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - begun) / count * 1e6


def verifying(folder: Path, count: int) -> None:
    desk = fresh(folder, "OFF")
    with desk.engine.begin() as conn:
        for number in range(count):
            words = desk.words.record(conn, "p-0017", "figma please") if number % 20 == 0 else None
            append(conn, EVENT, words=words)
    desk.close()
    begun = time.perf_counter()
    checkpoint(desk.path, desk.checkpoints, desk.keys, START)
    say(f"first checkpoint, over {count:,} events", f"{time.perf_counter() - begun:.2f} s")
    for _ in range(3):
        begun, used = time.perf_counter(), time.process_time()
        report = verify(desk.path, desk.checkpoints, public_key(desk.keys))
        wall, used = time.perf_counter() - begun, (time.process_time() - used) / report.events * 1e6
        say(
            "verify everything, two cores",
            f"{report.events / wall:,.0f} /s, {used:.1f} us of processor an event",
        )
        if not report.whole:
            sys.exit(f"the trail should be whole: {report.lines()}")
    with opened(desk.path) as read:
        begun = time.perf_counter()
        walk(read, 0, GENESIS)
        say("verify the chain alone, one core", f"{count / (time.perf_counter() - begun):,.0f} /s")
    with desk.engine.begin() as conn:
        begun = time.perf_counter()
        find(conn, Filter(action="none", outcome="refused"))
        say("a filter that finds nothing, whole trail", f"{(time.perf_counter() - begun) * 1e3:.0f} ms")
    desk.close()
    size = sum(path.stat().st_size for path in folder.glob("deskhand.db*"))
    say("an event on disk, indexes included", f"{size / count:,.0f} bytes, SQLite {sqlite3.sqlite_version}")


def tamperings(folder: Path, count: int, seed: int) -> int:
    desk = fresh(folder / "desk", "OFF")
    for number in range(6):
        desk.request(number)
        desk.checkpoint()
    desk.close()
    if not verify(desk.path, desk.checkpoints, public_key(desk.keys)).whole:
        sys.exit("the trail should be whole before anything is done to it")
    tried, found = campaign(desk, folder, count, seed)
    for name in sorted(tried):
        print(f"{name:28} {found[name]:6} of {tried[name]:6}")
    print(f"{'found':28} {found.total():6} of {tried.total():6}")
    return 0 if found == tried else 1


if __name__ == "__main__":
    sys.exit(main())
