"""Invariants 4, 5 and 6 of the design: who decides, who presses, and what a button carries."""

from __future__ import annotations

import asyncio
import random
import secrets

import pytest

from bot.procedures import ledger
from bot.procedures.request import State
from bot.store.handles import meaning_of
from integrations.contract import Status
from policies.catalogue import Sensitivity
from tests.house import House

WAREHOUSE = "I need access to the data warehouse for 2 weeks"
PRODUCTION = "I need access to the production database (read) for 3 days"
RESET = "I forgot my password, please reset it"
FALLBACK = ("chloe", "felix", "omar", "priya")


async def seated(desk: House) -> set[str]:
    """The accounts that are asked at the present stage."""
    request = desk.request()
    seats = {seat.person for seat in request.seats.get(request.waits_for or "", ())}
    return {account for account in PEOPLE if await desk.id(account) in seats}


PEOPLE = (
    *("grace", "mei", "omar", "ingrid", "theo", "priya", "lars", "bo", "nadia", "felix", "rosa", "jun"),
    *("hanna", "dario", "ana", "luis", "kofi", "elif", "viktor", "yuki", "pablo", "ida", "marco", "chloe"),
    *("peter", "amara", "nils", "tove", "wanda", "ivo", "sofia", "leo"),
)


async def everybody_presses(desk: House, handle: str) -> list[str]:
    """Who got a request past its stage by pressing this button, of all that have a desk."""
    through = []
    for account in PEOPLE:
        before = desk.request().stage
        await desk.press_handle(account, handle, {"spoke": "yes"}, where="approvals")
        if desk.request().stage != before:
            through.append(account)
    return through


