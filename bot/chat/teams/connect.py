"""Teams, put together: Microsoft posts to ``/api/messages``, and Deskhand calls back where it was told to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.chat.envelope import BadEnvelope, json_object, raw_body
from bot.chat.places import Place, Places
from bot.chat.platform import ChatWrong, PlatformDown, Receive
from bot.chat.teams import gate
from bot.chat.teams.api import Api
from bot.chat.teams.check import Line, check, prove
from bot.chat.teams.gate import SERVICES, Home, Incoming, service
from bot.chat.teams.keys import Keys, KeysDown
from bot.chat.teams.listen import Listener
from bot.chat.teams.package import PATH
from bot.chat.teams.send import TeamsPlatform
from bot.chat.teams.token import SCOPE, TokenRefused, Tokens
from bot.settings import Settings
from integrations.entra.token import Tokens as AppTokens

_SOON = {"retry-after": "5"}

log = structlog.get_logger()


class Teams:
    """One bot registration, and whom it serves."""

    def __init__(self, settings: Settings) -> None:
        self._home = Home(
            settings.teams_app_id.lower(),
            settings.teams_tenants,
            SERVICES | {service(settings.teams_service_url)},
            settings.directory_tenant,
        )
        tokens = None
        if settings.teams_app_id:
            tokens = Tokens(
                AppTokens(
                    settings.teams_app_id,
                    settings.teams_tenant_id,
                    SCOPE,
                    login_url=settings.teams_login_url,
                    secret=settings.teams_app_secret,
                    certificate=settings.teams_certificate_file,
                )
            )
        approvals, help_desk = (
            Place(channel, "", "", settings.teams_service_url, settings.teams_tenant_id, False)
            if channel
            else None
            for channel in (settings.teams_approvals, settings.teams_help_desk)
        )
        self.platform = TeamsPlatform(Api(tokens), self._home, approvals, help_desk)
        self._keys = Keys(settings.teams_openid_url)
        self._settings = settings
        self._ready: Callable[[], bool] = lambda: False
        self._listener: Listener | None = None

    def attach(self, receive: Receive, ready: Callable[[], bool], places: Places) -> None:
        """:param ready: whether the desk can store what comes in"""
        self.platform.members.places = places
        self._ready = ready
        self._listener = Listener(self.platform, receive)

    def routes(self) -> list[BaseRoute]:
        return [Route(PATH, self._post, methods=["POST"])]

    async def check(self) -> list[Line]:
        """For ``deskhand doctor``, beside a running desk."""
        await self.platform.api.open()
        try:
            return await check(self.platform, self._keys, self._settings)
        finally:
            await self.platform.api.close()

    async def prove(self, find: Callable[[], Awaitable[str | None]], key: str) -> Line:
        """That a direct message is taken. ``find`` says at which account."""
        await self.platform.api.open()
        try:
            account = await find()
            if account is None:
                return "teams message", False, "they have no account in Teams that could be linked"
            return await prove(self.platform, account, key)
        except PlatformDown as error:
            return "teams message", False, str(error)
        finally:
            await self.platform.api.close()

    async def start(self) -> None:
        """:raises ChatWrong: Microsoft does not take who we say we are"""
        await self.platform.api.open()
        if not self._home.app_id:
            log.warning(
                "teams.playground", reason="no TEAMS_APP_ID: whoever is on this machine can be anybody"
            )
        try:
            await self.platform.api.token()
        except TokenRefused as error:
            await self.platform.api.close()
            raise ChatWrong(str(error)) from error
        except PlatformDown as error:
            log.warning("teams.not_connected", reason=str(error))  # each call tries anew

    async def listen(self) -> None:
        """Messages come in by the route, which is served already."""

    async def stop(self) -> None:
        """The route answers 503 from now on."""

    async def close(self) -> None:
        """After the desk has said its last word."""
        if self._listener is not None:
            await self._listener.finish()
        await self.platform.api.close()

    async def _post(self, request: Request) -> Response:
        try:
            said = await self._let_in(request)
        except BadEnvelope as error:
            log.warning("teams.refused", reason=str(error), status=error.status)
            return PlainTextResponse("", error.status)
        except KeysDown:
            return PlainTextResponse("", 503, _SOON)
        except ClientDisconnect:
            return PlainTextResponse("", 400)
        if reason := gate.unwanted(said, self._home):
            log.info("teams.dropped", reason=reason)
            return JSONResponse({})
        if self._listener is None or not self._ready():
            return PlainTextResponse("", 503, _SOON)
        return await self._answer(self._listener, said)

    async def _let_in(self, request: Request) -> Incoming:
        """:raises BadEnvelope:, :raises KeysDown:, :raises ClientDisconnect:"""
        playground = not self._home.app_id
        voucher = None
        if not playground:
            headers = request.headers.getlist("authorization")
            voucher = await gate.verify(headers, self._keys, self._home.app_id)
        raw = await raw_body(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise BadEnvelope(415, "not JSON")
        said = gate.read(json_object(raw))
        if voucher is None:
            gate.admit_playground(said, request.headers.get("host", ""))
        else:
            gate.admit(said, voucher, self._home)
        return said

    async def _answer(self, listener: Listener, said: Incoming) -> Response:
        try:
            status, body = await listener.take(said)
        except Exception:  # whatever breaks behind the seam is ours to look at, and Teams must not see a 500
            log.exception("teams.not_taken", kind=said.type)
            return PlainTextResponse("", 503, _SOON)
        return JSONResponse(dict(body), status)
