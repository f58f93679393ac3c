"""Finds OpenLDAP and Samba for the directory tests; as root on Debian or Ubuntu, installs them."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from scripts.packages import distribution, in_ci, install

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


def find_samba() -> Path | None:
    """Only root may open a domain controller's ports, and they cannot be moved."""
    found = shutil.which("samba", path=":".join((*PLACES, os.environ.get("PATH", ""))))
    return Path(found) if found and os.geteuid() == 0 and shutil.which("samba-tool") else None


PACKAGES = {
    "slapd": ("slapd",),
    # The last four are only recommended by the first, and no controller is provisioned without them.
    "samba": (
        "samba",
        "samba-ad-dc",
        "samba-ad-provision",
        "samba-dsdb-modules",
        "samba-vfs-modules",
        "winbind",
    ),
}


def _missing() -> list[str]:
    found = {"slapd": find_slapd(), "samba": find_samba()}
    return [name for name, path in found.items() if path is None]


def _install() -> None:
    """Debian's packages as root; nothing anywhere else."""
    if distribution() in ("debian", "ubuntu") and os.geteuid() == 0:
        packages = [package for name in _missing() for package in PACKAGES[name]]
        install(packages, f"{', '.join(_missing())} for the directory tests")


def _how_to_mend() -> str:
    if platform.system() == "Darwin":
        return "brew install openldap    # and Samba's controller runs on Linux alone"
    sudo = "" if os.geteuid() == 0 else "sudo "
    packages = " ".join(package for name in _missing() for package in PACKAGES[name])
    if distribution() in ("debian", "ubuntu"):
        return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {packages}"
    return "install OpenLDAP's slapd (2.5 or newer) and Samba as a domain controller (4.17 or newer)"


def main() -> int:
    if _missing():
        _install()
    missing = _missing()
    if not missing:
        return 0
    print(f"deskhand: missing for the directory tests: {', '.join(missing)}. This mends it:", file=sys.stderr)
    print(f"\n    {_how_to_mend()}\n", file=sys.stderr)
    if "samba" in missing and os.geteuid() != 0:
        print("deskhand: a domain controller needs the root user", file=sys.stderr)
    if in_ci():
        return 1
    print("deskhand: those tests will be skipped (with CI=true this is an error)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
