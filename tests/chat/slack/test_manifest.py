"""The manifest asks for what is in use: every method that is called, every event that is listened to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.slack import gate, manifest
from bot.chat.slack.api import Api
from bot.chat.slack.connect import Slack
from bot.settings import Settings
from tests.house import MONDAY, Clock
from tests.servers.slack.server import FakeSlack
from tests.servers.slack.state import SCOPES
from tests.servers.slack.web_api import NEEDS
from tests.slack_house import Work, settings_of, user_id, work

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Work]:
    async with work(tmp_path / "data", clock=Clock.at(MONDAY)) as running:
        yield running


def test_the_file_to_paste_is_the_one_for_socket_mode() -> None:
    written = json.loads((ROOT / "manifest.json").read_text())
    assert written == manifest.manifest()
    assert written["settings"]["socket_mode_enabled"]
    assert "request_url" not in json.dumps(written)


def test_with_a_public_address_slack_posts_there() -> None:
    made = manifest.manifest("https://desk.example.com/")
    address = "https://desk.example.com/slack/events"
    assert not made["settings"]["socket_mode_enabled"]
    assert made["settings"]["event_subscriptions"]["request_url"] == address
    assert made["settings"]["interactivity"]["request_url"] == address
    assert made["features"]["slash_commands"][0]["url"] == address


def test_people_can_write_to_it_and_mentions_come_as_ids() -> None:
    features = manifest.manifest()["features"]
    assert features["app_home"]["messages_tab_enabled"]
    assert not features["app_home"]["messages_tab_read_only_enabled"]
    assert features["slash_commands"][0]["should_escape"]


def test_the_texts_fit() -> None:
    shown = manifest.manifest()["display_information"]
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000


def test_its_scopes_are_those_of_the_methods_and_events_in_use() -> None:
    assert set(manifest.scopes()) == set(SCOPES)
    for method, needed in manifest.METHODS.items():
        assert set(needed) <= set(NEEDS[method]), f"{method} is asked for what Slack does not need"


def test_each_event_it_subscribes_to_is_let_in_and_no_other() -> None:
    home = gate.Home("T1", "U1")
    known = {
        "message.im": {"type": "message", "channel_type": "im", "user": "U2", "channel": "D", "ts": "1"},
        "app_mention": {"type": "app_mention", "user": "U2", "channel": "C", "ts": "1"},
        "app_home_opened": {"type": "app_home_opened", "tab": "home", "user": "U2"},
        "user_change": {"type": "user_change", "user": {"id": "U2"}},
    }
    assert set(known) == set(manifest.EVENTS)
    outer = {"type": "event_callback", "team_id": "T1", "event_id": "E1"}
    assert not any(gate.unwanted({**outer, "event": event}, home) for event in known.values())
    for other in ("message.channels", "reaction_added", "team_join", "member_joined_channel"):
        assert gate.unwanted({**outer, "event": {"type": other, "user": "U2"}}, home)


async def test_no_method_is_called_that_it_does_not_name() -> None:
    api = Api("xoxb-1", "http://127.0.0.1:1/api/")
    with pytest.raises(KeyError, match=r"users\.list"):
        await api.call("users.list")


async def test_every_method_it_names_is_called(desk: Work) -> None:
    """One day at the desk."""
    slack = desk.slack
    general = slack.add_channel("general", user_id("ana"))
    await desk.mentions("ana", general, "I forgot my password")
    await desk.press("ana", "Yes, do it")
    await desk.press("bo", "Approve")
    await desk.opens_home("ana")
    slack.state.users[user_id("luis")].kind = "guest"
    await desk.says("luis", "hello")
    await desk.house.app.office.platforms["slack"].working(await _message(desk))
    await desk.house.app.office.platforms["slack"].late(await _message(desk), Ack())
    await _slack(desk).check()
    called = {call.method for call in slack.calls} - {"response_url"}
    assert called == set(manifest.METHODS)


async def _message(desk: Work) -> Inbound:
    where = desk.slack.state.direct(user_id("ana"))
    body = where.messages[0] if where.messages else {"ts": "1"}
    return Inbound(
        platform="slack",
        id="x",
        kind=InboundKind.MESSAGE,
        account=user_id("ana"),
        conversation=where.id,
        message_id=str(body["ts"]),
        at=desk.house.clock(),
    )


class TestDoctor:
    async def test_it_says_what_is_fine(self, desk: Work) -> None:
        lines = await _slack(desk).check()
        assert [fine for _, fine, _ in lines] == [True, True, True]
        assert "#approvals" in lines[-1][2]

    @pytest.mark.parametrize(
        ("broken", "said"),
        [
            ({"slack_bot_token": "xoxb-old"}, "invalid_auth"),
            ({"slack_app_token": "xapp-old"}, "SLACK_APP_TOKEN: apps.connections.open: invalid_auth"),
            ({"slack_approvals": "C0NOWHERE"}, "channel_not_found"),
            ({"slack_help_desk": "C0NOWHERE"}, "SLACK_HELP_DESK_CHANNEL: "),
        ],
    )
    async def test_it_names_the_setting_that_has_to_be_mended(
        self, broken: dict[str, str], said: str
    ) -> None:
        with FakeSlack.running() as slack:
            approvals = slack.add_channel("approvals", private=True)
            lines = await _checked({**settings_of(slack, "socket", approvals), **broken})
            assert said in next(words for _, fine, words in lines if not fine)

    async def test_it_names_missing_scopes_and_channels_that_will_not_do(self) -> None:
        with FakeSlack.running() as slack:
            slack.scopes -= {"im:history"}
            approvals = slack.add_channel("approvals", private=True)
            lines = await _checked(settings_of(slack, "socket", approvals))
            assert "the app lacks im:history" in lines[0][2]
            slack.scopes |= {"im:history"}
            for channel, why in (
                (slack.add_channel("open-to-all"), "open to everybody"),
                (slack.add_channel("theirs", private=True, shared=True), "shared with another company"),
            ):
                lines = await _checked(settings_of(slack, "socket", channel))
                assert why in lines[-1][2]
                assert not lines[-1][1]

    async def test_it_proves_that_a_direct_message_arrives(self, desk: Work) -> None:
        people, bo = desk.house.app.office.people, await desk.house.id("bo")
        name, fine, said = await _slack(desk).prove(lambda: people.account_on("slack", bo), "doctor:1")
        assert (name, fine) == ("slack message", True)
        assert user_id("bo") in said
        assert "Nothing has to be done." in desk.last("bo")


async def _checked(settings: dict[str, str]) -> list[tuple[str, bool, str]]:
    return await Slack(Settings(**settings)).check()  # type: ignore[arg-type]  # all of them texts


def _slack(desk: Work) -> Slack:
    """Another guest beside the running desk."""
    return Slack(desk.house.app.settings)
