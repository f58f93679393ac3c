"""``make redteam``: the language model replaced by an attacker, and injected strings wherever people write.

    python -m tests.redteam [--outputs N] [--seed N] [--workers N] [--own]
                            [--only LEVEL] [--mode MODE] [--shard N]

Prints what was tried and, as they come, findings with what shows them again. Ends with 1 unless there is
none.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence

from scripts.packages import in_ci
from tests.redteam import corpora
from tests.redteam.placements import MODES, PLACES
from tests.redteam.sweep import BULK, DESK, jobs, run
from tests.redteam.tally import Tally


def main() -> int:
    args = _parser().parse_args()
    seed = random.randrange(10**6) if args.seed is None else args.seed
    own = corpora.own_strings()
    public, missing = _public(skip=args.own)
    todo = list(jobs(args.outputs, own, public))
    if args.only:
        todo = [each for each in todo if each.level == args.only and args.mode in ("", each.mode)]
        todo = [each for each in todo if args.shard in (None, each.shard)]
    began = time.monotonic()
    tally = run(todo, seed, own, args.workers)
    _report(tally, seed, time.monotonic() - began, own, public)
    for name in missing:
        print(f"redteam: the corpus {name} is missing: it could not be fetched", file=sys.stderr)
    return 1 if tally.findings or (missing and in_ci()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.redteam", description=__doc__.splitlines()[0])
    parser.add_argument("--outputs", type=int, default=100_000, help="of the attacker, at both levels")
    parser.add_argument("--seed", type=int, default=None, help="the same again; default: another each time")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--only", choices=["", DESK, BULK, *PLACES], default="", help="one level or place")
    parser.add_argument("--mode", choices=["", *MODES], default="", help="of the places: one model")
    parser.add_argument("--shard", type=int, default=None, help="one desk of it, as a finding names it")
    parser.add_argument("--own", action="store_true", help="without the public corpora")
    return parser


def _public(*, skip: bool) -> tuple[dict[str, list[str]], list[str]]:
    """The public corpora, and the names of those that are not there."""
    if skip:
        return {}, []
    corpora.fetch()
    found = corpora.public()
    return found, [name for name in corpora.names() if name not in found]


def _report(
    tally: Tally, seed: int, seconds: float, own: Sequence[str], public: dict[str, list[str]]
) -> None:
    counts = tally.counts
    outputs = {level: counts[f"{level}.outputs"] for level in (BULK, DESK, "placed")}
    print(f"outputs: {sum(outputs.values()):,} ({', '.join(f'{name} {n:,}' for name, n in outputs.items())})")
    corpus = {"own": len(own), **{name: len(strings) for name, strings in public.items()}}
    print(f"strings: {', '.join(f'{name} {n:,}' for name, n in corpus.items())}")
    for prefix in ("placed, ", "messages, ", "bulk, ", "requests, "):
        listed = {
            name.removeprefix(prefix): n for name, n in sorted(counts.items()) if name.startswith(prefix)
        }
        print(f"{prefix.strip(', ')}: {', '.join(f'{name} {n:,}' for name, n in listed.items()) or 'none'}")
    cards = sum(n for name, n in counts.items() if name.endswith(".cards"))
    presses = sum(n for name, n in counts.items() if name.endswith(".presses"))
    seen = counts["canaries seen by their owners"]
    print(f"judged: {cards:,} cards on three platforms, {presses:,} presses, {seen:,} canaries read rightly")
    print(f"executions: {counts['executions']:,}, each confirmed, and approved where it has to be")
    cores = counts["milliseconds of a core"] / 1000
    print(
        f"redteam: seed={seed} findings={len(tally.findings)} seconds={seconds:.0f} core_seconds={cores:.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
