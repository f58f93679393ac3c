"""The documents of a folder: which files there are, what each says of itself, and its passages.

Read are .md, .html, .htm and .txt, in UTF-8. PDF is left out for now, like every other kind of file. A
file may begin with front matter between two lines of ``---``: ``title``, ``url`` (https) and
``audience``, the id of the one group that may see it. Whatever else stands there is refused: a misspelt
``audience`` would show to everybody what was meant for a few.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from integrations.contract import ConnectorError
from integrations.knowledge.markup import (
    Section,
    Text,
    TooTangled,
    html_sections,
    markdown_sections,
    one_line,
    plain_sections,
)
from integrations.text import known_id

MOST_FILES = 2_000
FILE_BYTES = 1_000_000
_OTHER_FILES = 20_000  # looked at in all, whatever their kind
_FRONT_CHARS = 4_000
_TITLE_CHARS = 200
_URL_CHARS = 2_000
_WORD_CHARS = 100  # a longer one is cut: it is no word
FEWEST_WORDS, MOST_WORDS = 60, 160  # of a passage, where the headings allow it

_READERS = {
    ".md": markdown_sections,
    ".html": html_sections,
    ".htm": html_sections,
    ".txt": plain_sections,
}
_FIELDS = ("title", "url", "audience")
_RULE = "---"


class KnowledgeError(ConnectorError):
    """The documents cannot be used. Names the file and the reason, for the log: not all may know of it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder as they are at one moment."""

    files: tuple[str, ...]  # paths below the folder, with slashes
    left_out: int  # files of other kinds
    fingerprint: str  # moves with every path, size and time of change


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a document, to be found by themselves."""

    file: str
    title: str
    url: str
    audience: str  # a group id; empty: everybody
    heading: str
    text: str


def listing(folder: Path) -> Listing:
    """:raises KnowledgeError: for the first file that cannot be used"""
    root = folder.resolve()
    if not root.is_dir():
        raise KnowledgeError(f"{folder.name}: is no folder; name the folder of the documents")
    found: list[tuple[str, int, int]] = []
    left_out = 0
    for entry in _walk(root, root):
        if Path(entry.name).suffix.lower() not in _READERS:
            left_out += 1
        else:
            status = entry.stat(follow_symlinks=False)
            name = Path(entry.path).relative_to(root).as_posix()
            _require_small(name, status)
            found.append((name, status.st_size, status.st_mtime_ns))
        if len(found) > MOST_FILES or left_out > _OTHER_FILES:
            raise KnowledgeError(
                f"{folder.name}: holds more than {MOST_FILES} documents; take a smaller folder"
            )
    found.sort()
    said = "\n".join(f"{name!r} {size} {changed}" for name, size, changed in found)
    fingerprint = hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()
    return Listing(tuple(name for name, _, _ in found), left_out, fingerprint)


def pieces(folder: Path, files: Sequence[str]) -> Iterator[Piece]:
    """:raises KnowledgeError: for the first document that cannot be used"""
    root = folder.resolve()
    for name in files:
        yield from _document(name, _content(root, name))


