"""python -m scripts.teacher"""

from __future__ import annotations

from dataclasses import replace

from bot import learning
from bot.intent.classify import WEIGHTS, Classifier, phrases_hash
from bot.intent.evaluate import figures, read, report
from bot.intent.expand import messages
from bot.intent.train import VARIANTS, calibrated, known_words
from scripts.teacher.lesson import learnt


def main() -> None:
    said = learning.phrases()
    classes = tuple(sorted(said))
    rows = [(phrase, at) for at, name in enumerate(classes) for phrase in said[name]]
    fitted = learnt(
        [messages(phrase, VARIANTS) for phrase, _ in rows],
        [phrase.language for phrase, _ in rows],
        [at for _, at in rows],
        classes,
        known_words(phrase.text for phrase, _ in rows),
    )
    judged = read(learning.JUDGED)
    weights = calibrated(replace(fitted, phrases_hash=phrases_hash(said)), judged)
    WEIGHTS.write_bytes(weights.dump())
    print(f"{len(weights.keys)} features, sure from {weights.thresholds[0]:.2f} on: {WEIGHTS.name}")
    print(report(figures(judged, Classifier(weights).classify)))


if __name__ == "__main__":
    main()
