"""Signing in with an OpenID provider: authorization code, PKCE, state and nonce, through Authlib.

Sources: OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE); RFC 9207 (``iss`` in the answer)
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from integrations.contract import SignedIn, SignInBegun, SignInRefused, SystemDown
from integrations.issuer import Issuer, came_back, json_of

_SCOPE = "openid profile email"


class NotConfigured(Exception):
    """A setting has to be mended; names it."""


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)  # empty: a public client
    name: str = "your company account"  # on the button
    person_claim: str = ""  # that holds the person's immutable id in the directory; empty: by confirmed mail
    ca_file: Path | None = None


class OpenId:
    """The port ``SignIn``."""

    def __init__(self, settings: OpenIdSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._issuer = Issuer(settings.issuer, settings.client_id, ca_file=settings.ca_file)

    async def begin(self, redirect: str, state: str, *, hint: str = "", fresh: bool = True) -> SignInBegun:
        about = await self._issuer.about()
        kept: dict[str, Any] = {
            "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48),
            "redirect": redirect,
            "began": time.time() if fresh else None,
        }
        asked: dict[str, Any] = {"prompt": "login", "max_age": 0} if fresh else {}
        if hint:
            asked["login_hint"] = hint
        async with self._client(about, redirect) as client:
            url, _ = client.create_authorization_url(
                about["authorization_endpoint"],
                state=state,
                nonce=kept["nonce"],
                code_verifier=kept["verifier"],
                **asked,
            )
        return SignInBegun(url, kept)

    async def finish(self, kept: Mapping[str, Any], answer: Mapping[str, str]) -> SignedIn:
        came_back(answer)
        about = await self._issuer.about()
        self._from_it(about, answer)
        async with self._client(about, kept["redirect"]) as client:
            tokens = await _exchanged(client, about["token_endpoint"], kept, answer["code"])
            access = str(tokens.get("access_token", ""))
            claims = await self._issuer.checked(
                tokens.get("id_token"), nonce=kept["nonce"], began=kept["began"], access_token=access
            )
            more = await self._asked_for_more(client, about, claims, access)
        said = {**more, **claims}
        wanted = self._settings.person_claim
        if wanted and not (isinstance(said.get(wanted), str) and said[wanted]):
            raise SignInRefused(f"the provider does not say {wanted}, which is to tell who this is")
        # Where the claim tells who it is, an address links nobody.
        mail = said.get("email") if not wanted and said.get("email_verified") is True else ""
        return SignedIn(
            account=claims["sub"],
            person=said[wanted] if wanted else "",
            mail=mail if isinstance(mail, str) else "",
            at=datetime.fromtimestamp(claims.get("auth_time") or claims["iat"], UTC),
        )

    async def check(self) -> str:
        await self._issuer.about()
        return f"{self._settings.issuer} answers, as {self._settings.client_id}"

    def _client(self, about: Mapping[str, Any], redirect: str) -> AsyncOAuth2Client:
        offered = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=self._settings.secret or None,
            token_endpoint_auth_method=method if self._settings.secret else "none",
            scope=_SCOPE,
            redirect_uri=redirect,
            code_challenge_method="S256",
            **self._issuer.http(),
        )

    def _from_it(self, about: Mapping[str, Any], answer: Mapping[str, str]) -> None:
        """Which provider sent the browser back, where it says so."""
        promised = about.get("authorization_response_iss_parameter_supported") is True
        if (promised or "iss" in answer) and answer.get("iss") != about["issuer"]:
            raise SignInRefused("the answer came from another provider")

    async def _asked_for_more(
        self, client: AsyncOAuth2Client, about: Mapping[str, Any], claims: Mapping[str, Any], access: str
    ) -> Mapping[str, Any]:
        """What the provider keeps for its userinfo endpoint, where the ID token does not say who this is."""
        wanted = self._settings.person_claim or "email"
        url = about.get("userinfo_endpoint")
        if wanted in claims or not url or not access:
            return {}
        try:
            answer = await client.request(
                "GET", url, withhold_token=True, headers={"authorization": f"Bearer {access}"}
            )
        except httpx2.HTTPError as error:
            raise SystemDown(f"the sign-in does not answer ({type(error).__name__})") from None
        said = json_of(answer)
        if said.get("sub") != claims["sub"]:
            raise SignInRefused("the provider's userinfo is about somebody else")
        return {name: said[name] for name in ("email", "email_verified", wanted) if name in said}


async def _exchanged(
    client: AsyncOAuth2Client, endpoint: str, kept: Mapping[str, Any], code: str
) -> Mapping[str, Any]:
    try:
        tokens = await client.fetch_token(
            endpoint, grant_type="authorization_code", code=code, code_verifier=kept["verifier"]
        )
    except OAuthError:
        raise SignInRefused("the provider does not take the code") from None
    except httpx2.HTTPStatusError as error:
        raise SystemDown(f"the sign-in answers {error.response.status_code}") from None
    except httpx2.HTTPError as error:
        raise SystemDown(f"the sign-in does not answer ({type(error).__name__})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise SystemDown(f"the sign-in answers nothing that can be read ({type(error).__name__})") from None
    return dict(tokens)
