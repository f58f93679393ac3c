"""The journeys of the desk, played through Slack in both modes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import MONDAY, Clock
from tests.slack_house import MODES, Work, work


@pytest.fixture(params=MODES)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Work]:
    async with work(tmp_path / "data", request.param, clock=Clock.at(MONDAY)) as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"
        assert not running.slack.errors, "nobody saw anything go wrong"


class TestAccess:
    async def test_low_is_given_at_once(self, desk: Work) -> None:
        await desk.says("ana", "I need access to figma for two weeks")
        assert "Give Ana Ruiz access to Figma for 2 weeks" in desk.last("ana")
        assert "“I need access to figma for two weeks”" in desk.last("ana")
        await desk.press("ana", "Yes, do it")
        assert await desk.house.has("ana", "figma-editors")
        assert "Active until Mon 7 Dec 2026" in desk.sees("ana")
