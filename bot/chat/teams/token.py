"""Deskhand's own token for Microsoft's services: by certificate where there is one, else by secret.

msal blocks, so it works in a thread. Its messages can hold what it was told, so they are not passed on.
"""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import msal
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.chat.platform import PlatformDown

SCOPE = "https://api.botframework.com/.default"
_EARLY_S = 300.0  # a new one is fetched this long before the old one ends
_AGAIN_S = 5.0  # after a refusal
_TIMEOUT_S = 10
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)

log = structlog.get_logger()


class TokenRefused(PlatformDown):
    """Microsoft does not take who we say we are: an admin has to mend it."""


class Tokens:
    def __init__(self, app_id: str, tenant: str, login_url: str, *, secret: str, certificate: Path | None):
        """:param tenant: the app's home: a single-tenant registration logs in there"""
        self._app_id = app_id
        self._authority = f"{login_url.rstrip('/')}/{tenant}"
        self._secret = secret
        self._certificate = certificate
        self._app: msal.ConfidentialClientApplication | None = None
        self._token, self._until = "", float("-inf")
        self._refusal, self._refused_at = "", float("-inf")
        self._turn = asyncio.Lock()

    async def get(self) -> str:
        """:raises PlatformDown:, :raises TokenRefused:"""
        async with self._turn:
            if time.monotonic() > self._until - _EARLY_S:
                if time.monotonic() - self._refused_at < _AGAIN_S:
                    raise TokenRefused(self._refusal)
                try:
                    answer = await asyncio.to_thread(self._ask)
                except TokenRefused as error:
                    self._refusal, self._refused_at = str(error), time.monotonic()
                    raise
                self._token = str(answer["access_token"])
                self._until = time.monotonic() + max(float(answer.get("expires_in", 0)), _EARLY_S + 30)
            return self._token

    def forget(self, token: str) -> None:
        """It was refused: the next call asks for another."""
        if token == self._token:
            self._until = float("-inf")
            self.close()  # msal remembers tokens too

    def close(self) -> None:
        """msal keeps its connection open."""
        if self._app is not None:
            self._app.http_client.close()
        self._app = None

    def _ask(self) -> dict[str, Any]:
        try:
            if self._app is None:
                self._app = msal.ConfidentialClientApplication(
                    self._app_id,
                    client_credential=self._credential(),
                    authority=self._authority,
                    instance_discovery=False,
                    timeout=_TIMEOUT_S,
                )
            answer = self._app.acquire_token_for_client([SCOPE])
        except (OSError, ValueError) as error:  # requests' errors are OSErrors; metadata that is none
            log.warning("teams.login_down", error=type(error).__name__)
            raise PlatformDown("Microsoft's login does not answer") from error
        if answer and "access_token" in answer:
            return dict(answer)
        code = str((answer or {}).get("error", "no answer"))[:80]
        if code in ("temporarily_unavailable", "server_error", "no answer"):
            raise PlatformDown(f"Microsoft's login says {code}")
        raise TokenRefused(
            f"TEAMS_APP_ID, TEAMS_TENANT_ID and TEAMS_APP_SECRET or TEAMS_CERTIFICATE_FILE:"
            f" Microsoft's login answers {code!r} to them"
        )

    def _credential(self) -> str | dict[str, str]:
        """:raises TokenRefused: the file holds no key and certificate"""
        if self._certificate is None:
            return self._secret
        try:
            parts = {found[1]: found[0] for found in _PEM.finditer(self._certificate.read_text())}
        except (OSError, ValueError) as error:
            raise TokenRefused(f"TEAMS_CERTIFICATE_FILE: {self._certificate.name} cannot be read") from error
        key = next((pem for kind, pem in parts.items() if kind.endswith("PRIVATE KEY")), "")
        if "CERTIFICATE" not in parts or not _rsa(key):
            raise TokenRefused(
                "TEAMS_CERTIFICATE_FILE: takes a PEM file with an RSA key, not encrypted, and its certificate"
            )
        return {"private_key": key, "public_certificate": parts["CERTIFICATE"]}


def _rsa(pem: str) -> bool:
    """The one kind that msal signs with."""
    try:
        return isinstance(load_pem_private_key(pem.encode(), None), RSAPrivateKey)
    except (TypeError, ValueError):
        return False
