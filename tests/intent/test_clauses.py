"""Several wishes in one message: where one ends and the next begins."""

from __future__ import annotations

from time import process_time

import pytest

from bot.intent.clauses import Clause, Parts, parts

_ASKED = {"locked": "unlock", "days": "balance", "Figma": "grant", "reset": "reset"}


def sure(words: str) -> str | None:
    return next((action for word, action in _ASKED.items() if word in words), None)


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        (
            "I'm locked out. And how many days have I left?",
            [("unlock", "I'm locked out."), ("balance", "And how many days have I left?")],
        ),
        (
            "Hi, hope you are well! I'm locked out again\nhow many days have I left, by the way",
            [
                ("unlock", "I'm locked out again"),
                ("balance", "how many days have I left, by the way"),
            ],
        ),
        (
            "please give me Figma and Jira until Friday, and also reset my password. Thank you so much",
            [
                ("grant", "please give me Figma and Jira until Friday"),
                ("reset", "reset my password. Thank you so much"),
            ],
        ),
        (
            "I need Figma for work - reset my password - how many days are left",
            [
                ("grant", "I need Figma for work"),
                ("reset", "reset my password"),
                ("balance", "how many days are left"),
            ],
        ),
    ],
)
def test_each_wish_has_its_own_words(text: str, wishes: list[tuple[str, str]]) -> None:
    assert parts(text, sure).wishes == tuple(Clause(*wish) for wish in wishes)


def test_what_stands_before_the_first_wish_leads_to_it_and_is_kept_apart() -> None:
    found = parts("Hi, hope you are well! I'm locked out again. How many days have I left?", sure)
    assert found.lead == "Hi, hope you are well!"
    assert found.of("unlock") == Clause("unlock", "Hi, hope you are well! I'm locked out again.")
    assert found.of("balance") == Clause("balance", "How many days have I left?")
    assert found.of("reset") is None


@pytest.mark.parametrize(
    "text", ["I'm locked out", "hello there and thanks a lot for all", "", " and and and "]
)
def test_one_part_or_none_that_is_sure_is_none(text: str) -> None:
    assert parts(text, sure) == Parts()


def test_the_same_action_twice_in_a_row_is_one_wish() -> None:
    text = "I need Figma until Friday and I need Figma Pro for two weeks"
    assert parts(text, sure).wishes == (Clause("grant", text),)


def test_the_same_action_after_another_is_a_wish_of_its_own() -> None:
    found = parts("I need Figma until Friday. I'm locked out. And Figma for two weeks as well", sure)
    assert [wish.action for wish in found.wishes] == ["grant", "unlock", "grant"]
    assert [wish.words for wish in found.besides("grant")] == [
        "I'm locked out.",
        "And Figma for two weeks as well",
    ]


@pytest.mark.parametrize(
    "part",
    [
        "can I reset a new one?",
        "is it reset by now?",
        "She needs a reset too.",
        "Please don't reset my password.",
    ],
)
def test_what_is_said_of_something_else_is_no_wish_of_its_own(part: str) -> None:
    assert [wish.action for wish in parts(f"I'm locked out of it. {part}", sure).wishes] == ["unlock"]


def test_a_short_answer_leads_and_the_end_of_a_long_message_is_kept() -> None:
    long = "reset my password please " + "because of this and that, " * 100 + "number 12345."
    found = parts(f"Until Friday. {long}", sure)
    assert found.lead == "Until Friday."
    assert found.wishes[0].words.endswith("number 12345.")


def test_what_joins_two_wishes_belongs_to_neither() -> None:
    found = parts("I need Figma for work and can you please also reset my password", sure)
    assert [wish.words for wish in found.wishes] == ["I need Figma for work", "reset my password"]


@pytest.mark.parametrize(
    "text", ["what is this about. " * 5_000, " " * 4_000 + "x", "\n" * 4_000, ", " * 2_000]
)
def test_a_long_message_is_read_to_a_limit(text: str) -> None:
    asked: list[str] = []

    def never(words: str) -> None:
        asked.append(words)

    began = process_time()
    parts(text, never)
    assert len(asked) <= 6
    assert process_time() - began < 0.2, "measured: 0.002"


class TestUnderstood:
    def test_a_date_said_for_one_fills_no_slot_of_the_other(self, propose) -> None:
        found = propose("How many vacation days have I left? And I need access to Figma until Friday.")
        assert found.action == "pto_balance"
        assert (found.words, dict(found.slots)) == ("How many vacation days have I left?", {})
        assert [wish.action for wish in found.parts.besides(found.action)] == ["grant_access"]

    def test_nothing_sure_is_lost_where_the_whole_is_about_something_else(self, propose) -> None:
        found = propose("I'm locked out. Is it possible to get Figma for two weeks?")
        assert found.action is not None
        said = {found.action, *(wish.action for wish in found.parts.besides(found.action))}
        assert said == {"unlock_account", "grant_access"}

    def test_a_button_pressed_reads_all_of_its_words(self, understander, slots_of, now) -> None:
        text = "I'm locked out. And how many days off have I left?"
        found = understander.propose(text, now=now, time_zone="UTC", slots_of=slots_of, only="unlock_account")
        assert (found.action, found.parts, found.words) == ("unlock_account", Parts(), text)
