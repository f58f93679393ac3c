"""Markdown, HTML and plain text, made into sections of plain text. What a reader would not see is dropped.

Hidden in HTML is what its element says itself: ``hidden``, ``aria-hidden``, or a style of its own. What
a style sheet hides cannot be told here and is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

_UNCLOSED_TAGS = 1000  # with more of them the parser takes time with the square of their number
_CODE = "\x00"  # begins a line of code; no text has one of its own

_DROPPED = frozenset(
    "script style template noscript svg math iframe object canvas audio video select textarea button"
    " nav".split()
)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_BLOCKS = frozenset(
    "address article aside blockquote body br caption dd details div dl dt fieldset figcaption figure footer"
    " form header hr html li main ol p pre section summary table tbody tfoot thead tr ul".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDING_STYLE = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|(?:opacity|font-size|max-height):0(?:[^.\d]|\.0|$)"
)

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>]+|[^\s<>@/=\"]+@[^\s<>]+)>")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r"[ \t]*(?:[-*_][ \t]*){3,}$")
_DEFINITION = re.compile(r" {0,3}\[[^\[\]]+\]:")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-[ \t:|-]*$")
_QUOTE = re.compile(r"^(?:[ \t]{0,3}>[ \t]?)+")
_BULLET = re.compile(r"^[ \t]*[-*+][ \t]+(?:\[[ xX]\][ \t]+)?")
_NUMBER = re.compile(r"[ \t]*\d{1,3}[.)][ \t]+")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)?\)|\[[^\[\]]*\])")
_FOOTNOTE = re.compile(r"\[\^[^\[\]]*\]")
_EMPHASIS = re.compile(r"(?<![\w\\])[*_~]{1,3}(?=\S)|(?<=[^\s\\])[*_~]{1,3}(?!\w)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class TooTangled(Exception):
    """Markup that cannot be read in reasonable time."""


@dataclass(slots=True)
class Section:
    """What stands under one heading."""

    level: int  # 1 to 6; 0: before the first heading
    heading: str
    lines: list[str] = field(default_factory=list)  # paragraphs and items of lists


@dataclass(slots=True)
class Text:
    """A document as plain text. ``title`` is what the markup itself calls the whole."""

    title: str
    sections: list[Section]


class _Kept(dict[int, int | str | None]):
    """For ``str.translate``: drops what is not to be seen, each character looked at once."""

    def __missing__(self, code: int) -> int | str | None:
        category = unicodedata.category(chr(code))
        kept: int | str | None = code
        if chr(code) in "\r\x0b\x0c\x85\u2028\u2029":
            kept = "\n"
        elif category in ("Cc", "Cf", "Cs", "Co"):  # control, bidi and zero-width, surrogates, private
            kept = None
        self[code] = kept
        return kept


_KEPT = _Kept({ord("\n"): "\n", ord("\t"): "\t"})


def clean(text: str) -> str:
    """Without control, bidi, zero-width and private characters; lines end in a line feed."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_KEPT))


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def plain_sections(text: str) -> Text:
    section = Section(0, "")
    for paragraph in re.split(r"\n[ \t]*\n", clean(text)):
        section.lines.append(one_line(paragraph))
    return Text("", [section])


def html_sections(text: str) -> Text:
    """:raises TooTangled:"""
    reader = _Reader(keep_lines=False)
    reader.read(clean(text))
    sections = [Section(0, "")]
    for level, line in reader.lines():
        if level:
            sections.append(Section(level, line))
        else:
            sections[-1].lines.append(line)
    return Text(one_line(reader.title), sections)


def markdown_sections(text: str) -> Text:
    """:raises TooTangled:"""
    reader = _Reader(keep_lines=True)
    reader.read("\n".join(_guarded(clean(text))))
    lines = reader.text().split("\n")
    sections = [Section(0, "")]
    paragraph: list[str] = []

    def end_paragraph() -> None:
        if paragraph:
            sections[-1].lines.append(_inline(" ".join(paragraph)))
            paragraph.clear()

    for line in lines:
        underline = _UNDERLINE.match(line)
        if heading := _ATX.match(line):
            end_paragraph()
            sections.append(Section(len(heading[1]), _inline((heading[2] or "").rstrip().rstrip("#"))))
        elif underline and paragraph and not paragraph[-1].startswith("- "):
            head = _inline(paragraph.pop())
            end_paragraph()
            sections.append(Section(1 if "=" in underline[1] else 2, head))
        elif not line.strip() or _left_out(line):
            end_paragraph()
        else:
            if _stands_alone(line):
                end_paragraph()
            paragraph.append(_without_marks(line))
    end_paragraph()
    return Text("", sections)


