"""Cards as Adaptive Cards: valid, cut to fit, and never more than plain text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.card import Button, Card, CheckInput, ChoiceInput, Fact, Link, Option, Quote, TextInput, Tone
from bot.chat.teams import render
from bot.chat.teams.words import words
from tests.servers.teams.limits import of_activity, of_card
from tests.servers.teams.state import BOT, actions, inputs, texts

PAYLOADS = [
    "<at>Bo Lind</at>",
    "<at>everyone</at>",
    "[Approved by the CISO](https://evil.example)",
    "**bold** _x_ `y` ~~z~~ # h",
    "![x](https://evil.example/x.png)",
    "<script>alert(1)</script>",
    "<a href='https://evil.example'>x</a>",
    "{{DATE(2026-01-01T00:00:00Z,SHORT)}}",
    "{{{{TIME(x)}}}}",
    "${expression}",
    '"}],"actions":[{"type":"Action.OpenUrl"}]',
    "\u202eevil\u202c",
    "a\u200bb",
    "\x00\x07",
    "lone \ud800 half",
    "\n".join("line" for _ in range(5_000)),
    "W" * 60_000,
    "ж" * 60_000,
    "😀" * 20_000,
    "",
    " ",
]


def _everywhere(said: str) -> Card:
    return Card(
        title=said,
        text=said,
        tone=Tone.GOOD,
        status=said,
        facts=tuple(Fact(label=said, value=said) for _ in range(4)),
        quotes=(Quote(label=said, text=said), Quote(label="x", text=said)),
        inputs=(
            TextInput(name="reason", label=said, placeholder=said),
            ChoiceInput(name="option", label=said, options=(Option(value="1", label=said, hint=said),)),
            CheckInput(name="spoke", label=said),
        ),
        buttons=(Button(label=said, handle="a" * 32), Button(label="No", handle="b" * 32, tone=Tone.DANGER)),
        links=(Link(label=said, url="https://desk.example/reveal/x"),),
        footer=said,
    )


@pytest.mark.parametrize("said", PAYLOADS, ids=range(len(PAYLOADS)))
def test_whatever_people_write_is_a_valid_card_that_fits_and_text_in_it(said: str) -> None:
    made = render.message(_everywhere(said))
    assert of_activity(made) == ""
    _only_text(made["attachments"][0]["content"])


@settings(max_examples=25)  # the schema is slow to hold a card against
@given(st.text(), st.text())
def test_any_text_at_all(one: str, other: str) -> None:
    card = _everywhere(one).model_copy(update={"text": other, "quotes": (Quote(label=other, text=one),)})
    assert of_activity(render.message(card)) == ""
    errors = {"reason": other, "": one}
    assert of_card(render.adaptive(card, errors, {"reason": one, "spoke": "yes"}, other)) == ""


def _only_text(part: Any) -> None:
    """No element in which Markdown counts, and no address but our own."""
    if isinstance(part, list):
        for each in part:
            _only_text(each)
    elif isinstance(part, dict):
        assert part.get("type") not in ("TextBlock", "FactSet", "Image", "Media", "Table")
        assert part.get("url", "https://desk.example/").startswith("https://desk.example/")
        assert "{{" not in json.dumps({k: v for k, v in part.items() if isinstance(v, str)})
        for each in part.values():
            _only_text(each)


def test_a_button_carries_its_handle_and_sends_the_inputs_where_it_should() -> None:
    made = render.adaptive(_everywhere("x"))
    first, no = actions(made)["x"], actions(made)["No"]
    assert no["data"] == {"handle": "b" * 32}
    assert first["type"] == "Action.OpenUrl", "a link has the last word in this card"
    card = Card(
        title="T",
        buttons=(
            Button(label="Yes", handle="1" * 32, tone=Tone.PRIMARY),
            Button(label="No", handle="2" * 32, tone=Tone.DANGER, sends_inputs=False),
        ),
    )
    yes, no = (actions(render.adaptive(card))[label] for label in ("Yes", "No"))
    assert (yes["style"], yes["associatedInputs"]) == ("positive", "auto")
    assert (no["style"], no["associatedInputs"]) == ("destructive", "none")
    assert yes["data"] == {"handle": "1" * 32}


def test_an_input_cannot_take_the_place_of_the_handle() -> None:
    card = Card(title="T", inputs=(TextInput(name="handle", label="Handle"),))
    assert list(inputs(render.adaptive(card))) == ["in.handle"]
    assert render.fields({"handle": "a" * 32, "in.handle": "typed"}) == {"handle": "typed"}


@pytest.mark.parametrize(
    "data", [None, "x", [1], {"in.a": 1, "in.b": None, "in.c": {}, "d": "x", "in.e": ""}]
)
def test_what_is_out_of_form_in_a_press_is_left_out(data: object) -> None:
    assert render.fields(data) == {}


def test_an_error_stands_under_its_input_and_what_was_filled_in_stays() -> None:
    card = Card(title="T", inputs=(TextInput(name="a", label="A"), TextInput(name="b", label="B")))
    made = render.adaptive(card, {"a": "Wrong."}, {"a": "typed", "b": "too"})
    kinds = [part.get("id") or texts(part) for part in made["body"]]
    assert kinds == ["T", "in.a", "Wrong.", "in.b"]
    assert [one["value"] for one in inputs(made).values()] == ["typed", "too"]


def test_more_than_six_buttons_stand_in_rows() -> None:
    card = Card(title="T", buttons=tuple(Button(label=str(at), handle="a" * 32) for at in range(14)))
    rows = [part for part in render.adaptive(card)["body"] if part["type"] == "ActionSet"]
    assert [len(row["actions"]) for row in rows] == [6, 6, 2]


def test_a_link_that_is_none_is_left_out() -> None:
    card = Card(title="T", links=(Link(label="x", url="javascript:alert(1)"),))
    assert not actions(render.adaptive(card))


@pytest.mark.parametrize(
    ("text", "mentions", "said"),
    [
        ("<at>Deskhand</at> unlock me", [(BOT, "Deskhand")], "unlock me"),
        ("hello&nbsp;there &amp; &lt;b&gt;", [], "hello there & <b>"),
        (
            "<at>Deskhand</at> audit <at>Ana</at>",
            [(BOT, "Deskhand"), ("29:1a", "Ana")],
            "audit <@29:1a>",
        ),
        ("<at>Ana</at> and <at>Ana</at>", [("29:1", "Ana"), ("29:2", "Ana")], "<@29:1> and <@29:2>"),
        ('<at id="0">Ghost</at> x', [], "Ghost x"),
        ("a\0b\0c", [], "abc"),
        ("", [], ""),
    ],
)
def test_words(text: str, mentions: list[tuple[str, str]], said: str) -> None:
    entities = [
        {"mentioned": {"id": who, "name": name}, "text": f"<at>{name}</at>"} for who, name in mentions
    ]
    assert words(text, entities, BOT) == said


@given(st.text(), st.lists(st.dictionaries(st.sampled_from(["mentioned", "text"]), st.text() | st.none())))
def test_words_of_anything(text: str, mentions: list[dict[str, Any]]) -> None:
    assert "\0" not in words(text, mentions, BOT)