def _walk(root: Path, folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            here = sorted(entries, key=lambda entry: entry.name)
        for entry in here:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                _require_inside(root, Path(entry.path))  # and not read: what it leads to is read by itself
            elif entry.is_dir(follow_symlinks=False):
                yield from _walk(root, Path(entry.path))
            else:
                yield entry
    except OSError as error:
        where = Path(error.filename or folder).name
        raise KnowledgeError(f"{one_line(where)}: cannot be read: {error.strerror}") from error


def _require_inside(root: Path, link: Path) -> None:
    try:
        inside = link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a link to itself
        inside = False
    if not inside:
        name = one_line(link.relative_to(root).as_posix())
        raise KnowledgeError(f"{name}: is a link that leads out of the folder; put the document itself here")


def _require_small(name: str, status: os.stat_result) -> None:
    if not name.isprintable():
        raise KnowledgeError(f"{one_line(name)}: has a name with characters that cannot be shown; rename it")
    if not stat.S_ISREG(status.st_mode):
        raise KnowledgeError(f"{name}: is no ordinary file")
    if status.st_size > FILE_BYTES:
        raise KnowledgeError(f"{name}: is larger than {FILE_BYTES // 1_000_000} MB; split it")


def _content(root: Path, name: str) -> str:
    try:
        # What was a file a moment ago may be a link or a pipe by now.
        descriptor = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            _require_small(name, os.fstat(descriptor))
            content = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise KnowledgeError(f"{name}: cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES:
        raise KnowledgeError(f"{name}: is larger than {FILE_BYTES // 1_000_000} MB; split it")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise KnowledgeError(f"{name}: is not in UTF-8; save it as UTF-8") from None


def _document(name: str, content: str) -> Iterator[Piece]:
    said, body = _front_matter(name, content)
    try:
        text = _READERS[Path(name).suffix.lower()](body)
    except TooTangled:
        raise KnowledgeError(f"{name}: has too many tags that do not end; is it HTML?") from None
    title = said.get("title") or _own_title(text) or Path(name).stem
    for heading, words in _passages(text.sections, title):
        yield Piece(
            name,
            title[:_TITLE_CHARS],
            said.get("url", ""),
            said.get("audience", ""),
            heading[:_TITLE_CHARS],
            words,
        )


def _front_matter(name: str, content: str) -> tuple[dict[str, str], str]:
    lines = content.split("\n")
    if lines[0].rstrip() != _RULE:
        return {}, content
    rules = (at for at, line in enumerate(lines[1:], start=1) if line.rstrip() == _RULE)
    end = next(rules, 0)
    front = "\n".join(lines[1:end])
    if not end or len(front) > _FRONT_CHARS:
        raise KnowledgeError(
            f"{name}: front matter: has no second line of {_RULE} within {_FRONT_CHARS} characters"
        )
    try:
        node = yaml.compose(front, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        raise KnowledgeError(f"{name}: front matter: is no YAML") from None
    said = _said(name, node)
    return said, "\n".join(lines[end + 1 :])


def _said(name: str, node: yaml.Node | None) -> dict[str, str]:
    """The fields as they are typed: YAML makes no dates or numbers of them."""
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise KnowledgeError(f"{name}: front matter: is no list of fields, each with its value")
    said: dict[str, str] = {}
    for key, value in node.value:
        field = key.value if isinstance(key, yaml.ScalarNode) else ""
        if field not in _FIELDS or field in said:
            problem = (
                "stands there twice" if field in said else f"is not known; there are {', '.join(_FIELDS)}"
            )
            raise KnowledgeError(f"{name}: front matter: {one_line(field)[:40]!r} {problem}")
        if not isinstance(value, yaml.ScalarNode) or not one_line(value.value):
            raise KnowledgeError(f"{name}: front matter: {field} is no text; leave it out or give one value")
        said[field] = one_line(value.value)
    _require_good(name, said)
    return said


def _require_good(name: str, said: dict[str, str]) -> None:
    if "audience" in said and not known_id(said["audience"]):
        raise KnowledgeError(f"{name}: front matter: audience is no group id")
    if "url" in said and not _is_web_address(said["url"]):
        raise KnowledgeError(f"{name}: front matter: url is no https address")


def _is_web_address(url: str) -> bool:
    if len(url) > _URL_CHARS or not url.isascii() or re.search(r"[\s\"'<>\\^`{|}]", url):
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        )
    except ValueError:
        return False


def _own_title(text: Text) -> str:
    return text.title or next((section.heading for section in text.sections if section.level == 1), "")


def _passages(sections: Sequence[Section], title: str) -> Iterator[tuple[str, str]]:
    """Heading and text of every passage: short sections together, long ones in parts."""
    chain: dict[int, str] = {}
    waiting: list[tuple[str, list[str]]] = []
    for section in sections:
        chain = {level: heading for level, heading in chain.items() if level < section.level}
        if section.level and section.heading != title:
            chain[section.level] = section.heading
        lines = [part for line in section.lines for part in _parts(line)]
        heading = " - ".join(filter(None, chain.values()))
        if not lines:
            continue
        if _count(waiting) >= FEWEST_WORDS or _count([*waiting, (heading, lines)]) > MOST_WORDS:
            yield from _packed(waiting)
            waiting = []
        waiting.append((heading, lines))
    yield from _packed(waiting)


def _count(sections: Sequence[tuple[str, list[str]]]) -> int:
    return sum(len(line.split()) for _, lines in sections for line in lines)


def _packed(sections: Sequence[tuple[str, list[str]]]) -> Iterator[tuple[str, str]]:
    """One passage, or some of about the same length."""
    if not sections:
        return
    heading = "; ".join(dict.fromkeys(filter(None, (heading for heading, _ in sections))))
    lines = list(sections[0][1])
    for inner, more_lines in sections[1:]:
        lines += [inner, *more_lines] if inner else more_lines
    total = sum(len(line.split()) for line in lines)
    fair = total / -(-total // MOST_WORDS) if total else 0
    passage: list[str] = []
    words = 0
    for line in lines:
        more = len(line.split())
        if passage and (words + more > MOST_WORDS or words >= fair):
            yield heading, "\n".join(passage)
            passage, words = [], 0
        passage.append(line)
        words += more
    yield heading, "\n".join(passage)


def _parts(line: str) -> Iterator[str]:
    """A line, or where it is long, its sentences; where those are long too, so many words each."""
    words = [word[at : at + _WORD_CHARS] for word in line.split() for at in range(0, len(word), _WORD_CHARS)]
    if len(words) <= MOST_WORDS:
        if words:
            yield " ".join(words)
        return
    part: list[str] = []
    for word in words:
        part.append(word)
        if len(part) >= MOST_WORDS // 2 or (word[-1] in ".!?" and len(part) >= MOST_WORDS // 8):
            yield " ".join(part)
            part = []
    if part:
        yield " ".join(part)
