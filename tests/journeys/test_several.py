"""Dialogues in which somebody asks for several things at once: one card and one yes, then each by itself."""

from __future__ import annotations

import asyncio

import pytest

from bot.procedures.request import Request, State
from tests.house import House

THREE = "I need Figma, Miro and the staging database until Friday"
ENDS = "until Fri 27 Nov 2026, 23:59 (Europe/Madrid)"


async def facts(desk: House) -> list[tuple[str, str]]:
    return [(fact.label, fact.value) for fact in (await desk.card("ana")).facts]


def whole(desk: House) -> Request:
    return next(each for each in desk.requests() if each.action == "grant_several")


def parts(desk: House) -> dict[str, Request]:
    return {each.resource or "": each for each in desk.requests() if each.part_of == whole(desk).ref}


async def yes(desk: House) -> None:
    await desk.press("ana", "Yes, do it")
    await desk.quiet()


class TestOneCard:
    async def test_each_thing_stands_on_it_with_who_has_to_approve(self, desk: House) -> None:
        await desk.says("ana", THREE)
        assert (await desk.card("ana")).text == (
            "Give Ana Ruiz what is possible of these: Figma, Miro and Staging database"
        )
        assert await facts(desk) == [
            ("Get access", f"Give Ana Ruiz access to Figma {ENDS}"),
            ("Get access", f"Give Ana Ruiz access to Miro {ENDS}"),
            (
                "Get access",
                f"Give Ana Ruiz access to Staging database {ENDS}, once a manager above you approves",
            ),
        ]
        assert not await desk.effects()

    async def test_one_yes_and_each_is_gated_approved_and_audited_by_itself(self, desk: House) -> None:
        await desk.says("ana", THREE)
        await yes(desk)
        made = parts(desk)
        assert set(made) == {"figma", "miro", "staging-database"}
        assert made["figma"].state is State.ACTIVE
        assert made["staging-database"].state is State.APPROVING
        assert not await desk.has("ana", "staging-db-read")
        confirmed = {each["request"] for each in desk.events("request.confirmed")}
        assert {each.ref for each in made.values()} < confirmed
        await desk.press("bo", "Approve")
        assert parts(desk)["staging-database"].state is State.ACTIVE
        assert {each.subject for each in made.values()} == {await desk.id("ana")}
        assert "Asked for by" not in await desk.text("ana"), "nobody else asked for it"

    async def test_what_cannot_be_had_is_said_and_the_others_go_on(self, desk: House) -> None:
        await desk.says("ana", "I need Figma, Miro and the production database (read) for 30 days")
        label, value = (await facts(desk))[2]
        assert label == "Production database (read)"
        assert value.startswith("Not possible: Access always ends by itself, and this is longer")
        await yes(desk)
        assert set(parts(desk)) == {"figma", "miro"}

    async def test_where_nothing_can_be_had_nothing_is_asked(self, desk: House) -> None:
        await desk.says("ana", "I need the production database (read) and production deploy for 300 days")
        assert "Yes, do it" not in await desk.buttons("ana")
        assert "this is longer than this resource allows" in await desk.heard("ana")

    async def test_a_thing_that_nobody_knows_is_counted_and_not_guessed(self, desk: House) -> None:
        await desk.says("ana", "I need Figma, Foobarix and Miro for a week")
        assert (await facts(desk))[0] == ("Not in the catalogue", "1 of the things you named")
        assert "Foobarix" not in str(await facts(desk)), "their words stand in the quote alone"
        await yes(desk)
        assert set(parts(desk)) == {"figma", "miro"}

    async def test_the_same_thing_named_twice_is_one(self, desk: House) -> None:
        await desk.says("ana", "I need Figma, Miro and the figma editor for a week")
        await yes(desk)
        assert sorted(parts(desk)) == ["figma", "miro"]
        assert len([each for each in desk.requests() if each.part_of]) == 2

    async def test_what_is_ambiguous_is_asked_for_first(self, desk: House) -> None:
        await desk.says("ana", "I need the staging and Figma for a week")
        assert (await desk.card("ana")).text == "Which one do you mean?"
        await desk.press("ana", "Staging database (write)")
        assert "Figma" in (await desk.card("ana")).text
        await yes(desk)
        assert set(parts(desk)) == {"figma", "staging-database-write"}

    async def test_one_that_turns_out_to_be_the_same_is_not_asked_for_twice(self, desk: House) -> None:
        await desk.says("ana", "I need the staging, Miro and the staging database for a week")
        await desk.press("ana", "Staging database")
        await yes(desk)
        assert len([each for each in desk.requests() if each.part_of]) == 2

    async def test_more_than_five_are_too_many_and_nothing_is_opened(self, desk: House) -> None:
        await desk.says("ana", "I need Figma, Miro, Jira, Confluence, VPN and Grafana for a week")
        assert "You named 6 things. I ask for at most 5 at once" in await desk.heard("ana")
        assert not desk.requests()
        await desk.says("ana", "I need Figma, Miro, Jira, Confluence and VPN for a week")
        assert desk.state() is State.CONFIRMING

    async def test_nobody_gets_several_things_past_the_rules_of_each(self, desk: House) -> None:
        await desk.says("ana", "I need payroll reports and HR records for 7 days")
        await yes(desk)
        assert not await desk.effects()
        assert all(each.stages for each in parts(desk).values())


