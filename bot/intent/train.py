"""Learn the classifier's weights from messages. The running desk never imports this: it needs numpy.

Learning begins with the weights that ship, where they are given, and moves them no further than new phrases
ask for: a few phrases of one company shall not undo what many messages taught. Everything is deterministic:
the same messages give the same weights. How sure is sure enough is set on messages that other people wrote
than the phrases: a model is always too sure of what it has seen.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bot.intent.classify import NONE, Classifier, Vector, Weights, key_of, phrases_hash
from bot.intent.evaluate import Message
from bot.intent.expand import FIRST, Phrase, messages
from bot.intent.features import Features, listed, words_of

_BRACES = re.compile(r"\{\w+\}")

FAMILIES = (1.0, 1.0, 0.5)  # words, pieces of words, concepts
VARIANTS = 4  # messages made of one phrase
FALSE_ACTIONS = 0.0125  # of the messages that ask for nothing, the most that may pass: the bar is 0.02
PRECISION = 0.975  # lowest share of what passes that has to be right: the bar is 97 in 100
_LOWEST, _HIGHEST = 0.5, 0.995  # of a threshold
_WITHIN = 0.9995  # share of the weights that 8 bits hold; a few very large ones are cut
_SOFT = 0.5  # how much what is held already counts against what is written
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8  # Adam's constants, Kingma and Ba, arXiv 1412.6980

# Names that mean "a person" to the model. Half of those in the training messages are left out,
# so that it also learns what an unknown name looks like.
NAMES = frozenset(name.lower() for name in FIRST[::2]) | listed(
    "adam adrian agnes alan albert alice amanda amelia amy andrea andreas andrew angela anne anthony "
    "antonio arthur "
    "barbara beate bernd bianca bob brian bruno camille carl carlos carmen caroline catherine cecilia "
    "charles charlotte "
    "christian christina christine claire clara claudia colin connor cristina daniela diana diego dominik "
    "doris edward "
    "elena elisabeth elizabeth emily emil emilia emre eric erik esther eva fabian fernando florian "
    "francesca francesco "
    "frank gabriel gabriela george georg gerard hannah hans harry heather heidi helen helena henry ian "
    "ibrahim ines "
    "irene isabel isabella jacob jakob jane jason javier jean jennifer jenny jessica joan joana joe johan "
    "johannes "
    "jordan jorge jose joseph josh juan julia julian karen karin karl katarina katharina kevin klaus larry "
    "leo leon lena "
    "leonardo lily linus lorenzo louis louise lucas lucia lucy luca magnus manuel marc marcel marcus "
    "margaret marie "
    "marina mario markus marta martha martin martina matteo matthew matthias melanie miguel mike mohamed "
    "mohammed monica "
    "monika natalia natalie nathan nicholas nick nicolas nikolai nora olivia pablo patricia patrick paula "
    "philip philipp "
    "rachel rafael rebecca ricardo richard roberto roland rosa ruth ryan sabine samuel sandra santiago sara "
    "sebastian "
    "sergio silvia simon sophia sophie stefan stephanie stephen steve susan susanne sven tanja teresa theo "
    "thomas timo "
    "tobias ursula valentina vera veronica victor victoria vincent walter wolfgang yasmin yusuf"
)


Floats = NDArray[np.float32]
Phrases = Mapping[str, Sequence[Phrase]]  # by name of the action


@dataclass(frozen=True, slots=True)
class Lesson:
    """Messages, and what they are."""

    texts: Sequence[str]
    groups: Sequence[int]  # of each message the phrase it was made of; below 0: it is made of several
    truth: Floats  # a row a message, a column a class: probabilities
    classes: tuple[str, ...]
    known: frozenset[str]  # words that mean something here; every other is unknown


@dataclass(frozen=True, slots=True)
class Effort:
    epochs: int
    rate: float
    batch: int
    left_out: float = 0.0  # share of a message's features, anew each time: no single one has to be there


ANEW = Effort(epochs=4, rate=0.01, batch=512, left_out=0.3)
FURTHER = Effort(epochs=3, rate=0.004, batch=128)


def train(phrases: Phrases, judged: Sequence[Message], base: Weights | None = None) -> Weights:
    """Weights for ``phrases``: those of every action by its name, and those of ``none``.

    :param judged: messages by which it is set how sure is sure enough
    :param base: weights to begin with
    """
    learnt = fit(lesson(phrases, base), base, FURTHER if base else ANEW)
    return calibrated(replace(learnt, phrases_hash=phrases_hash(phrases)), judged)


def lesson(phrases: Phrases, base: Weights | None = None) -> Lesson:
    """The messages made of phrases. With ``base``, what that holds of them counts too."""
    classes = tuple(sorted(phrases))
    rows = [(at, phrase) for at, name in enumerate(classes) for phrase in phrases[name]]
    made = [
        (text, group, at) for group, (at, phrase) in enumerate(rows) for text in messages(phrase, VARIANTS)
    ]
    truth = np.zeros((len(made), len(classes)), np.float32)
    truth[np.arange(len(made)), [at for _, _, at in made]] = 1
    texts = [text for text, _, _ in made]
    if base:
        held = Classifier(replace(base, temperature=1.0))
        soft = np.zeros_like(truth)
        soft[:, [classes.index(name) for name in base.classes]] = [held.chances(text) for text in texts]
        told = np.isin(truth.argmax(axis=1), [classes.index(name) for name in base.classes])[:, None]
        truth = np.where(told, (1 - _SOFT) * truth + _SOFT * soft, truth).astype(np.float32)
    return Lesson(
        texts, [group for _, group, _ in made], truth, classes, known_words(p.text for _, p in rows)
    )


def fit(taught: Lesson, base: Weights | None, effort: Effort) -> Weights:
    """Weights without calibration: the probabilities are raw, and the threshold is the lowest."""
    known = taught.known | (base.known if base else frozenset())
    keys, rarity = _features(Features(known, NAMES), taught, base)
    vector = Vector(Features(known, NAMES), keys, rarity, FAMILIES)
    table, intercepts = _begun(keys, taught.classes, base)
    _descend(_matrix(vector, taught.texts, len(keys)), taught.truth, table, intercepts, effort)
    unit = float(np.quantile(np.abs(table), _WITHIN)) / 127
    stored = np.clip(np.round(table.T / unit), -127, 127).astype(np.int8)
    return Weights(
        classes=taught.classes,
        thresholds=tuple(_LOWEST for _ in taught.classes),
        temperature=1.0,
        families=FAMILIES,
        intercepts=tuple(round(float(number), 4) for number in intercepts),
        known=known,
        names=NAMES,
        keys=keys,
        rarity=rarity,
        table=tuple(array("b", row.tobytes()) for row in stored),
        unit=unit,
        phrases_hash="",
    )


def _begun(keys: Sequence[int], classes: Sequence[str], base: Weights | None) -> tuple[Floats, Floats]:
    """Nothing is known of anything, but what ``base`` knows."""
    table = np.zeros((len(keys), len(classes)), np.float32)
    intercepts = np.zeros(len(classes), np.float32)
    if base:
        places = np.searchsorted(np.array(keys, np.uint32), np.array(base.keys, np.uint32))
        for name, row, intercept in zip(base.classes, base.table, base.intercepts, strict=True):
            table[places, classes.index(name)] = np.array(row, np.float32) * base.unit
            intercepts[classes.index(name)] = intercept
    return table, intercepts


def _descend(rows: csr_matrix, truth: Floats, table: Floats, intercepts: Floats, effort: Effort) -> None:
    """Change ``table`` and ``intercepts`` until they say what is true, by Adam in batches."""
    chance = np.random.default_rng(0)
    weights = (table, intercepts)
    moments = [(np.zeros_like(each), np.zeros_like(each)) for each in weights]
    steps = effort.epochs * math.ceil(len(truth) / effort.batch)
    step = 0
    for _ in range(effort.epochs):
        order = chance.permutation(len(truth))
        for at in range(0, len(order), effort.batch):
            batch = order[at : at + effort.batch]
            some = _thinned(rows[batch], effort.left_out, chance)
            wrong = (_softmax(some @ table + intercepts) - truth[batch]) / len(batch)
            rate = effort.rate * max(0.02, 1 - step / steps)
            step += 1
            for weight, slope, (first, second) in zip(
                weights, (np.asarray(some.T @ wrong), wrong.sum(axis=0)), moments, strict=True
            ):
                _adam(weight, slope, first, second, rate, step)


def _thinned(some: csr_matrix, left_out: float, chance: np.random.Generator) -> csr_matrix:
    """What is left of the features weighs more, so that a message weighs as much as before."""
    if left_out:
        kept = chance.random(len(some.data)) >= left_out
        some.data = (some.data * kept / (1 - left_out)).astype(np.float32)
    return some


def _adam(weight: Floats, slope: Floats, first: Floats, second: Floats, rate: float, step: int) -> None:
    first *= _FIRST
    first += (1 - _FIRST) * slope
    second *= _SECOND
    second += (1 - _SECOND) * slope * slope
    size = np.sqrt(second / (1 - _SECOND**step))
    weight -= rate / (1 - _FIRST**step) * first / (size + _TINY)


def calibrated(weights: Weights, judged: Sequence[Message]) -> Weights:
    """The temperature that makes probabilities true on messages of other authors, and a threshold: the
    lowest that keeps both promises, few false actions and seldom the wrong one."""
    model = Classifier(replace(weights, temperature=1.0))
    logits = np.log(np.array([model.chances(message.text) for message in judged], np.float32) + 1e-12)
    temperature = round(
        min((0.4 + 0.05 * n for n in range(80)), key=lambda t: _loss(weights, logits / t, judged)), 2
    )
    threshold = _threshold(weights, _softmax(logits / temperature), judged)
    return replace(weights, temperature=temperature, thresholds=tuple(threshold for _ in weights.classes))


def _threshold(weights: Weights, chances: Floats, judged: Sequence[Message]) -> float:
    idle = sum(message.intent == NONE for message in judged)
    acted = right = false = 0
    lowest = _HIGHEST
    best = chances.argmax(axis=1)
    for at in np.argsort(-chances.max(axis=1), kind="stable"):
        name, message = weights.classes[best[at]], judged[at]
        if name == NONE:
            continue
        acted += 1
        right += name in message.accepted
        false += message.intent == NONE and name not in message.accepted
        if right >= PRECISION * acted and false <= FALSE_ACTIONS * idle:
            lowest = float(chances[at].max())
    return round(min(max(lowest - 1e-4, _LOWEST), _HIGHEST), 4)


def _loss(weights: Weights, logits: Floats, judged: Sequence[Message]) -> float:
    """How unlikely the truth was held, summed over the messages."""
    at = [weights.classes.index(message.intent) for message in judged]
    return float(-np.log(np.maximum(_softmax(logits)[np.arange(len(at)), at], 1e-9)).sum())


def _softmax(logits: Floats) -> Floats:
    parts = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(parts / parts.sum(axis=1, keepdims=True), np.float32)


def known_words(texts: Iterable[str]) -> frozenset[str]:
    """Words of at least two phrases, without what fills the braces. What stands in one only is treated as
    unknown, as most words of a company's life will be."""
    seen = Counter(word for text in texts for word in set(words_of(_BRACES.sub(" ", text))))
    return frozenset(word for word, times in seen.items() if times > 1)


