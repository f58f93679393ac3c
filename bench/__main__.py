"""All that the bars speak of, measured in one run: ``make bench``, or ``python -m bench --quick``.

Each part runs in a process of its own, one after the other, and can be run alone:
``python -m bench.lookup``. The table at the end sets each figure beside its bar. A missed bar is
told, not failed: how fast a machine is says nothing of whether the desk is right.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from bench.figure import Figure, heard
from bot.settings import PREFIXES

PARTS = {
    "lookup": "what a look-up costs, without HTTP",
    "http": "the same over HTTP, beside a bare route",
    "slack": "a message in Slack, beside a bare Bolt no-op; 50 a second",
    "teams": "a message in Teams, beside a bare botbuilder no-op; 50 a second",
    "directory": "look-ups in OpenLDAP, beside bare ldap3",
    "approvals": "from press to done, one by one and together",
    "waiting": "a full house that waits",
    "rates": "decisions, the trail, understanding",
    "start": "from the command to the first answer",
}


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; all without one")
    options.add_argument("--quick", action="store_true", help="fewer rounds, a smaller house: under a minute")
    chosen = options.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        options.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    begun, load = time.monotonic(), os.getloadavg()[0]
    figures: list[Figure] = []
    broken = []
    for part in chosen.parts or PARTS:
        print(f"{part}: {PARTS[part]} ...", flush=True)
        found, code = _run(part, chosen.quick)
        figures += found
        if code:
            broken.append(part)
    print(f"\n{_table(figures)}\n")
    print(
        f"{len(os.sched_getaffinity(0))} cores, load {load:.1f} before, {time.monotonic() - begun:.0f} s.",
        end="",
    )
    print(" Yardstick:", f"{yardstick():.0f} us for 10,000 rounds of an empty loop.")
    if broken:
        print(f"These parts broke, see above: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


def _run(part: str, quick: bool) -> tuple[list[Figure], int]:
    command = [sys.executable, "-m", f"bench.{part}", *(["--quick"] if quick else [])]
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{part} broke:\n{done.stderr[-2000:]}", file=sys.stderr)
    return [figure for line in done.stdout.splitlines() if (figure := heard(line))], done.returncode


def _table(figures: list[Figure]) -> str:
    rows = [("what", "figure", "bar", "", "")] + [
        (each.what, _number(each.value, each.unit), _bar(each), each.verdict(), each.note) for each in figures
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    lines = []
    for what, figure, bar, verdict, note in rows:
        left = f"{what:{widths[0]}}  {figure:>{widths[1]}}  {bar:>{widths[2]}}"
        lines.append(f"{left}  {verdict:{widths[3]}}  {note}".rstrip())
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:,.3g} {unit}"


def _bar(figure: Figure) -> str:
    if figure.bar is None:
        return ""
    return f"{'>=' if figure.more_is_better else '<='} {_number(figure.bar, figure.unit)}"


def yardstick() -> float:
    """Microseconds for a fixed piece of Python: tells runs on different or busy machines apart."""

    def once() -> float:
        begun = time.process_time()
        for _ in range(10_000):
            pass
        return (time.process_time() - begun) * 1e6

    return min(once() for _ in range(50))


if __name__ == "__main__":
    sys.exit(main())
