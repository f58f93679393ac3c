"""What must hold for every system that keeps time off.

A new one brings a ``TimeOffWorld`` and one line in time_off_worlds.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.company import Company
from integrations.contract import ConnectorError, OutcomeUnknown, PermissionRefused, SystemDown, UnknownPerson
from integrations.work import Balance, LeaveRefused, LeaveState, NewLeave, UnknownLeave
from tests.contracts.time_off_worlds import (
    DAYS_PERSON,
    HOURS_PERSON,
    NOBODY,
    QUARTERS,
    WITHOUT,
    WORLDS,
    TimeOffWorld,
    opened,
)

TODAY = datetime.now(UTC).date()
OP, OTHER_OP, CANCEL_OP = "R-7Q2MXX:enter", "R-8ABCDE:enter", "R-9FGHJK:cancel"
HOSTILE = ["", " ", "%", "*", "' OR 1=1 --", "\x00", "\ud800", "../1", "0", "a" * 100_000, "1' OR '1'='1"]


@pytest.fixture(scope="session")
def company_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("time-off") / "template.db"
    Company.open(path).close()
    return path


@pytest.fixture(params=sorted(WORLDS))
async def world(
    request: pytest.FixtureRequest, company_template: Path, tmp_path: Path
) -> AsyncIterator[TimeOffWorld]:
    async with WORLDS[request.param](company_template, tmp_path) as made:
        yield made


async def vacation(world: TimeOffWorld, person: str, on: date = TODAY) -> Balance:
    return next(each for each in await world.time_off.balances(person, on) if each.policy == "Vacation")


async def new_leave(world: TimeOffWorld, person: str, first: date, *amounts: str, note: str = "") -> NewLeave:
    days = {first + timedelta(days=number): Decimal(amount) for number, amount in enumerate(amounts)}
    return NewLeave((await vacation(world, person)).policy_id, days, note)


async def taken(world: TimeOffWorld, person: str, first: date, *amounts: str, op: str = OP) -> str:
    return await world.time_off.enter(person, await new_leave(world, person, first, *amounts), op=op)


def soon(days: int) -> date:
    """Some days after today."""
    return TODAY + timedelta(days=days)


class TestBalances:
    @pytest.mark.parametrize(("person", "unit"), [(HOURS_PERSON, "hours"), (DAYS_PERSON, "days")])
    async def test_they_come_in_the_unit_of_the_policy(
        self, world: TimeOffWorld, person: str, unit: str
    ) -> None:
        balances = await world.time_off.balances(person, TODAY)
        assert sorted(each.policy for each in balances) == ["Sick", "Vacation"]
        assert {each.unit for each in balances} == {unit}
        assert {each.as_of for each in balances} == {TODAY}
        assert len({each.policy_id for each in balances}) == 2
        assert all(each.policy_id for each in balances)

    async def test_they_are_exact(self, world: TimeOffWorld) -> None:
        ana, rosa, nadia = [await vacation(world, each) for each in (HOURS_PERSON, DAYS_PERSON, QUARTERS)]
        assert (ana.available, ana.used) == (Decimal("96.5"), Decimal(40))
        assert (rosa.available, rosa.used) == (Decimal(11), Decimal(14))
        assert (nadia.available, nadia.used) == (Decimal("56.25"), Decimal(60))
        assert all(isinstance(each, Decimal) for each in (ana.available, ana.used))

    async def test_what_accrues_until_a_later_day_is_added(self, world: TimeOffWorld) -> None:
        first_of_next = (TODAY.replace(day=1) + timedelta(days=32)).replace(day=1)
        now, later = await vacation(world, QUARTERS), await vacation(world, QUARTERS, first_of_next)
        assert later.available - now.available == Decimal("13.33")
        assert later.as_of == first_of_next

    async def test_a_later_day_never_leaves_less(self, world: TimeOffWorld) -> None:
        now = await world.time_off.balances(DAYS_PERSON, TODAY)
        later = await world.time_off.balances(DAYS_PERSON, soon(100))
        assert all(b.available >= a.available for a, b in zip(now, later, strict=True))

    @pytest.mark.parametrize("on", [date.min, date.max])
    async def test_no_day_is_too_far_away(self, world: TimeOffWorld, on: date) -> None:
        assert await world.time_off.balances(DAYS_PERSON, on)

    async def test_who_has_no_plan_has_no_balance(self, world: TimeOffWorld) -> None:
        assert await world.time_off.balances(WITHOUT, TODAY) == []

    async def test_what_is_booked_until_a_day_is_taken_off_on_it(self, world: TimeOffWorld) -> None:
        before = {on: await vacation(world, DAYS_PERSON, on) for on in map(soon, (0, 1, 2, 3, 40))}
        await taken(world, DAYS_PERSON, soon(1), "1", "0", "0.5")
        for on, less in zip(before, ("0", "1", "1", "1.5", "1.5"), strict=True):
            after = await vacation(world, DAYS_PERSON, on)
            assert before[on].available - after.available == Decimal(less)
            assert after.used == before[on].used, "a day to come is not used"

    async def test_only_its_own_policy_pays_for_it(self, world: TimeOffWorld) -> None:
        await taken(world, HOURS_PERSON, soon(1), "8")
        left = {each.policy: each.available for each in await world.time_off.balances(HOURS_PERSON, soon(1))}
        assert left["Sick"] >= Decimal(48)

    async def test_what_was_cancelled_is_left_again(self, world: TimeOffWorld) -> None:
        before = await vacation(world, HOURS_PERSON, soon(5))
        leave = await taken(world, HOURS_PERSON, soon(1), "8", "7.25")
        assert before.available - (await vacation(world, HOURS_PERSON, soon(5))).available == Decimal("15.25")
        await world.time_off.cancel(HOURS_PERSON, leave, op=CANCEL_OP)
        assert await vacation(world, HOURS_PERSON, soon(5)) == before


class TestBooked:
    async def test_it_is_shown_as_it_was_entered(self, world: TimeOffWorld) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8", "0", "4.5")
        leave_id = await world.time_off.enter(HOURS_PERSON, new, op=OP)
        (leave,) = await world.time_off.booked(HOURS_PERSON, soon(3), soon(5))
        assert leave == await world.time_off.leave(HOURS_PERSON, leave_id)
        assert (leave.id, leave.policy, leave.policy_id) == (leave_id, "Vacation", new.policy_id)
        assert (leave.first, leave.last) == (soon(3), soon(5))
        assert (leave.amount, leave.unit, leave.state) == (Decimal("12.5"), "hours", LeaveState.APPROVED)
        assert leave.amounts == new.amounts

    @pytest.mark.parametrize(
        ("first", "last", "touches"),
        [(0, 9, False), (0, 10, True), (12, 20, True), (13, 20, False), (11, 11, True), (0, 30, True)],
    )
    async def test_both_edges_belong_to_it(
        self, world: TimeOffWorld, first: int, last: int, touches: bool
    ) -> None:
        await taken(world, DAYS_PERSON, soon(10), "1", "1", "1")
        assert bool(await world.time_off.booked(DAYS_PERSON, soon(first), soon(last))) is touches

    async def test_the_earliest_comes_first_and_nobody_elses(self, world: TimeOffWorld) -> None:
        for number, days in enumerate((20, 5, 12)):
            await taken(world, DAYS_PERSON, soon(days), "1", op=f"R-{number}:enter")
        await taken(world, HOURS_PERSON, soon(6), "8", op="R-9:enter")
        booked = await world.time_off.booked(DAYS_PERSON, TODAY, soon(60))
        assert [each.first for each in booked] == [soon(5), soon(12), soon(20)]
        assert await world.time_off.booked(WITHOUT, TODAY, soon(60)) == []

    async def test_days_the_wrong_way_round_hold_nothing(self, world: TimeOffWorld) -> None:
        await taken(world, DAYS_PERSON, soon(10), "1")
        assert await world.time_off.booked(DAYS_PERSON, soon(20), soon(1)) == []

    async def test_it_goes_over_the_end_of_the_year(self, world: TimeOffWorld) -> None:
        year = TODAY.year + 1
        days = {date(year, 12, day): "0.5" for day in (30, 31)} | {date(year + 1, 1, 1): "0"}
        days |= {date(year + 1, 1, 2): "1"}
        amounts = {day: Decimal(amount) for day, amount in days.items()}
        policy = (await vacation(world, DAYS_PERSON)).policy_id
        eve, later = date(year, 12, 31), date(year + 1, 1, 31)
        before = [(await vacation(world, DAYS_PERSON, on)).available for on in (eve, later)]
        leave_id = await world.time_off.enter(DAYS_PERSON, NewLeave(policy, amounts), op=OP)
        after = [(await vacation(world, DAYS_PERSON, on)).available for on in (eve, later)]
        assert [a - b for a, b in zip(before, after, strict=True)] == [Decimal(1), Decimal(2)]
        for edge in (date(year, 12, 30), date(year + 1, 1, 2)):
            assert [each.id for each in await world.time_off.booked(DAYS_PERSON, edge, edge)] == [leave_id]


class TestEntering:
    async def test_the_same_operation_enters_once(self, world: TimeOffWorld) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8")
        first = await world.time_off.enter(HOURS_PERSON, new, op=OP)
        assert await world.time_off.enter(HOURS_PERSON, new, op=OP) == first
        assert world.counted() == 1
        assert await world.time_off.entered(HOURS_PERSON, new, op=OP) == first

    async def test_what_was_never_entered_is_none(self, world: TimeOffWorld) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8")
        assert await world.time_off.entered(HOURS_PERSON, new, op=OP) is None
        await world.time_off.enter(HOURS_PERSON, new, op=OP)
        for other in (OTHER_OP, OP[:-1], f"{OP}2", ""):
            assert await world.time_off.entered(HOURS_PERSON, new, op=other) is None
        for somebody_else in (WITHOUT, QUARTERS):
            assert await world.time_off.entered(somebody_else, new, op=OP) is None

    async def test_an_operation_of_somebody_else_gives_nobody_their_time_off(
        self, world: TimeOffWorld
    ) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8")
        leave_id = await world.time_off.enter(HOURS_PERSON, new, op=OP)
        try:
            assert await world.time_off.enter(QUARTERS, new, op=OP) != leave_id
        except ConnectorError:
            assert world.counted() == 1

    async def test_what_was_cancelled_was_entered_and_is_not_entered_again(self, world: TimeOffWorld) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8")
        leave_id = await world.time_off.enter(HOURS_PERSON, new, op=OP)
        await world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP)
        assert await world.time_off.entered(HOURS_PERSON, new, op=OP) == leave_id
        assert await world.time_off.enter(HOURS_PERSON, new, op=OP) == leave_id
        assert world.counted() == 1
        assert await world.time_off.booked(HOURS_PERSON, soon(3), soon(3)) == []

    async def test_the_days_of_what_was_cancelled_are_free_again(self, world: TimeOffWorld) -> None:
        leave_id = await taken(world, HOURS_PERSON, soon(3), "8")
        await world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP)
        assert await taken(world, HOURS_PERSON, soon(3), "8", op=OTHER_OP) != leave_id

    @pytest.mark.parametrize("start", [8, 9, 10, 11, 12])
    async def test_a_day_is_booked_once(self, world: TimeOffWorld, start: int) -> None:
        await taken(world, DAYS_PERSON, soon(10), "0.5", "0.5", "0.5")
        with pytest.raises(LeaveRefused):
            await taken(world, DAYS_PERSON, soon(start), "0.5", "0", "0.5", op=OTHER_OP)
        assert world.counted() == 1

    @pytest.mark.parametrize("start", [7, 13])
    async def test_the_days_beside_it_are_free(self, world: TimeOffWorld, start: int) -> None:
        await taken(world, DAYS_PERSON, soon(10), "1", "1", "1")
        await taken(world, DAYS_PERSON, soon(start), "1", "1", "1", op=OTHER_OP)
        assert world.counted() == 2

    async def test_another_policy_does_not_book_the_day_either(self, world: TimeOffWorld) -> None:
        await taken(world, DAYS_PERSON, soon(10), "1")
        balances = await world.time_off.balances(DAYS_PERSON, TODAY)
        sick = next(each.policy_id for each in balances if each.policy == "Sick")
        with pytest.raises(LeaveRefused):
            await world.time_off.enter(DAYS_PERSON, NewLeave(sick, {soon(10): Decimal(1)}), op=OTHER_OP)

    async def test_all_that_is_left_can_be_taken_and_no_more(self, world: TimeOffWorld) -> None:
        left = (await vacation(world, HOURS_PERSON, soon(3))).available
        with pytest.raises(LeaveRefused):
            await taken(world, HOURS_PERSON, soon(3), str(left + Decimal("0.01")))
        assert world.counted() == 0
        await taken(world, HOURS_PERSON, soon(3), str(left))
        assert (await vacation(world, HOURS_PERSON, soon(3))).available == 0

    @pytest.mark.parametrize(
        "amounts",
        [{}, {1: "0"}, {1: "0", 2: "0"}, {1: "-8"}, {1: "8", 2: "-1"}, {1: "NaN"}, {1: "Infinity"}],
        ids=str,
    )
    async def test_what_takes_nothing_or_less_is_refused(
        self, world: TimeOffWorld, amounts: dict[int, str]
    ) -> None:
        policy = (await vacation(world, HOURS_PERSON)).policy_id
        new = NewLeave(policy, {soon(day): Decimal(amount) for day, amount in amounts.items()})
        with pytest.raises(LeaveRefused):
            await world.time_off.enter(HOURS_PERSON, new, op=OP)
        assert world.counted() == 0

    @pytest.mark.parametrize("policy", ["99", "Holidays", *HOSTILE])
    async def test_a_policy_that_is_not_there_is_refused(self, world: TimeOffWorld, policy: str) -> None:
        with pytest.raises(LeaveRefused):
            await world.time_off.enter(HOURS_PERSON, NewLeave(policy, {soon(3): Decimal(8)}), op=OP)
        assert world.counted() == 0

    async def test_somebody_elses_policy_is_refused(self, world: TimeOffWorld) -> None:
        policy = (await vacation(world, HOURS_PERSON)).policy_id
        with pytest.raises(LeaveRefused):
            await world.time_off.enter(WITHOUT, NewLeave(policy, {soon(3): Decimal(8)}), op=OP)

    @pytest.mark.parametrize(
        "note", ["Sea & sun", "[Deskhand  R-8ABCDE:enter]", "x" * 5000, "\ud800", "é\n\x00"]
    )
    async def test_a_note_may_say_anything_and_is_no_operation(self, world: TimeOffWorld, note: str) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8", note=note)
        leave_id = await world.time_off.enter(HOURS_PERSON, new, op=OP)
        assert await world.time_off.entered(HOURS_PERSON, new, op=OP) == leave_id
        assert await world.time_off.entered(HOURS_PERSON, new, op=OTHER_OP) is None

    async def test_two_operations_at_once_do_not_both_get_the_day(self, world: TimeOffWorld) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8")
        done = await asyncio.gather(
            *(world.time_off.enter(HOURS_PERSON, new, op=op) for op in (OP, OTHER_OP)), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in done) == ["LeaveRefused", "str"]
        assert world.counted() == 1


class TestCancelling:
    async def test_it_is_cancelled_once(self, world: TimeOffWorld) -> None:
        leave_id = await taken(world, HOURS_PERSON, soon(3), "8")
        assert await world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP) is True
        assert await world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP) is False
        assert await world.time_off.cancel(HOURS_PERSON, leave_id, op="R-2:cancel") is False
        assert (await world.time_off.leave(HOURS_PERSON, leave_id)).state is LeaveState.CANCELLED

    async def test_somebody_elses_is_not_there(self, world: TimeOffWorld) -> None:
        leave_id = await taken(world, HOURS_PERSON, soon(3), "8")
        with pytest.raises(UnknownLeave):
            await world.time_off.leave(DAYS_PERSON, leave_id)
        with pytest.raises(UnknownLeave):
            await world.time_off.cancel(DAYS_PERSON, leave_id, op=CANCEL_OP)
        assert (await world.time_off.leave(HOURS_PERSON, leave_id)).state is LeaveState.APPROVED

    @pytest.mark.parametrize("leave_id", ["L-0", "99999", *HOSTILE])
    async def test_an_id_of_nothing_is_not_there(self, world: TimeOffWorld, leave_id: str) -> None:
        with pytest.raises(UnknownLeave):
            await world.time_off.leave(HOURS_PERSON, leave_id)
        with pytest.raises(UnknownLeave):
            await world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP)


class TestBadDays:
    @pytest.mark.parametrize("person", [NOBODY, *HOSTILE])
    async def test_nobody_is_an_error_by_every_call(self, world: TimeOffWorld, person: str) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8")
        for call in (
            world.time_off.balances(person, TODAY),
            world.time_off.booked(person, TODAY, soon(3)),
            world.time_off.leave(person, "1001"),
            world.time_off.enter(person, new, op=OP),
            world.time_off.entered(person, new, op=OP),
            world.time_off.cancel(person, "1001", op=CANCEL_OP),
        ):
            with pytest.raises(UnknownPerson):
                await call
        assert world.counted() == 0

    async def test_a_system_that_is_down_is_a_named_error_and_nothing_is_changed(
        self, world: TimeOffWorld
    ) -> None:
        leave_id = await taken(world, HOURS_PERSON, soon(3), "8")
        new = await new_leave(world, HOURS_PERSON, soon(8), "8")
        with world.down():
            for call in (
                world.time_off.balances(HOURS_PERSON, TODAY),
                world.time_off.booked(HOURS_PERSON, TODAY, soon(3)),
                world.time_off.leave(HOURS_PERSON, leave_id),
                world.time_off.enter(HOURS_PERSON, new, op=OTHER_OP),
                world.time_off.entered(HOURS_PERSON, new, op=OTHER_OP),
                world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP),
            ):
                with pytest.raises(SystemDown):
                    await call
        (leave,) = await world.time_off.booked(HOURS_PERSON, TODAY, soon(60))
        assert (leave.id, leave.state, world.counted()) == (leave_id, LeaveState.APPROVED, 1)

    async def test_a_system_that_refuses_us_is_a_named_error_and_nothing_is_changed(
        self, world: TimeOffWorld
    ) -> None:
        leave_id = await taken(world, HOURS_PERSON, soon(3), "8")
        new = await new_leave(world, HOURS_PERSON, soon(8), "8")
        with world.refusing():
            for call in (
                world.time_off.enter(HOURS_PERSON, new, op=OTHER_OP),
                world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP),
            ):
                with pytest.raises(PermissionRefused):
                    await call
        (leave,) = await world.time_off.booked(HOURS_PERSON, TODAY, soon(60))
        assert (leave.id, leave.state, world.counted()) == (leave_id, LeaveState.APPROVED, 1)

    async def test_after_a_bad_day_it_works_again(self, world: TimeOffWorld) -> None:
        new = await new_leave(world, HOURS_PERSON, soon(3), "8")
        for trouble in (world.down, world.refusing):
            with trouble(), pytest.raises(ConnectorError):
                await world.time_off.enter(HOURS_PERSON, new, op=OP)
        assert await world.time_off.entered(HOURS_PERSON, new, op=OP) is None
        assert await world.time_off.enter(HOURS_PERSON, new, op=OP)

    async def test_what_was_entered_without_an_answer_is_found_and_not_entered_again(
        self, world: TimeOffWorld
    ) -> None:
        if world.lose_reply is None:
            pytest.skip("no answer of this system can be lost")
        new = await new_leave(world, HOURS_PERSON, soon(3), "8", "4")
        world.lose_reply()
        with pytest.raises(OutcomeUnknown):
            await world.time_off.enter(HOURS_PERSON, new, op=OP)
        found = await world.time_off.entered(HOURS_PERSON, new, op=OP)
        assert found
        assert await world.time_off.enter(HOURS_PERSON, new, op=OP) == found
        assert world.counted() == 1

    async def test_what_was_cancelled_without_an_answer_is_cancelled(self, world: TimeOffWorld) -> None:
        if world.lose_reply is None:
            pytest.skip("no answer of this system can be lost")
        leave_id = await taken(world, HOURS_PERSON, soon(3), "8")
        world.lose_reply()
        with pytest.raises(OutcomeUnknown):
            await world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP)
        assert await world.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP) is False


class TestCompany:
    """What only the embedded company tells."""

    async def test_each_write_that_reached_it_is_counted(
        self, company_template: Path, tmp_path: Path
    ) -> None:
        with opened(company_template, tmp_path) as company:
            new = NewLeave("Vacation", {soon(3): Decimal(8)})
            leave_id = await company.time_off.enter(HOURS_PERSON, new, op=OP)
            await company.time_off.enter(HOURS_PERSON, new, op=OP)
            with pytest.raises(LeaveRefused):
                await company.time_off.enter(HOURS_PERSON, new, op=OTHER_OP)
            for _ in range(2):
                await company.time_off.cancel(HOURS_PERSON, leave_id, op=CANCEL_OP)
            assert [
                (each.op, each.kind, each.person_id, each.changed) for each in await company.writes()
            ] == [
                (OP, "leave.enter", HOURS_PERSON, True),
                (OP, "leave.enter", HOURS_PERSON, False),
                (CANCEL_OP, "leave.cancel", HOURS_PERSON, True),
                (CANCEL_OP, "leave.cancel", HOURS_PERSON, False),
            ]

    async def test_days_that_are_past_are_used_and_those_before_it_began_are_in_the_balance(
        self, company_template: Path, tmp_path: Path
    ) -> None:
        with opened(company_template, tmp_path) as company:
            opened_on = soon(-2)
            set_day = "UPDATE time_off SET as_of = ?, monthly = '0'"
            company.client.write_now(lambda file: file.execute(set_day, (opened_on.isoformat(),)))
            days = {soon(day): Decimal(1) for day in (-3, -2, -1, 0, 1)}
            await company.time_off.enter(DAYS_PERSON, NewLeave("Vacation", days), op=OP)
            now, later = [
                next(
                    each
                    for each in await company.time_off.balances(DAYS_PERSON, on)
                    if each.policy == "Vacation"
                )
                for on in (TODAY, soon(1))
            ]
            assert (now.available, now.used) == (Decimal(9), Decimal(16))
            assert (later.available, later.used) == (Decimal(8), Decimal(16)), "tomorrow is not used yet"

    async def test_what_later_time_off_counts_on_cannot_be_taken_before_it(
        self, company_template: Path, tmp_path: Path
    ) -> None:
        with opened(company_template, tmp_path) as company:
            company.client.write_now(lambda file: file.execute("UPDATE time_off SET monthly = '0'"))
            late = NewLeave("Vacation", {soon(60 + day): Decimal(1) for day in range(10)})
            await company.time_off.enter(DAYS_PERSON, late, op=OP)
            early = NewLeave("Vacation", {soon(3): Decimal(1), soon(4): Decimal(1)})
            with pytest.raises(LeaveRefused):
                await company.time_off.enter(DAYS_PERSON, early, op=OTHER_OP)
            await company.time_off.enter(
                DAYS_PERSON, NewLeave("Vacation", {soon(3): Decimal(1)}), op=OTHER_OP
            )
