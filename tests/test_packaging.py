"""A fresh clone runs with two commands, from a lock that installs the same everywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = PROJECT["project"]["dependencies"]
DEV = PROJECT["dependency-groups"]["dev"]

# What bootstrap.sh and the fakes may use besides Python: all of it is on a bare Debian and on macOS.
TOOLS = (
    "sh",
    "cat",
    "chmod",
    "cksum",
    "cp",
    "dirname",
    "grep",
    "head",
    "id",
    "ls",
    "mkdir",
    "rm",
    "sed",
    "sleep",
    "touch",
)


def tracked() -> Iterator[Path]:
    """The files of the repository; in an unpacked archive, all that is not hidden."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not any(p.startswith(".") for p in path.parts)]
    return (path for path in paths if path.is_file())


def pins(lock: str) -> dict[str, str]:
    """Name of each locked package and its block: the pin and the hashes."""
    blocks = re.split(r"\n(?=\S)", (ROOT / lock).read_text())
    return {block.partition("==")[0]: block for block in blocks}


# --- The locks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    without = [name for name, block in pins(lock).items() if "--hash=sha256:" not in block]
    assert without == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_nothing_of_the_machine_that_wrote_it(lock: str) -> None:
    line = re.compile(
        r"[a-z0-9-]+==[\w.]+( ; [^\\/]+)? \\"  # a pin, perhaps for some platforms only
        r"|    --hash=sha256:[0-9a-f]{64}( \\)?"
        r"|    # {1,3}(via.*|[\w-]+|deskhand \(pyproject\.toml\))"  # who asked for it
    )
    odd = [text for text in (ROOT / lock).read_text().splitlines() if not line.fullmatch(text)]
    assert odd == []


@pytest.mark.parametrize(
    ("lock", "direct"), [("requirements.lock", RUN), ("requirements-dev.lock", RUN + DEV)]
)
def test_a_lock_pins_every_direct_dependency_at_the_version_of_pyproject(
    lock: str, direct: list[str]
) -> None:
    text = (ROOT / lock).read_text()
    astray = [pin for pin in direct if not re.search(rf"^{re.escape(pin)} (;.*)?\\$", text, re.MULTILINE)]
    assert astray == []


def test_the_tests_run_on_the_very_versions_that_are_served() -> None:
    served, tested = (
        {text for text in (ROOT / lock).read_text().splitlines() if "==" in text} for lock in LOCKS
    )
    assert served - tested == set()


def test_it_starts_without_the_test_tools() -> None:
    # As in a .venv that only `make run` has filled. Some libraries import rich or numpy where they find them.
    only_tests = sorted(set(pins("requirements-dev.lock")) - set(pins("requirements.lock")))
    start = """
import importlib.metadata, re, sys
def plain(name): return re.sub("[-_.]+", "-", name).lower()
absent = set(sys.argv[1:])
for module, owners in importlib.metadata.packages_distributions().items():
    if all(plain(owner) in absent for owner in owners):
        sys.modules[module] = None
import bot.__main__
"""
    command = [sys.executable, "-c", start, *only_tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_of_dependencies_names_each_direct_one_and_no_other() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    rows = set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE)) - {"package"}
    assert rows == {pin.partition("==")[0] for pin in RUN + DEV}


# --- What stands in the repository ---------------------------------------------------------------------

# Spelled in pieces, so that this file does not find itself.
FOREIGN = {
    "the host of a package registry": re.compile(
        "py" + r"pi\.org|python" + "hosted|dev[p]i|artifactor[y]", re.IGNORECASE
    ),
    "the address of a package index": re.compile(r"--(extra-)?" + r"index-url[ =]|--find-" + "links[ =]"),
    "a path of somebody's machine": re.compile(r"(?<![\w.}/-])/(work|root|home|Users)" + r"/[A-Za-z]"),
}


def test_no_file_names_a_registry_or_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [
            f"{path.relative_to(ROOT)}: {what}: {match.group()}"
            for what, pattern in FOREIGN.items()
            if (match := pattern.search(text))
        ]
    assert found == []


