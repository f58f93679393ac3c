"""Every route of the web desk x everything a foreign page could try."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Mount, Route

from bot.chat.web.listen import STATIC, web_app
from bot.chat.web.send import WebPlatform
from tests.chat.stub import People, Running, StubDesk, serving

BODIES = {
    "/api/session": {"person": "ana"},
    "/api/messages": {"text": "hello", "id": "message-0001"},
    "/api/presses": {"handle": "confirm:1", "message_id": "1", "id": "press-00001"},
    "/api/seen": {"conversation": "dm:ana", "message_id": 1},
}
OPEN = {"/", "/desk", "/favicon.ico", "/api/people", "/static/desk.js"}  # to anybody at this machine


def routes() -> list[tuple[str, str]]:
    """Method and path of all there is, asked from the app itself."""
    platform = WebPlatform("unused.sqlite")  # opened by the first call only
    app = web_app(platform, StubDesk(platform).receive, People(), lambda: True)
    found = []
    for route in app.routes:
        if isinstance(route, Mount):
            found.append(("GET", route.path + "/desk.js"))
        else:
            assert isinstance(route, Route)
            path = route.path.replace("{id}", "dm:ana")
            found += [(method, path) for method in route.methods or () if method != "HEAD"]
    return found


@pytest.fixture(scope="module")
def one_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture
def web(one_desk: Running) -> Running:
    """One desk for the whole matrix: nothing here may change it."""
    one_desk.desk.came_in.clear()
    return one_desk


ROUTES = routes()
WRITES = [(method, path) for method, path in ROUTES if method != "GET"]


def ask(web: Running, method: str, path: str, client: httpx2.Client, **headers: str) -> httpx2.Response:
    body = BODIES.get(path) if method == "POST" else None
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream(method, path, json=body, headers=given) as response:
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            next(response.iter_lines())
        else:
            response.read()
        return response


def test_the_matrix_knows_every_write() -> None:
    assert {path for method, path in WRITES if method == "POST"} == set(BODIES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8080",
        "0.0.0.0:8080",
        "[::2]:80",
        "a@127.0.0.1",
        "127.0.0.1:x",
    ],
)
def test_a_foreign_host_name_is_refused(web: Running, method: str, path: str, host: str) -> None:
    answer = ask(web, method, path, web.client("ana"), host=host, origin=f"http://{host}")
    assert answer.status_code == 421
    assert web.desk.came_in == []


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"origin": "https://127.0.0.1"},
        {"origin": "http://127.0.0.1.evil.example"},
        {"origin": ""},
        {"origin": "", "sec_fetch_site": "cross-site"},
        {"origin": "", "sec_fetch_site": "same-site"},
        {"origin": "", "sec_fetch_site": "none"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_only_our_own_pages_may_write(web: Running, method: str, path: str, headers: dict[str, str]) -> None:
    answer = ask(web, method, path, web.client("ana"), **headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert web.desk.came_in == []


def test_no_origin_at_all_is_not_ours(web: Running) -> None:
    answer = httpx2.post(web.url + "/api/session", json={"person": "ana"})
    assert answer.status_code == 403


def test_a_browser_that_sends_no_origin_but_says_same_origin_may_write(web: Running) -> None:
    answer = httpx2.post(
        web.url + "/api/session", json={"person": "ana"}, headers={"sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1].startswith("/api/")])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_may_not_read_either(web: Running, method: str, path: str, site: str) -> None:
    assert ask(web, method, path, web.client("ana"), sec_fetch_site=site).status_code == 403


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_session_there_is_nothing_to_see_or_do(web: Running, method: str, path: str) -> None:
    answer = ask(web, method, path, web.client())
    if path == "/desk":
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    elif path in OPEN or path == "/api/session":
        assert answer.status_code in {200, 204}
    else:
        assert answer.status_code == 401
    assert web.desk.came_in == []


@pytest.mark.parametrize("path", list(BODIES))
@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_only_json_is_read(web: Running, path: str, kind: str) -> None:
    answer = web.client("ana").post(path, content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("method", "path"), [*ROUTES, ("GET", "/nowhere"), ("PUT", "/api/messages"), ("GET", "/static/no.js")]
)
def test_every_answer_carries_the_strict_headers(web: Running, method: str, path: str) -> None:
    headers = ask(web, method, path, web.client("ana")).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
    assert "server" not in headers


def test_the_cookie_is_kept_from_scripts_and_other_sites(web: Running) -> None:
    answer = web.client().post("/api/session", json={"person": "ana"})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_files_outside_the_static_folder_are_not_served(web: Running) -> None:
    for path in (
        "/static/../listen.py",
        "/static/%2e%2e/listen.py",
        "/static/..%2flisten.py",
        "/static//etc/passwd",
    ):
        assert web.client("ana").get(path).status_code == 404


def test_two_host_headers_are_refused(web: Running) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=5) as raw:
        raw.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nHost: evil.example\r\n\r\n".encode())
        assert raw.recv(12) in {b"HTTP/1.1 400", b"HTTP/1.1 421"}


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.*")), ids=lambda file: file.name)
def test_the_pages_fetch_nothing_from_elsewhere_and_parse_no_markup(file: Path) -> None:
    text = file.read_text()
    elsewhere = re.findall(r"https?://(?!www\.w3\.org/)[\w.]+", text.replace("https?:\\/\\/", ""))
    assert elsewhere == []
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
    ):
        assert forbidden not in text
    if file.suffix == ".html":
        assert not re.search(r"\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|<style", text)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b'{"text": "x"}',
        b'{"text": 1, "id": "message-0001"}',
        b'{"text": "x", "id": "short"}',
        b'{"text": "x", "id": "message 0001"}',
        b'{"text": "x", "id": "message-0001", "account": "bo"}',
        b'{"text": "\\ud800", "id": "message-0001"}',
        b'{"text": NaN, "id": "message-0001"}',
        b'{"text": {"text": "x"}, "id": "message-0001"}',
    ],
)
@pytest.mark.parametrize("path", ["/api/messages", "/api/presses", "/api/session", "/api/seen"])
def test_a_body_that_makes_no_sense_is_a_bad_request(web: Running, path: str, body: bytes) -> None:
    answer = web.client("ana").post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert web.desk.came_in == []
