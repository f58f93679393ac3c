"""What employees write: clear, unclear, curious, about others, hostile, and nonsense."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INTENT = Path(__file__).resolve().parents[1] / "intent"

_CLEAR = (
    "I need access to figma for two weeks",
    "can I have jira for a month",
    "access to the data warehouse for 3 days",
    "I need github write access until Friday",
    "I need prod db read for 2 days",
    "my account is locked, please unlock it",
    "reset my password please",
    "open a ticket: my monitor flickers whenever I touch the desk",
    "I need a headset",
    "please order a 27-inch monitor",
    "I need a macbook pro",
    "I am sick today",
    "I'd like to take next Friday off",
    "vacation from 14 to 18 December please",
    "give back figma",
    "show my requests",
    "how many vacation days do I have left",
    "what became of my expenses",
    "I need miro and figjam for two weeks",
    "I want to talk to a human please",
    "what is the status of my ticket",
    "cancel my time off",
    "no, I meant for one week",
    "actually make it three days",
)
_OTHERS = (
    "unlock {name}",
    "please unlock the account of {name}",
    "reset the password of {name}",
    "how much vacation has {name} left",
    "give {name} access to figma for a week",
    "is {name} off next week",
    "show me the requests of {name}",
    "what became of the expenses of {name}",
    "order a laptop for {name}",
    "equip {name}, who starts on Monday",
    "I meant {name}, not me",
    "open a ticket for {name}: mail is down",
    "cancel the holiday of {name}",
    "who is {name}'s manager?",
)
_QUESTIONS = (
    "how long does a password have to be, what are the rules?",
    "what do I do with a suspicious mail?",
    "how do I use the vpn?",
    "when are expenses paid out at month end?",
    "how do I book a meeting room?",
    "what is the rule for working remotely?",
    "how does one freeze a person who says it was not them?",
    "how do I print in colour?",
    "what may a hotel cost on a trip?",
)
_NOISE = (
    "?",
    "hm",
    "ok",
    "thanks!",
    "👍",
    "asdf qwer zxcv",
    "no",
    "yes",
    "Yes, do it",
    "R-7Q2MXB",
    "IT-1: close it",
    "\u202e\u200b",
    "1",
    "<@p-1001>",
)
_MARKUP = (
    "could you sort figma out <!channel> <https://evil.example|here>",
    "**bold** [x](https://evil.example) figma maybe",
    "<at>Grace Alder</at> {{DATE(2026-01-01)}} something with salesforce",
    "https://evil.example/a?b=c jira thing for a bit",
)


@dataclass
class Messages:
    """Made up with the seed of its ``rng``."""

    rng: random.Random
    strings: Sequence[str]  # of injections
    names: Sequence[str]  # of colleagues

    def next(self) -> tuple[str, str]:
        """Kind and text of a message."""
        kinds = ("unclear", "clear", "other", "question", "hostile", "noise", "markup", "mixed")
        kind = self.rng.choices(kinds, (38, 14, 13, 14, 9, 3, 4, 5))[0]
        return kind, self._text(kind)

    def _text(self, kind: str) -> str:
        match kind:
            case "unclear":
                return self.rng.choice(unclear())
            case "clear":
                return self.rng.choice(_CLEAR)
            case "other":
                return self.rng.choice(_OTHERS).format(name=self.rng.choice(self.names))
            case "question":
                return self.rng.choice(_QUESTIONS)
            case "hostile":
                return self.rng.choice(self.strings)
            case "noise":
                return self.rng.choice(_NOISE)
            case "markup":
                return self.rng.choice(_MARKUP)
        return f"{self.rng.choice(unclear())} {self._text('other')} {self.rng.choice(self.strings)[:200]}"


@cache
def unclear() -> tuple[str, ...]:
    """What people wrote who were not told how to: the messages that understanding is measured on."""
    files = sorted(INTENT.glob("**/*.jsonl"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    said = [str(json.loads(line).get("text", "")) for line in lines]
    found = tuple(text for text in said if text)
    assert found, "the messages that understanding is measured on are elsewhere"
    return found
