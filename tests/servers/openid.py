"""An OpenID provider over https: a log-in page for a browser, codes that are good once, tokens with what a
test wants wrong in them.

It refuses what a strict provider refuses: an address that is not registered, no PKCE, no nonce, a code that
was used, comes with another verifier, or is a minute old.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import secrets
import ssl
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.servers.certificates import Certificates
from tests.servers.company_ldif import PEOPLE
from tests.servers.thread import InThread

CLIENT_ID, CLIENT_SECRET = "deskhand", "s3cr3t~of-the-openid-client"
PASSWORD = "Correct-Horse-1"  # of everybody

Claims = dict[str, Any]
_CODE_S = 60.0


@cache
def _first_key() -> rsa.RSAPrivateKey:
    """Made once a test process: it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Code:
    login: str
    asked: dict[str, str]
    auth_time: float
    made: float = field(default_factory=time.monotonic)
    used: bool = False


class Provider:
    """The pages and endpoints of one provider, for any server to serve."""

    def __init__(
        self, base: Callable[[], str], accounts: Mapping[str, Claims], *, client_id: str, secret: str
    ) -> None:
        """:param base: issuer's address, known once the server listens
        :param accounts: who can sign in: log-in name -> claims of their own"""
        self.base = base
        self.accounts = {name: dict(each) for name, each in accounts.items()}
        self.client_id, self.secret = client_id, secret
        self.redirects: set[str] = set()  # registered addresses to come back to
        self.key = _first_key()
        self.kid = secrets.token_hex(4)
        self.wrong: dict[str, Any] = {}  # claims of the next tokens; None takes the claim out
        self.forged: Callable[[Claims], str] | None = None  # makes the token instead of us
        self.ignores_prompt = False  # whoever has signed in before is sent on, whatever was asked
        self.in_userinfo_only = False  # mail stands in no token
        self.down = False
        self.asked: list[dict[str, str]] = []  # of each browser that came
        self.userinfo_sub = ""
        self._codes: dict[str, Code] = {}
        self._sessions: dict[str, tuple[str, float]] = {}  # cookie -> log-in name, when
        self._access: dict[str, str] = {}

    def metadata(self) -> dict[str, Any]:
        base = self.base()
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "userinfo_endpoint": f"{base}/userinfo",
            "jwks_uri": f"{base}/keys",
            "response_types_supported": ["code"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def new_key(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = secrets.token_hex(4)

    def keys(self) -> dict[str, Any]:
        public = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.kid, "use": "sig", "alg": "RS256"}]}

    def code_for(self, login: str, url: str, *, auth_time: float | None = None) -> dict[str, str]:
        """What the browser of somebody who signs in brings back, without a browser."""
        asked = {name: values[0] for name, values in parse_qs(url.partition("?")[2]).items()}
        if refused := self.refuse(asked):
            raise AssertionError(refused)
        return self._answer(login, asked, auth_time or time.time())

    def refuse(self, asked: Mapping[str, str]) -> str:
        if asked.get("client_id") != self.client_id or asked.get("redirect_uri") not in self.redirects:
            return "unknown client, or an address that is not registered"
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            return "only the code flow, with openid"
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return "PKCE is needed"
        return "" if asked.get("nonce") and asked.get("state") else "nonce and state are needed"

    def begin(self, asked: dict[str, str], cookie: str) -> web.Response:
        """The browser arrives."""
        self.asked.append(asked)
        if refused := self.refuse(asked):
            return web.Response(text=refused, status=400)
        known = self._sessions.get(cookie)
        if known and (asked.get("prompt") != "login" or self.ignores_prompt):
            raise web.HTTPFound(self._back(asked, self._answer(known[0], asked, known[1])))
        hint = html.escape(asked.get("login_hint", ""))
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        page = (
            '<!doctype html><meta name="color-scheme" content="light"><title>Sign-in</title>'
            "<style>body{font:16px system-ui;display:grid;place-items:center;min-height:100vh;margin:0;"
            "background:#eef1f6}form{background:#fff;padding:2rem;border-radius:12px;width:20rem}"
            "h1{font-size:1.2rem;margin:0 0 1rem}label{display:block;margin:.6rem 0 .2rem}"
            "input{width:100%;box-sizing:border-box;padding:.5rem;font:inherit}"
            "button{margin-top:1rem;padding:.6rem 1rem;font:inherit;width:100%}</style>"
            f'<form method="post"><h1>Alder &amp; Finch sign-in</h1>{fields}'
            f'<label for="name">Log-in name</label><input id="name" name="login" value="{hint}">'
            '<label for="pw">Password</label><input id="pw" name="password" type="password">'
            '<button id="go">Sign in</button> <button name="refuse" value="yes">Cancel</button></form>'
        )
        return web.Response(text=page, content_type="text/html")

    def log_in(self, form: dict[str, str]) -> web.Response:
        asked = {k: v for k, v in form.items() if k not in ("login", "password", "refuse")}
        if refused := self.refuse(asked):
            return web.Response(text=refused, status=400)
        if form.get("refuse"):
            raise web.HTTPFound(self._back(asked, {"error": "access_denied", "state": asked["state"]}))
        name = form.get("login", "")
        if name not in self.accounts or form.get("password") != PASSWORD:
            return web.Response(text="That is not right.", status=403)
        cookie, now = secrets.token_hex(16), time.time()
        self._sessions[cookie] = (name, now)
        response = web.Response(
            status=302, headers={"location": self._back(asked, self._answer(name, asked, now))}
        )
        response.set_cookie("idp", cookie, httponly=True, secure=True, samesite="None")
        return response

    def exchange(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """A code for tokens, for who proved to be the client."""
        code = self._codes.get(form.get("code", ""))
        if code is None or code.used or time.monotonic() - code.made > _CODE_S:
            return 400, {"error": "invalid_grant", "error_description": "the code was used or is too old"}
        code.used = True
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(verifier).decode().rstrip("=") != code.asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "another verifier"}
        if form.get("redirect_uri") != code.asked["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "another address"}
        access = secrets.token_urlsafe(24)
        self._access[access] = code.login
        return 200, {
            "token_type": "Bearer",
            "expires_in": 300,
            "access_token": access,
            "id_token": self.id_token(code),
        }

    def id_token(self, code: Code) -> str:
        now = int(time.time())
        claims: Claims = {
            "iss": self.base(),
            "aud": self.client_id,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "nonce": code.asked["nonce"],
            "auth_time": int(code.auth_time),
            **self.accounts[code.login],
        }
        if self.in_userinfo_only:
            claims = {k: v for k, v in claims.items() if k not in ("email", "email_verified")}
        for name, value in self.wrong.items():
            claims[name] = value
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.forged:
            return self.forged(claims)
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid})

    def userinfo(self, authorization: str) -> dict[str, Any] | None:
        login = self._access.get(authorization.removeprefix("Bearer "))
        if login is None:
            return None
        return {**self.accounts[login], **({"sub": self.userinfo_sub} if self.userinfo_sub else {})}

    def _answer(self, login: str, asked: dict[str, str], auth_time: float) -> dict[str, str]:
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(login, dict(asked), auth_time)
        return {"code": code, "state": asked["state"]}

    def _back(self, asked: Mapping[str, str], answer: Mapping[str, str]) -> str:
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def is_client(self, form: Mapping[str, str], authorization: str) -> bool:
        given = f"{form.get('client_id')}:{form.get('client_secret')}"
        if authorization.startswith("Basic "):
            given = base64.b64decode(authorization[6:]).decode()
        return given == f"{self.client_id}:{self.secret}"


