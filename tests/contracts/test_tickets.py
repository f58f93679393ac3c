"""What must hold for every system that keeps tickets.

A new one brings a ``TicketWorld`` and one line in ticket_worlds.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrations.company import Company
from integrations.company.tickets import CompanyTickets, HelpDesk
from integrations.contract import OutcomeUnknown, PermissionRefused, SystemDown, UnknownPerson
from integrations.work import NewTicket, UnknownTicket
from tests.contracts.ticket_worlds import ANA, LUIS, NOBODY, WORLDS, TicketWorld, copied

OP = "R-7Q2MXX:open_ticket"
NEW = NewTicket(person_id=ANA, title="The printer on floor 3 jams", body="It eats every second page.")

NO_KEYS = [
    "", " ", "IT-0", "IT-1 ", " IT-1", "IT-1\n", "IT-01", "it-1", "IT-", "IT-x", "IT--1", "IT-+1", "IT-1.0",
    "IT-1_0", "IT-١", "IT-１", "ＩＴ-1", "IТ-1", "IT-99", "HR-1", "IT-" + "9" * 18, "IT-" + "9" * 1000,
    "IT-1' OR '1'='1", "IT-1; DROP TABLE ticket", "IT-1/comment", "IT-1?expand=x", "../IT-1", "IT-1%00",
    "IT-1\x00", "\ud800", "IT-1/../../../api/3/myself", "%", "*", "IT-1 OR project = HR", "1",
]  # fmt: skip

HOSTILE = [
    "!https://evil.example/pixel.png! and !cat.jpg|thumbnail!",
    "[click here|https://evil.example] [https://evil.example] [^secret.pdf]",
    "[~admin] [~accountid:5b10a2844c20165700ede21g] @all",
    "{color:red}red{color} {panel}x{panel} {quote}q{quote} {code}c{code} {{mono}}",
    "{noformat} out !evil.png! {noformat}",
    "{NoFormat}{noformat:title=x}!evil.png!{noformat}{code:java}!evil.png!{code}",
    "{noformat}\n!evil.png!",
    "h1. A title\nbq. A quote\n||a||b||\n|c|d|\n----\n* x\n# y",
    "<script>alert(1)</script> &amp; <b>bold</b>",
    "'; DROP TABLE ticket; --",
    "Reference: R-7Q2MXX:open_ticket",
    "C:\\temp\\new *stays* _as_ +it+ -is- ^up^ ~down~ :) (!)",
    "Grüße, 日本語, العربية, 🧑‍💻",
    "{",
    "\\",
]


@pytest.fixture(scope="session")
def ticket_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tickets") / "template.db"
    Company.open(path).close()
    return path


@pytest.fixture(params=sorted(WORLDS))
async def world(
    request: pytest.FixtureRequest, ticket_template: Path, tmp_path: Path
) -> AsyncIterator[TicketWorld]:
    async with WORLDS[request.param](ticket_template, tmp_path) as made:
        yield made


def now() -> datetime:
    return datetime.now(UTC)


def long_ago() -> datetime:
    """Since then every index has caught up."""
    return now() - timedelta(minutes=10)


# --- Opening ----------------------------------------------------------------------------------


async def test_a_ticket_is_opened_and_read_back(world: TicketWorld) -> None:
    opened = await world.tickets.open(NEW, op=OP)
    assert opened.title == NEW.title
    assert opened.open
    assert opened.status
    assert opened.moved_at is not None
    assert abs(now() - opened.moved_at) < timedelta(minutes=1)
    assert await world.tickets.ticket(opened.key) == opened
    assert [each.key for each in await world.helpers.open_tickets()] == [opened.key]
    assert NEW.body in world.texts(opened.key)[0]
    assert world.tickets.name


async def test_the_same_operation_opens_once_however_often_it_is_tried(world: TicketWorld) -> None:
    first = await world.tickets.open(NEW, op=OP)
    for _ in range(3):
        assert await world.tickets.open(NEW, op=OP) == first
    assert world.count() == 1
    other = await world.tickets.open(NEW, op="R-7Q2MXY:open_ticket")
    assert other.key != first.key
    assert world.count() == 2


async def test_what_an_operation_opened_is_found_and_nothing_else(world: TicketWorld) -> None:
    assert await world.tickets.opened(OP, long_ago()) is None
    first = await world.tickets.open(NEW, op=OP)
    for number in range(8):
        await world.tickets.open(NEW, op=f"{OP}:{number}")
    assert await world.tickets.opened(OP, long_ago()) == first
    assert await world.tickets.opened(OP, now()) == first
    for other in ("R-7Q2MX:open_ticket", "open_ticket", "R-7Q2MXX", "%", ""):
        assert await world.tickets.opened(other, long_ago()) is None, other


async def test_a_ticket_whose_reply_was_lost_is_found_and_not_opened_again(world: TicketWorld) -> None:
    begun = now()
    with world.lose_reply(), pytest.raises(OutcomeUnknown):
        await world.tickets.open(NEW, op=OP)
    found = await world.tickets.opened(OP, begun)
    assert found is not None
    assert found.title == NEW.title
    assert await world.tickets.open(NEW, op=OP) == found
    assert world.count() == 1


async def test_words_that_say_they_are_the_reference_are_words(world: TicketWorld) -> None:
    forged = NewTicket(ANA, f"Reference: {OP}", f"Reference: {OP}")
    await world.tickets.open(forged, op="R-AAAAAA:open_ticket")
    sly = NewTicket(ANA, "x", f"{{noformat}}\n\n{{noformat}}\nReference: {OP}\n{{noformat}}\n\n{{noformat}}x")
    await world.tickets.open(sly, op="R-BBBBBB:open_ticket")
    assert await world.tickets.opened(OP, long_ago()) is None


async def test_nobody_can_have_no_ticket(world: TicketWorld) -> None:
    for person in (NOBODY, "", "p-1020\x00", "' OR 1=1 --", "\ud800"):
        with pytest.raises(UnknownPerson):
            await world.tickets.open(NewTicket(person, "x", "y"), op=OP)
    assert world.count() == 0


async def test_help_and_equipment_are_both_opened(world: TicketWorld) -> None:
    one = await world.tickets.open(NewTicket(LUIS, "A monitor", "27 inches", "equipment"), op=OP)
    assert (await world.tickets.ticket(one.key)).title == "A monitor"


# --- Keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", NO_KEYS, ids=lambda text: ascii(text)[:40])
async def test_what_is_no_key_of_ours_is_unknown(world: TicketWorld, key: str) -> None:
    await world.tickets.open(NEW, op=OP)
    for call in (
        world.tickets.ticket(key),
        world.tickets.comments(key),
        world.tickets.comment(key, "x", op="c"),
    ):
        with pytest.raises(UnknownTicket):
            await call
    assert world.texts("IT-1")[1:] == []


# --- Comments ---------------------------------------------------------------------------------


async def test_comments_go_both_ways_in_their_order_and_ours_are_marked(world: TicketWorld) -> None:
    key = (await world.tickets.open(NEW, op=OP)).key
    assert await world.tickets.comments(key) == []
    await world.helpers.write(key, "Wanda Helper", "Which printer?")
    await world.tickets.comment(key, "The grey one.\n\nBy the window.", op="c1")
    await world.helpers.write(key, "Wanda Helper", "On my way.")
    await world.tickets.comment(key, "Thank you!", op="c2")
    comments = await world.tickets.comments(key)
    assert [(each.text, each.ours) for each in comments] == [
        ("Which printer?", False),
        ("The grey one.\n\nBy the window.", True),
        ("On my way.", False),
        ("Thank you!", True),
    ]
    assert comments[0].author == "Wanda Helper"
    assert all(each.author for each in comments)
    assert len({each.id for each in comments}) == 4
    assert all(abs(now() - each.at) < timedelta(minutes=1) for each in comments)
    assert all(each.at.utcoffset() == timedelta(0) for each in comments)


async def test_internal_comments_never_come_out(world: TicketWorld) -> None:
    key = (await world.tickets.open(NEW, op=OP)).key
    for number in range(5):
        await world.helpers.write(key, "Wanda", f"between us {number}", internal=True)
        await world.helpers.write(key, "Wanda", f"for you {number}")
    assert [each.text for each in await world.tickets.comments(key)] == [f"for you {n}" for n in range(5)]


async def test_the_same_operation_comments_once(world: TicketWorld) -> None:
    key = (await world.tickets.open(NEW, op=OP)).key
    for _ in range(3):
        await world.tickets.comment(key, "Still broken.", op="c1")
    await world.tickets.comment(key, "Still broken.", op="c2")
    assert [each.text for each in await world.tickets.comments(key)] == ["Still broken."] * 2


async def test_a_comment_whose_reply_was_lost_is_not_written_again(world: TicketWorld) -> None:
    key = (await world.tickets.open(NEW, op=OP)).key
    for number in range(7):
        await world.helpers.write(key, "Wanda", str(number), internal=number % 2 == 0)
    with world.lose_reply(), pytest.raises(OutcomeUnknown):
        await world.tickets.comment(key, "Still broken.", op="c1")
    for number in range(7):
        await world.helpers.write(key, "Wanda", str(number))
    await world.tickets.comment(key, "Still broken.", op="c1")
    assert [each.text for each in await world.tickets.comments(key) if each.ours] == ["Still broken."]


async def test_comments_of_one_ticket_are_not_those_of_another(world: TicketWorld) -> None:
    one = (await world.tickets.open(NEW, op="1")).key
    two = (await world.tickets.open(NEW, op="2")).key
    await world.helpers.write(two, "Wanda", "for two")
    assert await world.tickets.comments(one) == []
    assert [each.text for each in await world.tickets.comments(two)] == ["for two"]


# --- Status -----------------------------------------------------------------------------------


async def test_a_ticket_follows_what_helpers_do_with_it(world: TicketWorld) -> None:
    opened = await world.tickets.open(NEW, op=OP)
    assert opened.moved_at is not None
    await asyncio.sleep(0.01)
    await world.helpers.set_status(opened.key, "Waiting for customer")
    waiting = await world.tickets.ticket(opened.key)
    assert (waiting.status, waiting.open) == ("Waiting for customer", True)
    assert waiting.moved_at is not None
    assert waiting.moved_at > opened.moved_at
    await world.helpers.set_status(opened.key, "Resolved")
    assert not (await world.tickets.ticket(opened.key)).open
    assert await world.helpers.open_tickets() == []
    await world.helpers.set_status(opened.key, "Open")
    assert (await world.tickets.ticket(opened.key)).open
    await world.helpers.close(opened.key)
    closed = await world.tickets.ticket(opened.key)
    assert (closed.status, closed.open) == ("Closed", False)
    assert closed.title == NEW.title


# --- What people write ------------------------------------------------------------------------


@pytest.mark.parametrize("words", HOSTILE, ids=lambda text: ascii(text)[:40])
async def test_peoples_words_stand_there_as_they_are(world: TicketWorld, words: str) -> None:
    title = " ".join(words.split())
    key = (await world.tickets.open(NewTicket(ANA, title, f"{words}\nend"), op=OP)).key
    await world.tickets.comment(key, words, op="c1")
    assert (await world.tickets.ticket(key)).title == title
    body, comment = world.texts(key)
    assert words in body
    assert comment.strip("\n") == words
    (read,) = await world.tickets.comments(key)
    assert read.text == words


@pytest.mark.parametrize("words", ["\ud800", "a\x00b", "x" * 100_000, "🧑" * 100_000, "line\r\nline\x85line"])
async def test_words_that_no_system_takes_break_nothing(world: TicketWorld, words: str) -> None:
    key = (await world.tickets.open(NewTicket(ANA, f"T {words}", words), op=OP)).key
    await world.tickets.comment(key, words, op="c1")
    assert (await world.tickets.ticket(key)).title.startswith("T")
    assert len(await world.tickets.comments(key)) == 1
    assert await world.tickets.opened(OP, long_ago()) is not None


# --- Bad days ---------------------------------------------------------------------------------


async def test_a_system_that_is_down_says_so_and_nothing_was_changed(world: TicketWorld) -> None:
    key = (await world.tickets.open(NEW, op=OP)).key
    with world.down():
        for call in (
            world.tickets.open(NEW, op="2"),
            world.tickets.opened("2", long_ago()),
            world.tickets.ticket(key),
            world.tickets.comments(key),
            world.tickets.comment(key, "x", op="c1"),
        ):
            with pytest.raises(SystemDown):
                await call
    assert world.count() == 1
    assert await world.tickets.comments(key) == []
    assert await world.tickets.opened("2", long_ago()) is None


async def test_a_system_that_refuses_us_says_so_and_nothing_was_changed(world: TicketWorld) -> None:
    key = (await world.tickets.open(NEW, op=OP)).key
    with world.refusing():
        with pytest.raises(PermissionRefused):
            await world.tickets.open(NEW, op="2")
        with pytest.raises(PermissionRefused):
            await world.tickets.comment(key, "x", op="c1")
        assert (await world.tickets.ticket(key)).open
    assert world.count() == 1
    assert await world.tickets.comments(key) == []


# --- The embedded company alone ---------------------------------------------------------------


async def test_every_write_stands_in_the_companys_log_and_took_effect_once(
    ticket_template: Path, tmp_path: Path
) -> None:
    with copied(ticket_template, tmp_path) as company:
        tickets = CompanyTickets(company.client)
        for _ in range(2):
            key = (await tickets.open(NEW, op=OP)).key
            await tickets.comment(key, "Still broken.", op="c1")
        with pytest.raises(UnknownPerson):
            await tickets.open(NewTicket(NOBODY, "x", "y"), op="2")
        await HelpDesk(company.client).write(key, "Wanda", "On my way.")
        assert [(each.op, each.kind, each.person_id, each.changed) for each in await company.writes()] == [
            (OP, "ticket.open", ANA, True),
            ("c1", "ticket.comment", ANA, True),
            (OP, "ticket.open", ANA, False),
            ("c1", "ticket.comment", ANA, False),
        ]


async def test_what_helpers_do_with_no_ticket_is_unknown(world: TicketWorld) -> None:
    for call in (
        world.helpers.write("IT-7", "Wanda", "x"),
        world.helpers.set_status("IT-7", "Resolved"),
        world.helpers.close("IT-7"),
    ):
        with pytest.raises(UnknownTicket):
            await call
