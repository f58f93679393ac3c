"""``make faults``: kill the desk again and again, and count what it got wrong.

    python -m tests.faults [--kills N] [--seed N] [--fault forget] [--scene NAME ...]
    python -m tests.faults --directory [--kills N] [--seed N]

Prints one line, and before it what is wrong, if anything is. Ends with 1 unless all is well.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.faults import directory
from tests.faults.play import ALONE, SCENES
from tests.faults.sweep import sweep


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--kills", type=int, default=900, help="two thirds aimed, one third at random moments"
    )
    parser.add_argument("--seed", type=int, default=None, help="the same again; default: another each time")
    parser.add_argument(
        "--fault", choices=["", "forget"], default="", help="seed a fault that has to be found"
    )
    parser.add_argument("--scene", action="append", choices=[*SCENES, *ALONE], default=[], help="only these")
    parser.add_argument("--directory", action="store_true", help="the served desk on a real OpenLDAP server")
    args = parser.parse_args()
    seed = random.randrange(10**6) if args.seed is None else args.seed
    if args.directory:
        return _directory(args.kills, seed)
    outcome = sweep(args.kills, seed, args.fault, args.scene)
    for line in outcome.verdict.lines():
        print(line, file=sys.stderr)
    print(f"faults: seed={seed} {outcome.summary()}")
    return 0 if outcome.good else 1


def _directory(kills: int, seed: int) -> int:
    outcome = directory.sweep(kills, seed)
    print("\n".join(outcome.wrong), file=sys.stderr)
    print(f"seed={seed} {outcome.summary()}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
