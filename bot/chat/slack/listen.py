"""Slack's payloads: each becomes an inbound, goes through ``receive``, and its Ack becomes Slack's answer.

One catch-all a kind, since Bolt looks through its listeners one by one. Nothing is acknowledged before it
is stored. Slack delivers an event again that was not acknowledged, but no click, form or command: where
one of those could not be stored, the person is told.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.platform import PlatformDown, Receive, Unreachable
from bot.chat.slack.forms import fields, form
from bot.chat.slack.gate import Home
from bot.chat.slack.send import SlackPlatform
from bot.chat.slack.words import words

PRESS_WITHIN_S = 2.0  # a form has to be opened within three seconds of the press
NOT_TAKEN = "I could not take this just now, and nothing was done. Please try again in a minute."

_ANY = re.compile(".*")

log = structlog.get_logger()

Body = Mapping[str, Any]


class Listener:
    """The Bolt app, and what it hands on."""

    def __init__(self, platform: SlackPlatform, receive: Receive, home: Home, secret: str) -> None:
        """:param platform: open, since Bolt takes over its client
        :param secret: the signing secret; empty with Socket Mode, which is not signed"""
        self._platform = platform
        self._receive = receive
        self._home = home
        self._tasks: set[asyncio.Task[None]] = set()
        quiet = logging.getLogger("deskhand.slack.bolt")
        quiet.setLevel(logging.ERROR)  # its warnings are about how it is put together, or name what came in
        self.app = AsyncApp(
            logger=quiet,
            client=platform.api.client,
            signing_secret=secret or None,
            request_verification_enabled=bool(secret),
            process_before_response=True,  # an event is acknowledged after it is stored, not before
            ssl_check_enabled=False,
        )
        self.app.event(_ANY)(self._event)
        self.app.action(_ANY)(self._action)
        self.app.view(_ANY)(self._view)
        self.app.command(_ANY)(self._command)

    async def finish(self) -> None:
        """Let what goes on beside end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _event(self, body: dict[str, Any]) -> BoltResponse:
        event = body["event"]
        if event["type"] == "user_change":
            user = event.get("user")
            self._platform.members.forget(str(user.get("id")) if isinstance(user, dict) else "")
            return BoltResponse(status=200)
        inbound = self._opened(body, event) if event["type"] == "app_home_opened" else self._said(body, event)
        return BoltResponse(status=200 if await self._stored(inbound, 0) else 503)

    async def _command(self, body: dict[str, Any]) -> BoltResponse:
        inbound = self._inbound(
            f"command:{body['trigger_id']}",
            InboundKind.COMMAND,
            str(body["user_id"]),
            str(body["channel_id"]),
            direct=False,
            text=words(str(body.get("text") or "")),
            reply_url=str(body.get("response_url") or ""),
        )
        if await self._stored(inbound, 0):
            return BoltResponse(status=200)
        return _json({"response_type": "ephemeral", "text": NOT_TAKEN})

    async def _action(self, body: dict[str, Any]) -> BoltResponse:
        pressed = body["actions"][0]
        if not pressed.get("value"):  # a link, or an input that is being filled in
            return BoltResponse(status=200)
        inbound = self._pressed(body, str(pressed["value"]))
        ack = await self._stored(inbound, PRESS_WITHIN_S)
        if ack is None:
            self._beside(self._platform.late(inbound, Ack(notice=NOT_TAKEN)))
        elif ack.errors and ack.form:
            await self._ask(body, inbound, ack)
        elif ack.notice or ack.errors:
            self._beside(self._platform.late(inbound, ack))
        return BoltResponse(status=200)

    async def _view(self, body: dict[str, Any]) -> BoltResponse:
        view = body["view"]
        kept = json.loads(view["private_metadata"])
        inbound = self._inbound(
            f"view:{body['trigger_id']}",
            InboundKind.PRESS,
            str(body["user"]["id"]),
            kept["conversation"],
            direct=kept["direct"],
            handle=kept["handle"],
            fields=fields(view["state"]["values"]),
            message_id=kept["message"],
            overview=kept["overview"],
        )
        ack = await self._stored(inbound, PRESS_WITHIN_S) or Ack(errors={"": NOT_TAKEN})
        if ack.errors:
            return _json({"response_action": "errors", "errors": _placed(ack.errors, view)})
        if ack.notice:
            self._beside(self._platform.late(inbound, ack))
        return BoltResponse(status=200)

    async def _stored(self, inbound: Inbound, within: float) -> Ack | None:
        """What the desk says, or None where it could not take it."""
        try:
            return await self._receive(inbound, within)
        except Exception:  # whatever breaks behind the seam, the person gets words, and the log the trace
            log.exception("slack.not_taken", inbound=inbound.id, kind=inbound.kind.value)
            return None

    async def _ask(self, body: Body, inbound: Inbound, ack: Ack) -> None:
        """Open the form that the press needs filled in, before the trigger expires."""
        assert ack.form is not None, "asked only where there is a form"
        kept = {
            "handle": inbound.handle,
            "conversation": inbound.conversation,
            "direct": inbound.direct,
            "message": inbound.message_id,
            "overview": inbound.overview,
        }
        view = form(ack.form, inbound.handle, private=json.dumps(kept), values=inbound.fields)
        try:
            await self._platform.open_form(str(body["trigger_id"]), view)
        except (PlatformDown, Unreachable) as error:
            log.warning("slack.form_lost", reason=str(error))
            self._beside(self._platform.late(inbound, ack))

    def _said(self, body: Body, event: Body) -> Inbound:
        channel, at = str(event["channel"]), str(event["ts"])
        direct = event["type"] == "message"
        text = str(event.get("text") or "")
        if not direct:
            text = text.replace(f"<@{self._home.user}>", " ", 1)
        thread = str(event.get("thread_ts") or at)
        return self._inbound(
            str(body["event_id"]),
            InboundKind.MESSAGE,
            str(event["user"]),
            channel if direct else f"{channel}:{thread}",
            direct=direct,
            text=words(text).strip(),
            message_id=at,
        )

    def _opened(self, body: Body, event: Body) -> Inbound:
        user = str(event["user"])
        return self._inbound(
            str(body["event_id"]), InboundKind.OVERVIEW, user, "", direct=True, overview=True
        )

    def _pressed(self, body: Body, handle: str) -> Inbound:
        container = body.get("container") or {}
        on_page = container.get("type") == "view"
        channel = str(container.get("channel_id") or "")
        held = body.get("view") if on_page else body
        state = (held or {}).get("state") or {}
        return self._inbound(
            f"press:{body['trigger_id']}",
            InboundKind.PRESS,
            str(body["user"]["id"]),
            channel,
            direct=on_page or channel.startswith("D"),
            handle=handle,
            fields=fields(state.get("values") or {}),
            message_id=str(container.get("message_ts") or ""),
            reply_url=str(body.get("response_url") or ""),
            overview=on_page,
        )

    def _inbound(self, key: str, kind: InboundKind, account: str, conversation: str, **rest: Any) -> Inbound:
        return Inbound(
            platform=self._platform.name,
            id=key[:200],
            kind=kind,
            account=account[:200],
            conversation=conversation[:200],
            at=datetime.now(UTC),
            **rest,
        )

    def _beside(self, work: Any) -> None:
        async def run() -> None:
            try:
                await work
            except (PlatformDown, Unreachable) as error:
                log.warning("slack.notice_lost", reason=str(error))

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _json(body: Mapping[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"content-type": "application/json"})


def _placed(errors: Mapping[str, str], view: Body) -> dict[str, str]:
    """Each error at its input; what has none at the first, since Slack shows no other."""
    names = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    return {name if name in names else names[0]: text[:150] for name, text in errors.items()}
