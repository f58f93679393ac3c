"""The index: one SQLite file with a full-text table, made anew under another name when the documents changed.

English: words are found by their stem, with or without accents. FTS5 keeps which word stands where; the
ranking (BM25, a word of the title or a heading counting for more) is worked out here, over those
passages that the asker may see. ``bm25()`` of FTS5 counts every row: order and score would tell of
documents that are none of theirs.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import log
from pathlib import Path
from uuid import uuid4

from sqlite_utils import Database

from integrations.knowledge.documents import KnowledgeError, Listing, Piece
from integrations.knowledge.markup import clean
from integrations.knowledge.words import SAME, STOP_WORDS

APPLICATION_ID = 0x414C464B  # "ALFK", in the header of every index
VERSION = 1  # of the tables, of how documents are read, and of the words
LEAST_SHARE = 0.5  # of the telling words, the rare ones counting for more, that an answer has to share
QUESTION_CHARS = 2_000  # of a question that are read
_QUESTION_WORDS = 24  # telling ones
_TOKENIZER = "porter unicode61 remove_diacritics 2"
_TITLE, _HEADING, _TEXT = 2.5, 3.0, 1.0  # what a word counts for, by where it stands
_NAMED = 1.5  # times the rarity of a word that some document is called by: it says what is asked about
_SATURATION, _BY_LENGTH = 1.2, 0.6  # k1 and b of BM25
_APPLICATION_ID_AT = 68  # in the header of a SQLite file: https://www.sqlite.org/fileformat2.html
_HEADER_BYTES = 100
_ABANDONED_SECONDS = 60  # an unfinished file older than this belongs to a process that was killed

_SEEN = "(passage.audience = '' OR passage.audience IN (SELECT value FROM json_each(:groups)))"
_SIZES = f"SELECT count(*), coalesce(avg(words), 0) FROM passage WHERE {_SEEN}"  # noqa: S608 -- no value is put into it
_POSTINGS = f"""
    SELECT passage.id, passage.words,
           sum(CASE place.col WHEN 'title' THEN {_TITLE} WHEN 'heading' THEN {_HEADING} ELSE {_TEXT} END),
           max(place.col = 'title')
      FROM passage_place AS place JOIN passage ON passage.id = place.doc
     WHERE place.term IN (SELECT value FROM json_each(:terms)) AND {_SEEN}
     GROUP BY passage.id
"""  # noqa: S608 -- no value is put into it


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers."""

    piece: Piece
    score: float  # 0 to 1, comparable between questions


