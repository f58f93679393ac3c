"""Microsoft's signing keys, fetched when they are needed and believed for a day.

Source: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import structlog

_FRESH_S = 24 * 3600.0  # Microsoft: look again at least daily
_STALE_S = 3 * _FRESH_S  # where Microsoft does not answer: how long the old ones count
_AGAIN_S = 60.0  # between two looks for a key that nobody knows
_RETRY_S = 2.0  # between two looks that failed
_TIMEOUT = aiohttp.ClientTimeout(total=5)
_BYTES = 512 * 1024

log = structlog.get_logger()


class KeysDown(Exception):
    """The keys cannot be read now, so nobody can be let in."""


@dataclass(frozen=True, slots=True)
class Key:
    key: Any  # as PyJWT takes it
    endorsements: frozenset[str]  # channels it may speak for


class Keys:
    def __init__(self, url: str, *, now: Callable[[], float] = time.time) -> None:
        """:param url: of the OpenID metadata"""
        self.now = now
        self.issuer = ""
        self._url = url
        self._keys: dict[str, Key] = {}
        self._read_at = self._tried_at = float("-inf")
        self._turn = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        """None: there is no such key. :raises KeysDown:"""
        if kid not in self._keys or self._age() > _FRESH_S:
            async with self._turn:
                await self._look(kid)
        if not self._keys or self._age() > _STALE_S:
            raise KeysDown("Microsoft's keys cannot be read")
        return self._keys.get(kid)

    def _age(self) -> float:
        return self.now() - self._read_at

    async def _look(self, kid: str) -> None:
        known = kid in self._keys
        if known and self._age() <= _FRESH_S:
            return  # read by another meanwhile
        since = self.now() - self._tried_at
        healthy = self._read_at >= self._tried_at
        if 0 <= since < (_AGAIN_S if healthy else _RETRY_S):
            if not known and not healthy:
                raise KeysDown("Microsoft's keys cannot be read")
            return
        self._tried_at = self.now()
        try:
            issuer, keys = await self._fetch()
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            log.warning("teams.keys_down", error=type(error).__name__)
            if not known:
                raise KeysDown("Microsoft's keys cannot be read") from error
            return
        self.issuer, self._keys, self._read_at = issuer, keys, self._tried_at

    async def _fetch(self) -> tuple[str, dict[str, Key]]:
        async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session:
            metadata = await _json(session, self._url)
            where = str(metadata["jwks_uri"])
            if not where.startswith("https://") and not self._url.startswith("http://"):
                raise ValueError("keys over plain http")
            answer = await _json(session, where)
        keys = {str(each["kid"]): key for each in answer["keys"] if (key := _key(each))}
        if not keys:
            raise ValueError("no key among them")
        return str(metadata["issuer"]), keys


async def _json(session: aiohttp.ClientSession, url: str) -> Mapping[str, Any]:
    async with session.get(url, allow_redirects=False) as answer:
        answer.raise_for_status()
        if answer.status != 200 or (answer.content_length or 0) > _BYTES:
            raise ValueError(f"answered {answer.status}")
        said = await answer.json(content_type=None)
    if not isinstance(said, dict):
        raise TypeError("not an object")
    return said


def _key(jwk: Mapping[str, Any]) -> Key | None:
    """None for what is no key to sign with RS256; one odd key is no reason to lose the others."""
    if jwk.get("kty") != "RSA" or "kid" not in jwk:
        return None
    try:
        key = jwt.PyJWK(dict(jwk), algorithm="RS256").key
    except jwt.PyJWTError:
        return None
    return Key(key, frozenset(map(str, jwk.get("endorsements") or ())))
