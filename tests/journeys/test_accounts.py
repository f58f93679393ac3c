"""Dialogues about passwords, locks and second factors."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.procedures.request import State
from integrations.company import LoginOutcome
from tests.house import House

RESET = "I forgot my password, please reset it"


async def test_a_new_password_reaches_its_owner_by_page_and_voice_only(desk: House) -> None:
    await desk.says("ana", RESET)
    card = await desk.card("ana")
    assert card.text == "Set a new password for Ana Ruiz, to be changed at the next log-in"

    await desk.press("ana", "Yes, do it")
    assert (await desk.card("ana")).status == "Waiting for Bo Lind"
    assert "Code to read out" not in await desk.text("bo"), "there is nothing to read out yet"

    ack = await desk.press("bo", "Approve")
    assert list(ack.errors) == ["spoke"], "without the tick nothing is approved"
    assert desk.state() is State.APPROVING
    await desk.press("bo", "Approve", {"spoke": "yes"})
    assert desk.state() is State.DONE

    address, code = await desk.link("ana"), await desk.code("bo")
    assert code not in await desk.text("ana")
    assert code not in await desk.text("ana", "approvals")
    assert urlsplit(address).path.startswith("/reveal/")
    async with desk.browser() as browser:
        page = await browser.get(address)
        assert page.status_code == 200
        assert "six-digit code" in page.text
        shown = await browser.post(address, data={"code": f"{code[:3]} {code[3:]}"})
    assert shown.status_code == 200
    password = shown.text.split("<code>")[1].split("</code>")[0]
    await desk.app.engine.finish()

    company = desk.app.company
    assert company.login("ana", "welcome-ana") is LoginOutcome.WRONG, "the old one is gone"
    assert company.login("ana", password) is LoginOutcome.MUST_CHANGE
    assert company.change_password("ana", password, "a horse with a hat") is LoginOutcome.OK
    assert company.login("ana", "a horse with a hat") is LoginOutcome.OK

    for person in ("ana", "bo", "mei", "omar"):
        assert password not in await desk.text(person)
    assert "Your new password was shown" in await desk.heard("ana")
    assert "Your password was reset" in await desk.heard("ana"), "the subject is told"
    assert "Ana Ruiz's password was reset" in await desk.heard("bo"), "and the manager"


async def test_whoever_approves_in_the_channel_gets_the_code_to_read_out(desk: House) -> None:
    await desk.asks("ana", RESET)
    await desk.press("mei", "Approve", {"spoke": "yes"}, where="approvals")  # Bo's manager, not asked herself
    assert desk.state() is State.DONE
    assert await desk.code("bo") == ""
    async with desk.browser() as browser:
        shown = await browser.post(await desk.link("ana"), data={"code": await desk.code("mei")})
    assert shown.status_code == 200


async def test_a_locked_account_is_unlocked_without_an_approval(desk: House) -> None:
    assert desk.app.company.login("luis", "welcome-luis") is LoginOutcome.LOCKED
    await desk.asks("luis", "my account is locked, please unlock it")
    assert desk.state() is State.DONE
    assert (await desk.card("luis")).text == "The account of Luis Moreno is not locked."
    assert desk.app.company.login("luis", "welcome-luis") is LoginOutcome.OK

    await desk.says("luis", "my account is locked, please unlock it")
    assert "Your account is not locked" in (await desk.card("luis")).text


class TestUnlockingForAReport:
    async def test_a_manager_unlocks_somebody_who_reports_to_them(self, desk: House) -> None:
        await desk.says("bo", "please unlock the account of Luis Moreno")
        assert (await desk.card("bo")).text == "Unlock the account of Luis Moreno"
        await desk.press("bo", "Yes, do it")
        assert desk.state() is State.DONE
        assert desk.app.company.login("luis", "welcome-luis") is LoginOutcome.OK

    async def test_nobody_else_does_and_they_read_why(self, desk: House) -> None:
        for outsider in ("jun", "ana", "mei"):  # of another team, a colleague, the manager's manager
            await desk.says(outsider, "please unlock the account of Luis Moreno")
            card = await desk.card(outsider)
            assert card.status == "Refused"
            assert "For somebody else you can ask only where they report to you directly." in card.text
            assert not card.buttons
            assert "their manager" not in card.model_dump_json(), "the card does not call them one"
        assert desk.app.company.login("luis", "welcome-luis") is LoginOutcome.LOCKED

    async def test_who_is_meant_is_picked_from_ones_own_reports(self, desk: House) -> None:
        await desk.says("nadia", "please unlock the account of one of my reports")
        card = await desk.card("nadia")
        assert card.text == "Whose account shall I unlock?"
        await desk.hr.lock(await desk.id("zoe"))
        await desk.press("nadia", "Zoë Laurent, Data Analyst")
        await desk.press("nadia", "Yes, do it")
        assert not (await desk.app.company.accounts.state(await desk.id("zoe"))).locked

    async def test_a_pick_that_makes_no_sense_ends_it_with_the_reason(self, desk: House) -> None:
        await desk.says("nadia", "please unlock the account of one of my reports")
        await desk.press("nadia", "Yuki Sato, Data Engineer")
        assert desk.state() is State.REFUSED
        assert (await desk.card("nadia")).text == "The account of Yuki Sato is not locked."


async def test_a_second_factor_is_understood_refused_and_the_way_out_named(desk: House) -> None:
    await desk.says("ana", "please reset my MFA")
    card = await desk.card("ana")
    assert card.title == "Reset my second factor"
    assert "I do not reset second factors" in card.text
    assert "help desk in person" in card.text
    assert not card.buttons
    assert not desk.requests()
    assert [event["outcome"] for event in desk.events("action.declined")] == ["refused"]
