"""Shows cards with Microsoft's own renderer, with Markdown on as Teams has it, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

_PAGE = """<!doctype html><meta charset="utf-8"><title>Cards</title>
<style>
body { margin: 0; padding: 20px; background: #f5f5f5; color: #242424;
  font: 14px/1.4 "Segoe UI", "DejaVu Sans", system-ui, sans-serif }
.card { max-width: 560px; margin: 0 0 16px; padding: 14px 16px;
  background: #fff; border: 1px solid #e0e0e0; border-radius: 8px }
.ac-pushButton { padding: 5px 12px; font: 600 14px/20px inherit; color: #242424;
  background: #fff; border: 1px solid #d1d1d1; border-radius: 4px }
.style-positive { background: #5b5fc7; border-color: #5b5fc7; color: #fff }
.style-destructive { color: #c4314b; border-color: #c4314b }
.ac-input { padding: 6px 8px; font: inherit; background: #f5f5f5;
  border: 0; border-bottom: 1px solid #999; border-radius: 4px }
textarea.ac-input { min-height: 56px }
</style><main></main>
<script>__RENDERER__</script><script>__MARKDOWN__</script>
"""

# A host's colours and sizes, near to those of Teams: https://learn.microsoft.com/adaptive-cards/rendering-cards/host-config
_HOST = {
    "fontFamily": "inherit",
    "supportsInteractivity": True,
    "spacing": {"small": 4, "default": 8, "medium": 12, "large": 16, "padding": 10},
    "fontSizes": {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24},
    "fontWeights": {"lighter": 200, "default": 400, "bolder": 600},
    "containerStyles": {
        name: {
            "backgroundColor": ground,
            "foregroundColors": {
                "default": {"default": "#242424", "subtle": "#616161"},
                "accent": {"default": "#4f52b2", "subtle": "#4f52b2"},
                "attention": {"default": "#c4314b", "subtle": "#c4314b"},
                "good": {"default": "#237b4b", "subtle": "#237b4b"},
                "warning": {"default": "#835c00", "subtle": "#835c00"},
            },
        }
        for name, ground in (("default", "#ffffff"), ("emphasis", "#f0f0f0"))
    },
    "actions": {
        "maxActions": 6,
        "spacing": "default",
        "buttonSpacing": 8,
        "actionsOrientation": "horizontal",
        "actionAlignment": "left",
    },
}

_SHOW = """
const [card, host] = arguments;
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdownit({ html: true, linkify: true }).render(text);
    result.didProcess = true;
};
const shown = new AdaptiveCards.AdaptiveCard();
shown.hostConfig = new AdaptiveCards.HostConfig(host);
const context = new AdaptiveCards.SerializationContext();
shown.parse(card, context);
const holder = document.createElement("article");
holder.className = "card";
holder.append(shown.render());
document.querySelector("main").append(holder);
return Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
"""


class Renderer:
    def __init__(self, chrome: Chrome, node_modules: Path, folder: Path) -> None:
        """:param node_modules: of tests/node; :param folder: a place for its page"""
        renderer = (node_modules / "adaptivecards/dist/adaptivecards.min.js").read_text()
        markdown = (node_modules / "markdown-it/dist/browser/markdown-it.umd.min.js").read_text()
        page = folder / "cards.html"
        page.write_text(_PAGE.replace("__RENDERER__", renderer).replace("__MARKDOWN__", markdown))
        self.chrome = chrome
        chrome.get(page.as_uri())

    def show(self, card: dict[str, Any]) -> list[str]:
        """Add a card to the page. Returns what the renderer found wrong with it."""
        return list(self.chrome.execute_script(_SHOW, card, _HOST))

    def clear(self) -> None:
        self.chrome.execute_script("document.querySelector('main').replaceChildren()")

    @property
    def text(self) -> str:
        return self.chrome.find_element(By.TAG_NAME, "main").text

    def elements(self) -> set[str]:
        inside = "return [...document.querySelectorAll('main *')].map((node) => node.localName)"
        return set(self.chrome.execute_script(inside))


def dumped(card: dict[str, Any]) -> dict[str, Any]:
    """As it goes over the wire."""
    made: dict[str, Any] = json.loads(json.dumps(card))
    return made
