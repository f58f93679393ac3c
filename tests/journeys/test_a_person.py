"""Dialogues that end at a person: asked for, an exception, or something that got stuck; answers both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.chat.card import Card
from bot.chat.web.send import HELP_DESK, WebPlatform
from bot.procedures.request import State
from bot.store import hand_offs
from bot.store.hand_offs import HandOff
from bot.store.handles import meaning_of
from integrations.contract import OutcomeUnknown, PermissionRefused, SystemDown
from tests.house import MONDAY, Clock, House, house
from tests.journeys.test_tickets import look, ticket
from tests.servers.slack.server import FakeSlack, buttons, texts
from tests.servers.slack.state import Channel
from tests.servers.teams.server import FakeTeams
from tests.servers.teams.state import Room
from tests.slack_house import MODES, Work, user_id, work
from tests.teams_house import Team, team

FIGMA = "I need access to figma for two weeks"
TOO_LONG = "I need access to figma for 31 days"  # for a contractor
HUMAN = "I want to talk to a human please"
EXCEPTION = "Ask the help desk for an exception"


async def channel(desk: House) -> list[Card]:
    """What stands in the help desk's room."""
    await desk.quiet()
    return await desk.cards("marco", HELP_DESK)


async def helps(desk: House, account: str, label: str, **fields: str) -> Any:
    ack = await desk.press(account, label, fields, where=HELP_DESK)
    await desk.quiet()
    return ack


def handed(desk: House) -> list[HandOff]:
    refs = [request.ref for request in desk.requests()]
    with desk.app.office.database.read() as conn:
        return [each for ref in refs for each in hand_offs.of_ref(conn, ref)]


async def tickets(desk: House) -> int:
    return int((await desk.app.company.client.read("SELECT count(*) FROM ticket"))[0][0])


@contextmanager
def no_answer(desk: House) -> Any:
    """The write to a group is never answered, and did not happen."""

    async def silent(group: str, person: str, *, op: str) -> bool:
        raise OutcomeUnknown("the line went dead")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.app.company.groups, "add", silent)
        yield


async def gets_stuck(desk: House) -> str:
    with no_answer(desk):
        await desk.asks("ana", FIGMA)
    assert desk.state() is State.STUCK
    await desk.quiet()
    return desk.request().ref


@asynccontextmanager
async def without_tickets(data: Path, **settings: Any) -> AsyncIterator[House]:
    """A company whose people work in the channel alone."""
    async with house(data, clock=Clock.at(MONDAY), **settings) as desk:
        engine = desk.app.engine
        object.__setattr__(desk.app.office.ports, "tickets", None)
        for each in (engine, engine.hand_offs, engine.helping):
            for name in ("help_desk", "_threads"):
                if hasattr(each, name):
                    setattr(each, name, None)
        yield desk


