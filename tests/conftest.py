"""What every test stands on: a clean environment, and programs that are there or named as missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from bot.settings import PREFIXES
from scripts import node
from scripts.browser import find_chromium, find_driver
from scripts.packages import in_ci
from scripts.servers import find_samba, find_slapd

# Our examples touch files and databases: how long one takes says nothing. In CI the same examples every time.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if in_ci() else "here")

Require = Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Browser:
    """The Chromium that is on this machine, and the driver that goes with it."""

    chromium: Path
    driver: Path


def _missing(what: str) -> NoReturn:
    """A skip here, an error in CI: there a skipped test would pass for a green one."""
    if in_ci():
        pytest.fail(f"{what} is missing, and CI=true allows no skip", pytrace=False)
    pytest.skip(f"{what} is missing")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of whoever runs the tests are not the tests' settings."""
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def require() -> Require:
    """``require("slapd")``: the path of a program, or the test is skipped (in CI: fails)."""

    def find(program: str) -> Path:
        # Servers stand outside an ordinary user's PATH on Debian.
        found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")
        if found is None:
            _missing(program)
        return Path(found)

    return find


@pytest.fixture(scope="session")
def slapd() -> Path:
    """OpenLDAP's server, or the test is skipped (in CI: fails)."""
    found = find_slapd()
    if found is None:
        _missing("slapd")
    return found


@pytest.fixture(scope="session")
def samba() -> Path:
    """Samba as a domain controller, which only root may run, or the test is skipped (in CI: fails)."""
    found = find_samba()
    if found is None:
        _missing("samba, or the root user that its ports need")
    return found


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Microsoft's renderer and schemas, or the test is skipped (in CI: fails)."""
    found = node.modules()
    if found is None:
        _missing("Node.js with the packages of tests/node (python -m scripts.node)")
    return found


@pytest.fixture(scope="session")
def browser() -> Browser:
    """Chromium and its driver, or the test is skipped (in CI: fails)."""
    chromium, driver = find_chromium(), find_driver()
    if chromium is None:
        _missing("Chromium")
    if driver is None:
        _missing("chromedriver")
    return Browser(chromium, driver)
