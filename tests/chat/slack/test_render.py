"""Cards as Block Kit: plain text alone, within Slack's limits, with nothing lost but length."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.card import (
    Button,
    Card,
    CheckInput,
    ChoiceInput,
    Fact,
    Link,
    Option,
    Quote,
    TextInput,
    Tone,
)
from bot.chat.platform import Section
from bot.chat.slack.forms import fields, form
from bot.chat.slack.render import fallback, message, page
from bot.chat.slack.words import words
from tests.servers.slack import limits
from tests.servers.slack.server import buttons, texts

HOSTILE = [
    "<!channel> <!here> <@U0BO> <#C0GENERAL>",
    "<https://evil.example|Approved by CISO>",
    "*Approved by CFO*\n_really_ ~not~ `code` ```block```",
    "\u202eevorppA\u202c\u2066x\u2069\u200bhidden\ufeff",
    "line\x00\x1b[31m\x9b bell\x07",
    "lone \ud800 half",
    "&lt;!channel&gt; &amp;",
    "Z̸̢̛" * 2_000,
    "W" * 50_000,
    "\n" * 4_000,
    " ",
    "",
    ":warning: {{DATE()}} @channel",
]


def hostile_card(said: str) -> Card:
    return Card(
        title=said,
        text=said,
        status=said,
        facts=(Fact(label=said, value=said),) * 3,
        quotes=(Quote(label=said, text=said),) * 2,
        inputs=(TextInput(name="reason", label=said, placeholder=said, required=False),),
        buttons=(Button(label=said, handle="a" * 32),) * 2,
        links=(Link(label=said, url="https://desk.example/reveal/x"),),
        footer=said,
    )


def nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from nodes(value)


def assert_sound(blocks: list[dict[str, Any]]) -> None:
    assert not limits.of_message(blocks)
    assert not [node for node in nodes(blocks) if node.get("type") == "mrkdwn"]
    json.dumps(blocks, ensure_ascii=False).encode()  # no half character is left


class TestMessages:
    @pytest.mark.parametrize("said", HOSTILE)
    def test_nothing_that_anybody_wrote_becomes_markup(self, said: str) -> None:
        shown = message(hostile_card(said), "m" * 32)
        assert_sound(shown["blocks"])
        assert "<" not in shown["text"].replace("&lt;", "")
        assert shown["text"]
        assert shown["blocks"][0]["block_id"] == "m" * 32

    def test_a_fallback_can_form_no_mention_and_no_link(self) -> None:
        assert fallback("<!channel> & <https://x|y>") == "&lt;!channel&gt; &amp; &lt;https://x|y&gt;"
        assert fallback("") == "Deskhand"

    @given(st.builds(Card, title=st.text(), text=st.text(), status=st.text(), footer=st.text()))
    def test_any_text_fits(self, card: Card) -> None:
        assert_sound(message(card)["blocks"])

    def test_what_does_not_fit_is_said_to_be_missing_and_the_buttons_stay(self) -> None:
        card = Card(
            title="Long",
            facts=tuple(Fact(label=f"fact {n}", value="x") for n in range(400)),
            quotes=tuple(Quote(label="who", text="what") for _ in range(30)),
            buttons=tuple(Button(label=f"b{n}", handle=f"{n:032x}") for n in range(60)),
        )
        shown = message(card)["blocks"]
        assert_sound(shown)
        assert "more parts do not fit here" in texts(shown)
        assert "b0" in buttons({"blocks": shown})

    def test_a_text_over_the_limit_ends_with_a_sign(self) -> None:
        shown = message(Card(title="T", text="W" * 5_000))["blocks"]
        assert shown[1]["text"]["text"].endswith("W…")

    def test_a_button_carries_its_handle_and_nothing_else(self) -> None:
        shown = message(Card(title="T", buttons=(Button(label="Yes", handle="f" * 32, tone=Tone.PRIMARY),)))
        button = buttons(shown)["Yes"]
        assert (button["value"], button["style"]) == ("f" * 32, "primary")

    def test_only_addresses_of_the_web_are_linked(self) -> None:
        bad = ("javascript:alert(1)", "slack://channel?id=C1", "/reveal/x", "https://" + "x" * 4_000)
        card = Card(title="T", links=tuple(Link(label="x", url=url) for url in bad))
        assert not [node for node in nodes(message(card)["blocks"]) if "url" in node]

    def test_an_optional_text_stands_in_the_message_and_what_is_needed_does_not(self) -> None:
        reason = TextInput(name="reason", label="Reason", required=False)
        alone = message(Card(title="T", inputs=(reason,)))["blocks"]
        assert [block["block_id"] for block in alone if block["type"] == "input"] == ["reason"]
        needed = Card(title="T", inputs=(CheckInput(name="spoke", label="I spoke", required=True), reason))
        assert not [block for block in message(needed)["blocks"] if block["type"] == "input"]


class TestForms:
    CARD = Card(
        title="A title that is far too long for a window",
        text="Text",
        inputs=(
            TextInput(name="why", label="Why", max_length=9_000, multiline=True),
            ChoiceInput(
                name="which",
                label="Which",
                options=tuple(Option(value=str(n), label=f"option {n} " + "x" * 100) for n in range(500)),
            ),
            CheckInput(name="sure", label="I am sure", required=True),
        ),
        buttons=(Button(label="Send it off to everybody", handle="h" * 32),),
    )

    def test_every_input_is_in_it_within_slacks_limits(self) -> None:
        view = form(
            self.CARD, "h" * 32, private="{}", values={"why": "x" * 9_000, "which": "7", "sure": "yes"}
        )
        assert not limits.of_view(view)
        names = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
        assert names == ["why", "which", "sure"]
        assert view["submit"]["text"] == "Send it off to everybo…"[:24] or len(view["submit"]["text"]) <= 24

    @pytest.mark.parametrize("said", HOSTILE)
    def test_hostile_words_stay_text(self, said: str) -> None:
        view = form(hostile_card(said), "a" * 32, private="{}", values={"reason": said})
        assert not limits.of_view(view)
        assert not [node for node in nodes(view) if node.get("type") == "mrkdwn"]

    def test_what_was_filled_in_comes_back_by_name(self) -> None:
        state = {
            "why": {"value": {"type": "plain_text_input", "value": "because"}},
            "which": {"value": {"type": "static_select", "selected_option": {"value": "7"}}},
            "sure": {"value": {"type": "checkboxes", "selected_options": [{"value": "yes"}]}},
            "not": {"value": {"type": "checkboxes", "selected_options": []}},
            "empty": {"value": {"type": "plain_text_input", "value": None}},
        }
        assert fields(state) == {"why": "because", "which": "7", "sure": "yes"}

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("value"), inner),
        )
    )
    def test_what_is_out_of_form_is_left_out(self, said: object) -> None:
        assert all(isinstance(value, str) for value in fields(said).values())


class TestPages:
    def test_a_page_says_what_is_empty_and_what_is_missing(self) -> None:
        card = Card(title="R", status="Active", buttons=(Button(label="Give it back", handle="a" * 32),))
        view = page([Section("Your access", [card] * 40, more=3), Section("Your open requests", [])])
        assert not limits.of_view(view)
        assert "Your access (the latest 40)" in texts(view)
        assert "more parts do not fit here" in texts(view)
        assert "Nothing here." in texts(page([Section("Your open requests", [])]))


class TestWords:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("I need figma", "I need figma"),
            ("a &amp; b &lt;c&gt;", "a & b <c>"),
            ("see <https://x.example/a?b=1|the page>", "see the page"),
            ("see <https://x.example>", "see https://x.example"),
            ("<mailto:ana@x.example|ana@x.example> please", "ana@x.example please"),
            ("<mailto:ana@x.example>", "ana@x.example"),
            ("in <#C012|general> or <#C013>", "in #general or #C013"),
            ("<!here> <!subteam^S1|@it> <!subteam^S2>", "@here @it @subteam"),
            ("for <@U012|ana> and <@U013>", "for <@U012> and <@U013>"),
            ("a < b and <", "a < b and <"),
            ("<<@U1>>", "<<@U1>>"),
        ],
    )
    def test_slacks_text_is_what_the_person_wrote(self, text: str, said: str) -> None:
        assert words(text) == said

    @given(st.text(alphabet="<>@#!|&;ltgamp U1\n", max_size=500))
    def test_any_text_is_read(self, text: str) -> None:
        assert isinstance(words(text), str)
