"""Messages that nobody wrote, made of phrases: the teacher says what they are, and the student learns it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional

from scripts.teacher.model import word_vectors

_COMMON = 14_000  # places of the more frequent pieces
_NEAR = 8  # words of like meaning to choose from
_LONGEST = 400  # characters


def mixed(
    texts_of: Sequence[Sequence[str]], languages: Sequence[str], count: int, seed: int = 1
) -> list[str]:
    """``count`` messages: words left out, replaced by like ones, halves of two joined, two in one, shuffled.

    :param texts_of: the messages of each phrase
    :param languages: of each phrase
    """
    chance = random.Random(seed)
    like = _like()
    by_language: dict[str, list[Sequence[str]]] = {}
    for texts, language in zip(texts_of, languages, strict=True):
        by_language.setdefault(language, []).append(texts)
    shares = [len(texts) for texts in by_language.values()]
    found: list[str] = []
    while len(found) < count:
        language = chance.choices(list(by_language), shares)[0]
        one, other = (chance.choice(chance.choice(by_language[language])).split() for _ in range(2))
        text = " ".join(_changed(one, other, like if language == "en" else {}, chance))
        if text:
            found.append(text[:_LONGEST])
    return found


def _changed(
    words: list[str], other: list[str], like: Mapping[str, Sequence[str]], chance: random.Random
) -> list[str]:
    how = chance.random()
    if how < 0.3:
        return [word for word in words if len(words) < 4 or chance.random() > 0.18]
    if how < 0.6 and like:
        return [
            chance.choice(like[word.lower()]) if word.lower() in like and chance.random() < 0.25 else word
            for word in words
        ]
    if how < 0.8:
        return words[: max(1, int(len(words) * chance.uniform(0.3, 0.8)))] + other[int(len(other) * 0.4) :]
    if how < 0.95:
        return [*words, chance.choice((".", "and", "-", "also", ",")), *other]
    chance.shuffle(words)
    return words


def _like() -> dict[str, list[str]]:
    """For common words, those that the teacher's own vectors put nearest."""
    places, vectors = word_vectors()
    words = [w for w, at in places.items() if at < _COMMON and w.isascii() and w.isalpha() and len(w) > 2]
    of_words = functional.normalize(vectors[torch.tensor([places[word] for word in words])], dim=1)
    found = {}
    for start in range(0, len(words), 1000):
        nearest = (of_words[start : start + 1000] @ of_words.T).topk(_NEAR + 1, 1).indices[:, 1:]
        for word, row in zip(words[start:], nearest.tolist(), strict=False):
            found[word] = [words[at] for at in row]
    return found