def _matrix(vector: Vector, texts: Iterable[str], width: int) -> csr_matrix:
    places, values, ends = array("l"), array("f"), array("l", [0])
    for text in texts:
        some_places, some_values = vector.of(text)
        places.extend(some_places)
        values.extend(some_values)
        ends.append(len(places))
    return csr_matrix((np.array(values), np.array(places), np.array(ends)), shape=(len(ends) - 1, width))


def _features(features: Features, taught: Lesson, base: Weights | None) -> tuple[array[int], array[float]]:
    """The keys of features that at least two phrases share, and how rare each is among the phrases."""
    phrases_with: dict[int, set[int]] = {}
    for text, group in zip(taught.texts, taught.groups, strict=True):
        if group < 0:
            continue
        for family in features.of(text):
            for feature in family:
                phrases_with.setdefault(key_of(feature), set()).add(group)
    total = 1 + max(taught.groups)
    rarity = {
        key: round(1 + math.log(total / len(groups)), 2)
        for key, groups in phrases_with.items()
        if len(groups) > 1
    }
    if base:
        rarity |= dict(zip(base.keys, base.rarity, strict=True))
    keys = array("I", sorted(rarity))
    # Rounded as stored, so that the model is fitted to the very numbers it will run on.
    return keys, array("d", (rarity[key] for key in keys))
