"""Dialogues about time off: words to an entered request, what is shown before the yes, moved, cancelled."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from decimal import Decimal

import pytest

from bot.chat.card import Card
from bot.procedures.request import State
from integrations.contract import OutcomeUnknown, PermissionRefused, SystemDown
from integrations.work import NewLeave
from tests.house import House

TWO_WEEKS = "I'd like two weeks off from the 21st"


def facts_of(card: Card) -> dict[str, str]:
    return {fact.label: fact.value for fact in card.facts}


class TestAskedFor:
    async def test_from_words_to_an_entered_request_with_the_balance_after_it(self, desk: House) -> None:
        await desk.says("ana", TWO_WEEKS)
        card = await desk.card("ana")
        assert card.text == "Enter 8 days of vacation for Ana Ruiz from Mon 21 Dec 2026 to Sun 3 Jan 2027"
        facts = facts_of(card)
        assert facts["Takes"] == "8 working days (64 hours)"
        # 96.5 hours, 13.33 more on 1 December and on 1 January, less 64
        assert facts["Left after it"] == "59.16 hours, on Sun 3 Jan 2027"
        assert facts["Not counted"] == "Fri 25 Dec 2026 (Christmas Day); Fri 1 Jan 2027 (New Year's Day)"
        assert not await desk.effects(), "nothing before the yes"

        await desk.press("ana", "Yes, do it")
        assert (await desk.card("ana")).status == "Waiting for Bo Lind"
        assert not await desk.effects(), "nothing before the manager"
        await desk.press("bo", "Approve")
        assert desk.state() is State.DONE
        assert [write.kind for write in await desk.effects()] == ["leave.enter"]
        (booked,) = await desk.app.company.time_off.booked(
            await desk.id("ana"), *map(date.fromisoformat, ("2026-12-01", "2027-01-31"))
        )
        assert (booked.amount, booked.unit) == (Decimal(64), "hours")
        assert "Ana Ruiz has 8 days of vacation from Mon 21 Dec 2026 to Sun 3 Jan 2027." in await desk.heard(
            "ana"
        )

    async def test_a_day_without_a_date_is_asked_for(self, desk: House) -> None:
        await desk.says("ana", "I want to take some vacation")
        assert "Which days?" in (await desk.card("ana")).text
        await desk.says("ana", "Friday afternoon")
        assert (await desk.card("ana")).text == "Enter half a day of vacation for Ana Ruiz on Fri 27 Nov 2026"
        assert facts_of(await desk.card("ana"))["Takes"] == "0.5 working day (4 hours)"
        assert facts_of(await desk.card("ana"))["Days"] == "on Fri 27 Nov 2026, the afternoon"

    async def test_what_is_booked_already_is_said_before_anything_else(self, desk: House) -> None:
        await desk.asks("ana", TWO_WEEKS)
        await desk.press("bo", "Approve")
        await desk.says("ana", "and can I have the 22nd off as well")
        assert "You have vacation from Mon 21 Dec 2026 to Sun 3 Jan 2027 already" in await desk.heard("ana")

    async def test_more_than_there_is_is_refused_with_both_figures(self, desk: House) -> None:
        await desk.says("luis", TWO_WEEKS)
        assert "That takes 64 hours of vacation, and by Sun 3 Jan 2027 you will have 38.66 hours" in (
            await desk.heard("luis")
        )

    async def test_days_on_which_nobody_works_are_no_time_off(self, desk: House) -> None:
        await desk.says("ana", "I'd like to take 25 December off")
        assert "No working day is among these: Fri 25 Dec 2026 (Christmas Day)." in await desk.heard("ana")

    async def test_sick_days_wait_for_nobody(self, desk: House) -> None:
        await desk.says("ana", "I'm sick today, please enter a sick day")
        assert "sick" in (await desk.card("ana")).text
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.DONE

    async def test_a_denial_enters_nothing(self, desk: House) -> None:
        await desk.asks("ana", TWO_WEEKS)
        await desk.press("bo", "Deny", {"reason": "The release is on the 22nd"})
        assert desk.state() is State.DENIED
        assert not await desk.effects()

    async def test_what_became_impossible_while_it_waited_is_not_entered(self, desk: House) -> None:
        await desk.asks("ana", TWO_WEEKS)
        await desk.says("ana", "can I take the 21st off")  # a second one for days of the first
        await desk.press("ana", "Yes, do it")
        await desk.press("bo", "Approve")
        await desk.press("bo", "Approve")
        assert {each.state for each in desk.requests()} == {State.DONE, State.UNDONE}
        assert [write.kind for write in await desk.effects()] == ["leave.enter"]

    async def test_balances_of_a_day_to_come(self, desk: House) -> None:
        await desk.says("ana", "how much will I have on 1 March?")
        assert "You will have 149.82 hours of vacation left." in await desk.heard("ana")
        await desk.asks("ana", TWO_WEEKS)
        await desk.press("bo", "Approve")
        await desk.says("ana", "how many vacation days will I have on 1 March?")
        assert "You will have 85.82 hours of vacation left." in await desk.heard("ana")


class TestLater:
    @pytest.fixture
    async def booked(self, desk: House) -> House:
        await desk.asks("ana", TWO_WEEKS)
        await desk.press("bo", "Approve")
        return desk

    async def test_cancelled_it_comes_back_to_the_balance(self, booked: House) -> None:
        await booked.says("ana", "cancel my vacation in December")
        card = await booked.card("ana")
        assert card.text == "Cancel the vacation of Ana Ruiz from Mon 21 Dec 2026 to Sun 3 Jan 2027"
        assert facts_of(card)["You get back"] == "64 hours"
        await booked.press("ana", "Yes, do it")
        assert booked.state() is State.DONE
        assert [write.kind for write in await booked.effects()] == ["leave.enter", "leave.cancel"]

    async def test_moved_to_other_days_once_the_manager_approves(self, booked: House) -> None:
        await booked.says("ana", "I want to move my vacation to other days")
        assert "To which days?" in (await booked.card("ana")).text
        await booked.says("ana", "Dec 28 to Jan 8")
        card = await booked.card("ana")
        assert card.text == (
            "Enter 8 days of vacation for Ana Ruiz from Mon 28 Dec 2026 to Fri 8 Jan 2027,"
            " instead of from Mon 21 Dec 2026 to Sun 3 Jan 2027"
        )
        assert facts_of(card)["Takes"] == "8 working days (64 hours)"  # 1 and 6 January are holidays
        await booked.press("ana", "Yes, do it")
        await booked.press("bo", "Approve")
        assert booked.state() is State.DONE
        mine = await booked.app.company.time_off.booked(
            await booked.id("ana"), *map(date.fromisoformat, ("2026-12-01", "2027-01-31"))
        )
        assert [(each.first.isoformat(), each.last.isoformat()) for each in mine] == [
            ("2026-12-28", "2027-01-08")
        ]

    async def test_where_the_new_days_cannot_be_entered_the_old_ones_stand_again(
        self, booked: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        enter = booked.app.company.time_off.enter
        failing = True

        async def refuses_the_new(person: str, new: object, *, op: str) -> str:
            if failing and not op.endswith(":undo"):
                raise SystemDown("away")
            return await enter(person, new, op=op)  # type: ignore[arg-type]

        monkeypatch.setattr("bot.procedures.execute._PAUSES_S", (0.0, 0.0))
        await booked.says("ana", "I want to move my vacation to other days")
        await booked.says("ana", "Jan 11 to Jan 15")
        await booked.press("ana", "Yes, do it")
        monkeypatch.setattr(booked.app.company.time_off, "enter", refuses_the_new)
        await booked.press("bo", "Approve")
        assert booked.state() is State.UNDONE
        mine = await booked.app.company.time_off.booked(
            await booked.id("ana"), *map(date.fromisoformat, ("2026-12-01", "2027-01-31"))
        )
        assert [(each.first.isoformat(), each.amount) for each in mine] == [("2026-12-21", Decimal(64))]

    async def test_what_has_begun_is_left_to_hr(self, booked: House) -> None:
        booked.clock.forward(days=30)
        await booked.says("ana", "cancel my vacation")
        assert "You have no time off booked that has not begun." in await booked.heard("ana")


class TestNothingHalfDone:
    """A move of time off has two steps: whatever fails or dies between them, days are booked once."""

    @pytest.fixture
    async def moving(self, desk: House, monkeypatch: pytest.MonkeyPatch) -> House:
        """Ana's vacation is to be moved to January; her manager has still to approve it."""
        monkeypatch.setattr("bot.procedures.execute._PAUSES_S", (0.0, 0.0))
        await desk.asks("ana", TWO_WEEKS)
        await desk.press("bo", "Approve")
        await desk.says("ana", "I want to move my vacation to other days")
        await desk.says("ana", "Jan 11 to Jan 15")
        await desk.press("ana", "Yes, do it")
        return desk

    async def booked(self, desk: House) -> list[str]:
        days = map(date.fromisoformat, ("2026-11-01", "2027-03-31"))
        return [
            each.first.isoformat()
            for each in await desk.app.company.time_off.booked(await desk.id("ana"), *days)
        ]

    async def test_a_way_back_that_was_interrupted_goes_on_backwards(
        self, moving: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        time_off = moving.app.company.time_off
        enter = time_off.enter

        async def never_forward(person: str, new: NewLeave, *, op: str) -> str:
            if op.endswith(":undo"):
                raise OutcomeUnknown("the reply was lost")
            raise PermissionRefused("no right to enter")

        with monkeypatch.context() as broken:
            broken.setattr(time_off, "enter", never_forward)
            await moving.press("bo", "Approve")
        assert moving.state() is State.EXECUTING
        assert time_off.enter == enter
        await moving.settle()
        assert moving.state() is State.UNDONE
        assert await self.booked(moving) == ["2026-12-21"]

    async def test_what_cannot_be_read_back_is_looked_at_by_a_person(
        self, moving: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refused(*_args: object, **_kwargs: object) -> str:
            raise PermissionRefused("the key was taken away")

        with monkeypatch.context() as broken:
            broken.setattr(moving.app.company.time_off, "entered", refused)
            await moving.press("bo", "Approve")
        assert moving.state() is State.STUCK, "it may have happened, so nobody says that it did not"

    @pytest.mark.parametrize(
        ("happened", "ends", "left"), [(True, State.DONE, "2027-01-11"), (False, State.UNDONE, "2026-12-21")]
    )
    async def test_what_a_person_finds_goes_on_forwards_or_back(
        self, moving: House, monkeypatch: pytest.MonkeyPatch, happened: bool, ends: State, left: str
    ) -> None:
        time_off = moving.app.company.time_off
        enter = time_off.enter

        async def silent(person: str, new: NewLeave, *, op: str) -> str:
            if happened:
                await enter(person, new, op=op)
            raise OutcomeUnknown("no answer")

        entered = time_off.entered

        async def nobody_knows(person: str, new: NewLeave, *, op: str) -> str | None:
            if op.endswith(":undo"):
                return await entered(person, new, op=op)
            raise PermissionRefused("not readable")

        with monkeypatch.context() as broken:
            broken.setattr(time_off, "enter", silent)
            broken.setattr(time_off, "entered", nobody_knows)
            await moving.press("bo", "Approve")
        assert moving.state() is State.STUCK
        await moving.app.engine.resolve(moving.request().ref, "p-1", "test", happened=happened)
        await moving.settle()
        assert moving.state() is ends
        assert await self.booked(moving) == [left]

    @pytest.mark.parametrize("happened", [True, False])
    async def test_a_way_back_that_is_stuck_never_ends_as_done(
        self, moving: House, monkeypatch: pytest.MonkeyPatch, happened: bool
    ) -> None:
        time_off = moving.app.company.time_off

        async def refused(*_args: object, **_kwargs: object) -> str:
            raise PermissionRefused("no right to enter")

        with monkeypatch.context() as broken:
            broken.setattr(time_off, "enter", refused)
            await moving.press("bo", "Approve")
        assert moving.state() is State.STUCK
        await moving.app.engine.resolve(moving.request().ref, "p-1", "test", happened=happened)
        await moving.settle()
        assert moving.state() is State.UNDONE
        assert await self.booked(moving) == ([] if happened else ["2026-12-21"]), "by hand, or by us"

    async def test_of_two_moves_of_the_same_days_the_second_is_refused(self, moving: House) -> None:
        await moving.says("ana", "I want to move my vacation to other days")
        await moving.says("ana", "Feb 8 to Feb 12")
        await moving.press("ana", "Yes, do it")
        await moving.press("bo", "Approve")
        await moving.press("bo", "Approve")
        assert {each.state for each in moving.requests()} == {State.DONE, State.UNDONE}
        assert await self.booked(moving) == ["2027-02-08"]

    async def test_what_began_while_it_waited_is_not_moved(self, moving: House) -> None:
        edit_body(moving, expires_at="2027-06-01T00:00:00+00:00", remind_at="2027-06-01T00:00:00+00:00")
        moving.clock.forward(days=30)
        await moving.press("bo", "Approve")
        assert moving.state() is State.UNDONE
        assert await self.booked(moving) == ["2026-12-21"]

    async def test_what_is_undecided_elsewhere_is_not_decided_by_moving_it(self, desk: House) -> None:
        await desk.asks("ana", TWO_WEEKS)
        await desk.press("bo", "Approve")
        await desk.app.company.client.write(lambda conn: conn.execute("UPDATE leave SET state = 'requested'"))
        await desk.says("ana", "I want to move my vacation to other days")
        await desk.says("ana", "Jan 11 to Jan 15")
        assert "is not approved yet" in await desk.heard("ana")


def edit_body(desk: House, **changes: str) -> None:
    """Change the newest request past the desk: time goes by without its clocks."""
    request = desk.request()
    with closing(sqlite3.connect(desk.app.office.database.path)) as conn:
        (text,) = conn.execute("SELECT body FROM requests WHERE ref = ?", (request.ref,)).fetchone()
        conn.execute(
            "UPDATE requests SET body = ?, wake_at = NULL WHERE ref = ?",
            (json.dumps({**json.loads(text), **changes}), request.ref),
        )
        conn.commit()


class TestNothingIsGuessed:
    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ("I'd like to take Monday and Wednesday off", "One stretch of days at a time"),
            ("I'd like to take Dec 21 to Dec 24 off, half days only", "Half days are entered one at a time"),
            ("I'd like to take Easter Monday off", "Which is the first day off"),
            ("I'd like to take unpaid leave from 4 to 5 January", "I see no unpaid leave of yours on record"),
            ("please book parental leave for me from 4 to 8 January", "I see no parental leave of yours"),
        ],
    )
    async def test_what_cannot_be_meant_is_asked_back_with_the_reason(
        self, desk: House, words: str, says: str
    ) -> None:
        await desk.says("ana", words)
        assert says in await desk.heard("ana")
        assert "Yes, do it" not in await desk.buttons("ana")

    async def test_somebody_elses_sick_day_is_not_ones_own(self, desk: House) -> None:
        await desk.says("bo", "Ana is sick today, please enter a sick day")
        assert "Ana can write to me." in await desk.heard("bo")
        assert "Yes, do it" not in await desk.buttons("bo")

    async def test_somebody_who_does_not_feel_well_is_not_on_vacation(self, desk: House) -> None:
        await desk.says("luis", "please enter a day off for me today, I am not feeling well")
        assert "sick leave" in (await desk.card("luis")).text

    async def test_days_that_are_not_booked_cancel_nothing(self, desk: House) -> None:
        await desk.asks("ana", TWO_WEEKS)
        await desk.press("bo", "Approve")
        await desk.says("ana", "cancel my vacation on 19 January")
        assert "None of yours is on those days." in (await desk.card("ana")).text
        assert "Yes, do it" not in [button.label for button in (await desk.card("ana")).buttons]