def test_the_readme_opens_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "make run" in text
    assert "make test" in text


def test_every_chat_platform_is_held_apart_by_the_import_contracts() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    named = next(c["layers"][0] for c in contracts if c["name"] == "Chat platforms do not know each other")
    platforms = {path.name for path in (ROOT / "bot" / "chat").iterdir() if (path / "__init__.py").exists()}
    assert platforms <= set(re.findall(r"\w+", named))


# --- The first start -----------------------------------------------------------------------------------


class Machine:
    """A checkout on a made-up machine, whose PATH holds only what the test puts there."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a check'out"  # a name that careless quoting breaks on
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.checkout / "scripts")
        for name in ("Makefile", *LOCKS):
            shutil.copy(ROOT / name, self.checkout)
        (self.checkout / "bot").mkdir()
        (self.checkout / "bot" / "__main__.py").write_text("import sys\nprint('served', *sys.argv[1:])\n")
        for name in TOOLS:
            found = shutil.which(name)
            assert found, f"{name} is missing on this machine"
            (self.bin / name).symlink_to(found)
        self.has("uname", "echo Linux")

    def has(self, name: str, script: str) -> None:
        program = self.bin / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def has_python(self, name: str = "python3") -> None:
        """The Python of this machine, whose venv takes no pip and whose pip only notes that it was called."""
        fake = f"""
