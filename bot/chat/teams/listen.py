"""Teams' activities: each becomes an inbound, goes through ``receive``, and its Ack becomes the answer.

botbuilder sorts the activities by kind; its own turning of a card's answer into JSON fails, so what is
answered here is plain. Nothing is acknowledged before it is stored. Teams delivers nothing again of itself:
what could not be stored is answered 503, and the person sees that it was not taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from botbuilder.core import ActivityHandler, BotAdapter, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ConversationReference, ResourceResponse

from bot.chat.card import Card
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.places import Place
from bot.chat.platform import PlatformDown, Receive, Unreachable
from bot.chat.teams import render
from bot.chat.teams.gate import CARD_ACTION, PERSONAL, Incoming, mentioned, tenant_of
from bot.chat.teams.send import TeamsPlatform, base
from bot.chat.teams.words import words

PRESS_WITHIN_S = 3.0  # Teams gives up on a press after ten
WORKING = "Working on it…"
SEEN = "I have this press already."
UNKNOWN = "This button does not work (any more). Write to me, and I make a new one."
WELCOME = Card(
    title="Hello, I am Deskhand",
    text="Tell me in your own words what you need: access to something, a new password, or how many vacation"
    " days you have left. I show exactly what I am about to do before I do it.\n"
    "I never ask for a password or a code. Never send me one.",
)

_MESSAGE = "application/vnd.microsoft.activity.message"
_SAID = "deskhand.said"  # where a turn keeps what came in, as the gate read it

log = structlog.get_logger()


class Listener:
    def __init__(self, platform: TeamsPlatform, receive: Receive) -> None:
        self._adapter = _Answers()
        self._handler = _Handler(platform, receive)

    async def take(self, said: Incoming) -> tuple[int, Mapping[str, Any]]:
        """HTTP status and body. :raises StorageDown:"""
        activity = Activity(id=said.id, type=said.type, name=said.name or None, channel_id=said.channel)
        activity.action = said.action or None
        turn = TurnContext(self._adapter, activity)
        turn.turn_state[_SAID] = said
        await self._adapter.run_pipeline(turn, self._handler.on_turn)
        answer = turn.turn_state.get(_Answers.KEY)
        return (answer.status, answer.body or {}) if answer else (200, {})

    async def finish(self) -> None:
        """Let what goes on beside end."""
        await asyncio.gather(*self._handler.tasks, return_exceptions=True)


class _Answers(BotAdapter):  # type: ignore[misc]  # the SDK ships no types
    """Keeps the answer to an invoke with its turn; messages go out through the platform alone."""

    KEY = BotAdapter._INVOKE_RESPONSE_KEY

    async def send_activities(
        self, context: TurnContext, activities: list[Activity]
    ) -> list[ResourceResponse]:
        for activity in activities:
            context.turn_state[self.KEY] = activity.value
        return [ResourceResponse() for _ in activities]

    # The two below have to be there; nothing in a turn calls them.

    async def update_activity(self, context: TurnContext, activity: Activity) -> None:
        raise NotImplementedError

    async def delete_activity(self, context: TurnContext, reference: ConversationReference) -> None:
        raise NotImplementedError


class _Handler(ActivityHandler):  # type: ignore[misc]  # likewise
    def __init__(self, platform: TeamsPlatform, receive: Receive) -> None:
        self.tasks: set[asyncio.Task[None]] = set()
        self._platform = platform
        self._receive = receive

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        said: Incoming = turn_context.turn_state[_SAID]
        place = await self._keep(said)
        for user in mentioned(said):
            if user != said.recipient.id:
                self._platform.members.meet(user, place)
        text = words(
            said.text or "", [e for e in said.entities if e.get("type") == "mention"], said.recipient.id
        )
        inbound = self._inbound(said, InboundKind.MESSAGE, said.room.id, text=text, message_id=said.id)
        await self._receive(inbound, 0)

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        said: Incoming = turn_context.turn_state[_SAID]
        if said.name != CARD_ACTION:
            return InvokeResponse(status=501)
        action = (said.value or {}).get("action")
        data = action.get("data") if isinstance(action, Mapping) else None
        handle = data.get(render.HANDLE) if isinstance(data, Mapping) else None
        if not isinstance(handle, str) or not 0 < len(handle) <= 64:
            return _answer(_MESSAGE, UNKNOWN)
        await self._keep(said)
        given = render.fields(data)
        inbound = self._inbound(
            said, InboundKind.PRESS, base(said.room.id), handle=handle, fields=given, message_id=said.reply_to
        )
        return _answered(await self._receive(inbound, PRESS_WITHIN_S), given)

    async def on_installation_update(self, turn_context: TurnContext) -> None:
        said: Incoming = turn_context.turn_state[_SAID]
        if said.action.startswith("remove"):
            await self._platform.members.places.forget(base(said.room.id))
            return
        await self._keep(said)
        if said.room.kind == PERSONAL and said.action == "add":
            await self._receive(self._inbound(said, InboundKind.ARRIVAL, said.room.id), 0)
            self._beside(self._platform.send(said.room.id, WELCOME, key=f"welcome:{said.room.id}"))

    async def on_conversation_update_activity(self, turn_context: TurnContext) -> None:
        """Only that Deskhand itself came or went; who else did is asked when it matters."""
        said: Incoming = turn_context.turn_state[_SAID]
        us = said.recipient.id
        if us in [each.id for each in said.removed]:
            await self._platform.members.places.forget(base(said.room.id))
        elif us in [each.id for each in said.added] and said.account:
            await self._keep(said)

    async def _keep(self, said: Incoming) -> Place:
        """Where an answer finds them. :raises StorageDown:"""
        place = Place(
            base(said.room.id),
            said.account,
            said.sender.id,
            said.service_url,
            tenant_of(said),
            said.room.kind == PERSONAL,
        )
        await self._platform.members.places.keep(place)
        return place

    def _inbound(self, said: Incoming, kind: InboundKind, conversation: str, **rest: Any) -> Inbound:
        return Inbound(
            platform=self._platform.name,
            id=f"{said.type}:{said.seen_as}",
            kind=kind,
            account=said.account,
            conversation=conversation,
            direct=said.room.kind == PERSONAL,
            at=datetime.now(UTC),
            **rest,
        )

    def _beside(self, work: Awaitable[object]) -> None:
        async def run() -> None:
            try:
                await work
            except (PlatformDown, Unreachable) as error:
                log.warning("teams.welcome_lost", reason=str(error))

        task = asyncio.create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _answered(ack: Ack, given: Mapping[str, str]) -> InvokeResponse:
    """What the person who pressed sees in place of the card, at once."""
    if card := ack.card or (ack.form if ack.errors else None):
        values = given if ack.errors else {}
        return _answer(render.CARD, render.adaptive(card, ack.errors, values, ack.notice))
    said = ack.notice or " ".join(ack.errors.values())
    if ack.working or ack.duplicate:
        said = WORKING if ack.working else SEEN
    return _answer(_MESSAGE, said) if said else InvokeResponse(status=200)


def _answer(kind: str, value: object) -> InvokeResponse:
    """Source: https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model"""
    return InvokeResponse(status=200, body={"statusCode": 200, "type": kind, "value": value})
