"""Slack's message text to what the person wrote.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import html
import re

# <@U123|name>, <#C123|general>, <!here>, <!subteam^S1|@x>, <mailto:a@b.c|a@b.c>, <https://x|label>
_TOKEN = re.compile(r"<([@#!]?)([^<>|\n]{1,3000})(?:\|([^<>\n]{0,3000}))?>")


def words(text: str) -> str:
    """Plain words. A mention of an account stays as ``<@U123>``: the desk knows who that is."""
    return html.unescape(_TOKEN.sub(_said, text)) if "<" in text or "&" in text else text


def _said(found: re.Match[str]) -> str:
    sign, target, label = found[1], found[2], found[3] or ""
    if sign == "@":
        return f"<@{target}>"
    if sign == "#":
        return f"#{label or target}"
    if sign == "!":
        return label or f"@{target.partition('^')[0]}"
    return label or target.removeprefix("mailto:")
