"""Jira's wiki markup: people's words into it as they are, and what stands in it as plain text.

Words go in as a block without formatting: no picture, link, macro or mention begins in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from integrations.jira.reading import unreadable

LONGEST = 4_000  # characters of a comment that comes back
FITS = 15_000  # characters of a block; Jira takes 32,767 in a field, and some count twice
_READ = 70_000  # characters that are looked at
_BREAK = "\u200b"  # takes no room on a screen, and no tag or mention has it inside
_DEEP = 40  # levels of a document

_TAG = re.compile(r"(\{(?:noformat|code)(?::[^}\n]{0,80})?\})", re.IGNORECASE)
_BEGINS = re.compile(r"\{(?=\s*(?:noformat|code))|\[(?=\s*~)", re.IGNORECASE)
_BROKEN = re.compile(rf"([{{\[]){_BREAK}")
# No markup knows them, and some of them Jira refuses: control characters, halves of characters.
_REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LINES = re.compile(r"\r\n?|[\x85\u2028\u2029]")

_AT_LINE = re.compile(r"^(?:h[1-6]|bq)\.[ \t]+", re.MULTILINE)
_STRESSED = re.compile(r"(?<![\w\\*_])([*_])(?=\S)([^*_\n]{1,300})(?<=\S)\1(?![\w*_])")
_MARKS = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|!(?P<picture>[^!\s|]{1,200}\.[A-Za-z0-9]{1,5})(?:\|[^!\n]{0,200})?!"
    r"|(?P<mention>\[~[^\]\n]{0,200}\])"
    r"|\[\^(?P<file>[^\]\n]{1,200})\]"
    r"|\[(?P<words>[^\[\]|\n]{1,300})\|(?P<to>[^\]\s|]{1,2000})(?:\|[^\]\n]{0,50})?\]"
    r"|\[(?P<address>(?:https?|mailto):[^\]\s]{1,2000})\]"
    r"|\{\{(?P<fixed>[^}\n]{1,300})\}\}"
    r"|(?P<macro>\{(?:color|quote|panel|anchor|expand|adf)(?::[^}\n]{0,200})?\})"
)


def one_line(words: str, longest: int) -> str:
    """A field that knows no markup."""
    line = " ".join(_REFUSED.sub("", _LINES.sub("\n", words)).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def literal(words: str) -> str:
    """A block in which these words stand as they are."""
    kept = _BEGINS.sub(lambda at: at[0] + _BREAK, _REFUSED.sub("", _LINES.sub("\n", words)))
    return f"{{noformat}}\n{kept if len(kept) <= FITS else kept[: FITS - 1] + '…'}\n{{noformat}}"


def blocks(markup: str) -> list[str]:
    """The words of each block without formatting, as they stand there."""
    return [words for inside, words in _pieces(markup) if inside]


def plain(body: Any, field: str) -> str:
    """Wiki markup or a document, as plain text of a bounded length. :raises SystemDown: it is neither"""
    if body is None:
        return ""
    if isinstance(body, Mapping):
        return "".join(_written(body, 0)).strip()[:LONGEST]
    if not isinstance(body, str):
        raise unreadable(field)
    return "".join(words if inside else _plain(words) for inside, words in _pieces(body)).strip()[:LONGEST]


def _pieces(markup: str) -> Iterator[tuple[bool, str]]:
    """What stands in blocks without formatting (True), and between them."""
    ends, held = "", ""
    for each in _TAG.split(_LINES.sub("\n", markup[:_READ])):
        if ends and each.lower() == ends:
            yield True, _BROKEN.sub(r"\1", held).strip("\n")
            ends, held = "", ""
        elif ends:
            held += each
        elif _TAG.fullmatch(each):
            ends = f"{{{each[1:-1].partition(':')[0].lower()}}}"
        else:
            yield False, each
    if ends:
        yield True, held


def _plain(markup: str) -> str:
    return _MARKS.sub(_worded, _STRESSED.sub(r"\2", _AT_LINE.sub("", markup)))


def _worded(found: re.Match[str]) -> str:
    kind, said = found.lastgroup, found.group(found.lastgroup or 0)
    match kind:
        case "picture":
            return f"(picture: {said.rpartition('/')[2]})"
        case "mention":
            return "@somebody"
        case "file":
            return f"(file: {said})"
        case "to":
            return said if found["words"] == said else f"{found['words']} ({said})"
        case "macro":
            return ""
    return said


_SPACES = {"paragraph": "\n", "heading": "\n", "codeBlock": "\n", "tableRow": "\n", "hardBreak": "\n"}
_PICTURES = frozenset({"media", "mediaInline"})


def _written(node: Any, depth: int) -> Iterator[str]:
    """The words of a document, node by node."""
    if not isinstance(node, Mapping) or depth > _DEEP:
        return
    kind = node.get("type")
    given = node.get("attrs")
    about: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if kind == "text":
        yield str(node.get("text", ""))
    elif kind == "mention":
        yield str(about.get("text") or "@somebody")
    elif kind == "emoji":
        yield str(about.get("text") or about.get("shortName") or "")
    elif kind in _PICTURES:
        yield f"(picture: {about['alt']})" if about.get("alt") else "(picture)"
    elif kind in ("inlineCard", "blockCard"):
        yield str(about.get("url") or "")
    elif kind == "listItem":
        yield "- "
    within = node.get("content")
    for each in within if isinstance(within, list) else ():
        yield from _written(each, depth + 1)
    yield _SPACES.get(str(kind), "")
