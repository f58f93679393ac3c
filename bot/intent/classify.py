"""Which action a message asks for, if any: a linear model over the features of the message.

The weights are data, made by ``scripts/teacher`` and moved on by ``deskhand train``; reading them needs
neither numpy nor a training library. A ``Guess`` is an opinion, never a permission.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import sys
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter, mul
from pathlib import Path
from typing import Any
from zlib import crc32

from bot.intent.features import Features

NONE = "none"  # the name of "no action" among the guesses
WEIGHTS = Path(__file__).with_name("weights.bin")
_REMEMBERED = 16_384  # places of features: most words of a day were written before
_FORMAT = "deskhand intent weights 3"


class WeightsError(Exception):
    """The weights cannot be read; names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Guess:
    action: str  # name of an action, or "none" where nothing reached the threshold
    probability: float  # of the first of the ranking, calibrated
    ranking: tuple[tuple[str, float], ...]  # all names with "none", likeliest first


@dataclass(frozen=True)
class Weights:
    """All that training leaves behind. Features are known by their checksum: a fifth of the memory."""

    classes: tuple[str, ...]
    thresholds: tuple[float, ...]  # of each class: the probability from which on it counts
    temperature: float  # logits are divided by it: above 1, the model was too sure of itself
    families: tuple[float, ...]  # how much each family of features counts
    intercepts: tuple[float, ...]
    known: frozenset[str]
    names: frozenset[str]
    keys: Sequence[int]  # of the features (``key_of``), ascending
    rarity: Sequence[float]  # inverse document frequency of each feature
    table: Sequence[array[int]]  # a row a class, a column a feature; in ``unit``, 8 bits each
    unit: float
    phrases_hash: str

    def dump(self) -> bytes:
        """The same bytes for the same weights."""
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
            "features": len(self.keys),
            "unit": self.unit,
        }
        text = json.dumps(head, ensure_ascii=False) + "\n"
        keys, rarity = array("I", self.keys), array("H", (round(100 * r) for r in self.rarity))
        if sys.byteorder == "big":
            keys.byteswap()
            rarity.byteswap()
        parts = (text.encode(), keys.tobytes(), rarity.tobytes(), *(row.tobytes() for row in self.table))
        return gzip.compress(b"".join(parts), 9, mtime=0)

    @classmethod
    def read(cls, data: bytes) -> Weights:
        """:raises ValueError, KeyError, OSError, EOFError: for anything but what ``dump`` wrote"""
        text, _, tail = gzip.decompress(data).partition(b"\n")
        head: dict[str, Any] = json.loads(text)
        if head["format"] != _FORMAT:
            raise ValueError(f"format is {head['format']!r}, not {_FORMAT!r}")
        size, classes = int(head["features"]), tuple(head["classes"])
        if len(tail) != size * (4 + 2 + len(classes)):
            raise ValueError("the table does not fit the features")
        keys, rarity = array("I", tail[: 4 * size]), array("H", tail[4 * size : 6 * size])
        if sys.byteorder == "big":
            keys.byteswap()
            rarity.byteswap()
        return cls(
            classes=classes,
            thresholds=tuple(head["thresholds"]),
            temperature=head["temperature"],
            families=tuple(head["families"]),
            intercepts=tuple(head["intercepts"]),
            known=frozenset(head["known"]),
            names=frozenset(head["names"]),
            # Arrays, not tuples: a part of the memory, and nothing for the collector to walk.
            keys=keys,
            rarity=array("d", (n / 100 for n in rarity)),
            table=tuple(array("b", tail[at : at + size]) for at in range(6 * size, len(tail), size)),
            unit=float(head["unit"]),
            phrases_hash=head["phrases"],
        )


def key_of(feature: str) -> int:
    """What stands for a feature. Of 100,000 features two share one now and then, which does no harm."""
    return crc32(feature.encode())


class Vector:
    """A message as numbers: the place and the value of each feature that training has seen."""

    def __init__(
        self,
        features: Features,
        keys: Sequence[int],
        rarity: Sequence[float],
        families: Sequence[float],
    ) -> None:
        self._features = features
        self._keys = keys
        self._place = lru_cache(maxsize=_REMEMBERED)(self._find)
        self._rarity = rarity
        self._families = families

    def of(self, text: str) -> tuple[list[int], list[float]]:
        places: list[int] = []
        values: list[float] = []
        for weight, family in zip(self._families, self._features.of(text), strict=True):
            found = [place for place in map(self._place, family) if place >= 0]
            if not found:
                continue
            raw = [self._rarity[place] for place in found]
            scale = weight / math.sqrt(sum(map(mul, raw, raw)))
            places += found
            values += [value * scale for value in raw]
        return places, values

    def _find(self, feature: str) -> int:
        """The place of a feature; below 0: training has not seen it."""
        key = key_of(feature)
        place = bisect_left(self._keys, key, hi=len(self._keys) - 1)
        return place if self._keys[place] == key else -1


class Classifier:
    """The running desk's side of the model. Holds no state between messages."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        features = Features(weights.known, weights.names)
        self._threshold = dict(zip(weights.classes, weights.thresholds, strict=True))
        self._vector = Vector(features, weights.keys, weights.rarity, weights.families)

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


def phrases_hash(phrases: Mapping[str, Sequence[object]]) -> str:
    """Stands for the phrases a model was trained on: stale weights show by it."""
    canonical = json.dumps({name: list(phrases[name]) for name in sorted(phrases)}, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