class Terms:
    """Text in the words of the index. SQLite itself cuts and stems, as it did when the index was made."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute(f"CREATE VIRTUAL TABLE said USING fts5(words, tokenize = '{_TOKENIZER}')")
        self._db.execute("CREATE VIRTUAL TABLE place USING fts5vocab(said, 'instance')")
        self._stop = frozenset(self.of(STOP_WORDS))
        self._same: dict[str, frozenset[str]] = {}
        for line in SAME.strip().splitlines():
            terms = frozenset(self.of(line))
            self._same.update(dict.fromkeys(terms, terms))

    def of(self, text: str) -> list[str]:
        """Every term once, in the order of the text."""
        self._db.execute("INSERT INTO said (rowid, words) VALUES (1, ?)", (text,))
        try:
            rows = self._db.execute("SELECT term FROM place ORDER BY offset").fetchall()
        finally:
            self._db.execute("DELETE FROM said")
        return list(dict.fromkeys(term for (term,) in rows))

    def telling(self, question: str) -> list[frozenset[str]]:
        """The words that say what it is about, each with those that mean the same. :raises KnowledgeError:"""
        try:
            terms = self.of(clean(question[:QUESTION_CHARS]))
        except sqlite3.Error as error:
            raise KnowledgeError(f"the question cannot be read: {error}") from error
        meanings = [
            self._same.get(term, frozenset((term,)))
            for term in terms
            if term not in self._stop and (len(term) > 1 or term.isdigit())
        ]
        return list(dict.fromkeys(meanings))[:_QUESTION_WORDS]

    def close(self) -> None:
        self._db.close()


class Index:
    """One index file, open for reading."""

    def __init__(self, path: Path) -> None:
        """:raises KnowledgeError: when there is none that can be used"""
        self.path = path
        try:
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
            )
            try:
                self.fingerprint, self.documents, self.left_out = self._about()
            except (sqlite3.Error, KnowledgeError):
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise KnowledgeError(f"{path.name}: is no index that can be used: {error}") from error

    def _about(self) -> tuple[str, int, int]:
        if self._db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            raise KnowledgeError(f"{self.path.name}: is an index of another version")
        fingerprint, documents, left_out = self._db.execute(
            "SELECT fingerprint, documents, left_out FROM about"
        ).fetchone() or ("", 0, 0)
        return str(fingerprint), int(documents), int(left_out)

    def search(self, meanings: Sequence[frozenset[str]], groups: Iterable[str], limit: int) -> list[Hit]:
        """The best first. :raises KnowledgeError:"""
        seen = {"groups": json.dumps(sorted(groups))}
        try:
            ranked = self._ranked(meanings, seen)[: max(0, limit)]
            return [Hit(self._piece(passage), score) for passage, score in ranked]
        except sqlite3.Error as error:
            raise KnowledgeError(f"{self.path.name}: does not answer: {error}") from error

    def _ranked(self, meanings: Sequence[frozenset[str]], seen: dict[str, str]) -> list[tuple[int, float]]:
        total, average = self._db.execute(_SIZES, seen).fetchone()
        shared: dict[int, float] = {}  # passage -> rarity of the telling words that stand in it
        scores: dict[int, float] = {}
        possible = 0.0
        for meaning in meanings:
            rows = self._db.execute(_POSTINGS, {**seen, "terms": json.dumps(sorted(meaning))}).fetchall()
            rarity = log(1 + (total - len(rows) + 0.5) / (len(rows) + 0.5))
            if any(named for *_, named in rows):
                rarity *= _NAMED
            possible += rarity
            for passage, words, counted, _ in rows:
                long = 1 - _BY_LENGTH + _BY_LENGTH * words / (average or 1)
                shared[passage] = shared.get(passage, 0) + rarity
                scores[passage] = scores.get(passage, 0) + rarity * counted / (counted + _SATURATION * long)
        good = [passage for passage in scores if shared[passage] >= LEAST_SHARE * possible]
        good.sort(key=lambda passage: (-scores[passage], passage))
        return [(passage, round(scores[passage] / possible, 4)) for passage in good]

    def _piece(self, passage: int) -> Piece:
        row = self._db.execute(
            "SELECT file, title, url, audience, heading, text FROM passage WHERE id = ?", (passage,)
        ).fetchone()
        return Piece(*row)

    def check(self) -> int:
        """How many passages there are. :raises KnowledgeError:"""
        try:
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            (passages,) = self._db.execute("SELECT count(*) FROM passage").fetchone()
        except sqlite3.Error as error:
            raise KnowledgeError(f"{self.path.name}: does not answer: {error}") from error
        if found != "ok":
            raise KnowledgeError(f"{self.path.name}: is damaged ({found}); delete it, it is made anew")
        return int(passages)

    def close(self) -> None:
        self._db.close()


def current(path: Path, fingerprint: str) -> Index | None:
    """The index as it is, if it was made of these very documents.

    :raises KnowledgeError: something else stands at its place
    """
    if not path.exists():
        return None
    _require_ours(path)
    try:
        index = Index(path)
    except KnowledgeError:
        return None  # of another version, or damaged: it is made of the documents, so make it again
    if index.fingerprint == fingerprint:
        return index
    index.close()
    return None


def build(path: Path, found: Listing, pieces: Iterable[Piece]) -> None:
    """Whole, or not at all: what was there before stays until the moment it is replaced.

    :raises KnowledgeError:
    """
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        try:
            _write(unfinished, found, pieces)
            unfinished.replace(path)
            _sync(path.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise KnowledgeError(f"{path.name}: the index cannot be written: {error}") from error


def _write(path: Path, found: Listing, pieces: Iterable[Piece]) -> None:
    path.touch(mode=0o600)  # it holds what only some may read
    db = Database(path)
    try:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("PRAGMA journal_mode = OFF")  # a file that is not finished is thrown away
        columns = dict.fromkeys(("file", "title", "url", "audience", "heading", "text"), str)
        table = db.table("passage")
        table.create({"id": int, **columns, "words": int}, pk="id", not_null={*columns, "words"})
        table.insert_all(
            {
                **{column: getattr(piece, column) for column in columns},
                "words": len(piece.text.split()),
            }
            for piece in pieces
        )
        table.enable_fts(["title", "heading", "text"], tokenize=_TOKENIZER)
        db.execute("CREATE VIRTUAL TABLE passage_place USING fts5vocab(passage_fts, 'instance')")
        db.table("about").insert(
            {"fingerprint": found.fingerprint, "documents": len(found.files), "left_out": found.left_out}
        )
    finally:
        db.close()
    _sync(path)


def _require_ours(path: Path) -> None:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError as error:
        raise KnowledgeError(f"{path.name}: the index cannot be read: {error.strerror}") from error
    if header[_APPLICATION_ID_AT:][:4] != APPLICATION_ID.to_bytes(4, "big"):
        raise KnowledgeError(f"{path.name}: is no index of ours; name another file, or move it away")


def _sweep(path: Path) -> None:
    """Remove what killed processes left unfinished."""
    for left in path.parent.glob(f".{path.name}.*.unfinished*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
