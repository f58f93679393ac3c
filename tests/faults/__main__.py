"""``make faults``: kill the desk again and again, and count what it got wrong.

    python -m tests.faults [--kills N] [--seed N] [--fault forget] [--scene NAME ...]

Prints one line, and before it what is wrong, if anything is. Ends with 1 unless all is well.
"""

from __future__ import annotations

import argparse
import random
import sys

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
    args = parser.parse_args()
    seed = random.randrange(10**6) if args.seed is None else args.seed
    outcome = sweep(args.kills, seed, args.fault, args.scene)
    for line in outcome.verdict.lines():
        print(line, file=sys.stderr)
    print(f"faults: seed={seed} {outcome.summary()}")
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
