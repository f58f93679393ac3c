"""Card -> Block Kit. Every text is ``plain_text``: nothing anybody wrote becomes markup, mention or link.

What does not fit into Slack's limits is cut with a sign. Inputs that must be filled in are not put into a
message: a press of their button is answered with a form (``forms.py``).
Source: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.chat.card import Button, Card, Fact, Input, Link, TextInput, Tone
from bot.chat.clean import plain
from bot.chat.platform import Section
from bot.chat.slack.forms import input_block, label, text

BLOCKS, PAGE_BLOCKS = 50, 100  # of a message, of a page
_HEADER, _SECTION, _FIELD, _CONTEXT = 150, 3000, 2000, 2000  # characters
_FIELDS, _BUTTONS = 10, 25
_FALLBACK = 300  # characters of a notification
_VALUE, _URL = 2000, 3000
_STYLES = {Tone.PRIMARY: "primary", Tone.GOOD: "primary", Tone.DANGER: "danger"}
_SIGNS = {Tone.GOOD: "✓", Tone.WARN: "⚠", Tone.DANGER: "✗", Tone.WAIT: "…"}

Block = dict[str, Any]


def message(card: Card, mark: str = "") -> dict[str, Any]:
    """What ``chat.postMessage`` takes. ``mark``: the ``block_id`` of the first block, to find it by."""
    blocks = _blocks(card)
    if mark:
        blocks[0]["block_id"] = mark
    said = " · ".join(part for part in (card.title, card.status, card.text) if part)
    return {"text": fallback(said), "blocks": _cut(blocks, BLOCKS)}


def fallback(said: str) -> str:
    """For notifications, where Slack reads markup: nothing of it can form a mention or a link."""
    shown = plain(said, _FALLBACK).replace("\n", " ")
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped or "Deskhand"


def page(sections: Sequence[Section], note: str = "") -> dict[str, Any]:
    """The App Home view of one person."""
    blocks: list[Block] = []
    if note:
        blocks.append(_section(note))
    for at, section in enumerate(sections):
        heading = f"{section.title} (the latest {len(section.cards)})" if section.more else section.title
        blocks.append(_header(heading))
        if not section.cards:
            blocks.append(_context("Nothing here."))
        for number, card in enumerate(section.cards):
            blocks += _blocks(card, prefix=f"{at}.{number}", compact=True)
            blocks.append({"type": "divider"})
    return {"type": "home", "blocks": _cut(blocks or [_context("Nothing here.")], PAGE_BLOCKS)}


def _blocks(card: Card, prefix: str = "", *, compact: bool = False) -> list[Block]:
    blocks = [_section(card.title) if compact else _header(card.title)]
    if card.status:
        blocks.append(_context(f"{_SIGNS.get(card.tone, '')} {card.status}".strip()))
    if card.text:
        blocks.append(_section(card.text))
    blocks += _facts(card.facts)
    for quote in card.quotes:
        blocks += [_context(f"{quote.label}:"), _section(f"“{quote.text}”" if quote.text else "“”")]
    if not compact:
        blocks += [input_block(each) for each in inline(card.inputs)]
    if buttons := _actions(card.buttons, card.links):
        blocks.append({"type": "actions", "block_id": f"press.{prefix}", "elements": buttons})
    if card.footer:
        blocks.append(_context(card.footer))
    return blocks


def inline(inputs: Iterable[Input]) -> list[TextInput]:
    """What stands in the message itself: a text that may be left out, where nothing else has to be given."""
    given = list(inputs)
    if any(each.required or not isinstance(each, TextInput) for each in given):
        return []
    return [each for each in given if isinstance(each, TextInput)]


def _facts(facts: Sequence[Fact]) -> list[Block]:
    """Two columns: what it is, and what is said of it."""
    rows = [(label(fact.label, 200) + ":", plain(fact.value, _FIELD - 10)) for fact in facts]
    blocks = []
    for at in range(0, len(rows), _FIELDS // 2):
        fields = [text(part, _FIELD) for row in rows[at : at + _FIELDS // 2] for part in row]
        blocks.append({"type": "section", "fields": fields})
    return blocks


def _actions(buttons: Sequence[Button], links: Sequence[Link]) -> list[Block]:
    elements: list[Block] = []
    for at, button in enumerate(buttons):
        element = {
            "type": "button",
            "action_id": f"b{at}",
            "text": text(button.label or "…", 75),
            "value": button.handle[:_VALUE],
        }
        if style := _STYLES.get(button.tone):
            element["style"] = style
        elements.append(element)
    for at, link in enumerate(links):
        if link.url.startswith(("https://", "http://")) and len(link.url) <= _URL:
            shown = text(link.label or "Open", 75)
            elements.append({"type": "button", "action_id": f"link{at}", "text": shown, "url": link.url})
    return elements[:_BUTTONS]


def _header(said: str) -> Block:
    return {"type": "header", "text": text(said or "Deskhand", _HEADER)}


def _section(said: str) -> Block:
    return {"type": "section", "text": text(said, _SECTION)}


def _context(said: str) -> Block:
    return {"type": "context", "elements": [text(said, _CONTEXT)]}


def _cut(blocks: list[Block], most: int) -> list[Block]:
    """What does not fit is said to be missing; the buttons of a message stay."""
    if len(blocks) <= most:
        return blocks
    kept = [block for block in blocks[most - 2 :] if block["type"] == "actions"][:1]
    sign = _context(f"… {len(blocks) - most + 1 + len(kept)} more parts do not fit here.")
    return [*blocks[: most - 1 - len(kept)], sign, *kept]
