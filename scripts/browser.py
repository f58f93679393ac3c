"""Finds the Chromium that the tests drive and its driver; as root on Debian or Ubuntu, installs them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.packages import distribution, in_ci, install

CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
DRIVER = ("chromedriver", "chromium.chromedriver", "/usr/lib/chromium-browser/chromedriver")


def find_chromium() -> Path | None:
    return _first_that_answers(CHROMIUM)


def find_driver() -> Path | None:
    return _first_that_answers(DRIVER)


def _first_that_answers(names: tuple[str, ...]) -> Path | None:
    """The first that can say its version: Ubuntu ships stubs that only ask for a snap."""
    for name in names:
        found = shutil.which(name)
        if found and _answers(found):
            return Path(found)
    return None


def _answers(program: str) -> bool:
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False)  # noqa: S603 - a name from the lists above
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _install() -> None:
    """Debian's packages as root; nothing anywhere else: Ubuntu's are stubs."""
    if distribution() == "debian" and os.geteuid() == 0:
        install(("chromium", "chromium-driver", "fonts-liberation"), "Chromium for the browser tests")


def _how_to_mend() -> str:
    if platform.system() == "Darwin":
        return "brew install --cask google-chrome chromedriver"
    sudo = "" if os.geteuid() == 0 else "sudo "
    return {
        "debian": f"{sudo}apt-get update && {sudo}apt-get install -y chromium chromium-driver",
        "ubuntu": f"{sudo}snap install chromium",
        "fedora": f"{sudo}dnf install -y chromium chromedriver",
        "arch": f"{sudo}pacman -S --needed chromium",
    }.get(distribution(), "install Chromium and the chromedriver of the same version, both on the PATH")


def _missing() -> list[str]:
    found = {"Chromium": find_chromium(), "chromedriver": find_driver()}
    return [name for name, path in found.items() if path is None]


def main() -> int:
    if not _missing():
        return 0
    _install()
    missing = _missing()
    if not missing:
        return 0
    print(f"deskhand: missing for the browser tests: {', '.join(missing)}. This mends it:", file=sys.stderr)
    print(f"\n    {_how_to_mend()}\n", file=sys.stderr)
    if in_ci():
        return 1
    print("deskhand: the browser tests will be skipped (with CI=true this is an error)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
