"""Slack's limits on blocks and views, as its documentation gives them: what is over one is refused whole.

Source: https://docs.slack.dev/reference/block-kit/blocks, .../block-elements, .../views
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

_MESSAGE, _VIEW = 50, 100
_IN_MESSAGES = {"header", "section", "context", "actions", "input", "divider"}


def of_message(blocks: Any) -> list[str]:
    return [*_blocks(blocks, _MESSAGE)]


def of_view(view: Any) -> list[str]:
    if not isinstance(view, dict) or view.get("type") not in ("home", "modal"):
        return ["a view is a home or a modal"]
    wrong = [*_blocks(view.get("blocks"), _VIEW)]
    if len(view.get("private_metadata", "")) > 3000:
        wrong.append("private_metadata is longer than 3000")
    if view["type"] == "modal":
        for name, needed in (("title", True), ("submit", False), ("close", False)):
            if needed or view.get(name):
                wrong += _text(view.get(name), 24, name)
        if any(block.get("type") == "input" for block in view["blocks"]) and not view.get("submit"):
            wrong.append("a modal with inputs needs a submit")
    return wrong


def _blocks(blocks: Any, most: int) -> Iterator[str]:
    if not isinstance(blocks, list) or not blocks or len(blocks) > most:
        yield f"1 to {most} blocks"
        return
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "a block_id twice"
    for block in blocks:
        if block.get("type") not in _IN_MESSAGES:
            yield f"unknown block {block.get('type')!r}"
            continue
        if len(block.get("block_id", "x")) > 255:
            yield "block_id is longer than 255"
        yield from _BLOCK[block["type"]](block)
        try:
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.to_dict()
        except SlackObjectFormationError as error:
            yield str(error)


def _text(said: Any, most: int, where: str) -> list[str]:
    if not isinstance(said, dict) or said.get("type") not in ("plain_text", "mrkdwn"):
        return [f"{where} is no text object"]
    length = len(said.get("text", ""))
    return [] if 1 <= length <= most else [f"{where} has {length} characters, of 1 to {most}"]


def _header(block: dict[str, Any]) -> Iterator[str]:
    yield from _text(block.get("text"), 150, "header")
    if block["text"].get("type") != "plain_text":
        yield "a header is plain text"


def _section(block: dict[str, Any]) -> Iterator[str]:
    if "text" in block:
        yield from _text(block["text"], 3000, "section")
    elif not block.get("fields"):
        yield "a section has a text or fields"
    if len(block.get("fields", ())) > 10:
        yield "more than 10 fields"
    for field in block.get("fields", ()):
        yield from _text(field, 2000, "field")


def _context(block: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(block.get("elements", ())) <= 10:
        yield "1 to 10 context elements"
    for element in block.get("elements", ()):
        yield from _text(element, 2000, "context")


def _actions(block: dict[str, Any]) -> Iterator[str]:
    elements = block.get("elements", ())
    if not 1 <= len(elements) <= 25:
        yield "1 to 25 elements"
    ids = [element.get("action_id") for element in elements]
    if len(ids) != len(set(ids)):
        yield "an action_id twice"
    for element in elements:
        if element.get("type") != "button":
            yield f"unknown element {element.get('type')!r}"
            continue
        yield from _text(element.get("text"), 75, "button")
        if len(element.get("value", "")) > 2000 or not 1 <= len(element.get("action_id", "")) <= 255:
            yield "a button's value or action_id"
        if element.get("style", "primary") not in ("primary", "danger"):
            yield "a button's style"
        if len(element.get("url", "")) > 3000:
            yield "a button's url"


def _input(block: dict[str, Any]) -> Iterator[str]:
    yield from _text(block.get("label"), 2000, "label")
    element = block.get("element") or {}
    match element.get("type"):
        case "plain_text_input":
            if not 1 <= element.get("max_length", 1) <= 3000:
                yield "max_length"
            if len(element.get("initial_value", "")) > element.get("max_length", 3000):
                yield "initial_value"
            if "placeholder" in element:
                yield from _text(element["placeholder"], 150, "placeholder")
        case "static_select" | "checkboxes":
            most = 100 if element["type"] == "static_select" else 10
            if not 1 <= len(element.get("options", ())) <= most:
                yield f"1 to {most} options"
            for option in element.get("options", ()):
                yield from _text(option.get("text"), 75, "option")
                if not 1 <= len(option.get("value", "")) <= 150:
                    yield "an option's value"
        case other:
            yield f"unknown input {other!r}"


_BLOCK = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "divider": lambda block: iter(()),
}
