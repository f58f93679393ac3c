"""What the cards of a ticket say to the person it is for: pure functions of what the ticket system says."""

from __future__ import annotations

from bot.chat.card import Button, Card, Quote, Tone
from bot.chat.clean import plain
from bot.chat.redact import redact
from bot.procedures.hand_off_cards import answer_input
from integrations.work import Comment, Ticket

_QUOTE_CHARS = 3_000


def answered(ticket: Ticket, comment: Comment, handle: str) -> Card:
    """What a helper wrote. No secret stands in a chat, whoever writes it."""
    text, _ = redact(plain(comment.text, _QUOTE_CHARS))
    return form(ticket.key, handle).model_copy(
        update={
            "title": f"{ticket.key}: an answer for you",
            "text": _title(ticket),
            "status": plain(ticket.status, 40),
            "quotes": (Quote(label=f"{plain(comment.author, 80) or 'The help desk'} wrote", text=text),),
        }
    )


def form(key: str, handle: str) -> Card:
    """The place for the person's own answer."""
    return Card(
        title=f"{key}: your answer",
        tone=Tone.PRIMARY,
        inputs=answer_input("Your answer"),
        buttons=(Button(label="Send", handle=handle, tone=Tone.PRIMARY),),
        footer=f'{key} · or write "{key}: your answer"',
    )


def closed(ticket: Ticket) -> Card:
    return Card(
        title=f"{ticket.key} is closed",
        text=_title(ticket),
        tone=Tone.GOOD,
        status=plain(ticket.status, 40),
        footer=f'If it is not solved, write "{ticket.key}: what is still wrong"',
    )


def gone(key: str) -> Card:
    return Card(
        title=f"{key} is not there any more",
        text="I can no longer see this ticket. If it is not solved, open a new one or ask for a person.",
        tone=Tone.WARN,
    )


def _title(ticket: Ticket) -> str:
    return redact(plain(ticket.title, 200))[0]
