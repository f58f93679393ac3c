"""How long a decision takes: with the rules that ship, and with 1,000 more that look at the same request.

python -m bench.policies
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from policies.decide import Ask, Decision, Policies, What, Who, read

FOLDER = Path(__file__).parents[1] / "policies"
NOW = datetime(2026, 1, 14, 12, tzinfo=UTC)
WARM, RUNS = 300, 3000
ADDED = (0, 100, 1000)

VERA = Who("vera", "employee", "active", False, (), "executive", frozenset(), False)
MIA = Who("mia", "employee", "active", False, ("vera",), "platform", frozenset({"staff"}), False)
ANA = Who("ana", "employee", "active", False, ("mia", "vera"), "platform", frozenset({"staff"}), False)
ASK = Ask("grant_access", ANA, ANA, What("prod-db-read", "critical", "otto", 14), 7 * 24 * 60)


def with_more(count: int) -> Policies:
    """More forbids that no action or person rules out beforehand: each is evaluated, and none holds."""
    sources, schema = read(FOLDER)
    more = [
        f'@id("more.{n}") @why("x") forbid (principal, action in Action::"grant_access", resource)\n'
        "when { resource has entry && resource has days && "
        f'resource.entry.key == "thing-{n}" && resource.days > {n} }};'
        for n in range(count)
    ]
    return Policies({**sources, "more.cedar": "\n".join(more)} if more else sources, schema)


def measure(decide: Callable[[], Decision]) -> str:
    for _ in range(WARM):
        decide()
    took = []
    busy = time.process_time()
    for _ in range(RUNS):
        start = time.perf_counter()
        decide()
        took.append(time.perf_counter() - start)
    busy = (time.process_time() - busy) / RUNS * 1e3
    took.sort()
    p50, p99 = took[RUNS // 2] * 1e3, took[RUNS * 99 // 100] * 1e3
    return f"p50 {p50:6.3f} ms   p99 {p99:6.3f} ms   cpu {busy:6.3f} ms   {RUNS / sum(took):7,.0f}/s"


def main() -> None:
    for added in ADDED:
        start = time.perf_counter()
        policies = with_more(added)
        loaded = (time.perf_counter() - start) * 1e3
        print(f"{len(policies.rules):,} rules, loaded in {loaded:,.0f} ms")
        questions: dict[str, Callable[[], Decision]] = {
            "may_request": lambda p=policies: p.may_request(ASK, now=NOW),  # type: ignore[misc] # bound now
            "may_proceed": lambda p=policies: p.may_proceed(ASK, now=NOW),  # type: ignore[misc]
            "may_approve": lambda p=policies: p.may_approve(  # type: ignore[misc]
                ASK, MIA, stage="manager", fallback=False, attested=frozenset(), now=NOW
            ),
            "look-up": lambda p=policies: p.may_request(Ask("pto_balance", ANA, ANA), now=NOW),  # type: ignore[misc]
        }
        for name, decide in questions.items():
            print(f"  {name:<12} {measure(decide)}")


if __name__ == "__main__":
    main()
