"""The web desk's routes: payload -> inbound -> ``receive`` -> Ack, the messages, and live updates.

GET  /                          choose who you are; behind a door (chat.web.door): sign in
GET  /desk?as=ACCOUNT           the chat; without ``as`` the person chosen last in this browser
GET  /api/people                who there is to choose from; behind a door nobody chooses
POST /api/session               {person}; likewise. DELETE signs that person out of this browser
GET  /api/me                    who I am, my conversations, what is unread
GET  /api/conversations/ID/messages?before=MESSAGE
POST /api/messages              {text, id}
POST /api/presses               {handle, fields, message_id, id}
POST /api/seen                  {conversation, message_id}
GET  /api/events?after=CHANGE   server-sent events; Last-Event-ID goes before ``after``

Every route under /api but people takes ``as`` too, and answers 503 with Retry-After until the desk is ready.
A client makes up ``id``; the same again changes nothing. Behind a door whatever changes something carries
``X-CSRF-Token``, which ``/api/me`` tells.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.chat.clean import plain
from bot.chat.inbound import Ack, Inbound, InboundKind
from bot.chat.platform import Receive
from bot.chat.redact import redact
from bot.chat.web.door import Door, SignedIn
from bot.chat.web.guard import Guard, problem
from bot.chat.web.identity import SESSION_SECONDS, Choice, Known, Roster, Sessions
from bot.chat.web.live import TooManyWindows
from bot.chat.web.render import shown
from bot.chat.web.send import ACCOUNT_LENGTH, APPROVALS, DIRECT, HELP_DESK, WebPlatform
from bot.chat.web.store import Message, StoreDown

PAGE = 50  # messages
TEXT = 4000  # characters of one message or one field
FIELDS = 50
HEARTBEAT_SECONDS = 15.0
RETRY_SECONDS = 2
_ROOMS = {APPROVALS: "Approvals", HELP_DESK: "Help desk"}

STATIC = Path(__file__).parent / "static"
REMOVED_NOTICE = (
    "What looked like a password or code was removed from your message. Never send one in a chat."
)

log = structlog.get_logger("deskhand.web")

ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Body = TypeVar("Body", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class NewSession(_Body):
    person: str = Field(max_length=ACCOUNT_LENGTH)


class NewMessage(_Body):
    text: str
    id: ClientId


class NewPress(_Body):
    handle: str = Field(min_length=1, max_length=64)
    fields: dict[str, str] = Field(default_factory=dict, max_length=FIELDS)
    message_id: str = Field(max_length=20)
    id: ClientId


class NewSeen(_Body):
    conversation: str = Field(max_length=200)
    message_id: int = Field(ge=0, lt=2**53)


@dataclass(frozen=True, slots=True)
class Person:
    choice: Choice
    remembered: tuple[str, ...]  # accounts chosen in this browser

    @property
    def account(self) -> str:
        return self.choice.account

    @property
    def conversations(self) -> tuple[str, ...]:
        channels = ((APPROVALS, self.choice.approvals), (HELP_DESK, self.choice.helps))
        return (DIRECT + self.account, *(channel for channel, reads in channels if reads))


def web_app(
    platform: WebPlatform,
    receive: Receive,
    people: Roster,
    ready: Callable[[], bool],
    door: Door | None = None,
) -> Starlette:
    """The web desk as an ASGI app. The platform's owner closes the platform.

    :param door: where people sign in; None: they choose who they are, on loopback only
    """
    desk = _Desk(platform, receive, people, ready, door)
    routes = [
        Route("/", desk.choose_page, methods=["GET"]),
        Route("/desk", desk.desk_page, methods=["GET"]),
        Route("/favicon.ico", desk.favicon, methods=["GET"]),
        Route("/api/people", desk.people_api, methods=["GET"]),
        Route("/api/session", desk.sign_in, methods=["POST"]),
        Route("/api/session", desk.sign_out, methods=["DELETE"]),
        Route("/api/me", desk.me, methods=["GET"]),
        Route("/api/conversations/{id}/messages", desk.page, methods=["GET"]),
        Route("/api/messages", desk.message, methods=["POST"]),
        Route("/api/presses", desk.press, methods=["POST"]),
        Route("/api/seen", desk.seen, methods=["POST"]),
        Route("/api/events", desk.events, methods=["GET"]),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, host=door.host if door else "", origin=door.origin if door else "")],
        exception_handlers={HTTPException: _refused, StoreDown: _store_down, Exception: _failed},
    )


class _Desk:
    def __init__(
        self,
        platform: WebPlatform,
        receive: Receive,
        people: Roster,
        ready: Callable[[], bool],
        door: Door | None,
    ) -> None:
        self.door = SignedIn(platform.messages, door) if door else None
        self.platform = platform
        self.receive = receive
        self.people = Known(people)
        self.ready = ready
        self._sessions: Sessions | None = None

    # pages

    async def choose_page(self, request: Request) -> Response:
        if self.door is None:
            return FileResponse(STATIC / "choose.html")
        account = await self.door.account(request)
        if account and await self.people.choice(account):
            return RedirectResponse("/desk", 303)
        await self.door.end(request)
        return FileResponse(STATIC / "sign-in.html")

    async def desk_page(self, request: Request) -> Response:
        if not await self._remembered(request):
            return RedirectResponse("/", 303)
        return FileResponse(STATIC / "desk.html")

    async def favicon(self, request: Request) -> Response:
        return FileResponse(STATIC / "logo.svg")

    # who

    async def people_api(self, request: Request) -> Response:
        self._must_be_ready()
        self._must_be_chosen()
        choices = [_person_json(choice) for choice in await self.people.choices()]
        return JSONResponse({"people": choices, "chosen": list(await self._remembered(request))})

    async def sign_in(self, request: Request) -> Response:
        self._must_be_ready()
        self._must_be_chosen()
        wanted = await _read(request, NewSession)
        choice = await self.people.choice(wanted.person)
        if choice is None:
            raise HTTPException(404, "Nobody by that name can use this desk.")
        others = [account for account in await self._remembered(request) if account != choice.account]
        return await self._remember(request, JSONResponse(_person_json(choice)), [choice.account, *others])

    async def sign_out(self, request: Request) -> Response:
        if self.door:
            await self._person(request)
            await self.door.end(request)
            return Response(status_code=204)
        remembered = await self._remembered(request)
        leaving = request.query_params.get("as") or (remembered[0] if remembered else "")
        staying = [account for account in remembered if account != leaving]
        return await self._remember(request, Response(status_code=204), staying)

    async def me(self, request: Request) -> Response:
        person = await self._person(request)
        conversations = [
            {
                "id": conversation,
                "name": _ROOMS.get(conversation, "Deskhand"),
                "direct": conversation not in _ROOMS,
                "unread": await self.platform.messages.unread(person.account, conversation),
            }
            for conversation in person.conversations
        ]
        about = {**_person_json(person.choice), "conversations": conversations}
        if self.door:
            about |= {"csrf": self.door.csrf(request), "signed_in": True}
        return JSONResponse(about)

    # messages

    async def page(self, request: Request) -> Response:
        person = await self._person(request)
        conversation = _may_read(person, request.path_params["id"])
        before = request.query_params.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 19):
            raise HTTPException(400, "before: a message's number, please.")
        # The last change is read first: what comes in between is sent again by the stream, never missed.
        change = await self.platform.messages.last_change()
        messages, more = await self.platform.messages.page(
            conversation, before=int(before) if before else None, limit=PAGE
        )
        return JSONResponse(
            {"messages": [_message_json(m, person) for m in messages], "more": more, "change": change}
        )

    async def message(self, request: Request) -> Response:
        person = await self._person(request)
        sent = await _read(request, NewMessage)
        if len(sent.text) > TEXT:
            raise HTTPException(
                413, f"That is {len(sent.text):,} characters. Please keep a message under {TEXT:,}."
            )
        text = plain(sent.text, TEXT).strip()
        if not text:
            raise HTTPException(400, "Write something first.")
        conversation = DIRECT + person.account
        kept, removed = redact(text)
        message, new = await self.platform.messages.add(
            conversation, f"own:{sent.id}", person.account, text=kept
        )
        if new:
            self.platform.live.changed(conversation)
        ack = await self._receive(
            Inbound(
                platform=self.platform.name,
                id=f"{person.account}:m:{sent.id}",
                kind=InboundKind.MESSAGE,
                account=person.account,
                conversation=conversation,
                text=text,
                at=datetime.now(UTC),
            )
        )
        if (ack is None) != message.undelivered:
            await self.platform.messages.mark_undelivered(message.id, ack is None)
            self.platform.live.changed(conversation)
        if ack is None:
            return problem(
                503,
                "Deskhand could not take this just now. It will be sent again.",
                retry_after=RETRY_SECONDS,
            )
        if removed and not ack.notice:
            ack = ack.model_copy(update={"notice": REMOVED_NOTICE})
        return _ack_json(ack, message=_message_json(message, person))

    async def press(self, request: Request) -> Response:
        person = await self._person(request)
        sent = await _read(request, NewPress)
        if any(len(name) > 200 or len(value) > TEXT for name, value in sent.fields.items()):
            raise HTTPException(413, f"Please keep every field under {TEXT:,} characters.")
        card = await self.platform.message(sent.message_id)
        if card is None:
            raise HTTPException(404, "This card is not there any more.")
        conversation = _may_read(person, card.conversation)
        ack = await self._receive(
            Inbound(
                platform=self.platform.name,
                id=f"{person.account}:p:{sent.id}",
                kind=InboundKind.PRESS,
                account=person.account,
                conversation=conversation,
                direct=conversation not in _ROOMS,
                handle=sent.handle,
                fields={name: plain(value, TEXT) for name, value in sent.fields.items()},
                message_id=str(card.id),
                at=datetime.now(UTC),
            )
        )
        if ack is None:
            return problem(503, "Deskhand could not take this just now.", retry_after=RETRY_SECONDS)
        if ack.card is not None:
            await self.platform.messages.replace_card(card.id, shown(ack.card).model_dump_json())
            self.platform.live.changed(conversation)
        return _ack_json(ack)

    async def seen(self, request: Request) -> Response:
        person = await self._person(request)
        sent = await _read(request, NewSeen)
        await self.platform.messages.mark_seen(
            person.account, _may_read(person, sent.conversation), sent.message_id
        )
        return Response(status_code=204)

    async def _receive(self, inbound: Inbound) -> Ack | None:
        """What the desk says, or None where it could not take it."""
        try:
            return await self.receive(inbound)
        except Exception:  # whatever breaks behind the seam, the person gets words, and the log the trace
            log.exception("web.receive_failed", inbound=inbound.id, kind=inbound.kind.value)
            return None

    # live

    async def events(self, request: Request) -> Response:
        person = await self._person(request, use=False)
        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None
        if after is None:
            after = await self.platform.messages.last_change()
        return StreamingResponse(self._stream(request, person, after), media_type="text/event-stream")

    async def _stream(self, request: Request, person: Person, after: int) -> AsyncIterator[str]:
        try:
            with self.platform.live.window(person.account, person.conversations) as wake:
                yield f"retry: 1000\nevent: hello\ndata: {after}\n\n"
                while not self.platform.live.closing:
                    wake.clear()
                    changed = await self.platform.messages.changed(
                        person.conversations, after=after, limit=PAGE
                    )
                    for message in changed:
                        after = message.change
                        yield f"id: {after}\ndata: {json.dumps(_message_json(message, person))}\n\n"
                    if not changed:
                        if not await _woken(wake, HEARTBEAT_SECONDS):
                            yield ": still here\n\n"
                        if await self.people.choice(person.account) != person.choice:
                            return  # left, or may see something else now: the window asks again who it is
                        if self.door and not await self.door.account(request, use=False):
                            return  # signed out, or away for too long
        except TooManyWindows:
            yield 'event: refused\ndata: "This person has too many windows open."\n\n'
        except StoreDown:
            log.exception("web.stream_ended", account=person.account)

    # sessions

    def _must_be_ready(self) -> None:
        if not self.ready():
            raise HTTPException(
                503, "Deskhand is starting. One moment.", headers={"retry-after": str(RETRY_SECONDS)}
            )

    def _must_be_chosen(self) -> None:
        if self.door:
            raise HTTPException(404, "Nobody chooses here who they are: sign in.")

    async def _person(self, request: Request, *, use: bool = True) -> Person:
        """:raises HTTPException: 401 where nobody who is still here was chosen in this browser, or signed in;
        403 where a page of ours did not send it."""
        self._must_be_ready()
        remembered = await self._remembered(request, use=use)
        if self.door and remembered and request.method != "GET" and not self.door.sent(request):
            raise HTTPException(403, "Only this desk's own pages may do that.")
        account = request.query_params.get("as") or (remembered[0] if remembered else "")
        choice = await self.people.choice(account) if account in remembered else None
        if choice is None:
            if self.door and account in remembered:
                await self.door.end(request)  # they left
            raise HTTPException(401, "Sign in first." if self.door else "Choose who you are first.")
        return Person(choice, remembered)

    async def _remembered(self, request: Request, *, use: bool = True) -> tuple[str, ...]:
        if self.door:
            account = await self.door.account(request, use=use)
            return (account,) if account else ()
        cookie = request.cookies.get(_cookie_name(request), "")
        return (await self._signer()).accounts(cookie) if cookie else ()

    async def _remember(self, request: Request, response: Response, accounts: list[str]) -> Response:
        value = (await self._signer()).cookie(accounts)
        name, age = _cookie_name(request), SESSION_SECONDS if accounts else 0
        response.set_cookie(name, value, max_age=age, httponly=True, samesite="strict", path="/")
        return response

    async def _signer(self) -> Sessions:
        if self._sessions is None:
            self._sessions = Sessions(await self.platform.messages.secret("session"))
        return self._sessions


async def _woken(wake: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return False
    return True


async def _read(request: Request, kind: type[Body]) -> Body:
    """The body as this kind. :raises HTTPException: 400 where it is not, whatever was sent instead."""
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise HTTPException(400, f"{where or 'body'}: {first['msg']}"[:300]) from error


def _may_read(person: Person, conversation: str) -> str:
    if conversation not in person.conversations:
        raise HTTPException(404, "There is no such conversation for you.")
    return conversation


def _cookie_name(request: Request) -> str:
    # Cookies know no ports: two desks on one machine must not overwrite each other's.
    return f"deskhand_{request.url.port or 80}"


def _person_json(choice: Choice) -> dict[str, Any]:
    return {
        "account": choice.account,
        "name": plain(choice.name, 100),
        "title": plain(choice.title, 100),
        "department": plain(choice.department, 100),
    }


def _message_json(message: Message, person: Person) -> dict[str, Any]:
    mine = message.author == person.account
    return {
        "id": message.id,
        "conversation": message.conversation,
        "mine": mine,
        "client": message.key.removeprefix("own:") if mine else "",
        "text": message.text,
        "card": json.loads(message.card) if message.card else None,
        "undelivered": message.undelivered,
        "created": message.created,
        "updated": message.updated,
        "change": message.change,
    }


def _ack_json(ack: Ack, **more: Any) -> Response:
    clean = ack.model_copy(
        update={
            "notice": plain(ack.notice, TEXT),
            "errors": {name: plain(words, 500) for name, words in ack.errors.items()},
            "card": shown(ack.card) if ack.card is not None else None,
        }
    )
    return JSONResponse({**clean.model_dump(mode="json", exclude={"form"}), **more})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = problem(error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response


async def _store_down(request: Request, error: Exception) -> Response:
    log.error("web.store_down", path=request.url.path, error=str(error))
    return problem(
        503, "The desk's message store does not answer. Please try again.", retry_after=RETRY_SECONDS
    )


async def _failed(request: Request, error: Exception) -> Response:
    return problem(503, "Something broke on our side. Please try again.", retry_after=RETRY_SECONDS)