class TestTimes:
    async def test_each_has_the_time_that_follows_it(self, desk: House) -> None:
        await desk.says("ana", "I need Figma until Friday and Miro for two weeks")
        assert [value for _, value in await facts(desk)] == [
            f"Give Ana Ruiz access to Figma {ENDS}",
            "Give Ana Ruiz access to Miro for 2 weeks",
        ]

    async def test_where_one_has_none_it_is_asked_and_the_other_keeps_its_own(self, desk: House) -> None:
        await desk.says("ana", "I need Figma until Friday and Miro")
        assert "For how long do you need them?" in (await desk.card("ana")).text
        await desk.press("ana", "1 week")
        assert [value for _, value in await facts(desk)] == [
            f"Give Ana Ruiz access to Figma {ENDS}",
            "Give Ana Ruiz access to Miro for 1 week",
        ]

    async def test_a_time_for_all_is_asked_once(self, desk: House) -> None:
        await desk.says("ana", "I need access to Figma and Miro")
        await desk.says("ana", "for two weeks")
        assert [value for _, value in await facts(desk)] == [
            "Give Ana Ruiz access to Figma for 2 weeks",
            "Give Ana Ruiz access to Miro for 2 weeks",
        ]


class TestChangedAfterwards:
    async def test_before_the_yes_the_time_of_all_changes(self, desk: House) -> None:
        await desk.says("ana", THREE)
        await desk.says("ana", "no, until Thursday")
        assert all("until Thu 26 Nov 2026" in value for _, value in await facts(desk))
        assert len(desk.requests()) == 1

    async def test_one_thing_for_another(self, desk: House) -> None:
        await desk.says("ana", THREE)
        await desk.says("ana", "not Miro, FigJam")
        assert (await desk.card("ana")).text.endswith("Figma, FigJam and Staging database")

    async def test_after_the_yes_the_part_that_still_waits(self, desk: House) -> None:
        await desk.says("ana", THREE)
        await yes(desk)
        await desk.says("ana", "no, until Thursday")
        waiting = parts(desk)["staging-database"]
        assert (waiting.state, waiting.revision) == (State.CONFIRMING, 1)
        assert parts(desk)["figma"].revision == 0
        await desk.press("ana", "Yes, do it")
        await desk.press("bo", "Approve")
        assert parts(desk)["staging-database"].state is State.ACTIVE

    async def test_of_several_parts_that_wait_it_is_asked_which(self, desk: House) -> None:
        await desk.says("ana", "I need GitHub and the staging database until Friday")
        await yes(desk)
        await desk.says("ana", "no, until Thursday")
        assert {each.revision for each in parts(desk).values()} == {0}
        label = next(label for label in await desk.buttons("ana") if "access to GitHub" in label)
        await desk.press("ana", label)
        assert {key: each.revision for key, each in parts(desk).items()} == {
            "github": 1,
            "staging-database": 0,
        }