case "$1 $2" in
"-m venv") mkdir -p "$3/bin" && cp "{self.bin}/{name}" "$3/bin/python" ;;
"-c "*ensurepip*) echo "good {self.bin}/{name}" ;;
"-m pip") echo "$@" >>"{self.bin}/pip.log"; exec sh "{self.bin}/pip-does" ;;
"-c import pip"*) exit 0 ;;
"-c import sysconfig"*) mkdir -p .venv/site && echo .venv/site ;;
*) exec "{sys.executable}" "$@" ;;
esac"""
        self.has(name, fake)
        self.pip_does("exit 0")

    def pip_does(self, script: str) -> None:
        (self.bin / "pip-does").write_text(script)

    @property
    def installs(self) -> int:
        log = self.bin / "pip.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["/bin/sh", "scripts/bootstrap.sh", *args],
            cwd=self.checkout,
            env={"PATH": str(self.bin)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def bootstrap(self, *args: str) -> tuple[int, str]:
        """Exit status, and what it told the person."""
        process = self.start(*args)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


SUDO = "" if os.geteuid() == 0 else "sudo "
OLD = "echo 'old 3.9'"
BARE = "case $2 in *ensurepip*) echo 'bare 3.11' ;; *) echo 3.11 ;; esac"
APT = {"apt-get": "exit 0", "apt-cache": "[ $2 = python3-venv ] && echo 'Version: 3.11.2-1+b1'"}
OLD_APT = {
    "apt-get": "exit 0",
    "apt-cache": "case $2 in python3-venv) echo 'Version: 3.10.6-1' ;; python3.11-venv) ;; *) exit 1 ;; esac",
}


@pytest.mark.parametrize(
    ("programs", "problem", "command"),
    [
        pytest.param(APT, "python3 is missing", f"{SUDO}apt-get install -y python3-venv", id="none, Debian"),
        pytest.param(
            {"python3": BARE, **APT},
            "Python 3.11 is here without its venv module",
            f"{SUDO}apt-get install -y python3-venv",
            id="no venv, Debian",
        ),
        pytest.param(
            {"python3": OLD, **OLD_APT},
            "Python 3.9 is too old",
            f"{SUDO}apt-get install -y python3.11-venv",
            id="old, Ubuntu that also offers a newer one",
        ),
        pytest.param(
            {"python3": OLD, "uname": "echo Darwin"},
            "Python 3.9 is too old",
            "brew install python@3.12",
            id="old, macOS",
        ),
        pytest.param(
            {"python3": OLD, "dnf": "exit 0"},
            "Python 3.9 is too old",
            f"{SUDO}dnf install -y python3.12",
            id="old, Fedora",
        ),
        pytest.param(
            {"python3.13": "echo 'stub: command not found' >&2; exit 127", "dnf": "exit 0"},
            "python3 is missing",
            f"{SUDO}dnf install -y python3.12",
            id="a version manager's stub",
        ),
    ],
)
def test_a_machine_that_cannot_run_it_reads_the_one_command_that_mends_it(
    machine: Machine, programs: dict[str, str], problem: str, command: str
) -> None:
    for name, script in programs.items():
        machine.has(name, script)
    status, said = machine.bootstrap()
    assert status == 1
    assert problem in said
    assert [line.strip() for line in said.splitlines() if line.startswith("    ")] == [command]
    assert not (machine.checkout / ".venv").exists()


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.has("python3", OLD)
    machine.has_python("python3.12")
    assert machine.bootstrap()[0] == 0


def test_the_first_start_installs_wheels_by_their_hashes_and_leaves_the_command(machine: Machine) -> None:
    machine.has_python()
    assert machine.bootstrap()[0] == 0
    asked = (machine.bin / "pip.log").read_text()
    assert "--require-hashes --only-binary :all: -r requirements.lock" in asked
    command = machine.checkout / ".venv" / "bin" / "deskhand"
    assert f"exec '{machine.checkout}/.venv/bin/python'".replace("k'o", "k'\\''o") in command.read_text()


def test_a_second_start_has_nothing_to_do_and_is_quick(machine: Machine) -> None:
    machine.has_python()
    machine.bootstrap()
    machine.has("python3", "exit 1")  # is not even asked
    began = time.monotonic()
    assert machine.bootstrap() == (0, "")
    assert time.monotonic() - began < 1  # it takes some 20 ms; the bar is 0.3 s on a quiet machine
    assert machine.installs == 1


def test_a_changed_lock_is_installed(machine: Machine) -> None:
    machine.has_python()
    machine.bootstrap()
    with (machine.checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    machine.bootstrap()
    assert machine.installs == 2


def test_the_test_tools_come_on_top_and_a_run_after_that_installs_nothing(machine: Machine) -> None:
    machine.has_python()
    machine.bootstrap()
    machine.bootstrap("dev")
    machine.bootstrap()
    machine.bootstrap("dev")
    assert machine.installs == 2


def test_an_install_that_failed_is_said_and_made_anew(machine: Machine) -> None:
    machine.has_python()
    machine.pip_does("touch .venv/half; echo 'no network' >&2; exit 1")
    status, said = machine.bootstrap()
    assert status == 1
    assert "no network" in said
    assert "requirements.lock" in said
    machine.pip_does("exit 0")
    assert machine.bootstrap()[0] == 0
    assert not (machine.checkout / ".venv" / "half").exists()


def test_an_install_that_was_killed_is_never_taken_for_a_good_one(machine: Machine) -> None:
    machine.has_python()
    machine.pip_does("touch .venv/half; exec sleep 60")
    killed = machine.start()
    half = machine.checkout / ".venv" / "half"
    while not half.exists():
        time.sleep(0.01)
    os.killpg(killed.pid, 9)
    killed.communicate()
    machine.pip_does("exit 0")
    assert machine.bootstrap()[0] == 0
    assert machine.installs == 2
    assert not half.exists()


def test_of_two_starts_at_once_one_installs_and_the_other_waits(machine: Machine) -> None:
    machine.has_python()
    machine.pip_does("exec sleep 1")
    both = [machine.start(), machine.start()]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert machine.installs == 1
    assert sum("waiting for it" in words for words in said) == 1


def test_a_checkout_that_was_moved_gets_a_new_venv(machine: Machine) -> None:
    machine.has_python()
    machine.bootstrap()
    (machine.checkout / ".venv" / "old").touch()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))
    assert machine.bootstrap()[0] == 0
    assert machine.installs == 2
    assert not (machine.checkout / ".venv" / "old").exists()


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_scripts_are_plain_sh(shell: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is missing")
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        checked = subprocess.run([found, "-n", script], capture_output=True, text=True, check=False)
        assert (script.name, checked.stderr) == (script.name, "")
