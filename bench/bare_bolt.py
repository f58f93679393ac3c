"""What a Slack event is compared with: Bolt that verifies the signature, and a listener that does nothing."""

from __future__ import annotations

import os

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
bolt = AsyncApp(client=_client, signing_secret=os.environ["SLACK_SIGNING_SECRET"])
handler = AsyncSlackRequestHandler(bolt)


@bolt.event("message")
async def message() -> None:
    return None


async def events(request: Request) -> Response:
    return await handler.handle(request)


async def ready(request: Request) -> Response:
    return PlainTextResponse("ready")


app = Starlette(routes=[Route("/slack/events", events, methods=["POST"]), Route("/ready", ready)])
