"""Time off at the company: what is left to somebody on a day, and what is booked.

A balance stands as it was on the day the company file was created; every first of a month since adds its
monthly share, up to the cap. A day before the creation reads as the creation day. What is booked on a day
after the creation is taken off; days before it are in the balance already.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

from integrations.company.client import Client, Row
from integrations.company.write_log import record
from integrations.contract import UnknownPerson
from integrations.text import known_id
from integrations.work import Balance, Leave, LeaveRefused, LeaveState, NewLeave, UnknownLeave

_POLICIES = """
    SELECT t.policy, t.unit, t.available, t.used, t.monthly, t.cap, t.as_of
      FROM person LEFT JOIN time_off t ON t.person_id = person.id
     WHERE person.id = ? ORDER BY t.policy DESC
"""
_LEAVES = """
    SELECT l.id, l.policy, l.first, l.last, l.amounts, l.unit, l.state
      FROM person LEFT JOIN leave l ON l.person_id = person.id
     WHERE person.id = ? ORDER BY l.first, l.last, l.id
"""


@dataclass(frozen=True, slots=True)
class _Policy:
    name: str
    unit: str
    available: Decimal
    used: Decimal
    monthly: Decimal
    cap: Decimal
    opened: date

    def left(self, on: date, amounts: Iterable[Mapping[date, Decimal]]) -> Decimal:
        months = (on.year - self.opened.year) * 12 + on.month - self.opened.month
        # Neither an earlier day nor the cap takes anything away from what was there at the start.
        gained = max(self.available, min(self.cap, self.available + self.monthly * months))
        return gained - self.taken(on, amounts)

    def taken(self, until: date, amounts: Iterable[Mapping[date, Decimal]]) -> Decimal:
        days = (day for each in amounts for day in each.items())
        return sum((amount for day, amount in days if self.opened < day <= until), Decimal(0))


class CompanyTimeOff:
    """The port ``TimeOff`` of the embedded company. A policy is called by its name."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def balances(self, person_id: str, on: date) -> list[Balance]:
        known = known_id(person_id)
        policies = _policies(await self._client.read(_POLICIES, (known,)))
        leaves = _leaves(await self._client.read(_LEAVES, (known,)))
        return [_balance(policy, _amounts(leaves, policy.name), on) for policy in policies]

    async def booked(self, person_id: str, first: date, last: date) -> list[Leave]:
        leaves = _leaves(await self._client.read(_LEAVES, (known_id(person_id),)))
        return [each for each in leaves if _touches(each, first, last)]

    async def leave(self, person_id: str, leave_id: str) -> Leave:
        return _one(await self._client.read(_LEAVES, (known_id(person_id),)), leave_id)

    async def enter(self, person_id: str, new: NewLeave, *, op: str) -> str:
        known, op = known_id(person_id), _storable(op)

        def work(connection: sqlite3.Connection) -> str:
            policies = _policies(connection.execute(_POLICIES, (known,)).fetchall())
            leave_id = _entered(connection, known, op)
            if leave_id is None:
                leaves = _leaves(connection.execute(_LEAVES, (known,)).fetchall())
                policy = _accepted(policies, leaves, new)
                record(connection, op, "leave.enter", person_id, None, changed=True)
                return _insert(connection, person_id, policy, new, op)
            record(connection, op, "leave.enter", person_id, None, changed=False)
            return leave_id

        return await self._client.write(work)

    async def entered(self, person_id: str, new: NewLeave, *, op: str) -> str | None:
        rows = await self._client.read(
            """SELECT leave.id FROM person
                 LEFT JOIN leave ON leave.person_id = person.id AND leave.op = ?2
                WHERE person.id = ?1""",
            (known_id(person_id), _storable(op)),
        )
        if not rows:
            raise UnknownPerson("nobody has this id")
        return rows[0][0] or None

    async def cancel(self, person_id: str, leave_id: str, *, op: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            leave = _one(connection.execute(_LEAVES, (known_id(person_id),)).fetchall(), leave_id)
            changed = leave.state.counts
            if changed:
                connection.execute(
                    "UPDATE leave SET state = ? WHERE id = ?", (LeaveState.CANCELLED.value, leave.id)
                )
            record(connection, op, "leave.cancel", person_id, None, changed)
            return changed

        return await self._client.write(work)


def _accepted(policies: list[_Policy], leaves: list[Leave], new: NewLeave) -> _Policy:
    """The policy it is entered under. :raises LeaveRefused:"""
    amounts = new.amounts.values()
    if not all(each.is_finite() and each >= 0 for each in amounts) or not any(amounts):
        raise LeaveRefused("time off takes something on at least one day, and less than nothing on none")
    policy = next((each for each in policies if each.name == new.policy_id), None)
    if policy is None:
        raise LeaveRefused("there is no such time-off policy for this person")
    for each in leaves:
        if _touches(each, new.first, new.last):
            raise LeaveRefused(f"{each.first} to {each.last} is booked already")
    together = [*_amounts(leaves, policy.name), new.amounts]
    # Every later booked day too: what was enough for it before has to be enough still.
    for day in sorted({day for each in together for day in each if day >= new.first}):
        if policy.left(day, together) < 0:
            raise LeaveRefused(f"not enough {policy.name.lower()} is left on {day}")
    return policy


def _insert(connection: sqlite3.Connection, person_id: str, policy: _Policy, new: NewLeave, op: str) -> str:
    leave_id = f"L-{uuid4().hex}"
    amounts = {day.isoformat(): f"{amount:f}" for day, amount in sorted(new.amounts.items())}
    connection.execute(
        "INSERT INTO leave (id, person_id, policy, first, last, amounts, unit, state, note, op)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            leave_id, person_id, policy.name, new.first.isoformat(), new.last.isoformat(),
            json.dumps(amounts), policy.unit, LeaveState.APPROVED.value, _storable(new.note), op,
        ),
    )  # fmt: skip
    return leave_id


