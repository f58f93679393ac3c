"""What stands before every route: our own host names, no foreign pages, no large bodies, strict headers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES = 256 * 1024
# A body over the cap is read on and thrown away up to here, so that the browser reads our answer
# instead of a broken connection.
DRAIN_BYTES = 4 * 1024 * 1024

_OUR_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class NotLoopback(Exception):
    """The web desk was told to listen where others could reach it."""


def check_host(host: str, *, beyond: bool = False) -> str:
    """The address to listen on.

    :param beyond: people sign in, and over TLS
    :raises NotLoopback: for any other than this machine's own, unless it may be beyond
    """
    bare = host.strip().removeprefix("[").removesuffix("]")
    try:
        loopback = bare.lower() == "localhost" or ipaddress.ip_address(bare).is_loopback
    except ValueError:  # a name that we would have to trust a resolver for
        loopback = False
    if not loopback and not beyond:
        raise NotLoopback(
            f"DESKHAND_HOST is {host!r}, but the web desk has no sign-in: on any address other than this"
            " machine's own, everybody who reaches it could be anybody. Set DESKHAND_HOST=127.0.0.1"
            " (or leave it out); or let people sign in (ENTRA_SIGN_IN or OIDC_ISSUER) and set an https"
            " DESKHAND_PUBLIC_URL, see docs/sign-in.md."
        )
    return bare


class Guard:
    """ASGI middleware around the whole app; it never buffers a stream."""

    def __init__(self, app: ASGIApp, host: str = "", origin: str = "") -> None:
        """:param host: a name besides this machine's own under which browsers reach us; with its origin"""
        self.app = app
        self._host, self._origin = host, origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # no WebSockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = _with_headers(send, private=not scope["path"].startswith("/static/"))
        refusal = _refusal(scope, self._host, self._origin)
        if refusal is None and scope["method"] not in _SAFE_METHODS:
            body = await _body(receive)
            if body is None:
                refusal = problem(
                    413, "That is too much for one message. Please keep it under 4,000 characters."
                )
            else:
                receive = _replay(body, receive)
        await (refusal or self.app)(scope, receive, guarded)


def problem(status: int, words: str, *, retry_after: int | None = None) -> JSONResponse:
    """An answer that the page shows to the person."""
    headers = {"retry-after": str(retry_after)} if retry_after is not None else None
    return JSONResponse({"error": words}, status, headers)


def _refusal(scope: Scope, known: str, known_origin: str) -> JSONResponse | None:
    headers = Headers(scope=scope)
    hosts = headers.getlist("host")
    public = len(hosts) == 1 and bool(known) and hosts[0].lower() == known
    if len(hosts) != 1 or not (public or _OUR_HOST.fullmatch(hosts[0])):
        return problem(421, "This desk does not answer under that name.")
    site = headers.get("sec-fetch-site", "")
    if scope["method"] in _SAFE_METHODS:
        foreign = site not in {"", "same-origin", "none"} and scope["path"].startswith("/api/")
        return problem(403, "Another page may not read this desk.") if foreign else None
    origin = headers.get("origin", "")
    own = known_origin if public else f"{scope['scheme']}://{hosts[0].lower()}"  # TLS may end in front of us
    ours = origin.lower() == own if origin else site == "same-origin"
    if not ours or site not in {"", "same-origin"}:
        return problem(403, "Only this desk's own pages may do that.")
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > DRAIN_BYTES:
        return problem(413, "That is far too much for one message.")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if scope["method"] == "POST" and kind != "application/json":
        return problem(415, "Send application/json.")
    return None


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None where it is over the cap; what is over it is never held."""
    held = bytearray()
    total = 0
    more = True
    while more and total <= DRAIN_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            break
        piece: bytes = message.get("body", b"")
        total += len(piece)
        more = message.get("more_body", False)
        if total <= BODY_BYTES:
            held += piece
    return bytes(held) if total <= BODY_BYTES else None


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send, *, private: bool) -> Send:
    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers["cache-control"] = "no-store" if private else "no-cache"
        await send(message)

    return guarded
