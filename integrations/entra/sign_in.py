"""Signing in with Microsoft, through msal. It looks at nothing of the ID token; ``integrations.issuer`` does.

Sources: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow,
.../id-token-claims-reference
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx2
import msal
from msal.exceptions import MsalServiceError

from integrations.contract import SignedIn, SignInBegun, SignInRefused, SystemDown
from integrations.entra.client import EntraSettings
from integrations.entra.token import Http, credential
from integrations.issuer import Issuer, came_back

# Of what msal keeps between leaving and coming back, all that is not secret or ours to say anew.
_FLOW = ("state", "redirect_uri", "scope", "code_verifier", "nonce", "claims_challenge")


class EntraSignIn:
    """The port ``SignIn``."""

    name = "Microsoft"

    def __init__(self, settings: EntraSettings, person_of: Callable[[str], Awaitable[str]]) -> None:
        """:param person_of: object id -> id in the directory of record, :raises ConnectorError:"""
        # A form posted from Microsoft's page would come without our cookie (SameSite), which binds the answer
        # to the browser that asked; msal would rather have that.
        warnings.filterwarnings("ignore", message="response_mode=", category=UserWarning, module="msal")
        self._settings = settings
        self._person_of = person_of
        self._authority = f"{settings.login_url.rstrip('/')}/{settings.tenant}"
        self._first: msal.ConfidentialClientApplication | None = None
        self._http: Http | None = None  # of that one
        self._turn = threading.Lock()
        self._issuer = Issuer(f"{self._authority}/v2.0", settings.app_id, ca_file=settings.ca_file)

    async def begin(self, redirect: str, state: str, *, hint: str = "", fresh: bool = True) -> SignInBegun:
        asked: dict[str, Any] = {"prompt": "login", "max_age": 0} if fresh else {}

        def work(app: msal.ConfidentialClientApplication) -> Mapping[str, Any]:
            flow: Mapping[str, Any] = app.initiate_auth_code_flow(
                [], redirect_uri=redirect, state=state, login_hint=hint or None, **asked
            )
            return flow

        flow = await self._with_app(work)
        kept = {name: flow[name] for name in _FLOW if name in flow}
        return SignInBegun(flow["auth_uri"], {"flow": kept, "began": time.time() if fresh else None})

    async def finish(self, kept: Mapping[str, Any], answer: Mapping[str, str]) -> SignedIn:
        came_back(answer)
        flow = dict(kept["flow"])

        def work(app: msal.ConfidentialClientApplication) -> Mapping[str, Any]:
            try:
                given: Mapping[str, Any] = app.acquire_token_by_auth_code_flow(flow, dict(answer))
            except (ValueError, RuntimeError, LookupError, TypeError) as error:  # its words may hold claims
                raise SignInRefused(f"Microsoft's answer does not fit ({type(error).__name__})") from None
            return given

        given = await self._with_app(work, own=True)
        if "id_token" not in given:
            raise SignInRefused("Microsoft does not take the code")
        claims = await self._issuer.checked(
            given["id_token"],
            nonce=hashlib.sha256(flow["nonce"].encode("ascii")).hexdigest(),  # what msal sent of it
            began=kept["began"],
        )
        if claims.get("tid") != self._settings.tenant or not isinstance(claims.get("oid"), str):
            raise SignInRefused("this account is not of the company's tenant")
        return SignedIn(
            account=claims["oid"],
            person=await self._person_of(claims["oid"]),
            at=datetime.fromtimestamp(claims.get("auth_time") or claims["iat"], UTC),
        )

    async def check(self) -> str:
        await self._issuer.about()
        return (
            f"Microsoft answers for {self._settings.tenant}; its ID tokens need the optional claim auth_time"
        )

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = self._first = None

    async def _with_app(
        self, work: Callable[[msal.ConfidentialClientApplication], Mapping[str, Any]], *, own: bool = False
    ) -> Mapping[str, Any]:
        """:param own: with a client for this once, for msal keeps the tokens of people; making one asks
            Microsoft, so beginning, which anybody can, is done with one for all
        :raises SystemDown:"""

        def run() -> Mapping[str, Any]:
            try:
                if not own:
                    with self._turn:
                        if self._http is None:
                            self._http = Http(self._settings.ca_file)
                        self._first = self._first or self._client(self._http)
                        return work(self._first)
                http = Http(self._settings.ca_file)
                try:
                    return work(self._client(http))
                finally:
                    http.close()
            except SignInRefused:
                raise
            # ValueError: metadata that is none
            except (httpx2.HTTPError, MsalServiceError, OSError, ValueError) as error:
                raise SystemDown(f"Microsoft's sign-in does not answer ({type(error).__name__})") from None

        return await asyncio.to_thread(run)

    def _client(self, http: Http) -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            self._settings.app_id,
            client_credential=credential(self._settings.secret, self._settings.certificate),
            authority=self._authority,
            instance_discovery=False,
            http_client=http,
            exclude_scopes=["offline_access"],
        )
