"""Time-off requests of BambooHR: read one by one, and ours told by a marker in their notes.

BambooHR keeps no id of an operation. The marker stands in the employee's note, which a later decision in
BambooHR leaves alone.
Source: https://documentation.bamboohr.com/reference/list-time-off-requests, .../create-time-off-request
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from integrations.bamboohr.read import (
    Json,
    as_day,
    day,
    identity,
    notes,
    number,
    part,
    text,
    unit,
    unreadable,
)
from integrations.work import Leave, LeaveState, NewLeave

NOTE = 1000  # characters of a note; BambooHR takes 1024
_OURS = "[Deskhand "

_STATES = {
    "requested": LeaveState.REQUESTED,
    "approved": LeaveState.APPROVED,
    "denied": LeaveState.DENIED,
    "declined": LeaveState.DENIED,
    "canceled": LeaveState.CANCELLED,
    "cancelled": LeaveState.CANCELLED,
    "superceded": LeaveState.CANCELLED,  # another request took its place
    "superseded": LeaveState.CANCELLED,
}


def marker(op: str) -> str:
    return f"{_OURS}{op}]"


def state(request: Json) -> LeaveState:
    found = _STATES.get(text(part(request, "status"), "status").lower())
    if found is None:
        raise unreadable("status")
    return found


def is_of(request: Json, new: NewLeave, op: str) -> bool:
    """Whether this operation made it. Somebody else's words in a note of other days make nothing ours."""
    return (
        any(marker(op) in each for each in notes(request))
        and day(request, "start") == new.first
        and day(request, "end") == new.last
        and identity(part(request, "type"), "id") == new.policy_id
    )


def as_leave(request: Json) -> Leave:
    kind, taken = part(request, "type"), part(request, "amount")
    first, last, amount = day(request, "start"), day(request, "end"), number(taken, "amount")
    return Leave(
        id=identity(request, "id"),
        policy=text(kind, "name"),
        policy_id=identity(kind, "id"),
        first=first,
        last=last,
        amount=amount,
        unit=unit(taken, "unit"),
        state=state(request),
        amounts=_amounts(request, first, last, amount),
    )


def _amounts(request: Json, first: date, last: date, amount: Decimal) -> Mapping[date, Decimal]:
    """Of every day; one that BambooHR leaves out takes nothing."""
    given = part(request, "dates")
    if not given and first == last:
        return {first: amount}
    taken = {as_day(each, "dates"): number(given, each) for each in given}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    if not taken.keys() <= set(days) or sum(taken.values()) != amount:
        raise unreadable("dates")
    return {each: taken.get(each, Decimal(0)) for each in days}


def as_request(new: NewLeave, op: str) -> dict[str, Any]:
    ours = marker(op)
    plain = "".join(each if each.isprintable() else " " for each in new.note)
    said = " ".join(plain.split()).replace(_OURS, "(Deskhand ")
    return {
        "status": "approved",
        "start": new.first.isoformat(),
        "end": new.last.isoformat(),
        "timeOffTypeId": int(new.policy_id),
        "amount": _json(sum(new.amounts.values(), Decimal(0))),
        "notes": [{"from": "employee", "note": f"{said[: NOTE - len(ours) - 1]} {ours}".strip()}],
        "dates": [{"ymd": on.isoformat(), "amount": _json(each)} for on, each in sorted(new.amounts.items())],
    }


def _json(amount: Decimal) -> int | float:
    """Written out, it is the same number: JSON knows no decimals of its own."""
    return int(amount) if amount == int(amount) else float(amount)
