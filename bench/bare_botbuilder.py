"""What a Teams message is compared with: botbuilder that checks the token, and a handler of nothing."""

from __future__ import annotations

import os

from botbuilder.core import ActivityHandler, BotAdapter, TurnContext
from botbuilder.schema import Activity
from botframework.connector.auth import (
    BotFrameworkAuthenticationFactory,
    PasswordServiceClientCredentialFactory,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_METADATA = os.environ["TEAMS_OPENID_URL"]
_auth = BotFrameworkAuthenticationFactory.create(
    channel_service="https://api.botframework.com",
    validate_authority=True,
    to_channel_from_bot_login_url=os.environ["TEAMS_LOGIN_URL"],
    to_channel_from_bot_oauth_scope="https://api.botframework.com",
    to_bot_from_channel_token_issuer="https://api.botframework.com",
    oauth_url="https://api.botframework.com",
    to_bot_from_channel_open_id_metadata_url=_METADATA,
    to_bot_from_emulator_open_id_metadata_url=_METADATA,
    caller_id="",
    credential_factory=PasswordServiceClientCredentialFactory(os.environ["TEAMS_APP_ID"], "x"),
)


class _Adapter(BotAdapter):  # type: ignore[misc]  # the SDK ships no types
    async def send_activities(self, context: TurnContext, activities: list[Activity]) -> list[object]:
        return []

    async def update_activity(self, context: TurnContext, activity: Activity) -> None: ...

    async def delete_activity(self, context: TurnContext, reference: object) -> None: ...


adapter, handler = _Adapter(), ActivityHandler()


async def messages(request: Request) -> Response:
    activity = Activity().deserialize(await request.json())
    await _auth.authenticate_request(activity, request.headers["authorization"])
    await adapter.run_pipeline(TurnContext(adapter, activity), handler.on_turn)
    return JSONResponse({})


async def ready(request: Request) -> Response:
    return PlainTextResponse("ready")


app = Starlette(routes=[Route("/api/messages", messages, methods=["POST"]), Route("/ready", ready)])
