"""Reads the chain and recomputes it, as little Python a row as can be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

_AFTER = "SELECT seq, body, hash FROM audit_events WHERE seq >= ? ORDER BY seq"


class BrokenTrail(Exception):
    """The trail is not what was written. ``seq`` is the first event at which it shows."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(f"event {seq}: {what}")
        self.seq = seq
        self.what = what


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """A reading connection in one transaction: it sees one state, and holds no writer up."""
    conn = sqlite3.connect(
        f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        conn.execute("PRAGMA query_only = ON")
        conn.execute("BEGIN")
        yield conn
    finally:
        conn.close()


def head(conn: sqlite3.Connection) -> tuple[int, bytes]:
    """:raises BrokenTrail: there is not exactly one"""
    rows = conn.execute("SELECT seq, hash FROM audit_head").fetchall()
    if len(rows) != 1:
        raise BrokenTrail(0, f"the trail has {len(rows)} heads")
    seq, link = rows[0]
    return seq, link


def walk(conn: sqlite3.Connection, seq: int, link: bytes) -> tuple[int, bytes]:
    """Recompute every hash after event ``seq``, whose own is ``link``; return where the chain ends.

    :raises BrokenTrail: at the first event that does not follow from the one before
    """
    if seq and conn.execute("SELECT hash FROM audit_events WHERE seq = ?", (seq,)).fetchone() != (link,):
        raise BrokenTrail(seq, "it is missing, or not the event that the checkpoint signed")
    start = seq
    after = seq + 1 if seq else -(2**63)  # from the start: numbers below 1 are seen as well
    try:
        for number, body, stored in conn.execute(_AFTER, (after,)):
            seq += 1
            link = sha256(link + seq.to_bytes(8, "big") + body).digest()
            if link != stored or number != seq:
                raise BrokenTrail(seq, _difference(seq, number))
    except TypeError:
        raise BrokenTrail(seq, "its body is not stored as bytes") from None
    except sqlite3.DatabaseError as error:
        raise BrokenTrail(max(seq, start), f"the database cannot be read: {error}") from error
    return seq, link


def _difference(expected: int, found: int) -> str:
    if found != expected:
        return f"it is missing; the next one found is {found}"
    return "its body or its hash was changed, or one before it was put in or taken out"
