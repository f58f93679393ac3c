"""What the teacher says of many messages, and the small model that learns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.intent.classify import Weights
from bot.intent.features import MARK, clean
from bot.intent.train import ANEW, Lesson, fit
from scripts.teacher.mixed import mixed
from scripts.teacher.model import taught

_READ_AS = "the app"  # where the name of a catalogue entry stood
_WRITTEN = 0.5  # how much what is written counts against what the teacher says


@dataclass(frozen=True, slots=True)
class Made:
    epochs: int = 3  # of the teacher
    mixed: int = 160_000  # messages made of phrases


def readable(text: str) -> str:
    """A message as the teacher reads it."""
    return clean(text).replace(MARK, _READ_AS)


def learnt(
    texts_of: Sequence[Sequence[str]],
    languages: Sequence[str],
    labels: Sequence[int],
    classes: tuple[str, ...],
    known: frozenset[str],
    made: Made = Made(),  # frozen
) -> Weights:
    """Weights without calibration.

    :param texts_of: of each phrase the messages made of it, the plainest first
    :param languages: of each phrase
    :param labels: of each phrase, as a place among ``classes``
    """
    teacher = taught(
        lambda epoch: [readable(texts[epoch % len(texts)]) for texts in texts_of],
        labels,
        len(classes),
        made.epochs,
    )
    texts = [text for each in texts_of for text in each]
    groups = [group for group, each in enumerate(texts_of) for _ in each]
    more = mixed(texts_of, languages, made.mixed)
    truth = teacher.chances([readable(text) for text in (*texts, *more)])
    written = np.zeros((len(texts), len(classes)), np.float32)
    written[np.arange(len(texts)), [labels[group] for group in groups]] = 1
    truth[: len(texts)] = _WRITTEN * written + (1 - _WRITTEN) * truth[: len(texts)]
    truth = np.concatenate([truth[: len(texts)], truth])  # what people wrote counts twice
    groups = [*groups, *groups, *([-1] * len(more))]
    return fit(Lesson([*texts, *texts, *more], groups, truth, classes, known), None, ANEW)
