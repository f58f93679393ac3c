"""Slack's limits on blocks and views, as its documentation gives them: what is over one is refused whole.

Source: https://docs.slack.dev/reference/block-kit/blocks, .../block-elements, .../views
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from tests.servers.slack.state import elements

_MESSAGE, _VIEW = 50, 100
_PLAIN, _ANY = ("plain_text",), ("plain_text", "mrkdwn")

Part = Mapping[str, Any]


def of_message(blocks: Any) -> list[str]:
    return [*_blocks(blocks, _MESSAGE)]


def of_view(view: Any) -> list[str]:
    if not isinstance(view, dict) or view.get("type") not in ("home", "modal"):
        return ["a view is a home or a modal"]
    wrong = [*_blocks(view.get("blocks"), _VIEW)]
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if len(view.get(name) or "") > most:
            wrong.append(f"{name} is longer than {most}")
    if view["type"] == "modal":
        for name, needed in (("title", True), ("submit", False), ("close", False)):
            if needed or view.get(name):
                wrong += _text(view.get(name), 24, name, _PLAIN)
        if not view.get("submit") and any(_type(block) == "input" for block in _list(view, "blocks")):
            wrong.append("a modal with inputs needs a submit")
    return wrong


def _blocks(blocks: Any, most: int) -> Iterator[str]:
    if not isinstance(blocks, list) or not blocks or len(blocks) > most:
        yield f"1 to {most} blocks"
        return
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "a block_id twice"
    for block in blocks:
        if _type(block) not in _BLOCK:
            yield f"unknown block {_type(block)!r}"
            continue
        yield from _id(block, "block_id")
        yield from _BLOCK[block["type"]](block)
        actions = [element["action_id"] for element in elements(block) if "action_id" in element]
        if len(actions) != len(set(actions)):
            yield "an action_id twice in one block"
        try:
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.to_dict()
        except SlackObjectFormationError as error:
            yield str(error)


def _type(part: Any) -> Any:
    return part.get("type") if isinstance(part, dict) else None


def _list(part: Part, name: str) -> list[Any]:
    found = part.get(name)
    return found if isinstance(found, list) else []


def _id(part: Part, name: str) -> Iterator[str]:
    if name in part and not (isinstance(part[name], str) and 1 <= len(part[name]) <= 255):
        yield f"{name} has 1 to 255 characters"


def _text(said: Any, most: int, where: str, kinds: tuple[str, ...] = _ANY) -> list[str]:
    if _type(said) not in kinds:
        return [f"{where} is no {' or '.join(kinds)} text object"]
    text = said.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= most:
        return [f"{where} has 1 to {most} characters"]
    if said["type"] == "mrkdwn" and "emoji" in said:
        return [f"{where}: emoji goes with plain_text"]
    return []


# Blocks


def _header(block: Part) -> Iterator[str]:
    yield from _text(block.get("text"), 150, "header", _PLAIN)


def _section(block: Part) -> Iterator[str]:
    if "text" in block:
        yield from _text(block["text"], 3000, "section")
    elif not block.get("fields"):
        yield "a section has a text or fields"
    if "fields" in block:
        if not 1 <= len(_list(block, "fields")) <= 10:
            yield "1 to 10 fields"
        for field in _list(block, "fields"):
            yield from _text(field, 2000, "field")
    if "accessory" in block:
        yield from _element(block["accessory"], _PRESSED | _CHOSEN | {"image"})


def _context(block: Part) -> Iterator[str]:
    if not 1 <= len(_list(block, "elements")) <= 10:
        yield "1 to 10 context elements"
    for element in _list(block, "elements"):
        if _type(element) == "image":
            yield from _image(element)
        else:
            yield from _text(element, 2000, "context")


def _actions(block: Part) -> Iterator[str]:
    if not 1 <= len(_list(block, "elements")) <= 25:
        yield "1 to 25 elements"
    for element in _list(block, "elements"):
        yield from _element(element, _PRESSED | _CHOSEN)


def _input(block: Part) -> Iterator[str]:
    yield from _text(block.get("label"), 2000, "label", _PLAIN)
    if block.get("hint"):
        yield from _text(block["hint"], 2000, "hint", _PLAIN)
    yield from _element(block.get("element"), (_CHOSEN - {"overflow"}) | {"plain_text_input"})


def _image(part: Part) -> Iterator[str]:
    if not 1 <= len(part.get("image_url", "")) <= 3000 or not 1 <= len(part.get("alt_text", "")) <= 2000:
        yield "an image has an image_url of up to 3000 and an alt_text of up to 2000"


# Elements


def _element(element: Any, allowed: set[str]) -> Iterator[str]:
    kind = _type(element)
    if kind not in allowed:
        yield f"unknown element {kind!r} here"
        return
    yield from _id(element, "action_id")
    if "placeholder" in element:
        yield from _text(element["placeholder"], 150, "placeholder", _PLAIN)
    if "confirm" in element:
        yield from _confirm(element["confirm"])
    yield from _ELEMENT[kind](element)


def _button(element: Part) -> Iterator[str]:
    yield from _text(element.get("text"), 75, "button", _PLAIN)
    if len(element.get("value", "")) > 2000:
        yield "a button's value is longer than 2000"
    if element.get("style", "primary") not in ("primary", "danger"):
        yield "a button's style is primary or danger"
    if len(element.get("url", "")) > 3000:
        yield "a button's url is longer than 3000"


def _confirm(part: Any) -> Iterator[str]:
    for name, most in (("title", 100), ("confirm", 30), ("deny", 30)):
        yield from _text(part.get(name), most, f"confirm.{name}", _PLAIN)
    yield from _text(part.get("text"), 300, "confirm.text")


def _plain_text_input(element: Part) -> Iterator[str]:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if not 1 <= most <= 3000 or not 0 <= least <= most:
        yield "min_length and max_length are up to 3000"
    if len(element.get("initial_value", "")) > most:
        yield "initial_value is longer than max_length"


def _select(least: int, most: int, kinds: tuple[str, ...]) -> Callable[[Part], Iterator[str]]:
    """The check of an element with this many options."""

    def check(element: Part) -> Iterator[str]:
        options = _list(element, "options")
        if not least <= len(options) <= most:
            yield f"{element['type']}: {least} to {most} options"
        for option in options:
            yield from _option(option, kinds)
        chosen = [element["initial_option"]] if "initial_option" in element else []
        for each in chosen + _list(element, "initial_options"):
            if each not in options:
                yield "what is chosen at first is one of the options, letter by letter"

    return check


def _option(option: Any, kinds: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(option, dict):
        yield "an option is an object"
        return
    yield from _text(option.get("text"), 75, "option", kinds)
    if not isinstance(option.get("value"), str) or not 1 <= len(option["value"]) <= 150:
        yield "an option's value has 1 to 150 characters"
    if "description" in option:
        yield from _text(option["description"], 75, "description", kinds)


def _datepicker(element: Part) -> Iterator[str]:
    try:
        date.fromisoformat(element.get("initial_date", "2026-01-01"))
    except ValueError:
        yield "initial_date is YYYY-MM-DD"


_PRESSED = {"button"}
_CHOSEN = {
    "static_select",
    "multi_static_select",
    "checkboxes",
    "radio_buttons",
    "overflow",
    "datepicker",
    "users_select",
}
_ELEMENT: dict[str, Callable[[Any], Iterator[str]]] = {
    "button": _button,
    "image": _image,
    "plain_text_input": _plain_text_input,
    "static_select": _select(1, 100, _PLAIN),
    "multi_static_select": _select(1, 100, _PLAIN),
    "checkboxes": _select(1, 10, _ANY),
    "radio_buttons": _select(1, 10, _ANY),
    "overflow": _select(1, 5, _PLAIN),
    "datepicker": _datepicker,
    "users_select": lambda element: iter(()),
}
_BLOCK: dict[str, Callable[[Any], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "divider": lambda block: iter(()),
}
