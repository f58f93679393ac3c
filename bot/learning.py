"""`deskhand train` and `deskhand eval`: learn the phrases anew, measure understanding on messages."""

from __future__ import annotations

from argparse import Namespace

from bot.settings import Settings


def train(settings: Settings, args: Namespace) -> int:
    raise SystemExit("wired once training is there")


def evaluate(settings: Settings, args: Namespace) -> int:
    raise SystemExit("wired once evaluation is there")
