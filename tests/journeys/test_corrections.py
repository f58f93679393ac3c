"""Dialogues in which somebody changes their mind: what was said before is void, and nothing is guessed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.procedures import ledger
from bot.procedures.approval import Approvers, Verdict
from bot.procedures.asking import Asking
from bot.procedures.request import State
from integrations.contract import SystemDown
from tests.house import MONDAY, Clock, House, house

FIGMA = "I need access to figma until Friday"
WAREHOUSE = "I need access to the data warehouse for 2 weeks"
DECEMBER = "I'd like to take Dec 21 to Dec 24 off"


async def newest(desk: House, account: str) -> str:
    return (await desk.card(account)).text


def approvals(desk: House) -> list[str]:
    ref = desk.request().ref
    with desk.app.office.database.read() as conn:
        return [each.person for each in ledger.approvals(conn, ref)]


class TestBeforeTheYes:
    async def test_what_is_said_is_replaced_and_the_rest_stays(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        before = desk.request()
        await desk.says("ana", "no, until Thursday")
        assert await newest(desk, "ana") == (
            "Give Ana Ruiz access to Figma until Thu 26 Nov 2026, 23:59 (Europe/Madrid)"
        )
        await desk.says("ana", "I meant Miro")
        assert (await newest(desk, "ana")).startswith("Give Ana Ruiz access to Miro until Thu 26 Nov 2026")
        after = desk.request()
        assert len(desk.requests()) == 1, "never a second request"
        assert (after.ref, after.state, after.revision) == (before.ref, State.CONFIRMING, 2)
        assert after.digest != before.digest

    async def test_an_old_card_has_no_buttons_and_an_old_yes_does_nothing(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        old = await desk.handle("ana", "Yes, do it")
        await desk.says("ana", "make it two weeks")
        assert (await desk.cards("ana"))[0].text.startswith("You changed this.")
        assert (await desk.buttons("ana")).count("Yes, do it") == 1
        await desk.press_handle("ana", old)
        assert desk.state() is State.CONFIRMING
        assert not await desk.effects()

    async def test_there_and_back_again_the_first_yes_is_void_all_the_same(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma for 2 weeks")
        old = await desk.handle("ana", "Yes, do it")
        await desk.says("ana", "make it 3 weeks")
        await desk.says("ana", "no, 2 weeks")
        await desk.press_handle("ana", old)
        assert desk.state() is State.CONFIRMING
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.ACTIVE

    async def test_the_trail_says_what_changed_and_quotes_the_words(self, desk: House) -> None:
        await desk.says("ana", WAREHOUSE)
        await desk.says("ana", "make it 3 days")
        (event,) = desk.events("request.corrected")
        assert event["data"]["was"] == {"span": {"minutes": 20160}}
        assert event["data"]["is"] == {"span": {"minutes": 4320}}
        assert event["data"]["void"] == {"confirmed": False, "decided": []}
        assert event["data"]["decision"]["policies"] == ["access.medium"]
        quoted = (await desk.card("ana")).quotes[0].text
        assert quoted.split("\n") == [WAREHOUSE, "make it 3 days"]

    async def test_a_time_alone_just_after_the_card_is_a_correction(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "until Thursday")
        assert "until Thu 26 Nov 2026" in await newest(desk, "ana")

    async def test_a_time_alone_an_hour_later_is_none(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        desk.clock.forward(minutes=60)
        await desk.says("ana", "until Thursday")
        assert desk.request().revision == 0

    async def test_a_whole_wish_is_a_request_of_its_own(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "sorry, I need access to Jira until Thursday")
        assert len(desk.requests()) == 2
        assert {each.revision for each in desk.requests()} == {0}

    async def test_what_changes_nothing_is_said_to_change_nothing(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "no, until Friday")
        assert "nothing changes" in await newest(desk, "ana")
        assert desk.request().revision == 0
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.ACTIVE

    async def test_what_is_ambiguous_is_asked_for(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "I meant the database")
        assert desk.state() is State.COLLECTING
        assert "Several come close" in await newest(desk, "ana")
        assert "Yes, do it" not in await desk.buttons("ana")
        await desk.press("ana", "Staging database")
        assert "Staging database until Fri 27 Nov" in await newest(desk, "ana")
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.APPROVING

    async def test_a_time_that_cannot_be_meant_is_asked_for_with_the_reason(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "no, until yesterday")
        assert "That lies in the past." in await newest(desk, "ana")
        await desk.says("ana", "until Thursday")
        assert "until Thu 26 Nov 2026" in await newest(desk, "ana")

    async def test_what_the_rules_refuse_is_not_made_and_the_card_says_why(self, desk: House) -> None:
        await desk.says("ana", "I need access to the production database (read) for 3 days")
        old = await desk.handle("ana", "Yes, do it")
        await desk.says("ana", "make it 60 days")
        card = await desk.card("ana")
        assert card.text == "Give Ana Ruiz access to Production database (read) for 3 days"
        (why,) = [fact.value for fact in card.facts if fact.label == "Not changed"]
        assert "longer than this resource allows" in why
        await desk.press_handle("ana", old)
        assert desk.state() is State.CONFIRMING, "what they no longer want takes a new yes"
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.APPROVING

    async def test_a_correction_of_what_was_said_before_the_open_question(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma")
        await desk.says("ana", "sorry, I meant Miro")
        assert desk.state() is State.COLLECTING
        await desk.says("ana", "sorry, until Thursday")  # that is the answer
        assert (await newest(desk, "ana")).startswith("Give Ana Ruiz access to Miro until Thu 26 Nov 2026")

    async def test_days_off(self, desk: House) -> None:
        await desk.says("ana", DECEMBER)
        await desk.says("ana", "only until Wednesday then")
        assert (await newest(desk, "ana")).endswith("for Ana Ruiz from Mon 21 Dec to Wed 23 Dec 2026")
        await desk.says("ana", "not Monday, Tuesday")
        assert (await newest(desk, "ana")).endswith("for Ana Ruiz from Tue 22 Dec to Wed 23 Dec 2026")
        await desk.says("ana", "no, sick leave")
        assert "2 days of sick leave for Ana Ruiz from Tue 22 Dec" in await newest(desk, "ana")
        await desk.press("ana", "Yes, do it")
        await desk.press("bo", "Approve")
        assert desk.state() is State.DONE

    async def test_the_new_days_of_a_move_and_not_the_old_ones(self, desk: House) -> None:
        await desk.asks("ana", DECEMBER)
        await desk.press("bo", "Approve")
        await desk.says("ana", "I want to move my vacation to other days")
        await desk.says("ana", "Jan 11 to Jan 15")
        await desk.says("ana", "no, Jan 18 to Jan 20")
        assert "from Mon 18 Jan to Wed 20 Jan 2027, instead of from Mon 21 Dec" in await newest(desk, "ana")

    async def test_an_order(self, desk: House) -> None:
        await desk.says("ana", "please order me a chromebook")
        await desk.says("ana", "no, the thinkpad")
        assert await newest(desk, "ana") == "Order ThinkPad T14 for Ana Ruiz, 1,450.00 EUR"
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.APPROVING, "the new price goes its own way"


class TestWhileItWaitsForApproval:
    async def test_everything_that_was_said_to_it_is_void(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        old = await desk.handle("bo", "Approve")
        await desk.press("bo", "Approve")
        assert approvals(desk) == [await desk.id("bo")]
        await desk.says("ana", "make it 2 days")
        request = desk.request()
        assert request.state is State.CONFIRMING
        assert not request.seats
        assert request.confirmed_at is None
        assert approvals(desk) == []
        assert desk.events("request.corrected")[0]["data"]["void"] == {
            "confirmed": True,
            "decided": [await desk.id("bo")],
        }
        ack = await desk.press_handle("bo", old)
        assert "Ana Ruiz changed this meanwhile." in ack.notice
        assert desk.state() is State.CONFIRMING

        await desk.press("ana", "Yes, do it")
        ack = await desk.press_handle("bo", old)
        assert ack.notice == "This card is out of date."
        assert desk.request().stage == 0
        await desk.press("bo", "Approve")
        await desk.press("nadia", "Approve")
        assert desk.state() is State.ACTIVE
        assert desk.request().shown
        assert desk.request().shown.minutes == 2 * 24 * 60  # type: ignore[union-attr]

    async def test_approvers_read_it_and_are_asked_anew(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        assert (await desk.buttons("bo")) == ["Approve", "Deny"]
        await desk.says("ana", "no, until Friday")
        assert await desk.buttons("bo") == [], "there is nothing to decide before the new yes"
        assert (await desk.card("bo")).status == "Changed by Ana Ruiz"
        assert (await desk.card("ana", "approvals")).status == "Changed by Ana Ruiz"
        await desk.press("ana", "Yes, do it")
        first, second = await desk.cards("bo")
        assert first.status == "Changed by Ana Ruiz"
        assert second.text.startswith("Give Ana Ruiz access to Data warehouse until Fri 27 Nov 2026")
        assert second.quotes[0].text.split("\n") == [WAREHOUSE, "no, until Friday"]
        await desk.press("bo", "Approve")
        assert desk.state() is State.ACTIVE

    async def test_a_refused_change_takes_back_the_confirmation_too(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        old = await desk.handle("bo", "Approve")
        await desk.says("ana", "make it 60 days")
        assert desk.state() is State.CONFIRMING
        await desk.press_handle("bo", old)
        assert desk.state() is State.CONFIRMING

    async def test_one_that_says_nothing_stops_it_and_asks(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await desk.says("ana", "no, not that one")
        assert desk.state() is State.CONFIRMING
        card = await desk.card("ana")
        assert [button.label for button in card.buttons] == [
            "What do you need access to?",
            "For how long do you need it?",
            "Cancel it",
        ]
        await desk.press("ana", "For how long do you need it?")
        assert desk.state() is State.COLLECTING
        await desk.says("ana", "3 days")
        assert await newest(desk, "ana") == "Give Ana Ruiz access to Data warehouse for 3 days"
        await desk.press("ana", "Yes, do it")
        await desk.press("bo", "Approve")
        assert desk.state() is State.ACTIVE

    async def test_where_a_system_is_down_it_is_void_as_well(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", DECEMBER)
        old = await desk.handle("bo", "Approve")

        async def down(*_args: object) -> object:
            raise SystemDown("away")

        with monkeypatch.context() as broken:
            broken.setattr(desk.app.company.time_off, "balances", down)
            await desk.says("ana", "no, until Wednesday")
        assert desk.state() is State.CONFIRMING
        assert "does not answer" in await desk.text("ana")
        await desk.press_handle("bo", old)
        assert not await desk.effects()

    async def test_it_has_a_day_again_to_be_confirmed(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        desk.clock.forward(hours=23)
        await desk.says("ana", "no, until Friday")
        desk.clock.forward(hours=2)
        await desk.settle()
        assert desk.state() is State.CONFIRMING
        desk.clock.forward(hours=23)
        await desk.settle()
        assert desk.state() is State.EXPIRED

    async def test_one_that_waits_for_its_start_can_be_changed(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse Dec 24-31")
        await desk.press("bo", "Approve")
        assert desk.state() is State.APPROVING
        await desk.says("ana", "no, until Jan 3")
        assert desk.state() is State.CONFIRMING
        assert approvals(desk) == []
        desk.clock.forward(days=32)
        await desk.settle()
        assert not await desk.effects()


class TestRaces:
    async def test_the_approver_was_faster(self, desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
        await desk.asks("ana", WAREHOUSE)
        step = Asking.next_step

        async def approved_meanwhile(*args: Any) -> Any:
            found = await step(*args)
            monkeypatch.setattr(Asking, "next_step", step)
            await desk.press("bo", "Approve")
            return found

        monkeypatch.setattr(Asking, "next_step", approved_meanwhile)
        await desk.says("ana", "no, until Friday")
        assert desk.state() is State.ACTIVE
        assert not desk.events("request.corrected")
        assert "You have this already. Give it back" in await desk.heard("ana")

    async def test_the_requester_was_faster(self, desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
        await desk.asks("ana", WAREHOUSE)
        judge = Approvers.judge

        async def changed_meanwhile(*args: Any) -> Verdict:
            found = await judge(*args)
            monkeypatch.setattr(Approvers, "judge", judge)
            await desk.says("ana", "no, until Friday")
            return found

        monkeypatch.setattr(Approvers, "judge", changed_meanwhile)
        ack = await desk.press("bo", "Approve")
        assert "Ana Ruiz changed this meanwhile." in ack.notice
        assert desk.state() is State.CONFIRMING
        assert approvals(desk) == []
        assert not await desk.effects()

    async def test_at_once_exactly_one_counts(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await asyncio.gather(desk.press("bo", "Approve"), desk.says("ana", "no, until Friday"))
        await desk.quiet()
        corrected = bool(desk.events("request.corrected"))
        assert desk.state() is (State.CONFIRMING if corrected else State.ACTIVE)
        assert await desk.has("ana", "warehouse-readers") is not corrected

    async def test_the_same_message_delivered_twice_counts_once(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        first = await desk.says("ana", "make it 3 days", inbound_id="twice")
        second = await desk.says("ana", "make it 3 days", inbound_id="twice")
        assert (first.duplicate, second.duplicate) == (False, True)
        assert desk.request().revision == 1

    async def test_two_corrections_at_once_both_count(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await asyncio.gather(desk.says("ana", "make it 3 days"), desk.says("ana", "I meant GitHub"))
        request = desk.request()
        assert request.params == {"resource": "github", "span": {"minutes": 4320}}
        assert (await desk.buttons("ana")).count("Yes, do it") == 1

    async def test_after_a_crash_the_replay_shows_it_and_changes_nothing_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = tmp_path / "data"
        refused = "make it 60 days"
        async with house(data, clock=Clock.at(MONDAY)) as desk:
            await desk.asks("ana", "I need access to the production database (read) for 3 days")

            async def dies(_ref: str) -> None:
                """The process is gone before anybody was shown anything."""

            with monkeypatch.context() as crash:
                crash.setattr(desk.app.engine, "settle_now", dies)
                await desk.says("ana", refused, inbound_id="crash")
            assert await desk.buttons("bo") == ["Approve", "Deny"]
        async with house(data, clock=Clock.at(MONDAY)) as desk:
            inbound = await desk.inbound("ana", refused, "crash")
            await desk.app.desk._handle(inbound, 0, replayed=True)
            assert desk.request().revision == 1, "a replay moves nothing"
            assert desk.state() is State.CONFIRMING
            assert await desk.buttons("bo") == []
            await desk.press("ana", "Yes, do it")
            await desk.press("bo", "Approve")
            await desk.press("nadia", "Approve")
            assert desk.state() is State.ACTIVE


class TestTooLate:
    async def test_what_runs_is_given_back_instead(self, desk: House) -> None:
        await desk.asks("ana", FIGMA)
        assert desk.state() is State.ACTIVE
        await desk.says("ana", "no, until Thursday")
        assert (await newest(desk, "ana")).startswith("You have this already. Give it back")
        assert len(desk.requests()) == 1, "never a silent new request"
        assert desk.events("correction.late")

    async def test_what_is_done_says_what_can_be_done_about_it(self, desk: House) -> None:
        await desk.asks("ana", DECEMBER)
        await desk.press("bo", "Approve")
        await desk.says("ana", "no, until Wednesday")
        assert await newest(desk, "ana") == (
            "It is done already, so it can no longer be changed."
            ' Write "move my time off" or "cancel my time off".'
        )
        assert len(desk.requests()) == 1

    async def test_what_ended_is_asked_for_again(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await desk.press("bo", "Deny")
        await desk.says("ana", "make it 3 days")
        assert (await newest(desk, "ana")).startswith("It has ended, so there is nothing left to change.")
        assert len(desk.requests()) == 1


class TestWhichOne:
    async def test_the_one_that_was_spoken_of_last(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "I need access to jira until Friday")
        await desk.says("ana", "no, until Thursday")
        assert [each.revision for each in sorted(desk.requests(), key=lambda r: r.created_at)] == [0, 1]

    async def test_of_several_older_ones_it_is_asked(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "I need access to the wiki until Friday")
        desk.clock.forward(minutes=30)
        await desk.says("ana", "no, until Thursday")
        assert {each.revision for each in desk.requests()} == {0}
        label = next(label for label in await desk.buttons("ana") if "Figma" in label)
        await desk.press("ana", label)
        changed = {each.resource: each.revision for each in desk.requests()}
        assert changed == {"figma": 1, "confluence": 0}
        assert "Figma until Thu 26 Nov 2026" in await newest(desk, "ana")

    async def test_the_one_that_has_what_is_said(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        await desk.says("ana", "please order me a chromebook")
        await desk.says("ana", "no, the thinkpad")
        await desk.says("ana", "no, until Thursday")
        assert {each.action: each.revision for each in desk.requests()} == {
            "grant_access": 1,
            "request_equipment": 1,
        }

    async def test_nobody_presses_the_buttons_of_another(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await desk.says("ana", "no, not that one")
        handle = await desk.handle("ana", "For how long do you need it?")
        await desk.press_handle("bo", handle)
        assert desk.state() is State.CONFIRMING
        assert desk.events("press.unknown")

    async def test_nobody_corrects_what_another_asked_for(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await desk.says("luis", "no, until Friday")
        assert desk.request().revision == 0
        assert desk.state() is State.APPROVING


class TestForSomebodyElse:
    async def test_what_only_they_can_ask_for_ends(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        old = await desk.handle("bo", "Approve")
        await desk.says("ana", "for Luis, not me")
        assert desk.state() is State.CANCELLED
        assert "Luis Moreno can write to me." in await desk.heard("ana")
        assert desk.request().subject == await desk.id("ana"), "no words change whom it is about"
        await desk.press_handle("bo", old)
        assert not await desk.effects()

    async def test_where_reports_can_be_helped_it_is_offered(self, desk: House) -> None:
        for account in ("bo", "ana"):
            await desk.hr.lock(await desk.id(account))
        await desk.says("bo", "please unlock my account")
        await desk.says("bo", "for Ana, not me")
        assert desk.requests(State.CANCELLED)
        await desk.press("bo", "Unlock somebody who reports to me")
        assert await newest(desk, "bo") == "Unlock the account of Ana Ruiz"
        await desk.press("bo", "Yes, do it")
        assert [write.person_id for write in await desk.effects()] == [await desk.id("ana")]

    async def test_where_it_has_a_slot_for_a_person_the_slot_changes(self, desk: House) -> None:
        for account in ("ana", "luis"):
            await desk.hr.lock(await desk.id(account))
        await desk.says("bo", "please unlock the account of Luis")
        await desk.says("bo", "for Ana, not Luis")
        assert "Unlock the account of Ana Ruiz" in await desk.heard("bo")


class TestGivingUp:
    async def test_words_alone_cancel_nothing(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await desk.says("ana", "never mind")
        assert desk.state() is State.APPROVING
        label = f"Cancel {desk.request().ref}: Give Ana Ruiz access to Data warehouse for 2 weeks"
        await desk.press("ana", label)
        assert desk.state() is State.CANCELLED

    async def test_where_nothing_is_pending_it_is_a_message_like_any_other(self, desk: House) -> None:
        await desk.says("ana", "never mind")
        assert "Cancel a request" not in await desk.heard("ana")
