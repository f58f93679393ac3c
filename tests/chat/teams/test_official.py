"""Our cards in Microsoft's own renderer, and our app package against Microsoft's own schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from bot.chat.card import Card, CheckInput, ChoiceInput, Fact, Option, Quote, TextInput
from bot.chat.teams import package, render
from tests.browser.support import chromium
from tests.chat.teams.official import Renderer, dumped
from tests.conftest import Browser
from tests.servers.teams.state import APP_ID

HOSTILE = [
    "[Approved by the CISO](https://evil.example)",
    "**bold** and _slanted_ and `code`",
    "![picture](https://evil.example/x.png)",
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "https://evil.example/looks-like-a-link",
    "# heading",
    "- point",
    "<at>everyone</at>",
]


@pytest.fixture(scope="module")
def renderer(
    browser: Browser, node_modules: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Renderer]:
    folder = tmp_path_factory.mktemp("cards")
    with chromium(browser, folder / "profile") as chrome:
        yield Renderer(chrome, node_modules, folder)


def _everywhere(said: str) -> Card:
    return Card(
        title=said,
        text=said,
        status=said,
        facts=(Fact(label=said, value=said),),
        quotes=(Quote(label=said, text=said),),
        inputs=(
            TextInput(name="reason", label=said, placeholder=said),
            ChoiceInput(name="option", label=said, options=(Option(value="1", label=said),)),
            CheckInput(name="spoke", label=said),
        ),
        footer=said,
    )


@pytest.mark.browser
@pytest.mark.parametrize("said", HOSTILE)
def test_what_people_write_stands_there_as_they_wrote_it(renderer: Renderer, said: str) -> None:
    renderer.clear()
    assert renderer.show(dumped(render.adaptive(_everywhere(said)))) == []
    assert renderer.text.count(said) >= 8, "title, text, status, fact, quote, labels and footer"
    assert not renderer.elements() & {"a", "img", "script", "strong", "em", "code", "h1", "ul", "iframe"}
    assert renderer.chrome.execute_script("return window.pwned") is None


@pytest.mark.browser
def test_a_date_function_is_not_one(renderer: Renderer) -> None:
    renderer.clear()
    renderer.show(dumped(render.adaptive(_everywhere("{{DATE(2026-01-01T00:00:00Z,SHORT)}}"))))
    assert "DATE(2026-01-01T00:00:00Z,SHORT)" in renderer.text
    assert "1/1/2026" not in renderer.text


@pytest.mark.browser
def test_the_renderer_would_have_shown_markdown(renderer: Renderer) -> None:
    """What the tests above rely on: that Markdown is on, and that a TextBlock reads it."""
    renderer.clear()
    block = {"type": "TextBlock", "text": HOSTILE[0]}
    renderer.show({"type": "AdaptiveCard", "version": "1.5", "body": [block]})
    assert "a" in renderer.elements()


def test_the_package_is_valid_against_microsofts_schema(node_modules: Path) -> None:
    folder = node_modules / "@microsoft/app-manifest/build/json-schemas/teams" / f"v{package.VERSION}"
    schema = json.loads((folder / "MicrosoftTeams.schema.json").read_text())
    made = package.manifest(APP_ID, "Alder & Finch", "https://desk.example.com")
    assert [error.message for error in Draft4Validator(schema).iter_errors(made)] == []
    newest = max(folder.parent.glob("v1.*"), key=lambda each: int(each.name.partition(".")[2]))
    assert newest == folder, "the newest there is"
    for spoilt in ({"id": "x"}, {"accentColor": "green"}, {"colour": "green"}):
        assert list(Draft4Validator(schema).iter_errors(made | spoilt)), "the schema notices"
