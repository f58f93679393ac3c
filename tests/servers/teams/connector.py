"""The Bot Connector's side that a bot calls: rooms, messages, members, and faults on purpose.

Source: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.servers.entra.login import Login
from tests.servers.teams.limits import of_activity
from tests.servers.teams.state import APP_ID, BOT, TENANT, Body, Room, State, User

SECRET = "s3cr3t~of-the-fake-app"
SCOPE = "https://api.botframework.com/.default"
_HANG_S = 60
_PAGE = 3  # members, however many are asked for


@dataclass
class Fault:
    """What goes wrong with the next calls.

    ``what``: "post", "put", "create", "member", "members" or "*". ``kind``: an HTTP status, "cut before"
    (nothing happened), "cut after" (it happened, and the answer is lost) or "hang".
    """

    what: str
    kind: str
    times: int = 1
    retry_after: str = ""
    room: str = ""


@dataclass
class Call:
    what: str
    room: str
    body: Body
    answer: int
    at: float = field(default_factory=time.monotonic)


class Wrong(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Connector:
    def __init__(self, state: State) -> None:
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.down = False
        self.strict = True  # False: cards are not looked into, which would keep a bench waiting
        self.login = Login(APP_ID, TENANT, SCOPE, SECRET)
        self._state = state

    def routes(self) -> list[web.RouteDef]:
        room = "/teams/v3/conversations/{room}"
        return [
            web.post("/teams/v3/conversations", self._serve("create")),
            web.post(room + "/activities", self._serve("post")),
            web.put(room + "/activities/{message}", self._serve("put")),
            web.get(room + "/members/{user}", self._serve("member")),
            web.get(room + "/pagedmembers", self._serve("members")),
        ]

    # the calls

    def _serve(self, what: str) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            room = unquote(request.match_info.get("room", ""))
            raw = await request.text()
            body: Body = json.loads(raw) if raw else {}
            fault = self._fault(what, room)
            if self.down or (fault and fault.kind in ("cut before", "hang")):
                if fault and fault.kind == "hang":
                    await asyncio.sleep(_HANG_S)
                return self._cut(request)
            if fault and fault.kind.isdigit():
                return self._answer(what, room, body, int(fault.kind), {"error": {"code": "Fault"}}, fault)
            try:
                self._let_in(request)
                status, said = getattr(self, f"_{what}")(request, unquote(room), body)
            except Wrong as wrong:
                status, said = wrong.status, {"error": {"code": wrong.code, "message": "in words"}}
            if fault and fault.kind == "cut after":
                self.calls.append(Call(what, room, body, status))
                return self._cut(request)
            return self._answer(what, room, body, status, said)

        return handle

    def _answer(
        self, what: str, room: str, body: Body, status: int, said: Body, fault: Fault | None = None
    ) -> web.Response:
        self.calls.append(Call(what, room, body, status))
        headers = {"retry-after": fault.retry_after} if fault and fault.retry_after else {}
        return web.json_response(said, status=status, headers=headers)

    def _cut(self, request: web.Request) -> web.StreamResponse:
        if request.transport:
            request.transport.abort()
        return web.Response()

    def _fault(self, what: str, room: str) -> Fault | None:
        for fault in self.faults:
            if fault.what in (what, "*") and fault.room in ("", room):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def _let_in(self, request: web.Request) -> None:
        if not self.login.knows(request.headers.get("authorization", "")):
            raise Wrong(401, "Unauthorized")

    def _room(self, room: str) -> Room:
        found = self._state.rooms.get(room.partition(";")[0])
        if found is None:
            raise Wrong(404, "ConversationNotFound")
        if found.kind == "personal":
            (aad,) = found.members
            self._state.personal(self._state.users[aad])
        if not found.installed:
            raise Wrong(403, "BotNotInConversationRoster")
        return found

    def _create(self, request: web.Request, room: str, body: Body) -> tuple[int, Body]:
        members = body.get("members") or []
        if body.get("isGroup") is not False or len(members) != 1 or body.get("bot", {}).get("id") != BOT:
            raise Wrong(400, "BadSyntax")
        if not str(members[0].get("id", "")).startswith("29:"):
            raise Wrong(400, "BadArgument")  # an object id is none of Teams' own
        user = self._state.named(members[0]["id"])
        if user is None or body.get("tenantId") != user.tenant:
            raise Wrong(403, "ForbiddenOperationException")
        personal = self._state.personal(user)
        if not personal.installed:
            raise Wrong(403, "ForbiddenOperationException")
        return 201, {"id": personal.id}

    def _checked(self, body: Body) -> None:
        if body.get("from", {}).get("id") != BOT:
            raise Wrong(400, "Activity.From field is required")
        if self.strict and (wrong := of_activity(body)):
            raise Wrong(413 if wrong == "MessageSizeTooBig" else 400, wrong)

    def _post(self, request: web.Request, room: str, body: Body) -> tuple[int, Body]:
        self._checked(body)
        found = self._room(room)
        if body["type"] == "typing":
            return 201, {"id": self._state.new_id()}
        message = {**body, "id": self._state.new_id(), "thread": room.partition(";messageid=")[2]}
        found.messages.append(message)
        return 201, {"id": message["id"]}

    def _put(self, request: web.Request, room: str, body: Body) -> tuple[int, Body]:
        self._checked(body)
        found = self._room(room)
        wanted = request.match_info["message"]
        for message in found.messages:
            if message["id"] == wanted and message["from"]["id"] == BOT:
                message |= {**body, "id": wanted}
                for key in [key for key in self._state.views if key[1] == wanted]:
                    del self._state.views[key]  # what everybody sees has changed
                return 200, {"id": wanted}
        raise Wrong(404, "ActivityNotFoundInConversation")

    def _member(self, request: web.Request, room: str, body: Body) -> tuple[int, Body]:
        user = self._state.named(unquote(request.match_info["user"]))
        if user is None or not self._sees(self._room(room), user):
            raise Wrong(404, "MemberNotFoundInConversation")
        return 200, user.member()

    def _sees(self, room: Room, user: User) -> bool:
        return user.aad in room.members

    def _members(self, request: web.Request, room: str, body: Body) -> tuple[int, Body]:
        found = self._room(room)
        known = [self._state.users[aad].member() for aad in sorted(found.members)]
        begin = int(request.query.get("continuationToken", "0"))
        page: Body = {"members": known[begin : begin + _PAGE]}
        if begin + _PAGE < len(known):
            page["continuationToken"] = str(begin + _PAGE)
        return 200, page
