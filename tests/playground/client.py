"""Microsoft's local playground, one instance a person, in a real browser."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from scripts import node
from tests.browser.support import until
from tests.command import free_port

_HERE = Path(__file__).parent
_START_S = 60
_SETTLE_S = 0.5
_FIELDS = "input[type=text], input:not([type]), textarea"

# What people see: the newest card that shows a text, the newest button of a label, its error or its words.
_BUTTON = """
const buttons = [...document.querySelectorAll("button.ac-pushButton, .ac-actionSet button, button")];
return buttons.filter((one) => one.innerText.trim() === arguments[0] && one.offsetParent).at(-1) ?? null;
"""


class Person:
    """Somebody with a client of their own."""

    def __init__(self, chrome: Chrome, name: str, url: str) -> None:
        self.chrome, self.name = chrome, name
        chrome.switch_to.new_window("window")
        self._window = chrome.current_window_handle
        chrome.execute_cdp_cmd("Network.enable", {})
        chrome.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*office.net*", "*microsoft.com*"]})
        chrome.execute_cdp_cmd("Page.navigate", {"url": url})  # its fonts never come: no wait for "load"
        until(chrome, lambda: chrome.find_element(By.CSS_SELECTOR, "[data-lexical-editor=true]"), 30)

    def look(self) -> None:
        self.chrome.switch_to.window(self._window)

    def says(self, text: str) -> None:
        self.look()
        editor = self.chrome.find_element(By.CSS_SELECTOR, "[data-lexical-editor=true]")
        editor.click()
        editor.send_keys(text, Keys.ENTER)

    def press(self, label: str) -> None:
        """The newest button of this label."""
        self.look()
        button: WebElement = until(self.chrome, lambda: self.chrome.execute_script(_BUTTON, label), 20)
        self.chrome.execute_script("arguments[0].scrollIntoView({ block: 'center' })", button)
        time.sleep(_SETTLE_S)
        self.chrome.execute_script("arguments[0].click()", button)

    def link(self, label: str) -> str:
        """Where a button that is a link leads."""
        self.look()
        self.chrome.execute_script("window.open = (url) => { window.opened = url; return null; }")
        self.press(label)
        return str(until(self.chrome, lambda: self.chrome.execute_script("return window.opened ?? ''")))

    def ticks(self) -> None:
        """The newest box."""
        self.look()
        boxes = self.chrome.find_elements(By.CSS_SELECTOR, "input[type=checkbox]")
        self.chrome.execute_script("arguments[0].click()", boxes[-1])

    def writes(self, text: str) -> None:
        """Into the newest field of a card."""
        self.look()
        fields = self.chrome.find_elements(By.CSS_SELECTOR, _FIELDS)
        self.chrome.execute_script("arguments[0].scrollIntoView({ block: 'center' })", fields[-1])
        fields[-1].send_keys(text)

    def sees(self, text: str, seconds: float = 20) -> None:
        self.look()
        until(self.chrome, lambda: text in self.text, seconds)

    @property
    def text(self) -> str:
        self.look()
        return str(self.chrome.execute_script("return document.body.innerText"))

    def picture(self, file: Path) -> None:
        self.look()
        time.sleep(_SETTLE_S)
        self.chrome.save_screenshot(str(file))


@contextmanager
def playground(folder: Path, bot_url: str, name: str, account: str, mail: str) -> Iterator[str]:
    """An instance in which this is the current user; its address."""
    folder.mkdir(parents=True)
    config = folder / ".m365agentsplayground.yml"
    config.write_text(yaml.safe_dump(_config(name, account, mail)))
    port = free_port()
    modules = node.modules("playground")
    assert modules, "python -m scripts.node playground"
    command = [
        *("node", str(modules / "@microsoft/m365agentsplayground/cli.js"), "start"),
        *("-e", bot_url, "-c", "msteams", "-p", str(port), "--disable-telemetry"),
    ]
    quiet = {"BROWSER": "none", "NODE_OPTIONS": f"--require {_HERE / 'loopback.js'}"}
    with (folder / "playground.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **quiet}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(folder / "playground.log", process)
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(10)


def _wait(log: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while "Listening" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def _config(name: str, account: str, mail: str) -> dict[str, object]:
    """It wants five other users at least, and misspells one of their fields."""

    def user(number: int, shown: str, log_in: str, address: str) -> dict[str, str]:
        given, _, family = shown.partition(" ")
        return {
            "id": f"29:{log_in}",
            "name": shown,
            "userPrincipleName": address,
            "aadObjectId": str(uuid.uuid5(uuid.NAMESPACE_DNS, log_in)),
            "givenName": given,
            "surname": family or given,
            "email": address,
        }

    return {
        "version": "0.1.1",
        "tenantId": "00000000-0000-0000-0000-0000000000001",
        "bot": {"id": "00000000-0000-0000-0000-00000000000011", "name": "Deskhand"},
        "currentUser": user(0, name, account, mail),
        "users": [user(n, f"Other {n}", f"other{n}", f"other{n}@elsewhere.example") for n in range(1, 6)],
        "personalChat": {"id": f"personal-{account}"},
        "groupChat": {"id": f"group-{account}", "name": "Group Chat"},
        "team": {
            "id": f"team-{account}",
            "name": "My Team",
            "aadGroupId": "00000000-0000-0000-0000-000000000031",
            "channels": [{"id": f"channel-{account}", "name": "Announcements"}],
        },
    }
