"""Questions in people's words, answered with passages of the documents and where they stand.

Whoever wrote a document is not trusted: what comes back is plain text to be shown, never an instruction.
Nobody is shown a passage, a score or an order that a document of another audience has any part in.
"""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Self

from integrations.knowledge.documents import listing, pieces
from integrations.knowledge.index import Hit, Index, Terms, build, current
from integrations.work import Passage

LOOK_AGAIN_S = 30.0  # after which a question first looks whether the documents changed


class Knowledge:
    """A folder of documents and its index. Several processes may share both."""

    def __init__(self, folder: Path, path: Path) -> None:
        """:raises KnowledgeError:"""
        self._folder, self._path = folder, path
        self._turn = threading.Lock()  # one question at a time
        self._index = _up_to_date(folder, path, None)
        self._looked_at = time.monotonic()
        self._terms = Terms()

    @classmethod
    def open(cls, folder: Path, index: Path) -> Self:
        """Make the index where there is none, or where the documents changed.

        Blocks: milliseconds where nothing changed, else about a second for some hundred documents.

        :raises KnowledgeError: a document cannot be used, or the index cannot be written
        """
        return cls(Path(folder), Path(index))

    async def ask(self, question: str, groups: frozenset[str], limit: int = 3) -> list[Passage]:
        """The passages that answer, the best first; none where nothing answers well.

        :param groups: ids of all groups of the person who asks
        :raises KnowledgeError: also where a document was changed to one that cannot be used: what the index
            still says of it may be what was taken back
        """
        return await asyncio.to_thread(self._ask, question, groups, limit)

    async def check(self) -> str:
        """For ``deskhand doctor``. :raises KnowledgeError:"""
        return await asyncio.to_thread(self._check)

    def close(self) -> None:
        with self._turn:
            self._index.close()
            self._terms.close()

    def _ask(self, question: str, groups: frozenset[str], limit: int) -> list[Passage]:
        with self._turn:
            if time.monotonic() - self._looked_at >= LOOK_AGAIN_S:
                self._look_again()
            meanings = self._terms.telling(question)
            return (
                [_as_passage(hit) for hit in self._index.search(meanings, groups, limit)] if meanings else []
            )

    def _check(self) -> str:
        with self._turn:
            self._look_again()
            index = self._index
            said = f"{self._folder.name}: {index.documents} documents in {index.check()} passages, up to date"
            left = (
                f"; {index.left_out} files of other kinds left out (PDF is not read)"
                if index.left_out
                else ""
            )
            return said + left

    def _look_again(self) -> None:
        self._index = _up_to_date(self._folder, self._path, self._index)
        self._looked_at = time.monotonic()


def _up_to_date(folder: Path, path: Path, index: Index | None) -> Index:
    """The index in hand, or the one of the documents as they are now."""
    found = listing(folder)
    if index is not None and index.fingerprint == found.fingerprint:
        return index
    new = current(path, found.fingerprint)
    if new is None:
        build(path, found, pieces(folder, found.files))
        new = Index(path)
    if index is not None:
        index.close()
    return new


def _as_passage(hit: Hit) -> Passage:
    piece = hit.piece
    return Passage(piece.title, piece.heading, piece.text, piece.url, piece.file, hit.score, piece.audience)
