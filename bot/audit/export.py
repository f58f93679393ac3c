"""Exports events to a file, with a proof beside it that holds without the database.

The proof is ``FILE.proof.json``: what was asked for, the digest of the file, where the chain stood,
signed. With the public key alone ``verify_export`` finds any change to either of the two.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Literal, TextIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlite_utils import Database

from bot.audit.chain import BrokenTrail, head, opened
from bot.audit.checkpoint import CheckpointFile, public_key, signing_key
from bot.audit.query import Filter, where
from bot.audit.tables import COLUMNS, GENESIS
from bot.audit.trail import time_text
from bot.audit.verify import verify
from bot.audit.words import WordsChanged, WordStore
from bot.store.keys import KeyFile

Format = Literal["jsonl", "csv"]
Row = dict[str, Any]

_FIELDS = ("seq", *COLUMNS, "words", "salt", "previous", "hash", "body")
_ROWS = f"""
    SELECT e.seq, {", ".join(f"e.{name}" for name in COLUMNS)}, e.words, e.body, e.hash, p.hash AS previous,
        w.person AS w_person, w.sealed AS w_sealed, w.commitment AS w_commitment, k.wrapped AS w_wrapped
    FROM (SELECT * FROM audit_events %s) e LEFT JOIN audit_events p ON p.seq = e.seq - 1
    LEFT JOIN words w ON w.id = e.words LEFT JOIN person_keys k ON k.id = w.person_key
    ORDER BY e.seq
"""  # noqa: S608  our own names


class BadExport(Exception):
    """The exported file is not what was exported; the message says where it shows."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What an export claims, as its proof file says it and its signature binds it."""

    format: Format
    asked: dict[str, str]  # the filter; empty: the whole trail
    words: bool  # people's words are in the file
    rows: int
    sha256: str  # of the file
    head: int  # the trail's last event then
    head_hash: str
    at: str

    def message(self) -> bytes:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return b"deskhand audit export\n" + json.dumps(fields, sort_keys=True).encode()


def export(
    database: Path, file: Path, keys: KeyFile, now: datetime, *, wanted: Filter | None = None,
    format: Format = "jsonl", with_words: bool = False, checkpoints: CheckpointFile | None = None,
) -> Proof:  # fmt: skip
    """Write the events that fit to ``file``, its proof beside it, and return the proof.

    ``with_words`` puts what people wrote in the file in the clear: the caller has seen to it that
    whoever asks may have it, and audits that they did.

    :raises BrokenTrail: the trail is not whole; a broken one is not signed for
    """
    broken = verify(database, checkpoints, public_key(keys) if checkpoints else None).first_break
    if broken:
        raise broken
    asked = (wanted or Filter()).asked()
    store = WordStore(keys) if with_words else None
    with opened(database) as conn:
        last, link = head(conn)
        with _private(file) as out:
            rows = _WRITERS[format](out, _rows(conn, asked, store))
    proof = Proof(format, asked, with_words, rows, _digest(file), last, link.hex(), time_text(now))
    signature = signing_key(keys).sign(proof.message()).hex()
    fields = {name: getattr(proof, name) for name in Proof.__slots__} | {"signature": signature}
    proof_of(file).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    return proof


