"""A card as each platform shows it: words of people and of models stand in plain-text nodes and nowhere else.

The payloads are walked node by node, with a list of what may stand where: whatever is not on it is a leak.
Slack reads markup in ``mrkdwn`` and in a message's ``text``; Teams in a TextBlock, a FactSet and an ``at``
entity; a browser in what is not text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from bot.chat.card import Card
from bot.chat.platform import Section
from bot.chat.slack import forms
from bot.chat.slack import render as slack
from bot.chat.teams import render as teams
from bot.chat.web import render as web

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SLACK_TEXT = {"plain_text"}
_SLACK_KEYS = {  # strings that are ours: structure, handles, names
    "type", "block_id", "action_id", "value", "style", "callback_id", "private_metadata", "url",
}  # fmt: skip
_TEAMS_ELEMENTS = {
    "AdaptiveCard", "RichTextBlock", "TextRun", "ColumnSet", "Column", "Container", "ActionSet",
    "Input.Text", "Input.ChoiceSet", "Input.Toggle", "Action.Execute", "Action.OpenUrl", "message",
}  # fmt: skip
_TEAMS_TEXTS = {"text": {"TextRun"}}  # where a text may stand that is shown as words


def leaks(card: Card, base: str) -> list[str]:
    """What in this card could become markup, a mention or a link on some platform. Empty: nothing.

    :param base: where Deskhand's own pages are: the only addresses that may be opened
    """
    return [*_on_slack(card, base), *_on_teams(card, base), *_on_the_web(card, base)]


def notice_leaks(said: str) -> list[str]:
    """A line that only one person sees, which Slack reads as markup and Teams shows as plain text."""
    shown = slack.fallback(said)
    line = teams.line(said)
    found = [f"slack notice: {shown!r}"] if _marked(shown) else []
    return found + ([] if line["textFormat"] == "plain" else ["teams notice: not plain"])


def _on_slack(card: Card, base: str) -> Iterator[str]:
    message = slack.message(card, mark="m")
    if set(message) != {"text", "blocks"}:
        yield f"slack message: fields {sorted(message)}"
    if _marked(message["text"]):
        yield f"slack notification: {message['text']!r}"
    payloads: list[Any] = [message["blocks"], slack.page([Section("Yours", (card,))], card.title)]
    if card.inputs and card.buttons:
        values = {each.name: card.title for each in card.inputs if each.kind == "text"}
        payloads.append(forms.form(card, card.buttons[0].handle, private="p", values=values))
    for payload in payloads:
        yield from _slack_nodes(payload, base)


def _slack_nodes(node: Any, base: str, key: str = "") -> Iterator[str]:
    match node:
        case dict() if set(node) >= {"type", "text"} and isinstance(node["text"], str):
            if node["type"] not in _SLACK_TEXT or node.get("emoji") is not False:
                yield f"slack: a text of type {node['type']}: {node['text']!r}"
            yield from _unseen("slack", node["text"])
        case dict():
            for name, value in node.items():
                yield from _slack_nodes(value, base, name)
        case list():
            for each in node:
                yield from _slack_nodes(each, base, key)
        case str() if key == "url":
            yield from _foreign("slack", node, base)
        case str() if key == "initial_value":
            return  # what stands in an input is what its owner typed
        case str() if key not in _SLACK_KEYS:
            yield f"slack: a string at {key!r}: {node!r}"


def _on_teams(card: Card, base: str) -> Iterator[str]:
    activity = teams.message(card)
    if set(activity) != {"type", "summary", "attachments"}:
        yield f"teams message: fields {sorted(activity)}"  # an entity would be a mention
    yield from _teams_nodes(activity, base)
    wrong = {each.name: card.title for each in card.inputs} | {"other": card.title}
    yield from _teams_nodes(teams.adaptive(card, errors=wrong, notice=card.title), base)


def _teams_nodes(node: Any, base: str, key: str = "", kind: str = "") -> Iterator[str]:
    match node:
        case dict():
            kind = node.get("type", kind if key == "data" else "")
            if kind and kind not in _TEAMS_ELEMENTS:
                yield f"teams: an element of type {kind}"
            for name, value in node.items():
                yield from _teams_nodes(value, base, name, kind)
        case list():
            for each in node:
                yield from _teams_nodes(each, base, key, kind)
        case str() if key == "url":
            yield from _foreign("teams", node, base)
        case str():
            if "{{" in node:
                yield f"teams: a function at {key!r}: {node!r}"
            if kind not in _TEAMS_TEXTS.get(key, {kind}):
                yield f"teams: a text in a {kind}: {node!r}"
            yield from _unseen("teams", node) if key in ("text", "title", "label", "summary") else ()


def _on_the_web(card: Card, base: str) -> Iterator[str]:
    shown = web.shown(card)
    for link in shown.links:
        yield from _foreign("web", link.url, base)
    for said in texts(shown):
        yield from _unseen("web", said)


def texts(card: Card) -> Iterator[str]:
    """All that a card says."""
    yield from (card.title, card.text, card.status, card.footer)
    for fact in card.facts:
        yield from (fact.label, fact.value)
    for quote in card.quotes:
        yield from (quote.label, quote.text)
    for part in card.inputs:
        yield part.label
        if part.kind == "choice":
            for option in part.options:
                yield from (option.label, option.hint)
    for button in card.buttons:
        yield button.label
    for link in card.links:
        yield link.label


def _marked(said: str) -> bool:
    """Slack's markup begins with one of these, and with nothing else once they are escaped."""
    return "<" in said or ">" in said


def _foreign(where: str, url: str, base: str) -> Iterator[str]:
    own = (url.startswith("/") and not url.startswith("//")) or urlsplit(url)[:2] == urlsplit(base)[:2]
    if not own:
        yield f"{where}: a link to {url!r}"


def _unseen(where: str, said: str) -> Iterator[str]:
    if _UNSEEN.search(said):
        yield f"{where}: what nobody can see in {said!r}"


class Page(HTMLParser):
    """A page that a link on a card opens: the tags and addresses in it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def page_leaks(html: str, base: str) -> list[str]:
    """What words of people became on a page of our own."""
    page = Page()
    page.feed(html)
    found = [f"page: a tag {tag}" for tag in page.tags & {"iframe", "object", "img", "base", "embed", "a"}]
    found += [f"page: a handler {name}" for name in page.handlers]
    return found + [leak for url in page.addresses if url for leak in _foreign("page", url, base)]
