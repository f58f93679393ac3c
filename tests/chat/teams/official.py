"""Shows cards with Microsoft's own renderer, with Markdown on as Teams has it, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

_PAGE = """<!doctype html><meta charset="utf-8"><title>Cards</title>
<style>
body { margin: 0; padding: 20px; background: %(ground)s; color: %(ink)s;
  font: 14px/1.4 "Segoe UI", "DejaVu Sans", system-ui, sans-serif }
main { display: flex; gap: 20px; align-items: flex-start }
h2 { margin: 0 0 8px; font-size: 14px }
section { flex: 1; min-width: 0; max-width: 560px }
.card { padding: 14px 16px; background: %(card)s; border: 1px solid %(line)s; border-radius: 8px }
.ac-pushButton { padding: 5px 12px; font: 600 14px/20px inherit; color: %(ink)s;
  background: %(card)s; border: 1px solid %(line)s; border-radius: 4px }
.style-positive { background: #5b5fc7; border-color: #5b5fc7; color: #fff }
.style-destructive { color: %(alarm)s; border-color: %(alarm)s }
.ac-input { padding: 6px 8px; font: inherit; color: %(ink)s; background: %(field)s;
  border: 0; border-bottom: 1px solid #999; border-radius: 4px }
textarea.ac-input { min-height: 56px }
</style><main></main>
<script>__RENDERER__</script><script>__MARKDOWN__</script>
"""

_COLOURS = {
    "light": {
        "ground": "#f5f5f5",
        "card": "#ffffff",
        "field": "#f5f5f5",
        "quote": "#f0f0f0",
        "line": "#d1d1d1",
        "ink": "#242424",
        "faint": "#616161",
        "accent": "#4f52b2",
        "alarm": "#c4314b",
        "good": "#237b4b",
        "warning": "#835c00",
    },
    "dark": {
        "ground": "#1f1f1f",
        "card": "#292929",
        "field": "#1f1f1f",
        "quote": "#333333",
        "line": "#525252",
        "ink": "#ffffff",
        "faint": "#adadad",
        "accent": "#9299f7",
        "alarm": "#e9637b",
        "good": "#92c353",
        "warning": "#f8d22a",
    },
}


def _host(colours: dict[str, str]) -> dict[str, Any]:
    """Near to that of Teams. Source: https://learn.microsoft.com/adaptive-cards/rendering-cards/host-config"""
    named = {"default": "ink", "accent": "accent", "attention": "alarm", "good": "good", "warning": "warning"}
    inks = {name: {"default": colours[ink], "subtle": colours[ink]} for name, ink in named.items()}
    inks["default"]["subtle"] = colours["faint"]
    return {
        "fontFamily": "inherit",
        "supportsInteractivity": True,
        "spacing": {"small": 4, "default": 8, "medium": 12, "large": 16, "padding": 10},
        "fontSizes": {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24},
        "fontWeights": {"lighter": 200, "default": 400, "bolder": 600},
        "containerStyles": {
            name: {"backgroundColor": colours[ground], "foregroundColors": inks}
            for name, ground in (("default", "card"), ("emphasis", "quote"))
        },
        "inputs": {"label": {"inputSpacing": "small", "optionalInputs": {"color": "default"}}},
        "actions": {
            "maxActions": 6,
            "spacing": "default",
            "buttonSpacing": 8,
            "actionsOrientation": "horizontal",
            "actionAlignment": "left",
        },
    }


_SHOW = """
const [card, host, whose] = arguments;
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
const section = document.createElement("section");
if (whose) section.append(Object.assign(document.createElement("h2"), { innerText: whose }));
section.append(holder);
document.querySelector("main").append(section);
return Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
"""


class Renderer:
    def __init__(self, chrome: Chrome, node_modules: Path, folder: Path, scheme: str = "light") -> None:
        """:param node_modules: of tests/node; :param folder: a place for its page"""
        self._host = _host(_COLOURS[scheme])
        renderer = (node_modules / "adaptivecards/dist/adaptivecards.min.js").read_text()
        markdown = (node_modules / "markdown-it/dist/browser/markdown-it.umd.min.js").read_text()
        page = folder / "cards.html"
        page.write_text(
            (_PAGE % _COLOURS[scheme]).replace("__RENDERER__", renderer).replace("__MARKDOWN__", markdown)
        )
        self.chrome = chrome
        chrome.get(page.as_uri())

    def show(self, card: dict[str, Any], whose: str = "") -> list[str]:
        """Add a card to the page. Returns what the renderer found wrong with it."""
        return list(self.chrome.execute_script(_SHOW, card, self._host, whose))

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
