"""The web desk behind a sign-in: sessions on our side, so that they end when they should.

A session is a random value in a cookie that no other site can send and no script can read; only its digest is
kept. It ends after a while without use, at the latest after a working day, and when somebody signs out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bot.chat.web.store import Messages

LONGEST = timedelta(hours=8)
_TOUCH_S = 30.0  # use is noted this often


@dataclass(frozen=True, slots=True)
class Door:
    """Where people sign in before they reach the desk."""

    base: str  # address that browsers use
    provider: str  # "Sign in with ..."
    idle: timedelta

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc.lower()

    @property
    def secure(self) -> bool:
        return self.base.startswith("https://")

    def cookie(self, request: Request) -> str:
        """Its name. ``__Host-``: no subdomain and no plain page can set it (RFC 6265bis 4.1.3.2)."""
        # Cookies know no ports: two desks on one machine must not overwrite each other's.
        return "__Host-deskhand" if self.secure else f"deskhand_{request.url.port or 80}"


class SignedIn:
    """Sessions of people who signed in."""

    def __init__(self, messages: Messages, door: Door) -> None:
        self._messages, self._door = messages, door

    async def open(self, request: Request, response: Response, account: str) -> Response:
        """A new session; an older one in this browser ends."""
        await self.end(request)
        value = secrets.token_urlsafe(32)
        await self._messages.open_session(_digest(value), account, time.time())
        response.set_cookie(
            self._door.cookie(request),
            value,
            max_age=int(LONGEST.total_seconds()),
            path="/",
            secure=self._door.secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def account(self, request: Request, *, use: bool = True) -> str:
        """Whose session it is; empty: nobody's. ``use``: it counts as being used."""
        value = request.cookies.get(self._door.cookie(request), "")
        if not value:
            return ""
        now = time.time()
        found = await self._messages.session(_digest(value))
        if found is None:
            return ""
        account, made, seen = found
        if now - seen > self._door.idle.total_seconds() or now - made > LONGEST.total_seconds():
            await self._messages.end_session(_digest(value))
            return ""
        if use and now - seen > _TOUCH_S:
            await self._messages.touch_session(_digest(value), now)
        return account

    async def end(self, request: Request) -> None:
        value = request.cookies.get(self._door.cookie(request), "")
        if value:
            await self._messages.end_session(_digest(value))

    def csrf(self, request: Request) -> str:
        """What the page sends along with whatever changes something."""
        value = request.cookies.get(self._door.cookie(request), "")
        return hmac.new(value.encode(), b"csrf", hashlib.sha256).hexdigest()

    def sent(self, request: Request) -> bool:
        given = request.headers.get("x-csrf-token", "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.csrf(request).encode())


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
