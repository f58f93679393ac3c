"""Time off that is asked for: which days count, what is left after it, how it is entered and cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.chat.card import Fact
from bot.chat.clean import plain
from bot.procedures.action import Impossible, Params, Run, Seen, World
from integrations.contract import Person
from integrations.work import DAY_HOURS, DAYS, HOURS, Balance, Leave, LeaveRefused, LeaveState, NewLeave

_REPORTED = timedelta(days=1)  # a sick day is told today, or the evening before
_NOTE = "Asked for and approved in Deskhand"


@dataclass(frozen=True, slots=True)
class Plan:
    """Time off that somebody would like."""

    balance: Balance  # of its policy, on its last day, as if it were not taken
    first: date
    last: date
    parts: Mapping[date, Decimal]  # 1, 0.5 or 0 for every day from first to last
    off: tuple[str, ...]  # why days of it do not count
    calendar: str  # whose public holidays
    now: date  # where they are
    half_first: bool = False
    half_last: bool = False

    @property
    def days(self) -> Decimal:
        return sum(self.parts.values(), Decimal(0))

    @property
    def amounts(self) -> dict[date, Decimal]:
        """In the unit of the policy."""
        return {day: _in_unit(part, self.balance.unit) for day, part in self.parts.items()}

    @property
    def amount(self) -> Decimal:
        return _in_unit(self.days, self.balance.unit)

    @property
    def left(self) -> Decimal:
        return self.balance.available - self.amount

    @property
    def kind(self) -> str:
        """As the rules call it; what lies ahead is another thing than what is reported."""
        return self.balance.policy if self.first <= self.now + _REPORTED else f"{self.balance.policy} to come"

    @property
    def halves(self) -> str:
        """Which half of a day is off."""
        one = self.first == self.last
        first = ", the afternoon" if one else ", from noon of the first"
        last = ", the morning" if one else ", until noon of the last"
        return f"{first if self.half_first else ''}{last if self.half_last else ''}"

    @property
    def period(self) -> str:
        return period(self.first, self.last)

    def facts(self) -> tuple[Fact, ...]:
        days = f"{counted(self.days)} working {'day' if self.days <= 1 else 'days'}"
        hours = f" ({said(self.amount, HOURS)})" if self.balance.unit == HOURS else ""
        rows = [
            Fact(label="Time off", value=plain(self.balance.policy, 60)),
            Fact(label="Days", value=f"{self.period}{self.halves}"),
            Fact(label="Takes", value=f"{days}{hours}"),
            Fact(label="Left after it", value=f"{said(self.left, self.balance.unit)}, on {_day(self.last)}"),
        ]
        if self.off:
            rows.append(Fact(label="Not counted", value="; ".join(self.off)))
        return (*rows, Fact(label="Public holidays of", value=self.calendar))


async def plan(
    world: World, subject: Person, policy_id: str, days: Mapping[str, object], instead_of: Leave | None = None
) -> Plan:
    """:param instead_of: what is given up for it: it neither overlaps nor counts

    :raises Impossible: it cannot be entered as it stands
    """
    first, last = date.fromisoformat(str(days["first"])), date.fromisoformat(str(days["last"]))
    if last < today(world, subject):
        raise Impossible("Those days are over already. HR can enter them for you.")
    halves = {name: bool(days.get(name)) for name in ("half_first", "half_last")}
    calendar = world.calendars.calendar(subject.time_zone)
    try:
        parts = calendar.counted(first, last, **halves)
    except ValueError as error:
        raise Impossible(f"I cannot enter these days: {error}.") from error
    off = {day: f"{_day(day)} ({calendar.why_off(day)})" for day in parts if calendar.why_off(day)}
    holidays = tuple(each for day, each in off.items() if calendar.why_off(day) != f"{day:%A}")
    balances = {each.policy_id: each for each in await world.time_off.balances(subject.id, last)}
    if policy_id not in balances:
        raise Impossible("You have no such time-off policy on record. HR can tell why.")
    balance = _given_back(balances[policy_id], instead_of, last)
    balance = replace(balance, policy=plain(balance.policy, 60))
    found = Plan(balance, first, last, parts, holidays, calendar.name, today(world, subject), **halves)
    if not found.days:
        raise Impossible(f"No working day is among these: {'; '.join(off.values())}.")
    booked = await world.time_off.booked(subject.id, first, last)
    if others := [each for each in booked if instead_of is None or each.id != instead_of.id]:
        raise Impossible(f"You have {described(others[0])} already. Cancel or change that first.")
    if found.left < 0:
        raise Impossible(
            f"That takes {said(found.amount, balance.unit)} of {called(balance.policy)}, and by {_day(last)}"
            f" you will have {said(balance.available, balance.unit)}. Choose fewer days, or ask HR."
        )
    return found


async def upcoming(world: World, subject: Person, leave_id: str) -> Leave:
    """A time off that counts and has not begun. :raises Impossible: this one does not"""
    leave = await world.time_off.leave(subject.id, leave_id)
    if not leave.state.counts:
        raise Impossible(f"Your {described(leave)} is {leave.state.value} already.")
    if leave.first <= today(world, subject):
        raise Impossible(f"Your {described(leave)} has begun. HR can change what is left of it.")
    return leave


async def movable(world: World, subject: Person, leave_id: str) -> Leave:
    """One that was approved: what is still undecided elsewhere must not be decided by being moved.

    :raises Impossible:
    """
    leave = await upcoming(world, subject, leave_id)
    if leave.state is not LeaveState.APPROVED:
        raise Impossible(f"Your {described(leave)} is not approved yet. Cancel it, and ask for other days.")
    return leave


def today(world: World, person: Person) -> date:
    """The date it is where they are."""
    try:
        return world.now.astimezone(ZoneInfo(person.time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return world.now.date()


class EnterLeave:
    """Enter it, approved, as whoever decides on it did."""

    name = "enter_time_off"
    no_undo = ""

    def __init__(self, params: Params) -> None:
        self._params = params

    async def look(self, run: Run) -> Seen:
        old = self._params.get("leave")
        given_up = await run.world.time_off.leave(run.subject.id, old) if old else None
        policy = given_up.policy_id if given_up else str(self._params["policy"])
        try:
            found = await plan(run.world, run.subject, policy, self._params["days"], given_up)
        except Impossible as why:  # since it was confirmed
            raise LeaveRefused(str(why)) from why
        return {
            "policy": policy,
            "amounts": {day.isoformat(): str(amount) for day, amount in found.amounts.items()},
        }

    def needless(self, seen: Seen) -> bool:
        return False

    async def do(self, run: Run, seen: Seen) -> bool:
        await run.world.time_off.enter(run.subject.id, _new(seen), op=run.op)
        return True

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        entered = await run.world.time_off.entered(run.subject.id, _new(seen), op=run.op)
        return entered is not None and await _counts(run, entered)

    async def undo(self, run: Run, seen: Seen) -> None:
        if entered := await run.world.time_off.entered(run.subject.id, _new(seen), op=run.op):
            await run.world.time_off.cancel(run.subject.id, entered, op=f"{run.op}:undo")


class CancelLeave:
    """Cancel it. Where a later step fails, it is entered again as it was."""

    name = "cancel_time_off"
    no_undo = ""

    def __init__(self, *, moves: bool = False) -> None:
        """:param moves: other days follow: then it has to stand as it was shown"""
        self._moves = moves

    async def look(self, run: Run) -> Seen:
        leave = await run.world.time_off.leave(run.subject.id, str(run.params["leave"]))
        if leave.state.counts or self._moves:
            try:
                leave = await (movable if self._moves else upcoming)(run.world, run.subject, leave.id)
            except Impossible as why:  # since it was confirmed
                raise LeaveRefused(str(why)) from why
        return {
            "counts": leave.state.counts,
            "policy": leave.policy_id,
            "amounts": {day.isoformat(): str(amount) for day, amount in leave.amounts.items()},
        }

    def needless(self, seen: Seen) -> bool:
        return not seen["counts"]

    async def do(self, run: Run, seen: Seen) -> bool:
        return await run.world.time_off.cancel(run.subject.id, str(run.params["leave"]), op=run.op)

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        if await _counts(run, str(run.params["leave"])):
            return False
        return await self._again(run, seen) is None

    async def undo(self, run: Run, seen: Seen) -> None:
        if await self._again(run, seen) is None:
            await run.world.time_off.enter(run.subject.id, _new(seen), op=f"{run.op}:undo")

    @staticmethod
    async def _again(run: Run, seen: Seen) -> str | None:
        return await run.world.time_off.entered(run.subject.id, _new(seen), op=f"{run.op}:undo")


def called(policy: str) -> str:
    """In a sentence: "vacation", "sick leave"."""
    name = plain(policy, 60).lower()
    return f"{name} leave" if name == "sick" else name


def described(leave: Leave) -> str:
    """ "vacation from Mon 21 Dec to Fri 1 Jan 2027"."""
    return f"{called(leave.policy)} {period(leave.first, leave.last)}"


def period(first: date, last: date) -> str:
    if first == last:
        return f"on {_day(first)}"
    return f"from {_day(first, year=first.year != last.year)} to {_day(last)}"


def said(amount: Decimal, unit: str) -> str:
    """ "9 days", "72 hours", "1 day", "half a day"."""
    if (amount, unit) == (Decimal("0.5"), DAYS):
        return "half a day"
    return f"{counted(amount)} {unit[:-1] if amount == 1 else unit}"


def counted(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _day(day: date, *, year: bool = True) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}" if year else f"{day:%a} {day.day} {day:%b}"


def _in_unit(days: Decimal, unit: str) -> Decimal:
    return days * DAY_HOURS if unit == HOURS else days


def _given_back(balance: Balance, leave: Leave | None, last: date) -> Balance:
    """The balance without what is given up: as much of it as was taken off by that day."""
    if leave is None or leave.policy_id != balance.policy_id or not leave.state.counts:
        return balance
    taken = sum((amount for day, amount in leave.amounts.items() if day <= last), Decimal(0))
    return replace(balance, available=balance.available + taken)


def _new(seen: Seen) -> NewLeave:
    amounts = {date.fromisoformat(day): Decimal(amount) for day, amount in seen["amounts"].items()}
    return NewLeave(str(seen["policy"]), amounts, _NOTE)


async def _counts(run: Run, leave_id: str) -> bool:
    return (await run.world.time_off.leave(run.subject.id, leave_id)).state.counts
