"""A look-up that an admin declared in a file: asked in one's own words, answered from the system, audited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from bot.app import actions_of, load_policies
from bot.settings import Settings
from bot.systems import CannotStart
from tests.command import Deskhand
from tests.house import MONDAY, Clock, House, house

ORDERS = {"AF-204711": {"status": "shipped", "delivery": {"on": "2026-11-30"}, "owner": "ana"}}


class Shop:
    """A system of orders, on loopback."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[dict[str, str]] = []
        self.delay_s = 0.0

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append({"path": request.path, **request.query})
        await asyncio.sleep(self.delay_s)
        order = ORDERS.get(request.path.rpartition("/")[2])
        if order is None or order["owner"] != request.query.get("who"):
            return web.json_response({"error": "no such order"}, status=404)
        return web.json_response(order)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    running = Shop()
    app = web.Application()
    app.router.add_get("/{path:.*}", running.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    running.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield running
    await runner.cleanup()


def folder_of(place: Path, port: int, **changed: Any) -> Path:
    folder = place / "lookups"
    folder.mkdir()
    said = {
        "name": "order_status",
        "title": "Where an order is",
        "phrases": ["where is my order {order}", "status of order {order}"],
        "slots": {
            "order": {
                "ask": 'Which order? Write "where is my order AF-204711".',
                "pattern": "[A-Z]{2}-[0-9]{6}",
            }
        },
        "url": f"http://127.0.0.1:{port}/orders/{{order}}?who={{me.account}}",
        "hosts": ["127.0.0.1"],
        "private": True,
        "timeout_s": 2,
        "says": "join(' ', ['It is', status])",
        "facts": {"Arrives": "delivery.on"},
        **changed,
    }
    (folder / "order_status.yaml").write_text(yaml.safe_dump(said))
    return folder


@asynccontextmanager
async def desk_with(place: Path, port: int, **changed: Any) -> AsyncIterator[House]:
    folder = folder_of(place, port, **changed)
    async with house(place / "data", clock=Clock.at(MONDAY), lookups=folder) as running:
        yield running
        assert not running.events("inbound.failed"), "a fault of ours"


@pytest.mark.parametrize(
    "words",
    [
        "where is my order AF-204711",
        "Where is my order AF-204711?",
        "hello, where is my order AF-204711 please",
        "wher is my order AF-204711",
        "status of order AF-204711!",
    ],
)
async def test_it_is_asked_in_ones_own_words_and_answered(shop: Shop, tmp_path: Path, words: str) -> None:
    async with desk_with(tmp_path, shop.port) as desk:
        await desk.says("ana", words)
        card = await desk.card("ana")
        assert (card.title, card.text) == ("Where an order is", "It is shipped")
        assert [(fact.label, fact.value) for fact in card.facts] == [("Arrives", "2026-11-30")]
        assert shop.asked == [{"path": "/orders/AF-204711", "who": "ana"}]
        (event,) = desk.events("lookup.answered")
        assert event["action"] == "order_status"
        assert event["data"]["decision"]["policies"] == ["own-data.look-ups"]
        assert event["data"]["understood"].startswith("phrase ")


async def test_somebody_elses_is_not_there(shop: Shop, tmp_path: Path) -> None:
    async with desk_with(tmp_path, shop.port) as desk:
        await desk.says("luis", "where is my order AF-204711")
        assert (await desk.card("luis")).text == "Nothing is known about that."
        assert shop.asked[0]["who"] == "luis"


async def test_what_is_missing_is_asked_for(shop: Shop, tmp_path: Path) -> None:
    async with desk_with(
        tmp_path, shop.port, phrases=["where is my order", "where is my order {order}"]
    ) as desk:
        await desk.says("ana", "where is my order?")
        assert "Which order?" in (await desk.card("ana")).text
        assert not shop.asked


async def test_other_words_go_their_usual_way(shop: Shop, tmp_path: Path) -> None:
    async with desk_with(tmp_path, shop.port) as desk:
        await desk.says("ana", "how many vacation days have I left?")
        assert "Vacation" in await desk.text("ana")
        await desk.says("ana", "I need figma for two weeks")
        assert "Figma" in await desk.text("ana")
        await desk.says("ana", "where is my order of things in life going")
        assert not shop.asked


async def test_a_system_that_is_down_or_slow_is_said_so(shop: Shop, tmp_path: Path) -> None:
    async with desk_with(tmp_path, shop.port, timeout_s=0.2) as desk:
        shop.delay_s = 1.0
        await desk.says("ana", "where is my order AF-204711")
        assert "cannot check" in (await desk.card("ana")).text


async def test_who_may_not_is_refused_by_the_rules(shop: Shop, tmp_path: Path) -> None:
    async with desk_with(tmp_path, shop.port) as desk:
        await desk.app.engine.freeze(await desk.id("ana"), "test", "test", on=True)
        await desk.says("ana", "where is my order AF-204711")
        assert (await desk.card("ana")).status == "Refused"
        assert not shop.asked, "and the system is not even asked"


async def test_one_that_cannot_be_used_stops_the_start_with_file_and_field(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"DESKHAND_LOOKUPS: order_status\.yaml: timeout_s"):
        async with desk_with(tmp_path, 1, timeout_s=99):
            pass


async def test_no_built_in_action_is_replaced(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="there is an action of that name already"):
        async with desk_with(tmp_path, 1, name="reset_password"):
            pass


def test_rules_that_do_not_speak_of_it_stop_the_start(tmp_path: Path) -> None:
    settings = Settings(lookups=folder_of(tmp_path, 1, policy="shop_orders"))
    registry = actions_of(settings)
    with pytest.raises(CannotStart, match="shop_orders"):
        load_policies(settings, registry)


def test_doctor_lists_them(tmp_path: Path) -> None:
    desk = Deskhand(tmp_path / "data", {"DESKHAND_LOOKUPS": str(folder_of(tmp_path, 1))})
    assert "look-ups       order_status" in desk.run("doctor").out
