"""What the parts of the settings are made of: a name, a default, a meaning, and an error that names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import Any

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PRIVATE = re.compile(r"https://[^/\s]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")

_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class SettingError(Exception):
    """A setting cannot be used; names it and says what it takes."""


def setting(name: str, default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"name": name, "meaning": meaning})


def secret(name: str, meaning: str) -> Any:
    """Never printed, neither by ``deskhand doctor`` nor by a traceback."""
    return field(default="", repr=False, metadata={"name": name, "meaning": meaning, "secret": True})


def none_empty(environ: Mapping[str, str], names: list[str]) -> None:
    """Half a connection must not pass for none. :raises SettingError: one is there, and empty"""
    for name in names:
        if name in environ and not environ[name].strip():
            raise SettingError(f"{name}: is empty; give it a value, or take it out")


def all_or_none(environ: Mapping[str, str], needed: tuple[str, ...]) -> None:
    """:raises SettingError: some are there, and not all"""
    given = [name for name in needed if name in environ]
    missing = [name for name in needed if not environ.get(name, "").strip()]
    if given and missing:
        raise SettingError(f"{', '.join(missing)}: needed beside {given[0]}")


def bound_names(name: str, pairs: str) -> dict[str, str]:
    """``admins=ID, readers=ID``: the names that rules and catalogue use, and the ids behind them.

    :raises SettingError:
    """
    found = {}
    for pair in filter(None, (each.strip() for each in pairs.split(","))):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*=[0-9a-fA-F-]{36}", pair):
            raise SettingError(f"{name}: {pair!r} is no name=ID with the id of an entry")
        key, _, group_id = pair.partition("=")
        found[key] = group_id.lower()
    return found


def listed(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())


def parse(name: str, text: str, default: Any) -> Any:
    text = text.strip()
    try:
        if isinstance(default, bool):
            return _YES_NO[text.lower()]
        if isinstance(default, timedelta):
            return timedelta(seconds=_positive(float(text)))
        if isinstance(default, int):
            return _positive(int(text))
    except KeyError as error:
        raise SettingError(f"{name}: takes yes or no") from error
    except ValueError as error:
        raise SettingError(f"{name}: takes a number above 0, not {text!r}") from error
    return Path(text).expanduser().resolve() if isinstance(default, Path) or default is None else text


def _positive(number: Any) -> Any:
    if not number > 0 or number > 10**9:
        raise ValueError(number)
    return number
