"""The app package: what it asks for is what is used, and an admin gets it by one command."""

from __future__ import annotations

import io
import json
import struct
import tomllib
import zipfile
from pathlib import Path

import pytest

from bot.__main__ import _parser
from bot.admin import teams_package
from bot.chat.teams import package
from bot.settings import Settings
from bot.wrong import Wrong
from tests.command import Deskhand
from tests.servers.teams.state import APP_ID, TENANT

MADE = package.manifest(APP_ID, "Alder & Finch", "https://desk.example.com")


def test_it_holds_a_manifest_and_two_icons_and_is_the_same_each_time() -> None:
    content = package.package(MADE)
    assert content == package.package(MADE)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == ["color.png", "manifest.json", "outline.png"]
        assert json.loads(archive.read("manifest.json")) == MADE
        assert _size(archive.read("color.png")) == (192, 192)
        assert _size(archive.read("outline.png")) == (32, 32)


def _size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_its_scopes_are_the_two_that_are_served() -> None:
    (bot,) = MADE["bots"]
    assert bot["scopes"] == ["personal", "team"]
    assert bot["botId"] == MADE["id"] == APP_ID
    for commands in bot["commandLists"]:
        assert 0 < len(commands["commands"]) <= 10
        assert all(len(each["title"]) <= 128 for each in commands["commands"])


def test_its_number_is_the_release_it_comes_with() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert MADE["version"] == project["version"]


def test_the_texts_fit() -> None:
    assert len(MADE["name"]["short"]) <= 30
    assert len(MADE["description"]["short"]) <= 80
    assert MADE["description"]["short"].endswith("."), "it was not cut"
    assert len(package.manifest(APP_ID, "x" * 99, "https://d.example")["developer"]["name"]) <= 32


TEAMS = {"TEAMS_APP_ID": APP_ID, "TEAMS_TENANT_ID": TENANT, "TEAMS_APP_SECRET": "x"}


@pytest.mark.parametrize(
    ("environ", "args", "named"),
    [
        ({}, [], "TEAMS_APP_ID"),
        (TEAMS, [], "--website"),
        (TEAMS, ["--website", "http://desk.example"], "--website"),
        (TEAMS, ["--website", "https://desk.example", "--file", "/nowhere/at/all.zip"], "cannot be written"),
    ],
)
def test_what_is_missing_is_named(environ: dict[str, str], args: list[str], named: str) -> None:
    given = _parser().parse_args(["teams", "package", *args])
    with pytest.raises(Wrong, match=named):
        teams_package(Settings.read(environ), given)


def test_the_command_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "app.zip"
    environ = {**TEAMS, "DESKHAND_PUBLIC_URL": "https://desk.example.com"}
    words = ("teams", "package", "--file", str(file), "--company", "Alder & Finch")
    assert str(file) in Deskhand(tmp_path / "data", environ).says(*words)
    with zipfile.ZipFile(file) as archive:
        made = json.loads(archive.read("manifest.json"))
    assert made["developer"]["websiteUrl"] == "https://desk.example.com"
    assert made["validDomains"] == ["desk.example.com"]
