"""Makes the pictures of docs/teams.md: `.venv/bin/python -m scripts.teams_pictures`.

Plays a request through the desk in the tests' made-up tenant, and shows the cards that people got with
Microsoft's own renderer, once in light and once in dark. `make test` installs what it needs.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.browser import find_chromium, find_driver
from scripts.node import modules
from scripts.screenshots import IMAGES, webp
from tests.browser.support import chromium
from tests.chat.teams.official import Renderer
from tests.conftest import Browser
from tests.servers.teams.server import card_of
from tests.teams_house import object_id, team

WORDS = "I need access to the data warehouse for 2 weeks, for the year-end report"
_SIZE = (1440, 780)


def main() -> int:
    found, driver, packages = find_chromium(), find_driver(), modules()
    if not (found and driver and packages):
        print("Chromium, chromedriver and tests/node are needed: `make test` installs them", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        shown = asyncio.run(_cards(Path(folder) / "data"))
        for scheme in ("light", "dark"):
            place = Path(folder) / scheme
            place.mkdir()
            browser = Browser(found, driver)
            with chromium(browser, place / "profile", width=_SIZE[0], height=_SIZE[1]) as chrome:
                renderer = Renderer(chrome, packages, place, scheme)
                for whose, card in shown:
                    assert renderer.show(card, whose) == []
                taken = chrome.get_screenshot_as_png()
                chrome.get("about:blank")
                (IMAGES / f"teams-{scheme}.webp").write_bytes(webp(chrome, taken))
    return 0


async def _cards(data: Path) -> list[tuple[str, dict[str, Any]]]:
    """Whose card it is, and the card."""
    async with team(data) as desk:
        await desk.says("ana", WORDS)
        asked = card_of(desk.teams.dm(object_id("ana"))[-1])
        await desk.press("ana", "Yes, do it")
        waits = card_of(desk.teams.dm(object_id("bo"))[-1])
        await desk.press("bo", "Approve", {"reason": "Until the report is out"})
        given = card_of(desk.teams.dm(object_id("ana"))[0])
    return [("Ana asks", asked), ("Bo decides", waits), ("Ana has it", given)]


if __name__ == "__main__":
    sys.exit(main())
