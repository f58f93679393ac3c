"""A token for one of Microsoft's services, as an application: by certificate, or by secret.

msal blocks. Its messages can hold what it was told, so they are not passed on; and its ``verify`` counts for
nothing where the environment names other certificates, so it gets an HTTP client of ours.
"""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import msal
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from integrations.contract import PermissionRefused, SystemDown
from integrations.tls import trust

_EARLY_S = 300.0  # a new one is fetched this long before the old one ends
_AGAIN_S = 5.0  # after a refusal
_TIMEOUT_S = 10.0
_PASSING = frozenset({"temporarily_unavailable", "server_error", "no answer"})
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)


class LoginDown(SystemDown):
    """Microsoft's log-in does not answer."""


class LoginRefused(PermissionRefused):
    """Microsoft does not take who we say we are: an admin has to mend it."""


class Http:
    """The HTTP client that msal asks for: its ``get`` and ``post``, by httpx2, with form values as text."""

    def __init__(self, ca_file: Path | None) -> None:
        self._client = httpx2.Client(timeout=_TIMEOUT_S, verify=trust(ca_file))

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx2.Response:
        return self._client.get(url, params=params, headers=headers)

    def post(
        self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any
    ) -> httpx2.Response:
        form = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in (data or {}).items()
        }
        return self._client.post(url, params=params, data=form, headers=headers)

    def close(self) -> None:
        self._client.close()


class Tokens:
    """Use it from any thread."""

    def __init__(
        self,
        app_id: str,
        tenant: str,
        scope: str,
        *,
        login_url: str,
        secret: str,
        certificate: Path | None,
        ca_file: Path | None = None,
    ) -> None:
        """:param tenant: the app's home: a single-tenant registration logs in there"""
        self._app_id = app_id
        self._authority = f"{login_url.rstrip('/')}/{tenant}"
        self._scope = scope
        self._secret, self._certificate = secret, certificate
        self._ca_file = ca_file
        self._http: Http | None = None
        self._app: msal.ConfidentialClientApplication | None = None
        self._token, self._until = "", float("-inf")
        self._refusal, self._refused_at = "", float("-inf")
        self._turn = threading.Lock()

    def held(self) -> str:
        """The token, where there is a good one already; else empty."""
        return self._token if time.monotonic() <= self._until - _EARLY_S else ""

    def get(self) -> str:
        """:raises LoginDown:, :raises LoginRefused:"""
        with self._turn:
            if time.monotonic() > self._until - _EARLY_S:
                if time.monotonic() - self._refused_at < _AGAIN_S:
                    raise LoginRefused(self._refusal)
                try:
                    answer = self._ask()
                except LoginRefused as error:
                    self._refusal, self._refused_at = str(error), time.monotonic()
                    raise
                self._token = str(answer["access_token"])
                self._until = time.monotonic() + max(float(answer.get("expires_in", 0)), _EARLY_S + 30)
            return self._token

    def forget(self, token: str) -> None:
        """It was refused: the next call asks for another."""
        with self._turn:
            if token == self._token:
                self._until = float("-inf")
                self._app = None  # msal remembers tokens too

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = self._app = None

    def _ask(self) -> dict[str, Any]:
        try:
            if self._http is None:
                self._http = Http(self._ca_file)
            if self._app is None:
                self._app = msal.ConfidentialClientApplication(
                    self._app_id,
                    client_credential=credential(self._secret, self._certificate),
                    authority=self._authority,
                    instance_discovery=False,
                    http_client=self._http,
                )
            answer = self._app.acquire_token_for_client([self._scope])
        except (httpx2.HTTPError, OSError, ValueError) as error:  # ValueError: metadata that is none
            raise LoginDown(f"Microsoft's login does not answer ({type(error).__name__})") from error
        if answer and "access_token" in answer:
            return dict(answer)
        code = str((answer or {}).get("error", "no answer"))[:80]
        if code in _PASSING:
            raise LoginDown(f"Microsoft's login says {code}")
        raise LoginRefused(f"Microsoft's login answers {code!r} to app id, tenant, and certificate or secret")


def credential(secret: str, certificate: Path | None) -> str | dict[str, str]:
    """As msal takes it. :raises LoginRefused: the file holds no key and certificate"""
    if certificate is None:
        return secret
    try:
        parts = {found[1]: found[0] for found in _PEM.finditer(certificate.read_text())}
    except (OSError, ValueError) as error:
        raise LoginRefused(f"{certificate.name} cannot be read") from error
    key = next((pem for kind, pem in parts.items() if kind.endswith("PRIVATE KEY")), "")
    if "CERTIFICATE" not in parts or not _rsa(key):
        raise LoginRefused(
            f"{certificate.name} is no PEM file with an RSA key, not encrypted, and its certificate"
        )
    return {"private_key": key, "public_certificate": parts["CERTIFICATE"]}


def _rsa(pem: str) -> bool:
    """The one kind that msal signs with."""
    try:
        return isinstance(load_pem_private_key(pem.encode(), None), RSAPrivateKey)
    except (TypeError, ValueError):
        return False
