"""What README.md and docs/ say is so: commands, settings, links, examples, and what to say to the desk."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import struct
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest

from bot import __main__ as command
from bot.actions import discover
from bot.chat.inbound import Inbound, InboundKind
from bot.procedures.action import Lookup
from bot.procedures.gate import Gate
from bot.procedures.lookup import Lookups
from bot.settings import Settings
from policies.check import check
from tests.command import ROOT
from tests.house import House, house

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
OURS = [
    page
    for page in PAGES
    if page.name in ("README.md", "actions.md", "company.md", "operations.md", "settings.md")
]
IMAGES = ROOT / "docs" / "images"

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def named(page: Path) -> str:
    return page.name


def blocks(page: Path, language: str) -> list[str]:
    """The fenced examples in a language, without the indentation of a list they stand in."""
    return [dedent(body) for name, body in _FENCE.findall(page.read_text()) if name == language]


def commands(page: Path) -> Iterator[list[str]]:
    """Every `deskhand ...` that a page shows to be typed, as words."""
    for line in "\n".join(blocks(page, "sh")).splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0].endswith("deskhand"):
            yield words[1:]


# links and pictures


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_inside_the_house_leads_somewhere(page: Path) -> None:
    text = re.sub(_FENCE, "", page.read_text())
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    gone = [
        link for link in links if "://" not in link and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert gone == []


@pytest.mark.parametrize("page", OURS, ids=named)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    paths = re.findall(r"`((?:bot|docs|integrations|policies|scripts|tests)/[\w./-]+)`", page.read_text())
    gone = [path for path in paths if not (ROOT / path).exists() and "/my_approver." not in path]
    assert gone == []


def test_pictures_are_light_and_of_one_size_by_day_and_by_night() -> None:
    pictures = sorted(IMAGES.glob("*.webp"))
    assert pictures
    assert all(picture.stat().st_size < 200_000 for picture in pictures)
    assert sum(picture.stat().st_size for picture in pictures) < 2_000_000
    for light in IMAGES.glob("*-light.webp"):
        assert _size(light) == _size(light.with_name(light.name.replace("-light", "-dark")))


def _size(picture: Path) -> tuple[int, ...]:
    """Width and height. Source: RFC 9649, 2.5 and 2.7"""
    head = picture.read_bytes()[:30]
    if head[12:16] == b"VP8X":
        return (1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little"))
    assert head[12:16] == b"VP8 ", picture.name
    return tuple(each & 0x3FFF for each in struct.unpack("<HH", head[26:30]))


# commands and settings


@pytest.mark.parametrize("page", OURS, ids=named)
def test_every_command_that_is_shown_exists_as_it_is_shown(page: Path) -> None:
    parser = command._parser()
    for words in commands(page):
        parser.parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_that_is_spoken_of_exists(page: Path) -> None:
    spoken = re.findall(r"`(?:\.venv/bin/)?deskhand ([a-z]+(?: [a-z]+)?)", page.read_text())
    known = set(_commands()) | {name.partition(" ")[0] for name in _commands()}
    assert [words for words in spoken if words not in known and words.split()[0] not in known] == []


def test_every_command_is_documented() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    missing = [name for name in _commands() if f"deskhand {name}" not in text]
    assert missing == []


def _commands() -> Iterator[str]:
    """ "serve", "audit list", ...: every leaf of the parser."""
    for name, parser in _choices(command._parser()).items():
        leaves = _choices(parser)
        yield from (f"{name} {leaf}" for leaf in leaves) if leaves else [name]


def _choices(parser: object) -> dict[str, object]:
    for action in getattr(parser, "_actions", []):
        if isinstance(action.choices, dict):
            return dict(action.choices)
    return {}


def test_readme_begins_with_two_commands_that_are_there() -> None:
    first = blocks(ROOT / "README.md", "sh")[0]
    targets = re.findall(r"^make (\w+)", first, re.MULTILINE)
    assert targets == ["run", "test"]
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_every_setting_is_documented_with_its_default_and_meaning() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = [
        tuple(re.split(r" \| ", line[2:-2])) for line in page.splitlines() if re.match(r"\| `[A-Z]+_", line)
    ]
    assert rows == [
        (f"`{each.metadata['name']}`", _default(each.default), each.metadata["meaning"])
        for each in fields(Settings)
    ]


def _default(value: object) -> str:
    match value:
        case None | "":
            return "empty"
        case bool():
            return "`yes`" if value else "`no`"
        case timedelta():
            return f"`{int(value.total_seconds())}`"
        case Path():
            return f"`{value.relative_to(ROOT)}` in the checkout"
        case _:
            return f"`{value}`"


def test_no_page_names_a_setting_that_is_not_there() -> None:
    known = {each.metadata["name"] for each in fields(Settings)}
    for page in PAGES:
        assert set(re.findall(r"DESKHAND_[A-Z_]+\b", page.read_text())) <= known | {"DESKHAND_"}, page.name


# actions, and what to say


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of the table whose head begins with this cell."""
    lines = page.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def say(cell: str) -> str:
    return cell.strip("*")


