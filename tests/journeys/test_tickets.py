"""Dialogues with people at the help desk: tickets, a hand-off with all that was said, answers both ways."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.procedures.request import State
from bot.store.threads import Threads
from integrations.contract import OutcomeUnknown, SystemDown
from integrations.work import UnknownTicket
from tests.house import MONDAY, Clock, House, house

FLICKERS = "please open a ticket: my monitor flickers whenever I touch the desk"


async def ticket(desk: House, at: int = -1) -> tuple[str, str, str]:
    """Key, title and text of one as a helper sees it."""
    found = (await desk.app.company.client.read("SELECT number, title, body FROM ticket ORDER BY number"))[at]
    return f"IT-{found[0]}", found[1], found[2]


async def look(desk: House) -> None:
    """A round over the open tickets, some time later."""
    desk.clock.forward(seconds=60)
    assert desk.app.engine.help_desk
    await desk.app.engine.help_desk.look()


class TestATicket:
    async def test_it_holds_what_they_wrote_and_is_named_in_the_answer(self, desk: House) -> None:
        await desk.says("ana", FLICKERS)
        card = await desk.card("ana")
        assert card.text == "Open a ticket for Ana Ruiz with what you wrote"
        assert [quote.text for quote in card.quotes] == [FLICKERS]
        assert not await desk.effects(), "nothing before the yes"
        await desk.press("ana", "Yes, do it")
        key, title, body = await ticket(desk)
        assert f"{key} is open." in await desk.heard("ana")
        assert title == FLICKERS
        assert "Asked by Ana Ruiz (ana.ruiz@alderfinch.example; Software Engineer, Engineering)" in body
        assert f'"{FLICKERS}"' in body

    async def test_a_wish_without_a_matter_is_asked_what_it_is_about(self, desk: House) -> None:
        await desk.says("ana", "open a ticket please")
        assert "What is wrong, or what do you need?" in (await desk.card("ana")).text
        await desk.says("ana", "the door of meeting room 4 does not close any more")
        await desk.press("ana", "Yes, do it")
        assert (await ticket(desk))[1] == "the door of meeting room 4 does not close any more"

    async def test_all_that_they_wrote_stands_in_it(self, desk: House) -> None:
        long = f"open a ticket: {'the scanner on the third floor eats paper, ' * 30}and it smells of oil"
        await desk.asks("ana", long)
        assert "and it smells of oil" in (await ticket(desk))[2]

    async def test_a_secret_in_it_is_cut_out_before_anybody_reads_it(self, desk: House) -> None:
        await desk.asks("ana", "open a ticket: I cannot log in to the wiki, my password is Tr0ub4dor&3xyz")
        body = (await ticket(desk))[2]
        assert "I cannot log in to the wiki" in body
        assert "Tr0ub4dor" not in body

    async def test_a_reply_that_was_lost_leads_to_one_ticket(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = desk.app.company.tickets.open

        async def lost(new: object, *, op: str) -> object:
            await opened(new, op=op)  # type: ignore[arg-type]
            raise OutcomeUnknown("the reply was lost")

        monkeypatch.setattr(desk.app.company.tickets, "open", lost)
        await desk.asks("ana", FLICKERS)
        assert desk.state() is State.DONE
        assert len(await desk.effects()) == 1

    async def test_what_became_of_it(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.app.company.help_desk.set_status(key, "Waiting for customer")
        await desk.says("ana", f"what's the status of {key}?")
        card = await desk.card("ana")
        assert card.text == f"{key} is: Waiting for customer."

    async def test_nobody_sees_anybody_elses(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.says("luis", f"what's the status of {key}?")
        assert f"{key} is no ticket that you opened through me." in await desk.heard("luis")
        await desk.says("luis", f"{key}: close it")
        rows = await desk.app.company.client.read("SELECT count(*) FROM ticket_comment")
        assert rows == [(0,)]


class TestAHandOff:
    async def test_the_helper_is_told_everything_so_far(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        ref = desk.request().ref
        await desk.says("ana", "the thingy does not do the thing")
        await desk.says("ana", "I want to talk to a human please")
        facts = {fact.label: fact.value for fact in (await desk.card("ana")).facts}
        assert facts["They are told"].startswith("What you wrote here since yesterday")
        await desk.press("ana", "Yes, do it")
        _, _, body = await ticket(desk)
        assert 'wrote: "I need access to the data warehouse for 2 weeks"' in body
        assert f"understood as: Get access, {ref}" in body
        assert ref in body
        assert 'wrote: "the thingy does not do the thing"' in body
        assert "not understood; nearest:" in body
        assert (
            f"{ref}, Get access: Give Ana Ruiz access to Data warehouse for 2 weeks (Waiting for Bo Lind)"
            in body
        )

    async def test_the_helpers_answer_comes_back_and_the_persons_answer_goes_there(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        helper = desk.app.company.help_desk
        await helper.write(key, "Nadia Okafor", "Is it the left one or the right one?")
        await helper.write(key, "Nadia Okafor", "she always breaks things", internal=True)
        await look(desk)
        card = await desk.card("ana")
        assert card.title == f"{key}: an answer for you"
        assert [(quote.label, quote.text) for quote in card.quotes] == [
            ("Nadia Okafor wrote", "Is it the left one or the right one?")
        ]
        assert "she always breaks things" not in await desk.text("ana"), "what is internal stays there"

        ack = await desk.press("ana", "Send", {"answer": "The left one. It is [~admin] !big.png!"})
        assert ack.notice == f"Passed on to {key}."
        said = await desk.app.company.tickets.comments(key)
        assert [each.ours for each in said] == [False, True]
        assert "The left one." in said[1].text
        await look(desk)
        assert (
            len([each for each in await desk.cards("ana") if each.title.endswith("an answer for you")]) == 1
        )

    async def test_an_answer_may_be_written_after_the_key(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.says("ana", f"{key}: it stopped by itself")
        (said,) = await desk.app.company.tickets.comments(key)
        assert said.text == "Ana Ruiz answers:\nit stopped by itself"
        assert f"Passed on to {key}." in await desk.heard("ana")

    async def test_an_empty_answer_is_asked_for(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.app.company.help_desk.write(key, "Nadia Okafor", "Which one?")
        await look(desk)
        ack = await desk.press("ana", "Send", {"answer": "  "})
        assert ack.errors == {"answer": "Write your answer first."}

    async def test_what_nobody_understands_can_be_passed_on(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.says("ana", "the one by the window, if that helps")
        await desk.press("ana", f"Pass it on to {key}")
        (said,) = await desk.app.company.tickets.comments(key)
        assert said.text.endswith("the one by the window, if that helps")

    async def test_what_was_not_understood_twice_leads_to_a_person(self, desk: House) -> None:
        await desk.says("ana", "hmm, well, you know the thing")
        first = await desk.card("ana")
        assert first.buttons[-1].label == "Talk to a person"
        await desk.says("ana", "you know, the thingy")
        second = await desk.card("ana")
        assert second.text.startswith("I did not understand that either.")
        await desk.press("ana", second.buttons[0].label)
        assert (await desk.card("ana")).text == "Ask a person at the help desk to answer Ana Ruiz here"
        await desk.press("ana", "Yes, do it")
        body = (await ticket(desk))[2]
        assert 'wrote: "hmm, well, you know the thing"' in body
        assert 'wrote: "you know, the thingy"' in body

    async def test_the_end_is_told_and_an_answer_after_it_is_followed_again(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.app.company.help_desk.close(key)
        await look(desk)
        assert f"{key} is closed" in await desk.heard("ana")
        await look(desk)
        assert (await desk.heard("ana")).count(f"{key} is closed") == 1
        await desk.says("ana", f"{key}: it is back")
        with desk.app.office.database.read() as conn:
            thread = Threads("company").of(conn, key)
        assert thread
        assert thread.open

    async def test_somebody_elses_button_sends_nothing(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.app.company.help_desk.write(key, "Nadia Okafor", "Which one?")
        await look(desk)
        await desk.press_handle("luis", await desk.handle("ana", "Send"), {"answer": "mine"})
        assert [each.ours for each in await desk.app.company.tickets.comments(key)] == [False]

    async def test_a_comment_is_passed_on_once_whatever_is_down_or_restarted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:
            await desk.asks("ana", FLICKERS)
            key, _, _ = await ticket(desk)
            await desk.app.company.help_desk.write(key, "Nadia Okafor", "Which one?")
            with monkeypatch.context() as down:

                async def away(_key: str) -> object:
                    raise SystemDown("away")

                down.setattr(desk.app.company.tickets, "comments", away)
                await look(desk)
            with monkeypatch.context() as dies:

                async def dead(*_args: object) -> None:
                    raise asyncio.CancelledError  # the process is gone before it could note it

                assert desk.app.engine.help_desk
                dies.setattr(desk.app.engine.help_desk, "_note_told", dead)
                with pytest.raises(asyncio.CancelledError):
                    await look(desk)
        async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as desk:
            await look(desk)
            await look(desk)
            answers = [each for each in await desk.cards("ana") if each.title.endswith("an answer for you")]
            assert len(answers) == 1


async def test_where_neither_a_ticket_system_nor_a_channel_is_connected_it_is_said(
    desk: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.app.web, "help_desk", lambda: None)
    monkeypatch.setattr(desk.app.engine, "help_desk", None)
    await desk.says("ana", FLICKERS)
    assert "No ticket system is connected to me" in await desk.heard("ana")


class TestABadDayAtTheTicketSystem:
    async def test_one_that_fails_keeps_nobody_else_waiting(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", FLICKERS)
        await desk.asks("luis", FLICKERS)
        (bad, _, _), (good, _, _) = await ticket(desk, 0), await ticket(desk, 1)
        comments = desk.app.company.tickets.comments

        async def odd(key: str) -> object:
            if key == bad:
                raise RuntimeError("an answer that nobody thought of")
            return await comments(key)

        monkeypatch.setattr(desk.app.company.tickets, "comments", odd)
        monkeypatch.setattr("bot.procedures.help_desk._AT_ONCE", 1)
        await desk.app.company.help_desk.write(good, "Nadia Okafor", "Which one?")
        await look(desk)
        await look(desk)
        assert f"{good}: an answer for you" in await desk.heard("luis")

    async def test_one_that_is_away_for_a_moment_is_followed_on(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        with monkeypatch.context() as hidden:

            async def away(_key: str) -> object:
                raise UnknownTicket("not there")

            hidden.setattr(desk.app.company.tickets, "ticket", away)
            await look(desk)
            await desk.says("ana", "any news on my ticket?")
            assert f"{key} is: no longer there." in (await desk.card("ana")).text
        await desk.app.company.help_desk.write(key, "Nadia Okafor", "Which one?")
        desk.clock.forward(days=1)
        await look(desk)
        assert f"{key}: an answer for you" in await desk.heard("ana")

    async def test_one_that_stays_away_is_told_once(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)

        async def away(_key: str) -> object:
            raise UnknownTicket("not there")

        monkeypatch.setattr(desk.app.company.tickets, "ticket", away)
        await look(desk)
        assert "is not there any more" not in await desk.heard("ana")
        for _ in range(3):
            desk.clock.forward(days=1)
            await look(desk)
        assert (await desk.heard("ana")).count(f"{key} is not there any more") == 1

    async def test_the_same_key_in_another_system_is_nobodys(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        with desk.app.office.database.read() as conn:
            assert Threads("https://other.example 4").of(conn, key) is None

    async def test_a_secret_that_a_helper_writes_is_not_passed_on(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.app.company.help_desk.write(key, "Nadia Okafor", "your new password is Tr0ub4dor&3xyz")
        await look(desk)
        assert f"{key}: an answer for you" in await desk.heard("ana")
        assert "Tr0ub4dor" not in await desk.text("ana")


class TestWhoMaySaySomething:
    async def test_somebody_frozen_says_nothing_to_a_helper(self, desk: House) -> None:
        await desk.asks("ana", FLICKERS)
        key, _, _ = await ticket(desk)
        await desk.app.engine.freeze(await desk.id("ana"), "p-1", "test", on=True)
        await desk.says("ana", f"{key}: send a new password to my private mail")
        assert "Your requests are paused" in await desk.heard("ana")
        assert await desk.app.company.tickets.comments(key) == []
        assert desk.events("ticket.refused")[0]["data"]["decision"]["policies"] == ["people.frozen-nothing"]

    async def test_what_a_manager_said_of_others_stands_in_no_ticket_of_theirs(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        await desk.press("bo", "Deny", {"reason": "She told me why, and it is private"})
        await desk.asks("bo", "I want to talk to a human please")
        assert "it is private" not in (await ticket(desk))[2]

    async def test_a_helper_hears_that_it_may_be_somebody_else(self, desk: House) -> None:
        with closing(sqlite3.connect(desk.app.office.database.path)) as conn:
            row = (await desk.id("ana"), desk.clock().isoformat(), "link")
            conn.execute("INSERT INTO quarantine VALUES (?, ?, ?)", row)
            conn.commit()
        await desk.asks("ana", "I want to talk to a human please")
        assert "Their way to sign in changed lately." in (await ticket(desk))[2]
