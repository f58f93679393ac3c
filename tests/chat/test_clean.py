"""Shown text has no controls, nothing that reorders it, nothing invisible, and no more than fits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.clean import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("hello", "hello"),
        ("two\nlines", "two\nlines"),
        ("two\r\nlines\rthree\u2028four", "two\nlines\nthree\nfour"),
        ("a\tb", "a b"),
        ("nul\x00bell\x07esc\x1b[31mred", "nulbellesc[31mred"),
        ("c1\x9bcontrol", "c1control"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2066isolate\u2069 \u200fmark", "isolate mark"),
        ("pass\u200bword", "password"),
        ("\ufeffbom", "bom"),
        ("tag\U000e0041\U000e0042s", "tags"),
        ("lone \ud800 half", "lone  half"),
        ("Zoë Łukasz 李雷 علي 🙂", "Zoë Łukasz 李雷 علي 🙂"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
)
def test_only_what_can_be_seen_is_left(text: str, shown: str) -> None:
    assert plain(text, 100) == shown


@pytest.mark.parametrize(("limit", "shown"), [(5, "hello"), (4, "hel…"), (1, "…"), (0, ""), (-3, "")])
def test_a_long_text_is_cut_with_an_ellipsis(limit: int, shown: str) -> None:
    assert plain("hello", limit) == shown


@given(st.text(st.characters()), st.integers(0, 60))
def test_any_text_becomes_storable_bounded_and_stable(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert len(shown) <= limit
    assert plain(shown, limit) == shown
    shown.encode()
    assert all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in shown)
    assert not set(shown) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff"
    )
