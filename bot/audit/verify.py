"""Is the trail what was written? Finds the first place where it is not.

The chain is recomputed here; meanwhile, on a second core, SQLite itself compares the columns that
filters use, and the words, with the bodies the chain stands over.
"""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.audit.chain import BrokenTrail, head, opened, walk
from bot.audit.checkpoint import Checkpoint, CheckpointFile
from bot.audit.tables import COLUMNS, GENESIS
from bot.audit.words import row_digest

_SIGNATURES = 500  # the newest lines whose signature is checked; each older one must fit the chain

# How a body begins when its columns and words say the same as it does. Holds for plain text; where
# JSON escapes something the comparison is made again, slowly, in ``_says_the_same``. printf stops
# at a NUL, so the lengths are compared as well.
_FORMAT = "{" + ",".join(f'"{name}":"%s"' for name in COLUMNS)
_BEGINNING = f"""
    printf('{_FORMAT},"words":%s,"data":', {", ".join(f"e.{name}" for name in COLUMNS)},
        CASE WHEN e.words IS NULL THEN 'null' ELSE
            printf('{{"id":%d,"commitment":"%s","digest":"%s"}}', w.id, w.commitment, w.digest) END)
"""
_LENGTH = " + ".join(
    [str(len(_FORMAT.replace("%s", ""))), *(f"length(CAST(e.{name} AS BLOB))" for name in COLUMNS)]
)
_DIFFERENT = f"""
    SELECT e.seq, {", ".join(f"e.{name}" for name in COLUMNS)}, w.id, w.commitment, w.digest, e.words, e.body
    FROM audit_events e LEFT JOIN words w ON w.id = e.words
    WHERE instr(e.body, CAST({_BEGINNING} AS BLOB)) IS NOT 1
        OR substr(e.body, {_LENGTH} + 1, 9) IS NOT CAST(',"words":' AS BLOB)
    ORDER BY e.seq
"""  # noqa: S608  our own names
_WORDS = """
    SELECT e.seq, w.person_key, w.person, w.commitment, w.sealed, w.digest
    FROM audit_events e JOIN words w ON w.id = e.words WHERE e.words IS NOT NULL ORDER BY e.seq
"""
# Unreadable, and no later event says that this person's words were shredded.
_LOST = """
    SELECT e.seq FROM audit_events e JOIN words w ON w.id = e.words
    WHERE e.words IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person_keys k WHERE k.id = w.person_key)
        AND NOT EXISTS (SELECT 1 FROM audit_events s
            WHERE s.subject = w.person AND s.subject <> '' AND s.kind = 'words.shredded' AND s.seq > e.seq)
    ORDER BY e.seq LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What ``verify`` found."""

    events: int  # as the head counts them
    first_break: BrokenTrail | None
    checkpoints: int  # lines of the checkpoint file that were compared
    covered: int  # number of the last event that a signed checkpoint pins down

    @property
    def whole(self) -> bool:
        return self.first_break is None

    def lines(self) -> list[str]:
        """For people."""
        if self.first_break:
            return [f"BROKEN  {self.first_break}"]
        said = [f"whole   {self.events} events, {self.checkpoints} checkpoints"]
        if self.covered < self.events:
            said.append(
                f"note    events {self.covered + 1} to {self.events} came after the last signed checkpoint: "
                "whoever can write the database could still have put others in their place"
            )
        return said


def verify(
    database: Path, checkpoints: CheckpointFile | None = None, public_key: Ed25519PublicKey | None = None
) -> Report:
    """Compare the whole trail with itself, with its words and with the signed checkpoints."""
    if (checkpoints is None) != (public_key is None):
        raise ValueError("checkpoints and public_key go together")
    events = compared = covered = 0
    try:
        with opened(database) as conn, opened(database) as other, ThreadPoolExecutor(1) as pool:
            contents = pool.submit(_compare_contents, other)
            try:
                events = _compare_chain(conn)
                if checkpoints and public_key:
                    compared, covered = _compare_checkpoints(conn, checkpoints, public_key)
            except BrokenTrail:
                other.interrupt()
                raise
            contents.result()
    except BrokenTrail as broken:
        return Report(events, broken, compared, covered)
    except sqlite3.DatabaseError as error:
        return Report(events, BrokenTrail(0, f"the database cannot be read: {error}"), compared, covered)
    return Report(events, None, compared, covered)


def _compare_chain(conn: sqlite3.Connection) -> int:
    counted, stored = head(conn)
    last, link = walk(conn, 0, GENESIS)
    if last != counted:
        raise BrokenTrail(min(last, counted) + 1, f"the trail has {last} events, its head counts {counted}")
    if link != stored:
        raise BrokenTrail(last, "the head holds another hash than the last event")
    return last


def _compare_checkpoints(
    conn: sqlite3.Connection, file: CheckpointFile, key: Ed25519PublicKey
) -> tuple[int, int]:
    found = list(file.read())
    covered = 0
    for number, noted in found:
        if noted is None:
            raise BrokenTrail(covered, f"line {number} of {file.path} is no checkpoint")
        row = conn.execute("SELECT hash FROM audit_events WHERE seq = ?", (noted.seq,)).fetchone()
        fits = row is not None and row[0] == noted.hash
        recent = number > len(found) - _SIGNATURES
        if (recent or not fits) and not noted.signed_by(key):
            raise BrokenTrail(noted.seq, f"line {number} of {file.path} is not signed with this desk's key")
        if not fits:
            raise BrokenTrail(noted.seq, _forked(noted, row is None))
        if recent:
            covered = max(covered, noted.seq)
    return len(found), covered


def _forked(noted: Checkpoint, missing: bool) -> str:
    if missing:
        return f"it is missing, and was there at the checkpoint of {noted.at}: cut off, or an old backup"
    return f"it is another than at the checkpoint of {noted.at}: it or one before it was replaced"


def _compare_contents(conn: sqlite3.Connection) -> None:
    for seq, *shown in conn.execute(_DIFFERENT):
        if not _says_the_same(*shown):
            raise BrokenTrail(seq, "its columns or its words are not what its body says")
    for seq, person_key, person, commitment, sealed, digest in conn.execute(_WORDS):
        if row_digest(person_key, person, commitment, sealed) != digest:
            raise BrokenTrail(seq, "the words it quotes were changed")
    for (seq,) in conn.execute(_LOST):
        raise BrokenTrail(seq, "the key to the words it quotes is gone, and no event says they were shredded")


def _says_the_same(*shown: Any) -> bool:
    *columns, words_id, commitment, digest, quoted, body = shown
    try:
        said = json.loads(body)
        words = said["words"]
    except (ValueError, KeyError, TypeError):
        return False
    if [said.get(name) for name in COLUMNS] != columns:
        return False
    if words is None or quoted is None:
        return words is None and quoted is None
    return bool(words == {"id": words_id, "commitment": commitment, "digest": digest})
