"""Teams on a bad day: what comes twice, what is throttled, lost, refused, or signed in wrongly."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.places import Places
from bot.chat.platform import ChatWrong, Unreachable
from bot.chat.teams.connect import Teams
from bot.procedures.request import State
from bot.settings import Settings
from tests.servers.teams.server import FakeTeams, card_of, texts
from tests.teams_house import Team, object_id, team, trusting

ASKED = "how many vacation days do I have left?"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path / "data") as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"


class TestOnce:
    async def test_an_activity_that_comes_again_in_any_order_is_handled_once(self, desk: Team) -> None:
        room = desk.teams.state.personal(desk.user("ana"))
        asked = [
            desk.teams.activity("message", object_id("ana"), room, text=f"I need figma for {days} days")
            for days in (1, 2)
        ]
        for body in [*asked * 2, *reversed(asked)]:
            await desk.teams.deliver(body)
        await asyncio.gather(*(desk.teams.deliver(body) for body in asked * 2))
        await desk.house.quiet()
        assert len(desk.house.requests()) == 2

    async def test_the_same_id_in_another_conversation_or_of_another_kind_is_another_thing(
        self, desk: Team
    ) -> None:
        """Teams numbers messages by time: two people's can be equal."""
        for account in ("ana", "luis"):
            room = desk.teams.state.personal(desk.user(account))
            body = desk.teams.activity("message", object_id(account), room, text=ASKED)
            await desk.teams.deliver({**body, "id": "1764000999999"})
        await desk.house.quiet()
        assert "hours of vacation left" in desk.last("ana")
        assert "vacation" in desk.last("luis")

    async def test_a_press_that_is_replayed_counts_once_even_after_a_restart(self, tmp_path: Path) -> None:
        with FakeTeams.running() as teams:
            async with team(tmp_path / "data", teams) as desk:
                await desk.says("ana", "I need figma for two weeks")
                pressed = await desk.press("ana", "Yes, do it")
                events = len(desk.house.events())
                answers = [await teams.deliver(pressed.activity) for _ in range(3)]
                assert {each.body["value"] for each in answers} == {"I have this press already."}
            async with team(tmp_path / "data", teams) as after:
                await teams.deliver(pressed.activity)
                await after.house.quiet()
                fresh = after.house.events()[events:]
                assert not [each for each in fresh if each["kind"].startswith(("press", "request"))]
                assert len(await after.house.effects()) == 1

    async def test_a_double_click_is_one_effect(self, desk: Team) -> None:
        await desk.says("ana", "I need figma for two weeks")
        await asyncio.gather(*(desk.press("ana", "Yes, do it") for _ in range(4)), return_exceptions=True)
        assert len(await desk.house.effects()) == 1


