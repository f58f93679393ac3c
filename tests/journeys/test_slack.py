"""The journeys of the desk, played through Slack in both modes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.procedures.request import State
from tests.house import MONDAY, Clock, house
from tests.servers.slack.server import FakeSlack, buttons, texts
from tests.slack_house import MODES, Work, user_id, work


@pytest.fixture(params=MODES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Work]:
    async with work(tmp_path / "data", request.param, clock=Clock.at(MONDAY)) as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"
        assert not running.slack.errors, "nobody saw anything go wrong"
        usual = ("ok", "users_not_found", "user_not_in_channel")
        refused = [call for call in running.slack.calls if call.answer not in usual]
        assert not refused, "Slack took every call"


class TestAccess:
    async def test_low_is_given_at_once_and_ends_by_itself(self, desk: Work) -> None:
        await desk.says("ana", "I need access to figma for two weeks")
        assert "Give Ana Ruiz access to Figma for 2 weeks" in desk.last("ana")
        assert "“I need access to figma for two weeks”" in desk.last("ana")
        assert not await desk.house.has("ana", "figma-editors"), "nothing before the yes"
        await desk.press("ana", "Yes, do it")
        assert await desk.house.has("ana", "figma-editors")
        assert "Active until Mon 7 Dec 2026" in desk.last("ana")
        desk.house.clock.forward(days=14, minutes=1)
        await desk.house.settle()
        assert not await desk.house.has("ana", "figma-editors")
        assert "Ended" in desk.last("ana")

    async def test_critical_waits_for_the_manager_and_then_the_owner(self, desk: Work) -> None:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        assert "Ana Ruiz wrote:" in desk.last("bo"), (
            "the manager never wrote to Deskhand, and is found by mail"
        )
        assert not desk.slack.dm(user_id("nadia.okafor")), "the owner is asked after the manager"
        await desk.press("bo", "Approve", {"reason": "For the migration"})
        assert "Thank you, noted." in desk.told("bo")
        owner = next(p for p in ("nadia", "nadia.okafor") if desk.slack.dm(user_id(p)))
        await desk.press(owner, "Approve")
        assert await desk.house.has("ana", "prod-db-read")
        assert "has access to Production database (read)" in desk.sees("ana")
        assert "For the migration" in desk.sees("ana")
        assert "Approved by Bo Lind" in desk.sees("bo", desk.approvals), "all copies change"

    async def test_it_is_approved_in_the_channel_and_the_second_reads_who_was_first(self, desk: Work) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        old = dict(desk.slack.dm(user_id("bo"))[-1])
        desk.slack.state.direct(user_id("bo")).messages.append(old)  # the card as it stood before
        await desk.press("luis", "Approve", where=desk.approvals)
        assert "The managers of the person it is about can approve." in desk.told("luis")
        assert not await desk.house.has("ana", "warehouse-readers")
        await desk.press("bo", "Approve", where=desk.approvals)
        assert await desk.house.has("ana", "warehouse-readers")
        await desk.press("bo", "Approve", message=old)
        assert "You approved this already." in desk.told("bo")
        assert len(await desk.house.effects()) == 1

    async def test_a_denial_carries_its_reason(self, desk: Work) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        await desk.press("bo", "Deny", {"reason": "Ask for the sandbox <!channel> instead"})
        assert desk.house.state() is State.DENIED
        assert "Bo Lind denied this request." in desk.sees("ana")
        assert "Ask for the sandbox <!channel> instead" in desk.sees("ana")


class TestForms:
    async def test_a_missing_slot_is_asked_in_a_form_with_its_own_errors(self, desk: Work) -> None:
        await desk.says("ana", "I need access to figma")
        assert "2 weeks" in buttons(desk.slack.dm(user_id("ana"))[-1]), "usual lengths are one press"
        await desk.press("ana", "Use these words")
        (form,) = desk.slack.modals(user_id("ana"))
        assert form["submit"]["text"] == "Use these words"
        assert await desk.submits("ana", {"written": "a purple elephant"}) == {
            "written": 'Write it like "2 weeks", "until Friday" or "Dec 24-31".'
        }
        assert await desk.submits("ana", {"written": "until Friday"}) == {}
        assert not desk.slack.modals(user_id("ana"))
        assert "until Fri 27 Nov 2026" in desk.last("ana")

    async def test_a_long_list_is_a_form_too(self, desk: Work) -> None:
        await desk.says("ana", "I need access for two weeks")
        await desk.press("ana", "Continue")
        (form,) = desk.slack.modals(user_id("ana"))
        options = next(b for b in form["blocks"] if b["type"] == "input")["element"]["options"]
        figma = next(option["value"] for option in options if option["text"]["text"] == "Figma")
        assert await desk.submits("ana", {"option": figma}) == {}
        assert "Give Ana Ruiz access to Figma for 2 weeks" in desk.last("ana")

    async def test_what_has_to_be_attested_is_asked_before_an_approval_counts(self, desk: Work) -> None:
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve")
        (form,) = desk.slack.modals(user_id("bo"))
        assert "I spoke to Ana Ruiz" in texts(form)
        errors = await desk.submits("bo", {})
        assert list(errors) == ["spoke"]
        assert errors["spoke"].startswith("Tick this first: I spoke to Ana Ruiz in person")
        assert desk.house.state() is State.APPROVING
        assert await desk.submits("bo", {"spoke": "yes"}) == {}
        assert "Show my new password" in desk.sees("ana")
        code = next(e for e in desk.sees("bo").splitlines() if e.replace(" ", "").isdigit() and len(e) == 7)
        assert code not in desk.sees("ana")
        assert code not in desk.sees("bo", desk.approvals), "the code is for the approver alone"
        secret = [each for each in desk.slack.state.direct(user_id("ana")).messages if "url" in str(each)]
        assert "/reveal/" in str(secret)
        assert "assword: " not in desk.sees("ana")

    async def test_a_form_cannot_be_sent_off_by_somebody_else(self, desk: Work) -> None:
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve")
        desk.slack.state.modals[user_id("ana")] = desk.slack.state.modals[user_id("bo")][:]
        await desk.submits("ana", {"spoke": "yes"})
        assert desk.house.state() is State.APPROVING
        assert "not yours" in desk.told("ana") or "own" in desk.told("ana")


class TestWhereItIsSaid:
    async def test_a_mention_is_answered_in_its_thread_and_personal_things_in_private(
        self, desk: Work
    ) -> None:
        general = desk.slack.add_channel("general", user_id("ana"))
        body = await desk.mentions("ana", general, "how many vacation days do I have left?")
        assert "You have 96.5 hours of vacation left." in desk.last("ana")
        (pointer,) = desk.slack.posted(general)
        assert pointer["thread_ts"] == body["event"]["ts"]
        assert "I answer in our direct conversation." in texts(pointer["blocks"])
        assert "96.5" not in str(general.messages)

    async def test_a_person_is_meant_by_a_mention(self, desk: Work) -> None:
        await desk.says("mei", f"please unlock <@{user_id('luis')}>")
        assert "luis" in desk.sees("mei").lower()
        assert "<@" not in desk.sees("mei")

    async def test_a_command_with_words_works_like_a_message(self, desk: Work) -> None:
        general = desk.slack.add_channel("general", user_id("ana"))
        seen = await desk.command("ana", "how many vacation days do I have left?", general)
        assert "You have 96.5 hours of vacation left." in seen
        seen = await desk.command("ana", "I need access to figma for two weeks", general)
        assert "I answer in our direct conversation." in seen
        assert "Give Ana Ruiz access to Figma" in desk.last("ana")
        assert not desk.slack.posted(general), "nothing that others read"


class TestOverview:
    async def test_it_shows_what_waits_what_is_open_and_what_one_holds(self, desk: Work) -> None:
        await desk.asks("ana", "I need access to figma for two weeks")
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        mine = await desk.opens_home("ana")
        assert "Active until Mon 7 Dec 2026" in mine
        assert "Waiting for Bo Lind" in mine
        his = await desk.opens_home("bo")
        assert "Request of Ana Ruiz" in his
        home = desk.slack.state.homes[user_id("bo")]
        await desk.press("bo", "Approve", message=home)
        assert await desk.house.has("ana", "warehouse-readers")
        after = texts(desk.slack.state.homes[user_id("bo")])
        assert "Request of Ana Ruiz" not in after, "shown anew after the press"


class TestAdmins:
    async def test_the_trail_is_read_by_pages(self, desk: Work) -> None:
        for days in range(1, 7):
            await desk.says("ana", f"I need access to figma for {days} days")
        admin = await _admin(desk)
        first = await desk.command(admin, "audit since 7d")
        assert first.count("2026-11-23 09:") == 10
        page = desk.slack.ephemerals(user_id(admin))[-1]
        before = texts(page["blocks"])
        await desk.press(admin, "Older", message=page)
        assert page is desk.slack.ephemerals(user_id(admin))[-1], "the page is turned, not added"
        assert texts(page["blocks"]) != before
        assert "audit.read" in [event["kind"] for event in desk.house.events("audit.")]

    async def test_by_person_action_and_outcome(self, desk: Work) -> None:
        await desk.asks("ana", "I need access to figma for two weeks")
        await desk.says("luis", "how many vacation days do I have left?")
        admin = await _admin(desk)
        said = await desk.command(admin, f"audit <@{user_id('luis')}|luis> since 7d")
        assert "Luis Moreno" in said
        assert "Ana Ruiz" not in said
        said = await desk.command(admin, "audit ana.ruiz@alderfinch.example grant_access ok")
        assert "said yes to" in said
        assert "Luis" not in said
        assert "is nobody in the directory" in await desk.command(admin, "audit nobody.known")
        assert "write 7d, 3h" in await desk.command(admin, "audit since yesterday")

    async def test_show_pending_and_freeze(self, desk: Work) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        ref = desk.house.request().ref
        admin = await _admin(desk)
        assert "I need access to the data warehouse" in await desk.command(admin, f"show {ref}")
        assert f"{ref}:" in await desk.command(admin, "pending")
        assert "Ana Ruiz is now frozen" in await desk.command(admin, f"freeze {ref}")
        await desk.press("bo", "Approve")
        assert not await desk.house.has("ana", "warehouse-readers"), "nothing in her name goes on"
        assert "not frozen" in await desk.command(admin, "unfreeze ana.ruiz@alderfinch.example")

    async def test_others_are_refused_by_the_rules_and_it_is_recorded(self, desk: Work) -> None:
        for words in ("audit", "pending", "freeze luis.moreno@alderfinch.example", "show R-2222BB"):
            assert "Refused" in await desk.command("ana", words)
        assert len(desk.house.events("admin.refused")) == 4
        assert "Write what you need" in await desk.command("ana", "help")
        assert "Write what you need" in await desk.command("ana", "")

    async def test_an_older_page_is_put_to_the_rules_again(self, desk: Work) -> None:
        for days in range(1, 7):
            await desk.says("ana", f"I need access to figma for {days} days")
        admin = await _admin(desk)
        await desk.command(admin, "audit")
        page = desk.slack.ephemerals(user_id(admin))[-1]
        group = desk.house.app.settings.admins
        await desk.house.app.company.groups.remove(group, await desk.house.id(admin), op="moved on")
        await desk.press(admin, "Older", message=page)
        assert "Refused" in texts(page["blocks"])


async def _admin(desk: Work) -> str:
    members = await desk.house.app.company.groups.members(desk.house.app.settings.admins)
    return next(person.account for person in members if person.present)


class TestRestart:
    @pytest.mark.parametrize("mode", MODES)
    async def test_cards_from_before_a_restart_still_work(self, tmp_path: Path, mode: str) -> None:
        with FakeSlack.running() as slack:
            async with work(tmp_path / "data", mode, slack, clock=Clock.at(MONDAY)) as before:
                await before.asks("ana", "I need access to the data warehouse for 2 weeks")
            slack.events_url = ""
            async with work(tmp_path / "data", mode, slack, clock=before.house.clock) as after:
                await after.press("bo", "Approve")
                assert await after.house.has("ana", "warehouse-readers")
                assert "has access to Data warehouse" in after.sees("ana")

    async def test_a_request_goes_on_where_slack_is_connected_no_more(self, tmp_path: Path) -> None:
        async with work(tmp_path / "data", "socket", clock=Clock.at(MONDAY)) as before:
            await before.asks("ana", "I need access to the data warehouse for 2 weeks")
        async with house(tmp_path / "data", clock=before.house.clock) as after:
            await after.says("bo", "hello")
            await after.settle()
            after.clock.forward(hours=25)
            await after.settle()
            assert after.state() is State.EXPIRED
            assert "Expired" in await after.heard("ana"), "on the web desk, where she can be reached now"
