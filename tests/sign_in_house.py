"""The desk beside an OpenID provider at which everybody of the company can sign in, and people with browsers.

A ``Visitor`` is one browser: it keeps cookies, goes where it is sent, and signs in at the provider as told.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import httpx2

from bot.procedures.proofs import CALLBACK
from tests.house import House, house
from tests.servers.openid import CLIENT_ID, CLIENT_SECRET, FakeOpenId, Provider

CLAIM = "employee_uuid"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


@contextmanager
def provider() -> Iterator[FakeOpenId]:
    with FakeOpenId.running() as server:
        yield server


def settings_of(server: FakeOpenId, **more: Any) -> dict[str, Any]:
    return {
        "oidc_issuer": server.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_name": "Alder & Finch",
        "oidc_person_claim": CLAIM,
        "oidc_ca_file": server.certificates.ca_file,
        **more,
    }


@asynccontextmanager
async def signing(data: Path, server: FakeOpenId, **settings: Any) -> AsyncIterator[House]:
    """The desk, with everybody's id of the directory in what the provider says of them."""
    async with house(data, **settings_of(server, **settings)) as running:
        server.idp.redirects = {running.app.settings.url + CALLBACK}
        for account, claims in server.idp.accounts.items():
            claims[CLAIM] = await running.id(account)
        yield running


class HasProvider(Protocol):
    @property
    def idp(self) -> Provider: ...


@dataclass
class Visitor:
    """One browser."""

    desk: House
    server: HasProvider
    client: httpx2.AsyncClient

    @classmethod
    @asynccontextmanager
    async def of(cls, desk: House, server: HasProvider) -> AsyncIterator[Visitor]:
        async with desk.browser() as client:
            yield cls(desk, server, client)

    async def get(self, url: str, **more: Any) -> httpx2.Response:
        return await self.client.get(_path(url), **more)

    async def leaves(self, url: str) -> str:
        """Where the provider is, as the page's own link says."""
        away = await self.get(f"{_path(url)}/sign-in")
        assert away.status_code == 303, away.text
        return away.headers["location"]

    def answer(self, login: str, at_provider: str, **code: Any) -> dict[str, str]:
        """What the browser brings back once this person has signed in there."""
        return self.server.idp.code_for(login, at_provider, **code)

    async def comes_back(self, answer: dict[str, str]) -> httpx2.Response:
        return await self.client.get(CALLBACK, params=answer)

    async def signs_in(self, login: str, url: str) -> httpx2.Response:
        """The page that opens after that."""
        back = await self.comes_back(self.answer(login, await self.leaves(url)))
        if back.status_code != 303:
            return back
        return await self.get(back.headers["location"])

    async def sends(self, url: str, page: httpx2.Response, **fields: str) -> httpx2.Response:
        """The form that stands on a page."""
        csrf = _CSRF.search(page.text)
        assert csrf, page.text
        return await self.client.post(_path(url), data={"csrf": csrf[1], **fields})


def _path(url: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return parts.path + ("?" + parts.query if query else "")
