"""From the command to the first answer, on a fresh folder and on one that is there; and its memory."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from bench.figure import Figure, busy_seconds, megabytes, say
from bench.lookup import WORDS
from bench.server import account_of, desk, first_answer, signed_in


def main(quick: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        first, _, _ = _start(data)
        again = [_start(data) for _ in range(2 if quick else 5)]
    seconds, used, memory = (statistics.median(column) for column in zip(*again, strict=True))
    say(Figure("first start ever to first answer", first, "s", note="makes the company and the keys"))
    best = min(each[0] for each in again)
    say(
        Figure(
            "start to first answer",
            seconds,
            "s",
            bar=2.0,
            note=f"best {best:.2f} s; {used:.2f} s of processor",
        )
    )
    say(Figure("memory after the first look-up", memory, "MB", bar=150))


def _start(data: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and megabytes until somebody was told how much time off they have."""
    begun = time.perf_counter()
    with desk(data) as (process, url):
        first_answer(f"{url}/api/people")
        answered = time.perf_counter() - begun
        used = busy_seconds(process.pid)
        ana = account_of(url, "Ana")
        with signed_in(url, ana) as client:
            client.post("/api/messages", json={"text": WORDS, "id": uuid4().hex}).raise_for_status()
        return answered, used, megabytes(process.pid)


if __name__ == "__main__":
    main("--quick" in sys.argv)
