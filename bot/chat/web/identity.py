"""Who the person at this browser says they are. There is no sign-in: a signed cookie remembers the choice.

The cookie holds the accounts that were chosen in this browser, latest first, so that two windows can be two
people. It cannot be made up, but anybody on this machine may choose anybody: hence loopback only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

REMEMBERED = 8  # accounts in one browser
SESSION_SECONDS = 30 * 24 * 3600
ROSTER_SECONDS = 5.0  # how long a person who was looked up is not looked up again


@dataclass(frozen=True, slots=True)
class Choice:
    """One person to be. ``account`` is the person's id."""

    account: str
    name: str
    title: str = ""
    department: str = ""
    approvals: bool = True  # may read the approvals channel
    helps: bool = False  # may read the help desk's channel


class Roster(Protocol):
    async def choices(self) -> Sequence[Choice]:
        """Everybody who may use the desk, in the order to show them."""

    async def choice(self, account: str) -> Choice | None:
        """This person, or None where nobody by this account may use the desk."""


class Sessions:
    """Cookies that only this desk can have made."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def cookie(self, accounts: Sequence[str]) -> str:
        payload = json.dumps([int(time.time()), *accounts[:REMEMBERED]]).encode()
        return f"{_encode(payload)}.{_encode(self._signature(payload))}"

    def accounts(self, cookie: str) -> tuple[str, ...]:
        """Those chosen in this browser, latest first; none where the cookie is not ours or too old."""
        payload, _, signature = cookie.partition(".")
        try:
            body = _decode(payload)
            genuine = hmac.compare_digest(_decode(signature), self._signature(body))
        except (binascii.Error, ValueError):
            return ()
        if not genuine:
            return ()
        made, *accounts = json.loads(body)
        return tuple(accounts) if time.time() - made < SESSION_SECONDS else ()

    def _signature(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, hashlib.sha256).digest()


class Known:
    """The roster, remembering for a few seconds whom it has looked up."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._looked_up: dict[str, tuple[float, Choice | None]] = {}

    async def choices(self) -> Sequence[Choice]:
        return await self._roster.choices()

    async def choice(self, account: str) -> Choice | None:
        now = time.monotonic()
        at, found = self._looked_up.get(account, (-ROSTER_SECONDS, None))
        if now - at < ROSTER_SECONDS:
            return found
        found = await self._roster.choice(account)
        if len(self._looked_up) > 10_000:
            self._looked_up.clear()
        self._looked_up[account] = (now, found)
        return found


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
