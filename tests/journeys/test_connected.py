"""The same dialogues where time off, tickets and purchasing are other systems, with their faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.procedures.request import State
from integrations.jira.tickets import JiraTickets
from tests.house import House, house
from tests.servers import backoffice, bamboohr, jira
from tests.servers.backoffice import FakeBackoffice
from tests.servers.bamboohr import FakeBambooHr
from tests.servers.jira import FakeJira, shown

FLICKERS = "please open a ticket: my monitor flickers !boo.png! [~admin]"


@dataclass
class Connected:
    desk: House
    bamboo: FakeBambooHr
    jira: FakeJira
    office: FakeBackoffice


@asynccontextmanager
async def connected(data: Path, stack: ExitStack, known: Connected | None = None) -> AsyncIterator[Connected]:
    """A desk on three systems. Again with ``known``: a restart, the systems as they were."""
    hr = known.bamboo if known else stack.enter_context(FakeBambooHr.running())
    tickets = known.jira if known else stack.enter_context(FakeJira.running())
    office = known.office if known else stack.enter_context(FakeBackoffice.running())
    settings: dict[str, Any] = {
        "bamboohr_company": bamboohr.COMPANY,
        "bamboohr_api_key": bamboohr.KEY,
        "bamboohr_url": hr.url,
        "bamboohr_ca_file": hr.certificates.ca_file,
        "jira_url": tickets.url,
        "jira_account": jira.ACCOUNT,
        "jira_api_token": jira.TOKEN,
        "jira_service_desk": jira.SERVICE_DESK,
        "jira_request_type": jira.REQUEST_TYPE,
        "jira_equipment_type": jira.EQUIPMENT_TYPE,
        "jira_ca_file": tickets.certificates.ca_file,
        "backoffice_url": office.url,
        "backoffice_token": backoffice.TOKEN,
        "backoffice_ca_file": office.certificates.ca_file,
    }
    async with house(data, requests_per_minute=1000, **settings) as desk:
        yield Connected(desk, hr, tickets, office)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Connected]:
    with ExitStack() as stack:
        async with connected(tmp_path / "data", stack) as made:
            yield made


async def look(desk: House) -> None:
    desk.clock.forward(seconds=60)
    assert desk.app.engine.help_desk
    await desk.app.engine.help_desk.look()


class TestTimeOff:
    async def test_entered_in_bamboohr_once_approved(self, world: Connected) -> None:
        desk = world.desk
        await desk.asks("ana", "I'd like next week off as vacation")
        assert not world.bamboo.requests
        await desk.press("bo", "Approve")
        assert desk.state() is State.DONE
        (entered,) = world.bamboo.requests
        assert entered.status == "approved"
        assert desk.request().ref in str(entered.notes)

    async def test_an_answer_that_was_lost_leads_to_one_entry(self, world: Connected) -> None:
        desk = world.desk
        await desk.asks("ana", "I'd like next week off as vacation")
        world.bamboo.fail("PUT", "cut after")
        await desk.press("bo", "Approve")
        assert desk.state() is State.DONE
        assert len(world.bamboo.requests) == 1

    async def test_a_busy_bamboohr_is_waited_for(self, world: Connected) -> None:
        desk = world.desk
        await desk.asks("ana", "I'd like next week off as vacation")
        world.bamboo.fail("PUT", "429", retry_after="1")
        await desk.press("bo", "Approve")
        assert desk.state() is State.DONE
        assert len(world.bamboo.requests) == 1

    async def test_a_bamboohr_that_is_down_is_said_and_nothing_is_asked_of_anybody(
        self, world: Connected
    ) -> None:
        with world.bamboo.stopped():
            await world.desk.says("ana", "how many vacation days do I have left?")
        assert "I cannot check your request right now, so I did nothing." in await world.desk.heard("ana")


class TestTickets:
    async def test_in_jira_for_the_person_with_their_words_literally(self, world: Connected) -> None:
        await world.desk.asks("ana", FLICKERS)
        (issue,) = world.jira.issues
        assert issue.reporter == "qm:ana"
        assert issue.request_type == jira.REQUEST_TYPE
        assert "<<" not in shown(issue.description), "nothing in it comes to life"
        assert "my monitor flickers !boo.png! [~admin]".replace("[~admin]", "") in shown(issue.description)
        assert f"{issue.key} is open." in await world.desk.heard("ana")

    async def test_the_reply_lost_and_the_process_killed_leads_to_one_ticket(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ExitStack() as stack:
            async with connected(tmp_path / "data", stack) as before:
                await before.desk.says("ana", FLICKERS)
                before.jira.fail("POST", "cut after")

                async def dies(*_args: object, **_kwargs: object) -> None:
                    raise asyncio.CancelledError  # the process is gone before it could look what became of it

                with monkeypatch.context() as dying, suppress(asyncio.CancelledError):
                    dying.setattr(JiraTickets, "opened", dies)
                    await before.desk.press("ana", "Yes, do it")
                assert before.desk.state() is State.EXECUTING
            async with connected(tmp_path / "data", stack, before) as after:
                await after.desk.settle()
                assert after.desk.state() is State.DONE
                assert len(after.jira.issues) == 1
                assert f"{after.jira.issues[0].key} is open." in await after.desk.heard("ana")

    async def test_answers_go_both_ways(self, world: Connected) -> None:
        desk = world.desk
        await desk.asks("ana", FLICKERS)
        key = world.jira.issues[0].key
        await world.jira.write(key, "Nadia Okafor", "Is it the left one?")
        await world.jira.write(key, "Nadia Okafor", "she always breaks things", internal=True)
        await look(desk)
        assert (await desk.card("ana")).title == f"{key}: an answer for you"
        assert "she always breaks things" not in await desk.text("ana")
        ack = await desk.press("ana", "Send", {"answer": "Yes, the left one"})
        assert ack.notice == f"Passed on to {key}."
        await look(desk)
        assert (await desk.heard("ana")).count("an answer for you") == 1
        await world.jira.close(key)
        await look(desk)
        assert f"{key} is closed" in await desk.heard("ana")

    async def test_an_answer_whose_reply_was_lost_stands_there_once(self, world: Connected) -> None:
        await world.desk.asks("ana", FLICKERS)
        (issue,) = world.jira.issues
        world.jira.fail("POST", "cut after")
        await world.desk.says("ana", f"{issue.key}: it is the left one")
        assert f"Passed on to {issue.key}." in await world.desk.heard("ana")
        assert ["it is the left one" in str(each.body) for each in issue.remarks] == [True]


class TestEquipment:
    async def test_the_price_of_the_other_system_decides_who_is_asked(self, world: Connected) -> None:
        desk = world.desk
        await desk.asks("ana", "I need a macbook pro")
        await desk.press("bo", "Approve")
        assert not world.jira.issues
        await desk.press("mei", "Approve")
        (issue,) = world.jira.issues
        assert issue.request_type == jira.EQUIPMENT_TYPE
        assert issue.summary == "Order MacBook Pro 16 for Ana Ruiz, 3,000.00 EUR"
        assert "Approved by Mei Tanaka, as budget" in shown(issue.description)

    async def test_expenses_of_ones_own(self, world: Connected) -> None:
        await world.desk.says("ana", "has my expense report been approved yet?")
        assert "The newest: Train to the Berlin office, 118.40 EUR: submitted." in await world.desk.heard(
            "ana"
        )

    async def test_no_token_stands_in_anything_people_or_the_trail_are_told(self, world: Connected) -> None:
        desk = world.desk
        world.office.fail("401", times=9)
        world.bamboo.fail("*", "401", times=9)
        world.jira.fail("*", "401", times=9)
        await desk.says("ana", "I need a macbook pro")
        await desk.says("ana", "how many vacation days do I have left?")
        await desk.asks("ana", FLICKERS)
        told = await desk.text("ana") + str(desk.events())
        assert not any(each in told for each in (backoffice.TOKEN, jira.TOKEN, bamboohr.KEY))
