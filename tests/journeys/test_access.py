"""Dialogues about access: asked for, approved, given for a time, given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.procedures.request import State
from tests.house import MONDAY, Clock, House, house


class TestHowMuchApprovalARiskAsksFor:
    async def test_low_is_given_at_once(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma for two weeks")
        card = await desk.card("ana")
        assert card.text == "Give Ana Ruiz access to Figma for 2 weeks"
        assert [quote.text for quote in card.quotes] == ["I need access to figma for two weeks"]
        assert not await desk.has("ana", "figma-editors"), "nothing before the yes"
        await desk.press("ana", "Yes, do it")
        assert await desk.has("ana", "figma-editors")
        assert desk.state() is State.ACTIVE
        assert (await desk.card("ana")).status.startswith("Active until Mon 7 Dec 2026")

    async def test_medium_waits_for_the_manager(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert (await desk.card("ana")).status == "Waiting for Bo Lind"
        assert not await desk.has("ana", "warehouse-readers")

        card = await desk.card("bo")
        facts = {fact.label: fact.value for fact in card.facts}
        assert facts["Requester"] == "Ana Ruiz"
        assert facts["Sensitivity"].lower() == "medium"
        assert facts["What it lets one do"] == "Query sales and usage data, without names of customers."
        assert facts["Why you"] == "You are Ana Ruiz's manager."
        assert [quote.label for quote in card.quotes] == ["Ana Ruiz wrote"]
        assert "expires Tue 24 Nov 2026" in card.footer
        assert await desk.cards("ana", "approvals"), "a copy stands in the approvals channel"

        await desk.press("bo", "Approve", {"reason": "Needs it for the forecast"})
        assert await desk.has("ana", "warehouse-readers")
        assert "Needs it for the forecast" in await desk.text("ana"), "the requester reads the reason"
        assert "Approved by Bo Lind" in await desk.heard("bo")
        assert (await desk.card("ana", "approvals")).status == "Approved by Bo Lind", "all copies change"

    async def test_critical_waits_for_the_manager_and_then_the_owner(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        assert not await desk.cards("nadia"), "the owner is asked after the manager"
        await desk.press("bo", "Approve")
        assert (await desk.card("nadia")).status == "Waiting for a decision"
        assert not await desk.has("ana", "prod-db-read")
        assert (await desk.cards("ana"))[0].status == "Waiting for Nadia Okafor"
        await desk.press("nadia", "Approve")
        assert await desk.has("ana", "prod-db-read")
        assert "Ana Ruiz has access to Production database (read)." in await desk.heard("ana")

    async def test_a_denial_ends_it_and_is_explained(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        await desk.press("bo", "Deny", {"reason": "Ask for the sandbox instead"})
        assert desk.state() is State.DENIED
        assert not await desk.has("ana", "warehouse-readers")
        assert "Bo Lind denied this request." in await desk.heard("ana")
        assert "Ask for the sandbox instead" in await desk.text("ana")


class TestTheEndOfAGrant:
    async def test_it_ends_by_itself(self, desk: House) -> None:
        await desk.asks("ana", "I need access to figma for two weeks")
        desk.clock.forward(days=14, minutes=-1)
        await desk.settle()
        assert await desk.has("ana", "figma-editors"), "not a minute early"
        desk.clock.forward(minutes=2)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors")
        assert desk.state() is State.ENDED
        assert (await desk.card("ana")).status == "Ended"

    async def test_what_ended_while_the_desk_was_down_is_taken_back_at_its_next_start(
        self, tmp_path: Path
    ) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as before:
            await before.asks("ana", "I need access to figma for two weeks")
        async with house(tmp_path / "data", clock=Clock.at(MONDAY + timedelta(days=20))) as after:
            await after.until(lambda: after.state() is State.ENDED, seconds=20)
            assert not await after.has("ana", "figma-editors")

    async def test_it_is_given_back_by_its_button(self, desk: House) -> None:
        grant = await desk.asks("ana", "I need access to figma for two weeks")
        await desk.press("ana", "Give it back")
        assert (await desk.card("ana")).text == "Take Figma back from Ana Ruiz now"
        assert await desk.has("ana", "figma-editors"), "asked first"
        await desk.press("ana", "Yes, do it")
        assert not await desk.has("ana", "figma-editors")
        assert {each.ref: each.state for each in desk.requests()}[grant.ref] is State.ENDED

    async def test_it_is_given_back_in_words(self, desk: House) -> None:
        await desk.asks("ana", "I need access to figma for two weeks")
        await desk.asks("ana", "I need access to jira for two weeks")  # she has that already
        await desk.asks("ana", "I need access to confluence for two weeks")
        await desk.asks("ana", "please remove my access to figma")
        assert not await desk.has("ana", "figma-editors")
        assert await desk.has("ana", "confluence-users"), "only what was named"
        await desk.says("ana", "please remove my access to figma")
        assert "figma" not in (await desk.card("ana")).text.lower(), (
            "there is nothing left of it to take back"
        )

    async def test_it_is_given_back_by_its_reference(self, desk: House) -> None:
        grant = await desk.asks("ana", "I need access to figma for two weeks")
        await desk.asks("ana", "I need access to confluence for two weeks")
        await desk.asks("ana", f"please revoke my access {grant.ref}")
        assert not await desk.has("ana", "figma-editors")
        assert await desk.has("ana", "confluence-users")

    async def test_nobody_gives_back_what_somebody_else_holds(self, desk: House) -> None:
        grant = await desk.asks("ana", "I need access to figma for two weeks")
        stolen = await desk.handle("ana", "Give it back")
        ack = await desk.press_handle("luis", stolen)
        assert ack.notice == "This card is not yours to answer."
        await desk.says("luis", f"please revoke my access {grant.ref}")
        assert "You hold no access" in (await desk.card("luis")).text
        assert await desk.has("ana", "figma-editors")


class TestATimeThatIsNamed:
    async def test_a_grant_with_a_start_is_not_given_before_it(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma Dec 24-31")
        facts = {fact.label: fact.value for fact in (await desk.card("ana")).facts}
        assert facts["Begins"].startswith("Thu 24 Dec 2026, 00:00")
        assert facts["Ends"].startswith("Thu 31 Dec 2026, 23:59")
        await desk.press("ana", "Yes, do it")
        assert (await desk.card("ana")).status.startswith("Starts Thu 24 Dec 2026")
        desk.clock.shift += datetime(2026, 12, 23, 22, 50, tzinfo=UTC) - desk.clock()
        await desk.settle()
        assert not await desk.has("ana", "figma-editors"), "ten minutes to midnight in Madrid"
        desk.clock.forward(minutes=15)
        await desk.settle()
        assert await desk.has("ana", "figma-editors")
        desk.clock.forward(days=8)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors")

    async def test_what_has_not_begun_can_be_cancelled(self, desk: House) -> None:
        await desk.asks("ana", "I need access to figma Dec 24-31")
        await desk.press("ana", "Cancel")
        desk.clock.forward(days=32)
        await desk.settle()
        assert desk.state() is State.CANCELLED
        assert not await desk.has("ana", "figma-editors")

    async def test_a_yes_after_a_coffee_is_still_a_yes(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma until Friday")
        desk.clock.forward(minutes=15)
        ack = await desk.press("ana", "Yes, do it")
        assert ack.notice == ""
        assert await desk.has("ana", "figma-editors")
        assert (await desk.card("ana")).status.startswith("Active until Fri 27 Nov 2026, 23:59")

    async def test_a_time_that_is_over_by_the_approval_is_not_given(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse until tonight")
        desk.clock.forward(hours=15)
        await desk.press("bo", "Approve")
        assert desk.state() is State.REFUSED
        assert "The time this was asked for is over" in await desk.heard("ana")
        assert not await desk.effects()


class TestWhatIsNotSaidIsAsked:
    async def test_one_question_at_a_time_and_the_answer_in_words(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma")
        assert (await desk.card("ana")).text.startswith("For how long do you need it?")
        await desk.says("ana", "until Friday")
        await desk.press("ana", "Yes, do it")
        assert await desk.has("ana", "figma-editors")

    async def test_two_that_come_close_become_a_picker(self, desk: House) -> None:
        await desk.says("ana", "I need access to the production database for 3 days")
        card = await desk.card("ana")
        assert [
            button.label for button in card.buttons if button.label.startswith("Production database")
        ] == [
            "Production database (read)",
            "Production database (admin)",
        ]
        await desk.press("ana", "Production database (read)")
        assert (await desk.card("ana")).text.startswith("Give Ana Ruiz access to Production database (read)")

    async def test_a_half_filled_request_survives_a_restart(self, tmp_path: Path) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as before:
            await before.says("ana", "I need access to figma")
            assert before.state() is State.COLLECTING
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as after:
            await after.says("ana", "for two weeks")
            await after.press("ana", "Yes, do it")
            assert await after.has("ana", "figma-editors")
            assert len(after.requests()) == 1

    async def test_several_may_be_open_at_once(self, desk: House) -> None:
        await desk.says("ana", "I need access to the data warehouse for 3 days")
        warehouse = await desk.handle("ana", "Yes, do it")
        await desk.says("ana", "I need access to figma for 3 days")
        figma = await desk.handle("ana", "Yes, do it")
        await desk.says("ana", "I need access to confluence for 3 days")
        await desk.press_handle("ana", figma)
        await desk.press_handle("ana", warehouse)
        states = {each.resource: each.state for each in desk.requests()}
        assert states == {
            "data-warehouse": State.APPROVING,
            "figma": State.ACTIVE,
            "confluence": State.CONFIRMING,
        }


class TestLimits:
    async def test_contractors_get_thirty_days_and_not_one_more(self, desk: House) -> None:
        await desk.says("viktor", "I need access to figma for 31 days")
        card = await desk.card("viktor")
        assert card.status == "Refused"
        assert "Contractors can have access for at most 30 days" in card.text
        await desk.asks("viktor", "I need access to figma for 30 days")
        assert await desk.has("viktor", "figma-editors")

    async def test_no_resource_is_given_for_longer_than_it_allows(self, desk: House) -> None:
        await desk.says("ana", "I need access to github admin for 8 days")
        assert "longer than this resource allows" in (await desk.card("ana")).text
        await desk.says("ana", "I need access to github admin for 7 days")
        assert (await desk.card("ana")).status == "Waiting for your yes"

    async def test_critical_access_is_for_employees(self, desk: House) -> None:
        await desk.says("viktor", "I need access to github admin for 2 days")
        card = await desk.card("viktor")
        assert card.status == "Refused"
        assert "Critical access is for employees only." in card.text


@pytest.mark.parametrize(
    "text",
    [
        "Ich brauche Zugang zu Figma bis Freitag",
        "Necesito acceso a Figma hasta el viernes",
        "J'ai besoin d'un accès à Figma jusqu'à vendredi",
        "Preciso de acesso ao Figma até sexta-feira",
    ],
)
async def test_asked_for_in_another_language_with_its_end(desk: House, text: str) -> None:
    await desk.says("ana", text)
    assert (await desk.card("ana")).text.startswith("Give Ana Ruiz access to Figma until Fri 27 Nov 2026")
