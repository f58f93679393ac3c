"""What a look-up says of itself: one YAML file, checked as a whole when it is read.

Nothing in it is code: an address with places for values, headers, and JMESPath for what is shown.
Source: https://jmespath.org/specification.html
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from integrations.declared.address import Template, TemplateError

_ATOM = r"(?:\[[A-Za-z0-9_. -]{1,60}\]|\\d|\\w|[A-Za-z0-9_.-])"
_SIMPLE = re.compile(rf"(?:{_ATOM}(?:[?*+]|\{{\d{{1,2}}(?:,\d{{0,2}})?\}})?){{1,30}}")
_STRETCHES = re.compile(r"[*+]|\{\d+,\d*\}")  # of which there are few: each more makes a mismatch dearer
_MOST_STRETCHES = 3
_FILE_BYTES = 20_000
_FILES = 100
_PHRASES = 30
_EXPRESSION_CHARS = 300

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class DeclaredError(Exception):
    """A look-up cannot be used; names its file and the field."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Slot(_Strict):
    """One thing the person has to say."""

    ask: Line  # put to them where they did not
    pattern: str = Field(min_length=1, max_length=200)  # a regular expression for the whole of it

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        if not _SIMPLE.fullmatch(pattern) or len(_STRETCHES.findall(pattern)) > _MOST_STRETCHES:
            raise PydanticCustomError(
                "pattern",
                "takes letters, digits, [classes], \\d and \\w, each with ?, *, + or {{2,4}}, no groups, and"
                " at most three of the open ones",
            )
        try:
            found = re.compile(pattern)
        except re.error as error:
            raise PydanticCustomError(
                "pattern", "is no regular expression: {why}", {"why": str(error)}
            ) from error
        if found.fullmatch(""):
            raise PydanticCustomError("pattern", "fits nothing at all: let it ask for at least one character")
        return pattern


class LookUp(_Strict):
    name: Name
    title: Line  # "Where is my order"
    phrases: tuple[Line, ...] = Field(min_length=1, max_length=_PHRASES)  # with {slot} where a value stands
    slots: dict[Name, Slot] = Field(default_factory=dict, max_length=5)
    method: Literal["GET"] = "GET"
    url: Line
    headers: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,50}$")], Line] = Field(
        default_factory=dict, max_length=10
    )
    secret: Line | None = None  # a file beside this one, readable by its owner only: {secret} in a header
    hosts: tuple[Host, ...] = Field(min_length=1, max_length=10)  # that may be spoken to
    private: bool = False  # these hosts may be at private or loopback addresses
    timeout_s: float = Field(default=5.0, gt=0, le=15)
    says: Line | None = None  # JMESPath of the answer in a line
    facts: dict[Annotated[str, StringConstraints(min_length=1, max_length=40)], str] = Field(
        default_factory=dict, max_length=12
    )  # label -> JMESPath
    policy: Name = "look_up"  # what the rules call it

    @field_validator("facts")
    @classmethod
    def _readable(cls, facts: dict[str, str]) -> dict[str, str]:
        for label, expression in facts.items():
            _compiled(expression, label)
        return facts

    @field_validator("says")
    @classmethod
    def _said(cls, says: str | None) -> str | None:
        if says is not None:
            _compiled(says, "says")
        return says

    def template(self) -> Template:
        return Template(self.url, frozenset(self.hosts), frozenset(self.slots), private=self.private)


def load(folder: Path) -> tuple[tuple[LookUp, str], ...]:
    """Every look-up of a folder with its secret, by file name.

    :raises DeclaredError: for the first that cannot be used
    """
    files = sorted(folder.glob("*.yaml"))
    if not folder.is_dir() or len(files) > _FILES:
        raise DeclaredError(f"{folder}: is no folder of up to {_FILES} look-ups")
    found: dict[str, tuple[LookUp, str]] = {}
    for file in files:
        look_up = _read(file)
        if look_up.name in found:
            raise DeclaredError(f"{file.name}: name: {look_up.name} stands in another file too")
        found[look_up.name] = (look_up, _secret(file, look_up))
    return tuple(found.values())


def shown(look_up: LookUp, answer: Any) -> tuple[str, list[tuple[str, str]]]:
    """The line and the facts, from what the system answered. What is not there is left out."""
    line = _text(_searched(look_up.says, "says", answer)) if look_up.says else ""
    facts = [
        (label, text)
        for label, expression in look_up.facts.items()
        if (text := _text(_searched(expression, label, answer)))
    ]
    return line, facts


def _searched(expression: str, label: str, answer: Any) -> Any:
    try:
        return _compiled(expression, label).search(answer)
    except (JMESPathError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        return None  # an expression met another type than it takes: there is nothing to show


def _text(value: Any, depth: int = 3) -> str:
    if value is None or isinstance(value, dict) or not depth:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(each, depth - 1) for each in value[:20])))
    return str(value)[:500]


def _compiled(expression: str, label: str) -> Any:
    if len(expression) > _EXPRESSION_CHARS:
        raise PydanticCustomError("jmespath", "{label}: is too long", {"label": label})
    try:
        return jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        raise PydanticCustomError(
            "jmespath", "{label}: is no JMESPath: {why}", {"label": label, "why": str(error).splitlines()[0]}
        ) from error


def _read(file: Path) -> LookUp:
    try:
        if file.stat().st_size > _FILE_BYTES:
            raise DeclaredError(f"{file.name}: is larger than {_FILE_BYTES} bytes")
        text = file.read_text(encoding="utf-8")
        if "&" in text and re.search(r"(^|[\s\[{,:-])&\w", text):
            raise DeclaredError(f"{file.name}: anchors (&) are not used here")
        look_up = LookUp.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise DeclaredError(f"{file.name}: {where}: {first['msg']}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise DeclaredError(f"{file.name}: cannot be read: {type(error).__name__}") from error
    try:
        look_up.template()
    except TemplateError as error:
        raise DeclaredError(f"{file.name}: url: {error}") from error
    _phrases(file, look_up)
    return look_up


def _phrases(file: Path, look_up: LookUp) -> None:
    for phrase in look_up.phrases:
        for slot in re.findall(r"\{([^}]*)\}", phrase):
            if slot not in look_up.slots:
                raise DeclaredError(f"{file.name}: phrases: {{{slot}}} is none of its slots")
        if len(re.findall(r"\w+", re.sub(r"\{[^}]*\}", "", phrase))) < 2:
            raise DeclaredError(f"{file.name}: phrases: {phrase!r} is too short to be told from others")


def _secret(file: Path, look_up: LookUp) -> str:
    wanted = any("{secret}" in value for value in look_up.headers.values())
    for header, value in look_up.headers.items():
        if set(re.findall(r"\{([^}]*)\}", value)) - {"secret"}:
            raise DeclaredError(f"{file.name}: headers.{header}: only {{secret}} can stand there")
    if not look_up.secret:
        if wanted:
            raise DeclaredError(f"{file.name}: secret: name the file that holds it")
        return ""
    place = file.parent / look_up.secret
    try:
        if place.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise DeclaredError(f"{file.name}: secret: others may read {place.name}: chmod 600 it")
        secret = place.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DeclaredError(f"{file.name}: secret: {place.name} cannot be read") from error
    if not secret or not secret.isprintable() or " " in secret:
        raise DeclaredError(f"{file.name}: secret: {place.name} holds no single word")
    return secret


def headers_of(look_up: LookUp, secret: str) -> Mapping[str, str]:
    return {name: value.replace("{secret}", secret) for name, value in look_up.headers.items()}
