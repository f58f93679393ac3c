"""Learn the classifier's weights from phrases. For development: the running desk never imports this.

Needs scikit-learn. Everything is deterministic: the same phrases give the same predictions.
Phrases are split into folds as wholes, with all the messages made of them, so that nothing is
ever judged by a model that has seen its sibling.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

from bot.intent.classify import NONE, Classifier, Vector, Weights, phrases_hash
from bot.intent.expand import FIRST, messages
from bot.intent.features import Features, listed, words_of

_BRACES = re.compile(r"\{\w+\}")

VARIANTS = 5  # messages made of one phrase
FOLDS = 5
_LOWEST, _HIGHEST = 0.5, 0.995  # of a threshold
_DEAREST = 500.0
FALSE_ACTIONS = 0.02  # highest share of out-of-fold "none" messages that may pass the threshold

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


@dataclass(frozen=True, slots=True)
class Shape:
    """What was chosen by training on the earlier phrases and judging the later ones, which are in other
    voices: a split by phrase alone flatters whatever remembers wordings."""

    families: tuple[float, ...] = (1.0, 1.0, 0.5)  # words, pieces of words, concepts
    regularity: float = 20.0  # inverse strength of L2
    none_weight: float = 1.0  # how much a "none" message counts against one for an action


SHAPE = Shape()


@dataclass(frozen=True, slots=True)
class Judged:
    """A plain phrase as a model judged it that had never seen it."""

    text: str
    truth: str
    chances: Mapping[str, float]

    @property
    def best(self) -> tuple[str, float]:
        return max(self.chances.items(), key=lambda item: item[1])


Rows = Sequence[tuple[str, str]]  # name of the action, phrase


def train(phrases: Mapping[str, Sequence[str]], shape: Shape = SHAPE) -> Weights:
    """Weights for ``phrases``: those of every action by its name, and those of ``none``."""
    temperature, thresholds = calibrate(cross_validate(phrases, shape))
    weights = fit(phrases, shape)
    return replace(
        weights, temperature=temperature, thresholds=tuple(thresholds[name] for name in weights.classes)
    )


def fit(phrases: Mapping[str, Sequence[str]], shape: Shape = SHAPE) -> Weights:
    """Weights without calibration: the probabilities are raw, and the threshold is none."""
    return replace(_fit(_rows(phrases), shape), phrases_hash=phrases_hash(phrases))


def cross_validate(phrases: Mapping[str, Sequence[str]], shape: Shape = SHAPE) -> list[Judged]:
    """Every phrase judged by the model of the other folds, uncalibrated."""
    rows = _rows(phrases)
    judged: list[Judged] = []
    for fold in range(FOLDS):
        model = Classifier(_fit([row for at, row in enumerate(rows) if at % FOLDS != fold], shape))
        for name, phrase in rows[fold::FOLDS]:
            text = messages(phrase, 1)[0]
            chances = dict(zip(model.weights.classes, model.chances(text), strict=True))
            judged.append(Judged(text, name, chances))
    return judged


def calibrate(judged: Sequence[Judged]) -> tuple[float, dict[str, float]]:
    """The temperature that makes probabilities true on unseen phrases, and a threshold for each class.

    Of all thresholds that let pass no more false actions than ``FALSE_ACTIONS``, those with the most true
    ones: what is seldom mistaken need not be as sure as what often is.
    """
    temperature = min((0.4 + 0.02 * step for step in range(130)), key=lambda t: _loss(judged, t))
    guesses = _by_guess(judged, temperature)
    allowed = int(FALSE_ACTIONS * sum(one.truth == NONE for one in judged))
    low, high = 0.0, _DEAREST  # what a false action costs, in true ones
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if _thresholds(guesses, middle)[1] <= allowed else (middle, high)
    found, _ = _thresholds(guesses, high)
    return round(temperature, 2), {name: found.get(name, _LOWEST) for name in {*found, *judged[0].chances}}


def _by_guess(judged: Sequence[Judged], temperature: float) -> dict[str, list[tuple[float, str]]]:
    """By action that was the likeliest: how likely, and the truth; the surest first."""
    guesses: dict[str, list[tuple[float, str]]] = {}
    for one in judged:
        name = one.best[0]
        if name != NONE:
            guesses.setdefault(name, []).append((cooled(one.chances, temperature)[name], one.truth))
    return {name: sorted(rows, reverse=True) for name, rows in guesses.items()}


def _thresholds(
    guesses: Mapping[str, Sequence[tuple[float, str]]], cost: float
) -> tuple[dict[str, float], int]:
    """The best threshold of each action at this cost of a false one; and how many "none" pass."""
    found, passed = {}, 0
    for name, rows in guesses.items():
        best, score, nones, at_best = _HIGHEST, 0.0, 0, 0
        top = 0.0
        for chance, truth in rows:
            if chance < _LOWEST:
                break
            score += 1 if truth == name else -cost
            nones += truth == NONE
            if score > top:
                top, best, at_best = score, chance, nones
        found[name] = round(min(max(best - 1e-4, _LOWEST), _HIGHEST), 4)
        passed += at_best
    return found, passed


def cooled(chances: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Probabilities under a temperature, from those under none."""
    powers = {name: max(chance, 1e-12) ** (1 / temperature) for name, chance in chances.items()}
    whole = sum(powers.values())
    return {name: power / whole for name, power in powers.items()}


