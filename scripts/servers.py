"""Finds the OpenLDAP server that the directory tests run; as root on Debian or Ubuntu, installs it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.browser import distribution, in_ci

PLACES = (
    "/usr/sbin",
    "/usr/lib/openldap",
    "/usr/libexec",
    "/opt/homebrew/opt/openldap/libexec",
    "/usr/local/opt/openldap/libexec",
)


def find_slapd() -> Path | None:
    """Servers stand outside an ordinary user's PATH."""
    found = shutil.which("slapd", path=":".join((*PLACES, os.environ.get("PATH", ""))))
    return Path(found) if found else None


def _install() -> None:
    """Debian's package as root, without the server that it would start; nothing anywhere else."""
    if distribution() not in ("debian", "ubuntu") or os.geteuid() != 0:
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "slapd"]
    print("deskhand: installing slapd for the directory tests", file=sys.stderr)
    for command in (install, ["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)  # noqa: S603 - a fixed command
        if command is install and done.returncode == 0:
            return


def _how_to_mend() -> str:
    if platform.system() == "Darwin":
        return "brew install openldap"
    sudo = "" if os.geteuid() == 0 else "sudo "
    return {
        "debian": f"{sudo}apt-get update && {sudo}apt-get install -y slapd",
        "ubuntu": f"{sudo}apt-get update && {sudo}apt-get install -y slapd",
        "fedora": f"{sudo}dnf install -y openldap-servers",
        "arch": f"{sudo}pacman -S --needed openldap",
    }.get(distribution(), "install OpenLDAP's slapd, 2.5 or newer")


def main() -> int:
    if find_slapd() is None:
        _install()
    if find_slapd() is not None:
        return 0
    print("deskhand: missing for the directory tests: slapd. This mends it:", file=sys.stderr)
    print(f"\n    {_how_to_mend()}\n", file=sys.stderr)
    if in_ci():
        return 1
    print("deskhand: the directory tests will be skipped (with CI=true this is an error)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
