"""What every chat's entrance does with bytes from outside before it believes anything: size, depth, shape.

Nothing of a body is logged here or by whoever calls this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

BODY_BYTES = 256 * 1024
_DEPTH = 64

_IN_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)

Body = Mapping[str, Any]


class BadEnvelope(Exception):
    """Not from the platform, or not a thing that it sends. ``status`` is the HTTP answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def raw_body(request: Request) -> bytes:
    """The body up to our cap. :raises BadEnvelope: 413, :raises ClientDisconnect:"""
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > BODY_BYTES:
            raise BadEnvelope(413, "too large")
    return bytes(raw)


def json_object(raw: bytes) -> Body:
    """:raises BadEnvelope: 400 or 413"""
    if raw.count(b"{") + raw.count(b"[") > _DEPTH and _depth(raw) > _DEPTH:
        raise BadEnvelope(413, "too deep")
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadEnvelope(400, "not JSON") from error
    if not isinstance(said, dict):
        raise BadEnvelope(400, "not an object")
    return said


def text_at(said: Body, *path: str) -> str:
    """The text at the end of the path; empty where there is none."""
    here: Any = said
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return here if isinstance(here, str) else ""


def _depth(raw: bytes) -> int:
    deepest = depth = 0
    for sign in _IN_STRINGS.sub(b"", raw):
        if sign in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in b"}]":
            depth -= 1
    return deepest
