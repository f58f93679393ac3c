"""Card -> Adaptive Card. Every text is a ``TextRun``, the one element in which nothing becomes markup.

A TextBlock and a FactSet read Markdown, links included. ``{{`` would begin a date function anywhere.
Source: https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.chat.card import Button, Card, CheckInput, ChoiceInput, Fact, Input, Link, Quote, TextInput, Tone
from bot.chat.clean import plain

CARD = "application/vnd.microsoft.card.adaptive"
VERSION = "1.5"
VERB = "press"
HANDLE = "handle"

# Teams takes 40 KB of UTF-16 in a message (once 28, lately more), so this many characters are always taken.
MOST = 18_000
_TITLE, _TEXT, _VALUE, _SMALL = 300, 3_000, 1_000, 500  # characters
_LINES, _FACTS, _CHOICES = 60, 40, 100
_ROW = 6  # buttons that Teams shows side by side
_IN = "in."  # before the name of each input, so that none is taken for a handle
_TICKED = "yes"

_COLORS = {Tone.GOOD: "Good", Tone.WARN: "Warning", Tone.DANGER: "Attention", Tone.WAIT: "Accent"}
_SIGNS = {Tone.GOOD: "✓", Tone.WARN: "⚠", Tone.DANGER: "✗", Tone.WAIT: "…"}
_STYLES = {Tone.PRIMARY: "positive", Tone.GOOD: "positive", Tone.DANGER: "destructive"}

_FUNCTION = re.compile(r"\{(?=\{)")

Part = dict[str, Any]


def message(card: Card) -> Part:
    """The activity that shows a card."""
    said = " · ".join(part for part in (card.title, card.status) if part)
    return {
        "type": "message",
        "summary": text(said, 200).replace("\n", " ") or "Deskhand",  # what a notification says
        "attachments": [{"contentType": CARD, "content": adaptive(card)}],
    }


def line(said: str) -> Part:
    """An activity of a line of words."""
    return {"type": "message", "textFormat": "plain", "text": text(said, _TEXT)}


def adaptive(
    card: Card,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
    notice: str = "",
) -> Part:
    """:param errors: what is wrong with an input, by its name
    :param values: what was filled in already
    :param notice: a line for whoever pressed"""
    most = _TEXT
    while True:
        made = _adaptive(card, errors or {}, values or {}, most, notice)
        if most < 50 or len(json.dumps(made, ensure_ascii=True)) <= MOST:
            return made
        most //= 2


def text(said: str, most: int) -> str:
    """As it may stand anywhere in a card: no function begins in it."""
    return _FUNCTION.sub("{ ", plain(said, most))


def fields(data: object) -> dict[str, str]:
    """What came with a press, as the desk takes it; what is out of form is left out."""
    given = data.items() if isinstance(data, Mapping) else ()
    return {
        str(name).removeprefix(_IN): value
        for name, value in given
        if str(name).startswith(_IN) and isinstance(value, str) and value
    }


def _adaptive(
    card: Card, errors: Mapping[str, str], values: Mapping[str, str], most: int, notice: str
) -> Part:
    body = [_run(card.title or "Deskhand", _TITLE, size="Large", weight="Bolder")]
    if card.status:
        sign = f"{_SIGNS.get(card.tone, '')} {card.status}".strip()
        body.append(
            _run(sign, _TITLE, color=_COLORS.get(card.tone, "Default"), weight="Bolder", spacing="Small")
        )
    body += _words(card.text, most)
    body += [_fact(fact, most) for fact in card.facts[:_FACTS]]
    for quote in card.quotes:
        body.append(_quote(quote, most))
    for part in card.inputs:
        body += _asked(part, values.get(part.name, ""), errors.get(part.name, ""))
    named = {part.name for part in card.inputs}
    body += [_wrong(said) for name, said in errors.items() if name not in named]
    body += _rows(card.buttons, card.links)
    body += _words(notice, _SMALL, color="Accent")
    if card.footer:
        body.append(_run(card.footer, _SMALL, size="Small", isSubtle=True))
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": VERSION,
        "fallbackText": text(card.title, _TITLE) or "Deskhand",
        "body": body,
    }


def _run(said: str, most: int, spacing: str = "Default", **look: Any) -> Part:
    run = {"type": "TextRun", "text": text(said, most).replace("\n", " ") or "–", **look}
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": [run]}


def _words(said: str, most: int, **look: Any) -> list[Part]:
    """A block a line: a line end within a run is not shown."""
    lines = [each for each in text(said, most).split("\n") if each.strip()]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], f"… {len(lines) - _LINES + 1} more lines"]
    return [_run(each, most, "Small" if at else "Default", **look) for at, each in enumerate(lines)]


def _fact(fact: Fact, most: int) -> Part:
    label = text(fact.label, 200).replace("\n", " ").rstrip(": ") + ":"
    return {
        "type": "ColumnSet",
        "spacing": "Small",
        "columns": [
            {"type": "Column", "width": 2, "items": [_run(label, 220, isSubtle=True)]},
            {"type": "Column", "width": 3, "items": _words(fact.value, min(most, _VALUE)) or [_run("–", 1)]},
        ],
    }


def _quote(quote: Quote, most: int) -> Part:
    said = _words(f"“{quote.text}”", most)
    return {
        "type": "Container",
        "style": "emphasis",
        "items": [_run(f"{quote.label}:", 200, size="Small", isSubtle=True), *said],
    }


def _asked(part: Input, value: str, error: str) -> list[Part]:
    made: Part = {"id": _IN + part.name[:80], "label": text(part.label or part.name, 500)}
    match part:
        case TextInput():
            most = max(1, min(part.max_length, 4_000))
            made |= {"type": "Input.Text", "isMultiline": part.multiline, "maxLength": most}
            if part.placeholder:
                made["placeholder"] = text(part.placeholder, 150)
            if value:
                made["value"] = text(value, most)
        case ChoiceInput():
            made |= {"type": "Input.ChoiceSet", "style": "compact", "choices": _choices(part)}
            if value:
                made["value"] = value
        case CheckInput():
            made |= {"type": "Input.Toggle", "title": "Yes", "valueOn": _TICKED, "valueOff": ""}
            if value:
                made["value"] = value
    return [made, *([_wrong(error)] if error else [])]


def _choices(part: ChoiceInput) -> list[Part]:
    shown = [
        (option.label or option.value or "–", option.hint, option.value) for option in part.options[:_CHOICES]
    ]
    return [
        {"title": text(f"{said} – {hint}" if hint else said, 120), "value": value}
        for said, hint, value in shown
    ]


def _wrong(said: str) -> Part:
    return _run(said, _SMALL, "None", color="Attention", size="Small")


def _rows(buttons: Sequence[Button], links: Sequence[Link]) -> list[Part]:
    """Those beyond six would hide behind dots."""
    made = [_button(each) for each in buttons] + [
        {"type": "Action.OpenUrl", "title": text(link.label or "Open", 75), "url": link.url}
        for link in links
        if link.url.startswith(("https://", "http://"))
    ]
    return [{"type": "ActionSet", "actions": made[at : at + _ROW]} for at in range(0, len(made), _ROW)]


def _button(button: Button) -> Part:
    made = {
        "type": "Action.Execute",
        "title": text(button.label or "…", 75),
        "verb": VERB,
        "data": {HANDLE: button.handle},
        "associatedInputs": "auto" if button.sends_inputs else "none",
    }
    return {**made, "style": _STYLES[button.tone]} if button.tone in _STYLES else made