def _guarded(text: str) -> Iterator[str]:
    """The lines of Markdown, so that code stays what it is when its HTML is taken away."""
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = ""
            else:
                yield _CODE + escape(line)
        elif mark:
            fence = mark[1]
        else:
            line = _AUTOLINK.sub(r"\1", line)
            yield _CODE_SPAN.sub(lambda span: escape(span[1]), line)


def _left_out(line: str) -> bool:
    return bool(_RULE.match(line) or _DEFINITION.match(line) or ("|" in line and _TABLE_RULE.match(line)))


def _stands_alone(line: str) -> bool:
    """A line of code, a row of a table, an item of a list: not the next words of a paragraph."""
    return bool(line[:1] == _CODE or line.lstrip()[:1] == "|" or _BULLET.match(line) or _NUMBER.match(line))


def _without_marks(line: str) -> str:
    if line[:1] == _CODE:
        return line[1:].strip()
    line = _QUOTE.sub("", line, count=1)
    if line.lstrip()[:1] == "|":
        return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
    return _BULLET.sub("- ", line, count=1).strip()


def _inline(text: str) -> str:
    """Cleaned once more: an entity may stand for any character."""
    text = _FOOTNOTE.sub("", text)
    text = _LINK.sub(r"\1", _LINK.sub(r"\1", text))  # twice: a picture may stand in a link
    return one_line(_ESCAPED.sub(r"\1", _EMPHASIS.sub("", text)))


class _Reader(HTMLParser):
    """The text that somebody would see, in lines; a heading is a line with a level."""

    def __init__(self, *, keep_lines: bool) -> None:
        """:param keep_lines: line feeds of the text stand for themselves, as in Markdown"""
        super().__init__(convert_charrefs=True)
        self._keep_lines = keep_lines
        self._lines: list[tuple[int, list[str]]] = [(0, [])]
        self._hidden = ""  # the element that hides what stands in it
        self._depth = 0  # how often it stands in itself
        self._in_title = False
        self.title = ""

    def read(self, text: str) -> None:
        text = _without_comments(text)
        if text.count("<") - text.count(">") > _UNCLOSED_TAGS:
            raise TooTangled
        self.feed(text)
        self.close()

    def text(self) -> str:
        return "\n".join("".join(parts) for _, parts in self._lines)

    def lines(self) -> Iterator[tuple[int, str]]:
        for level, parts in self._lines:
            if line := one_line("".join(parts)):
                yield level, line

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden:
            self._depth += tag == self._hidden
        elif tag not in _VOID and (tag in _DROPPED or _hides(attrs)):
            self._hidden, self._depth = tag, 1
        elif tag == "title":
            self._in_title = True
        elif tag in _HEADINGS:
            self._lines.append((_HEADINGS[tag], []))
        elif tag in _BLOCKS:
            self._lines.append((0, ["- "] if tag == "li" and not self._keep_lines else []))
        elif tag in ("td", "th"):
            self._lines[-1][1].append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """HTML knows no empty elements but its own: <div hidden/> is open."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._depth -= tag == self._hidden
            if not self._depth:
                self._hidden = ""
        elif tag == "title":
            self._in_title = False
        elif tag in _HEADINGS or tag in _BLOCKS:
            self._lines.append((0, []))

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._in_title:
            self.title += data
        else:
            self._lines[-1][1].append(data)


def _hides(attrs: list[tuple[str, str | None]]) -> bool:
    said = dict(attrs)
    style = re.sub(r"\s+", "", said.get("style") or "").lower()
    return "hidden" in said or said.get("aria-hidden") == "true" or bool(_HIDING_STYLE.search(style))


def _without_comments(text: str) -> str:
    """A comment without an end takes the rest with it."""
    kept, at = [], 0
    while (begin := text.find("<!--", at)) >= 0:
        kept.append(text[at:begin])
        end = text.find("-->", begin + 4)
        at = len(text) if end < 0 else end + 3
    return "".join((*kept, text[at:]))
