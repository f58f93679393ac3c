"""Asking: one GET, to an address that was looked at before it is connected to, without following anything.

The name is resolved once, every address it has is looked at, and the connection goes to one of those and no
other, so that a name cannot mean something else a moment later.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2

from integrations.contract import ConnectorError, PermissionRefused, Person, SystemDown
from integrations.declared.address import TemplateError, inside, public
from integrations.declared.spec import LookUp, headers_of, shown
from integrations.tls import trust

ANSWER_BYTES = 256 * 1024

Resolve = Callable[[str, int], Awaitable[list[str]]]


class NotFound(ConnectorError):
    """The system knows nothing under these values."""


class Fetcher:
    """Use it from one event loop."""

    def __init__(self, ca_file: Path | None = None, resolve: Resolve | None = None) -> None:
        self._trust = trust(ca_file)
        self._resolve = resolve or _resolved

    async def ask(
        self, look_up: LookUp, secret: str, values: Mapping[str, str], me: Person
    ) -> tuple[str, list[tuple[str, str]]]:
        """A line and facts. :raises NotFound:, :raises SystemDown:, :raises PermissionRefused:"""
        # Last, so that no slot can stand in for who asks.
        all_values = {**values, "me.id": me.id, "me.mail": me.mail, "me.account": me.account}
        template = look_up.template()
        try:
            url = template.filled(all_values)
        except TemplateError as error:
            raise NotFound(str(error)) from error
        try:
            async with asyncio.timeout(look_up.timeout_s):
                at = await self._place(look_up, template.host, template.port)
                answer = await self._get(look_up, secret, url, at)
        except TimeoutError as error:
            raise SystemDown(f"{look_up.name}: no answer in {look_up.timeout_s:g} s") from error
        return shown(look_up, answer)

    async def _place(self, look_up: LookUp, host: str, port: int) -> str:
        """The address to connect to. :raises SystemDown: the name leads to none, or where it must not"""
        try:
            found = await self._resolve(host, port)
        except OSError as error:
            raise SystemDown(f"{look_up.name}: {host} is not found") from error
        if not found:
            raise SystemDown(f"{look_up.name}: {host} is not found")
        fits = inside if look_up.private else public
        if not all(fits(ipaddress.ip_address(each)) for each in found):
            raise SystemDown(
                f"{look_up.name}: {host} leads to a private address, and the file does not say so"
            )
        return found[0]

    async def _get(self, look_up: LookUp, secret: str, url: str, at: str) -> Any:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        place = f"[{at}]{port}" if ":" in at else f"{at}{port}"
        pinned = urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",  # what is counted is what comes
            **headers_of(look_up, secret),
            "host": parts.netloc,
        }
        try:
            async with (
                # trust_env: a proxy would resolve the name anew, and past us
                httpx2.AsyncClient(verify=self._trust, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    "GET",
                    pinned,
                    headers=headers,
                    timeout=look_up.timeout_s,
                    extensions={"sni_hostname": parts.hostname or ""},
                ) as answer,
            ):
                return await _read(look_up, answer)
        except httpx2.HTTPError as error:
            raise SystemDown(f"{look_up.name}: does not answer ({type(error).__name__})") from None


async def _read(look_up: LookUp, answer: httpx2.Response) -> Any:
    status = answer.status_code
    if status == 404:
        raise NotFound(f"{look_up.name}: not there")
    if status in (401, 403):
        raise PermissionRefused(f"{look_up.name}: the system refuses Deskhand ({status})")
    if status != 200:
        raise SystemDown(f"{look_up.name}: answers {status}")
    body = b""
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > ANSWER_BYTES:
            raise SystemDown(f"{look_up.name}: answers more than {ANSWER_BYTES} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SystemDown(f"{look_up.name}: answers no JSON") from error


async def _resolved(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