def _loss(judged: Sequence[Judged], temperature: float) -> float:
    return -sum(math.log(cooled(one.chances, temperature)[one.truth]) for one in judged)


def _rows(phrases: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(name, phrase) for name in sorted(phrases) for phrase in phrases[name]]


def _known_words(rows: Rows) -> frozenset[str]:
    """Words of at least two phrases. What stands in one only is treated as unknown, as most words of
    a company's life will be."""
    seen = Counter(word for _, phrase in rows for word in set(words_of(_BRACES.sub(" ", phrase))))
    return frozenset(word for word, times in seen.items() if times > 1)


def _fit(rows: Rows, shape: Shape) -> Weights:
    known = _known_words(rows)
    features = Features(known, NAMES)
    made = [(name, text, at) for at, (name, phrase) in enumerate(rows) for text in messages(phrase, VARIANTS)]
    vocabulary, rarity = _vocabulary(features, made)
    vector = Vector(features, vocabulary, rarity, shape.families)
    places: list[int] = []
    values: list[float] = []
    ends = [0]
    for _, text, _ in made:
        some_places, some_values = vector.of(text)
        places += some_places
        values += some_values
        ends.append(len(places))
    matrix = csr_matrix((values, places, ends), shape=(len(made), len(vocabulary)))
    counts = np.array([shape.none_weight if name == NONE else 1.0 for name, _, _ in made]) / VARIANTS
    model = LogisticRegression(C=shape.regularity, max_iter=200, tol=1e-3)
    model.fit(matrix, [name for name, _, _ in made], sample_weight=counts)
    return Weights(
        classes=tuple(str(name) for name in model.classes_),
        thresholds=tuple(_LOWEST for _ in model.classes_),
        temperature=1.0,
        families=shape.families,
        intercepts=tuple(round(float(number), 4) for number in model.intercept_),
        known=known,
        names=NAMES,
        vocabulary=vocabulary,
        rarity=rarity,
        table=tuple(tuple(float(number) for number in row) for row in model.coef_),
        phrases_hash="",
    )


def _vocabulary(
    features: Features, made: Sequence[tuple[str, str, int]]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Features that at least two phrases share, and how rare each is among the phrases."""
    phrases_with: dict[str, set[int]] = {}
    for _, text, at in made:
        for family in features.of(text):
            for feature in family:
                phrases_with.setdefault(feature, set()).add(at)
    kept = sorted(feature for feature, ats in phrases_with.items() if len(ats) > 1)
    total = 1 + max(at for _, _, at in made)
    # Rounded as stored, so that the model is fitted to the very numbers it will run on.
    return tuple(kept), tuple(round(1 + math.log(total / len(phrases_with[feature])), 2) for feature in kept)
