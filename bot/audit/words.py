"""What people wrote: encrypted with a key per person, so that it can be shredded and the chain still holds.

The trail holds two hashes of every text: one of salt and text, which proves what was said while the
key exists and cannot be guessed from without it, and one of the row as it is stored, which proves
that the row is unchanged even after the key is gone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection

from bot.store.keys import KEY_BYTES, Box, KeyFile, Unsealable
from bot.store.sql import Sql

_SALT_BYTES = 32

_INSERT = Sql(
    "INSERT INTO words (person, person_key, sealed, commitment, digest)"
    " VALUES (:person, :person_key, :sealed, :commitment, :digest) RETURNING id"
)
_KEY = Sql("SELECT id, wrapped FROM person_keys WHERE person = :person")
_NEW_KEY = Sql("INSERT INTO person_keys (person, wrapped) VALUES (:person, :wrapped) RETURNING id")
READ = (
    "SELECT w.person, w.sealed, w.commitment, k.wrapped"
    " FROM words w LEFT JOIN person_keys k ON k.id = w.person_key WHERE w.id = ?"
)


class WordsChanged(Exception):
    """The stored words are not those that were recorded."""


@dataclass(frozen=True, slots=True)
class Words:
    """A reference to recorded words, to be handed to ``trail.append``."""

    id: int
    commitment: str
    digest: str

    def reference(self) -> dict[str, int | str]:
        return {"id": self.id, "commitment": self.commitment, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Opened:
    """Words in the clear, with the salt that proves them against the commitment in the chain."""

    text: str
    salt: bytes


class WordStore:
    """Writes, reads and shreds what people wrote."""

    def __init__(self, keys: KeyFile) -> None:
        self._wrap = keys.box("audit.words")

    def record(self, conn: Connection, person: str, text: str) -> Words:
        """Encrypt and store ``text``; the event that quotes it follows in the same transaction."""
        key_id, key = self._key_of(conn, person)
        salt = secrets.token_bytes(_SALT_BYTES)
        plain = salt + text.encode("utf-8", "surrogatepass")
        sealed = Box(key).seal(plain, _context(person))
        commitment = sha256(plain).hexdigest()
        digest = row_digest(key_id, person, commitment, sealed)
        row = {"person": person, "person_key": key_id, "sealed": sealed}
        written = _INSERT.rows(conn, **row, commitment=commitment, digest=digest)
        return Words(written[0][0], commitment, digest)

    def read(self, conn: Connection, words_id: int) -> str | None:
        """The text, or None when its person's key was shredded.

        :raises WordsChanged: the row is gone, or does not hold what was recorded
        """
        row = conn.exec_driver_sql(READ, (words_id,)).one_or_none()
        if row is None:
            raise WordsChanged(f"words {words_id} are missing; run: deskhand audit verify")
        opened = self.open(words_id, *row)
        return opened.text if opened else None

    def open(
        self, words_id: int, person: str, sealed: bytes, commitment: str, wrapped: bytes | None
    ) -> Opened | None:
        """The same from a row of ``READ``."""
        if wrapped is None:
            return None
        try:
            key = self._wrap.unseal(wrapped, _context(person))
            plain = Box(key).unseal(sealed, _context(person))
        except Unsealable as error:
            raise WordsChanged(f"words {words_id} cannot be opened: {error}") from error
        if sha256(plain).hexdigest() != commitment:
            raise WordsChanged(f"words {words_id} are not those that were recorded")
        return Opened(plain[_SALT_BYTES:].decode("utf-8", "surrogatepass"), plain[:_SALT_BYTES])

    def _key_of(self, conn: Connection, person: str) -> tuple[int, bytes]:
        row = _KEY.first(conn, person=person)
        if row is not None:
            return row[0], self._wrap.unseal(row[1], _context(person))
        key = secrets.token_bytes(KEY_BYTES)
        wrapped = self._wrap.seal(key, _context(person))
        key_id: int = _NEW_KEY.rows(conn, person=person, wrapped=wrapped)[0][0]
        return key_id, key


def row_digest(key_id: int, person: str, commitment: str, sealed: bytes) -> str:
    return sha256(f"{key_id}:{person}:{commitment}:".encode() + sealed).hexdigest()


def _context(person: str) -> bytes:
    return b"words of " + person.encode()
