"""The same look-up over HTTP, as the page sends it, beside a bare FastAPI route under the same server."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import httpx2

from bench.figure import Figure, busy_seconds, percentile, say
from bench.lookup import WORDS
from bench.server import desk, first_answer, free_port, running, signed_in

PEOPLE = 5  # who ask in turn


def main(quick: bool) -> None:
    rounds, count = (3, 100) if quick else (5, 400)
    port = free_port()
    bare_url = f"http://127.0.0.1:{port}"
    bare_app = (
        "-m",
        "uvicorn",
        "bench.bare:app",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "error",
    )
    with (
        tempfile.TemporaryDirectory() as data,
        desk(Path(data), requests_per_minute=10**6) as (serving, url),
        running(*bare_app) as bare,
    ):
        first_answer(f"{url}/api/people")
        first_answer(f"{bare_url}/ready")
        ours, theirs, clock = [], [], []
        people = [each["account"] for each in httpx2.get(f"{url}/api/people").json()["people"][:PEOPLE]]
        with signed_in(url, *people) as client, httpx2.Client(base_url=bare_url) as other:
            _ask(client, people, 60)
            _ask(other, people, 60)
            for _ in range(rounds):  # in turn, so that both meet the same weather
                busy = busy_seconds(serving.pid)
                clock += _ask(client, people, count)
                ours.append((busy_seconds(serving.pid) - busy) / count * 1e6)
                busy = busy_seconds(bare.pid)
                _ask(other, people, 4 * count)
                theirs.append((busy_seconds(bare.pid) - busy) / count / 4 * 1e6)
    whole, route = statistics.median(ours), statistics.median(theirs)
    say(
        Figure(
            "look-up over HTTP, processor", whole, "us", note=f"clock p50 {statistics.median(clock):.1f} ms"
        )
    )
    say(Figure("look-up over HTTP, clock, p99", percentile(clock, 0.99), "ms"))
    say(Figure("a bare FastAPI route, processor", route, "us"))
    say(Figure("look-up over HTTP, in bare routes", whole / route, "x"))


def _ask(client: httpx2.Client, people: list[str], count: int) -> list[float]:
    took = []
    for number in range(count):
        begun = time.perf_counter()
        path = f"/api/messages?as={people[number % len(people)]}"
        answer = client.post(path, json={"text": WORDS, "id": uuid4().hex})
        took.append((time.perf_counter() - begun) * 1e3)
        answer.raise_for_status()
    return took


if __name__ == "__main__":
    main("--quick" in sys.argv)
