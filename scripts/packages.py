"""What this machine is, and installing a Debian package on it; shared by what looks for test servers."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("ID", "")
    except OSError:
        return ""


def install(packages: Iterable[str], what: str) -> None:
    """As root, without starting the servers in them. The lists are fetched only where they are needed."""
    apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    print(f"deskhand: installing {what}", file=sys.stderr)
    for command in (apt, ["apt-get", "update", "-qq"], apt):
        done = subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - a fixed command
        if command is apt and done.returncode == 0:
            return
