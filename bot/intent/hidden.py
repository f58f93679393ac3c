"""What a language model is not told: secrets, who somebody is, where something lies. Marks stand for it.

This is about what leaves the house, not about what may happen: nothing a model says is trusted either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.chat.clean import plain
from bot.chat.redact import redact
from bot.intent.resources import names_in

SENT_CHARS = 2_000  # of a message: as much as the classifier looks at

_LINK = re.compile(r"\b(?:https?|ftp|ldaps?|file|ssh)://\S+|\bwww\.\S+|\\\\\S+", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}")
_MENTION = re.compile(r"<[@#!][^>\n]{1,160}>|(?<!\S)@[\w.-]{1,60}")
_GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
# Letters with figures: "R-7Q2MXB", "IT-12", "p-1020", "U024BE7LH", "srv01db3". "Q3", "2pm" and "21st" stay.
_ID = re.compile(
    r"\b[A-Z]{1,8}[-#_](?=[0-9A-Z]*\d)[0-9A-Z]{1,20}\b|\b(?=[A-Z]*\d)(?=\d*[A-Z])(?!\d{1,4}[A-Z]{1,5}\b)"
    r"(?![A-Z]{1,3}\d{1,3}\b)[0-9A-Z]{6,40}\b",
    re.IGNORECASE,
)
_FIGURES = re.compile(r"\+?\d(?:[ ()/.-]{0,2}\d){5,30}")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}(?:[-/.](?:\d{4}|\d{2}))?")


def hidden(text: str, *, known: frozenset[str], names: frozenset[str], own: Iterable[str] = ()) -> str:
    """``text`` as it may be told.

    :param known: small words that are no names, those of the catalogue among them
    :param names: words that are names even in small letters
    :param own: what the sender is called
    """
    text, _ = redact(plain(text, SENT_CHARS))
    text = _LINK.sub("[link]", text)
    text = _MENTION.sub("[person]", text)
    text = _MAIL.sub("[mail]", text)
    text = _GUID.sub("[id]", text)
    text = _ID.sub("[id]", text)
    text = _FIGURES.sub(_number, text)
    for name in [*own, *names_in(text, common=known, names=names)]:
        words = r"\s+".join(re.escape(word) for word in name.split())
        text = re.sub(rf"(?<!\w)(?:{words})(?!\w)", "[person]", text) if words else text
    return text


def _number(found: re.Match[str]) -> str:
    """Phones, accounts, cards; not "2026-12-21" and not "1.12.-24.12."."""
    rest = _DATE.sub("", found[0])
    return found[0] if sum(c.isdigit() for c in rest) < 5 else "[number]"
