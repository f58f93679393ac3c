"""What time does to a request nobody decides on, and what "this wasn't me" does to somebody's requests."""

from __future__ import annotations

from bot.procedures.request import State
from tests.house import House

WAREHOUSE = "I need access to the data warehouse for 2 weeks"
RESET = "I forgot my password, please reset it"


class TestSilence:
    async def test_approvers_are_reminded_once_after_four_hours(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        before = len(await desk.cards("bo"))
        desk.clock.forward(hours=3, minutes=59)
        await desk.settle()
        assert len(await desk.cards("bo")) == before
        desk.clock.forward(minutes=2)
        for _ in range(3):
            await desk.settle()
        assert len(await desk.cards("bo")) == before + 1
        assert (await desk.card("bo")).status == "Still waiting for a decision"
        await desk.press("bo", "Approve")  # the reminder's own button works
        assert await desk.has("ana", "warehouse-readers")

    async def test_after_a_day_it_expires_every_copy_says_so_and_nothing_was_done(self, desk: House) -> None:
        await desk.asks("wanda", WAREHOUSE)  # several are asked
        approve = await desk.handle("omar", "Approve")
        desk.clock.forward(hours=5)
        await desk.settle()
        desk.clock.forward(hours=19, minutes=1)
        await desk.settle()
        assert desk.state() is State.EXPIRED
        assert not await desk.effects(), "silence never approves"
        assert "did not decide in time" in await desk.heard("wanda")
        for account, where in (("chloe", None), ("omar", None), ("priya", None), ("wanda", "approvals")):
            for card in await desk.cards(account, where):
                assert card.status == "Expired"
                assert not card.buttons
        ack = await desk.press_handle("omar", approve)
        assert "no longer waiting" in ack.notice
        assert desk.state() is State.EXPIRED

    async def test_a_press_after_the_time_is_too_late_even_if_no_job_came(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        desk.clock.forward(hours=25)
        await desk.press("bo", "Approve")
        assert desk.state() is State.EXPIRED
        assert not await desk.effects()

    async def test_each_stage_has_its_own_day(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        desk.clock.forward(hours=20)
        await desk.press("bo", "Approve")
        desk.clock.forward(hours=20)
        await desk.settle()
        assert desk.request().waits_for == "owner"
        desk.clock.forward(hours=5)
        await desk.settle()
        assert desk.state() is State.EXPIRED

    async def test_the_times_are_four_hours_and_a_day(self, desk: House) -> None:
        settings = desk.app.settings
        assert (settings.remind_after.total_seconds(), settings.expire_after.total_seconds()) == (
            14400,
            86400,
        )


class TestNotMe:
    async def test_it_freezes_destroys_what_nobody_saw_yet_and_calls_the_admins(self, desk: House) -> None:
        await desk.asks("ana", RESET)
        await desk.press("bo", "Approve", {"spoke": "yes"})
        address, code = await desk.link("ana"), await desk.code("bo")
        await desk.asks("ana", WAREHOUSE)

        ack = await desk.press("ana", "This wasn't me")
        assert "Everything in this name is stopped" in ack.notice
        assert "was not theirs" in await desk.heard("marco")
        assert "was not theirs" in await desk.heard("felix")
        async with desk.browser() as browser:
            shown = await browser.post(address, data={"code": code})
        assert shown.status_code == 410
        with desk.app.office.database.read() as conn:
            assert not conn.exec_driver_sql("SELECT 1 FROM sealed").all(), "the credential is gone for good"
        await desk.says("ana", "I need access to figma for 2 days")
        assert "Your requests are paused" in (await desk.card("ana")).text
        await desk.press("bo", "Approve")
        assert not await desk.has("ana", "warehouse-readers"), "what was under way is stopped too"
        assert [event["kind"] for event in desk.events("person.frozen")] == ["person.frozen"]

    async def test_the_manager_can_say_it_too_and_nobody_else(self, desk: House) -> None:
        await desk.asks("ana", RESET)
        await desk.press("bo", "Approve", {"spoke": "yes"})
        handle = await desk.handle("bo", "This wasn't them")
        ack = await desk.press_handle("luis", handle)
        assert ack.notice == "This card is not yours to answer."
        assert not desk.events("person.frozen")
        await desk.press_handle("bo", handle)
        assert desk.events("person.frozen")

    async def test_an_admin_freezes_and_lets_again(self, desk: House) -> None:
        ana = await desk.id("ana")
        await desk.asks("ana", RESET)
        await desk.press("bo", "Approve", {"spoke": "yes"})
        address, code = await desk.link("ana"), await desk.code("bo")
        assert await desk.app.engine.freeze(ana, "os:marco", "terminal", on=True)
        assert not await desk.app.engine.freeze(ana, "os:marco", "terminal", on=True), "it was so already"
        async with desk.browser() as browser:
            assert (await browser.post(address, data={"code": code})).status_code == 410
        await desk.says("ana", "I need access to figma for 2 days")
        assert (await desk.card("ana")).status == "Refused"
        assert await desk.app.engine.freeze(ana, "os:marco", "terminal", on=False)
        await desk.asks("ana", "I need access to figma for 2 days")
        assert await desk.has("ana", "figma-editors")
        assert [event["kind"] for event in desk.events("person.")] == ["person.frozen", "person.unfrozen"]
