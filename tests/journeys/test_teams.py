"""The journeys of the desk, played through Microsoft Teams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.procedures.request import State
from tests.house import MONDAY, Clock
from tests.servers.teams.server import FakeTeams, actions, card_of, texts
from tests.servers.teams.state import inputs
from tests.teams_house import Team, object_id, team


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path / "data", clock=Clock.at(MONDAY)) as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"
        assert not running.teams.errors, "nobody saw anything go wrong"
        refused = [call for call in running.teams.calls if call.answer >= 400]
        assert not refused, "Teams took every call"


class TestAccess:
    async def test_low_is_given_at_once_and_ends_by_itself(self, desk: Team) -> None:
        await desk.says("ana", "I need access to figma for two weeks")
        assert "Give Ana Ruiz access to Figma for 2 weeks" in desk.last("ana")
        assert "“I need access to figma for two weeks”" in desk.last("ana")
        assert not await desk.house.has("ana", "figma-editors"), "nothing before the yes"
        answer = await desk.press("ana", "Yes, do it")
        assert await desk.house.has("ana", "figma-editors")
        assert "Active until Mon 7 Dec 2026" in texts(answer.body["value"]), (
            "the card turns in the same answer"
        )
        desk.house.clock.forward(days=14, minutes=1)
        await desk.house.settle()
        assert not await desk.house.has("ana", "figma-editors")
        assert "Ended" in desk.last("ana")

    async def test_critical_waits_for_the_manager_and_then_the_owner(self, desk: Team) -> None:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        assert "Ana Ruiz wrote:" in desk.last("bo"), "the manager never wrote, and is found in the team"
        assert not desk.teams.dm(object_id("nadia")), "the owner is asked after the manager"
        answer = await desk.press("bo", "Approve", {"reason": "For the migration"})
        assert "Thank you, noted." in texts(answer.body["value"])
        assert "Approved by Bo Lind" in texts(answer.body["value"])
        await desk.press("nadia", "Approve")
        assert await desk.house.has("ana", "prod-db-read")
        assert "has access to Production database (read)" in desk.sees("ana")
        assert "For the migration" in desk.sees("ana")
        assert "Approved by Bo Lind" in desk.sees("bo", desk.approvals), "all copies change"

    async def test_it_is_approved_in_the_channel_and_the_second_reads_who_was_first(self, desk: Team) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        old = desk.teams.dm(object_id("bo"))[-1]  # the card as it stood before
        answer = await desk.press("luis", "Approve", where=desk.approvals)
        assert "The managers of the person it is about can approve." in texts(answer.body["value"])
        assert "The managers of" not in desk.sees("bo", desk.approvals), "that was for Luis alone"
        assert not await desk.house.has("ana", "warehouse-readers")
        await desk.press("bo", "Approve", where=desk.approvals)
        assert await desk.house.has("ana", "warehouse-readers")
        answer = await desk.press("bo", "Approve", message=old)
        assert "You approved this already." in texts(answer.body["value"])
        assert "Approve" not in actions(answer.body["value"])
        assert len(await desk.house.effects()) == 1

    async def test_a_denial_carries_its_reason(self, desk: Team) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        await desk.press("bo", "Deny", {"reason": "Ask for the **sandbox** [here](https://evil.example)"})
        assert desk.house.state() is State.DENIED
        assert "Bo Lind denied this request." in desk.sees("ana")
        assert "Ask for the **sandbox** [here](https://evil.example)" in desk.sees("ana"), "as it was written"


class TestForms:
    async def test_a_missing_slot_is_asked_with_an_error_at_its_field(self, desk: Team) -> None:
        await desk.says("ana", "I need access to figma")
        assert "2 weeks" in actions(card_of(desk.teams.dm(object_id("ana"))[-1])), (
            "usual lengths are one press"
        )
        answer = await desk.press("ana", "Use these words", {"written": "a purple elephant"})
        card = answer.body["value"]
        assert 'Write it like "2 weeks", "until Friday" or "Dec 24-31".' in texts(card)
        assert inputs(card)["in.written"]["value"] == "a purple elephant", "what was filled in stays"
        assert "2 weeks" in actions(card), "and so does all else that can be chosen"
        await desk.press("ana", "Use these words", {"written": "until Friday"})
        assert "until Fri 27 Nov 2026" in desk.last("ana")

    async def test_a_long_list_is_a_choice(self, desk: Team) -> None:
        await desk.says("ana", "I need access for two weeks")
        (choice,) = inputs(card_of(desk.teams.dm(object_id("ana"))[-1])).values()
        figma = next(each["value"] for each in choice["choices"] if each["title"] == "Figma")
        answer = await desk.press("ana", "Continue")
        assert "Choose one of these." in texts(answer.body["value"])
        await desk.press("ana", "Continue", {"option": figma})
        assert "Give Ana Ruiz access to Figma for 2 weeks" in desk.last("ana")

    async def test_what_has_to_be_attested_is_asked_before_an_approval_counts(self, desk: Team) -> None:
        await desk.asks("ana", "I forgot my password")
        answer = await desk.press("bo", "Approve")
        assert "Tick this first: I spoke to Ana Ruiz in person" in texts(answer.body["value"])
        assert desk.house.state() is State.APPROVING
        await desk.press("bo", "Approve", {"spoke": "yes"})
        seen = desk.sees("ana")
        assert "Show my new password" in seen
        code = next(e for e in desk.sees("bo").splitlines() if e.replace(" ", "").isdigit() and len(e) == 7)
        assert code not in seen
        assert code not in desk.sees("bo", desk.approvals), "the code is for the approver alone"
        shown = [actions(card_of(each)) for each in desk.teams.dm(object_id("ana"))]
        link = next(each["Show my new password"] for each in shown if "Show my new password" in each)
        assert link["type"] == "Action.OpenUrl"
        assert "/reveal/" in link["url"]
        assert "assword: " not in seen

    async def test_somebody_elses_button_does_nothing_for_you(self, desk: Team) -> None:
        await desk.asks("ana", "I forgot my password")
        stolen = desk.teams.dm(object_id("bo"))[-1]
        answer = await desk.press("ana", "Approve", {"spoke": "yes"}, message=stolen)
        assert desk.house.state() is State.APPROVING
        assert "value" in answer.body
        assert "Request of" not in str(answer.body), "and shows nothing of a card that is not theirs"


class TestWhereItIsSaid:
    async def test_a_mention_is_answered_in_its_thread_and_personal_things_in_private(
        self, desk: Team
    ) -> None:
        general = desk.teams.add_channel("general", object_id("ana"))
        answer = await desk.mentions("ana", general, "how many vacation days do I have left?")
        assert "You have 96.5 hours of vacation left." in desk.last("ana")
        (pointer,) = general.messages
        assert pointer["thread"] == answer.activity["id"]
        assert "I answer in our direct conversation." in texts(card_of(pointer))
        assert "96.5" not in str(general.messages)

    async def test_what_is_said_in_a_channel_to_others_is_not_ours(self, desk: Team) -> None:
        general = desk.teams.add_channel("general", object_id("ana"))
        await desk.mentions("ana", general, "unlock my account", entities=[])
        assert not general.messages
        assert not desk.teams.dm(object_id("ana"))

    async def test_a_person_is_meant_by_a_mention(self, desk: Team) -> None:
        general = desk.teams.add_channel("general", object_id("mei"), object_id("luis"))
        await desk.mentions("mei", general, "please unlock @Luis Moreno", "luis")
        assert "Luis" in desk.sees("mei")
        assert "<at>" not in desk.sees("mei")
        assert "29:" not in desk.sees("mei")

    async def test_whoever_adds_it_is_greeted_once_and_told_never_to_send_a_password(
        self, desk: Team
    ) -> None:
        await desk.teams.installs(object_id("ana"))
        await desk.teams.installs(object_id("ana"))
        await desk.house.quiet()
        (hello,) = desk.teams.dm(object_id("ana"))
        assert "I never ask for a password" in texts(card_of(hello))

    async def test_whoever_has_it_added_for_them_is_reached_before_they_ever_wrote(self, desk: Team) -> None:
        desk.approvals.members.discard(object_id("bo"))  # else he would be found there
        await desk.teams.installs(object_id("bo"))
        await desk.house.quiet()
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Request of Ana Ruiz" in desk.sees("bo")

    async def test_a_typed_password_is_cut_out_and_one_is_told(self, desk: Team) -> None:
        await desk.says("ana", "my password is Sup3rS3cret!9 and I cannot log in")
        assert "Never send one here" in desk.sees("ana")
        assert "Sup3rS3cret" not in desk.sees("ana")


class TestAdmins:
    async def test_audit_by_person_action_time_and_outcome(self, desk: Team) -> None:
        await desk.asks("ana", "I need access to figma for two weeks")
        await desk.asks("luis", "I need access to figma for two weeks")
        admin = await _admin(desk)
        await desk.says(admin, "audit luis.moreno@alderfinch.example since 7d")
        assert "Luis Moreno" in desk.last(admin)
        assert "Ana Ruiz" not in desk.last(admin)
        await desk.says(admin, "audit ana.ruiz@alderfinch.example grant_access ok")
        assert "said yes to" in desk.last(admin)
        await desk.says(admin, "audit since yesterday")
        assert "write 7d, 3h" in desk.last(admin)

    async def test_in_a_channel_a_mention_names_the_person_and_only_the_admin_reads_the_answer(
        self, desk: Team
    ) -> None:
        await desk.asks("luis", "I need access to figma for two weeks")
        admin = await _admin(desk)
        general = desk.teams.add_channel("general", object_id(admin), object_id("luis"))
        await desk.mentions(admin, general, "audit @Luis Moreno since 7d", "luis")
        assert "Luis Moreno" in desk.last(admin)
        assert "said yes to" in desk.last(admin)
        assert "said yes to" not in str(general.messages)

    async def test_show_pending_and_freeze(self, desk: Team) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        ref = desk.house.request().ref
        admin = await _admin(desk)
        await desk.says(admin, f"show {ref}")
        assert "I need access to the data warehouse" in desk.last(admin)
        await desk.says(admin, "pending")
        assert f"{ref}:" in desk.last(admin)
        await desk.says(admin, f"freeze {ref}")
        assert "Ana Ruiz is now frozen" in desk.last(admin)
        await desk.press("bo", "Approve")
        assert not await desk.house.has("ana", "warehouse-readers"), "nothing in her name goes on"
        await desk.says(admin, "unfreeze ana.ruiz@alderfinch.example")
        assert "not frozen" in desk.last(admin)

    async def test_others_are_refused_by_the_rules_and_it_is_recorded(self, desk: Team) -> None:
        for words in ("audit", "pending", "freeze luis.moreno@alderfinch.example", "show R-2222BB"):
            await desk.says("ana", words)
            assert "Refused" in desk.last("ana")
        assert len(desk.house.events("admin.refused")) == 4
        await desk.says("ana", "help")
        assert "Write what you need" in desk.last("ana")

    @pytest.mark.parametrize(
        "words", ["freeze my account, my phone was stolen", "show my requests", "audit room key"]
    )
    async def test_a_wish_that_begins_like_a_command_is_a_wish(self, desk: Team, words: str) -> None:
        await desk.says("ana", words)
        assert not desk.house.events("admin.refused")
        assert "Refused" not in desk.last("ana")

    async def test_an_older_page_takes_the_place_of_the_newer(self, desk: Team) -> None:
        for days in range(1, 7):
            await desk.says("ana", f"I need access to figma for {days} days")
        admin = await _admin(desk)
        await desk.says(admin, "audit")
        before = desk.last(admin)
        await desk.press(admin, "Older")
        assert len(desk.teams.dm(object_id(admin))) == 1
        assert desk.last(admin) != before
        group = desk.house.app.settings.admins
        await desk.says(admin, "audit")
        await desk.house.app.company.groups.remove(group, await desk.house.id(admin), op="moved on")
        await desk.press(admin, "Older")
        assert "Refused" in desk.sees(admin), "a page is put to the rules again"


async def _admin(desk: Team) -> str:
    members = await desk.house.app.company.groups.members(desk.house.app.settings.admins)
    return next(person.account for person in members if person.present)


class TestRestart:
    async def test_cards_from_before_a_restart_still_work(self, tmp_path: Path) -> None:
        with FakeTeams.running() as teams:
            async with team(tmp_path / "data", teams, clock=Clock.at(MONDAY)) as before:
                await before.asks("ana", "I need access to the data warehouse for 2 weeks")
            async with team(tmp_path / "data", teams, clock=before.house.clock) as after:
                await after.press("bo", "Approve")
                assert await after.house.has("ana", "warehouse-readers")
                assert "has access to Data warehouse" in after.sees("ana")