class TestNobodyDecidesOnTheirOwn:
    """4. Nobody approves a request of which they are requester, subject or beneficiary; no loop of
    managers gets round it; no approver means not executable."""

    async def test_not_the_requester_even_as_manager_and_owner_of_everything(self, desk: House) -> None:
        await desk.asks("bo", "I need access to aws billing for 3 days")
        handle = await desk.handle("mei", "Approve", "approvals")
        ack = await desk.press_handle("bo", handle, where="approvals")
        assert ack.notice == "Nobody decides on a request of their own."
        assert desk.state() is State.APPROVING

    @pytest.mark.parametrize(
        ("asker", "never"),
        [
            ("nils", {"nils", "tove"}),  # each other's manager, by mistake
            ("ivo", {"ivo"}),  # his own manager
            ("wanda", {"wanda"}),  # nobody was entered as her manager
        ],
    )
    async def test_who_has_no_manager_to_decide_is_decided_on_by_the_fallback_group(
        self, desk: House, asker: str, never: set[str]
    ) -> None:
        await desk.asks(asker, WAREHOUSE)
        assert await seated(desk) == set(FALLBACK)
        assert "you are in the group that stands in" in await desk.text("chloe")
        handle = await desk.handle("chloe", "Approve", "approvals")
        for account in never:
            await desk.press_handle(account, handle, where="approvals")
            assert desk.state() is State.APPROVING
        assert (await everybody_presses(desk, handle))[0] in FALLBACK
        assert await desk.has(asker, "warehouse-readers")

    async def test_a_manager_who_left_or_is_away_is_passed_over(self, desk: House) -> None:
        await desk.asks("amara", WAREHOUSE)  # her manager, Gil, left in spring
        assert await seated(desk) == {"rosa"}
        await desk.hr.set_status(await desk.id("bo"), Status.ON_LEAVE)
        await desk.asks("ana", WAREHOUSE)
        assert await seated(desk) == {"mei"}
        ack = await desk.press("bo", "Approve", where="approvals", card=await desk.card("mei", "approvals"))
        assert "on leave" in ack.notice
        assert desk.state() is State.APPROVING

    async def test_nobody_eligible_at_all_is_refused_and_the_admins_are_told(self, desk: House) -> None:
        for account in FALLBACK:
            await desk.hr.leave("helpdesk-approvers", await desk.id(account))
        await desk.asks("wanda", WAREHOUSE)
        assert desk.state() is State.REFUSED
        assert "nobody is there who may give it" in await desk.heard("wanda")
        for admin in ("felix", "marco", "chloe"):
            assert "needs a person" in await desk.heard(admin)
        assert [event["outcome"] for event in desk.events("request.no_approver")] == ["refused"]
        assert not await desk.effects()

    async def test_nobody_eligible_for_the_second_stage_is_refused_too(self, desk: House) -> None:
        await desk.asks("ana", PRODUCTION)
        await desk.hr.set_status(await desk.id("nadia"), Status.LEFT)
        for account in FALLBACK:
            await desk.hr.leave("helpdesk-approvers", await desk.id(account))
        await desk.press("bo", "Approve")
        assert desk.state() is State.REFUSED
        assert "needs a person" in await desk.heard("marco")
        assert not await desk.effects()

    async def test_two_stages_are_two_people(self, desk: House) -> None:
        await desk.asks("ana", "I need access to production deploy for 7 days")  # Bo manages her and owns it
        await desk.press("bo", "Approve")
        assert desk.request().waits_for == "owner"
        assert await seated(desk) == set(FALLBACK)
        ack = await desk.press("bo", "Approve", where="approvals", card=await desk.card("bo", "approvals"))
        assert "You decided at an earlier stage" in ack.notice
        assert not await desk.has("ana", "production-deploy")
        await desk.press("omar", "Approve")
        assert await desk.has("ana", "production-deploy")

    async def test_an_owner_does_not_decide_on_what_they_ask_for(self, desk: House) -> None:
        await desk.asks("nadia", PRODUCTION)
        await desk.press("mei", "Approve")
        assert await seated(desk) == set(FALLBACK)

    async def test_a_stand_in_who_was_asked_late_still_counts(self, desk: House) -> None:
        await desk.asks("mei", WAREHOUSE)
        assert await seated(desk) == {"grace"}
        await desk.hr.set_status(await desk.id("grace"), Status.ON_LEAVE)  # after her card went out
        await desk.press("omar", "Approve", where="approvals")
        assert await desk.has("mei", "warehouse-readers")

    async def test_a_stand_in_does_not_decide_while_somebody_else_can(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        handle = await desk.handle("bo", "Approve", "approvals")
        for account in FALLBACK:
            await desk.press_handle(account, handle, where="approvals")
        assert desk.state() is State.APPROVING


class TestOnlyTheRightPersonPresses:
    """5. Only the requester confirms, only an eligible approver approves, judged at the press and again
    at execution. Every other press is answered politely and audited."""

    async def test_only_the_requester_confirms_and_cancels(self, desk: House) -> None:
        await desk.says("ana", WAREHOUSE)
        for label in ("Yes, do it", "Cancel"):
            handle = await desk.handle("ana", label)
            for account in ("bo", "luis", "grace", "marco"):
                ack = await desk.press_handle(account, handle)
                assert ack.notice == "This card is not yours to answer."
        assert desk.state() is State.CONFIRMING
        refused = desk.events("press.refused")
        assert len(refused) == 8
        assert {event["outcome"] for event in refused} == {"refused"}
        assert {event["actor"] for event in refused} == {
            await desk.id(account) for account in ("bo", "luis", "grace", "marco")
        }

    async def test_of_everybody_only_the_line_of_managers_approves(self, desk: House) -> None:
        allowed = set()
        for account in PEOPLE:
            await desk.asks("ana", WAREHOUSE)
            handle = await desk.handle("bo", "Approve", "approvals")
            ack = await desk.press_handle(account, handle, where="approvals")
            if desk.state() is State.ACTIVE:
                allowed.add(account)
                await desk.asks("ana", "please remove my access to the data warehouse")
                continue
            assert ack.notice, f"{account} is told why not"
            await desk.press("ana", "Cancel")
        assert allowed == {"bo", "mei", "grace"}
        assert len(desk.events("press.refused")) == len(PEOPLE) - 3

    async def test_a_press_on_an_old_card_reads_what_became_of_it(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        approve, deny = await desk.handle("bo", "Approve"), await desk.handle("bo", "Deny")
        mei = await desk.handle("bo", "Deny", "approvals")
        cancel = await desk.handle("ana", "Cancel")
        await desk.press_handle("bo", approve)
        assert (await desk.press_handle("bo", approve)).notice == "You approved this already."
        assert (await desk.press_handle("bo", deny)).notice == "You approved this already."
        ack = await desk.press_handle("mei", mei, where="approvals")
        assert ack.notice.startswith("Bo Lind approved this already")
        assert "out of date" in (await desk.press_handle("ana", cancel)).notice
        desk.clock.forward(days=20)
        await desk.settle()
        assert "already" in (await desk.press_handle("bo", approve)).notice
        assert desk.state() is State.ENDED
        assert [write.kind for write in await desk.effects()] == ["group.add", "group.remove"]

    async def test_of_a_race_one_wins_and_the_others_read_who(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        yes = await desk.handle("bo", "Approve", "approvals")
        no = await desk.handle("bo", "Deny", "approvals")
        presses = [("bo", yes), ("mei", no), ("grace", no), ("bo", yes), ("mei", yes), ("grace", yes)]
        acks = await asyncio.gather(
            *(desk.press_handle(account, handle, where="approvals") for account, handle in presses)
        )
        ref = desk.request().ref
        with desk.app.office.database.read() as conn:
            (said,) = ledger.approvals(conn, ref)
        winner = desk.request().name(said.person)
        answered = [ack.notice for ack in acks if not ack.working]
        noted = [notice for notice in answered if notice in ("Thank you, noted.", "Denied. I tell them.")]
        assert len(noted) <= 1, acks
        others = [notice for notice in answered if notice not in noted]
        assert others
        assert all(winner in notice or notice.startswith("You ") for notice in others), acks
        assert desk.state() in (State.ACTIVE, State.DENIED)
        assert len(await desk.effects()) == (desk.state() is State.ACTIVE)

    async def test_a_double_click_on_yes_is_one_request(self, desk: House) -> None:
        await desk.says("ana", "I need access to figma for two weeks")
        yes = await desk.handle("ana", "Yes, do it")
        await asyncio.gather(*(desk.press_handle("ana", yes) for _ in range(6)))
        assert len(desk.events("request.confirmed")) == 1
        assert len(await desk.effects()) == 1


class TestTheLastGate:
    """5, second half: what was true at the press has to be true at execution."""

    async def _approved_for_later(self, desk: House, asker: str = "ana") -> None:
        await desk.asks(asker, "I need access to the data warehouse Dec 24-31")
        await desk.press("bo", "Approve")
        assert desk.request().waits_for is None
        assert desk.state() is State.APPROVING

    async def _execute(self, desk: House) -> str:
        """What the requester hears when the time has come, if it was not done."""
        desk.clock.forward(days=31)
        await desk.settle()
        assert desk.state() is State.REFUSED
        assert not await desk.effects()
        return desk.request().outcome

    async def test_nothing_speaks_against_it(self, desk: House) -> None:
        await self._approved_for_later(desk)
        desk.clock.forward(days=31)
        await desk.settle()
        assert await desk.has("ana", "warehouse-readers"), "else the refusals below prove nothing"

    @pytest.mark.parametrize("status", [Status.LEFT, Status.DISABLED])
    async def test_the_requester_leaves(self, desk: House, status: Status) -> None:
        await self._approved_for_later(desk)
        await desk.hr.set_status(await desk.id("ana"), status)
        await self._execute(desk)

    async def test_the_requester_is_frozen(self, desk: House) -> None:
        await self._approved_for_later(desk)
        await desk.app.engine.freeze(await desk.id("ana"), "os:marco", "terminal", on=True)
        assert "paused" in await self._execute(desk)

    async def test_the_requester_becomes_a_contractor_with_too_long_a_time(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 60 days")
        await desk.app.company.client.write(
            lambda conn: conn.execute("UPDATE person SET kind = 'contractor' WHERE account = 'ana'")
        )
        await desk.press("bo", "Approve")
        assert desk.state() is State.REFUSED or desk.state() is State.APPROVING
        await desk.settle()
        assert not await desk.effects()

    @pytest.mark.parametrize("status", [Status.LEFT, Status.DISABLED, Status.ON_LEAVE])
    async def test_the_approver_is_no_longer_at_work(self, desk: House, status: Status) -> None:
        await self._approved_for_later(desk)
        await desk.hr.set_status(await desk.id("bo"), status)
        assert "Bo Lind approved this, but may not decide on it any more." in await self._execute(desk)

    async def test_the_approver_is_frozen(self, desk: House) -> None:
        await self._approved_for_later(desk)
        await desk.app.engine.freeze(await desk.id("bo"), "os:marco", "terminal", on=True)
        assert "may not decide" in await self._execute(desk)

    async def test_the_approver_is_no_longer_the_manager(self, desk: House) -> None:
        await self._approved_for_later(desk)
        await desk.hr.set_manager(await desk.id("ana"), await desk.id("jun"))
        assert "may not decide" in await self._execute(desk)

    async def test_the_manager_changes_between_two_stages(self, desk: House) -> None:
        await desk.asks("ana", PRODUCTION)
        await desk.press("bo", "Approve")
        await desk.hr.set_manager(await desk.id("ana"), await desk.id("jun"))
        await desk.press("nadia", "Approve")
        assert desk.state() is State.REFUSED
        assert not await desk.effects()

    async def test_the_owner_changes(self, desk: House) -> None:
        await desk.asks("ana", "I need access to the production database (read) Dec 24-31")
        await desk.press("bo", "Approve")
        await desk.press("nadia", "Approve")
        catalogue = desk.app.office.catalogue
        moved = catalogue["production-database-read"].model_copy(
            update={"owner": "pablo.ferreira@alderfinch.example"}
        )
        others = (each for each in catalogue if each.key != moved.key)
        object.__setattr__(desk.app.office, "catalogue", type(catalogue)((*others, moved)))
        assert "Nadia Okafor approved this, but may not decide" in await self._execute(desk)

    @pytest.mark.parametrize(("wish", "approved"), [("the data warehouse", True), ("figma", False)])
    async def test_the_resource_becomes_critical(self, desk: House, wish: str, approved: bool) -> None:
        await desk.asks("ana", f"I need access to {wish} Dec 24-31")
        if approved:
            await desk.press("bo", "Approve")
        catalogue = desk.app.office.catalogue
        raised = catalogue[desk.request().resource or ""].model_copy(
            update={"sensitivity": Sensitivity.CRITICAL}
        )
        others = (each for each in catalogue if each.key != raised.key)
        object.__setattr__(desk.app.office, "catalogue", type(catalogue)((*others, raised)))
        await self._execute(desk)

    async def test_a_privileged_account_is_not_touched_though_approved(self, desk: House) -> None:
        await desk.asks("ana", RESET)
        handle = await desk.handle("bo", "Approve")
        await desk.hr.join("tier-0-admins", await desk.id("ana"))  # two groups deep in the protected one
        await desk.press_handle("bo", handle, {"spoke": "yes"})
        await desk.settle()
        assert desk.state() is not State.DONE
        assert not await desk.effects()

    async def test_a_privileged_account_cannot_even_ask(self, desk: House) -> None:
        for account in ("ida", "grace"):
            await desk.says(account, RESET)
            card = await desk.card(account)
            assert card.status == "Refused"
            assert "out of this desk's reach, whoever approves" in card.text

    async def test_whoever_is_denied_cannot_be_approved_afterwards(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        yes = await desk.handle("bo", "Approve", "approvals")
        await desk.press("bo", "Deny")
        for account in ("bo", "mei", "grace"):
            await desk.press_handle(account, yes, where="approvals")
        assert desk.state() is State.DENIED
        assert not await desk.effects()


class TestAButtonCarriesAHandleAndNothingElse:
    """6. Buttons carry an opaque 128-bit handle; cards are rendered from the stored state."""

    async def test_a_handle_says_nothing(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        ref = desk.request().ref
        for account in ("ana", "bo"):
            for card in await desk.cards(account):
                for button in card.buttons:
                    assert len(bytes.fromhex(button.handle)) == 16
                    assert ref not in button.handle

    async def test_ten_thousand_forged_handles_do_nothing(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        real = await desk.handle("bo", "Approve")
        chance = random.Random(7)
        forged = [secrets.token_hex(16) for _ in range(5_000)]
        for _ in range(5_000):
            at = chance.randrange(len(real))
            other = chance.choice([c for c in "0123456789abcdefg;'%" if c != real[at]])
            forged.append(real[:at] + other + real[at + 1 :])
        forged += ["", "0", real.upper() if real != real.upper() else "x", real[:-1], real + "0", f" {real}"]
        before, company = desk.request(), await desk.effects()
        with desk.app.office.database.read() as conn:
            assert not [handle for handle in forged if meaning_of(conn, handle)]
        pressed = [*forged[:200], *forged[-300:]]  # the rest goes the same way, and takes long
        acks = await asyncio.gather(*(desk.press_handle("bo", handle) for handle in pressed))
        await desk.app.desk.finish()
        assert all(not ack.card and not ack.errors for ack in acks)
        assert desk.request() == before
        assert await desk.effects() == company
        assert len(desk.events("press.unknown")) == len(pressed)
        await desk.press_handle("bo", real)
        assert desk.state() is State.ACTIVE, "the real one still works"

    async def test_a_handle_of_one_card_decides_nothing_about_another(self, desk: House) -> None:
        first = await desk.asks("ana", WAREHOUSE)
        second = await desk.asks("luis", "I need access to zendesk for 2 days")
        approve = await desk.handle("bo", "Approve", "approvals")  # the newest: of the second
        await desk.press("bo", "Approve", where="approvals", card=(await desk.cards("bo", "approvals"))[0])
        states = {each.ref: each.state for each in desk.requests()}
        assert states == {first.ref: State.ACTIVE, second.ref: State.APPROVING}
        await desk.press_handle("bo", approve, where="approvals")
        assert {each.state for each in desk.requests()} == {State.ACTIVE}

    async def test_a_handle_of_an_earlier_stage_does_not_serve_the_next(self, desk: House) -> None:
        await desk.asks("ana", PRODUCTION)
        manager = await desk.handle("bo", "Approve", "approvals")
        await desk.press("bo", "Approve")
        ack = await desk.press_handle("nadia", manager, where="approvals")
        assert "Bo Lind approved this already" in ack.notice
        assert desk.request().waits_for == "owner"

    async def test_a_pick_made_on_an_old_question_is_not_taken_for_the_new_one(self, desk: House) -> None:
        await desk.says("ana", "I need access to the production database please")
        old = await desk.handle("ana", "Production database (admin)")
        await desk.press("ana", "Production database (read)")
        assert (await desk.card("ana")).text.startswith("For how long")
        ack = await desk.press_handle("ana", old)
        assert "out of date" in ack.notice
        assert desk.request().params == {"resource": "production-database-read"}

    async def test_a_choice_that_was_not_offered_is_not_taken(self, desk: House) -> None:
        await desk.says("bo", "please unlock the account of one of my reports")
        handle = await desk.handle("bo", "Continue")
        for option in ("", "99", "-1", "x", "1e1", "²", "p-1001", "0 OR 1=1"):
            ack = await desk.press_handle("bo", handle, {"option": option})
            assert ack.errors == {"option": "Choose one of these."}
        assert desk.state() is State.COLLECTING
        await desk.press_handle("bo", handle, {"option": "3"})
        assert desk.state() is State.CONFIRMING

    async def test_every_copy_of_a_card_follows_the_state(self, desk: House) -> None:
        await desk.asks("wanda", WAREHOUSE)
        for account in FALLBACK:
            assert "Approve" in await desk.buttons(account)
        await desk.press("omar", "Deny")
        for account in FALLBACK:
            card = await desk.card(account)
            assert card.status == "Denied by Omar Haddad"
            assert not card.buttons
            assert not card.inputs
        assert not (await desk.card("omar", "approvals")).buttons
