"""Which action a message asks for, if any: a linear model over the features of the message.

The weights are data, written by ``deskhand train`` (``bot/intent/train.py``); reading them needs
neither numpy nor a training library. A ``Guess`` is an opinion, never a permission.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter, mul
from pathlib import Path
from typing import Any

from bot.intent.features import Features

NONE = "none"  # the name of "no action" among the guesses
WEIGHTS = Path(__file__).with_name("weights.bin")
_FORMAT = "deskhand intent weights 2"


class WeightsError(Exception):
    """The weights cannot be read; names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Guess:
    action: str  # name of an action, or "none" where nothing reached the threshold
    probability: float  # of the first of the ranking, calibrated
    ranking: tuple[tuple[str, float], ...]  # all names with "none", likeliest first


@dataclass(frozen=True)
class Weights:
    """All that training leaves behind."""

    classes: tuple[str, ...]
    thresholds: tuple[float, ...]  # of each class: the probability from which on it counts
    temperature: float  # logits are divided by it: above 1, the model was too sure of itself
    families: tuple[float, ...]  # how much each family of features counts
    intercepts: tuple[float, ...]
    known: frozenset[str]
    names: frozenset[str]
    vocabulary: tuple[str, ...]
    rarity: Sequence[float]  # inverse document frequency of each feature
    table: Sequence[Sequence[float]]  # a row a class, a column a feature; in ``unit``
    phrases_hash: str
    unit: float = 1.0  # of the table: 16 bits a weight take a quarter of the memory of numbers

    def dump(self) -> bytes:
        """The same bytes for the same weights. 16 bits a weight: a tenth of a per mille of the largest."""
        unit, table = self.unit, self.table
        if unit == 1.0:  # as it was fitted
            largest = max((abs(w) for row in table for w in row), default=0.0) or 1.0
            unit = largest / 32767
            table = [[round(w / largest * 32767) for w in row] for row in table]
        head = {
            "format": _FORMAT,
            "phrases": self.phrases_hash,
            "classes": self.classes,
            "thresholds": self.thresholds,
            "temperature": self.temperature,
            "families": self.families,
            "intercepts": self.intercepts,
            "known": sorted(self.known),
            "names": sorted(self.names),
            "features": len(self.vocabulary),
            "unit": unit,
        }
        numbers = array("h", (round(100 * r) for r in self.rarity))
        for row in table:
            numbers.extend(int(w) for w in row)
        if sys.byteorder == "big":
            numbers.byteswap()
        text = json.dumps(head, ensure_ascii=False) + "\n" + "\n".join(self.vocabulary) + "\n\n"
        return gzip.compress(text.encode() + numbers.tobytes(), 9, mtime=0)

    @classmethod
    def read(cls, data: bytes) -> Weights:
        """:raises ValueError, KeyError, OSError, EOFError: for anything but what ``dump`` wrote"""
        text, _, tail = gzip.decompress(data).partition(b"\n\n")
        line, _, vocabulary = text.decode().partition("\n")
        head: dict[str, Any] = json.loads(line)
        if head["format"] != _FORMAT:
            raise ValueError(f"format is {head['format']!r}, not {_FORMAT!r}")
        numbers = array("h", tail)
        if sys.byteorder == "big":
            numbers.byteswap()
        size, unit = int(head["features"]), float(head["unit"])
        features = tuple(vocabulary.split("\n"))
        if len(features) != size or len(numbers) != size * (len(head["classes"]) + 1):
            raise ValueError("the table does not fit the vocabulary")
        return cls(
            classes=tuple(head["classes"]),
            thresholds=tuple(head["thresholds"]),
            temperature=head["temperature"],
            families=tuple(head["families"]),
            intercepts=tuple(head["intercepts"]),
            known=frozenset(head["known"]),
            names=frozenset(head["names"]),
            vocabulary=features,
            # Arrays, not tuples: a part of the memory, and nothing for the collector to walk.
            rarity=array("d", (n / 100 for n in numbers[:size])),
            table=tuple(numbers[at : at + size] for at in range(size, len(numbers), size)),
            phrases_hash=head["phrases"],
            unit=unit,
        )


class Vector:
    """A message as numbers: the place and the value of each feature that training has seen."""

    def __init__(
        self,
        features: Features,
        vocabulary: Sequence[str],
        rarity: Sequence[float],
        families: Sequence[float],
    ) -> None:
        self._features = features
        self._place = {feature: place for place, feature in enumerate(vocabulary)}
        self._rarity = rarity
        self._families = families

    def of(self, text: str) -> tuple[list[int], list[float]]:
        places: list[int] = []
        values: list[float] = []
        for weight, family in zip(self._families, self._features.of(text), strict=True):
            found = [place for feature in family if (place := self._place.get(feature)) is not None]
            if not found:
                continue
            raw = [self._rarity[place] for place in found]
            scale = weight / math.sqrt(sum(map(mul, raw, raw)))
            places += found
            values += [value * scale for value in raw]
        return places, values


class Classifier:
    """The running desk's side of the model. Holds no state between messages."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        features = Features(weights.known, weights.names)
        self._threshold = dict(zip(weights.classes, weights.thresholds, strict=True))
        self._vector = Vector(features, weights.vocabulary, weights.rarity, weights.families)

    @classmethod
    @cache
    def load(cls, path: Path = WEIGHTS) -> Classifier:
        """Read once a process. :raises WeightsError: for a missing or damaged file"""
        try:
            return cls(Weights.read(path.read_bytes()))
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"{path}: {error}. Write it anew with `deskhand train`.") from error

    def classify(self, text: str) -> Guess:
        return self._guess(self.chances(text))

    def classify_both(self, text: str, masked: str) -> Guess:
        """The mean of two readings: as written, and with names of the catalogue masked."""
        if masked == text:
            return self.classify(text)
        readings = zip(self.chances(text), self.chances(masked), strict=True)
        return self._guess([(one + other) / 2 for one, other in readings])

    def _guess(self, chances: Sequence[float]) -> Guess:
        ranking = tuple(
            sorted(zip(self.weights.classes, chances, strict=True), key=itemgetter(1), reverse=True)
        )
        name, probability = ranking[0]
        return Guess(name if probability >= self._threshold[name] else NONE, probability, ranking)

    def chances(self, text: str) -> list[float]:
        """The probability of each class, in the order of ``weights.classes``."""
        places, values = self._vector.of(text)
        logits = list(self.weights.intercepts)
        if len(places) > 1:  # of one place itemgetter makes no tuple; and one feature says nothing
            pick = itemgetter(*places)
            for at, row in enumerate(self.weights.table):
                logits[at] += self.weights.unit * sum(map(mul, values, pick(row)))
        top = max(logits)
        parts = [math.exp((logit - top) / self.weights.temperature) for logit in logits]
        whole = sum(parts)
        return [part / whole for part in parts]


def phrases_hash(phrases: Mapping[str, Sequence[str]]) -> str:
    """Stands for the phrases a model was trained on: stale weights show by it."""
    canonical = json.dumps({name: list(phrases[name]) for name in sorted(phrases)}, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
