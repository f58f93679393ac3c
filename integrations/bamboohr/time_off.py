"""Time off in BambooHR: balances as it estimates them, requests entered as approved, and cancelled.

What it estimates has approved requests in it and no requested ones: those are taken off here. A policy
without a balance (flexible time off) is left out.
Source: https://documentation.bamboohr.com/reference/get-time-off-balance, .../update-time-off-request-status
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.bamboohr.client import Client
from integrations.bamboohr.people import People
from integrations.bamboohr.read import Json, day, identity, is_id, listed, number, text, unit, unreadable
from integrations.bamboohr.requests import as_leave, as_request, is_of, marker, state
from integrations.contract import ConnectorError, OutcomeUnknown, SystemDown, UnknownPerson
from integrations.rest import NotThere, Refused
from integrations.work import Balance, Leave, LeaveRefused, NewLeave, UnknownLeave

_EVER = (date(1900, 1, 1), date(2100, 12, 31))
_PENDING = timedelta(days=366)  # how long ago something may be that is still to be decided
_REFUSED = (400, 409, 422)


class BambooHrTimeOff:
    """The port ``TimeOff``. A policy is a time-off type; its id is what BambooHR calls it."""

    def __init__(self, client: Client, people: People) -> None:
        self._client = client
        self._people = people

    async def balances(self, person_id: str, on: date) -> list[Balance]:
        employee = await self._people.employee(person_id)
        try:
            answer = await self._client.get(
                "employees", employee, "time_off", "calculator", end=on.isoformat(), precision=4
            )
        except NotThere as error:
            raise UnknownPerson("nobody in BambooHR has this id") from error
        since = datetime.now(UTC).date() - _PENDING
        pending = [as_leave(each) for each in await self._requests(employee, since, on, "requested")]
        with_balance = (each for each in listed(answer, "balances") if not _is_flexible(each))
        return [_balance(each, pending, on) for each in with_balance]

    async def booked(self, person_id: str, first: date, last: date) -> list[Leave]:
        employee = await self._people.employee(person_id)
        return await self._booked(employee, first, last)

    async def leave(self, person_id: str, leave_id: str) -> Leave:
        employee = await self._people.employee(person_id)
        return as_leave(await self._one(employee, leave_id))

    async def enter(self, person_id: str, new: NewLeave, *, op: str) -> str:
        _require_sane(new)
        employee = await self._people.employee(person_id)
        if entered := await self._entered(employee, new, op):
            return entered
        if booked := await self._booked(employee, new.first, new.last):
            raise LeaveRefused(f"{booked[0].first} to {booked[0].last} is booked already")
        try:
            made = await self._client.put(
                "employees", employee, "time_off", "request", body=as_request(new, op)
            )
        except Refused as error:
            raise self._refusal(error) from None
        except NotThere as error:
            raise UnknownPerson("nobody in BambooHR has this id") from error
        return _id_in(made) or await self._shown(employee, new, op)

    async def entered(self, person_id: str, new: NewLeave, *, op: str) -> str | None:
        employee = await self._people.employee(person_id)
        return await self._entered(employee, new, op)

    async def cancel(self, person_id: str, leave_id: str, *, op: str) -> bool:
        """:raises LeaveRefused: one that has begun, for example"""
        employee = await self._people.employee(person_id)
        if not state(await self._one(employee, leave_id)).counts:
            return False
        try:
            await self._client.put(
                "time_off", "requests", leave_id, "status", body={"status": "canceled", "note": marker(op)}
            )
        except NotThere as error:
            raise UnknownLeave("this person has no time off of this id") from error
        except Refused as error:
            if not state(await self._one(employee, leave_id)).counts:
                return False  # somebody was faster
            raise self._refusal(error) from None
        return True

    async def _entered(self, employee: str, new: NewLeave, op: str) -> str | None:
        """Whatever became of it."""
        for each in await self._requests(employee, new.first, new.last):
            if is_of(each, new, op):
                return identity(each, "id")
        return None

    async def _shown(self, employee: str, new: NewLeave, op: str) -> str:
        """The id of what was entered, where the answer did not tell. :raises OutcomeUnknown:"""
        try:
            entered = await self._entered(employee, new, op)
        except ConnectorError as error:
            raise OutcomeUnknown("BambooHR took the time off and did not tell its id") from error
        if entered is None:
            raise OutcomeUnknown("BambooHR took the time off and does not show it")
        return entered

    async def _booked(self, employee: str, first: date, last: date) -> list[Leave]:
        found = await self._requests(employee, first, last, "requested,approved")
        leaves = [as_leave(each) for each in found if state(each).counts]
        touching = [each for each in leaves if each.first <= last and each.last >= first]
        return sorted(touching, key=lambda each: (each.first, each.last, each.id))

    async def _one(self, employee: str, leave_id: str) -> Json:
        """:raises UnknownLeave:"""
        if is_id(leave_id):
            for each in await self._requests(employee, *_EVER, id=leave_id):
                if identity(each, "id") == leave_id:
                    return each
        raise UnknownLeave("this person has no time off of this id")

    async def _requests(
        self, employee: str, first: date, last: date, states: str = "", **params: str
    ) -> list[Json]:
        """This employee's, that touch these days."""
        if first > last:
            return []
        if states:
            params["status"] = states
        answer = await self._client.get(
            "time_off", "requests",
            start=first.isoformat(), end=last.isoformat(), employeeId=employee, **params,
        )  # fmt: skip
        return [each for each in listed(answer, "requests") if identity(each, "employeeId") == employee]

    def _refusal(self, error: Refused) -> ConnectorError:
        words = self._client.words(error)
        if error.status in _REFUSED:
            return LeaveRefused(f"BambooHR: {words}")
        return SystemDown(f"{error}: {words}")


def _require_sane(new: NewLeave) -> None:
    amounts = new.amounts.values()
    if not all(each.is_finite() and each >= 0 for each in amounts) or not any(amounts):
        raise LeaveRefused("time off takes something on at least one day, and less than nothing on none")
    if not is_id(new.policy_id):
        raise LeaveRefused("there is no such time-off policy in BambooHR")


def _balance(estimate: Json, pending: Iterable[Leave], on: date) -> Balance:
    policy_id = identity(estimate, "timeOffType")
    counted_in = unit(estimate, "units")
    undecided = [each for each in pending if each.policy_id == policy_id]
    if any(each.unit != counted_in for each in undecided):
        raise unreadable("unit")
    taken = (amount for each in undecided for when, amount in each.amounts.items() if when <= on)
    return Balance(
        policy=text(estimate, "name"),
        unit=counted_in,
        available=number(estimate, "balance") - sum(taken, Decimal(0)),
        used=number(estimate, "usedYearToDate"),
        as_of=day(estimate, "end"),
        policy_id=policy_id,
    )


def _is_flexible(estimate: Json) -> bool:
    return estimate.get("policyType") == "discretionary"


def _id_in(made: Any) -> str | None:
    """A created request tells its id, or it does not."""
    found = str(made.get("id", "")) if isinstance(made, dict) else ""
    return found if is_id(found) else None
