"""How the same features and model do on CLINC150, a public set that has nothing to do with help desks.

    python -m scripts.teacher.clinc data_full.json

Larson et al., "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction", EMNLP 2019.
Everything is learnt from its own train split; nothing of it is in the project.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.intent.classify import Classifier
from bot.intent.train import known_words
from scripts.teacher.lesson import Made, learnt

KEPT = 0.95  # of what is in scope
_MADE = Made(epochs=5, mixed=150_000)


def main() -> None:
    data = json.loads(Path(sys.argv[1]).read_text())
    classes = tuple(sorted({label for _, label in data["train"]}))
    texts = [text for text, _ in data["train"]]
    labels = [classes.index(label) for _, label in data["train"]]
    model = Classifier(
        learnt([[t] for t in texts], ["en"] * len(texts), labels, classes, known_words(texts), _MADE)
    )
    chances = {
        split: np.array([model.chances(text) for text, _ in data[split]])
        for split in ("val", "test", "oos_test")
    }
    guesses = [classes[at] for at in chances["test"].argmax(axis=1)]
    accuracy = np.mean([guess == label for guess, (_, label) in zip(guesses, data["test"], strict=True)])
    print(f"accuracy in scope {accuracy:.1%}")
    for split in ("val", "test"):
        recall = np.mean(sure(chances["oos_test"]) < np.quantile(sure(chances[split]), 1 - KEPT))
        print(f"out-of-scope recall {recall:.1%} with {KEPT:.0%} of the in-scope messages of {split} kept")


def sure(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(chances.max(axis=1))


if __name__ == "__main__":
    main()
