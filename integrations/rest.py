"""A small client of JSON over HTTPS, with the manners every connector needs.

A read is repeated where the system is busy, and waits as long as it asks for. A write is sent once: it is
repeated only where the system says that it did nothing with it (429, and 503 with Retry-After). Whatever
else happens to a write after it was sent is an ``OutcomeUnknown``. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from integrations.contract import ConnectorError, OutcomeUnknown, PermissionRefused, SystemDown
from integrations.tls import trust

PATIENCE_S = 20.0  # how long a call waits where the system is busy
ANSWER_BYTES = 8 * 1024 * 1024
_SHORTEST_S = 0.2  # between two tries, where a system asks for none
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_WHOLE_S = 30.0  # one call, to the end of its answer
_BUSY = frozenset({429, 500, 502, 503, 504})
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class NotThere(ConnectorError):
    """404: the system knows no such thing."""


class Refused(ConnectorError):
    """400, 409, 422: the system refuses what was asked as it was asked. Nothing was changed."""

    def __init__(self, what: str, status: int, answer: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{what}: refused ({status})")
        self.status = status
        self.answer = answer  # as it came: parsed JSON, or text; for the log, not for people
        self.headers = headers or {}  # of the answer: some systems say there why


class Rest:
    """Use it from one event loop."""

    def __init__(
        self,
        name: str,
        base: str,
        headers: Mapping[str, str],
        *,
        ca_file: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """:param name: what people call the system; stands in every error
        :param base: https://host/path, without a slash at its end
        :param headers: of every call; secret
        """
        self.name = name
        self._base = base.rstrip("/")
        self._patience = patience_s
        self._http = httpx2.AsyncClient(
            timeout=_TIMEOUT,
            verify=trust(ca_file),
            follow_redirects=False,
            # What is measured is what comes: an answer that unfolds is not asked for.
            headers={"accept": "application/json", "accept-encoding": "identity", **headers},
        )

    async def get(self, *path: str, **params: str | int) -> Any:
        """:raises NotThere:, :raises Refused:, :raises PermissionRefused:, :raises SystemDown:"""
        for wait in self._waits():
            try:
                answer = await self._call("GET", self._url(path), params, None)
            except (httpx2.HTTPError, TimeoutError) as error:
                raise SystemDown(f"{self.name}: does not answer ({type(error).__name__})") from None
            if answer.status_code not in _BUSY or not await _paused(answer, wait):
                return self._read(answer, written=False)
        raise AssertionError("waits without an end")

    async def write(self, method: str, *path: str, body: Any = None, **params: str | int) -> Any:
        """:raises OutcomeUnknown: and like ``get``; then certainly nothing was changed"""
        for wait in self._waits():
            try:
                answer = await self._call(method, self._url(path), params, body)
            except _NEVER_SENT as error:
                raise SystemDown(f"{self.name}: does not answer ({type(error).__name__})") from None
            except (httpx2.HTTPError, TimeoutError) as error:
                raise OutcomeUnknown(f"{self.name}: no answer to a write ({type(error).__name__})") from None
            if not _undone(answer) or not await _paused(answer, wait):
                return self._read(answer, written=True)
        raise AssertionError("waits without an end")

    async def _call(
        self, method: str, url: str, params: Mapping[str, str | int], body: Any
    ) -> httpx2.Response:
        """The whole answer, or as much of it as shows that it is too much.

        :raises TimeoutError: it did not come to its end in time
        """
        async with (
            asyncio.timeout(_WHOLE_S),
            self._http.stream(method, url, params=dict(params), json=body) as answer,
        ):
            if answer.headers.get("content-encoding", "identity").lower() != "identity":
                raise httpx2.DecodingError("a packed answer, which nobody asked for", request=answer.request)
            content = b""
            async for piece in answer.aiter_raw():
                content += piece
                if len(content) > ANSWER_BYTES:
                    break
        return httpx2.Response(
            answer.status_code, headers=answer.headers, content=content, request=answer.request
        )

    async def close(self) -> None:
        await self._http.aclose()

    def _url(self, path: tuple[str, ...]) -> str:
        """Every part is one part: what stands in it cannot lead elsewhere."""
        parts = [quote(part, safe="") for part in path]
        if any(part in ("", ".", "..") for part in parts):
            raise NotThere(f"{self.name}: no such thing")
        return "/".join((self._base, *parts))

    def _waits(self) -> Iterator[float]:
        """The seconds that are left, at each try."""
        until = time.monotonic() + self._patience
        while True:
            yield max(0.0, until - time.monotonic())

    def _read(self, answer: httpx2.Response, *, written: bool) -> Any:
        status, what = answer.status_code, f"{self.name}: {answer.request.method} {answer.request.url.path}"
        if len(answer.content) > ANSWER_BYTES:
            raise (OutcomeUnknown if written else SystemDown)(f"{what}: answers too much")
        if status == 404:
            raise NotThere(f"{what}: not there")
        if status in (401, 403):
            raise PermissionRefused(f"{what}: the system refuses Deskhand ({status})")
        if _undone(answer):
            raise SystemDown(f"{what}: busy ({status})")
        if 400 <= status < 500:
            raise Refused(what, status, _parsed(answer), answer.headers)
        if not 200 <= status < 300:
            raise (OutcomeUnknown if written else SystemDown)(f"{what}: answers {status}")
        if not answer.content:
            return None
        parsed = _parsed(answer)
        if isinstance(parsed, str):
            raise (OutcomeUnknown if written else SystemDown)(f"{what}: answers no JSON")
        return parsed


def _undone(answer: httpx2.Response) -> bool:
    """Whether the system says that it did nothing with it."""
    return answer.status_code == 429 or (answer.status_code == 503 and "retry-after" in answer.headers)


async def _paused(answer: httpx2.Response, left: float) -> bool:
    """Waited for as long as was asked; False: there is no time left for that."""
    asked = answer.headers.get("retry-after", "")
    pause = max(float(asked), _SHORTEST_S) if asked.isascii() and asked.isdigit() else 1.0
    if pause >= left:
        return False
    await asyncio.sleep(pause)
    return True


def _parsed(answer: httpx2.Response) -> Any:
    """JSON with exact decimals, or the text."""
    try:
        return json.loads(answer.content, parse_float=str)
    except (ValueError, RecursionError):
        return answer.text
