"""Text that is safe to show: no control characters, no reordering, nothing invisible, no more than fits."""

from __future__ import annotations

import re

# Line ends of every kind become one newline; a tab would be swallowed as a control.
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")

# C0 and C1 controls except newline; marks, overrides and isolates that reorder text; characters
# without width (they hide words from filters and from readers); tags (invisible ASCII); lone surrogates
# (they cannot be written as UTF-8).
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)


def plain(text: str, limit: int) -> str:
    """``text`` as it may stand on any surface, at most ``limit`` characters long.

    Where it is cut, its last character is "…". Letters, accents and emoji of any script stay.
    """
    if not (text.isascii() and text.isprintable()):
        text = _LINE_ENDS.sub("\n", text).replace("\t", " ")
        text = _UNSEEN.sub("", text)
    if len(text) <= limit:
        return text
    return text[: max(0, limit - 1)] + "…" if limit > 0 else ""