async def test_each_action_is_in_the_readme_by_words_that_lead_to_it(tmp_path: Path) -> None:
    said = [say(row[0]) for row in table(ROOT / "README.md", "say")]
    async with house(tmp_path / "data") as desk:
        understander = desk.app.desk._understander
        found = {words: understander.classify(words).action for words in said}
    assert set(found.values()) == {action.name for action in discover().named()}, found


WHO = {
    "Ana Ruiz": "ana",
    "Bo Lind": "bo",
    "Luis Moreno": "luis",
    "Viktor Novak, contractor": "viktor",
    "Viktor Novak": "viktor",
    "Wanda Price, Ivo Marek, Nils Berg, Tove Dahl": "wanda",
    "Amara Diallo": "amara",
    "Grace Alder, chief executive": "grace",
    "Ida Holm, administrator": "ida",
}


async def test_whoever_one_is_told_to_be_sees_what_is_promised(tmp_path: Path) -> None:
    async with house(tmp_path / "data", requests_per_minute=100, open_per_person=100) as desk:
        for be, words, promised in table(ROOT / "docs" / "company.md", "be"):
            if not words.startswith("*"):
                continue
            before = len(await desk.cards(WHO[be]))
            await desk.says(WHO[be], say(words))
            new = (await desk.cards(WHO[be]))[before:]
            assert new, (be, words)
            assert "How can I help?" not in [card.title for card in new], (be, words)
            refused = any(card.status == "Refused" for card in new)
            assert refused is promised.startswith(("refused", "the same")), (be, words, new)


# the worked example of docs/actions.md


@pytest.fixture
def example(tmp_path: Path) -> Lookup:
    """The action of the page, imported as a file of its own."""
    code = next(block for block in blocks(ROOT / "docs" / "actions.md", "python") if "ACTION =" in block)
    file = tmp_path / "my_approver.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location("my_approver", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    action: Lookup = module.ACTION
    return action


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules that ship, with what the page adds to them."""
    page = ROOT / "docs" / "actions.md"
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for language, file in (
        ("cedarschema", "schema.cedarschema"),
        ("cedar", "own_data.cedar"),
        ("yaml", "cases/allow/own_data.yaml"),
    ):
        with (folder / file).open("a") as out:
            out.write("\n" + blocks(page, language)[0])
    return folder


def test_the_example_passes_the_check_and_is_refused_without_its_rule(example: Lookup, rules: Path) -> None:
    names = [*discover().actions, example.name]
    assert check(rules, names) == []
    assert [problem for problem in check(ROOT / "policies", names) if example.name in str(problem)]


async def test_the_example_answers(example: Lookup, rules: Path, tmp_path: Path) -> None:
    async with house(tmp_path / "data", policies=rules) as desk:
        assert (await _answer(desk, example, "ana")) == "Bo Lind approves what you ask for."
        assert "stand" in await _answer(desk, example, "wanda") or "decide" in await _answer(
            desk, example, "wanda"
        )
        assert desk.events("lookup")[-1]["action"] == "my_approver"


async def _answer(desk: House, action: Lookup, account: str) -> str:
    office, engine = desk.app.office, desk.app.engine
    sender = await office.ports.directory.by_account(account)
    inbound = Inbound(
        platform="web",
        id=uuid4().hex,
        kind=InboundKind.MESSAGE,
        account=sender.id,
        conversation=f"dm:{sender.id}",
        text="who approves my requests?",
        at=desk.clock(),
    )
    assert isinstance(engine.gate, Gate)
    cards = await Lookups(office, engine.gate).answer(
        sender, action, {}, engine.world(), inbound, words=inbound.text, understood="local"
    )
    return cards[0].text
