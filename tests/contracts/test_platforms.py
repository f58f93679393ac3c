"""What must hold for every chat platform: cards once, every copy up to date, nobody taken for another.

A new platform brings a ``Place`` and one entry in ``platforms.PLATFORMS``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.chat.card import Button, Card, Fact, Quote
from bot.chat.inbound import Ack
from bot.chat.platform import MessageRef, PlatformDown, Unreachable
from bot.procedures.request import State
from tests.contracts.platforms import PLATFORMS, Place, message
from tests.house import MONDAY, Clock

CARD = Card(title="Title of it", text="What it says", facts=(Fact(label="Label", value="Value"),))
HOSTILE = [
    "<script>alert(1)</script>",
    "<!channel> <@U0BO>",
    "<https://evil.example|Approved by the CISO>",
    "*bold* _x_ `y`",
    "\u202eevil",
    "\x00\x07",
    "lone \ud800 half",
    "W" * 60_000,
    "",
]


@pytest.fixture(params=sorted(PLATFORMS))
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    async with PLATFORMS[request.param](tmp_path / "data", clock=Clock.at(MONDAY)) as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"


async def direct(place: Place, name: str = "ana") -> str:
    return await place.platform.direct(place.account(name, await place.house.id(name)))


class TestCards:
    async def test_a_card_is_shown_with_all_that_it_says(self, place: Place) -> None:
        where = await direct(place)
        card = CARD.model_copy(
            update={
                "status": "Waiting",
                "quotes": (Quote(label="Ana wrote", text="please"),),
                "buttons": (Button(label="Yes", handle="a" * 32),),
                "footer": "R-1",
            }
        )
        await place.platform.send(where, card, key="k")
        (shown,) = await place.shown(where)
        for said in (
            "Title of it", "What it says", "Label", "Value", "Waiting", "Ana wrote", "please", "Yes", "R-1",
        ):  # fmt: skip
            assert said in shown

    async def test_the_same_key_posts_once_and_shows_the_newer_card(self, place: Place) -> None:
        where = await direct(place)
        first = await place.platform.send(where, CARD, key="k")
        again = await place.platform.send(where, CARD.model_copy(update={"text": "Newer"}), key="k")
        assert again == first
        (shown,) = await place.shown(where)
        assert "Newer" in shown

    async def test_even_at_the_same_moment(self, place: Place) -> None:
        where = await direct(place)
        refs = await asyncio.gather(*(place.platform.send(where, CARD, key="k") for _ in range(8)))
        assert len(set(refs)) == 1
        assert len(await place.shown(where)) == 1

    async def test_another_key_or_conversation_is_another_card(self, place: Place) -> None:
        ana, bo = await direct(place, "ana"), await direct(place, "bo")
        assert ana != bo
        await place.platform.send(ana, CARD, key="one")
        await place.platform.send(ana, CARD, key="two")
        await place.platform.send(bo, CARD, key="three")
        assert [len(await place.shown(where)) for where in (ana, bo)] == [2, 1]

    async def test_a_card_is_changed_where_it_stands(self, place: Place) -> None:
        where = await direct(place)
        ref = await place.platform.send(where, CARD, key="k")
        await place.platform.update(ref, CARD.model_copy(update={"text": "Done"}))
        (shown,) = await place.shown(where)
        assert "Done" in shown
        assert "What it says" not in shown

    @pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
    async def test_what_people_wrote_neither_breaks_it_nor_acts(self, place: Place, said: str) -> None:
        where = await direct(place)
        card = Card(
            title=said,
            text=said,
            facts=(Fact(label=said, value=said),),
            quotes=(Quote(label=said, text=said),),
            footer=said,
        )
        await place.platform.send(where, card, key="k")
        assert len(await place.shown(where)) == 1

    async def test_a_card_or_conversation_that_is_not_there_is_unreachable(self, place: Place) -> None:
        where = await direct(place)
        with pytest.raises(Unreachable):
            await place.platform.update(MessageRef(place.platform.name, where, "1.000001"), CARD)
        with pytest.raises(Unreachable):
            await place.platform.send("X-NOWHERE", CARD, key="k")
        with pytest.raises(Unreachable):
            await place.platform.direct("")

    async def test_there_is_a_place_for_approvals(self, place: Place) -> None:
        where = place.platform.approvals()
        assert where
        await place.platform.send(where, CARD, key="k")
        assert len(await place.shown(where)) == 1


class TestPeople:
    async def test_an_account_is_the_same_person_each_time_and_nobody_is_refused(self, place: Place) -> None:
        account = place.account("ana", await place.house.id("ana"))
        inbound = message(place, account, await direct(place))
        people = place.house.app.office.people
        assert {(await people.identify(inbound)).name for _ in range(2)} == {"Ana Ruiz"}
        for nobody in ("", "U0NOBODY", "ana", "'; --", "x" * 200):
            said = await place.platform.account(nobody, fresh=True)
            assert said.refused or said.person == nobody, "only the web desk takes a person's id"

    async def test_somebody_is_reached_where_they_wrote_from(self, place: Place) -> None:
        await place.says("ana", "show my requests")
        person = await place.house.id("ana")
        best = await anext(place.house.app.office.people.ways(person))
        assert best == (place.platform.name, place.account("ana", person))

    async def test_signs_and_late_words_are_a_courtesy(self, place: Place) -> None:
        account = place.account("ana", await place.house.id("ana"))
        inbound = message(place, account, await direct(place))
        await place.platform.working(inbound)
        await place.platform.late(inbound, Ack())
        await place.platform.overview(account, [])


class TestTheDesk:
    async def test_a_request_from_words_to_its_end(self, place: Place) -> None:
        await place.says("ana", "I need access to the data warehouse for 2 weeks")
        await place.press("ana", "Yes, do it")
        await place.says("bo", "show my requests")
        await place.press("bo", "Approve")
        assert await place.house.has("ana", "warehouse-readers")
        assert "Active until" in await place.sees("ana")
        channel = place.platform.approvals()
        assert channel
        assert "Approved by Bo Lind" in "\n".join(await place.shown(channel)), "every copy follows"

    async def test_a_double_press_counts_once(self, place: Place) -> None:
        await place.says("ana", "I need access to figma for two weeks")
        await asyncio.gather(*(place.press("ana", "Yes, do it") for _ in range(3)), return_exceptions=True)
        assert len(await place.house.effects()) == 1
        assert place.house.state() is State.ACTIVE

    async def test_while_it_is_down_it_says_so_by_name(self, place: Place) -> None:
        where = await direct(place)
        await place.platform.send(where, CARD, key="before")
        place.break_down()
        with pytest.raises(PlatformDown):
            await place.platform.send(where, CARD, key="k")
