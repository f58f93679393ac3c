"""The fake Slack refuses what Slack refuses, and sends what Slack sends: else tests on it prove nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from tests.servers.slack.payloads import values
from tests.servers.slack.server import APP_TOKEN, BOT_TOKEN, SECRET, FakeSlack, buttons, texts
from tests.servers.slack.state import ELSEWHERE, KINDS, TEAM, Channel, User

PLAIN = {"type": "plain_text", "text": "Hello"}
BUTTON = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}, "value": "1"}
SECTION = {"type": "section", "text": PLAIN}
OPTION = {"text": PLAIN, "value": "1"}
FIELD = {"type": "plain_text_input", "action_id": "value"}
INPUT = {"type": "input", "block_id": "why", "label": PLAIN, "element": FIELD}
MODAL = {"type": "modal", "title": PLAIN, "submit": PLAIN, "blocks": [INPUT]}
HOME = {"type": "home", "blocks": [SECTION]}

Answer = Callable[[web.Request, bytes], Awaitable[web.Response]]


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack.running() as running:
        yield running


@pytest.fixture
def ana(slack: FakeSlack) -> User:
    return slack.add_user("ana@alderfinch.example", "Ana Ruiz")


@pytest.fixture
def room(slack: FakeSlack, ana: User) -> Channel:
    return slack.add_channel("general", ana.id)


async def call(slack: FakeSlack, method: str, token: str = BOT_TOKEN, **args: Any) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(slack.api_url) as session,
        session.post(method, json=args, headers=headers) as got,
    ):
        said: dict[str, Any] = await got.json()
        return said | {"status": got.status, "headers": got.headers}


async def read(slack: FakeSlack, method: str, **args: Any) -> dict[str, Any]:
    """One of the methods that take no JSON."""
    headers = {"authorization": f"Bearer {BOT_TOKEN}"}
    async with (
        aiohttp.ClientSession(slack.api_url) as session,
        session.get(method, params=args, headers=headers) as got,
    ):
        said: dict[str, Any] = await got.json()
        return said


class TestTokensAndScopes:
    @pytest.mark.parametrize(
        ("method", "token", "error"),
        [
            ("auth.test", "", "not_authed"),
            ("auth.test", "xoxb-2-wrong", "invalid_auth"),
            ("auth.test", APP_TOKEN, "not_allowed_token_type"),
            ("apps.connections.open", BOT_TOKEN, "not_allowed_token_type"),
            ("chat.nonsense", BOT_TOKEN, "unknown_method"),
        ],
    )
    async def test_a_token_is_asked_for_and_is_the_right_one(
        self, slack: FakeSlack, method: str, token: str, error: str
    ) -> None:
        assert (await call(slack, method, token))["error"] == error

    async def test_the_answer_says_which_scopes_the_token_has(self, slack: FakeSlack) -> None:
        answer = await call(slack, "auth.test")
        assert set(answer["headers"]["x-oauth-scopes"].split(",")) == slack.scopes

    async def test_a_scope_that_was_not_granted_is_named(self, slack: FakeSlack, room: Channel) -> None:
        slack.scopes -= {"chat:write", "im:history"}
        slack.app_scopes.clear()
        answer = await call(slack, "chat.postMessage", channel=room.id, text="Hello")
        assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
        assert "chat:write" not in answer["provided"].split(",")
        assert (await call(slack, "apps.connections.open", APP_TOKEN))["needed"] == "connections:write"

    async def test_a_conversation_needs_the_scope_of_its_type(
        self, slack: FakeSlack, room: Channel, ana: User
    ) -> None:
        answer = await read(slack, "conversations.history", channel=room.id)
        assert (answer["error"], answer["needed"]) == ("missing_scope", "channels:history")
        assert (await read(slack, "conversations.history", channel=slack.state.direct(ana.id).id))["ok"]
        slack.scopes -= {"im:history"}
        answer = await read(slack, "conversations.history", channel=slack.state.direct(ana.id).id)
        assert answer["needed"] == "im:history"

    async def test_mail_addresses_are_shown_to_whom_it_was_granted(self, slack: FakeSlack, ana: User) -> None:
        assert (await read(slack, "users.info", user=ana.id))["user"]["profile"]["email"] == ana.mail
        slack.scopes -= {"users:read.email"}
        assert "email" not in (await read(slack, "users.info", user=ana.id))["user"]["profile"]
        assert (await read(slack, "users.lookupByEmail", email=ana.mail))["error"] == "missing_scope"

    async def test_json_is_not_read_where_slack_reads_none(self, slack: FakeSlack, ana: User) -> None:
        assert (await call(slack, "users.info", user=ana.id))["error"] == "user_not_found"

    async def test_blocks_come_as_json_within_a_form_too(self, slack: FakeSlack, room: Channel) -> None:
        form = {"token": BOT_TOKEN, "channel": room.id, "blocks": json.dumps([SECTION])}
        async with aiohttp.ClientSession(slack.api_url) as session:
            async with session.post("chat.postMessage", data=form) as got:
                assert (await got.json())["ok"]
            async with session.post("chat.postMessage", data=form | {"blocks": "[{"}) as got:
                assert (await got.json())["error"] == "invalid_blocks"


class TestConversations:
    async def test_what_is_not_there_or_not_ours_is_refused_by_name(
        self, slack: FakeSlack, room: Channel, ana: User
    ) -> None:
        async def error(method: str, **args: Any) -> Any:
            return (await call(slack, method, **args)).get("error")

        closed = slack.add_channel("closed", private=True)
        closed.members.clear()
        open_ = slack.add_channel("open")
        open_.members.clear()
        old = slack.add_channel("old")
        old.archived = True
        slack.hurry = 10_000.0  # nobody is there to take what she says
        said = (await slack.says(ana.id, "hello"))["event"]
        theirs = {"channel": said["channel"], "ts": said["ts"]}
        assert await error("chat.postMessage", channel="C0NOWHERE", text="x") == "channel_not_found"
        assert await error("chat.postMessage", channel=closed.id, text="x") == "channel_not_found"
        assert await error("chat.postMessage", channel=open_.id, text="x") == "not_in_channel"
        assert await error("chat.postMessage", channel=old.id, text="x") == "is_archived"
        assert await error("chat.postMessage", channel=room.id) == "no_text"
        assert await error("chat.postMessage", channel=room.id, text="x" * 40_001) == "msg_too_long"
        assert await error("chat.update", channel=room.id, ts="1.1", text="x") == "message_not_found"
        assert await error("chat.update", **theirs, text="x") == "cant_update_message"
        assert await error("chat.update", channel=ana.id, ts=said["ts"], text="x") == "channel_not_found"
        assert await error("chat.delete", **theirs) == "cant_delete_message"
        assert (
            await error("chat.postEphemeral", channel=room.id, user="U0", text="x") == "user_not_in_channel"
        )
        assert await error("conversations.open", users="U0") == "user_not_found"
        assert await error("views.publish", user_id="U0", view=HOME) == "user_not_found"
        react = {"channel": said["channel"], "timestamp": said["ts"]}
        assert await error("reactions.add", **react, name=":eyes:") == "invalid_name"
        assert await error("reactions.remove", **react, name="eyes") == "no_reaction"
        assert await error("reactions.add", **react, name="eyes") is None
        assert await error("reactions.add", **react, name="eyes") == "already_reacted"
        assert (await read(slack, "conversations.info", channel=closed.id))["error"] == "channel_not_found"

    async def test_history_has_the_newest_first_with_ids_and_no_threads(
        self, slack: FakeSlack, ana: User
    ) -> None:
        posted = [
            await call(slack, "chat.postMessage", channel=ana.id, text=f"{n}", blocks=[SECTION])
            for n in "abc"
        ]
        channel, times = posted[0]["channel"], [each["ts"] for each in posted]
        await call(slack, "chat.postMessage", channel=channel, text="in the thread", thread_ts=times[0])
        page = await read(slack, "conversations.history", channel=channel, limit="2")
        assert [each["ts"] for each in page["messages"]] == times[:0:-1]
        assert page["has_more"]
        assert all(each["blocks"][0]["block_id"] for each in page["messages"])
        rest = page["response_metadata"]["next_cursor"]
        page = await read(slack, "conversations.history", channel=channel, cursor=rest)
        assert [each["ts"] for each in page["messages"]] == times[:1]
        page = await read(slack, "conversations.history", channel=channel, oldest=times[1])
        assert [each["ts"] for each in page["messages"]] == times[2:]

    async def test_our_own_messages_are_changed_and_taken_away(self, slack: FakeSlack, room: Channel) -> None:
        posted = await call(slack, "chat.postMessage", channel=room.id, text="one", blocks=[SECTION])
        (message,) = slack.posted(room)
        await call(slack, "chat.update", channel=room.id, ts=posted["ts"], text="two", blocks=[SECTION])
        assert message["text"] == "two"
        assert "edited" not in message, "with blocks it does not show as edited"
        await call(slack, "chat.update", channel=room.id, ts=posted["ts"], text="three")
        assert "blocks" not in message
        assert (await call(slack, "chat.delete", channel=room.id, ts=posted["ts"]))["ok"]
        assert not slack.posted(room)


def text(length: int) -> dict[str, str]:
    return {"type": "plain_text", "text": "x" * length}


def marked(length: int) -> dict[str, str]:
    return {"type": "mrkdwn", "text": "x" * length}


def select(count: int, **more: Any) -> dict[str, Any]:
    options = [{"text": text(75), "value": f"{n:0150}"} for n in range(count)]
    return {"type": "static_select", "action_id": "s", "options": options, **more}


def actions(count: int, **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": [{**BUTTON, "action_id": f"b{n}", **more} for n in range(count)]}


def form(**element: Any) -> dict[str, Any]:
    return {**INPUT, "element": {**FIELD, **element}}


FITS: list[list[dict[str, Any]]] = [
    [SECTION] * 50,
    [{"type": "header", "text": text(150)}, {"type": "divider"}, {"type": "section", "text": marked(3000)}],
    [{"type": "section", "fields": [text(2000)] * 10}, {"type": "context", "elements": [marked(10)] * 10}],
    [actions(25, value="x" * 2000, text=text(75))],
    [{"type": "actions", "elements": [select(100)]}, {**SECTION, "accessory": BUTTON}],
    [form(max_length=3000, placeholder=text(150)), {**INPUT, "block_id": "b" * 255, "element": select(1)}],
    [{**SECTION, "block_id": "one"}, {**SECTION, "block_id": "two"}],
]
TOO_MUCH: list[list[dict[str, Any]]] = [
    [SECTION] * 51,
    [{"type": "header", "text": text(151)}],
    [{"type": "header", "text": marked(10)}],
    [{"type": "section"}],
    [{"type": "section", "text": text(0)}],
    [{"type": "section", "text": marked(3001)}],
    [{"type": "section", "text": "a bare text"}],
    [{"type": "section", "fields": [text(1)] * 11}],
    [{"type": "section", "fields": [text(2001)]}],
    [{"type": "context", "elements": [text(1)] * 11}],
    [{"type": "context", "elements": []}],
    [actions(26)],
    [actions(0)],
    [actions(2, action_id="same")],
    [actions(1, action_id="x" * 256)],
    [actions(1, value="x" * 2001)],
    [actions(1, text=text(76))],
    [actions(1, text=marked(5))],
    [actions(1, style="green")],
    [actions(1, url="https://" + "x" * 3000)],
    [{"type": "actions", "elements": [FIELD]}],
    [{"type": "actions", "elements": [select(101)]}],
    [{"type": "actions", "elements": [select(1, initial_option={"text": text(1), "value": "other"})]}],
    [{**INPUT, "label": marked(5)}],
    [{**INPUT, "label": text(2001)}],
    [{**INPUT, "element": BUTTON}],
    [{**INPUT, "element": {**select(1), "options": [{"text": text(76), "value": "1"}]}}],
    [{**INPUT, "element": {**select(1), "options": [{"text": text(1), "value": "x" * 151}]}}],
    [form(max_length=3001)],
    [form(max_length=3, initial_value="four")],
    [{**SECTION, "block_id": "same"}] * 2,
    [{**SECTION, "block_id": "x" * 256}],
    [{"type": "table"}],
    [{}],
]


class TestLimits:
    @pytest.mark.parametrize("blocks", FITS)
    async def test_what_fits_is_taken(
        self, slack: FakeSlack, room: Channel, blocks: list[dict[str, Any]]
    ) -> None:
        answer = await call(slack, "chat.postMessage", channel=room.id, blocks=blocks)
        assert answer["ok"], slack.calls[-1].answer

    @pytest.mark.parametrize("blocks", TOO_MUCH)
    async def test_what_is_over_a_limit_is_refused_whole(
        self, slack: FakeSlack, room: Channel, blocks: list[dict[str, Any]]
    ) -> None:
        answer = await call(slack, "chat.postMessage", channel=room.id, text="x", blocks=blocks)
        assert answer["error"] == "invalid_blocks"
        assert answer["response_metadata"]["messages"]
        assert not slack.posted(room)

    @pytest.mark.parametrize(
        "change",
        [
            {"title": text(25)},
            {"title": None},
            {"submit": text(25)},
            {"close": text(25)},
            {"submit": None},
            {"private_metadata": "x" * 3001},
            {"blocks": [SECTION] * 101},
            {"blocks": []},
            {"type": "home"},
            {"type": "page"},
        ],
    )
    async def test_so_is_a_view(self, slack: FakeSlack, ana: User, change: dict[str, Any]) -> None:
        slack.state.triggers["1.2.3"] = (ana.id, float("inf"))
        answer = await call(slack, "views.open", trigger_id="1.2.3", view={**MODAL, **change})
        assert answer["error"] == "invalid_arguments"
        assert not slack.modals(ana.id)
        assert (await call(slack, "views.publish", user_id=ana.id, view=MODAL))[
            "error"
        ] == "invalid_arguments"


class TestFaults:
    async def test_throttling_is_per_method_and_channel(
        self, slack: FakeSlack, room: Channel, ana: User
    ) -> None:
        slack.limit("chat.postMessage", retry_after=7, channel=room.id)
        other = await call(slack, "chat.postMessage", channel=ana.id, text="x")
        throttled = await call(slack, "chat.postMessage", channel=room.id, text="x")
        again = await call(slack, "chat.postMessage", channel=room.id, text="x")
        assert (other["ok"], throttled["status"], again["ok"]) == (True, 429, True)
        assert (throttled["error"], throttled["headers"]["retry-after"]) == ("ratelimited", "7")

    @pytest.mark.parametrize(
        ("kind", "error", "posted"),
        [
            ("cut before", aiohttp.ServerDisconnectedError, 0),
            ("cut after", aiohttp.ServerDisconnectedError, 1),
            ("hang", TimeoutError, 0),
            ("503", aiohttp.ContentTypeError, 0),
        ],
    )
    async def test_lines_break_before_and_after_the_effect(
        self, slack: FakeSlack, room: Channel, kind: str, error: type[Exception], posted: int
    ) -> None:
        slack.fail("chat.postMessage", kind)
        patience = 0.3 if kind == "hang" else 10
        with pytest.raises(error):
            await asyncio.wait_for(call(slack, "chat.postMessage", channel=room.id, text="x"), patience)
        assert len(slack.posted(room)) == posted

    async def test_nobody_answers_while_it_is_down(self, slack: FakeSlack) -> None:
        slack.down = True
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await call(slack, "auth.test")
        slack.down = False
        assert (await call(slack, "auth.test"))["ok"]


@asynccontextmanager
async def answering(slack: FakeSlack, answer: Answer) -> AsyncIterator[list[web.Request]]:
    """An app that answers what Slack posts to it; what it was asked."""
    asked: list[web.Request] = []

    async def taken(request: web.Request) -> web.Response:
        asked.append(request)
        return await answer(request, await request.read())

    app = web.Application()
    app.router.add_post("/slack/events", taken)
    async with served(app) as url:
        slack.events_url = url
        yield asked


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield f"http://127.0.0.1:{port}/slack/events"
    await runner.cleanup()


def statuses(*given: int, **headers: str) -> Answer:
    """One after the other; the last one from then on."""
    left = itertools.chain(given[:-1], itertools.repeat(given[-1]))

    async def answer(request: web.Request, body: bytes) -> web.Response:
        return web.Response(status=next(left), headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


class TestSignedPosts:
    async def test_they_carry_slacks_signature(self, slack: FakeSlack, ana: User) -> None:
        genuine: list[bool] = []

        async def answer(request: web.Request, body: bytes) -> web.Response:
            verifier = SignatureVerifier(SECRET)
            genuine.append(verifier.is_valid_request(body, dict(request.headers.items())))
            genuine.append(not verifier.is_valid_request(body + b" ", dict(request.headers.items())))
            return web.Response()

        async with answering(slack, answer):
            await slack.says(ana.id, "hello")
            await slack.command(ana.id, "hello")
        assert genuine == [True] * 4

    async def test_an_event_comes_again_at_once_in_a_minute_and_in_five(
        self, slack: FakeSlack, ana: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tests.servers.slack.server.DEADLINE_S", 0.4)
        slack.hurry = 1000.0
        times: list[float] = []

        async def answer(request: web.Request, body: bytes) -> web.Response:
            times.append(asyncio.get_running_loop().time())
            if len(times) == 2:
                await asyncio.sleep(0.8)
            return web.Response(status=503)

        async with answering(slack, answer) as asked:
            body = await slack.says(ana.id, "hello")
        told = [(r.headers.get("x-slack-retry-num"), r.headers.get("x-slack-retry-reason")) for r in asked]
        assert told == [(None, None), ("1", "http_error"), ("2", "http_timeout"), ("3", "http_error")]
        assert times[3] - times[2] >= 0.3, "five minutes, scaled"
        assert times[2] - times[1] >= 0.4, "the deadline, and a minute, scaled"
        assert [each.status for each in slack.deliveries] == [503, 0, 503, 503]
        assert {each.event_id for each in slack.deliveries} == {body["event_id"]}
        assert slack.errors == [f"event {body['event_id']} was given up"]

    async def test_it_comes_no_more_once_it_was_taken_or_not_wanted(
        self, slack: FakeSlack, ana: User
    ) -> None:
        async with answering(slack, statuses(500, 200)) as asked:
            await slack.says(ana.id, "hello")
        assert len(asked) == 2
        assert not slack.errors
        async with answering(slack, statuses(500, x_slack_no_retry="1")) as asked:
            await slack.says(ana.id, "hello")
        assert len(asked) == 1

    async def test_presses_and_commands_never_come_again_and_the_person_sees_it(
        self, slack: FakeSlack, ana: User, room: Channel
    ) -> None:
        await call(slack, "chat.postMessage", channel=room.id, blocks=[actions(1)])
        async with answering(slack, statuses(500)) as asked:
            await slack.clicks(ana.id, slack.posted(room)[0], "Yes")
            await slack.command(ana.id, "hello")
        assert len(asked) == 2
        assert slack.errors == [
            "interactive: the app did not respond (500)",
            "slash_commands: the app did not respond (500)",
        ]

    async def test_events_come_twice_and_out_of_order_on_demand(self, slack: FakeSlack, ana: User) -> None:
        got: list[str] = []

        async def answer(request: web.Request, body: bytes) -> web.Response:
            got.append(json.loads(body)["event"]["text"])
            return web.Response()

        async with answering(slack, answer):
            slack.holding = True
            await slack.says(ana.id, "one")
            await slack.says(ana.id, "two")
            assert not got
            slack.duplicates = 1
            await slack.release(reversed(slack.held))
        assert got == ["two", "two", "one", "one"]
        assert not slack.held

    async def test_any_bytes_can_be_posted(self, slack: FakeSlack) -> None:
        async def echo(request: web.Request, body: bytes) -> web.Response:
            return web.Response(status=401, text=f"{request.headers['x-slack-signature'][:3]} {len(body)}")

        async with answering(slack, echo):
            assert await slack.post(b"\xff\xfe", slack.signed(b"\xff\xfe")) == (401, "v0= 2")


async def connected(slack: FakeSlack, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    url = (await call(slack, "apps.connections.open", APP_TOKEN))["url"]
    return await session.ws_connect(url)


class TestSockets:
    async def test_an_event_that_nobody_acknowledged_comes_again(
        self, slack: FakeSlack, ana: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tests.servers.slack.server.DEADLINE_S", 0.4)
        async with aiohttp.ClientSession() as session:
            socket = await connected(slack, session)
            assert (await socket.receive_json())["type"] == "hello"
            saying = asyncio.create_task(slack.says(ana.id, "hello"))
            first, second = [await socket.receive_json() for _ in range(2)]
            await socket.send_json({"envelope_id": second["envelope_id"]})
            body = await saying
        assert first["payload"] == second["payload"] == body
        assert first["envelope_id"] != second["envelope_id"]
        assert not first["accepts_response_payload"]
        assert (second["retry_attempt"], second["retry_reason"]) == (1, "http_timeout")
        assert [each.status for each in slack.deliveries] == [0, 200]

    async def test_a_ticket_opens_one_connection_and_ten_are_the_most(self, slack: FakeSlack) -> None:
        async with aiohttp.ClientSession() as session:
            url = (await call(slack, "apps.connections.open", APP_TOKEN))["url"]
            sockets = [await session.ws_connect(url)]
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)
            sockets += [await connected(slack, session) for _ in range(10)]
            said = [await socket.receive_json() for socket in sockets]
            assert [each["num_connections"] for each in said[:-1]] == list(range(1, 11))
            assert said[-1] == {"type": "disconnect", "reason": "too_many_websockets"}
            assert len(slack.sockets) == 10

    async def test_slack_says_that_it_goes_and_goes(
        self, slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tests.servers.slack.delivery._GRACE_S", 0.05)
        async with aiohttp.ClientSession() as session:
            socket = await connected(slack, session)
            await socket.receive_json()
            leaving = asyncio.create_task(slack.refresh_socket("warning"))
            assert (await socket.receive_json())["reason"] == "warning"
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            await leaving
            other = await connected(slack, session)
            await other.receive_json()
            await slack.drop_sockets()
            assert (await other.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)

    async def test_without_one_nothing_is_delivered(self, slack: FakeSlack, ana: User) -> None:
        slack.hurry = 10_000.0
        await slack.says(ana.id, "hello")
        await slack.command(ana.id, "hello")
        assert len(slack.deliveries) == 5
        assert len(slack.errors) == 2


class Echo:
    """A small app on Bolt, which does one of everything."""

    def __init__(self, slack: FakeSlack) -> None:
        client = AsyncWebClient(BOT_TOKEN, base_url=slack.api_url)
        self.app = AsyncApp(client=client, signing_secret=SECRET, process_before_response=True)
        self.got: dict[str, dict[str, Any]] = {}
        for name, kind in (("message", self.app.event), ("app_mention", self.app.event)):
            kind(name)(self._said)
        self.app.event("app_home_opened")(self._opened)
        self.app.action("yes")(self._pressed)
        self.app.action("later")(self._pressed)
        self.app.view("form")(self._form)
        self.app.command("/deskhand")(self._command)

    async def _said(self, body: dict[str, Any], event: dict[str, Any], say: Any) -> None:
        self.got[event["type"]] = body
        menu = {**select(2), "action_id": "later"}
        row = {"type": "actions", "elements": [BUTTON, menu]}
        why = {**INPUT, "optional": True}
        await say(text=f"You said {event['text']}", blocks=[SECTION, why, row])

    async def _opened(self, event: dict[str, Any], client: AsyncWebClient) -> None:
        self.got["home"] = event
        await client.views_publish(user_id=event["user"], view=HOME)

    async def _pressed(self, ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        self.got["press"] = body
        if body["actions"][0]["type"] == "button":
            view = {**MODAL, "callback_id": "form", "blocks": [form(initial_value="because")]}
            await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def _form(self, ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        self.got["form"] = body
        written = view["state"]["values"]["why"]["value"]["value"]
        if written == "no":
            await ack(response_action="errors", errors={"why": "Say more."})
        elif written == "more":
            await ack(response_action="update", view={**MODAL, "callback_id": "form"})
        else:
            await ack()

    async def _command(self, ack: Any, body: dict[str, Any]) -> None:
        self.got["command"] = body
        await ack(f"You wrote {body['text']}")


@pytest.fixture(params=["http", "socket"])
async def echo(request: pytest.FixtureRequest, slack: FakeSlack) -> AsyncIterator[Echo]:
    app = Echo(slack)
    if request.param == "http":
        async with served(app.app.web_app(path="/slack/events")) as url:
            slack.events_url = url
            yield app
        return
    web_client = AsyncWebClient(APP_TOKEN, base_url=slack.api_url)
    handler = AsyncSocketModeHandler(app.app, APP_TOKEN, web_client=web_client)
    await handler.connect_async()
    yield app
    await handler.close_async()
    await handler.client.aiohttp_client_session.close()


class TestWithBolt:
    async def test_a_message_is_answered(self, slack: FakeSlack, echo: Echo, ana: User) -> None:
        body = await slack.says(ana.id, "a < b, ask bo@x.example or @ana.ruiz at https://x.example/?a=1")
        (answer,) = slack.dm(ana.id)
        asked = f"a &lt; b, ask <mailto:bo@x.example|bo@x.example> or <@{ana.id}> at <https://x.example/?a=1>"
        assert answer["text"] == f"You said {asked}"
        event = echo.got["message"]["event"]
        assert (event["channel_type"], event["team"]) == ("im", TEAM)
        assert event["client_msg_id"]
        assert body["authorizations"][0]["team_id"] == body["team_id"] == TEAM

    async def test_a_mention_is_answered(
        self, slack: FakeSlack, echo: Echo, ana: User, room: Channel
    ) -> None:
        await slack.mentions(ana.id, room, "hello")
        assert len(slack.posted(room)) == 1
        assert "channel_type" not in echo.got["app_mention"]["event"]

    async def test_a_press_carries_what_was_filled_in_and_opens_a_form(
        self, slack: FakeSlack, echo: Echo, ana: User
    ) -> None:
        await slack.says(ana.id, "hello")
        (card,) = slack.dm(ana.id)
        with pytest.raises(AssertionError, match="no button 'No'"):
            await slack.clicks(ana.id, card, "No")
        done = await slack.clicks(ana.id, card, "Yes", {"why": "I need it"})
        assert (done.status, slack.errors) == (200, [])
        body = echo.got["press"]
        assert body["user"] == {
            "id": ana.id,
            "username": "ana.ruiz",
            "name": "ana.ruiz",
            "team_id": TEAM,
        }
        assert body["message"]["ts"] == body["container"]["message_ts"] == card["ts"]
        assert body["channel"] == {"id": card_channel(slack, ana), "name": "directmessage"}
        assert body["state"]["values"]["why"]["value"] == {"type": "plain_text_input", "value": "I need it"}
        (action,) = body["actions"]
        assert (action["action_id"], action["value"], action["type"]) == ("yes", "1", "button")
        (view,) = slack.modals(ana.id)
        assert view["blocks"][0]["element"]["initial_value"] == "because"
        await slack.chooses(ana.id, card, "later", f"{1:0150}")
        assert echo.got["press"]["actions"][0]["selected_option"]["value"] == f"{1:0150}"

    async def test_a_form_stays_open_until_it_is_taken(self, slack: FakeSlack, echo: Echo, ana: User) -> None:
        await slack.says(ana.id, "hello")
        await slack.clicks(ana.id, slack.dm(ana.id)[0], "Yes")
        assert await slack.submits(ana.id, {"why": "no"}) == {"why": "Say more."}
        assert await slack.submits(ana.id, {"why": "more"}) == {}
        (view,) = slack.modals(ana.id)
        assert "initial_value" not in view["blocks"][0]["element"], "it was replaced"
        with pytest.raises(AssertionError, match="no input"):
            await slack.submits(ana.id, {"other": "x"})
        assert await slack.submits(ana.id, {}) == {}
        assert not slack.modals(ana.id)
        assert echo.got["form"]["view"]["id"] == view["id"]
        await slack.clicks(ana.id, slack.dm(ana.id)[0], "Yes")
        await slack.submits(ana.id, {})
        values = echo.got["form"]["view"]["state"]["values"]
        assert values["why"]["value"]["value"] == "because", "what stood there at first comes back"

    async def test_a_command_is_answered_to_its_author_alone(
        self, slack: FakeSlack, echo: Echo, ana: User, room: Channel
    ) -> None:
        await slack.command(ana.id, "audit @ana.ruiz in #general", room)
        text = f"audit <@{ana.id}|ana.ruiz> in <#{room.id}|general>"
        assert echo.got["command"]["text"] == text
        assert [each["text"] for each in slack.ephemerals(ana.id)] == [f"You wrote {text}"]
        assert not slack.posted(room)

    async def test_the_home_page_is_shown(self, slack: FakeSlack, echo: Echo, ana: User) -> None:
        await slack.opens_home(ana.id)
        assert texts(slack.home(ana.id)) == "Hello"
        assert "view" not in echo.got["home"]
        await slack.opens_home(ana.id)
        assert echo.got["home"]["view"]["id"] == slack.home(ana.id)["id"]


def card_channel(slack: FakeSlack, user: User) -> str:
    return slack.state.direct(user.id).id


def test_what_is_chosen_at_first_comes_back_where_nothing_else_is() -> None:
    ticked = {"type": "checkboxes", "action_id": "t", "options": [OPTION], "initial_options": [OPTION]}
    blocks = [
        {**INPUT, "block_id": "menu", "element": select(2, initial_option=OPTION)},
        {**INPUT, "block_id": "ticks", "element": ticked},
    ]
    first = values(blocks, {})
    assert first["menu"]["s"]["selected_option"] == first["ticks"]["t"]["selected_options"][0] == OPTION
    other = values(blocks, {"menu": f"{1:0150}", "ticks": ""})
    assert other["menu"]["s"]["selected_option"]["value"] == f"{1:0150}"
    assert other["ticks"]["t"]["selected_options"] == []


class TestTriggersAndReplies:
    async def pressed(self, slack: FakeSlack, user: User, **message: Any) -> dict[str, Any]:
        """The payload of a press."""
        got: list[bytes] = []

        async def answer(request: web.Request, body: bytes) -> web.Response:
            got.append(body)
            return web.Response()

        posted = await call(
            slack, "chat.postMessage", channel=user.id, text="x", blocks=[actions(1)], **message
        )
        shown = slack.state.find(posted["channel"], posted["ts"])
        assert shown is not None
        async with answering(slack, answer):
            await slack.clicks(user.id, shown, "Yes")
        return json.loads(parse_qs(got[0].decode())["payload"][0])

    async def test_a_trigger_is_good_once_and_for_three_seconds(
        self, slack: FakeSlack, ana: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trigger = (await self.pressed(slack, ana))["trigger_id"]
        assert (await call(slack, "views.open", trigger_id=trigger, view=MODAL))["ok"]
        answer = await call(slack, "views.open", trigger_id=trigger, view=MODAL)
        assert answer["error"] == "exchanged_trigger_id"
        monkeypatch.setattr("tests.servers.slack.payloads.TRIGGER_S", 0.0)
        trigger = (await self.pressed(slack, ana))["trigger_id"]
        answer = await call(slack, "views.open", trigger_id=trigger, view=MODAL)
        assert answer["error"] == "expired_trigger_id"
        answer = await call(slack, "views.open", trigger_id="1.2.3", view=MODAL)
        assert answer["error"] == "invalid_trigger_id"

    async def test_an_address_to_reply_to_is_good_five_times_for_half_an_hour(
        self, slack: FakeSlack, ana: User
    ) -> None:
        url = (await self.pressed(slack, ana))["response_url"]
        (card,) = slack.dm(ana.id)
        assert await reply(url, text="for your eyes") == (200, "ok")
        assert slack.ephemerals(ana.id)[-1]["text"] == "for your eyes"
        assert await reply(url, text="for all", response_type="in_channel") == (200, "ok")
        assert slack.dm(ana.id)[-1]["text"] == "for all"
        assert await reply(url, text="instead", replace_original=True) == (200, "ok")
        assert (card["text"], "blocks" in card) == ("instead", False)
        assert (await reply(url, blocks=[{"type": "table"}]))[1] == "invalid_blocks"
        assert await reply(url, delete_original=True) == (200, "ok")
        assert card not in slack.dm(ana.id)
        assert await reply(url, text="once more") == (200, "ok")
        assert await reply(url, text="too often") == (404, "used_url")
        url = (await self.pressed(slack, ana))["response_url"]
        slack.reply_s = 0.0
        assert await reply(url, text="too late") == (404, "expired_url")

    async def test_a_view_is_changed_by_who_saw_it_last(self, slack: FakeSlack, ana: User) -> None:
        trigger = (await self.pressed(slack, ana))["trigger_id"]
        view = (await call(slack, "views.open", trigger_id=trigger, view=MODAL))["view"]
        seen = {"view_id": view["id"], "hash": view["hash"], "view": MODAL}
        assert (await call(slack, "views.update", **seen))["ok"]
        assert (await call(slack, "views.update", **seen))["error"] == "hash_conflict"
        assert (await call(slack, "views.update", view_id="V0", view=MODAL))["error"] == "not_found"
        home = (await call(slack, "views.publish", user_id=ana.id, view=HOME))["view"]
        publish = {"user_id": ana.id, "view": HOME, "hash": home["hash"]}
        assert (await call(slack, "views.publish", **publish))["ok"]
        assert (await call(slack, "views.publish", **publish))["error"] == "hash_conflict"

    async def test_a_message_as_it_stood_before_can_be_pressed(self, slack: FakeSlack, ana: User) -> None:
        await self.pressed(slack, ana)
        (card,) = slack.dm(ana.id)
        before = dict(card)
        await call(
            slack,
            "chat.update",
            channel=card_channel(slack, ana),
            ts=card["ts"],
            text="done",
            blocks=[SECTION],
        )
        assert not buttons(card)
        async with answering(slack, statuses(200)) as asked:
            with pytest.raises(AssertionError):
                await slack.clicks(ana.id, card, "Yes")
            await slack.clicks(ana.id, before, "Yes")
        assert len(asked) == 1


async def reply(url: str, **body: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as got:
        return got.status, await got.text()


class TestPeople:
    @pytest.mark.parametrize("kind", KINDS)
    async def test_each_kind_shows_in_its_own_way(self, slack: FakeSlack, kind: str) -> None:
        user = slack.add_user("who@x.example", "Who Ever", kind)
        shown = (await read(slack, "users.info", user=user.id))["user"]
        other = shown["team_id"] == ELSEWHERE
        names = ("is_restricted", "is_ultra_restricted", "is_bot", "is_stranger", "deleted")
        flags = {name for name in names if shown[name]}
        unsure = not shown["is_email_confirmed"]
        assert (flags, other, unsure) == {
            "member": (set(), False, False),
            "guest": ({"is_restricted"}, False, False),
            "single-channel guest": ({"is_restricted", "is_ultra_restricted"}, False, False),
            "bot": ({"is_bot"}, False, False),
            "stranger": ({"is_stranger"}, True, False),
            "deactivated": ({"deleted"}, False, False),
            "other workspace": (set(), True, False),
            "unconfirmed mail": (set(), False, True),
        }[kind]

    async def test_who_is_from_elsewhere_shows_it_in_what_they_write(self, slack: FakeSlack) -> None:
        them = slack.add_user("who@x.example", "Who Ever", "stranger")
        shared = slack.add_channel("with-them", them.id, shared=True)
        async with answering(slack, statuses(200)):
            body = await slack.mentions(them.id, shared, "hello")
        assert body["team_id"] == TEAM, "the envelope is for our workspace"
        assert body["is_ext_shared_channel"]
        assert {body["event"][name] for name in ("team", "user_team", "source_team")} == {ELSEWHERE}

    async def test_a_change_is_told_and_holds(self, slack: FakeSlack, ana: User) -> None:
        ana.mail, ana.name = "ceo@alderfinch.example", "The CEO"
        async with answering(slack, statuses(200)):
            body = await slack.changes(ana.id)
        assert body["event"]["type"] == "user_change"
        assert body["event"]["user"]["profile"]["email"] == "ceo@alderfinch.example"
        assert (await read(slack, "users.lookupByEmail", email="CEO@alderfinch.example"))["user"][
            "id"
        ] == ana.id
