"""`deskhand train`: learn the phrases of ``bot/actions`` anew, and write the weights.

Run by name, never imported: it needs scikit-learn, which the desk does without.
"""

from __future__ import annotations

from bot.actions import discover
from bot.intent.classify import WEIGHTS
from bot.intent.none import NONE, PHRASES
from bot.intent.train import train


def phrases() -> dict[str, tuple[str, ...]]:
    """What each action is asked for with, and what asks for none."""
    return {action.name: action.phrases for action in discover().named()} | {NONE: PHRASES}


def main() -> None:
    weights = train(phrases())
    WEIGHTS.write_bytes(weights.dump())
    lowest, highest = min(weights.thresholds), max(weights.thresholds)
    print(f"{len(weights.vocabulary)} features, thresholds {lowest:.2f} to {highest:.2f}: {WEIGHTS.name}")


if __name__ == "__main__":
    main()
