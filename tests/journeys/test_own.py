"""Dialogues about what is one's own: time off, and the requests one has made."""

from __future__ import annotations

from bot.procedures.request import State
from tests.house import House


class TestTimeOff:
    async def test_mine_is_told_in_its_own_unit(self, desk: House) -> None:
        await desk.says("ana", "how many vacation days do I have left?")
        assert (await desk.card("ana")).text == "You have 96.5 hours of vacation left."
        await desk.says("rosa", "how many vacation days do I have left?")
        assert (await desk.card("rosa")).text == "You have 11 days of vacation left."

    async def test_a_manager_sees_that_of_a_direct_report(self, desk: House) -> None:
        await desk.says("bo", "how much vacation does Ana Ruiz have left?")
        assert (await desk.card("bo")).text == "Ana Ruiz has 96.5 hours of vacation left."

    async def test_nobody_sees_anybody_elses(self, desk: House) -> None:
        for asker, about in (
            ("ana", "Bo Lind"),
            ("luis", "Ana Ruiz"),
            ("mei", "Ana Ruiz"),
            ("sofia", "Grace Alder"),
        ):
            await desk.says(asker, f"how much vacation does {about} have left?")
            card = await desk.card(asker)
            assert card.status == "Refused", (asker, about)
            assert not card.facts
            assert "For somebody else you can ask only where they report to you directly." in card.text
        refused = desk.events("lookup.refused")
        assert len(refused) == 4
        assert refused[0]["subject"] == await desk.id("bo"), "the trail says whom they asked about"

    async def test_two_who_manage_each_other_see_nothing_of_each_other(self, desk: House) -> None:
        await desk.says("nils", "how much vacation does Tove Dahl have left?")
        assert (await desk.card("nils")).status == "Refused"

    async def test_it_is_answered_only_to_the_one_who_asked(self, desk: House) -> None:
        await desk.says("bo", "how much vacation does Ana Ruiz have left?")
        assert not await desk.cards("ana")
        assert not await desk.cards("bo", "approvals")


class TestMyRequests:
    async def test_there_may_be_none(self, desk: House) -> None:
        await desk.says("ana", "show my requests")
        assert (await desk.card("ana")).text == "You have no open request and no access through me."

    async def test_mine_are_shown_and_cancelled_from_there(self, desk: House) -> None:
        await desk.asks("luis", "I need access to zendesk for 3 days")
        await desk.asks("ana", "I need access to the data warehouse for 3 days")
        await desk.asks("ana", "I need access to figma for 3 days")
        before = len(await desk.cards("ana"))
        await desk.says("ana", "show my requests")
        shown = (await desk.cards("ana"))[before:]
        assert shown[0].text == "You have 2 requests open or running:"
        said = " ".join(card.text for card in shown)
        assert "Data warehouse" in said
        assert "Figma" in said
        assert "Zendesk" not in said, "nobody else's"

        listed = next(card for card in shown if "Data warehouse" in card.text)
        await desk.press("ana", "Cancel", card=listed)
        assert {each.resource: each.state for each in desk.requests()}["data-warehouse"] is State.CANCELLED
        assert (await desk.card("bo")).status == "Cancelled", "the approver's card says so"
        ack = await desk.press_handle("bo", await _approve_handle(desk))
        assert "no longer waiting" in ack.notice


async def _approve_handle(desk: House) -> str:
    """The Approve of the cancelled card, as somebody who kept the old card open would press it."""
    with desk.app.office.database.read() as conn:
        row = conn.exec_driver_sql(
            "SELECT handle FROM handles JOIN requests ON owner = ref"
            " WHERE choice = 'approve' AND resource = 'data-warehouse' AND audience != ''"
        ).one()
    return str(row[0])
