"""`deskhand train`: learn the phrases of ``bot/actions/phrases`` anew, and write the weights.

Run by name, never imported by the desk: it needs scikit-learn, which the desk does without.
"""

from __future__ import annotations

from pathlib import Path

from bot.intent.classify import WEIGHTS
from bot.intent.train import train

PHRASES = Path(__file__).parent / "actions" / "phrases"  # language / action


def phrases(folder: Path = PHRASES) -> dict[str, tuple[str, ...]]:
    """What each action is asked for with, and what asks for none: a file each, a phrase a line."""
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted(folder.glob("*/*.txt")):
        lines = file.read_text(encoding="utf-8").splitlines()
        said = tuple(line for line in lines if line.strip() and not line.startswith("#"))
        found[file.stem] = found.get(file.stem, ()) + said
    return found


def main() -> None:
    weights = train(phrases())
    WEIGHTS.write_bytes(weights.dump())
    lowest, highest = min(weights.thresholds), max(weights.thresholds)
    print(f"{len(weights.vocabulary)} features, thresholds {lowest:.2f} to {highest:.2f}: {WEIGHTS.name}")


if __name__ == "__main__":
    main()