def _entered(connection: sqlite3.Connection, person_id: str | None, op: str) -> str | None:
    row = connection.execute(
        "SELECT id FROM leave WHERE op = ? AND person_id = ?", (op, person_id)
    ).fetchone()
    return row[0] if row else None


def _balance(policy: _Policy, amounts: list[Mapping[date, Decimal]], on: date) -> Balance:
    past = min(on, datetime.now(UTC).date())
    return Balance(
        policy=policy.name,
        unit=policy.unit,
        available=policy.left(on, amounts),
        used=policy.used + policy.taken(past, amounts),
        as_of=on,
        policy_id=policy.name,
    )


def _touches(leave: Leave, first: date, last: date) -> bool:
    return leave.state.counts and leave.first <= last and leave.last >= first


def _amounts(leaves: list[Leave], policy: str) -> list[Mapping[date, Decimal]]:
    return [each.amounts for each in leaves if each.state.counts and each.policy == policy]


def _policies(rows: list[Row]) -> list[_Policy]:
    """:raises UnknownPerson:"""
    if not rows:
        raise UnknownPerson("nobody has this id")
    return [_as_policy(row) for row in rows if row[0]]


def _as_policy(row: Row) -> _Policy:
    available, used, monthly, cap = map(Decimal, row[2:6])
    return _Policy(row[0], row[1], available, used, monthly, cap, date.fromisoformat(row[6]))


def _leaves(rows: list[Row]) -> list[Leave]:
    """:raises UnknownPerson:"""
    if not rows:
        raise UnknownPerson("nobody has this id")
    return [_as_leave(row) for row in rows if row[0]]


def _as_leave(row: Row) -> Leave:
    leave_id, policy, first, last, stored, unit, state = row
    amounts = {date.fromisoformat(day): Decimal(amount) for day, amount in json.loads(stored).items()}
    return Leave(
        id=leave_id,
        policy=policy,
        policy_id=policy,
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        amount=sum(amounts.values(), Decimal(0)),
        unit=unit,
        state=LeaveState(state),
        amounts=amounts,
    )


def _one(rows: list[Row], leave_id: str) -> Leave:
    """:raises UnknownPerson:, :raises UnknownLeave:"""
    wanted = known_id(leave_id)
    for each in _leaves(rows):
        if each.id == wanted:
            return each
    raise UnknownLeave("this person has no time off of this id")


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
