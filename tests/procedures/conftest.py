"""A desk that runs, on a Monday morning."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import MONDAY, Clock, House, house


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), requests_per_minute=1000) as running:
        yield running
