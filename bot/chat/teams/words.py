"""Teams' message text to what the person wrote.

Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/channel-and-group-conversations
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TAG = re.compile(r"</?at\b[^<>]{0,200}>", re.IGNORECASE)


def words(text: str, mentions: Iterable[Mapping[str, Any]], bot: str) -> str:
    """Plain words. A mention of an account stays as ``<@29:123>``: the desk knows who that is."""
    text = text.replace("\0", "")
    for mention in mentions:
        who, shown = mention.get("mentioned"), mention.get("text")
        if isinstance(who, Mapping) and isinstance(shown, str) and shown:
            account = str(who.get("id", ""))
            text = text.replace(shown, " " if account == bot else f"\0{account}\0", 1)
    text = html.unescape(_TAG.sub("", text)).replace("\xa0", " ")
    parts = text.split("\0")
    return "".join(f"<@{part}>" if at % 2 else part for at, part in enumerate(parts)).strip()
