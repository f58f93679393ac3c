"""The web desk behind a sign-in, under its public name: sessions that end, and nobody who chooses."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx2
import pytest

from bot.chat.web.guard import NotLoopback
from bot.procedures.proofs import CALLBACK
from integrations.contract import Status
from tests.command import free_port
from tests.house import House, house
from tests.servers.certificates import Certificates
from tests.servers.openid import FakeOpenId
from tests.sign_in_house import Visitor, provider, signing

PUBLIC = "https://desk.alderfinch.example"
HELLO = {"text": "how many vacation days have I left?", "id": "0123456789abcdef"}


@pytest.fixture
def idp() -> Iterator[FakeOpenId]:
    with provider() as server:
        yield server


@pytest.fixture(params=[PUBLIC, ""], ids=["public", "loopback"])
async def desk(request: pytest.FixtureRequest, idp: FakeOpenId, tmp_path: Path) -> AsyncIterator[House]:
    async with signing(tmp_path / "data", idp, public_url=request.param, quarantine=timedelta(0)) as running:
        yield running


async def enters(browser: Visitor, login: str) -> httpx2.Response:
    """Signs in at the desk's own front page."""
    assert (await browser.client.get("/")).status_code in (200, 303)
    away = await browser.client.get("/sign-in/desk")
    assert away.status_code == 303
    return await browser.comes_back(browser.answer(login, away.headers["location"]))


def ours(browser: Visitor, csrf: str = "") -> dict[str, str]:
    """What our own page sends along."""
    origin = browser.desk.app.settings.url
    return {"origin": origin, **({"x-csrf-token": csrf} if csrf else {})}


def at(moment: float) -> Any:
    """The desk's clock, in Unix seconds."""
    return mock.patch("bot.chat.web.door.time.time", return_value=moment)


async def csrf_of(browser: Visitor) -> str:
    return str((await browser.client.get("/api/me")).json()["csrf"])


