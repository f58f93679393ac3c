"""What Teams refuses of a card or a message.

Sources: https://adaptivecards.io/schemas/adaptive-card.json, and
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft7Validator

from tests.servers.teams.state import Body

CARD = "application/vnd.microsoft.card.adaptive"
MESSAGE_BYTES = 40 * 1024  # of UTF-16
_BUTTONS = 6  # side by side
_MARKUP = ("TextBlock", "FactSet", "Table")  # read Markdown


@cache
def schema() -> Draft7Validator:
    """Of version 1.5, the newest that Teams shows."""
    text = files("adaptive_cards").joinpath("schemas/schema-1.5.json").read_text()
    return Draft7Validator(json.loads(text))


def of_activity(activity: Body) -> str:
    """What is wrong with it; empty where Teams takes it."""
    if len(json.dumps(activity, ensure_ascii=False).encode("utf-16-le", "surrogatepass")) > MESSAGE_BYTES:
        return "MessageSizeTooBig"
    if activity.get("type") not in ("message", "typing"):
        return "BadSyntax: type"
    for attachment in activity.get("attachments") or []:
        if attachment.get("contentType") != CARD:
            return "BadSyntax: contentType"
        if wrong := of_card(attachment.get("content")):
            return f"BadSyntax: {wrong}"
    if activity["type"] == "message" and not (activity.get("attachments") or activity.get("text")):
        return "BadSyntax: empty"
    return ""


def of_card(card: Any) -> str:
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard" or card.get("version") != "1.5":
        return "no Adaptive Card 1.5"
    if error := next(schema().iter_errors(card), None):
        return f"{list(error.absolute_path)}: {error.message[:200]}"
    return _deeper(card)


def _deeper(part: Any) -> str:
    """What the schema leaves open, and our own rule that no text is one in which markup counts."""
    if isinstance(part, list):
        return next((wrong for each in part if (wrong := _deeper(each))), "")
    if not isinstance(part, dict):
        return ""
    if part.get("type") in _MARKUP:
        return f"{part['type']} reads Markdown"
    if part.get("type") == "ActionSet" and len(part["actions"]) > _BUTTONS:
        return "more buttons in a row than are shown"
    if any("{{" in value for value in part.values() if isinstance(value, str)):
        return "a function in a text"
    return next((wrong for value in part.values() if (wrong := _deeper(value))), "")
