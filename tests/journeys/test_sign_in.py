"""A second proof of who somebody is: before a critical approval counts, and before a credential is shown."""

from __future__ import annotations

import hmac
import html
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from starlette.requests import Request

from bot.pages.page import failed
from bot.procedures.request import State
from bot.store.database import StorageDown
from integrations.contract import Status, SystemDown
from tests.house import MONDAY, Clock, House
from tests.servers.openid import FakeOpenId
from tests.sign_in_house import Visitor, provider, signing

CRITICAL = "I need access to production deploy for 1 day"


@pytest.fixture
def idp() -> Iterator[FakeOpenId]:
    with provider() as server:
        yield server


@pytest.fixture
async def desk(idp: FakeOpenId, tmp_path: Path) -> AsyncIterator[House]:
    async with signing(tmp_path / "data", idp, clock=Clock.at(MONDAY), requests_per_minute=1000) as running:
        yield running
        assert not running.events("inbound.failed"), "a fault of ours"


async def asked(desk: House) -> tuple[str, str, str]:
    """Ana asks for something critical. Who decides, and the page where they do."""
    await desk.asks("ana", CRITICAL)
    seat = desk.request().seats["manager"][0]
    account = await account_of(desk, seat.person)
    return account, await desk.link(account), desk.request().ref


