"""Decisions, the trail and understanding, each alone: the rates that the bars name."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median

from bench.figure import Figure, percentile, say
from bench.lookup import WORDS
from bench.policies import ASK, FOLDER, NOW, with_more
from bot.actions import discover
from bot.intent.classify import Classifier
from bot.intent.understand import Understander
from policies.catalogue import Catalogue
from policies.decide import Policies

_AUDIT = {
    "append, one transaction": ("audit: durable appends", 500.0),
    "verify everything": ("audit: events verified", 500_000.0),
}


def main(quick: bool) -> None:
    count = 400 if quick else 3000
    ours = with_more(0)
    _decision(f"policy decision, the {len(ours.rules)} rules that ship", ours, 0.15, count)
    _decision("policy decision, 1,000 more that all apply", with_more(1000), 1.5, count // 4)
    _understanding(count)
    _trail(30_000 if quick else 500_000)


def _decision(what: str, policies: Policies, bar: float, count: int) -> None:
    busy = time.process_time()
    took = _timed(lambda: policies.may_request(ASK, now=NOW), count)
    busy = (time.process_time() - busy) / (count + count // 10) * 1e3
    note = f"p99 {percentile(took, 0.99) / 1e3:.2f} ms; {busy:.2f} ms of processor"
    say(Figure(f"{what}, p50", median(took) / 1e3, "ms", bar=bar, note=note))


def _understanding(count: int) -> None:
    registry = discover()
    understander = Understander(Classifier.load(), Catalogue.load(FOLDER / "catalogue.yaml"))
    slots = {each.name: each.slots for each in registry.named()}
    now = datetime.now(UTC)
    for what, text in (("a look-up", WORDS), ("a wish with its slots", "I need figma for two weeks")):
        took = _timed(
            lambda text=text: understander.propose(text, now=now, time_zone="UTC", slots_of=slots),  # type: ignore[misc]  # bound now
            count,
        )
        say(
            Figure(
                f"understand {what}, p50", median(took), "us", note=f"p99 {percentile(took, 0.99):,.0f} us"
            )
        )


def _timed(work: Callable[[], object], count: int) -> list[float]:
    """Microseconds of each of ``count`` runs."""
    for _ in range(count // 10):
        work()
    took = []
    for _ in range(count):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1e6)
    return took


def _trail(events: int) -> None:
    """As ``python -m bench.audit`` measures it; the better of its rounds."""
    told = subprocess.run(
        [sys.executable, "-m", "bench.audit", "--events", str(events)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for begins, (what, bar) in _AUDIT.items():
        rates = [
            float(found[1].replace(",", ""))
            for line in told.splitlines()
            if line.startswith(begins) and (found := re.search(r"([\d,]+) /s", line))
        ]
        say(Figure(what, max(rates), "/s", bar=bar, more_is_better=True, note=f"{len(rates)} rounds"))


if __name__ == "__main__":
    main("--quick" in sys.argv)
