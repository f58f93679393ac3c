"""What comes in: once, within its limits, from whom it should, and understood or asked about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot.chat.inbound import Inbound, InboundKind
from bot.procedures.request import State
from integrations.contract import Status, SystemDown
from tests.house import MONDAY, Clock, House, house


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), requests_per_minute=1000) as running:
        yield running
        assert not running.events("inbound.failed"), "a fault of ours"


def raises(error: Exception) -> Any:
    async def call(*_args: Any, **_kwargs: Any) -> Any:
        raise error

    return call


def waiting(desk: House) -> int:
    with desk.app.office.database.read() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM inbox WHERE body IS NOT NULL").scalar_one())


class TestOnce:
    async def test_what_is_delivered_twice_is_handled_once(self, desk: House) -> None:
        for _ in range(3):
            ack = await desk.says("ana", "I need access to figma for two weeks", inbound_id="event-1")
        assert ack.duplicate
        assert len(desk.requests()) == 1
        assert len(await desk.cards("ana")) == 1

    async def test_even_at_the_same_moment(self, desk: House) -> None:
        text = "I need access to figma for two weeks"
        acks = await asyncio.gather(*(desk.says("ana", text, inbound_id="event-1") for _ in range(10)))
        assert sum(ack.duplicate for ack in acks) == 9
        assert len(desk.requests()) == 1

    async def test_the_same_id_on_another_platform_is_another_event(self, desk: House) -> None:
        one = await desk.inbound("ana", "show my requests", "event-1")
        assert one.key != one.model_copy(update={"platform": "slack"}).key

    async def test_a_crash_before_it_was_marked_done_shows_the_present_and_does_nothing_twice(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as before:
            with monkeypatch.context() as crash:
                crash.setattr(before.app.desk._inbox, "done", lambda *_: None)
                await before.says("ana", "I need access to figma for two weeks")
                await before.press("ana", "Yes, do it")
                await before.says("luis", "how many vacation days do I have left?")
            cards = (await before.cards("ana"), await before.cards("luis"))
            assert before.state() is State.ACTIVE
        async with house(tmp_path / "data", clock=before.clock) as after:
            await after.until(lambda: waiting(after) == 0)
            assert len(after.requests()) == 1
            assert after.state() is State.ACTIVE
            assert len(await after.effects()) == 1
            assert (await after.cards("ana"), await after.cards("luis")) == cards, "no card twice"

    async def test_a_crash_before_it_was_handled_loses_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as before:
            inbound = await before.inbound("ana", "I need access to figma for two weeks")
            await before.app.office.database.write(lambda conn: before.app.desk._inbox.put(conn, inbound))
        async with house(tmp_path / "data", clock=before.clock) as after:
            await after.until(lambda: waiting(after) == 0)
            assert after.state() is State.CONFIRMING
            assert (await after.card("ana")).text == "Give Ana Ruiz access to Figma for 2 weeks"

    async def test_one_message_that_cannot_be_handled_stops_neither_the_desk_nor_its_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:
            with monkeypatch.context() as broken:
                broken.setattr(desk.app.engine, "open", raises(ZeroDivisionError()))
                await desk.says("ana", "I need access to figma for two weeks")
            assert "Something went wrong" in await desk.heard("ana")
            assert [event["outcome"] for event in desk.events("inbound.failed")] == ["failed"]
            await desk.until(lambda: waiting(desk) == 0)  # it does not come back for ever
            await desk.asks("ana", "I need access to figma for two weeks")
            assert await desk.has("ana", "figma-editors")


class TestHowMuch:
    async def test_ten_messages_a_minute_are_served_and_the_rest_put_off_once(self, tmp_path: Path) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:
            texts = [f"I need access to figma for {days % 30 + 1} days" for days in range(500)]
            for start in range(0, 500, 50):
                await asyncio.gather(*(desk.says("ana", text) for text in texts[start : start + 50]))
            await desk.app.desk.finish()
            assert len(desk.requests()) == 10
            said = (await desk.heard("ana")).count("That was a lot at once.")
            assert said == 1
            assert len(desk.events("sender.put_off")) == 1
            await desk.says("luis", "I need access to figma for two weeks")
            assert len(desk.requests()) == 11, "others are not put off"

            desk.clock.forward(minutes=1, seconds=5)
            await desk.says("ana", "how many vacation days do I have left?")
            assert (await desk.card("ana")).text == "You have 96.5 hours of vacation left."

    async def test_nobody_drowns_an_approver_in_requests(self, desk: House) -> None:
        for days in range(1, 16):
            await desk.says("ana", f"I need access to the data warehouse for {days} days")
            for label in ("Yes, do it",):
                if label in await desk.buttons("ana"):
                    await desk.press("ana", label)
        assert len(desk.requests(State.APPROVING)) <= desk.app.settings.open_per_person
        assert "requests under way" in await desk.heard("ana")

    async def test_a_megabyte_is_cut_and_answered(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma for two weeks " + "x" * 1_000_000)
        await desk.says("ana", "\x00" * 1_000_000)
        await desk.says("ana", "\u202e" * 100_000 + "reset my password")
        await desk.app.desk.finish()
        assert len(await desk.cards("ana")) == 3
        assert all(len(card.model_dump_json()) < 20_000 for card in await desk.cards("ana"))
        with desk.app.office.database.read() as conn:
            longest = conn.exec_driver_sql("SELECT max(length(body)) FROM audit_events").scalar_one()
        assert longest < 20_000

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "\n\n",
            "\x00\x01\x02",
            "\u202e\u2066",
            "\ud800",
            "💥" * 50,
            "a\u0301" * 50,
            "'; DROP TABLE requests;--",
        ],
        ids=["empty", "space", "lines", "control", "bidi", "surrogate", "emoji", "accents", "sql"],
    )
    async def test_nothing_one_can_type_is_an_error(self, desk: House, text: str) -> None:
        await desk.says("ana", text)
        assert (await desk.card("ana")).title == "How can I help?"
        assert not desk.requests()

    async def test_hostile_fields_of_a_form_are_fields(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        fields = {f"x{number}": "y" * 10_000 for number in range(100)}
        fields |= {"reason": "<b>fine</b>\u202e" + "z" * 100_000, "stage": "owner", "spoke": "yes"}
        handle = await desk.handle("bo", "Approve")
        await desk.press_handle("bo", handle, {"reason": fields["reason"], **fields})
        assert desk.state() is State.ACTIVE
        quotes = [quote.text for card in await desk.cards("ana") for quote in card.quotes]
        assert any("<b>fine</b>" in text and len(text) <= 600 for text in quotes)


class TestWho:
    async def test_a_stranger_is_refused_and_learns_nothing(self, desk: House) -> None:
        for account in ("p-9999", "", "ana", "p-1020 ", "P-1020", "'; --", "x" * 200):
            stranger = Inbound(
                platform="web",
                id=uuid4().hex,
                kind=InboundKind.MESSAGE,
                account=account,
                conversation=f"dm:{account}"[:200],
                text="reset the password of Ana Ruiz",
                at=desk.clock(),
            )
            ack = await desk.app.desk.receive(stranger)
            assert ack.notice == "I only help people of this company."
        assert not desk.requests()
        assert len(desk.events("sender.refused")) == 7

    async def test_the_disabled_and_those_who_left_are_refused(self, desk: House) -> None:
        for account in ("ben", "gil"):  # under investigation; left in spring
            ack = await desk.says(account, "I need access to figma for two weeks")
            assert "Your account is not active" in ack.notice
            assert not await desk.cards(account)
        assert not desk.requests()

    async def test_whoever_leaves_is_a_stranger_from_that_moment(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma for two weeks")
        yes = await desk.handle("ana", "Yes, do it")
        await desk.hr.set_status(await desk.id("ana"), Status.LEFT)
        ack = await desk.press_handle("ana", yes)
        assert "not active" in ack.notice
        assert desk.state() is State.CONFIRMING
        assert not await desk.effects()

    async def test_somebody_on_leave_may_ask(self, desk: House) -> None:
        await desk.says("elif", "how many vacation days do I have left?")
        assert (await desk.card("elif")).text == "You have 120 hours of vacation left."

    async def test_an_unknown_button_is_answered_and_audited(self, desk: House) -> None:
        ack = await desk.press_handle("ana", "0" * 32)
        assert ack.notice.startswith("This button does not work")
        assert [event["outcome"] for event in desk.events("press.unknown")] == ["refused"]


class TestWhatIsDown:
    @pytest.mark.parametrize("call", ["person", "managers", "groups_of", "by_mail"])
    async def test_without_the_directory_nothing_is_done_and_that_is_said(
        self, desk: House, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(desk.app.company.directory, call, raises(SystemDown("no route")))
            ack = await desk.says("ana", "I need access to figma for two weeks")
            assert ack.notice.startswith("I cannot check your request right now, so I did nothing.")
            assert (await desk.card("ana")).title == "Not now"
            assert not desk.requests()
        await desk.asks("ana", "I need access to figma for two weeks")
        assert await desk.has("ana", "figma-editors")

    async def test_without_time_off_the_rest_goes_on(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk.app.company.time_off, "balances", raises(SystemDown("no route")))
        await desk.says("ana", "how many vacation days do I have left?")
        assert (await desk.card("ana")).title == "Not now"
        await desk.asks("ana", "I need access to figma for two weeks")
        assert await desk.has("ana", "figma-editors")


class TestWhatIsMeant:
    async def test_what_is_unclear_is_never_a_guess_but_a_choice(self, desk: House) -> None:
        await desk.says("ana", "hmm well you know the thing")
        assert not desk.requests()
        card = await desk.card("ana")
        assert card.title == "How can I help?"
        assert len(card.buttons) == 4, "three that are likely, and a person"
        assert len(desk.events("message.unclear")) == 1

    async def test_a_choice_fills_itself_from_the_first_words(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        propose = desk.app.desk._understander.propose

        def unsure(text: str, **kwargs: Any) -> Any:
            said = propose(text, **kwargs)
            if kwargs.get("only"):
                return said
            return type(said)(None, 0.4, ranking=(("grant_access", 0.4), ("give_back_access", 0.3)))

        monkeypatch.setattr(desk.app.desk._understander, "propose", unsure)
        await desk.says("ana", "figma for two weeks")
        assert await desk.buttons("ana") == ["Get access", "Give access back", "Talk to a person"]
        begin = await desk.handle("ana", "Get access")
        ack = await desk.press_handle("luis", begin)
        assert ack.notice.startswith("This button does not work"), "her choice is hers"
        await desk.press("ana", "Get access")
        assert (await desk.card("ana")).text == "Give Ana Ruiz access to Figma for 2 weeks"
        assert "figma for two weeks" in [quote.text for quote in (await desk.card("ana")).quotes]

    async def test_an_answer_goes_to_the_question_and_another_wish_does_not(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma")
        await desk.says("ana", "how many vacation days do I have left?")
        assert "96.5 hours" in (await desk.card("ana")).text
        await desk.says("ana", "I need access to confluence for 3 days")
        assert {each.resource or each.params["resource"]: each.state for each in desk.requests()} == {
            "figma": State.COLLECTING,
            "confluence": State.CONFIRMING,
        }, "the days were not for figma"
        await desk.says("ana", "for two weeks")
        figma = next(each for each in desk.requests() if each.params["resource"] == "figma")
        assert figma.params["span"] == {"minutes": 14 * 24 * 60}

    async def test_all_that_an_answer_says_counts(self, desk: House) -> None:
        await desk.says("ana", "I need access to the feature flags please")
        await desk.says("ana", "I need access to feature flags staging for 3 days")
        assert [each.params for each in desk.requests()] == [
            {"resource": "feature-flags-staging", "span": {"minutes": 3 * 24 * 60}}
        ]

    async def test_a_time_that_is_over_is_said_and_asked_again(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma")
        await desk.says("ana", "until 3 January 2020")
        assert desk.state() is State.COLLECTING
        assert "How long" in (await desk.card("ana")).text or "how long" in (await desk.card("ana")).text

    async def test_a_password_in_the_message_is_cut_out_and_the_person_warned(self, desk: House) -> None:
        ack = await desk.says("ana", "I need access to figma for two weeks, my password is Hunter2!!x")
        assert "I removed what looked like a password" in ack.notice
        assert "Hunter2" not in await desk.text("ana")
        if not desk.requests():  # not sure what that is; she says
            await desk.press("ana", "Get access")
        assert [quote.text for quote in (await desk.card("ana")).quotes] == [
            "I need access to figma for two weeks, my password is [removed]"
        ]