class TestACriticalApproval:
    async def test_it_is_given_on_a_page_after_a_sign_in_with_the_same_facts_and_digest(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        manager, url, ref = await asked(desk)
        assert await desk.buttons(manager) == ["Deny"], "there is no Approve to be pressed in the chat"
        async with Visitor.of(desk, idp) as browser:
            before = await browser.get(url)
            assert "Sign in with Alder &amp; Finch" in before.text
            for told in ("Ana", "Production", ref):
                assert told not in before.text, "whoever has the link alone learns nothing"
            page = await browser.signs_in(manager, url)
            for told in ("Request of Ana Ruiz", "Critical", ref, desk.request().digest[:16]):
                assert told in page.text
            done = await browser.sends(url, page, answer="approve", reason="for the release")
            assert "Thank you, noted." in done.text
        request = desk.request()
        assert request.stage == 1
        (approved,) = desk.events("request.approved")
        assert approved["data"]["attested"] == ["verified"]
        assert approved["service"] == "page"
        (proved,) = desk.events("identity.proved")
        assert proved["data"] == {"by": "sign-in", "for": f"approve {ref} manager {request.digest}"}
        assert proved["request"] == ref

    async def test_the_whole_way_to_access(self, desk: House, idp: FakeOpenId) -> None:
        manager, url, _ = await asked(desk)
        owner_seat = ""
        async with Visitor.of(desk, idp) as browser:
            page = await browser.signs_in(manager, url)
            await browser.sends(url, page, answer="approve")
            owner_seat = desk.request().seats["owner"][0].person
            owner = await account_of(desk, owner_seat)
            page = await browser.signs_in(owner, await desk.link(owner))
            await browser.sends(await desk.link(owner), page, answer="approve")
        assert desk.state() is State.ACTIVE

    async def test_denying_stays_one_press_and_works_on_the_page_too(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        manager, url, _ = await asked(desk)
        await desk.press(manager, "Deny")
        assert desk.state() is State.DENIED
        manager, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser:
            page = await browser.signs_in(manager, url)
            assert "Denied" in (await browser.sends(url, page, answer="deny")).text
        assert desk.state() is State.DENIED

    async def test_what_is_not_critical_stays_one_click(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        await desk.press("bo", "Approve")
        assert desk.state() is State.ACTIVE

    async def test_the_handle_pressed_in_a_chat_does_nothing(self, desk: House) -> None:
        manager, url, _ = await asked(desk)
        handle = url.rpartition("/")[2]
        for fields in ({}, {"verified": "yes"}, {"spoke": "yes", "verified": "yes"}):
            ack = await desk.press_handle(manager, handle, fields)
            assert "page of its own" in ack.notice
        assert desk.request().stage == 0

    async def test_somebody_elses_sign_in_opens_nothing(self, desk: House, idp: FakeOpenId) -> None:
        _, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser:
            for other in ("ana", "luis", "grace"):
                page = await browser.signs_in(other, url)
                assert page.status_code == 403
                assert "somebody else" in page.text
            assert "A decision is asked of you" in (await browser.get(url)).text
        assert desk.request().stage == 0

    async def test_a_proof_for_one_request_is_none_for_another(self, desk: House, idp: FakeOpenId) -> None:
        manager, first, _ = await asked(desk)
        await desk.says("ana", "I need access to payroll admin for 1 day")
        await desk.press("ana", "Yes, do it")
        second = await desk.link(manager)
        assert first != second
        async with Visitor.of(desk, idp) as browser:
            page = await browser.signs_in(manager, first)
            assert "Approve" in page.text
            other = await browser.get(second)
            assert "A decision is asked of you" in other.text
            refused = await browser.sends(second, page, answer="approve")
            assert refused.status_code == 403
        assert not desk.events("request.approved")

    async def test_a_proof_is_good_in_its_browser_and_for_minutes(self, desk: House, idp: FakeOpenId) -> None:
        manager, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser, Visitor.of(desk, idp) as another:
            page = await browser.signs_in(manager, url)
            assert "A decision is asked of you" in (await another.get(url)).text
            desk.clock.forward(minutes=5, seconds=1)
            late = await browser.sends(url, page, answer="approve")
            assert late.status_code == 403
            assert "too old" in late.text
        assert desk.request().stage == 0

    async def test_a_form_from_elsewhere_is_refused(self, desk: House, idp: FakeOpenId) -> None:
        manager, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser:
            await browser.signs_in(manager, url)
            path = url.removeprefix(desk.app.settings.url)
            for sent in (
                {"data": {"answer": "approve"}},
                {"data": {"answer": "approve", "csrf": "0" * 64}},
            ):
                refused = await browser.client.post(path, **sent)  # type: ignore[arg-type]  # a table of requests
                assert refused.status_code == 403
            page = await browser.get(url)
            csrf = re.search(r'name="csrf" value="(\w+)"', page.text)
            assert csrf
            foreign = await browser.client.post(
                path,
                data={"answer": "approve", "csrf": csrf[1]},
                headers={"origin": "https://evil.example"},
            )
            assert foreign.status_code == 403
        assert desk.request().stage == 0

    async def test_what_was_decided_changed_or_made_up_is_not_open_any_more(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        manager, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser:
            page = await browser.signs_in(manager, url)
            await browser.sends(url, page, answer="approve")
            for over in (url, "/approve/" + "0" * 32, "/approve/x"):
                assert (await browser.get(over)).status_code == 410
                assert (await browser.get(f"{over}/sign-in")).status_code == 410
        assert len(desk.events("request.approved")) == 1

    async def test_who_may_not_approve_may_not_on_the_page_either(self, desk: House, idp: FakeOpenId) -> None:
        """The channel's copy leads anybody to the page; the rules decide there as everywhere."""
        _, _, _ = await asked(desk)
        where = "approvals"
        url = next(link.url for card in await desk.cards("bo", where) for link in card.links)
        async with Visitor.of(desk, idp) as browser:
            for other in ("ana", "luis", "wanda"):
                page = await browser.signs_in(other, url)
                assert "Not yours to decide" in page.text
                assert "Ana" not in page.text, "nor learn what is asked"
                cookie = browser.client.cookies["deskhand_proof_8080"]
                csrf = hmac.new(cookie.encode(), b"form", "sha256").hexdigest()
                path = url.removeprefix(desk.app.settings.url)
                said = await browser.client.post(path, data={"csrf": csrf, "answer": "approve"})
                assert "Thank you" not in said.text
        assert desk.request().stage == 0


async def account_of(desk: House, person: str) -> str:
    return (await desk.app.system.directory.person(person)).account


class TestTheCallback:
    """What a browser brings back is anybody's."""

    async def test_made_up_used_late_and_foreign_answers_are_refused(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        manager, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser, Visitor.of(desk, idp) as thief:
            good = browser.answer(manager, await browser.leaves(url))
            for answer in (
                {},
                {"code": good["code"]},
                {"code": good["code"], "state": "made-up"},
                {"code": good["code"], "state": ""},
            ):
                assert (await browser.comes_back(answer)).status_code == 403
            stolen = await thief.comes_back(good)
            assert stolen.status_code == 403, "another browser"
            assert "not begun in this browser" in stolen.text
            assert (await browser.comes_back(good)).status_code == 303, "what a thief tried used nothing up"
            again = await browser.comes_back(good)
            assert again.status_code == 403, "once"
            assert "or it is over" in again.text, "and the provider is not even asked"
            late = browser.answer(manager, await browser.leaves(url))
            desk.clock.forward(minutes=10, seconds=1)
            assert (await browser.comes_back(late)).status_code == 403
        assert not desk.events("identity.refused"), "whatever anybody can send does not fill the trail"
        assert desk.request().stage == 0

    @pytest.mark.parametrize(
        "wrong",
        [
            {"iss": "https://evil.example"},
            {"aud": "another"},
            {"nonce": "another"},
            {"exp": 1_700_000_000},
            {"auth_time": None},
            {"auth_time": 1_700_000_000},
        ],
        ids=str,
    )
    async def test_a_bad_token_leaves_no_proof_and_no_trace_of_what_it_said(
        self,
        desk: House,
        idp: FakeOpenId,
        wrong: dict[str, Any],
        capfd: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        manager, url, _ = await asked(desk)
        idp.idp.accounts[manager]["canary"] = "canary-of-a-claim"
        idp.idp.wrong = wrong
        async with Visitor.of(desk, idp) as browser:
            page = await browser.signs_in(manager, url)
            assert page.status_code == 403
            assert "A decision is asked of you" in (await browser.get(url)).text
        (refused,) = desk.events("identity.refused")
        assert refused["data"]["why"]
        told = capfd.readouterr()
        assert "canary-of-a-claim" not in told.out + told.err + page.text + str(refused)
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or b"canary-of-a-claim" not in file.read_bytes(), file.name

    async def test_a_provider_that_is_down_is_said_so(self, desk: House, idp: FakeOpenId) -> None:
        _, url, _ = await asked(desk)
        idp.idp.down = True
        async with Visitor.of(desk, idp) as browser:
            page = await browser.get(f"{url.removeprefix(desk.app.settings.url)}/sign-in")
            assert page.status_code == 503
            assert "does not answer now" in page.text
            idp.idp.down = False
            assert (
                await browser.get(f"{url.removeprefix(desk.app.settings.url)}/sign-in")
            ).status_code == 303

    async def test_whoever_left_signs_in_to_nothing(self, desk: House, idp: FakeOpenId) -> None:
        manager, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser:
            leaving = await browser.leaves(url)
            await desk.hr.set_status(await desk.id(manager), Status.LEFT)
            page = await browser.comes_back(browser.answer(manager, leaving))
            assert page.status_code == 403


class TestACredential:
    async def reset(self, desk: House) -> str:
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve", {"spoke": "yes"})
        return await desk.link("ana")

    async def test_it_is_shown_once_after_a_fresh_sign_in(self, desk: House, idp: FakeOpenId) -> None:
        url = await self.reset(desk)
        async with Visitor.of(desk, idp) as browser:
            page = await browser.get(url)
            assert "Sign in with Alder &amp; Finch" in page.text
            assert (await browser.sends(url, await browser.signs_in("ana", url))).status_code == 200
            assert (await browser.get(url)).status_code == 410
        (shown,) = desk.events("credential.shown")
        assert shown["data"]["proved_by"] == "sign-in"

    async def test_the_code_read_out_still_does(self, desk: House, idp: FakeOpenId) -> None:
        url = await self.reset(desk)
        async with Visitor.of(desk, idp) as browser:
            page = await browser.client.post(
                url.removeprefix(desk.app.settings.url), data={"code": await desk.code("bo")}
            )
            assert "<code>" in page.text
        assert desk.events("credential.shown")[0]["data"]["proved_by"] == "spoken"

    async def test_the_password_shown_is_the_one_that_was_set(self, desk: House, idp: FakeOpenId) -> None:
        url = await self.reset(desk)
        async with Visitor.of(desk, idp) as browser:
            page = await browser.sends(url, await browser.signs_in("ana", url))
        secret = html.unescape(page.text.partition("<code>")[2].partition("</code>")[0])
        assert desk.app.company.login("ana", secret).value == "must_change"

    async def test_neither_the_link_nor_somebody_elses_sign_in_shows_it(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        url = await self.reset(desk)
        async with Visitor.of(desk, idp) as browser:
            page = await browser.get(url)
            assert "<code>" not in page.text
            for other in ("bo", "luis"):
                assert (await browser.signs_in(other, url)).status_code == 403
            path = url.removeprefix(desk.app.settings.url)
            assert (await browser.client.post(path, data={})).status_code == 403
            assert (await browser.client.post(path, data={"csrf": "0" * 64})).status_code == 403
            cookie = browser.client.cookies["deskhand_proof_8080"]
            good = hmac.new(cookie.encode(), b"form", "sha256").hexdigest()
            for fields in ({}, {"code": ""}, {"code": "000000"}, {"app": "000000"}):
                said = await browser.client.post(path, data={"csrf": good, **fields})
                assert said.status_code == 403
                assert "<code>" not in said.text
        assert not desk.events("credential.shown")

    async def test_a_proof_for_approving_shows_no_credential(self, desk: House, idp: FakeOpenId) -> None:
        _, approval, _ = await asked(desk)
        url = await self.reset(desk)
        async with Visitor.of(desk, idp) as browser:
            await browser.signs_in("bo", approval)
            assert "<code>" not in (await browser.get(url)).text
            assert "First show that it is you" in (await browser.get(url)).text


class TestQuarantine:
    async def shown(self, desk: House, idp: FakeOpenId) -> None:
        url = await TestACredential().reset(desk)
        async with Visitor.of(desk, idp) as browser:
            await browser.sends(url, await browser.signs_in("ana", url))

    async def test_a_day_without_anything_risky_after_a_new_credential(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        await self.shown(desk, idp)
        await desk.says("ana", "I need access to the data warehouse for 2 weeks")
        assert desk.state() is State.REFUSED
        assert "Until Tue 24 Nov 2026, 10:0" in await desk.heard("ana")
        await desk.says("ana", "I need figma for two weeks")
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.ACTIVE, "what carries little risk goes on"
        await desk.says("ana", "how many vacation days have I left?")
        assert "Vacation" in await desk.text("ana")
        desk.clock.forward(hours=24, minutes=1)
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert desk.state() is State.APPROVING

    async def test_nor_approves_whoever_got_one(self, desk: House, idp: FakeOpenId) -> None:
        await desk.asks("bo", "I forgot my password")
        await desk.press("mei", "Approve", {"spoke": "yes"})
        url = await desk.link("bo")
        async with Visitor.of(desk, idp) as browser:
            await browser.sends(url, await browser.signs_in("bo", url))
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert [seat.person for seat in desk.request().seats["manager"]] == [await desk.id("mei")], (
            "the next one up is asked"
        )

    async def test_what_waits_from_before_is_refused_at_the_last_gate(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        waiting = desk.request().ref
        await self.shown(desk, idp)
        await desk.press("bo", "Approve")
        found = desk.app.engine.find(waiting)
        assert found
        assert found.state is State.APPROVING, "the press is refused"
        assert "way to sign in changed lately" in str(desk.events("press.refused")[-1])

    async def test_admins_see_it_and_release_after_a_talk(self, desk: House, idp: FakeOpenId) -> None:
        await self.shown(desk, idp)
        listed = await command(desk, "felix", "quarantine")
        assert "Ana Ruiz" in listed
        assert "a new credential, until" in listed
        assert "released" in await command(desk, "felix", "release ana.ruiz@alderfinch.example")
        assert "Nobody is in it" in await command(desk, "felix", "quarantine")
        (event,) = desk.events("quarantine.released")
        assert event["subject"] == await desk.id("ana")
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert desk.state() is State.APPROVING

    async def test_a_credential_that_nobody_saw_begins_none(self, desk: House, idp: FakeOpenId) -> None:
        await TestACredential().reset(desk)
        desk.clock.forward(minutes=11)
        await desk.settle()
        await desk.asks("ana", "I forgot my password")
        assert desk.state() is State.APPROVING


async def command(desk: House, account: str, text: str) -> str:
    from bot.chat.inbound import InboundKind  # noqa: PLC0415  used here alone

    inbound = await desk.inbound(account, text)
    await desk.app.desk.receive(inbound.model_copy(update={"kind": InboundKind.COMMAND}), 30)
    return (await desk.card(account)).model_dump_json()


class TestAnAuthenticatorBesideAProvider:
    async def test_it_is_set_up_after_a_sign_in_of_the_same_person(
        self, desk: House, idp: FakeOpenId
    ) -> None:
        await desk.says("luis", "set up my authenticator")
        url = await desk.link("luis")
        async with Visitor.of(desk, idp) as browser:
            page = await browser.get(url)
            assert "First show that it is you" in page.text
            assert "data:image" not in page.text
            assert (await browser.signs_in("ana", url)).status_code == 403
            page = await browser.signs_in("luis", url)
            secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
            assert secret
            code = pyotp.TOTP(secret[1].replace(" ", "")).at(int(desk.clock().timestamp()))
            assert "Your recovery codes" in (await browser.sends(url, page, code=code)).text
            assert "Since" in (await browser.get(url)).text


async def test_of_a_fault_of_ours_no_page_says_that_nothing_was_done() -> None:
    request = Request({"type": "http", "method": "POST", "path": "/approve/R-1", "headers": []})
    for error, sure in (
        (StorageDown("disk full"), True),
        (SystemDown("no answer"), True),
        (KeyError("x"), False),
    ):
        said = bytes((await failed(request, error)).body).decode()
        assert ("nothing was done" in said) is sure
        assert str(error) not in said


async def test_a_directory_that_is_down_is_said_on_the_page_and_nothing_is_decided(
    desk: House, idp: FakeOpenId, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, url, _ = await asked(desk)

    async def down(person_id: str) -> None:
        raise SystemDown("no answer")

    async with Visitor.of(desk, idp) as browser:
        page = await browser.signs_in(manager, url)
        monkeypatch.setattr(desk.app.system.directory, "person", down)
        said = await browser.sends(url, page, answer="approve")
        assert said.status_code == 503
        assert "nothing was done" in said.text
    assert desk.request().stage == 0


async def test_a_first_sign_in_by_mail_puts_nobody_into_quarantine(idp: FakeOpenId, tmp_path: Path) -> None:
    async with signing(tmp_path / "data", idp, oidc_person_claim="", clock=Clock.at(MONDAY)) as desk:
        manager, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser:
            page = await browser.signs_in(manager, url)
            assert "Thank you, noted." in (await browser.sends(url, page, answer="approve")).text
        (linked,) = desk.events("person.linked")
        assert (linked["service"], linked["data"]["by"]) == ("sign-in", "mail")
        bo = await desk.app.system.directory.person(await desk.id(manager))
        idp.idp.accounts[manager]["sub"] = "op|made-anew"
        await desk.press("ana", "Cancel")
        _, url, _ = await asked(desk)
        async with Visitor.of(desk, idp) as browser:
            assert (await browser.signs_in(manager, url)).status_code == 403, "an address links once"
            await desk.app.office.people.link("sign-in", "op|made-anew", bo, "os:admin")
            page = await browser.signs_in(manager, url)
            said = await browser.sends(url, page, answer="approve")
            assert "You cannot approve until" in said.text, "by an admin's hand it is a change: a rest"
