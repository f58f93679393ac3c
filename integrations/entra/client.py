"""Microsoft Graph with our manners: throttling obeyed, errors by name, a write never sent twice unasked.

Calls block and run in threads of this client's own. A read is repeated where Graph is busy; a write is
repeated only where Graph says that it did nothing with it (429, and 503 with Retry-After).
Source: https://learn.microsoft.com/graph/errors, .../graph/throttling
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx2

from integrations.contract import ConnectorError, OutcomeUnknown, PermissionRefused, SystemDown
from integrations.entra.rights import TOO_MUCH, granted
from integrations.entra.token import Tokens
from integrations.tls import trust

T = TypeVar("T")
Json = Mapping[str, Any]

SCOPE = "https://graph.microsoft.com/.default"
PATIENCE_S = 20.0  # how long a call waits where Graph is busy
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_BUSY = frozenset({429, 500, 502, 503, 504})
_THREADS = 8
_PAGES = 200


class NotConfigured(Exception):
    """A setting has to be mended; names it."""


class NotThere(ConnectorError):
    """Graph knows no such object."""


class TooPowerful(ConnectorError):
    """The app may do what nothing that talks to people should."""


class BadRequest(ConnectorError):
    """Graph refused what was asked as it was asked. ``code`` is its own name for why."""

    def __init__(self, what: str, code: str) -> None:
        super().__init__(f"{what}: {code or 'bad request'}")
        self.code = code


@dataclass(frozen=True, slots=True)
class EntraSettings:
    tenant: str
    app_id: str
    secret: str = ""
    certificate: Path | None = None
    protected: tuple[str, ...] = ()  # ids or names of groups whose members are out of reach
    on_leave: str = ""  # id or name of the group of those who are away
    names: Mapping[str, str] | None = None  # name that the rules use -> id of the group
    time_zone: str = "UTC"
    passes: bool = True  # a new credential is a pass; False: a password
    graph_url: str = "https://graph.microsoft.com/v1.0"
    login_url: str = "https://login.microsoftonline.com"
    ca_file: Path | None = None
    patience_s: float = PATIENCE_S  # until a write has to be seen in what Graph answers

    def __repr__(self) -> str:
        return f"EntraSettings({self.tenant}, {self.app_id})"


class Client:
    """Use it from one event loop."""

    def __init__(self, settings: EntraSettings) -> None:
        """:raises NotConfigured:"""
        if not (settings.secret or settings.certificate):
            raise NotConfigured("ENTRA_CERTIFICATE_FILE or ENTRA_APP_SECRET: one is needed")
        self.settings = settings
        self._tokens = Tokens(
            settings.app_id,
            settings.tenant,
            SCOPE,
            login_url=settings.login_url,
            secret=settings.secret,
            certificate=settings.certificate,
            ca_file=settings.ca_file,
        )
        self._http = httpx2.Client(timeout=_TIMEOUT, verify=trust(settings.ca_file), follow_redirects=False)
        self.group_seen: dict[
            str, float
        ] = {}  # group that settings name -> when it was last seen to be there
        self._vetted = ""  # the token of which we know that it is none too powerful
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="graph")

    async def run(self, work: Callable[[Client], T]) -> T:
        """In a thread. :raises ConnectorError:"""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, self)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._http.close()
        self._tokens.close()

    def granted(self) -> frozenset[str] | None:
        """The permissions of the app; None: its token does not say. :raises TooPowerful:"""
        return granted(self._token())

    def get(self, *path: str, index: bool = False, **params: str) -> Json:
        """One object, or one page. ``index``: asks the index, which answers what a filter cannot."""
        return self._send("GET", self._url(path), params=_odata(params), index=index)

    def all(self, *path: str, index: bool = False, most: int | None = None, **params: str) -> list[Json]:
        """Everything, page after page."""
        found: list[Json] = []
        for page in self._pages(self._url(path), _odata(params), index=index):
            found += [each for each in page.get("value") or () if isinstance(each, Mapping)]
            if most is not None and len(found) >= most:
                return found[:most]
        return found

    def write(self, method: str, *path: str, body: Json | None = None) -> Json:
        """:raises OutcomeUnknown: it was sent and no answer came"""
        return self._send(method, self._url(path), body=body)

    def _pages(self, url: str, params: dict[str, str], *, index: bool) -> Iterator[Json]:
        home = urlsplit(self.settings.graph_url).netloc
        for _ in range(_PAGES):
            page = self._send("GET", url, params=params, index=index)
            yield page
            url, params = str(page.get("@odata.nextLink") or ""), {}
            if not url:
                return
            if urlsplit(url).netloc != home:  # our token goes to Graph and nowhere else
                raise SystemDown("Graph names a next page elsewhere")
        raise SystemDown("Graph's list has no end")

    def _url(self, path: tuple[str, ...]) -> str:
        return "/".join([self.settings.graph_url.rstrip("/"), *(quote(part, safe="$") for part in path)])

    def _send(
        self,
        method: str,
        url: str,
        *,
        params: dict[str, str] | None = None,
        body: Json | None = None,
        index: bool = False,
    ) -> Json:
        until, renewed, attempt = time.monotonic() + PATIENCE_S, False, 0
        while True:
            token = self._token()
            answer = self._once(method, url, token, params, body, index=index)
            if answer.status_code == 401 and not renewed:
                self._tokens.forget(token)
                renewed = True
                continue
            pause = _pause(answer, attempt) if _may_repeat(method, answer) else None
            if pause is None or time.monotonic() + pause > until:
                return _read(method, answer)
            time.sleep(pause)
            attempt += 1

    def _token(self) -> str:
        """One that was looked at before it is used for the first time. :raises TooPowerful:"""
        token = self._tokens.get()
        if token != self._vetted:
            if power := sorted((granted(token) or frozenset()) & TOO_MUCH):
                raise TooPowerful(
                    f"ENTRA_APP_ID: this app may make itself an administrator ({', '.join(power)}):"
                    " take that away from it (docs/entra.md)"
                )
            self._vetted = token
        return token

    def _once(
        self,
        method: str,
        url: str,
        token: str,
        params: dict[str, str] | None,
        body: Json | None,
        *,
        index: bool,
    ) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}"}
        if index:
            headers["consistencylevel"] = "eventual"
        try:
            return self._http.request(method, url, params=params or None, json=body, headers=headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise SystemDown(f"Graph: no connection ({type(error).__name__})") from error
        except httpx2.HTTPError as error:
            if method == "GET":
                raise SystemDown(f"Graph: {type(error).__name__}") from error
            raise OutcomeUnknown(f"Graph: {type(error).__name__}") from error


def _odata(params: Mapping[str, str]) -> dict[str, str]:
    return {f"${name}": value for name, value in params.items()}


def _may_repeat(method: str, answer: httpx2.Response) -> bool:
    """What certainly did nothing, and any read that Graph was too busy for."""
    if method == "GET":
        return answer.status_code in _BUSY
    return answer.status_code == 429 or (answer.status_code == 503 and "retry-after" in answer.headers)


def _pause(answer: httpx2.Response, attempt: int) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() else 0.3 * 2.0 ** min(attempt, 6)


def _read(method: str, answer: httpx2.Response) -> Json:
    status = answer.status_code
    try:
        said = answer.json() if answer.content else {}
    except ValueError:
        said = {}
    if status < 300 and isinstance(said, Mapping):
        return said
    error = said.get("error") if isinstance(said, Mapping) else None
    code = str(error.get("code", ""))[:80] if isinstance(error, Mapping) else ""
    what = f"Graph: {method} {urlsplit(str(answer.url)).path.rpartition('/')[2][:40]}"
    if status in (401, 403):
        raise PermissionRefused(f"{what}: the app has no right to it ({code or status})")
    if status == 404:
        raise NotThere(f"{what}: not there")
    if status in _BUSY or status < 400:
        if method == "GET" or status == 429:
            raise SystemDown(f"{what}: answered {status}")
        raise OutcomeUnknown(f"{what}: answered {status}")
    raise BadRequest(what, code)