class TestThrottlingAndLosses:
    @pytest.mark.parametrize("status", ["429", "412", "502", "504"])
    async def test_it_is_tried_again_with_pauses_that_grow(
        self, desk: Team, status: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.desk._WORKING_AFTER_S", 60.0)  # no dots between the tries
        await desk.says("ana", "show my requests")
        room = desk.teams.state.personal(desk.user("ana")).id
        desk.teams.fail("post", status, times=3, room=room)
        await desk.says("ana", ASKED)
        assert desk.sees("ana").count("hours of vacation left") == 1
        tries = [call.at for call in desk.teams.called("post") if call.room == room][-4:]
        pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
        assert pauses[0] < pauses[2], "each pause is longer"
        assert pauses[2] > 0.8

    async def test_others_are_answered_meanwhile_and_retry_after_is_obeyed(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        await desk.says("luis", "show my requests")
        desk.teams.fail("post", "429", retry_after="2", room=desk.teams.state.personal(desk.user("ana")).id)
        begun = time.monotonic()
        await desk.teams.says(object_id("ana"), ASKED)
        await desk.teams.says(object_id("luis"), ASKED)
        await desk.house.until(lambda: "vacation" in desk.last("luis"))
        assert time.monotonic() - begun < 1.9
        await desk.house.quiet()
        assert "hours of vacation left" in desk.sees("ana")
        assert time.monotonic() - begun >= 2.0

    async def test_a_long_wait_is_given_back_to_the_next_round(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        desk.teams.fail("post", "429", retry_after="600")
        await desk.says("ana", ASKED)
        assert "hours of vacation left" not in desk.sees("ana")
        calls = len(desk.teams.called("post"))
        await desk.house.app.desk.replay()
        assert len(desk.teams.called("post")) == calls, "Teams is not asked before its time"
        desk.house.app.office.platforms["teams"].api._not_before.clear()  # type: ignore[attr-defined]
        await desk.house.app.desk.replay()
        assert desk.sees("ana").count("hours of vacation left") == 1

    @pytest.mark.parametrize("kind", ["cut before", "500", "503"])
    async def test_what_did_not_arrive_is_sent_in_the_next_round(self, desk: Team, kind: str) -> None:
        await desk.says("ana", "show my requests")
        desk.teams.fail("post", kind)
        await desk.says("ana", ASKED)
        await desk.house.app.desk.replay()
        await desk.house.quiet()
        assert desk.sees("ana").count("hours of vacation left") == 1

    async def test_an_approval_whose_answer_was_lost_stands_twice_and_either_decides_once(
        self, desk: Team
    ) -> None:
        """Teams has no way to tell: the older copy still works, and shows the present card."""
        desk.teams.fail("post", "cut after", room=desk.approvals.id)
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        desk.house.clock.forward(seconds=60)
        await desk.house.app.engine.sweep()
        await desk.house.quiet()
        first, second = desk.teams.seen(object_id("bo"), desk.approvals)
        await desk.press("bo", "Approve", where=desk.approvals, message=first)
        assert await desk.house.has("ana", "warehouse-readers")
        await desk.press("bo", "Approve", where=desk.approvals, message=second)
        assert len(await desk.house.effects()) == 1

    async def test_teams_down_after_the_effect_never_calls_it_failed_and_the_news_follow(
        self, desk: Team
    ) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        add = type(desk.house.app.company.groups).add

        async def add_and_lose_teams(self: object, *args: object, **kwargs: object) -> bool:
            done = await add(self, *args, **kwargs)  # type: ignore[arg-type]  # as it was called
            desk.teams.connector.down = True
            return done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(desk.house.app.company.groups), "add", add_and_lose_teams)
            await desk.press("bo", "Approve")
        assert desk.house.state() is State.ACTIVE
        desk.teams.connector.down = False
        desk.house.clock.forward(seconds=60)
        await desk.house.app.engine.sweep()
        await desk.house.quiet()
        assert "has access to Data warehouse" in desk.sees("ana")
        assert len(await desk.house.effects()) == 1

    async def test_a_press_that_takes_long_is_answered_and_what_it_says_follows(
        self, desk: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.chat.teams.listen.PRESS_WITHIN_S", 0.0)
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve")
        assert "Working on it…" in desk.told("bo")
        assert "Something is missing in that form" in desk.sees("bo")

    async def test_a_card_that_would_be_too_large_is_cut_and_taken(self, desk: Team) -> None:
        await desk.says("ana", f"I need figma for two weeks because {'ж' * 3_900}")
        assert "Give Ana Ruiz access to Figma" in desk.last("ana")
        assert not [call for call in desk.teams.calls if call.answer >= 400]


class TestTokens:
    async def test_one_token_serves_many_calls_and_a_refused_one_is_replaced(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        assert desk.teams.connector.login.logins == ["secret"]
        desk.teams.connector.login.revoke()
        await desk.says("ana", ASKED)
        assert desk.teams.connector.login.logins == ["secret", "secret"]
        assert desk.sees("ana").count("hours of vacation left") == 1

    async def test_a_certificate_is_used_where_there_is_one(self, tmp_path: Path) -> None:
        with FakeTeams.running() as teams, trusting(teams):
            made = trustme.CA().issue_cert("deskhand", key_type=trustme.KeyType.RSA)
            teams.connector.login.certificate = made.cert_chain_pems[0].bytes().decode()
            both = tmp_path / "app.pem"
            both.write_bytes(made.private_key_and_cert_chain_pem.bytes())
            async with team(
                tmp_path / "data", teams, teams_app_secret="", teams_certificate_file=both
            ) as desk:
                await desk.says("ana", "show my requests")
                assert desk.teams.dm(object_id("ana"))
            assert teams.connector.login.logins == ["certificate"]

    @pytest.mark.parametrize(
        "wrong", [{"teams_app_secret": "no"}, {"teams_tenant_id": "0" * 8 + "-0000-0000-0000-" + "0" * 12}]
    )
    async def test_a_log_in_that_is_refused_stops_the_start_and_names_the_settings(
        self, tmp_path: Path, wrong: dict[str, str]
    ) -> None:
        with FakeTeams.running() as teams:
            with pytest.raises(ChatWrong, match="TEAMS_APP_SECRET") as stopped:
                async with team(tmp_path / "data", teams, **wrong):
                    pass
            assert "no'" not in str(stopped.value)
            assert "AADSTS" not in str(stopped.value), "what Microsoft says in words can hold the secret"

    async def test_a_file_without_a_key_names_its_setting(self, tmp_path: Path) -> None:
        with FakeTeams.running() as teams:
            empty = tmp_path / "app.pem"
            elliptic = teams.certificates.key_file.read_text() + teams.certificates.cert_file.read_text()
            for content in ("", teams.certificates.cert_file.read_text(), elliptic):
                empty.write_text(content)
                with pytest.raises(ChatWrong, match="TEAMS_CERTIFICATE_FILE"):
                    async with team(
                        tmp_path / "data", teams, teams_app_secret="", teams_certificate_file=empty
                    ):
                        pass

    async def test_a_log_in_that_is_down_does_not_keep_the_desk_from_serving(self, tmp_path: Path) -> None:
        with FakeTeams.running() as teams:
            async with team(tmp_path / "data", teams, teams_login_url="https://127.0.0.1:9") as desk:
                await desk.house.says("ana", "show my requests")
                assert await desk.house.cards("ana"), "on the web desk"
                await desk.teams.says(object_id("ana"), ASKED)
                await desk.house.quiet()
            async with team(tmp_path / "data", teams) as after:
                await after.house.quiet()
                assert "hours of vacation left" in after.sees("ana"), (
                    "it was kept, and answered at the next start"
                )


class TestPlaces:
    async def test_they_outlive_a_restart(self, tmp_path: Path) -> None:
        with FakeTeams.running() as teams:
            async with team(tmp_path / "data", teams) as desk:
                await desk.says("ana", "show my requests")
            async with team(tmp_path / "data", teams) as after:
                calls = len(teams.called("create"))
                platform = after.house.app.office.platforms["teams"]
                assert await platform.direct(object_id("ana")) == teams.state.personal(after.user("ana")).id
                assert len(teams.called("create")) == calls

    async def test_somebody_who_is_in_no_team_and_never_wrote_cannot_be_reached(self, desk: Team) -> None:
        stranger = desk.teams.add_user("new@alderfinch.example", "New", app=False)
        with pytest.raises(Unreachable, match="add Deskhand"):
            await desk.house.app.office.platforms["teams"].direct(stranger.aad)

    async def test_a_conversation_that_is_gone_is_forgotten(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        desk.approvals.members.discard(object_id("ana"))
        desk.user("ana").app = False
        platform = desk.house.app.office.platforms["teams"]
        with pytest.raises(Unreachable):
            await platform.late(_inbound(desk), Ack(notice="Hello"))
        with pytest.raises(Unreachable):
            await platform.direct(object_id("ana"))

    async def test_whoever_took_the_app_away_is_still_known_in_a_channel(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        general = desk.teams.add_channel("general", object_id("ana"))
        desk.teams.fail("member", "403", room=desk.teams.state.personal(desk.user("ana")).id)
        desk.house.app.office.platforms["teams"].members._known.clear()  # type: ignore[attr-defined]
        await desk.mentions("ana", general, ASKED)
        assert desk.house.events("lookup.answered"), "she is who she is, by the channel's word"

    async def test_whoever_adds_it_to_a_team_tells_where_the_team_is(self, desk: Team) -> None:
        other = desk.teams.add_channel("other", object_id("ana"))
        await desk.teams.adds_to_team(object_id("ana"), other)
        place = _places(desk).at(other.id)
        assert place
        assert place.service_url == desk.teams.service_url


def _places(desk: Team) -> Places:
    places: Places = desk.house.app.office.platforms["teams"].members.places  # type: ignore[attr-defined]
    return places


def _inbound(desk: Team) -> Inbound:
    return Inbound(
        platform="teams",
        id="x",
        kind=InboundKind.PRESS,
        account=object_id("ana"),
        conversation=desk.teams.state.personal(desk.user("ana")).id,
        at=desk.house.clock(),
    )


class TestDoctor:
    async def test_it_says_what_is_fine(self, desk: Team) -> None:
        settings = replace(desk.house.app.settings, public_url="https://desk.example.com")
        lines = await _checked(settings, desk)
        assert [(name, fine) for name, fine, _ in lines] == [
            ("teams log-in", True),
            ("teams keys", True),
            ("teams address", True),
            ("teams channel", True),
        ]
        assert "https://desk.example.com/api/messages" in lines[2][2]

    async def test_the_help_desks_channel_is_looked_at_where_there_is_one(self, desk: Team) -> None:
        room = desk.teams.add_channel("helpers")
        settings = replace(desk.house.app.settings, teams_help_desk=room.id)
        assert (await _checked(settings, desk))[-1] == ("teams help desk", True, room.id)
        room.installed = False
        name, fine, said = (await _checked(settings, desk))[-1]
        assert (name, fine) == ("teams help desk", False)
        assert said.startswith("TEAMS_HELP_DESK_CHANNEL: ")

    async def test_it_says_what_is_not(self, desk: Team) -> None:
        settings = desk.house.app.settings
        desk.teams.keys_down = True
        desk.approvals.installed = False
        lines = {name: (fine, said) for name, fine, said in await _checked(settings, desk)}
        assert lines["teams keys"] == (
            False,
            "TEAMS_OPENID_URL: Microsoft's keys cannot be read, so nobody would be let in",
        )
        assert lines["teams address"][0] is False
        assert "add Deskhand to that team" in lines["teams channel"][1]
        (line,) = [
            line
            for line in await _checked(replace(settings, teams_app_secret="no"), desk)
            if "log-in" in line[0]
        ]
        assert line[1] is False
        assert "TEAMS_APP_SECRET" in line[2]

    async def test_it_proves_that_a_direct_message_is_taken(self, desk: Team) -> None:
        people, bo = desk.house.app.office.people, await desk.house.id("bo")
        chat = _beside(desk, desk.house.app.settings)
        name, fine, said = await chat.prove(lambda: people.account_on("teams", bo), "doctor:1")
        assert (name, fine) == ("teams message", True)
        assert object_id("bo") in said
        assert "Nothing has to be done." in texts(card_of(desk.teams.dm(object_id("bo"))[-1]))


async def _checked(settings: Settings, desk: Team) -> list[tuple[str, bool, str]]:
    return await _beside(desk, settings).check()


def _beside(desk: Team, settings: Settings) -> Teams:
    """Another guest beside the running desk."""
    chat = Teams(settings)
    chat.attach(desk.house.app.desk.receive, lambda: True, _places(desk))
    return chat