def _private(file: Path) -> TextIO:
    """Readable by its owner only; half a surrogate pair goes out and comes back as it is."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass", newline="")


def proof_of(file: Path) -> Path:
    return file.with_name(file.name + ".proof.json")


def verify_export(file: Path, key: Ed25519PublicKey) -> Proof:
    """Needs the file, its proof and the public key, and nothing else.

    :raises BadExport: the file or the proof was changed, or another key signed it
    """
    proof = _signed(proof_of(file), key)
    if _digest(file) != proof.sha256:
        raise BadExport(f"{file} is not the file that was signed")
    previous, rows = (0, GENESIS), 0
    with file.open(encoding="utf-8", errors="surrogatepass", newline="") as lines:
        for row in _READERS[proof.format](lines):
            previous = _checked(row, previous, gaps=bool(proof.asked))
            rows += 1
    if rows != proof.rows:
        raise BadExport(f"{file} holds {rows} events, its proof {proof.rows}")
    if not proof.asked and (previous[0], previous[1].hex()) != (proof.head, proof.head_hash):
        raise BadExport(f"{file} ends before the trail did")
    return proof


def _signed(path: Path, key: Ed25519PublicKey) -> Proof:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        signature = bytes.fromhex(fields.pop("signature"))
        proof = Proof(**fields)
        key.verify(signature, proof.message())
    except InvalidSignature:
        raise BadExport(f"{path} is not signed with this key, or was changed") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadExport(f"{path} cannot be read as a proof: {error}") from error
    return proof


def _checked(row: Row, before: tuple[int, bytes], *, gaps: bool) -> tuple[int, bytes]:
    seq, previous, link = int(row["seq"]), bytes.fromhex(row["previous"]), bytes.fromhex(row["hash"])
    body = row["body"].encode("ascii")
    if sha256(previous + seq.to_bytes(8, "big") + body).digest() != link:
        raise BadExport(f"event {seq} does not fit its hash")
    next_one = seq == before[0] + 1
    if (next_one and previous != before[1]) or not (next_one or (gaps and seq > before[0])):
        raise BadExport(f"event {seq} does not follow event {before[0]}")
    said = json.loads(body)
    if any(row[name] != said[name] for name in COLUMNS):
        raise BadExport(f"event {seq} does not say what its body says")
    if row["salt"]:
        text = bytes.fromhex(row["salt"]) + row["words"].encode("utf-8", "surrogatepass")
        if sha256(text).hexdigest() != said["words"]["commitment"]:
            raise BadExport(f"the words of event {seq} are not those that were recorded")
    return seq, link


def _rows(conn: sqlite3.Connection, asked: dict[str, str], store: WordStore | None) -> Iterator[Row]:
    values: dict[str, Any] = dict(asked)
    for found in Database(conn).query(_ROWS % where(values), values):
        said = _words(found, store)
        yield {
            **{name: found[name] for name in ("seq", *COLUMNS)},
            "words": said[0],
            "salt": said[1],
            "previous": (found["previous"] or GENESIS).hex(),
            "hash": found["hash"].hex(),
            "body": found["body"].decode("ascii"),
        }


def _words(found: Row, store: WordStore | None) -> tuple[str, str]:
    """Text and salt; no salt where there is no text, and a note in brackets in its place."""
    if found["words"] is None:
        return "", ""
    if store is None:
        return "(not exported)", ""
    if found["w_sealed"] is None:
        raise BrokenTrail(found["seq"], "the words it quotes are missing")
    try:
        opened_words = store.open(
            found["words"], *(found[f"w_{name}"] for name in ("person", "sealed", "commitment", "wrapped"))
        )
    except WordsChanged as error:
        raise BrokenTrail(found["seq"], str(error)) from error
    return (opened_words.text, opened_words.salt.hex()) if opened_words else ("(shredded)", "")


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def _write_jsonl(out: TextIO, rows: Iterable[Row]) -> int:
    count = 0
    for row in rows:
        count += 1
        out.write(json.dumps(row) + "\n")
    return count


def _write_csv(out: TextIO, rows: Iterable[Row]) -> int:
    """A leading apostrophe keeps a spreadsheet from running a cell; it is taken off when verified."""
    writer = csv.DictWriter(out, _FIELDS)
    writer.writeheader()
    count = 0
    for row in rows:
        count += 1
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return count


def _cell(value: Any) -> Any:
    risky = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "'"))
    return "'" + value if risky else value


def _read_csv(lines: TextIO) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)  # the default refuses long messages
    for row in csv.DictReader(lines):
        yield {name: value.removeprefix("'") for name, value in row.items()}


def _read_jsonl(lines: TextIO) -> Iterator[Row]:
    return (json.loads(line) for line in lines)


_WRITERS: dict[Format, Callable[[TextIO, Iterable[Row]], int]] = {"jsonl": _write_jsonl, "csv": _write_csv}
_READERS: dict[Format, Callable[[TextIO], Iterator[Row]]] = {"jsonl": _read_jsonl, "csv": _read_csv}
