"""An OpenID provider's word: its keys, and whether an ID token tells of the sign-in that was just begun.

Every kind of sign-in comes here: msal looks at nothing of an ID token. What is refused is named by the claim
and never by its value, so that no log holds what a token says of a person.
Source: OpenID Connect Core 1.0, 3.1.3.7; OpenID Connect Discovery 1.0, 4.3
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from integrations.contract import SignInRefused, SystemDown
from integrations.tls import trust

LEEWAY_S = 60  # between the provider's clock and ours
_FRESH_S = 3600.0  # how long metadata and keys are believed
_AGAIN_S = 30.0  # a key that is not known is asked for again this often at most
_TIMEOUT_S = 10.0
_TOKEN_CHARS = 32_000
_ANSWER_BYTES = 512_000
# Signed with a key that we can look up; a shared secret (HS256) or nothing ("none") proves nothing to us.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_KEY_KINDS = frozenset({"RSA", "EC", "OKP"})
_SAFE = re.compile(r"https://[^/\s]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")
_WORD = re.compile(r"[a-z_]{1,60}")


class Issuer:
    """One provider, and what we are called there."""

    def __init__(self, address: str, client_id: str, *, ca_file: Path | None = None) -> None:
        """:param address: as the provider itself writes it in ``iss``"""
        self.address = address
        self._client_id = client_id
        self._ca_file = ca_file
        self._about: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_at = self._keys_at = float("-inf")

    def http(self) -> dict[str, Any]:
        """What an HTTP client needs to call it."""
        return {"timeout": _TIMEOUT_S, "verify": trust(self._ca_file), "follow_redirects": False}

    async def about(self) -> Mapping[str, Any]:
        """Its metadata. :raises SystemDown:, :raises SignInRefused: it is somebody else's"""
        if time.monotonic() - self._read_at > _FRESH_S:
            found = await self._get(f"{self.address.rstrip('/')}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self.address.rstrip("/"):
                raise SignInRefused("the provider's metadata names another issuer")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            for name in (*needed, *({"userinfo_endpoint"} & set(found))):
                if not _SAFE.match(str(found.get(name, ""))):
                    raise SignInRefused(f"the provider's {name} is no https address")
            self._about, self._read_at = found, time.monotonic()
        return self._about

    async def checked(
        self, raw: object, *, nonce: str, began: float | None, access_token: str = ""
    ) -> Mapping[str, Any]:
        """The claims of a token that is this provider's, for us, about the sign-in with this nonce.

        :param began: when it was begun (Unix seconds), where only a sign-in after that counts
        :raises SignInRefused:, :raises SystemDown:
        """
        if not isinstance(raw, str) or not raw or len(raw) > _TOKEN_CHARS:
            raise SignInRefused("the provider gave no ID token")
        token = await self._signed(raw)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": str((await self.about())["issuer"])},
                "aud": {"essential": True, "value": self._client_id},
            },
            params={"nonce": nonce, "client_id": self._client_id, "access_token": access_token},
        )
        now = time.time()
        try:
            claims.validate(now=int(now), leeway=LEEWAY_S)
        except (JoseError, TypeError, ValueError) as error:
            raise SignInRefused(f"the ID token does not fit: {_named(error)}") from None
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise SignInRefused("the ID token does not fit: sub")
        if began is not None:
            _fresh(claims.get("auth_time"), began, now)
        return dict(claims)

    async def _signed(self, raw: str) -> jwt.Token:
        for again in (False, True):
            keys = await self._known_keys(again)
            try:
                return jwt.decode(raw, keys, algorithms=list(_ALGORITHMS))
            except (JoseError, ValueError, TypeError) as error:
                # The provider may have changed its keys since we read them.
                stale = not again and time.monotonic() - self._keys_at > _AGAIN_S
                if not stale:
                    raise SignInRefused(f"the ID token is not signed by it: {_named(error)}") from None
        raise AssertionError("the second try raises")

    async def _known_keys(self, again: bool) -> KeySet:
        if self._keys is None or again or time.monotonic() - self._keys_at > _FRESH_S:
            found = await self._get(str((await self.about())["jwks_uri"]))
            fitting = [
                key
                for key in found.get("keys", ())
                if isinstance(key, dict) and key.get("kty") in _KEY_KINDS and key.get("use", "sig") == "sig"
            ]
            try:
                self._keys = KeySet.import_key_set({"keys": fitting})
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise SystemDown(f"the provider's keys cannot be read: {type(error).__name__}") from None
            self._keys_at = time.monotonic()
        return self._keys

    async def _get(self, url: str) -> Mapping[str, Any]:
        try:
            async with httpx2.AsyncClient(**self.http()) as client:
                answer = await client.get(url, headers={"accept": "application/json"})
        except httpx2.HTTPError as error:
            raise SystemDown(f"the sign-in does not answer ({type(error).__name__})") from None
        return json_of(answer)


def json_of(answer: httpx2.Response) -> Mapping[str, Any]:
    """:raises SystemDown: it is no answer"""
    try:
        found = answer.json() if answer.status_code == 200 and len(answer.content) < _ANSWER_BYTES else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SystemDown(f"the sign-in answers {answer.status_code}, and nothing that can be read")
    return found


def came_back(answer: Mapping[str, str]) -> None:
    """:raises SignInRefused: the provider sent the browser back without a code"""
    if "error" in answer:
        said = answer["error"]
        raise SignInRefused(f"the provider says {said if _WORD.fullmatch(said) else 'no'}")
    if not answer.get("code"):
        raise SignInRefused("the provider gave no code")


def _fresh(auth_time: object, began: float, now: float) -> None:
    if not isinstance(auth_time, int) or isinstance(auth_time, bool):
        raise SignInRefused("the ID token does not say when the person signed in")
    if not began - LEEWAY_S <= auth_time <= now + LEEWAY_S:
        raise SignInRefused("that was an older sign-in, not a new one")


def _named(error: Exception) -> str:
    """The kind of error and the claim; an error's own words may hold values."""
    claim = getattr(error, "claim", None) or ""
    return f"{getattr(error, 'error', '') or type(error).__name__} {claim}".strip()
