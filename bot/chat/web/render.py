"""Card -> what the browser draws: the same card as JSON, every string made plain and cut to what fits.

Nothing is lost but length: the browser builds its elements from text alone, so there is no markup to escape.
An address that is neither http(s) nor a path of our own is left out.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.chat.card import Card, ChoiceInput, Input, Link
from bot.chat.clean import plain

TITLE, TEXT, LABEL, VALUE, QUOTE, HINT = 200, 4000, 120, 1000, 4000, 200  # characters
PARTS = 50  # of each kind on one card


def shown(card: Card) -> Card:
    """The card as it is stored and sent to browsers."""
    return card.model_copy(
        update={
            "title": plain(card.title, TITLE),
            "text": plain(card.text, TEXT),
            "status": plain(card.status, LABEL),
            "footer": plain(card.footer, VALUE),
            "facts": tuple(
                fact.model_copy(update={"label": plain(fact.label, LABEL), "value": plain(fact.value, VALUE)})
                for fact in card.facts[:PARTS]
            ),
            "quotes": tuple(
                quote.model_copy(
                    update={"label": plain(quote.label, LABEL), "text": plain(quote.text, QUOTE)}
                )
                for quote in card.quotes[:PARTS]
            ),
            "inputs": tuple(_input(part) for part in card.inputs[:PARTS]),
            "buttons": tuple(
                button.model_copy(
                    update={"label": plain(button.label, LABEL), "handle": _writable(button.handle)}
                )
                for button in card.buttons[:PARTS]
            ),
            "links": tuple(
                link.model_copy(update={"label": plain(link.label, LABEL)})
                for link in card.links[:PARTS]
                if _may_be_opened(link)
            ),
        }
    )


def _input(part: Input) -> Input:
    part = part.model_copy(update={"name": _writable(part.name)})
    if isinstance(part, ChoiceInput):
        options = tuple(
            option.model_copy(
                update={
                    "label": plain(option.label, VALUE),
                    "hint": plain(option.hint, HINT),
                    "value": _writable(option.value),
                }
            )
            for option in part.options
        )
        return part.model_copy(update={"label": plain(part.label, LABEL), "options": options})
    if part.kind == "text":
        placeholder = plain(part.placeholder, HINT)
        return part.model_copy(update={"label": plain(part.label, LABEL), "placeholder": placeholder})
    return part.model_copy(update={"label": plain(part.label, VALUE)})


def _writable(sign: str) -> str:
    """A name or handle comes back as it went out; only half a character cannot be written as UTF-8."""
    return sign.encode(errors="replace").decode()


def _may_be_opened(link: Link) -> bool:
    if link.url != plain(link.url, 2000) or any(c.isspace() or c == "\\" for c in link.url):
        return False
    try:
        parts = urlsplit(link.url)
    except ValueError:  # a bracket out of place in the host
        return False
    own_path = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return own_path or (parts.scheme in {"http", "https"} and bool(parts.netloc))
