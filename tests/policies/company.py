"""People for the tests of the rules, and the rules that ship."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from policies.decide import Ask, Policies, What, Who

FOLDER = Path(__file__).parents[2] / "policies"
SHIPPED = Policies.load(FOLDER)
NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
ACTIONS = (
    "reset_password",
    "unlock_account",
    "unlock_for_report",
    "grant_access",
    "give_back_access",
    "pto_balance",
    "my_requests",
    "reset_mfa",
)


def person(
    id: str,
    *managers: str,
    kind: str = "employee",
    status: str = "active",
    privileged: bool = False,
    groups: frozenset[str] = frozenset(),
    frozen: bool = False,
) -> Who:
    return Who(id, kind, status, privileged, managers, "", groups, frozen)


ANA = person("ana", "mia", "vera")
MIA = person("mia", "vera")
PAYROLL = What("payroll", "critical", "otto", 14)
WIKI = What("wiki", "low", "otto", 90)


def payroll(who: Who, minutes: int | None = 7 * 24 * 60) -> Ask:
    return Ask("grant_access", who, who, PAYROLL, minutes)
