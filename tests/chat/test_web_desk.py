"""The web desk over real sockets: who sees what, nothing twice, nothing missed, kind answers on bad days."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot.chat.card import Button, Card, Link
from bot.chat.inbound import InboundKind
from bot.chat.platform import MessageRef, Platform, PlatformDown, Unreachable
from bot.chat.web.guard import NotLoopback, check_host
from bot.chat.web.identity import REMEMBERED, Choice, Sessions
from bot.chat.web.live import WINDOWS_PER_ACCOUNT
from bot.chat.web.send import WebPlatform
from tests.chat.stub import HOSTILE, Running, approval_card, hostile_card, serving, waiting_card

CARD = Card(title="Hello")


def write(client: httpx2.Client, text: str, key: str = "message-0001") -> httpx2.Response:
    return client.post("/api/messages", json={"text": text, "id": key})


def read(client: httpx2.Client, conversation: str, **params: Any) -> dict[str, Any]:
    answer = client.get(f"/api/conversations/{conversation}/messages", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def events(response: httpx2.Response) -> Iterator[dict[str, Any]]:
    """The messages of a stream, each with the id of its event."""
    event: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        else:
            if "data" in event and "event" not in event:
                yield {"event_id": int(event["id"]), **json.loads(event["data"])}
            event = {}


# what a person writes


def test_what_a_person_writes_reaches_the_desk_and_the_reply_reaches_them(web: Running) -> None:
    ana = web.client("ana")
    answer = write(ana, "  hello\u202e there ")
    assert answer.json()["message"]["text"] == "hello there"
    inbound = web.desk.came_in[0]
    assert (inbound.platform, inbound.kind, inbound.account) == ("web", InboundKind.MESSAGE, "ana")
    assert (inbound.text, inbound.conversation, inbound.direct) == ("hello there", "dm:ana", True)
    mine, reply = read(ana, "dm:ana")["messages"]
    assert mine["mine"] is True
    assert mine["client"] == "message-0001"
    assert reply["card"]["title"] == "You said: hello there"


def test_the_same_message_again_is_one_message(web: Running) -> None:
    ana = web.client("ana")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: write(ana, "hello").status_code, range(24)))
    assert set(answers) == {200}
    assert len(web.desk.came_in) == 1
    assert len(read(ana, "dm:ana")["messages"]) == 2


def test_nobody_can_use_up_the_ids_of_another(web: Running) -> None:
    write(web.client("bo"), "first", "shared-id-01")
    assert write(web.client("ana"), "second", "shared-id-01").json()["duplicate"] is False
    assert [inbound.text for inbound in web.desk.came_in] == ["first", "second"]


def test_a_password_is_kept_nowhere(web: Running, tmp_path: Path) -> None:
    answer = write(web.client("ana"), "I am locked out, my password is Hunter2!xyz")
    assert "removed" in answer.json()["notice"]
    assert answer.json()["message"]["text"].endswith("my password is [removed]")
    for file in tmp_path.iterdir():
        own_words = file.read_bytes().replace(b"You said: I am locked out, my password is Hunter2!xyz", b"")
        assert b"Hunter2!xyz" not in own_words


def test_a_message_the_desk_cannot_take_is_marked_and_comes_again(web: Running) -> None:
    ana = web.client("ana")
    web.desk.broken = True
    refused = write(ana, "hello")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert "secret-detail" not in refused.text
    assert read(ana, "dm:ana")["messages"][0]["undelivered"] is True
    web.desk.broken = False
    assert write(ana, "hello").status_code == 200
    mine, reply = read(ana, "dm:ana")["messages"]
    assert mine["undelivered"] is False
    assert reply["card"]["title"] == "You said: hello"


@pytest.mark.parametrize("text", ["", "   \n ", "\u200b\u202e\x00"])
def test_nothing_to_say_is_refused_kindly(web: Running, text: str) -> None:
    answer = write(web.client("ana"), text)
    assert (answer.status_code, answer.json()) == (400, {"error": "Write something first."})


@pytest.mark.parametrize("length", [4_001, 200_000, 1_000_000])
def test_a_message_that_is_too_long_gets_a_kind_answer(web: Running, length: int) -> None:
    answer = write(web.client("ana"), "x" * length)
    assert answer.status_code == 413
    assert "4,000" in answer.json()["error"]
    assert web.desk.came_in == []


def test_a_body_without_a_declared_length_meets_the_same_cap(web: Running) -> None:
    ana = web.client("ana")
    pieces = (b"x" * 65_536 for _ in range(20))
    answer = ana.post("/api/messages", content=pieces, headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_a_body_declared_far_too_large_is_not_read(web: Running) -> None:
    head = (
        f"POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nOrigin: {web.url}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as raw:
        raw.sendall(head.encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


# pressing


def test_a_press_says_who_pressed_what_on_which_card(web: Running) -> None:
    bo = web.client("bo")
    ref = web.send("approvals", approval_card(), "one")
    body = {
        "handle": "approve:1",
        "fields": {"reason": "ok\u202e"},
        "message_id": ref.message_id,
        "id": "press-00001",
    }
    ack = bo.post("/api/presses", json=body).json()
    inbound = web.desk.came_in[0]
    assert (inbound.kind, inbound.account, inbound.conversation) == (InboundKind.PRESS, "bo", "approvals")
    assert (inbound.handle, inbound.fields, inbound.direct) == ("approve:1", {"reason": "ok"}, False)
    assert inbound.message_id == ref.message_id
    assert ack["card"]["status"] == "Approved"
    assert read(web.client("ana"), "approvals")["messages"][0]["card"]["status"] == "Approved"
    assert bo.post("/api/presses", json=body).json()["duplicate"] is True


def test_the_errors_of_a_form_come_back_by_field(web: Running) -> None:
    ana = web.client("ana")
    write(ana, "form")
    card = read(ana, "dm:ana")["messages"][-1]
    body = {
        "handle": "submit:1",
        "message_id": str(card["id"]),
        "id": "press-00001",
        "fields": {"reason": "no"},
    }
    assert list(ana.post("/api/presses", json=body).json()["errors"]) == ["reason"]


@pytest.mark.parametrize("message_id", ["999", "0", "-1", "x", "", "1e3", "٣", "9" * 20])
def test_a_press_on_no_card_is_refused(web: Running, message_id: str) -> None:
    body = {"handle": "confirm:1", "message_id": message_id, "id": "press-00001"}
    assert web.client("ana").post("/api/presses", json=body).status_code == 404
    assert web.desk.came_in == []


# who sees what


def test_another_persons_conversation_is_not_there(web: Running) -> None:
    ref = web.send("dm:bo", waiting_card(), "one")
    ana = web.client("ana")
    assert ana.get("/api/conversations/dm:bo/messages").status_code == 404
    assert ana.get("/api/conversations/dm:/messages").status_code == 404
    press = {"handle": "cancel:2", "message_id": ref.message_id, "id": "press-00001"}
    assert ana.post("/api/presses", json=press).status_code == 404
    seen = {"conversation": "dm:bo", "message_id": 1}
    assert ana.post("/api/seen", json=seen).status_code == 404
    with ana.stream("GET", "/api/events", params={"after": 0}) as stream:
        web.send("approvals", CARD, "two")
        assert next(events(stream))["conversation"] == "approvals"
    assert web.desk.came_in == []


def test_approvals_are_shown_to_those_who_may_read_them(web: Running) -> None:
    ref = web.send("approvals", approval_card(), "one")
    cleo = web.client("cleo")
    assert [room["id"] for room in cleo.get("/api/me").json()["conversations"]] == ["dm:cleo"]
    assert cleo.get("/api/conversations/approvals/messages").status_code == 404
    body = {"handle": "approve:1", "message_id": ref.message_id, "id": "press-00001"}
    assert cleo.post("/api/presses", json=body).status_code == 404


def test_two_windows_of_one_browser_can_be_two_people(web: Running) -> None:
    browser = web.client("ana")
    browser.post("/api/session", json={"person": "bo"})
    assert browser.get("/api/me").json()["name"] == "Bo Lind"
    assert browser.get("/api/me", params={"as": "ana"}).json()["name"] == "Ana Ruiz"
    assert browser.get("/api/me", params={"as": "dan"}).status_code == 401
    browser.delete("/api/session", params={"as": "bo"})
    assert browser.get("/api/me").json()["name"] == "Ana Ruiz"
    browser.delete("/api/session")
    assert browser.get("/api/me").status_code == 401


def test_somebody_who_left_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.chat.web.identity.ROSTER_SECONDS", 0.0)
    with serving(tmp_path) as web:
        ana = web.client("ana")
        with ana.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()
            next(lines)
            web.people.all = [choice for choice in web.people.all if choice.account != "ana"]
            web.send("dm:ana", CARD, "one")
            list(lines)  # the stream ends by itself
        assert ana.get("/api/me").status_code == 401
        assert write(ana, "hello").status_code == 401
        assert web.client().post("/api/session", json={"person": "ana"}).status_code == 404


def test_a_session_survives_a_restart_and_a_made_up_one_does_not(tmp_path: Path) -> None:
    with serving(tmp_path) as web:
        port = web.port
        ana = web.client("ana")
        cookie = ana.cookies[f"deskhand_{port}"]
        write(ana, "hello")
    with serving(tmp_path, port=port) as web:
        ana = web.client()
        ana.cookies[f"deskhand_{port}"] = cookie
        assert ana.get("/api/me").json()["account"] == "ana"
        assert len(read(ana, "dm:ana")["messages"]) == 2
        payload, _, signature = cookie.partition(".")
        other = Sessions(b"another key").cookie(["ana"])
        for forged in (
            other,
            payload,
            f"{payload}.",
            f"{payload[:-2]}.{signature}",
            "é.é",
            ".",
            "a.b",
            "x" * 5000,
        ):
            answer = httpx2.get(
                web.url + "/api/me", headers={b"cookie": f"deskhand_{port}={forged}".encode()}
            )
            assert answer.status_code == 401


def test_a_cookie_remembers_a_few_people_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(b"key")
    cookie = sessions.cookie([f"person {n}" for n in range(30)])
    assert len(sessions.accounts(cookie)) == REMEMBERED
    later = time.time() + 31 * 24 * 3600
    monkeypatch.setattr("bot.chat.web.identity.time.time", lambda: later)
    assert sessions.accounts(cookie) == ()


# live


def test_every_window_hears_of_a_new_message_and_of_its_change(web: Running) -> None:
    windows = [web.client("ana").stream("GET", "/api/events"), web.client("bo").stream("GET", "/api/events")]
    with windows[0] as first, windows[1] as second:
        heard = [events(first), events(second)]
        ref = web.send("approvals", approval_card(), "one")
        assert [next(each)["card"]["status"] for each in heard] == ["Needs your decision"] * 2
        web.update(ref, waiting_card())
        assert [next(each)["card"]["status"] for each in heard] == ["Waiting for Bo Lind"] * 2


def test_nothing_is_missed_between_two_connections(web: Running) -> None:
    ana = web.client("ana")
    first = web.send("dm:ana", CARD, "0")
    change = read(ana, "dm:ana")["change"]
    with ana.stream("GET", "/api/events", params={"after": change}) as stream:
        web.send("dm:ana", CARD, "1")
        last = next(events(stream))["event_id"]
    for key in range(2, 202):
        web.send("dm:ana", CARD, str(key))
    web.update(first, waiting_card())
    again = {"after": 0}  # what the browser said at first; Last-Event-ID is newer and wins
    with ana.stream("GET", "/api/events", params=again, headers={"last-event-id": str(last)}) as stream:
        heard = events(stream)
        missed = [next(heard) for _ in range(201)]
    assert [message["id"] for message in missed[:-1]] == list(range(3, 203))
    assert missed[-1]["id"] == int(first.message_id)
    assert missed[-1]["card"]["status"] == "Waiting for Bo Lind"


def test_a_hundred_senders_reach_a_window_in_order_and_once(web: Running) -> None:
    ana = web.client("ana")
    with ana.stream("GET", "/api/events") as stream, ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: web.send("dm:ana", CARD, str(n % 50)), range(100)))
        heard = events(stream)
        ids = [next(heard)["id"] for _ in range(50)]
    assert ids == sorted(set(ids))


def test_more_windows_than_are_served_are_told_so(web: Running) -> None:
    ana = web.client("ana")
    streams = [ana.stream("GET", "/api/events") for _ in range(WINDOWS_PER_ACCOUNT)]
    opened = [stream.__enter__() for stream in streams]
    lines_of = [stream.iter_lines() for stream in opened]
    for lines in lines_of:
        next(lines)
    with ana.stream("GET", "/api/events") as one_more:
        assert "event: refused" in list(one_more.iter_lines())
    for stream in streams:
        stream.__exit__(None, None, None)
    deadline = time.monotonic() + 5
    while True:  # those that were closed are free again
        with ana.stream("GET", "/api/events") as later:
            lines = later.iter_lines()
            if [next(lines), next(lines)][1] == "event: hello":
                break
        assert time.monotonic() < deadline


def test_an_idle_stream_is_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.chat.web.listen.HEARTBEAT_SECONDS", 0.02)
    with serving(tmp_path) as web, web.client("ana").stream("GET", "/api/events") as stream:
        assert any(line == ": still here" for line in stream.iter_lines())


def test_the_server_stops_at_once_with_windows_open(tmp_path: Path) -> None:
    with serving(tmp_path) as web:
        stream = web.client("ana").stream("GET", "/api/events")
        next(stream.__enter__().iter_lines())
        began = time.monotonic()
    assert time.monotonic() - began < 2
    stream.__exit__(None, None, None)


def test_unread_counts_what_others_wrote_since_it_was_seen(web: Running) -> None:
    ana = web.client("ana")

    def unread() -> list[int]:
        return [room["unread"] for room in ana.get("/api/me").json()["conversations"]]

    write(ana, "hello")
    web.send("approvals", CARD, "one")
    ref = web.send("approvals", CARD, "two")
    assert unread() == [1, 2]
    ana.post("/api/seen", json={"conversation": "approvals", "message_id": int(ref.message_id)})
    ana.post("/api/seen", json={"conversation": "approvals", "message_id": 1})  # seeing never goes back
    assert unread() == [1, 0]


def test_older_messages_come_page_by_page(web: Running) -> None:
    ana = web.client("ana")
    for key in range(120):
        web.send("dm:ana", CARD, str(key))
    newest = read(ana, "dm:ana")
    middle = read(ana, "dm:ana", before=newest["messages"][0]["id"])
    oldest = read(ana, "dm:ana", before=middle["messages"][0]["id"])
    ids = [m["id"] for page in (oldest, middle, newest) for m in page["messages"]]
    assert ids == list(range(1, 121))
    assert [newest["more"], middle["more"], oldest["more"]] == [True, True, False]
    for bad in ("x", "-1", "1.5", "9" * 30):
        assert ana.get("/api/conversations/dm:ana/messages", params={"before": bad}).status_code == 400


# the platform


async def test_a_key_is_sent_once_in_a_conversation(tmp_path: Path) -> None:
    platform = WebPlatform(tmp_path / "messages.sqlite")
    contract: Platform = platform
    first = await contract.send("approvals", CARD, key="REQ-1")
    assert await contract.send("approvals", Card(title="Other"), key="REQ-1") == first
    assert await contract.send("dm:ana", CARD, key="REQ-1") != first
    await platform.close()


async def test_there_is_no_way_to_a_conversation_that_cannot_be(tmp_path: Path) -> None:
    platform = WebPlatform(tmp_path / "messages.sqlite")
    for conversation in ("", "general", "dm:", "dm", "approvals2"):
        with pytest.raises(Unreachable):
            await platform.send(conversation, CARD, key="one")
    for account in ("", "x" * 101):
        with pytest.raises(Unreachable):
            await platform.direct(account)
    sent = await platform.send("dm:ana", CARD, key="one")
    for ref in (MessageRef("web", "dm:ana", "77"), MessageRef("web", "dm:bo", sent.message_id)):
        with pytest.raises(Unreachable):
            await platform.update(ref, CARD)
    await platform.close()


async def test_a_store_that_does_not_answer_is_a_platform_that_is_down(tmp_path: Path) -> None:
    platform = WebPlatform(tmp_path / "nowhere" / "messages.sqlite")
    with pytest.raises(PlatformDown):
        await platform.send("approvals", CARD, key="one")
    (tmp_path / "nowhere").mkdir()
    await platform.send("approvals", CARD, key="one")
    await platform.close()


def test_a_locked_store_hangs_nobody_else_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.web.store.BUSY_SECONDS", 0.5)
    with serving(tmp_path) as web:
        ana = web.client("ana")
        lock = sqlite3.connect(tmp_path / "messages.sqlite", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        waiting = threading.Thread(target=write, args=(ana, "hello"))
        waiting.start()
        began = time.monotonic()
        assert httpx2.get(web.url + "/static/desk.css").status_code == 200
        assert time.monotonic() - began < 0.4
        answer = write(ana, "hello", "message-0002")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        waiting.join()
        lock.execute("ROLLBACK")
        lock.close()
        assert write(ana, "hello", "message-0002").status_code == 200


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_in_every_field_arrive_as_plain_bounded_text(web: Running, words: str) -> None:
    web.send("dm:ana", hostile_card(words), "one")
    answer = web.client("ana").get("/api/conversations/dm:ana/messages")
    card = answer.json()["messages"][0]["card"]
    shown = [card["title"], card["text"], card["status"], card["footer"], card["facts"][0]["value"]]
    assert all(len(text) <= 4000 for text in shown)
    assert not any(set(text) & set("\u202e\u2066\u200b\ufeff\x00\x1b\x9b") for text in shown)
    assert card["links"] == []
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://desk.example.com/reveal/x", True),
        ("http://127.0.0.1:8080/reveal/x", True),
        ("/reveal/x", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example/", False),
        ("/\\evil.example/", False),
        ("https:evil.example", False),
        ("http://[evil", False),
        ("", False),
    ],
)
def test_only_web_addresses_become_links(web: Running, url: str, kept: bool) -> None:
    web.send("dm:ana", Card(title="x", links=(Link(label="Open", url=url),)), "one")
    links = read(web.client("ana"), "dm:ana")["messages"][0]["card"]["links"]
    assert [link["url"] for link in links] == ([url] if kept else [])


def test_handles_and_names_are_never_changed(web: Running) -> None:
    card = Card(title="x", buttons=(Button(label="Go", handle="h" * 64),))
    web.send("dm:ana", card, "one")
    assert read(web.client("ana"), "dm:ana")["messages"][0]["card"]["buttons"][0]["handle"] == "h" * 64


def test_until_the_desk_is_ready_it_says_when_to_come_again(web: Running) -> None:
    ana = web.client("ana")
    web.ready.clear()
    for answer in (ana.get("/api/me"), ana.get("/api/people"), ana.get("/api/events"), write(ana, "hello")):
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
    assert web.desk.came_in == []


def test_people_are_offered_with_what_tells_them_apart(web: Running) -> None:
    web.people.all = [Choice("x", "A\u202eB", "T" * 500, "D")]
    person = web.client().get("/api/people").json()["people"][0]
    assert person == {"account": "x", "name": "AB", "title": "T" * 99 + "…", "department": "D"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"])
def test_loopback_is_served(host: str) -> None:
    assert check_host(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "192.168.1.5", "desk.example.com", "localhost.example.com"],  # noqa: S104 - refused, not bound
)
def test_any_other_address_is_refused_by_name(host: str) -> None:
    with pytest.raises(NotLoopback, match="DESKHAND_HOST"):
        check_host(host)
