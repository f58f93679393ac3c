"""Dialogues about equipment and expenses: who approves hangs on the price; a new hire gets several things."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.procedures.request import State
from integrations.contract import UnknownPerson
from integrations.work import Item
from tests.house import House
from tests.journeys.test_tickets import ticket

SET_UP = "Sam Okoye starts on Monday, please set him up with a thinkpad and the usual access"


class TestByItsPrice:
    async def test_300_eur_go_at_once(self, desk: House) -> None:
        await desk.says("ana", "please order me a chromebook")
        card = await desk.card("ana")
        assert card.text == "Order Chromebook for Ana Ruiz, 300.00 EUR"
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.DONE
        key, title, body = await ticket(desk)
        assert title == "Order Chromebook for Ana Ruiz, 300.00 EUR"
        assert "Approved by" not in body
        assert f"It is in {key}." in await desk.heard("ana")

    async def test_1450_eur_go_to_the_manager(self, desk: House) -> None:
        await desk.asks("ana", "I need a thinkpad")
        assert (await desk.card("ana")).status == "Waiting for Bo Lind"
        assert not await desk.effects()
        await desk.press("bo", "Approve")
        assert "Approved by Bo Lind, as manager" in (await ticket(desk))[2]

    async def test_3000_eur_go_to_the_manager_and_whoever_answers_for_the_budget(self, desk: House) -> None:
        await desk.asks("ana", "I need a macbook pro")
        assert not await desk.cards("mei"), "the money is asked about after the manager"
        await desk.press("bo", "Approve")
        assert desk.state() is State.APPROVING
        facts = {fact.label: fact.value for fact in (await desk.card("mei")).facts}
        assert facts["Why you"] == "You answer for the budget that pays for Ana Ruiz."
        assert facts["Price"] == "3,000.00 EUR"
        await desk.press("mei", "Approve")
        assert desk.state() is State.DONE
        body = (await ticket(desk))[2]
        assert "Approved by Bo Lind, as manager\nApproved by Mei Tanaka, as budget" in body

    async def test_whoever_answers_for_the_budget_does_not_decide_on_their_own(self, desk: House) -> None:
        await desk.asks("mei", "I need a macbook pro")
        await desk.press("grace", "Approve")
        assert desk.state() is State.APPROVING
        stage = desk.request().waits_for
        assert stage == "budget"
        asked = {seat.person for seat in desk.request().seats["budget"]}
        assert await desk.id("mei") not in asked
        assert await desk.id("grace") not in asked, "who decided as manager is passed over"

    async def test_by_segment_a_screen_goes_at_once_for_an_engineer_alone(self, desk: House) -> None:
        await desk.asks("ana", "I need a 27-inch monitor")
        assert desk.state() is State.DONE
        await desk.asks("rosa", "I need a 27-inch monitor")
        assert desk.state() is State.APPROVING

    async def test_a_kind_is_a_list_to_choose_from(self, desk: House) -> None:
        await desk.says("ana", "I need a new laptop")
        labels = await desk.buttons("ana")
        assert "ThinkPad T14, 1,450.00 EUR" in labels
        await desk.press("ana", "MacBook Air 13, 1,350.00 EUR")
        assert (await desk.card("ana")).text == "Order MacBook Air 13 for Ana Ruiz, 1,350.00 EUR"

    async def test_a_price_that_went_up_before_the_yes_is_shown_again(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.says("ana", "please order me a chromebook")

        async def dearer() -> list[Item]:
            return [Item("chromebook", "Chromebook", Decimal("900.00"), "EUR", "laptop")]

        monkeypatch.setattr(desk.app.company.equipment, "items", dearer)
        ack = await desk.press("ana", "Yes, do it")
        assert ack.notice.startswith("Something changed since this card was made.")
        assert (await desk.card("ana")).text == "Order Chromebook for Ana Ruiz, 900.00 EUR"
        await desk.press("ana", "Yes, do it")
        assert desk.state() is State.APPROVING, "and goes the way of its new price"

    @pytest.mark.parametrize(
        ("price", "currency", "says"),
        [
            ("18900.00", "USD", "no price in euros"),
            ("-1.00", "EUR", "Its price cannot be right"),
            ("1.005", "EUR", "Its price cannot be right"),
            ("99999999", "EUR", "Its price cannot be right"),
        ],
    )
    async def test_a_price_that_nobody_can_judge_orders_nothing(
        self, desk: House, monkeypatch: pytest.MonkeyPatch, price: str, currency: str, says: str
    ) -> None:
        async def odd() -> list[Item]:
            return [Item("chromebook", "Chromebook", Decimal(price), currency, "laptop")]

        monkeypatch.setattr(desk.app.company.equipment, "items", odd)
        await desk.says("ana", "please order me a chromebook")
        assert says in await desk.heard("ana")
        assert not [each for each in await desk.buttons("ana") if each == "Yes, do it"]


class TestExpenses:
    async def test_ones_own_with_the_newest_first(self, desk: House) -> None:
        await desk.says("ana", "has my expense report been approved yet?")
        card = await desk.card("ana")
        assert card.text == "The newest: Train to the Berlin office, 118.40 EUR: submitted."
        assert [fact.label for fact in card.facts] == ["ex-2057", "ex-2041", "ex-1990"]
        assert "Client dinner" not in await desk.text("ana")

    async def test_somebody_without_any(self, desk: House) -> None:
        await desk.says("kofi", "when do I get my expenses reimbursed?")
        assert "You have no expense report on record." in await desk.heard("kofi")


class TestANewHire:
    async def test_each_part_goes_its_own_way(self, desk: House) -> None:
        await desk.says("bo", SET_UP)
        card = await desk.card("bo")
        assert card.text == "Equip Sam Okoye with a laptop and what Engineering works with"
        parts = [fact.value for fact in card.facts if fact.label in ("Order equipment", "Get access")]
        assert parts == [
            "Order ThinkPad T14 for Sam Okoye, 1,450.00 EUR, once a manager above you approves",
            "Give Sam Okoye access to GitHub for 90 days, once a manager above you approves",
            "Give Sam Okoye access to Jira for 90 days",
            "Give Sam Okoye access to Confluence for 90 days",
            "Give Sam Okoye access to VPN for 90 days",
        ]
        await desk.press("bo", "Yes, do it")
        await desk.quiet()
        whole = next(each for each in desk.requests() if each.action == "equip_new_hire")
        made = [each for each in desk.requests() if each.part_of == whole.ref]
        assert whole.state is State.DONE
        assert len(made) == 5
        assert all(each.ref in whole.outcome for each in made)
        assert {each.subject for each in made} == {await desk.id("sam.okoye")}
        assert await desk.has("sam.okoye", "jira-users"), "what needs nobody is there at once"
        assert not await desk.has("sam.okoye", "github-write")
        assert [each for each in made if each.waits_for == "manager"]

    async def test_the_asker_approves_none_of_it(self, desk: House) -> None:
        await desk.says("bo", SET_UP)
        await desk.press("bo", "Yes, do it")
        await desk.quiet()
        waiting = [each for each in desk.requests(State.APPROVING) if each.waits_for]
        assert {seat.person for each in waiting for seat in each.seats["manager"]} == {await desk.id("mei")}
        for _ in waiting:
            await desk.press("mei", "Approve")
        await desk.quiet()
        assert await desk.has("sam.okoye", "github-write")
        assert "Approved by Mei Tanaka, as manager" in (await ticket(desk))[2]

    async def test_each_part_stands_in_the_trail_with_its_own_decisions(self, desk: House) -> None:
        await desk.says("bo", SET_UP)
        await desk.press("bo", "Yes, do it")
        await desk.quiet()
        whole = next(each for each in desk.requests() if each.action == "equip_new_hire")
        opened = [each for each in desk.events("request.opened") if each["data"].get("part_of") == whole.ref]
        confirmed = {each["request"] for each in desk.events("request.confirmed")}
        assert len(opened) == 5
        assert {each["request"] for each in opened} < confirmed
        assert all(each["data"]["decision"]["policies"] for each in desk.events("request.confirmed"))

    async def test_a_part_that_would_do_something_else_by_now_waits_for_a_yes_of_its_own(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.says("bo", SET_UP)
        items = desk.app.company.equipment.items
        calls = 0

        async def dearer_after_the_yes() -> list[Item]:
            nonlocal calls
            calls += 1
            if calls == 1:  # as the yes looks at it
                return await items()
            return [Item("thinkpad", "ThinkPad T14", Decimal("2450.00"), "EUR", "laptop")]

        monkeypatch.setattr(desk.app.company.equipment, "items", dearer_after_the_yes)
        await desk.press("bo", "Yes, do it")
        await desk.quiet()
        laptop = next(each for each in desk.requests() if each.action == "request_equipment")
        assert laptop.state is State.CONFIRMING
        assert laptop.shown
        assert "2,450.00 EUR" in laptop.shown.sentence

    async def test_for_somebody_who_does_not_report_to_them_nothing_happens(self, desk: House) -> None:
        await desk.says("ana", SET_UP)
        assert not await desk.effects()
        assert "Yes, do it" not in await desk.buttons("ana")
        refusal = "For somebody else you can ask only where they report to you directly."
        assert (await desk.heard("ana")).count(refusal) == 1, "once, however many parts there are"

    async def test_a_part_is_opened_once_whatever_dies(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin = desk.app.engine._asking.open_part

        async def dies_after(*args: object) -> None:
            await begin(*args)  # type: ignore[arg-type]
            raise RuntimeError("the process is gone before it could note that it was opened")

        await desk.says("bo", SET_UP)
        with monkeypatch.context() as dying:
            dying.setattr(desk.app.engine._asking, "open_part", dies_after)
            await desk.press("bo", "Yes, do it")
        for _ in range(6):
            await desk.settle()
        await desk.quiet()
        whole = next(each for each in desk.requests() if each.action == "equip_new_hire")
        assert whole.state is State.DONE
        assert len([each for each in desk.requests() if each.part_of == whole.ref]) == 5

    async def test_what_was_given_is_theirs_to_give_back_and_nobody_elses(self, desk: House) -> None:
        await desk.says("bo", SET_UP)
        await desk.press("bo", "Yes, do it")
        await desk.quiet()
        assert "Give it back" not in await desk.buttons("bo")
        assert "Asked for by" in await desk.text("sam.okoye"), "whom it is for is told"
        await desk.says("bo", "give back jira")
        assert "You hold no access that I gave you" in await desk.heard("bo")
        await desk.says("sam.okoye", "I don't need Jira anymore")
        await desk.press("sam.okoye", "Yes, do it")
        assert not await desk.has("sam.okoye", "jira-users")

    async def test_somebody_whom_purchasing_does_not_know_gets_the_rest(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def unknown(_person: str) -> str:
            raise UnknownPerson("nobody has this id")

        monkeypatch.setattr(desk.app.company.equipment, "budget_owner", unknown)
        await desk.says("bo", SET_UP)
        await desk.press("bo", "Yes, do it")
        await desk.quiet()
        assert await desk.has("sam.okoye", "jira-users")
        laptop = next(each for each in desk.requests() if each.action == "request_equipment")
        assert laptop.waits_for == "manager"


async def test_two_things_in_one_wish_are_both_offered(desk: House) -> None:
    await desk.says("ana", "can I get a second monitor and an ergonomic keyboard please?")
    card = await desk.card("ana")
    assert "One at a time, please." in card.text
    labels = [button.label for button in card.buttons]
    assert "Ergonomic keyboard, 129.00 EUR" in labels
    assert "27-inch monitor, 399.00 EUR" in labels