async def test_people_sign_in_and_are_themselves(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser:
        front = await browser.client.get("/")
        assert "Sign in" in front.text
        assert "Who are you today" not in front.text
        opened = await enters(browser, "ana")
        assert 'content="0;url=/desk"' in opened.text, "our own page opens it: the cookie is a strict one"
        me = (await browser.client.get("/api/me")).json()
        assert me["name"] == "Ana Ruiz"
        csrf = me["csrf"]
        said = await browser.client.post("/api/messages", json=HELLO, headers=ours(browser, csrf))
        assert said.status_code == 200
        assert "Vacation" in await desk.text("ana")
        assert (await browser.client.get("/")).headers["location"] == "/desk"


async def test_the_cookie_is_nobody_elses_to_send_or_read(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser:
        cookie = (await enters(browser, "ana")).headers["set-cookie"]
        name = cookie.partition("=")[0]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        secure = desk.app.settings.url.startswith("https")
        assert ("Secure" in cookie) == secure
        assert name.startswith("__Host-") == secure


async def test_nobody_chooses_who_they_are(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser:
        assert (await browser.client.get("/api/people")).status_code == 404
        chosen = await browser.client.post(
            "/api/session", json={"person": await desk.id("mei")}, headers=ours(browser)
        )
        assert chosen.status_code == 404
        for path in ("/api/me", "/api/events", "/api/conversations/approvals/messages"):
            assert (await browser.client.get(path)).status_code == 401
        await enters(browser, "ana")
        mei = await desk.id("mei")
        assert (await browser.client.get(f"/api/me?as={mei}")).status_code == 401
        assert (await browser.client.get(f"/api/conversations/dm:{mei}/messages")).status_code == 404


async def test_whatever_changes_something_comes_from_our_page(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser:
        await enters(browser, "ana")
        csrf = await csrf_of(browser)
        async with Visitor.of(desk, idp) as another:
            await enters(another, "ana")
            theirs = await csrf_of(another)
        assert csrf != theirs
        for headers in (
            ours(browser),
            ours(browser, "0" * 64),
            ours(browser, theirs),
            {"origin": "https://evil.example", "x-csrf-token": csrf},
            {"x-csrf-token": csrf},
        ):
            for method, path, body in (
                ("POST", "/api/messages", HELLO),
                ("POST", "/api/presses", {"handle": "0" * 32, "message_id": "1", "id": "0" * 16}),
                ("POST", "/api/seen", {"conversation": "x", "message_id": 1}),
                ("DELETE", "/api/session", None),
            ):
                refused = await browser.client.request(method, path, json=body, headers=headers)
                assert refused.status_code == 403, (headers, method, path)
        assert (await browser.client.get("/api/me")).status_code == 200


async def test_a_session_ends_when_it_is_left_alone_and_when_it_is_long(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser:
        await enters(browser, "ana")
        now = time.time()
        with at(now + 14 * 60):
            assert (await browser.client.get("/api/me")).status_code == 200
        with at(now + 28 * 60):
            assert (await browser.client.get("/api/me")).status_code == 200, "it was used meanwhile"
        with at(now + 44 * 60):
            assert (await browser.client.get("/api/me")).status_code == 401
        assert (await browser.client.get("/api/me")).status_code == 401, "what ended has ended"
        await enters(browser, "ana")
        for quarters in range(1, 35):
            with at(now + quarters * 14 * 60):
                await browser.client.get("/api/me")
        kept = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
        async with desk.browser() as stubborn:  # a browser that keeps it for longer than it was told
            with at(now + 8 * 3600 - 60):
                assert (await stubborn.get("/api/me", headers={"cookie": kept})).status_code == 200
            with at(now + 8 * 3600 + 60):
                late = await stubborn.get("/api/me", headers={"cookie": kept})
                assert late.status_code == 401, "a working day at most"


async def test_signing_out_ends_it_here_and_a_stolen_cookie_with_it(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser, Visitor.of(desk, idp) as thief:
        await enters(browser, "ana")
        thief.client.cookies = httpx2.Cookies(browser.client.cookies)
        assert (await thief.client.get("/api/me")).status_code == 200
        csrf = await csrf_of(browser)
        assert (await browser.client.delete("/api/session", headers=ours(browser, csrf))).status_code == 204
        assert (await browser.client.get("/api/me")).status_code == 401
        assert (await thief.client.get("/api/me")).status_code == 401


async def test_signing_in_again_is_another_session(desk: House, idp: FakeOpenId) -> None:
    """Nobody can plant one of their own."""
    async with Visitor.of(desk, idp) as browser:
        first = (await enters(browser, "ana")).headers["set-cookie"]
        second = (await enters(browser, "ana")).headers["set-cookie"]
        assert first.partition(";")[0] != second.partition(";")[0]
        name, _, value = first.partition(";")[0].partition("=")
        browser.client.cookies.clear()
        browser.client.cookies.set(name, value)
        assert (await browser.client.get("/api/me")).status_code == 401


async def test_who_left_is_out_and_who_is_unknown_never_in(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser:
        idp.idp.accounts["mallory"] = {"sub": "op|mallory", "employee_uuid": "nobody"}
        assert (await enters(browser, "mallory")).status_code == 403
        assert (await browser.client.get("/api/me")).status_code == 401
        await enters(browser, "ana")
        await desk.hr.set_status(await desk.id("ana"), Status.LEFT)
        with mock.patch("bot.chat.web.identity.ROSTER_SECONDS", 0.0):
            assert (await browser.client.get("/api/me")).status_code == 401
            assert (await browser.client.get("/")).status_code == 200, (
                "and the front page does not send them back"
            )
            await desk.hr.set_status(await desk.id("ana"), Status.ACTIVE)
            assert (await browser.client.get("/api/me")).status_code == 401, "the session is over for good"


async def test_it_answers_under_its_own_names_only(desk: House, idp: FakeOpenId) -> None:
    async with Visitor.of(desk, idp) as browser:
        for host in ("evil.example", "desk.alderfinch.example.evil.example", "10.0.0.1:8080"):
            assert (await browser.client.get("/", headers={"host": host})).status_code == 421
        public = desk.app.settings.url == PUBLIC
        known = await browser.client.get("/", headers={"host": "desk.alderfinch.example"})
        assert (known.status_code == 200) == public


async def test_a_session_outlives_a_restart_and_no_token_is_kept(idp: FakeOpenId, tmp_path: Path) -> None:
    async with signing(tmp_path / "data", idp) as desk, Visitor.of(desk, idp) as browser:
        await enters(browser, "ana")
        cookies = httpx2.Cookies(browser.client.cookies)
    values = [value.encode() for value in cookies.values()]
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or not any(value in file.read_bytes() for value in values), file.name
    async with signing(tmp_path / "data", idp) as desk, Visitor.of(desk, idp) as browser:
        browser.client.cookies = cookies
        assert (await browser.client.get("/api/me")).json()["name"] == "Ana Ruiz"


async def test_with_certificate_files_it_speaks_tls_by_itself(idp: FakeOpenId, tmp_path: Path) -> None:
    port, made = free_port(), Certificates.make(tmp_path / "tls")
    settings: dict[str, Any] = {
        "host": "0.0.0.0",  # noqa: S104  the test of that
        "port": port,
        "public_url": f"https://localhost:{port}",
        "tls_cert": made.cert_file,
        "tls_key": made.key_file,
    }
    async with signing(tmp_path / "data", idp, **settings) as desk:
        server = desk.app.server()
        serving = asyncio.create_task(server.serve())
        await desk.until(lambda: server.started)
        trusting = ssl.create_default_context(cafile=made.ca_file)
        async with httpx2.AsyncClient(verify=trusting, base_url=settings["public_url"]) as client:
            front = await client.get("/")
            assert "Sign in" in front.text
            assert front.headers["strict-transport-security"].startswith("max-age=")
            away = await client.get("/sign-in/desk")
            back = await client.get(CALLBACK, params=idp.idp.code_for("ana", str(away.headers["location"])))
            assert "__Host-deskhand=" in back.headers["set-cookie"]
            assert (await client.get("/api/me")).json()["name"] == "Ana Ruiz"
        async with httpx2.AsyncClient(base_url=f"http://localhost:{port}") as plain:
            with pytest.raises(httpx2.TransportError):
                await plain.get("/")
        server.should_exit = True
        await serving


async def test_whoever_begins_a_thousand_times_keeps_nobody_out(
    idp: FakeOpenId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.proofs.MOST_AWAY", 3)
    async with signing(tmp_path / "data", idp) as desk, Visitor.of(desk, idp) as browser:
        await desk.asks("ana", "I need access to production deploy for 1 day")
        url = await desk.link("bo")
        begun = await browser.leaves(url)
        for _ in range(8):
            assert (await browser.client.get("/sign-in/desk")).status_code == 303
        with desk.app.office.database.read() as conn:
            away = conn.exec_driver_sql("SELECT what, count(*) FROM sign_ins GROUP BY what").all()
        assert sorted(count for _, count in away) == [1, 3], "and fills no disk"
        assert (await browser.comes_back(browser.answer("bo", begun))).status_code == 303
        assert (await enters(browser, "ana")).status_code == 200


async def test_without_a_sign_in_it_stays_on_this_machine(tmp_path: Path) -> None:
    with pytest.raises(NotLoopback, match=r"sign-in\.md"):
        async with house(tmp_path / "data", host="192.0.2.1", public_url=PUBLIC):
            pass
