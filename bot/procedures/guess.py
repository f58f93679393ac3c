"""What understanding hands over, and what it becomes once it is found to exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class Guess(Protocol):
    """What understanding made of the words for one slot."""

    @property
    def value(self) -> Any: ...  # canonical JSON, or None

    @property
    def candidates(self) -> tuple[tuple[Any, str], ...]: ...  # value and label, where several come close

    @property
    def text(self) -> str: ...  # a name as it was written, to be resolved

    @property
    def problem(self) -> str: ...  # why what was said cannot be used, as a sentence


@dataclass(frozen=True, slots=True)
class Filled:
    value: Any
