"""Where things lie in the data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    data: Path

    @property
    def database(self) -> Path:
        return self.data / "deskhand.db"

    @property
    def company(self) -> Path:
        return self.data / "company.db"

    @property
    def knowledge(self) -> Path:
        return self.data / "knowledge.db"

    @property
    def weights(self) -> Path:
        """Of understanding, where a company has trained its own."""
        return self.data / "weights.bin"

    @property
    def web(self) -> Path:
        return self.data / "web.db"

    @property
    def key(self) -> Path:
        return self.data / "keys" / "master.key"

    @property
    def checkpoints(self) -> Path:
        return self.data / "audit-checkpoints.jsonl"
