"""What a run counts, and what it found: one finding says how to see it again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must never happen, with what led to it."""

    kind: str  # "effect", "data", "model text", "error", "unanswered", "markup", "reading"
    what: str
    where: str  # level and shard, as the command takes them
    index: int  # of the output
    message: str = ""
    output: str = ""

    def lines(self) -> list[str]:
        said = [f"{self.kind}: {self.what}", f"  at {self.where}, output {self.index}"]
        said += [f"  message: {self.message[:500]!r}"] if self.message else []
        said += [f"  output:  {self.output[:500]!r}"] if self.output else []
        return said


@dataclass
class Tally:
    """Counts by name; see ``KEYS`` of the report for those that are printed."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.counts.update(other.counts)
        self.findings += other.findings
