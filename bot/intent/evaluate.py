"""How well messages are understood: figures and a confusion table for any file of messages.

A line of the file is JSON: ``{"text": "...", "intent": "reset_password" | "none", "accepted": [...]}``.
``accepted`` names further right answers, "none" among them where asking back is right as well.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.intent.classify import NONE, Guess

_CORNER = "asked, then answered"


class MessagesError(Exception):
    """The file of messages cannot be used; names the file and the line."""


@dataclass(frozen=True, slots=True)
class Message:
    text: str
    intent: str
    accepted: frozenset[str]  # with ``intent``


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of 1. An action is what reached the threshold."""

    messages: int
    accuracy: float  # the answer at the threshold is an accepted one
    best_accuracy: float  # the likeliest is an accepted one, threshold or not
    action_precision: float  # of the actions proposed, those accepted
    action_recall: float  # of the messages that ask for an action, those that got an accepted one
    false_actions: float  # of the messages that ask for none, those that got one
    confusion: tuple[tuple[str, str, int], ...]  # asked, answered, how often


def read(path: Path) -> list[Message]:
    """:raises MessagesError: with the line that is wrong"""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MessagesError(f"{path}: {error}") from error
    return [_message(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def _message(line: str, where: str) -> Message:
    try:
        row: dict[str, Any] = json.loads(line)
        text, intent, accepted = row["text"], row["intent"], row.get("accepted", [])
        if not (isinstance(text, str) and isinstance(intent, str) and isinstance(accepted, list)):
            raise TypeError("text and intent are strings, accepted is a list")
        return Message(text, intent, frozenset((intent, *map(str, accepted))))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MessagesError(f'{where}: expected {{"text", "intent", "accepted"}}: {error!r}') from error


def figures(messages: Sequence[Message], classify: Callable[[str], Guess]) -> Figures:
    """What ``classify`` makes of the messages."""
    judged = [(message, guess := classify(message.text), guess.ranking[0][0]) for message in messages]
    acted = [(message, guess.action) for message, guess, _ in judged if guess.action != NONE]
    asking = [(message, guess.action) for message, guess, _ in judged if message.intent != NONE]
    idle = [(message, guess.action) for message, guess, _ in judged if message.intent == NONE]
    return Figures(
        messages=len(judged),
        accuracy=_share([guess.action in message.accepted for message, guess, _ in judged]),
        best_accuracy=_share([best in message.accepted for message, _, best in judged]),
        action_precision=_share([action in message.accepted for message, action in acted]),
        action_recall=_share([action != NONE and action in message.accepted for message, action in asking]),
        false_actions=_share(
            [action != NONE and action not in message.accepted for message, action in idle], empty=0.0
        ),
        confusion=tuple(
            (asked, answered, count)
            for (asked, answered), count in sorted(
                Counter((message.intent, guess.action) for message, guess, _ in judged).items()
            )
        ),
    )


def _share(marks: Sequence[bool], *, empty: float = 1.0) -> float:
    return sum(marks) / len(marks) if marks else empty


def report(found: Figures) -> str:
    """The figures as lines for a person."""
    return "\n".join(
        (
            f"messages           {found.messages}",
            f"accuracy           {found.accuracy:7.1%}  (without the threshold: {found.best_accuracy:.1%})",
            f"action precision   {found.action_precision:7.1%}",
            f"action recall      {found.action_recall:7.1%}",
            f"false actions      {found.false_actions:7.1%}  (of messages that ask for none)",
        )
    )


def table(found: Figures) -> str:
    """The confusion table: a row what was asked, a column what was answered."""
    names = sorted({name for asked, answered, _ in found.confusion for name in (asked, answered)})
    counts = {(asked, answered): count for asked, answered, count in found.confusion}
    wide = max(len(name) for name in (*names, _CORNER))
    head = " ".join(f"{number:>4}" for number in range(1, len(names) + 1))
    rows = [
        f"{number:>2} {name:<{wide}} "
        + " ".join(f"{counts.get((name, other), 0) or '.':>4}" for other in names)
        for number, name in enumerate(names, start=1)
    ]
    return "\n".join((f"   {_CORNER:<{wide}} {head}", *rows))
