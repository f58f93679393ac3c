"""A card's inputs -> a modal, and what came back from one -> the neutral fields.

Source: https://docs.slack.dev/reference/views/modal-views
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.chat.card import Card, CheckInput, ChoiceInput, Input, TextInput
from bot.chat.clean import plain

CALLBACK = "deskhand-form"
_TITLE, _LABEL, _OPTION, _HINT = 24, 2000, 75, 150  # characters
_OPTIONS = 100
_TEXT, _PRIVATE = 3000, 3000
_VALUE = "value"  # the action_id of every input; its block_id is the input's name
_TICKED = "yes"


def form(card: Card, handle: str, *, private: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The modal in which a card's inputs are filled in before the button with this handle counts.

    :param private: comes back with it, unseen by the person
    :param values: what was filled in already
    """
    button = next((each for each in card.buttons if each.handle == handle), None)
    blocks: list[dict[str, Any]] = []
    if card.text:
        blocks.append({"type": "section", "text": text(card.text, _TEXT)})
    for fact in card.facts[:5]:
        blocks.append({"type": "section", "fields": [text(f"{fact.label}:", 200), text(fact.value, 1900)]})
    blocks += [input_block(each, values.get(each.name, "")) for each in card.inputs[:50]]
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": private[:_PRIVATE],
        "title": text(card.title, _TITLE),
        "submit": text(button.label if button else "Send", _TITLE),
        "close": text("Cancel", _TITLE),
        "blocks": blocks,
    }


def fields(values: object) -> dict[str, str]:
    """``state.values`` of a message or a view, as the desk takes it; what is out of form is left out."""
    found: dict[str, str] = {}
    for name, block in values.items() if isinstance(values, dict) else ():
        element = block.get(_VALUE) if isinstance(block, dict) else None
        if isinstance(element, dict) and isinstance(value := _given(element), str):
            found[str(name)] = value
    return found


def _given(element: Mapping[str, Any]) -> object:
    match element.get("type"):
        case "plain_text_input":
            return element.get("value")
        case "static_select":
            chosen = element.get("selected_option")
            return chosen.get("value") if isinstance(chosen, dict) else None
        case "checkboxes":
            return _TICKED if element.get("selected_options") else None
    return None


def input_block(part: Input, value: str = "") -> dict[str, Any]:
    """One input with its label; its ``block_id`` is the input's name."""
    return {
        "type": "input",
        "block_id": part.name[:255],
        "optional": not part.required,
        "label": text(part.label or part.name, _LABEL),
        "element": _element(part, value),
    }


def _element(part: Input, value: str) -> dict[str, Any]:
    element: dict[str, Any]
    match part:
        case TextInput():
            most = max(1, min(part.max_length, _TEXT))
            element = {"type": "plain_text_input", "multiline": part.multiline, "max_length": most}
            if part.placeholder:
                element["placeholder"] = text(part.placeholder, _HINT)
            if value:
                element["initial_value"] = plain(value, most)
        case ChoiceInput():
            options = _options(part)
            element = {"type": "static_select", "options": options}
            chosen = [option for option in options if option["value"] == value]
            if chosen:
                element["initial_option"] = chosen[0]
        case CheckInput():
            option = {"text": text("Yes", _OPTION), "value": _TICKED}
            element = {"type": "checkboxes", "options": [option]}
            if value == _TICKED:
                element["initial_options"] = [option]
    return {**element, "action_id": _VALUE}


def _options(part: ChoiceInput) -> list[dict[str, Any]]:
    """Up to what Slack shows; one can still write what is missing."""
    made = []
    for option in part.options[:_OPTIONS]:
        shown = {"text": text(option.label or option.value or "–", _OPTION), "value": option.value[:_HINT]}
        if option.hint:
            shown["description"] = text(option.hint, _OPTION)
        made.append(shown)
    return made


def text(said: str, most: int) -> dict[str, Any]:
    """A plain text object that cannot be empty: Slack refuses one."""
    return {"type": "plain_text", "text": plain(said, most).strip() or "–", "emoji": False}


def label(said: str, most: int) -> str:
    """On one line, without the colon that follows it."""
    return plain(said, most).replace("\n", " ").rstrip(": ")
