"""Signed notes of where the trail stood, kept outside the database.

Whoever can write the database can also compute every hash anew. A checkpoint is what they cannot
make: one line of a text file, signed with a key that the database does not hold.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.audit.chain import BrokenTrail, head, opened, walk
from bot.audit.tables import GENESIS
from bot.audit.trail import time_text
from bot.store.keys import KeyFile

_PURPOSE = "audit checkpoints"
_LINE = 4096  # bytes; a line has about 300


@dataclass(frozen=True, slots=True)
class Checkpoint:
    seq: int
    hash: bytes
    at: str
    signature: bytes = b""

    def message(self) -> bytes:
        return f"deskhand audit checkpoint\n{self.seq}\n{self.hash.hex()}\n{self.at}".encode()

    def signed(self, key: Ed25519PrivateKey) -> Checkpoint:
        return Checkpoint(self.seq, self.hash, self.at, key.sign(self.message()))

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        try:
            key.verify(self.signature, self.message())
        except InvalidSignature:
            return False
        return True

    def line(self) -> str:
        fields = {"seq": self.seq, "hash": self.hash.hex(), "at": self.at, "signature": self.signature.hex()}
        return json.dumps(fields) + "\n"

    @classmethod
    def parse(cls, line: str) -> Checkpoint:
        """:raises ValueError: not a line of ours"""
        try:
            fields = json.loads(line)
            return cls(
                int(fields["seq"]),
                bytes.fromhex(fields["hash"]),
                str(fields["at"]),
                bytes.fromhex(fields["signature"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no checkpoint: {error}") from error


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """An append-only text file, one checkpoint a line. Copy it to where the bot cannot write."""

    path: Path

    def read(self) -> Iterator[tuple[int, Checkpoint | None]]:
        """Number of the line and what it says; None where it says nothing readable.

        A last line without its end is a write that was cut short, and is passed over.
        """
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith("\n"):
                    return
                try:
                    yield number, Checkpoint.parse(line)
                except ValueError:
                    yield number, None

    def newest(self) -> Checkpoint | None:
        """The last line. :raises ValueError: it is no checkpoint"""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            lines = _ending(file)[1].splitlines()
        return Checkpoint.parse(lines[-1].decode(errors="replace")) if lines else None

    def add(self, checkpoint: Checkpoint) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            file.truncate(_ending(file)[0])
            file.write(checkpoint.line().encode())
            file.flush()
            os.fsync(file.fileno())


def _ending(file: BinaryIO) -> tuple[int, bytes]:
    """Where the last whole line ends, and the bytes up to there that may hold it."""
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - _LINE))
    ending = file.read()
    whole = ending[: ending.rfind(b"\n") + 1]
    return start + len(whole), whole


def public_key(keys: KeyFile) -> Ed25519PublicKey:
    """What checkpoints and exports are verified with, here or elsewhere."""
    return signing_key(keys).public_key()


def signing_key(keys: KeyFile) -> Ed25519PrivateKey:
    return keys.signer(_PURPOSE)


def checkpoint(database: Path, file: CheckpointFile, keys: KeyFile, now: datetime) -> Checkpoint | None:
    """Verify what came since the last checkpoint, sign where the trail stands and note it.

    Reads the committed state over a connection of its own. Nothing new: the last one is returned;
    None as long as there is no event.

    :raises BrokenTrail: the trail does not continue from the last checkpoint. Nothing is signed
    """
    try:
        last = file.newest()
    except ValueError as error:
        raise BrokenTrail(0, f"the last line of {file.path} is no checkpoint") from error
    if last and not last.signed_by(public_key(keys)):
        raise BrokenTrail(last.seq, f"the last line of {file.path} is not signed with this desk's key")
    with opened(database) as conn:
        start, link = (last.seq, last.hash) if last else (0, GENESIS)
        seq, stored = head(conn)
        if seq < start:
            raise BrokenTrail(seq, f"the trail ends at event {seq}, before its last checkpoint at {start}")
        if walk(conn, start, link) != (seq, stored):
            raise BrokenTrail(seq, "the head is not where the last event is")
        if seq == start:
            return last
    made = Checkpoint(seq, stored, time_text(now)).signed(signing_key(keys))
    file.add(made)
    return made
