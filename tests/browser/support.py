"""A real, headless Chromium for tests: several windows, phones, dark mode, and waiting for what must come."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WAIT_SECONDS = 10
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--ignore-certificate-errors",  # of providers in tests, whose authority is private
)

_PASSING = (NoSuchElementException, StaleElementReferenceException)

T = TypeVar("T")


class Found(Protocol):
    """Where the browser and its driver are: the fixture ``browser`` of tests/conftest.py."""

    @property
    def chromium(self) -> Path: ...

    @property
    def driver(self) -> Path: ...


@contextlib.contextmanager
def chromium(found: Found, profile: Path, *, width: int = 1200, height: int = 820) -> Iterator[Chrome]:
    """A browser with an empty profile. :param profile: a folder that is not there yet"""
    options = ChromeOptions()
    options.binary_location = str(found.chromium)
    for flag in (*_FLAGS, f"--window-size={width},{height}", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(str(found.driver)))
    try:
        yield chrome
    finally:
        chrome.quit()


def phone(chrome: Chrome, *, width: int = 360, height: int = 740) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(chrome: Chrome, **features: str) -> None:
    """``prefer(chrome, color_scheme="dark", reduced_motion="reduce")``"""
    wanted = [
        {"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()
    ]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})


def until(chrome: Chrome, holds: Callable[[], T], seconds: float = WAIT_SECONDS) -> T:
    """What ``holds`` returns, as soon as it is true; an element that goes stale is looked up again."""
    from_selenium: Any = WebDriverWait(chrome, seconds, poll_frequency=0.05, ignored_exceptions=_PASSING)
    return from_selenium.until(lambda _: holds())


def find(chrome: Chrome, css: str) -> WebElement:
    return until(chrome, lambda: chrome.find_element(By.CSS_SELECTOR, css))


def text_of(chrome: Chrome, css: str = "body") -> str:
    return str(chrome.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", css))


def wait_for_text(chrome: Chrome, words: str, css: str = "body") -> None:
    until(chrome, lambda: words in text_of(chrome, css))


def console_errors(chrome: Chrome) -> list[str]:
    """What the page complained about, refused network answers apart."""
    log: list[dict[str, Any]] = chrome.get_log("browser")
    return [entry["message"] for entry in log if entry["level"] == "SEVERE" and entry["source"] != "network"]
