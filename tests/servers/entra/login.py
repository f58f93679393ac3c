"""Microsoft's log-in: a token for an application that proves who it is, and the sign-in of people."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import jwt
from aiohttp import web
from cryptography.x509 import load_pem_x509_certificate

from tests.servers.openid import Claims, Provider


class Login:
    """Served over https. One app in one tenant, and one service that it may have tokens for."""

    def __init__(
        self,
        app_id: str,
        tenant: str,
        scope: str,
        secret: str,
        *,
        host: Callable[[], str] = lambda: "",
        people: Mapping[str, Claims] | None = None,
    ) -> None:
        """:param host: ours, once we listen; for people who sign in
        :param people: log-in name -> claims of their own"""
        self.roles: list[str] | None = None  # permissions that a token lists; None: it is no JWT
        self.token_s = 3600.0  # how long a token is good for
        self.logins: list[str] = []  # "secret", "certificate", or what was wrong
        self.certificate = ""  # the app's, PEM
        self._app_id, self._tenant, self._scope, self._secret = app_id, tenant, scope, secret
        self._tokens: dict[str, float] = {}
        self._base = lambda: f"{host()}/{tenant}"
        self.idp = Provider(lambda: f"{self._base()}/v2.0", people or {}, client_id=app_id, secret=secret)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._metadata),
            web.post("/{tenant}/oauth2/v2.0/token", self._login),
            web.get("/{tenant}/oauth2/v2.0/authorize", self._authorize),
            web.post("/{tenant}/oauth2/v2.0/authorize", self._log_in),
            web.get("/{tenant}/discovery/v2.0/keys", self._keys),
        ]

    def revoke(self) -> None:
        """Every token so far is refused from now on."""
        self._tokens.clear()

    def knows(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and time.monotonic() <= self._tokens.get(token, 0.0)

    async def _metadata(self, request: web.Request) -> web.Response:
        base = f"https://{request.host}/{request.match_info['tenant']}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
            },
            status=503 if self.idp.down else 200,
        )

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response(self.idp.keys())

    async def _authorize(self, request: web.Request) -> web.Response:
        return self.idp.begin(dict(request.query), request.cookies.get("idp", ""))

    async def _log_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        return self.idp.log_in({name: str(value) for name, value in form.items()})

    async def _login(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        wrong = self._not_us(request.match_info["tenant"], form)
        if wrong:
            self.logins.append(wrong)
            said = {"error": wrong, "error_description": f"AADSTS7000215: {form.get('client_secret')}"}
            return web.json_response(said, status=401)
        self.logins.append("certificate" if "client_assertion" in form else "secret")
        if form["grant_type"] == "authorization_code":
            status, given = self.idp.exchange(form)
            return web.json_response(given, status=503 if self.idp.down else status)
        token = self._made()
        self._tokens[token] = time.monotonic() + self.token_s
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _made(self) -> str:
        if self.roles is None:
            return secrets.token_urlsafe(40)
        claims = {"roles": self.roles, "jti": secrets.token_hex(8)}
        return jwt.encode(claims, "a key that nobody has to know of", algorithm="HS256")

    def _not_us(self, tenant: str, form: Mapping[str, str]) -> str:
        if tenant != self._tenant:
            return "invalid_request"
        kind = form.get("grant_type")
        if form.get("client_id") != self._app_id or kind not in ("client_credentials", "authorization_code"):
            return "unauthorized_client"
        if kind == "client_credentials" and form.get("scope") != self._scope:
            return "invalid_scope"
        if assertion := form.get("client_assertion"):
            return self._not_signed(assertion)
        return "" if form.get("client_secret") == self._secret else "invalid_client"

    def _not_signed(self, assertion: str) -> str:
        key: Any = load_pem_x509_certificate(self.certificate.encode()).public_key()
        try:
            jwt.decode(assertion, key, algorithms=["RS256", "PS256"], options={"verify_aud": False})
        except jwt.PyJWTError:
            return "invalid_client"
        return ""
