from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat.stub import Running, serving


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Running]:
    """A web desk that is being served on a free port."""
    with serving(tmp_path) as running:
        yield running
