"""Whose chat account this is, said by a sign-in where its mail address cannot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.procedures.proofs import CALLBACK
from tests.house import MONDAY, Clock
from tests.servers.openid import FakeOpenId
from tests.sign_in_house import CLAIM, Visitor, provider, settings_of
from tests.slack_house import Work, user_id, work


@pytest.fixture
def idp() -> Iterator[FakeOpenId]:
    with provider() as server:
        yield server


@asynccontextmanager
async def office(data: Path, idp: FakeOpenId, **more: object) -> AsyncIterator[Work]:
    async with work(
        data, clock=Clock.at(MONDAY), quarantine=timedelta(hours=24), **settings_of(idp, **more)
    ) as running:
        idp.idp.redirects = {running.house.app.settings.url + CALLBACK}
        for account, claims in idp.idp.accounts.items():
            claims[CLAIM] = await running.house.id(account)
        yield running


def link_in(work: Work, account: str) -> str:
    found = re.findall(r"http://[^\s\"|>]+/link/[0-9a-f]{32}", str(work.slack.dm(user_id(account))))
    assert found, work.slack.dm(user_id(account))
    return str(found[-1])


async def test_somebody_unknown_signs_in_once_and_is_known(idp: FakeOpenId, tmp_path: Path) -> None:
    async with office(tmp_path / "data", idp, link_by_mail=False) as slack:
        await slack.says("ana", "how many vacation days have I left?")
        url = link_in(slack, "ana")
        async with Visitor.of(slack.house, idp) as browser:
            assert "If somebody sent you this link, close this page" in (await browser.get(url)).text
            sure = await browser.signs_in("ana", url)
            assert "Ana Ruiz" in sure.text
            assert user_id("ana") in sure.text
            assert "is yours now" in (await browser.sends(url, sure)).text
        (linked,) = [each for each in slack.house.events("person.linked") if each["service"] == "slack"]
        assert linked["data"] == {"account": user_id("ana"), "by": "sign-in"}
        assert "Your Slack account was linked" in await slack.house.heard("ana"), "on every way to her"
        assert "Your Slack account was linked" in str(slack.slack.dm(user_id("ana")))
        await slack.says("ana", "how many vacation days have I left?")
        assert "Vacation" in str(slack.slack.dm(user_id("ana")))
        await slack.says("ana", "I need access to the data warehouse for 2 weeks")
        assert "way to sign in changed lately" in str(slack.slack.dm(user_id("ana"))), "a day of rest"


async def test_nobody_is_linked_without_the_last_yes_or_by_mail_where_it_is_off(
    idp: FakeOpenId, tmp_path: Path
) -> None:
    async with office(tmp_path / "data", idp, link_by_mail=False) as slack:
        await slack.says("ana", "hello")
        url = link_in(slack, "ana")
        async with Visitor.of(slack.house, idp) as browser:
            await browser.signs_in("ana", url)
        assert not slack.house.events("person.linked")
        async with Visitor.of(slack.house, idp) as another:
            page = await another.get(url)
            assert "Sign in" in page.text
            assert (await another.client.post(url.removeprefix("http://127.0.0.1:8080"))).status_code == 403
        assert not slack.house.events("person.linked")


async def test_whoever_is_linked_there_already_takes_no_second_account(
    idp: FakeOpenId, tmp_path: Path
) -> None:
    """Somebody sends Ana the link of an account of their own."""
    async with office(tmp_path / "data", idp) as slack:
        await slack.says("ana", "hello")  # linked by her mail
        slack.slack.state.users[user_id("luis")].mail = "nobody@elsewhere.example"
        await slack.says("luis", "hello")
        url = link_in(slack, "luis")
        async with Visitor.of(slack.house, idp) as browser:
            said = await browser.sends(url, await browser.signs_in("ana", url))
            assert said.status_code == 409
            assert "linked already" in said.text
        assert [each["subject"] for each in slack.house.events("person.linked")] == [
            await slack.house.id("ana")
        ]


async def test_the_link_is_good_for_half_an_hour(idp: FakeOpenId, tmp_path: Path) -> None:
    async with office(tmp_path / "data", idp, link_by_mail=False) as slack:
        await slack.says("ana", "hello")
        url = link_in(slack, "ana")
        slack.house.clock.forward(minutes=31)
        async with Visitor.of(slack.house, idp) as browser:
            assert (await browser.get(url)).status_code == 410


async def test_guests_are_offered_nothing(idp: FakeOpenId, tmp_path: Path) -> None:
    async with office(tmp_path / "data", idp, link_by_mail=False) as slack:
        slack.slack.state.users[user_id("ana")].kind = "guest"
        await slack.says("ana", "hello")
        assert "/link/" not in str(slack.slack.dm(user_id("ana")))


async def test_this_was_not_me_takes_the_link_away_again(idp: FakeOpenId, tmp_path: Path) -> None:
    async with office(tmp_path / "data", idp, link_by_mail=False) as slack:
        await slack.says("luis", "hello")
        url = link_in(slack, "luis")
        async with Visitor.of(slack.house, idp) as browser:  # Ana was talked into it
            await browser.sends(url, await browser.signs_in("ana", url))
        await slack.house.press("ana", "This wasn't me")
        ended = slack.house.events("person.unlinked")
        assert [each["data"]["account"] for each in ended] == [user_id("luis")]
        assert slack.house.events("person.frozen")
        await slack.says("luis", "how many vacation days have I left?")
        assert "Vacation" not in str(slack.slack.dm(user_id("luis")))


async def test_somebody_unknown_does_not_fill_the_trail(idp: FakeOpenId, tmp_path: Path) -> None:
    async with office(tmp_path / "data", idp, link_by_mail=False, requests_per_minute=3) as slack:
        for _ in range(8):
            await slack.says("ana", "hello")
        assert len(slack.house.events("sender.refused")) == 3
        assert str(slack.slack.dm(user_id("ana"))).count("Who are you?") <= 6
