"""Several wishes in one message: where one ends and the next begins."""

from __future__ import annotations

import pytest

from bot.intent.clauses import Clause, clauses

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
                ("unlock", "Hi, hope you are well! I'm locked out again"),
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
    assert clauses(text, sure) == tuple(Clause(*wish) for wish in wishes)


@pytest.mark.parametrize(
    "text",
    [
        "I'm locked out",
        "hello there and thanks a lot for all",
        "",
        " and and and ",
    ],
)
def test_one_part_or_none_that_is_sure_is_none(text: str) -> None:
    assert clauses(text, sure) == ()


def test_the_same_action_twice_is_one_wish() -> None:
    text = "I need Figma until Friday and I need Figma Pro for two weeks"
    assert clauses(text, sure) == (Clause("grant", text),)


@pytest.mark.parametrize("end", ["can I reset a new one?", "is it reset by now?"])
def test_what_points_back_is_no_wish_of_its_own(end: str) -> None:
    assert len(clauses(f"I'm locked out of it. {end}", sure)) == 1


def test_a_long_message_is_read_to_a_limit() -> None:
    asked: list[str] = []
    clauses("what is this about. " * 5_000, lambda words: asked.append(words))
    assert len(asked) == 6


class TestUnderstood:
    def test_a_date_said_for_one_fills_no_slot_of_the_other(self, understander, slots_of, now) -> None:
        text = "I need Figma access please. Also, how many vacation days have I left on Friday?"
        found = understander.propose(text, now=now, time_zone="UTC", slots_of=slots_of)
        assert found.action in ("grant_access", "pto_balance")
        grant = found if found.action == "grant_access" else None
        assert [each.action for each in found.besides] == [
            "pto_balance" if grant else "grant_access",
        ]
        assert not (grant and grant.slots.get("span"))

    def test_a_button_pressed_reads_all_of_its_words(self, understander, slots_of, now) -> None:
        text = "I'm locked out. And how many days off have I left?"
        found = understander.propose(text, now=now, time_zone="UTC", slots_of=slots_of, only="unlock_account")
        assert (found.action, found.besides, found.words) == ("unlock_account", (), text)
