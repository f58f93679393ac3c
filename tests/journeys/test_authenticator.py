"""An authenticator app where there is no provider: set up in time, then it proves who somebody is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pyotp
import pytest

from bot.chat.platform import PlatformDown
from bot.procedures.enrolment import Enrolments
from bot.procedures.request import State
from tests.house import MONDAY, Clock, House, house

CRITICAL = "I need access to production deploy for 1 day"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), requests_per_minute=1000) as running:
        yield running
        assert not running.events("inbound.failed"), "a fault of ours"


@dataclass
class Phone:
    """An authenticator app, and the browser beside it."""

    desk: House
    browser: httpx2.AsyncClient
    secret: str = ""
    recovery: tuple[str, ...] = ()

    def code(self, *, later: float = 0.0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.desk.clock().timestamp() + later))

    async def sends(self, url: str, **fields: str) -> httpx2.Response:
        page = await self.browser.get(url)
        csrf = _CSRF.search(page.text)
        assert csrf, page.text
        sent = await self.browser.post(url, data={"csrf": csrf[1], **fields})
        return await self.browser.get(sent.headers["location"]) if sent.status_code == 303 else sent

    async def sets_up(self, account: str) -> httpx2.Response:
        await self.desk.says(account, "set up my authenticator")
        url = await self.desk.link(account)
        page = await self.browser.get(url)
        assert 'src="data:image/svg+xml' in page.text
        shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert shown
        self.secret = shown[1].replace(" ", "")
        done = await self.sends(url, code=self.code())
        self.recovery = tuple(re.findall(r"<li>([0-9A-Z-]+)</li>", done.text))
        return done


@asynccontextmanager
async def phone_of(desk: House, account: str) -> AsyncIterator[Phone]:
    async with desk.browser() as browser:
        phone = Phone(desk, browser)
        await phone.sets_up(account)
        yield phone


async def test_it_is_set_up_once_and_its_recovery_codes_are_shown_once(desk: House) -> None:
    async with phone_of(desk, "bo") as phone:
        assert len(set(phone.recovery)) == 10
        (event,) = desk.events("authenticator.enrolled")
        assert event["actor"] == await desk.id("bo")
        assert "An authenticator was set up in your name" in await desk.heard("bo")
        again = await phone.browser.get(await desk.link("bo"))
        assert phone.recovery[0] not in again.text
        assert phone.secret not in again.text.replace(" ", "")
        assert "You have an authenticator" in again.text


async def test_a_wrong_code_sets_nothing_up(desk: House) -> None:
    await desk.says("bo", "set up my authenticator app")
    url = await desk.link("bo")
    async with desk.browser() as browser:
        phone = Phone(desk, browser)
        page = await phone.browser.get(url)
        secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert secret
        phone.secret = secret[1].replace(" ", "")
        for wrong in ("000000", "", "x", phone.code(later=-600), "１２３４５６"):
            assert (await phone.sends(url, code=wrong)).status_code == 403
        assert phone.secret in (await phone.browser.get(url)).text.replace(" ", ""), "the same picture again"
    assert not desk.events("authenticator.enrolled")


async def test_the_page_is_for_half_an_hour_and_for_nobody_else(desk: House) -> None:
    await desk.says("bo", "set up my authenticator")
    url = await desk.link("bo")
    async with desk.browser() as browser:
        desk.clock.forward(minutes=31)
        assert (await browser.get(url)).status_code == 410
        assert (await browser.get(url.rpartition("/")[0] + "/" + "0" * 32)).status_code == 410
    handle = url.rpartition("/")[2]
    assert "does not work" in (await desk.press_handle("ana", handle)).notice


async def test_a_day_of_rest_then_it_is_what_a_critical_approval_needs(desk: House) -> None:
    async with phone_of(desk, "bo") as phone:
        await desk.asks("ana", CRITICAL)
        assert [seat.person for seat in desk.request().seats["manager"]] != [await desk.id("bo")], (
            "whoever has a new one does not approve today"
        )
        await desk.press("ana", "Cancel")
        desk.clock.forward(hours=24, minutes=1)
        await desk.asks("ana", CRITICAL)
        assert [button.label for button in (await desk.card("bo")).buttons] == ["Deny"]
        url = await desk.link("bo")
        assert "Sign in" not in (await phone.browser.get(url)).text
        assert (await phone.sends(url, app="000000")).status_code == 403
        await phone.sends(url, app=phone.code())
        done = await phone.sends(url, answer="approve")
        assert "Thank you, noted." in done.text
    assert desk.request().stage == 1
    assert desk.events("identity.proved")[0]["data"]["by"] == "authenticator"


async def test_who_has_none_approves_by_a_press_as_before(desk: House) -> None:
    await desk.asks("ana", CRITICAL)
    await desk.press("bo", "Approve")
    assert desk.request().stage == 1


async def test_the_channels_copy_has_no_approve_where_only_a_code_tells_who_it_is(desk: House) -> None:
    async with phone_of(desk, "bo"):
        desk.clock.forward(hours=24, minutes=1)
        await desk.asks("ana", CRITICAL)
        card = await desk.card("bo", "approvals")
        assert [button.label for button in card.buttons] == ["Deny"]
        assert not card.links


class TestACredential:
    async def reset(self, desk: House) -> str:
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve", {"spoke": "yes"})
        return await desk.link("ana")

    async def test_a_code_of_the_app_shows_it_and_nothing_is_read_out(self, desk: House) -> None:
        async with phone_of(desk, "ana") as phone:
            desk.clock.forward(hours=24, minutes=1)
            url = await self.reset(desk)
            assert await desk.code("bo") == "", "no code to be talked out of somebody"
            assert "read out" not in (await phone.browser.get(url)).text
            ready = await phone.sends(url, app=phone.code())
            assert "It is you" in ready.text
            assert "<code>" in (await phone.sends(url)).text
        assert desk.events("credential.shown")[0]["data"]["proved_by"] == "authenticator"

    async def test_a_recovery_code_does_once(self, desk: House) -> None:
        async with phone_of(desk, "ana") as phone:
            desk.clock.forward(hours=24, minutes=1)
            url = await self.reset(desk)
            used = phone.recovery[3]
            assert "It is you" in (await phone.sends(url, app=used.lower())).text
            async with desk.browser() as another:
                stranger = Phone(desk, another)
                assert (await stranger.sends(url, app=used)).status_code == 403

    async def test_a_code_counts_once(self, desk: House) -> None:
        async with phone_of(desk, "ana") as phone, desk.browser() as another:
            desk.clock.forward(hours=24, minutes=1)
            url, code = await self.reset(desk), phone.code()
            assert "It is you" in (await phone.sends(url, app=code)).text
            over_the_shoulder = Phone(desk, another)
            assert (await over_the_shoulder.sends(url, app=code)).status_code == 403

    async def test_one_set_up_after_the_request_does_not_count(self, desk: House) -> None:
        url = await self.reset(desk)
        async with phone_of(desk, "ana") as phone:
            page = await phone.browser.get(url)
            assert "authenticator" not in page.text
            assert "read it out" in page.text or "read out" in page.text

    async def test_five_wrong_codes_are_followed_by_a_rest(self, desk: House) -> None:
        async with phone_of(desk, "ana") as phone:
            desk.clock.forward(hours=24, minutes=1)
            url = await self.reset(desk)
            for _ in range(4):
                assert "not the present code" in (await phone.sends(url, app="000000")).text
            assert "Too many wrong codes" in (await phone.sends(url, app="000000")).text
            assert "Too many wrong codes" in (await phone.sends(url, app=phone.code())).text
            assert len(desk.events("identity.refused")) == 6


async def test_another_one_takes_a_code_of_the_first(desk: House) -> None:
    async with phone_of(desk, "bo") as phone:
        await desk.says("bo", "replace my authenticator")
        url = await desk.link("bo")
        assert (await phone.sends(url, replace="yes")).status_code == 403
        assert (await phone.sends(url, code=phone.code())).status_code == 403
        desk.clock.forward(minutes=1)
        await phone.sends(url, app=phone.code())
        await phone.sends(url, replace="yes")
        page = await phone.browser.get(url)
        shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert shown
        second = shown[1].replace(" ", "")
        assert second != phone.secret
        phone.secret = second
        assert "Your recovery codes" in (await phone.sends(url, code=phone.code())).text
    assert [each["kind"] for each in desk.events("authenticator")] == [
        "authenticator.enrolled",
        "authenticator.removed",
        "authenticator.enrolled",
    ]


async def test_who_has_seen_one_offered_does_not_hold_what_is_set_up_later(desk: House) -> None:
    await desk.says("bo", "set up my authenticator")
    async with desk.browser() as browser:
        seen = re.search(r"<code>([A-Z2-7 ]+)</code>", (await browser.get(await desk.link("bo"))).text)
        stale = await desk.link("bo")
    assert seen
    desk.clock.forward(minutes=1)
    async with phone_of(desk, "bo") as phone:
        assert phone.secret != seen[1].replace(" ", "")
        assert phone.secret not in (await phone.browser.get(stale)).text.replace(" ", "")


async def test_a_chat_that_is_down_costs_nobody_their_recovery_codes(
    desk: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(account: str) -> str:
        raise PlatformDown("no answer")

    monkeypatch.setattr(desk.app.web, "direct", down)
    async with desk.browser() as browser:
        phone = Phone(desk, browser)
        bo = await desk.app.system.directory.person(await desk.id("bo"))
        card = await Enrolments(desk.app.office).card(bo)
        page = await browser.get(card.links[0].url)
        shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert shown
        phone.secret = shown[1].replace(" ", "")
        done = await phone.sends(card.links[0].url, code=phone.code())
    assert "Your recovery codes" in done.text


async def test_this_was_not_me_stops_everything_and_calls_the_admins(desk: House) -> None:
    async with phone_of(desk, "bo"):
        handle = await desk.handle("bo", "This wasn't me")
        assert "does not work" in (await desk.press_handle("ana", handle)).notice, "for nobody else"
        assert not desk.events("person.frozen")
        for _ in range(2):
            ack = await desk.press("bo", "This wasn't me")
            assert "Everything in your name is stopped" in ack.notice
        (gone,) = desk.events("authenticator.removed")
        assert gone["subject"] == await desk.id("bo"), "what somebody else set up goes"
        await desk.says("bo", "set up my authenticator")
        assert not (await desk.card("bo")).links, "and nobody sets up another in a stopped name"
        (event,) = desk.events("person.frozen")
        assert (event["actor"], event["subject"]) == (await desk.id("bo"), await desk.id("bo"))
        for admin in ("felix", "marco", "chloe"):
            assert (await desk.heard(admin)).count("Bo Lind says: this wasn't me") == 1
        await desk.says("bo", "I need figma for two weeks")
        assert desk.state() is State.REFUSED


async def test_its_secrets_stand_nowhere_in_the_clear(
    desk: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with phone_of(desk, "ana") as phone:
        desk.clock.forward(hours=24, minutes=1)
        url = await TestACredential().reset(desk)
        await phone.sends(url, app=phone.recovery[0])
        canaries = [phone.secret, *phone.recovery, *(each.replace("-", "") for each in phone.recovery)]
        told = capfd.readouterr()
        for canary in canaries:
            assert canary not in told.out + told.err + await desk.text("ana") + str(desk.events())
            for file in (tmp_path / "data").rglob("*"):
                assert not file.is_file() or canary.encode() not in file.read_bytes(), file.name
        found = desk.app.engine.find(desk.request().ref)
        assert found
        assert found.state is State.DONE
