"""Makes the pictures of docs/sign-in.md: `.venv/bin/python -m scripts.sign_in_pictures`.

Serves the desk beside the tests' OpenID provider and goes through its pages in a browser, once in light and
once in dark. `make test` installs what it needs.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from selenium.webdriver import Chrome

from bot.chat.inbound import Inbound, InboundKind
from bot.procedures.linking import Linking
from scripts.browser import find_chromium, find_driver
from scripts.screenshots import Pictures
from tests.browser.support import chromium, find, wait_for_text
from tests.command import free_port
from tests.conftest import Browser
from tests.house import House
from tests.servers.openid import PASSWORD, FakeOpenId
from tests.sign_in_house import provider, signing

_TALL, _SHORT = (480, 960), (480, 720)


def main() -> int:
    found, driver = find_chromium(), find_driver()
    if not found or not driver:
        print("Chromium and chromedriver are needed: `make test` installs them", file=sys.stderr)
        return 1
    browser = Browser(found, driver)
    for scheme in ("light", "dark"):
        with tempfile.TemporaryDirectory() as folder, provider() as idp:
            place = Path(folder)
            with chromium(browser, place / "profile") as chrome:
                asyncio.run(_take(place, idp, partial(_pictures, chrome, scheme, place)))
    return 0


def _pictures(chrome: Chrome, scheme: str, place: Path, url: str) -> Pictures:
    return Pictures(chrome, url, scheme, place)


async def _take(place: Path, idp: FakeOpenId, pictures: Callable[[str], Pictures]) -> None:
    async with signing(place / "data", idp, port=free_port()) as desk:
        server = desk.app.server()
        serving = asyncio.create_task(server.serve())
        await desk.until(lambda: server.started)
        url = desk.app.settings.url
        await desk.asks("ana", "I need access to production deploy for 1 day to fix the release")
        approve, link = await desk.link("bo"), await _link(desk)
        await desk.says("luis", "set up my authenticator")
        enrol = await desk.link("luis")
        await asyncio.to_thread(_go, pictures(url), approve, link, enrol)
        server.should_exit = True
        await serving


async def _link(desk: House) -> str:
    """As somebody of Slack gets it of whom nobody knows who they are."""
    wrote = Inbound(
        platform="slack",
        id="1",
        kind=InboundKind.MESSAGE,
        account="U07Q2MXB4KT",
        conversation="D1",
        at=datetime.now(UTC),
    )
    return (await Linking(desk.app.office).card(wrote)).links[0].url


def _go(pictures: Pictures, approve: str, link: str, enrol: str) -> None:
    chrome = pictures.chrome
    chrome.get(approve)
    before = pictures.png(*_TALL)
    _sign_in(chrome, "bo")
    wait_for_text(chrome, "Request of Ana Ruiz", "main")
    pictures.side_by_side(
        "approve", _TALL[0], {"Bo opens the page": before, "After his sign-in": pictures.png(*_TALL)}
    )
    chrome.get(link)
    _sign_in(chrome, "ana")
    wait_for_text(chrome, "Is this account yours?", "main")
    linked = pictures.png(*_SHORT)
    chrome.get(enrol)
    _sign_in(chrome, "luis")
    wait_for_text(chrome, "Set up your authenticator", "main")
    enrolled = pictures.png(*_SHORT)
    shown = {"Ana links her Slack account": linked, "Luis gets an app": enrolled}
    pictures.side_by_side("linking", _SHORT[0], shown)


def _sign_in(chrome: Chrome, account: str) -> None:
    find(chrome, "a.go").click()
    find(chrome, "#name").clear()
    find(chrome, "#name").send_keys(account)
    find(chrome, "#pw").send_keys(PASSWORD)
    find(chrome, "#go").click()


if __name__ == "__main__":
    sys.exit(main())