def company_accounts() -> dict[str, Claims]:
    """The people of the embedded company, by log-in name."""
    return {
        each.account: {
            "sub": f"op|{each.account}",
            "email": each.mail,
            "email_verified": True,
            "name": each.name,
        }
        for each in PEOPLE.values()
    }


class FakeOpenId(InThread):
    """``with FakeOpenId.running() as provider``: ``provider.idp`` is what it does."""

    def __init__(self, accounts: Mapping[str, Claims] | None = None) -> None:
        super().__init__()
        self.port = 0
        self._folder = tempfile.TemporaryDirectory()
        self.certificates = Certificates.make(Path(self._folder.name))
        self.idp = Provider(
            lambda: self.issuer, accounts or company_accounts(), client_id=CLIENT_ID, secret=CLIENT_SECRET
        )

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self.port}/company"

    async def _open(self) -> None:
        app = web.Application()
        routes = {
            "/company/.well-known/openid-configuration": self._metadata,
            "/company/keys": self._keys,
            "/company/authorize": self._authorize,
            "/company/userinfo": self._userinfo,
        }
        for path, handler in routes.items():
            app.router.add_get(path, handler)
        app.router.add_post("/company/authorize", self._log_in)
        app.router.add_post("/company/token", self._token)
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(self.certificates.cert_file, self.certificates.key_file)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=trust)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _close(self) -> None:
        await self._runner.cleanup()
        await asyncio.sleep(0.05)  # TLS says goodbye in further rounds of the loop
        self._folder.cleanup()

    async def _metadata(self, request: web.Request) -> web.Response:
        return web.json_response(self.idp.metadata(), status=503 if self.idp.down else 200)

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response(self.idp.keys())

    async def _authorize(self, request: web.Request) -> web.Response:
        return self.idp.begin(dict(request.query), request.cookies.get("idp", ""))

    async def _log_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        return self.idp.log_in({name: str(value) for name, value in form.items()})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        if not self.idp.is_client(form, request.headers.get("authorization", "")):
            return web.json_response({"error": "invalid_client"}, status=401)
        status, said = self.idp.exchange(form)
        return web.json_response(said, status=503 if self.idp.down else status)

    async def _userinfo(self, request: web.Request) -> web.Response:
        said = self.idp.userinfo(request.headers.get("authorization", ""))
        return web.json_response(said or {}, status=200 if said else 401)
