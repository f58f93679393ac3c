"""What understanding costs: loading the weights, a message, and the memory they take.

python -m bench.intent
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure, megabytes, percentile, say
from bot.actions import discover
from bot.intent.classify import WEIGHTS, Classifier
from bot.intent.evaluate import read
from bot.intent.understand import Understander
from policies.catalogue import Catalogue

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
SLOTS = {action.name: action.slots for action in discover().named()}
ROUNDS = 5


def timed(work: Callable[[str], object], texts: list[str]) -> list[float]:
    """Milliseconds of processor time of each call: what others run on the host is not ours."""
    took = []
    for text in texts * ROUNDS:
        started = time.thread_time()
        work(text)
        took.append((time.thread_time() - started) * 1e3)
    return took


def main() -> None:
    gc.collect()
    before, started = megabytes(), time.perf_counter()
    classifier = Classifier.load()
    loaded = time.perf_counter() - started
    understander = Understander(classifier, Catalogue.load(ROOT / "policies" / "catalogue.yaml"))
    texts = [message.text for message in read(ROOT / "tests" / "intent" / "heldback.jsonl")]
    classify = timed(classifier.classify, texts)
    propose = timed(
        lambda text: understander.propose(text, now=NOW, time_zone="Europe/Berlin", slots_of=SLOTS), texts
    )
    say(Figure("intent: weights, load", loaded, "s", 0.3))
    say(Figure("intent: weights, file", WEIGHTS.stat().st_size / 1e6, "MB"))
    say(Figure("intent: memory, loaded and warm", megabytes() - before, "MB", 100))
    say(Figure("intent: classify, p50", percentile(classify, 0.5), "ms", note="the aim is 0.3"))
    say(Figure("intent: classify, p95", percentile(classify, 0.95), "ms", 1))
    say(Figure("intent: classify and slots, p50", percentile(propose, 0.5), "ms"))
    say(Figure("intent: classify and slots, p95", percentile(propose, 0.95), "ms", 2))


if __name__ == "__main__":
    main()
