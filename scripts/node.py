"""Fetches what Microsoft's own clients show and check cards with, for the tests of Teams: node and npm.

python -m scripts.node               the renderer and the schemas, for `make test`
python -m scripts.node playground    Microsoft's local playground, for `make playground`
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.packages import distribution, in_ci, install

TESTS = Path(__file__).resolve().parent.parent / "tests"
_OLDEST = 18


def find_node() -> Path | None:
    """Node, where it is new enough and npm is beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603  found on the PATH
    number = said.strip().removeprefix("v").partition(".")[0]
    return Path(node) if number.isdigit() and int(number) >= _OLDEST else None


def modules(folder: str = "node") -> Path | None:
    """Where the packages of ``tests/FOLDER`` are, once fetched as its lock says."""
    place = TESTS / folder
    fetched = place / "node_modules" / ".fetched"
    lock = (place / "package-lock.json").read_text()
    return fetched.parent if fetched.is_file() and fetched.read_text() == lock else None


def _fetch(folder: str) -> bool:
    place = TESTS / folder
    print(f"deskhand: fetching what tests/{folder}/package.json names", file=sys.stderr)
    done = subprocess.run(["npm", "ci", "--silent"], cwd=place, check=False)  # noqa: S607  as found above
    if done.returncode == 0:
        (place / "node_modules" / ".fetched").write_text((place / "package-lock.json").read_text())
    return done.returncode == 0


def _how_to_mend() -> str:
    if platform.system() == "Darwin":
        return "brew install node"
    sudo = "" if os.geteuid() == 0 else "sudo "
    if distribution() in ("debian", "ubuntu"):
        return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends nodejs npm"
    return f"install Node.js {_OLDEST} or newer, with npm"


def main(folder: str = "node") -> int:
    if modules(folder):
        return 0
    if find_node() is None and distribution() in ("debian", "ubuntu") and os.geteuid() == 0:
        install(("nodejs", "npm"), "Node.js for the tests of Teams")
    if find_node() and _fetch(folder):
        return 0
    print("deskhand: the packages for the tests of Teams are missing. This mends it:", file=sys.stderr)
    print(f"\n    {_how_to_mend()}\n", file=sys.stderr)
    if in_ci() or folder != "node":
        return 1
    print("deskhand: those tests will be skipped (with CI=true this is an error)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
