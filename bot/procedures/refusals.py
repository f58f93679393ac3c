"""Why the rules said no to a request, out of the trail, and whether people may be asked for an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from bot.audit.query import Filter, find
from bot.procedures.office import Office
from bot.procedures.request import Request, State

NO_APPROVER = "no-approver"  # in place of a rule: somebody has to decide, and nobody is there who may
_KINDS = ("request.refused", "request.no_approver")


@dataclass(frozen=True, slots=True)
class Refusal:
    rules: tuple[str, ...]  # ids of the rules that said no, or a marker
    excusable: bool


def refusal(conn: Connection, office: Office, request: Request) -> Refusal | None:
    """None: it was not refused by the rules."""
    if request.state is not State.REFUSED:
        return None
    found = [
        entry.event
        for kind in _KINDS
        for entry in find(conn, Filter(request=request.ref, kind=kind), limit=1)
    ]
    if not found:
        return None
    if found[-1].kind == "request.no_approver":
        return Refusal((NO_APPROVER,), excusable=True)
    rules = _rules(found[-1].data)
    return Refusal(rules, office.policies.excusable(rules)) if rules else None


def _rules(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Of the decision that said no. None of them did where it was refused for something else."""
    for name in ("decision", "proceed"):
        decision = data.get(name) or {}
        if decision and not decision.get("allowed"):
            return tuple(map(str, decision.get("policies", ())))
    return ()
