"""What a part of the measurement hands to the table: a figure, and the bar it is held against."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    value: float
    unit: str
    bar: float | None = None  # of docs/architecture.md; None: for comparison, held against nothing
    more_is_better: bool = False
    note: str = ""

    def verdict(self) -> str:
        if self.bar is None:
            return ""
        met = self.value >= self.bar if self.more_is_better else self.value <= self.bar
        if not self.value or not self.bar:
            return "met" if met else "MISSED"
        times = self.value / self.bar if self.more_is_better == met else self.bar / self.value
        return f"met, {times:.1f}x" if met else f"MISSED, {times:.1f}x"


_MARK = "figure: "


def say(figure: Figure) -> None:
    """Out of a part's process; everything else it prints is for whoever watches."""
    print(_MARK + json.dumps(asdict(figure)), flush=True)


def heard(line: str) -> Figure | None:
    return Figure(**json.loads(line.removeprefix(_MARK))) if line.startswith(_MARK) else None


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def megabytes(pid: int | None = None) -> float:
    """Resident memory of a process, in MB (Linux)."""
    pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def busy_seconds(pid: int) -> float:
    """Processor time another process has used so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
