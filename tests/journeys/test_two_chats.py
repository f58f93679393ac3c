"""One case in two chats: the requester in Slack, the approver in Teams, and the web desk beside them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.procedures.request import State
from tests.house import MONDAY, Clock, House, house
from tests.servers.slack.server import FakeSlack
from tests.servers.teams.server import FakeTeams, actions, card_of, texts
from tests.slack_house import Work, user_id
from tests.slack_house import settings_of as slack_settings
from tests.teams_house import Team, object_id, populate, serving, trusting
from tests.teams_house import settings_of as teams_settings

TEAMS_PEOPLE = ("bo", "luis")  # of the approvals team; the others are in Slack alone


@dataclass
class Both:
    house: House
    slack: Work
    team: Team


@asynccontextmanager
async def both(data: Path, **settings: Any) -> AsyncIterator[Both]:
    with contextlib.ExitStack() as stack:
        slack, teams = stack.enter_context(FakeSlack.running()), stack.enter_context(FakeTeams.running())
        stack.enter_context(trusting(teams))
        in_slack = slack.add_channel("approvals", private=True)
        in_teams = teams.state.channel("approvals")
        given = slack_settings(slack, "http", in_slack) | teams_settings(teams, in_teams) | settings
        async with house(data, clock=Clock.at(MONDAY), **given) as running, serving(running) as address:
            for person in await running.app.company.directory.search("", limit=1000):
                slack.add_user(person.mail, person.name, user_id=user_id(person.account))
                in_slack.members.add(user_id(person.account))
            await populate(running, teams, in_teams)
            slack.events_url, teams.bot_url = f"{address}/slack/events", f"{address}/api/messages"
            both = Both(running, Work(running, slack, in_slack), Team(running, teams, in_teams))
            for account in TEAMS_PEOPLE:  # where they are used to be
                await both.team.says(account, "show my requests")
            yield both
            assert not running.events("inbound.failed"), "a fault of ours"
            assert not teams.errors


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Both]:
    async with both(tmp_path / "data") as running:
        yield running


class TestOneCase:
    async def test_asked_in_slack_approved_in_teams_and_both_cards_follow(self, case: Both) -> None:
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Waiting for Bo Lind" in case.slack.last("ana")
        assert not case.slack.slack.dm(user_id("bo")), "Bo is in Teams"
        answer = await case.team.press("bo", "Approve", {"reason": "For the report"})
        assert "Approved by Bo Lind" in texts(answer.body["value"])
        assert await case.house.has("ana", "warehouse-readers")
        assert "has access to Data warehouse" in case.slack.sees("ana")
        assert "For the report" in case.slack.sees("ana")
        for channel in (
            case.slack.sees("ana", case.slack.approvals),
            case.team.sees("ana", case.team.approvals),
        ):
            assert "Approved by Bo Lind" in channel, "the channels of both follow"

    async def test_and_the_other_way_round(self, case: Both) -> None:
        await case.slack.says("bo", "show my requests")
        await case.team.asks("luis", "I need access to the data warehouse for 2 weeks")
        await case.slack.press("bo", "Approve")
        assert await case.house.has("luis", "warehouse-readers")
        assert "has access to Data warehouse" in case.team.sees("luis")

    async def test_the_first_decision_wins_and_the_other_side_reads_who_decided(self, case: Both) -> None:
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        old = case.team.teams.seen(object_id("bo"), case.team.approvals)[-1]
        await case.slack.press("bo", "Deny", where=case.slack.approvals)
        assert case.house.state() is State.DENIED
        answer = await case.team.press("bo", "Approve", message=old, where=case.team.approvals)
        assert "You denied this already." in texts(answer.body["value"])
        assert "Denied by Bo Lind" in case.team.sees("bo", case.team.approvals)
        assert not await case.house.has("ana", "warehouse-readers")

    @pytest.mark.parametrize("round_", range(4))
    async def test_a_race_between_the_chats_has_one_winner(self, case: Both, round_: int) -> None:
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        in_slack = case.slack.slack.posted(case.slack.approvals)[-1]
        in_teams = case.team.teams.seen(object_id("bo"), case.team.approvals)[-1]
        yes, no = ("Approve", "Deny") if round_ % 2 else ("Deny", "Approve")
        await asyncio.gather(
            case.slack.slack.clicks(user_id("bo"), in_slack, yes),
            case.team.teams.clicks(object_id("bo"), case.team.approvals, in_teams, no),
        )
        await case.house.quiet()
        decided = case.house.events("request.approved") + case.house.events("request.denied")
        assert len(decided) == 1
        granted = decided[0]["kind"] == "request.approved"
        assert await case.house.has("ana", "warehouse-readers") is granted
        said = "Approved by Bo Lind" if granted else "Denied by Bo Lind"
        assert said in case.slack.sees("bo", case.slack.approvals)
        assert said in case.team.sees("bo", case.team.approvals)

    async def test_one_person_with_accounts_in_both_does_not_approve_their_own(self, case: Both) -> None:
        await case.slack.asks("bo", "I need access to the data warehouse for 2 weeks")
        answer = await case.team.press("bo", "Approve", where=case.team.approvals)
        assert "own" in texts(answer.body["value"]) or "managers of" in texts(answer.body["value"])
        await case.slack.press("bo", "Approve", where=case.slack.approvals)
        assert case.house.state() is State.APPROVING
        assert not await case.house.has("bo", "warehouse-readers")
        (slack, teams) = [
            link
            for link in case.house.app.office.people.links()
            if link.account in (user_id("bo"), object_id("bo"))
        ]
        assert slack.person == teams.person


class TestWhereSomebodyIsTold:
    async def test_it_is_the_platform_used_last(self, case: Both) -> None:
        await case.slack.says("bo", "show my requests")
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Request of Ana Ruiz" in case.slack.sees("bo")
        assert "Request of Ana Ruiz" not in case.team.sees("bo")

    async def test_an_app_that_was_added_for_them_is_no_use_of_it(self, case: Both) -> None:
        await case.slack.says("bo", "show my requests")
        await case.team.teams.installs(object_id("bo"))
        await case.house.quiet()
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Request of Ana Ruiz" in case.slack.sees("bo")

    async def test_or_the_one_they_chose_wherever_they_write(self, case: Both) -> None:
        await case.slack.says("bo", "Notify me in Teams.")
        assert "From now on I write to you in Teams." in case.slack.last("bo")
        await case.slack.says("bo", "show my requests")
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Request of Ana Ruiz" in case.team.sees("bo")
        assert "Request of Ana Ruiz" not in case.slack.sees("bo")
        (event,) = case.house.events("person.chose")
        assert event["data"] == {"platform": "teams"}
        await case.slack.says("bo", "notify me where I write")
        await case.slack.asks("ana", "I need access to the production database (read) for 3 days")
        assert "Production database" in case.slack.sees("bo")

    async def test_a_chat_that_does_not_know_them_is_not_chosen(self, case: Both) -> None:
        case.team.teams.state.users[object_id("ana")].kind = "guest"
        await case.slack.says("ana", "notify me in teams")
        assert "I do not know you in Teams yet." in case.slack.last("ana")
        assert not case.house.events("person.chose")
        await case.slack.says("ana", "notify me on the web desk")
        assert "From now on I write to you in the web desk." in case.slack.last("ana")

    async def test_where_the_app_was_taken_away_the_other_chat_is_used(self, case: Both) -> None:
        case.team.approvals.members.discard(object_id("bo"))
        await case.team.teams.uninstalls(object_id("bo"))
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Request of Ana Ruiz" in case.slack.sees("bo")
        assert not case.house.events("person.unreachable")

    async def test_also_where_nobody_told_us_that_it_was_taken_away(self, case: Both) -> None:
        case.team.approvals.members.discard(object_id("bo"))
        case.team.teams.state.users[object_id("bo")].app = False
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Request of Ana Ruiz" in case.slack.sees("bo")
        await case.slack.press("bo", "Approve")
        assert await case.house.has("ana", "warehouse-readers")

    async def test_pending_is_answered_while_the_other_chat_is_down(self, case: Both) -> None:
        await case.slack.asks("ana", "I need access to the production database (read) for 3 days")
        members = await case.house.app.company.groups.members(case.house.app.settings.admins)
        admin = next(person.account for person in members if person.present)
        await case.team.says(admin, "show my requests")
        case.slack.slack.down = True
        await case.team.press("bo", "Approve")  # now Nadia is asked, whom only Slack could know
        await case.team.says(admin, "pending")
        assert f"{case.house.request().ref}:" in case.team.last(admin)
        case.slack.slack.down = False

    async def test_somebody_whom_no_chat_reaches_is_told_to_the_admins_and_the_channel_decides(
        self, case: Both
    ) -> None:
        case.team.approvals.members.discard(object_id("bo"))
        await case.team.teams.uninstalls(object_id("bo"))
        case.slack.slack.state.users[user_id("bo")].kind = "deactivated"
        await case.slack.asks("ana", "I need access to the data warehouse for 2 weeks")
        (event,) = case.house.events("person.unreachable")
        assert event["subject"] == await case.house.id("bo")
        members = await case.house.app.company.groups.members(case.house.app.settings.admins)
        admin = next(person.account for person in members if person.present)
        assert "Not reached in any chat: Bo Lind." in await case.slack.command(admin, "pending")
        assert "Request of Ana Ruiz" in case.slack.sees("ana", case.slack.approvals)
        assert "Approve" in actions(card_of(case.team.teams.seen(object_id("luis"), case.team.approvals)[-1]))
