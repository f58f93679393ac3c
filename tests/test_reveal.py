"""The page that shows a new credential: once, in time, with the code, and to nobody who guesses."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.house import MONDAY, Clock, House, house


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), requests_per_minute=1000) as running:
        yield running


@pytest.fixture
async def browser(desk: House) -> AsyncIterator[httpx2.AsyncClient]:
    async with desk.browser() as page:
        yield page


async def ready(desk: House) -> tuple[str, str]:
    """Link and code of a reset that was approved."""
    await desk.asks("ana", "I forgot my password, please reset it")
    await desk.press("bo", "Approve", {"spoke": "yes"})
    return await desk.link("ana"), await desk.code("bo")


def held(desk: House) -> int:
    with desk.app.office.database.read() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM sealed").scalar_one())


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def test_it_is_shown_once(desk: House, browser: httpx2.AsyncClient) -> None:
    address, code = await ready(desk)
    first = await browser.post(address, data={"code": code})
    assert first.status_code == 200
    assert "<code>" in first.text
    assert held(desk) == 0
    for again in (await browser.post(address, data={"code": code}), await browser.get(address)):
        assert again.status_code == 410
        assert "<code>" not in again.text
    assert [event["kind"] for event in desk.events("credential.")] == ["credential.shown"]


async def test_the_link_alone_opens_nothing(desk: House, browser: httpx2.AsyncClient) -> None:
    address, code = await ready(desk)
    for _ in range(20):
        page = await browser.get(address)
        assert page.status_code == 200
        assert "<code>" not in page.text
        assert (await browser.head(address)).status_code == 200
    assert held(desk) == 1, "looking costs nothing: chats fetch links for a preview"
    assert (await browser.post(address, data={"code": code})).status_code == 200


async def test_five_wrong_codes_destroy_it(desk: House, browser: httpx2.AsyncClient) -> None:
    address, code = await ready(desk)
    for left in (4, 3, 2, 1):
        page = await browser.post(address, data={"code": wrong(code)})
        assert page.status_code == 403
        assert f"{left} tries are left" in page.text
    assert (await browser.post(address, data={"code": wrong(code)})).status_code == 410
    assert held(desk) == 0
    assert (await browser.post(address, data={"code": code})).status_code == 410, "the right one is too late"
    await desk.app.engine.finish()
    assert "wrong too often" in await desk.heard("ana")
    assert [event["kind"] for event in desk.events("credential.")] == [
        *["credential.wrong_code"] * 4,
        "credential.locked",
    ]


async def test_it_is_destroyed_when_its_time_is_over(desk: House, browser: httpx2.AsyncClient) -> None:
    address, code = await ready(desk)
    desk.clock.forward(minutes=10, seconds=1)
    assert (await browser.post(address, data={"code": code})).status_code == 410, "even before the job comes"
    await desk.settle()
    assert held(desk) == 0
    assert "was not looked at in time" in await desk.heard("ana")
    assert [event["kind"] for event in desk.events("credential.")] == ["credential.expired"]


@pytest.mark.parametrize(
    "body", ["", "code=", "code=x", "code=%00", "code=%ff%fe", "code=１２３４５６", "&&&&&&&&"]
)
async def test_what_is_no_code_is_wrong_and_never_an_error(
    desk: House, browser: httpx2.AsyncClient, body: str
) -> None:
    address, _ = await ready(desk)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    page = await browser.post(address, content=body.encode(), headers=headers)
    assert page.status_code == 403
    assert "<code>" not in page.text


async def test_a_huge_body_is_not_read(desk: House, browser: httpx2.AsyncClient) -> None:
    address, code = await ready(desk)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield f"code={code}&x=".encode()
        for _ in range(1_000):
            sent += 1_000
            yield b"x" * 1_000

    page = await browser.post(address, content=endless())
    assert page.status_code == 403
    assert held(desk) == 1


async def test_tokens_are_not_guessed(desk: House, browser: httpx2.AsyncClient) -> None:
    address, code = await ready(desk)
    token = address.rsplit("/", 1)[1]
    assert len(token) >= 32
    assert token not in desk.request().model_dump_json()
    guesses = [secrets.token_urlsafe(24) for _ in range(50)]
    guesses += [token[:-1], token + "A", token.swapcase(), desk.request().ref, "%00", "'", "%25"]
    for guess in guesses:
        page = await browser.post(f"/reveal/{guess}", data={"code": code})
        assert page.status_code in (404, 410), guess
        assert (await browser.get(f"/reveal/{guess}")).status_code in (404, 410)
    assert held(desk) == 1
    assert not desk.events("credential.")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_do_nothing(desk: House, browser: httpx2.AsyncClient, method: str) -> None:
    address, code = await ready(desk)
    page = await browser.request(method, address, data={"code": code})
    assert page.status_code == 405
    assert held(desk) == 1


async def test_no_browser_and_no_proxy_keeps_the_page(desk: House, browser: httpx2.AsyncClient) -> None:
    address, code = await ready(desk)
    pages = [
        await browser.get(address),
        await browser.post(address, data={"code": wrong(code)}),
        await browser.post(address, data={"code": code}),
        await browser.get(address),
    ]
    assert [page.status_code for page in pages] == [200, 403, 200, 410]
    for page in pages:
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in page.text
        kept = page.headers.get(
            "Set-Cookie", "HttpOnly; SameSite=lax"
        )  # a random value, to know the browser by
        assert "HttpOnly" in kept
        assert "SameSite=lax" in kept


async def test_before_it_was_set_there_is_nothing_to_see(desk: House, browser: httpx2.AsyncClient) -> None:
    await desk.asks("ana", "I forgot my password, please reset it")
    with desk.app.office.database.read() as conn:
        assert not conn.exec_driver_sql("SELECT 1 FROM sealed").all(), "nothing exists before the approval"


async def test_it_survives_a_restart_and_still_ends_in_time(tmp_path: Path) -> None:
    async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as before:
        address, code = await ready(before)
    async with house(tmp_path / "data", clock=Clock.at(MONDAY)) as after, after.browser() as browser:
        assert (await browser.post(address, data={"code": code})).status_code == 200


async def test_two_at_once_see_it_once(desk: House) -> None:
    address, code = await ready(desk)
    shown = []
    for reader in (desk.browser(), desk.browser(), desk.browser()):
        async with reader:
            shown.append((await reader.post(address, data={"code": code})).status_code)
    assert sorted(shown) == [200, 410, 410]
