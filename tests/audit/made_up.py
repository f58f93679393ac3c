"""A small trail of made-up requests, for tests and benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bot.audit import tables
from bot.audit.checkpoint import CheckpointFile, checkpoint
from bot.audit.trail import DESKHAND, Event, append
from bot.audit.words import WordStore
from bot.store.keys import KeyFile

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def engine(path: Path, *, synchronous: str = "FULL") -> sa.Engine:
    """As the desk opens it: the driver begins nothing by itself, every begin takes the write lock."""
    made = sa.create_engine(f"sqlite:///{path}")

    @sa.event.listens_for(made, "connect")
    def prepare(raw, _record):
        raw.isolation_level = None
        raw.execute("PRAGMA busy_timeout=20000")
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute(f"PRAGMA synchronous={synchronous}")

    @sa.event.listens_for(made, "begin")
    def begin(conn):
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    return made


class Desk:
    """A folder with a trail, its key and its checkpoints."""

    def __init__(self, folder: Path, *, synchronous: str = "OFF") -> None:
        self.path = folder / "deskhand.db"
        self.keys = KeyFile.open(folder / "keys" / "master.key")
        self.words = WordStore(self.keys)
        self.checkpoints = CheckpointFile(folder / "checkpoints.jsonl")
        self.engine = engine(self.path, synchronous=synchronous)
        self.now = START
        with self.engine.begin() as conn:
            tables.create(conn)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=7)
        return self.now

    def request(self, number: int, person: str = "p-ana", text: str = "I need figma for two weeks") -> str:
        """One request from the first words to the end: seven events, two of them with words."""
        ref = f"R-{number:04d}"
        about = {"request": ref, "action": "grant_access", "subject": person}
        with self.engine.begin() as conn:
            asked = self.words.record(conn, person, text)
            ruling = {"phase": "request", "allowed": True, "policies": ["medium"], "policy_version": "a1"}
            data: dict[str, object] = {"to": "collecting", "understood": "local 0.97"}
            self._add(conn, "request.opened", person, words=asked, service="web", data=data, **about)
            data = {"from": "collecting", "to": "confirming", "decision": ruling}
            self._add(conn, "request.shown", person, data=data, **about)
            data = {"from": "confirming", "to": "approving"}
            self._add(conn, "request.confirmed", person, data=data, **about)
            data = {"why": "This card is not yours to answer."}
            self._add(conn, "press.refused", "p-eve", outcome="refused", data=data, **about)
            why = self.words.record(conn, "p-bo", "fine with me")
            self._add(conn, "request.approved", "p-bo", words=why, data={"stage": "manager"}, **about)
            self._add(conn, "step.done", DESKHAND, service="company", data={"step": "join_group"}, **about)
            held = {"manager": {"by": "p-bo", "phase": "approve", "allowed": True, "policies": ["chain"]}}
            data = {"from": "executing", "to": "done", "approvals": held}
            self._add(conn, "request.done", DESKHAND, data=data, **about)
        return ref

    def _add(self, conn, kind, actor, *, words=None, **fields):
        append(conn, Event(at=self.tick(), kind=kind, actor=actor, **fields), words=words)

    def checkpoint(self):
        return checkpoint(self.path, self.checkpoints, self.keys, self.tick())

    def close(self) -> None:
        self.engine.dispose()