class TestWhatGotStuck:
    async def test_it_goes_to_a_person_by_itself_with_all_that_is_known(self, desk: House) -> None:
        await desk.says("ana", "the thingy does not do the thing")
        ref = await gets_stuck(desk)
        key, title, body = await ticket(desk)
        assert title == f"{ref} is stuck: Give Ana Ruiz access to Figma for 2 weeks"
        assert "Asked by Ana Ruiz (ana.ruiz@alderfinch.example" in body
        assert f'"{FIGMA}"' in body, "what was asked, in their words"
        assert "the thingy does not do the thing" in body, "and what was said before"
        assert "sent, no answer that can be trusted. Seen before it: " in body
        assert "member: False" in body
        assert "no answer to the write: the line went dead" in body, "what is unknown"
        assert f"`deskhand resolve {ref} --happened`" in body
        assert f"`deskhand resolve {ref} --not-happened`" in body
        told = next(card for card in await desk.cards("ana") if card.title == f"{ref}: a person has it")
        assert f"under {key}" in told.text
        (card,) = await channel(desk)
        facts = {fact.label: fact.value for fact in card.facts}
        assert (facts["About"], facts["Ticket"]) == ("Ana Ruiz", key)

    async def test_the_answer_comes_back_and_the_end_is_told_everywhere(self, desk: House) -> None:
        ref = await gets_stuck(desk)
        key, _, _ = await ticket(desk)
        await desk.app.company.help_desk.write(key, "Nadia Okafor", "I look at it right now.")
        await look(desk)
        assert "I look at it right now." in await desk.text("ana")
        await desk.app.engine.resolve(ref, "p-1", "test", happened=False)
        await desk.app.engine.settle(ref)
        await desk.quiet()
        said = await desk.app.company.tickets.comments(key)
        assert said[-1].text == "An admin looked: it was not done."
        assert said[-1].ours
        (card,) = await channel(desk)
        assert card.status == "Done"
        assert not card.buttons
        over = next(card for card in await desk.cards("ana") if card.title == f"{key} is done")
        assert "it was not done" in over.text

    async def test_it_is_handed_over_once_whatever_runs_again(self, desk: House) -> None:
        ref = await gets_stuck(desk)
        for _ in range(3):
            await desk.app.engine.settle(ref)
            await desk.app.engine.hand_offs.sweep()
        assert await tickets(desk) == 1
        assert len(await channel(desk)) == 1

    async def test_what_gets_stuck_again_is_handed_over_again(self, desk: House) -> None:
        ref = await gets_stuck(desk)
        await desk.app.engine.resolve(ref, "p-1", "test", happened=True)
        await desk.app.engine.settle(ref)
        with pytest.MonkeyPatch.context() as patch:

            async def refuses(group: str, person: str, *, op: str) -> bool:
                raise PermissionRefused("not allowed")

            patch.setattr(desk.app.company.groups, "remove", refuses)
            desk.clock.forward(days=15)
            await desk.app.engine.settle(ref)
        assert desk.state() is State.STUCK
        await desk.quiet()
        assert [each.ended for each in handed(desk)] == ["resolved", ""]
        assert await tickets(desk) == 2

    async def test_where_the_ticket_system_is_down_the_channel_knows_at_once(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = desk.app.company.tickets.open

        async def away(new: object, *, op: str) -> object:
            raise SystemDown("no route")

        monkeypatch.setattr(desk.app.company.tickets, "open", away)
        ref = await gets_stuck(desk)
        (card,) = await channel(desk)
        assert {fact.label: fact.value for fact in card.facts}["Ticket"].startswith("Not yet")
        told = next(card for card in await desk.cards("ana") if card.title == f"{ref}: a person has it")
        assert "under IT-" not in told.text
        await helps(desk, "marco", "Answer", answer="I know of it.")
        assert "I know of it." in await desk.text("ana"), "an answer waits for no ticket system"

        monkeypatch.setattr(desk.app.company.tickets, "open", opened)
        await desk.app.engine.hand_offs.sweep()
        key, _, _ = await ticket(desk)
        assert await tickets(desk) == 1
        (card,) = await channel(desk)
        assert {fact.label: fact.value for fact in card.facts}["Ticket"] == key
        (said,) = await desk.app.company.tickets.comments(key)
        assert "I know of it." in said.text

    async def test_a_ticket_whose_answer_was_lost_is_found_again(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = desk.app.company.tickets.open

        async def lost(new: object, *, op: str) -> object:
            await opened(new, op=op)  # type: ignore[arg-type]
            raise OutcomeUnknown("the reply was lost")

        with monkeypatch.context() as patch:
            patch.setattr(desk.app.company.tickets, "open", lost)
            await gets_stuck(desk)
        monkeypatch.setattr(desk.app.company.tickets, "open", None)  # nothing is opened a second time
        await desk.app.engine.hand_offs.sweep()
        assert await tickets(desk) == 1
        assert handed(desk)[0].key

    async def test_a_crash_before_the_ticket_leads_to_one(self, tmp_path: Path) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:

            async def dies(_handed: str) -> None:
                raise asyncio.CancelledError  # the process is gone before anybody was told

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(desk.app.engine.hand_offs, "settle", dies)
                ref = await gets_stuck(desk)
            assert await tickets(desk) == 0
        async with house(tmp_path / "data", clock=Clock.at(MONDAY + timedelta(minutes=1))) as desk:
            await desk.app.engine.sweep()
            await desk.quiet()
            assert await tickets(desk) == 1
            assert len(await channel(desk)) == 1
            assert f"{ref}: a person has it" in await desk.heard("ana")

    async def test_it_stands_in_the_trail_with_the_move_itself(self, desk: House) -> None:
        await gets_stuck(desk)
        kinds = [event["kind"] for event in desk.events()]
        at = kinds.index("request.stuck")
        assert kinds[at + 1] == "hand_off.begun"
        assert "hand_off.ticket" in kinds


class TestAnException:
    async def test_who_is_refused_by_a_rule_can_ask_people(self, desk: House) -> None:
        await desk.says("viktor", TOO_LONG)
        await desk.press("viktor", EXCEPTION, {"why": "My project runs for 31 days, ask Bo"})
        await desk.quiet()
        _, title, body = await ticket(desk)
        assert title.startswith("Viktor Novak asks for an exception: Give Viktor Novak access to Figma")
        assert "access.contractors-30-days: Contractors can have access for at most 30 days" in body
        assert '"My project runs for 31 days, ask Bo"' in body
        assert f'"{TOO_LONG}"' in body
        assert "I do not do this, whatever is answered here" in body
        assert not await desk.has("viktor", "figma-editors")
        assert desk.state() is State.REFUSED, "and it stays refused"

    async def test_pressed_twice_it_is_asked_once(self, desk: House) -> None:
        await desk.says("viktor", TOO_LONG)
        handle = await desk.handle("viktor", EXCEPTION)
        await asyncio.gather(*(desk.press_handle("viktor", handle) for _ in range(3)))
        ack = await desk.press_handle("viktor", handle)
        assert ack.notice in ("They have it already.", "Nobody can be asked for this.")
        await desk.quiet()
        assert await tickets(desk) == 1
        assert len(await channel(desk)) == 1
        assert EXCEPTION not in await desk.buttons("viktor")

    async def test_the_answer_flows_back_and_theirs_flows_there(self, desk: House) -> None:
        await desk.says("viktor", TOO_LONG)
        await desk.press("viktor", EXCEPTION)
        await helps(desk, "marco", "Answer", answer="What is it for?")
        key, _, _ = await ticket(desk)
        card = await desk.card("viktor")
        assert card.title == f"{key}: an answer for you"
        assert [quote.text for quote in card.quotes] == ["What is it for?"]
        assert card.quotes[0].label.startswith("Marco ")
        ack = await desk.press("viktor", "Send", {"answer": "For the relaunch <!channel>"})
        assert ack.notice == f"Passed on to {key}."
        said = await desk.app.company.tickets.comments(key)
        assert "What is it for?" in said[0].text
        assert "For the relaunch <!channel>" in said[1].text
        assert [each.ours for each in said] == [True, True]
        newest = (await channel(desk))[-1]
        assert newest.title == "Viktor Novak answers"
        assert newest.quotes[0].text == "For the relaunch <!channel>"
        await look(desk)
        assert (await desk.text("viktor")).count("What is it for?") == 1, "our own comment does not come back"

    async def test_what_keeps_people_safe_has_no_exception(self, desk: House) -> None:
        await desk.says("ida", "I forgot my password")
        card = await desk.card("ida")
        assert card.status == "Refused"
        assert not card.buttons, "a privileged account is out of reach, whoever asks"
        await desk.app.engine.freeze(await desk.id("viktor"), "p-1", "test", on=True)
        await desk.says("viktor", TOO_LONG)
        assert EXCEPTION not in await desk.buttons("viktor"), "nor is there one for who is frozen"

    async def test_who_was_frozen_since_asks_nobody(self, desk: House) -> None:
        await desk.says("viktor", TOO_LONG)
        handle = await desk.handle("viktor", EXCEPTION)
        await desk.app.engine.freeze(await desk.id("viktor"), "p-1", "test", on=True)
        ack = await desk.press_handle("viktor", handle)
        assert "Your requests are paused" in ack.notice
        assert await tickets(desk) == 0

    async def test_somebody_elses_button_asks_for_nothing(self, desk: House) -> None:
        await desk.says("viktor", TOO_LONG)
        ack = await desk.press_handle("luis", await desk.handle("viktor", EXCEPTION))
        assert ack.notice == "This card is not yours to answer."
        assert await tickets(desk) == 0
        assert desk.events("press.refused")

    async def test_where_nobody_may_approve_people_can_be_asked(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def nobody(*_args: Any) -> tuple[()]:
            return ()

        monkeypatch.setattr(desk.app.engine._asking._approvers, "seats", nobody)
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert desk.state() is State.REFUSED
        await desk.press("ana", EXCEPTION)
        await desk.quiet()
        assert "no-approver: This needs somebody's approval" in (await ticket(desk))[2]


class TestTheChannel:
    async def test_who_wants_a_person_stands_there_with_everything(self, desk: House) -> None:
        long = "hmm well you know the thing, and then the other one, " * 30 + "and it beeps"
        await desk.says("ana", long)
        await desk.says("ana", "you know, the thingy")
        await desk.press("ana", (await desk.card("ana")).buttons[0].label)
        await desk.press("ana", "Yes, do it")
        key, _, body = await ticket(desk)
        assert "and it beeps" in body, "all of both times"
        assert "you know, the thingy" in body
        (card,) = await channel(desk)
        assert card.title == "Ana Ruiz wants to talk to a person"
        assert {fact.label: fact.value for fact in card.facts}["Ticket"] == key
        quoted = " ".join(quote.text for quote in card.quotes)
        assert "and it beeps" in quoted
        assert "you know, the thingy" in quoted
        assert "thingy" not in card.title + card.text, "people's words stand in quotes alone"

    async def test_it_is_taken_once_and_the_second_reads_who_has_it(self, desk: House) -> None:
        await desk.asks("ana", HUMAN)
        await desk.quiet()
        old = await desk.handle("felix", "Taken by me", HELP_DESK)
        assert (await helps(desk, "marco", "Taken by me")).notice == "It is yours."
        (card,) = await channel(desk)
        assert card.status.endswith("has it")
        assert "Taken by me" not in [button.label for button in card.buttons]
        ack = await desk.press_handle("felix", old, where=HELP_DESK)
        assert ack.notice.endswith("has it already.")
        assert len(desk.events("hand_off.taken")) == 1

    async def test_done_is_told_and_an_answer_opens_it_again(self, desk: House) -> None:
        await desk.asks("ana", HUMAN)
        await desk.quiet()
        key, _, _ = await ticket(desk)
        await helps(desk, "marco", "Done")
        assert f"{key} is done" in await desk.heard("ana")
        assert (await channel(desk))[0].status == "Done"
        assert "says that it is done" in (await desk.app.company.tickets.comments(key))[-1].text
        await desk.says("ana", f"{key}: it beeps again")
        assert (await channel(desk))[0].status == "Waits for a helper"
        await helps(desk, "marco", "Done")
        assert (await desk.heard("ana")).count(f"{key} is done") == 2, "each end is told"

    async def test_an_empty_answer_is_asked_for(self, desk: House) -> None:
        await desk.asks("ana", HUMAN)
        await desk.quiet()
        ack = await helps(desk, "marco", "Answer", answer=" ")
        assert ack.errors == {"answer": "Write your answer first."}
        assert ack.form

    async def test_who_is_no_helper_answers_nothing_and_it_is_kept(self, desk: House) -> None:
        await desk.asks("ana", HUMAN)
        await desk.quiet()
        for label in ("Answer", "Taken by me", "Done"):
            ack = await helps(desk, "luis", label, answer="send me your password")
            assert ack.notice.startswith("Only people at the help desk can do this.")
        assert "send me your password" not in await desk.text("ana")
        refused = desk.events("press.refused")
        assert len(refused) == 3
        assert refused[0]["data"]["decision"]["policies"] == ["default-deny"]

    async def test_a_helper_who_is_frozen_since_answers_nothing(self, desk: House) -> None:
        await desk.asks("ana", HUMAN)
        await desk.quiet()
        await desk.app.engine.freeze(await desk.id("marco"), "p-1", "test", on=True)
        ack = await helps(desk, "marco", "Answer", answer="hello")
        assert "while your own requests are paused" in ack.notice
        assert "hello" not in await desk.text("ana")

    async def test_the_same_press_delivered_again_says_it_once(self, desk: House) -> None:
        await desk.asks("ana", HUMAN)
        await desk.quiet()
        handle = await desk.handle("marco", "Answer", HELP_DESK)
        marco = await desk.app.system.directory.person(await desk.id("marco"))
        press = (await desk.inbound("marco", "")).model_copy(
            update={"handle": handle, "fields": {"answer": "Which one?"}}
        )
        with desk.app.office.database.read() as conn:
            meaning = meaning_of(conn, handle)
        assert meaning
        for _ in range(2):  # a crash came before it was marked as done
            await desk.app.engine.helping.press(marco, meaning, press)
        await desk.quiet()
        assert (await desk.text("ana")).count("Which one?") == 1
        assert len(await desk.app.company.tickets.comments(handed(desk)[0].key)) == 1

    async def test_a_helpers_answer_on_the_ticket_is_noted_there(self, desk: House) -> None:
        await desk.asks("ana", HUMAN)
        await desk.quiet()
        key, _, _ = await ticket(desk)
        await desk.app.company.help_desk.write(key, "Nadia Okafor", "Is it the left one?")
        await look(desk)
        await desk.app.engine.hand_offs.sweep()
        (card,) = await channel(desk)
        assert f"Nadia Okafor answered in {key}." in [quote.text for quote in card.quotes]
        await desk.app.company.help_desk.close(key)
        await look(desk)
        await desk.app.engine.hand_offs.sweep()
        assert (await channel(desk))[0].status == "Done"
        assert f"{key} is done" not in await desk.heard("ana"), "the ticket itself told them"

    async def test_the_room_is_for_helpers_alone(self, desk: House) -> None:
        async with desk.browser() as browser:
            for account, reads in (("marco", True), ("luis", False), ("bo", False)):
                origin = {"origin": desk.app.settings.url}
                person = await desk.id(account)
                await browser.post("/api/session", json={"person": person}, headers=origin)
                me = (await browser.get("/api/me", params={"as": person})).json()
                assert (HELP_DESK in [room["id"] for room in me["conversations"]]) is reads


class TestWithoutATicketSystem:
    async def test_the_channel_alone_carries_all_of_it(self, tmp_path: Path) -> None:
        async with without_tickets(tmp_path / "data") as desk:
            await desk.asks("ana", HUMAN)
            ref = desk.request().ref
            assert desk.state() is State.DONE
            assert f"{ref} has all of it" in await desk.heard("ana")
            await helps(desk, "marco", "Answer", answer="Which one?")
            assert (await desk.card("ana")).title == f"{ref}: an answer for you"
            ack = await desk.press("ana", "Send", {"answer": "The left one"})
            assert ack.notice == "Passed on to the help desk."
            assert (await channel(desk))[-1].quotes[0].text == "The left one"
            await desk.says("ana", f"{ref}: and it beeps")
            assert (await channel(desk))[-1].quotes[0].text == "and it beeps"
            await desk.says("ana", "any news on my ticket?")
            assert f"{ref} is: Waits for a helper." in await desk.heard("ana")
            assert await tickets(desk) == 0

    async def test_a_ticket_is_a_card_there(self, tmp_path: Path) -> None:
        async with without_tickets(tmp_path / "data") as desk:
            await desk.asks("ana", "please open a ticket: my monitor flickers")
            (card,) = await channel(desk)
            assert card.title == "Ana Ruiz needs something"
            assert card.quotes[0].text == "please open a ticket: my monitor flickers"

    async def test_somebody_else_says_nothing_to_it(self, tmp_path: Path) -> None:
        async with without_tickets(tmp_path / "data") as desk:
            await desk.asks("ana", HUMAN)
            await desk.says("luis", f"{desk.request().ref}: close it")
            assert len(await channel(desk)) == 1

    async def test_where_there_is_neither_it_says_whom_to_call(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(WebPlatform, "help_desk", lambda _self: None)
        async with without_tickets(tmp_path / "data") as desk:
            await desk.says("ana", HUMAN)
            assert "Please call them." in await desk.heard("ana")
            await desk.says("viktor", TOO_LONG)
            assert EXCEPTION not in await desk.buttons("viktor")
            await gets_stuck(desk)
            assert handed(desk) == []


@pytest.fixture(params=MODES)
async def slack(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Work, Channel]]:
    with FakeSlack.running() as fake:
        room = fake.add_channel("helpers", private=True)
        clock = Clock.at(MONDAY)
        async with work(tmp_path / "data", request.param, fake, slack_help_desk=room.id, clock=clock) as desk:
            room.members |= set(fake.state.users)
            yield desk, room


class TestInSlack:
    async def test_a_hand_off_and_all_that_follows(self, slack: tuple[Work, Channel]) -> None:
        desk, room = slack
        await desk.asks("ana", HUMAN)
        await desk.house.quiet()
        assert "Ana Ruiz wants to talk to a person" in desk.sees("marco", room)
        assert HUMAN in desk.sees("marco", room)
        assert "wants to talk to a person" not in desk.sees("marco", desk.approvals)

        await desk.press("marco", "Taken by me", where=room)
        assert "has it" in desk.sees("marco", room)
        await desk.press("marco", "Answer", where=room)
        (form,) = desk.slack.modals(user_id("marco"))
        assert "Your answer" in texts(form)
        assert await desk.submits("marco", {"answer": "Which <!here> one?"}) == {}
        await desk.house.quiet()
        assert "“Which <!here> one?”" in desk.last("ana")

        await desk.press("ana", "Send")
        assert await desk.submits("ana", {"answer": "The left one"}) == {}
        await desk.house.quiet()
        assert "Ana Ruiz answers" in desk.sees("marco", room)
        assert "“The left one”" in desk.sees("marco", room)
        said = await desk.house.app.company.tickets.comments("IT-1")
        assert [each.ours for each in said] == [True, True, True]

        await desk.press("marco", "Done", where=room)
        assert "IT-1 is done" in desk.sees("ana")
        assert not [each for each in desk.slack.posted(room) if "Done" in buttons(each)]

    async def test_who_is_in_the_channel_and_no_helper_is_refused(self, slack: tuple[Work, Channel]) -> None:
        desk, room = slack
        await desk.asks("ana", HUMAN)
        await desk.house.quiet()
        await desk.press("luis", "Taken by me", where=room)
        assert "Only people at the help desk can do this." in desk.told("luis")
        assert "has it" not in desk.sees("marco", room)
        desk.slack.state.users[user_id("marco")].kind = "guest"
        desk.slack.state.users[user_id("marco")].updated += 1
        await desk.press("marco", "Taken by me", where=room)
        assert "has it" not in desk.sees("marco", room), "nor is a guest"
        assert desk.house.events("press.refused")
        assert desk.house.events("sender.refused")

    async def test_an_exception_with_their_reason(self, slack: tuple[Work, Channel]) -> None:
        desk, room = slack
        await desk.says("viktor", TOO_LONG)
        await desk.press("viktor", EXCEPTION, {"why": "The project runs that long"})
        await desk.house.quiet()
        shown = desk.sees("marco", room)
        assert "Viktor Novak asks for an exception" in shown
        assert "“The project runs that long”" in shown
        assert "The help desk was asked" in desk.sees("viktor")

    async def test_a_restart_in_between_doubles_nothing(self, tmp_path: Path) -> None:
        with FakeSlack.running() as fake:
            room = fake.add_channel("helpers", private=True)
            settings: dict[str, Any] = {"slack_help_desk": room.id, "clock": Clock.at(MONDAY)}
            async with work(tmp_path / "data", "socket", fake, **settings) as desk:
                room.members |= set(fake.state.users)
                await desk.asks("ana", HUMAN)
                await desk.house.quiet()
            settings["clock"] = Clock.at(MONDAY + timedelta(minutes=1))
            async with work(tmp_path / "data", "socket", fake, **settings) as desk:
                await desk.house.app.engine.sweep()
                assert len(desk.slack.posted(room)) == 1
                await desk.press("marco", "Answer", where=room)
                assert await desk.submits("marco", {"answer": "Which one?"}) == {}
                await desk.house.quiet()
                assert desk.sees("ana").count("“Which one?”") == 1

    async def test_a_question_on_the_ticket_is_answered_in_a_form(self, tmp_path: Path) -> None:
        async with work(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:
            await desk.asks("ana", HUMAN)
            await desk.house.app.company.help_desk.write("IT-1", "Nadia Okafor", "Which one?")
            await look(desk.house)
            await desk.press("ana", "Send")
            (form,) = desk.slack.modals(user_id("ana"))
            assert "IT-1: your answer" in texts(form) + str(form["title"])
            assert await desk.submits("ana", {"answer": "The left one"}) == {}
            assert "The left one" in (await desk.house.app.company.tickets.comments("IT-1"))[-1].text

    async def test_without_the_setting_no_channel_is_told(self, tmp_path: Path) -> None:
        async with work(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:
            await desk.asks("ana", HUMAN)
            await desk.house.quiet()
            assert desk.house.app.engine.hand_offs.book.channels() == ()
            assert await tickets(desk.house) == 1


class TestInTeams:
    async def test_a_hand_off_and_all_that_follows(self, tmp_path: Path) -> None:
        with FakeTeams.running() as fake:
            fake.add_channel("approvals")
            room = fake.add_channel("helpers")
            settings: dict[str, Any] = {"teams_help_desk": room.id, "clock": Clock.at(MONDAY)}
            async with team(tmp_path / "data", fake, **settings) as desk:
                room.members |= set(fake.state.users)
                await self._play(desk, room)

    async def _play(self, desk: Team, room: Room) -> None:
        await desk.asks("ana", HUMAN)
        await desk.house.quiet()
        assert "Ana Ruiz wants to talk to a person" in desk.sees("marco", room)
        await desk.press("luis", "Answer", {"answer": "me"}, where=room)
        assert "Only people at the help desk can do this." in desk.told("luis") + desk.sees("luis", room)
        assert "me" not in desk.last("ana").split()

        await desk.press("marco", "Taken by me", where=room)
        assert "has it" in desk.sees("marco", room)
        await desk.press("marco", "Answer", {"answer": "Which one?"}, where=room)
        await desk.house.quiet()
        assert "“Which one?”" in desk.last("ana")
        await desk.press("ana", "Send", {"answer": "The left one"})
        await desk.house.quiet()
        assert "“The left one”" in desk.sees("marco", room)
        await desk.press("marco", "Done", where=room)
        await desk.house.quiet()
        assert "IT-1 is done" in desk.sees("ana")
        assert not desk.house.events("inbound.failed")
