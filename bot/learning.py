"""`deskhand train`: learn the phrases of ``bot/actions/phrases`` anew, and a company's own with them.

Run by name, never imported by the desk: it needs numpy and scipy, which the desk does without. It goes on
from the weights that are there, which ``scripts/teacher`` made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.intent.classify import WEIGHTS, Classifier, Weights
from bot.intent.evaluate import Message, MessagesError, figures, read, report
from bot.intent.expand import Phrase
from bot.intent.train import train

PHRASES = Path(__file__).parent / "actions" / "phrases"  # language / action
JUDGED = PHRASES / "judged.jsonl"  # by other authors: they set how sure is sure enough


def phrases(folder: Path = PHRASES) -> dict[str, tuple[Phrase, ...]]:
    """What each action is asked for with, and what asks for none: a file each, a phrase a line."""
    found: dict[str, tuple[Phrase, ...]] = {}
    for file in sorted(folder.glob("*/*.txt")):
        lines = file.read_text(encoding="utf-8").splitlines()
        said = (Phrase(line, file.parent.name) for line in lines if line.strip() and not line.startswith("#"))
        found[file.stem] = (*found.get(file.stem, ()), *said)
    return found


def main(own: Sequence[Message] = (), to: Path = WEIGHTS) -> None:
    """:param own: a company's own phrases, which count like those that ship
    :param to: where the weights go"""
    said: dict[str, tuple[Phrase, ...]] = phrases()
    for message in own:
        if message.intent not in said:
            raise MessagesError(f"{message.intent!r} is no action: {', '.join(sorted(said))}")
        said[message.intent] = (*said[message.intent], Phrase(message.text))
    judged = read(JUDGED)
    weights = train(said, judged, Weights.read(WEIGHTS.read_bytes()))
    to.write_bytes(weights.dump())
    print(f"{sum(map(len, said.values()))} phrases; from {weights.thresholds[0]:.2f} on it is sure enough")
    print(report(figures(judged, Classifier(weights).classify)))
    print(f"(on the {len(judged)} messages that this was set by; measure others with `deskhand eval FILE`)")
    print(to)