async def test_a_part_is_opened_once_whatever_dies(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = desk.app.engine._asking.open_part

    async def dies_after(*args: object) -> None:
        await begin(*args)  # type: ignore[arg-type]
        raise RuntimeError("the process is gone before it could note that it was opened")

    await desk.says("ana", THREE)
    with monkeypatch.context() as dying:
        dying.setattr(desk.app.engine._asking, "open_part", dies_after)
        await desk.press("ana", "Yes, do it")
    for _ in range(6):
        await desk.settle()
    await desk.quiet()
    assert whole(desk).state is State.DONE
    assert sorted(each.resource or "" for each in desk.requests() if each.part_of) == [
        "figma",
        "miro",
        "staging-database",
    ]


async def test_a_yes_that_comes_twice_opens_each_once(desk: House) -> None:
    await desk.says("ana", THREE)
    handle = await desk.handle("ana", "Yes, do it")
    await asyncio.gather(desk.press_handle("ana", handle), desk.press_handle("ana", handle))
    await desk.quiet()
    assert len([each for each in desk.requests() if each.part_of]) == 3


TWO = "How many vacation days have I left? And I need Figma for two weeks."


class TestDifferentWishes:
    async def test_one_is_done_and_the_other_is_offered_with_its_own_words(self, desk: House) -> None:
        await desk.says("ana", TWO)
        offer = next(each for each in await desk.cards("ana") if each.title == "One thing at a time")
        assert [(fact.label, fact.value) for fact in offer.facts] == [
            ("Get access", "And I need Figma for two weeks.")
        ]
        assert "vacation" in (await desk.text("ana")).lower()
        assert not desk.requests(), "nothing begins without a press"
        await desk.press("ana", "Get access")
        assert (await desk.card("ana")).text == "Give Ana Ruiz access to Figma for 2 weeks"
        assert not await desk.effects()

    async def test_where_none_is_sure_for_the_whole_each_has_a_button(self, desk: House) -> None:
        await desk.says("ana", "I need Figma until Friday. And book me off on 24 December")
        assert await desk.buttons("ana") == ["Get access", "Take time off"]
        await desk.press("ana", "Get access")
        assert (await desk.card("ana")).text == f"Give Ana Ruiz access to Figma {ENDS}"

    async def test_both_are_in_the_trail_and_none_twice(self, desk: House) -> None:
        await desk.says("ana", TWO, "m1")
        await desk.says("ana", TWO, "m1")
        (event,) = desk.events("message.besides")
        assert (event["action"], event["actor"]) == ("grant_access", await desk.id("ana"))
        assert len(desk.events("lookup.answered")) == 1

    async def test_a_correction_and_a_wish_are_both_heard(self, desk: House) -> None:
        await desk.says("ana", "I need Figma for two weeks")
        await desk.says("ana", "No, until Friday. And how many vacation days have I left?")
        assert f"Give Ana Ruiz access to Figma {ENDS}" in await desk.heard("ana")
        assert desk.events("request.corrected")
        await desk.press("ana", "How much time off is left")
        assert desk.events("lookup.answered")

    async def test_an_answer_and_a_wish_are_both_heard(self, desk: House) -> None:
        await desk.says("ana", "I need access to Figma")
        await desk.says("ana", "until Friday please. Also reset my password please")
        assert f"Give Ana Ruiz access to Figma {ENDS}" in await desk.heard("ana")
        await desk.press("ana", "Reset my password")
        assert [each.action for each in desk.requests()] == ["grant_access", "reset_password"]

    async def test_a_courtesy_beside_a_wish_stops_nothing(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the staging database for two weeks")
        assert desk.state() is State.APPROVING
        await desk.says("ana", "No, thank you so much! How many days off have I left?")
        assert desk.state() is State.APPROVING
        assert desk.events("lookup.answered")

    @pytest.mark.parametrize(
        "text",
        [
            "Hi Bo, hope you are well! How many days off do I have left?",
            "I was in Berlin until Friday. Please reset my password.",
            "Hi team, thanks for the help! How many vacation days have I left?",
        ],
    )
    async def test_a_greeting_or_a_story_answers_no_question(self, desk: House, text: str) -> None:
        await desk.says("ana", "I need access to Figma")
        await desk.says("ana", text)
        asked = next(each for each in desk.requests() if each.action == "grant_access")
        assert asked.params == {"resource": "figma"}

    async def test_a_correction_in_two_sentences_is_one(self, desk: House) -> None:
        await desk.says("ana", "I need Figma for two weeks")
        await desk.says("ana", "No, that's wrong. I need Miro for two weeks")
        assert "Give Ana Ruiz access to Miro for 2 weeks" in await desk.heard("ana")
        assert len(desk.requests()) == 1
        assert "One thing at a time" not in await desk.heard("ana")

    async def test_a_correction_beside_another_wish_changes_what_waits(self, desk: House) -> None:
        await desk.says("ana", "I need Figma for two weeks")
        await desk.says("ana", "No, I need Miro for two weeks. How many vacation days are left?")
        assert "Give Ana Ruiz access to Miro for 2 weeks" in await desk.heard("ana")
        assert len(desk.requests()) == 1
        await desk.press("ana", "How much time off is left")
        assert desk.events("lookup.answered")

    async def test_an_answer_of_two_words_beside_a_wish_is_one(self, desk: House) -> None:
        await desk.says("ana", "I need access to Figma")
        await desk.says("ana", "Until Friday. And how many vacation days have I left?")
        assert f"Give Ana Ruiz access to Figma {ENDS}" in await desk.heard("ana")
        assert "How much time off is left" in await desk.buttons("ana")

    async def test_an_offer_pressed_twice_begins_once(self, desk: House) -> None:
        await desk.says("ana", TWO)
        await desk.press("ana", "Get access")
        ack = await desk.press("ana", "Get access")
        assert len(desk.requests()) == 1
        assert desk.request().ref in ack.notice

    async def test_after_a_crash_between_the_two_both_come_once(self, desk: House) -> None:
        async def dies(*_: object, **__: object) -> None:
            raise asyncio.CancelledError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(desk.app.desk, "_run", dies)
            with pytest.raises(asyncio.CancelledError):
                await desk.says("ana", TWO)
        await desk.app.desk.replay()
        titles = [card.title for card in await desk.cards("ana")]
        assert titles == ["One thing at a time", "How much time off is left"]
        await desk.press("ana", "Get access")
        assert (await desk.card("ana")).text == "Give Ana Ruiz access to Figma for 2 weeks"

    async def test_nobody_else_can_press_it(self, desk: House) -> None:
        await desk.says("ana", TWO)
        handle = await desk.handle("ana", "Get access")
        await desk.press_handle("bo", handle)
        assert not desk.requests()
        assert desk.events("press.unknown")
