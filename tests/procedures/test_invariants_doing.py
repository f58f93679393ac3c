"""Invariants 1, 2, 3 and 11 of the design: what is done, once, and taken back in time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from bot.audit.trail import append
from bot.procedures import ledger
from bot.procedures.ledger import Note
from bot.procedures.request import MOVES, IllegalMove, Request, Stale, State
from bot.store.database import StorageDown
from integrations.contract import OutcomeUnknown, PermissionRefused, SystemDown
from policies.catalogue import Catalogue
from policies.decide import Policies
from tests.house import House

WAREHOUSE = "I need access to the data warehouse for 2 weeks"
FIGMA = "I need access to figma for two weeks"


def edit(desk: House, request: Request, **changes: Any) -> None:
    """Change a stored request past the desk, as somebody with the database in their hands would."""
    path = desk.app.office.database.path
    with sqlite3.connect(path) as conn:
        (text,) = conn.execute("SELECT body FROM requests WHERE ref = ?", (request.ref,)).fetchone()
        columns = {
            name: changes.pop(name) for name in ("resource", "subject", "requester") if name in changes
        }
        body = json.dumps({**json.loads(text), **changes})
        conn.execute("UPDATE requests SET body = ? WHERE ref = ?", (body, request.ref))
        for name, value in columns.items():
            conn.execute(f"UPDATE requests SET {name} = ? WHERE ref = ?", (value, request.ref))
    conn.close()


def raises(error: Exception) -> Any:
    async def call(*_args: Any, **_kwargs: Any) -> Any:
        raise error

    return call


def answers(value: Any) -> Any:
    async def call(*_args: Any, **_kwargs: Any) -> Any:
        return value

    return call


class TestNothingIsDoneThatWasNotConfirmedApprovedAndPermitted:
    """1. No effect without a request in executing whose digest was confirmed, approved and permitted."""

    @pytest.mark.parametrize(
        "edited",
        [
            {"params": {"resource": "payroll-reports", "span": {"minutes": 20160}}},
            {"params": {"resource": "data-warehouse", "span": {"minutes": 2016000}}},
            {"resource": "figma"},
            {"requester": "p-1021", "subject": "p-1021"},
            {"stages": [], "seats": {}},
            {"stage": 1, "quorum": 0},
            {"digest": "0" * 64},
        ],
        ids=lambda edited: "+".join(edited),
    )
    async def test_a_request_edited_after_the_yes_is_not_executed(
        self, desk: House, edited: dict[str, Any]
    ) -> None:
        request = await desk.asks("ana", WAREHOUSE)
        old = await desk.handle("bo", "Approve")
        edit(desk, request, **edited)
        await desk.press_handle("bo", old)
        await desk.settle()
        assert desk.state() is not State.ACTIVE
        assert not await desk.effects()

    async def test_a_request_edited_after_the_last_approval_is_not_executed(self, desk: House) -> None:
        request = await desk.asks("ana", "I need access to the data warehouse Dec 24-31")
        await desk.press("bo", "Approve")  # approved, and waits for its start
        edit(desk, request, params={"resource": "hr-records", "span": request.params["span"]})
        desk.clock.forward(days=31)
        await desk.settle()
        assert desk.state() is State.REFUSED
        assert "This is not what you confirmed" in await desk.heard("ana")
        assert not await desk.effects()

    async def test_what_changed_before_the_yes_is_shown_again(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        edit(desk, desk.request(), params={"resource": "figma", "span": {"minutes": 60}})
        ack = await desk.press("ana", "Yes, do it")
        assert ack.notice.startswith("Something changed since this card was made.")
        assert desk.state() is State.CONFIRMING
        assert not await desk.effects()
        assert (await desk.card("ana")).text == "Give Ana Ruiz access to Figma for 1 hour"

    async def test_another_group_behind_the_catalogue_entry_voids_the_yes(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        entry = desk.app.office.catalogue["data-warehouse"]
        others = (each for each in desk.app.office.catalogue if each.key != "data-warehouse")
        swapped = Catalogue((*others, entry.model_copy(update={"group": "domain-admins"})))
        object.__setattr__(desk.app.office, "catalogue", swapped)
        await desk.press("bo", "Approve")
        assert desk.state() is State.REFUSED
        assert not await desk.effects()

    async def test_other_rules_since_the_yes_void_it(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        texts = {path.name: path.read_text() for path in desk.app.settings.policies.glob("*.cedar")}
        schema = (desk.app.settings.policies / "schema.cedarschema").read_text()
        texts["access.cedar"] += "\n// a comment is a change as well\n"
        object.__setattr__(desk.app.office, "policies", Policies(texts, schema))
        await desk.press("bo", "Approve")
        assert desk.state() is State.REFUSED
        assert "The rules changed since you confirmed this" in await desk.heard("ana")
        assert not await desk.effects()

    async def test_a_decision_is_taken_after_the_last_approval_and_recorded(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await desk.press("bo", "Approve")
        events = desk.events()
        kinds = [event["kind"] for event in events]
        assert kinds.index("request.approved") < kinds.index("request.executing") < kinds.index("step.begun")
        last = events[kinds.index("request.executing")]["data"]
        assert last["decision"]["policies"] == ["access.medium"]
        assert last["approvals"]["manager"]["policies"] == ["approvals.manager"]
        assert last["digest"] == desk.request().digest


class TestAMoveIsACompareAndSwapWithOneEvent:
    """2. A state moves only by compare-and-swap; every move writes exactly one audit event with it."""

    async def test_every_version_of_every_request_has_its_event(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        await desk.press("bo", "Approve")
        await desk.asks("luis", FIGMA)
        await desk.asks("ana", "I forgot my password, please reset it")
        await desk.press("bo", "Deny")
        await desk.says("leo", "I need access to figma")
        for request in desk.requests():
            moves = [
                event
                for event in desk.events()
                if event.get("request") == request.ref and "to" in event["data"] and "from" in event["data"]
            ]
            assert len(moves) == request.version, request.ref
            states = [event["data"]["to"] for event in moves]
            assert states[-1] == request.state
            for before, after in pairwise(moves):
                assert before["data"]["to"] == after["data"]["from"]

    async def test_of_two_moves_from_one_version_the_second_changes_nothing(self, desk: House) -> None:
        await desk.asks("ana", WAREHOUSE)
        seen, events = desk.request(), len(desk.events())
        note, now = Note("request.cancelled", seen.requester, "test"), desk.clock()

        def cancel(conn: Any) -> None:
            ledger.move(conn, seen, State.CANCELLED, note, now)

        results = await asyncio.gather(
            *(desk.app.office.database.write(cancel) for _ in range(8)), return_exceptions=True
        )
        assert [type(each) for each in results].count(Stale) == 7
        assert len(desk.events()) == events + 1

    async def test_a_move_that_is_not_in_the_table_is_not_made(self, desk: House) -> None:
        await desk.says("ana", FIGMA)
        seen, note = desk.request(), Note("request.done", "somebody", "test")
        for to in set(State) - MOVES[seen.state]:
            with pytest.raises(IllegalMove):
                await desk.app.office.database.write(partial(_move, seen, to, note, desk.clock()))
        assert desk.request() == seen

    async def test_without_the_trail_nothing_moves_and_nothing_is_done(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.says("ana", FIGMA)
        before = desk.request()

        def full(*_args: Any, **_kwargs: Any) -> None:
            raise StorageDown("disk full")

        monkeypatch.setattr(ledger, "append", full)
        ack = await desk.press("ana", "Yes, do it")
        assert "as soon as I can" in ack.notice
        assert desk.request() == before
        assert not await desk.effects()
        monkeypatch.setattr(ledger, "append", append)
        await desk.app.desk.replay()  # what the next round does: the press was kept
        assert await desk.has("ana", "figma-editors")


def _move(request: Request, to: State, note: Note, at: datetime, conn: Any) -> None:
    ledger.move(conn, request, to, note, at)


class TestAStepTakesEffectAtMostOnce:
    """3. What a step saw is committed before it acts; an unknown outcome is stuck, not tried again."""

    async def test_what_it_saw_stands_in_the_trail_before_it_acts(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_the_write: list[str] = []
        add = desk.app.company.groups.add

        async def watched(group: str, person: str, *, op: str) -> bool:
            at_the_write.extend(event["kind"] for event in desk.events("step."))
            return await add(group, person, op=op)

        monkeypatch.setattr(desk.app.company.groups, "add", watched)
        await desk.asks("ana", FIGMA)
        assert at_the_write == ["step.begun"]
        assert [event["kind"] for event in desk.events("step.")] == ["step.begun", "step.done"]

    async def test_a_write_without_an_answer_that_did_not_happen_is_stuck_and_admins_are_told(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tries: list[str] = []

        async def silent(group: str, person: str, *, op: str) -> bool:
            tries.append(op)
            raise OutcomeUnknown("the line went dead")

        monkeypatch.setattr(desk.app.company.groups, "add", silent)
        await desk.asks("ana", FIGMA)
        await desk.settle()
        assert desk.state() is State.STUCK
        assert len(tries) == 1, "never blindly again"
        assert "needs a person" in await desk.heard("marco")
        assert "deskhand resolve" in await desk.heard("marco")
        assert "I could not find out whether this was done" in await desk.heard("ana")

    async def test_a_write_without_an_answer_that_happened_is_done_once(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add = desk.app.company.groups.add

        async def lost_reply(group: str, person: str, *, op: str) -> bool:
            await add(group, person, op=op)
            raise OutcomeUnknown("the line went dead")

        monkeypatch.setattr(desk.app.company.groups, "add", lost_reply)
        await desk.asks("ana", FIGMA)
        assert desk.state() is State.ACTIVE
        assert len(await desk.effects()) == 1

    async def test_a_refusal_of_the_system_is_undone_and_said(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refused(group: str, person: str, *, op: str) -> bool:
            raise PermissionRefused("insufficient access")

        monkeypatch.setattr(desk.app.company.groups, "add", refused)
        await desk.asks("ana", FIGMA)
        assert desk.state() is State.UNDONE
        assert "This could not be done, and nothing was changed." in await desk.heard("ana")

    async def test_a_step_resumed_after_a_crash_trusts_what_was_committed(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add = desk.app.company.groups.add

        async def dies_after(group: str, person: str, *, op: str) -> bool:
            await add(group, person, op=op)
            raise asyncio.CancelledError  # the process is gone before it could note that it was done

        monkeypatch.setattr(desk.app.company.groups, "add", dies_after)
        await desk.says("ana", FIGMA)
        with pytest.raises(asyncio.CancelledError):
            await desk.press("ana", "Yes, do it")
        assert desk.state() is State.EXECUTING
        monkeypatch.setattr(desk.app.company.groups, "add", add)

        await desk.settle()
        assert desk.state() is State.ACTIVE, '"already a member" was our own work'
        assert len(await desk.effects()) == 1
        desk.clock.forward(days=15)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors"), "so it is taken back"

    async def test_a_system_that_is_down_leaves_nothing_half_done(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", WAREHOUSE)
        with monkeypatch.context() as broken:
            broken.setattr("bot.procedures.execute._PAUSES_S", (0.0, 0.0))
            broken.setattr(desk.app.company.groups, "add", raises(SystemDown("no route")))
            await desk.press("bo", "Approve")
            assert desk.state() is State.UNDONE, "it certainly did nothing, and says so"
        assert "you can ask again" in await desk.heard("ana")
        assert not await desk.effects()

        await desk.asks("ana", WAREHOUSE)
        with monkeypatch.context() as broken:
            broken.setattr(desk.app.company.directory, "managers", raises(SystemDown("no route")))
            ack = await desk.press("bo", "Approve")
            assert ack.notice.startswith("I cannot check your request right now")
            assert desk.state() is State.APPROVING
        await desk.press("bo", "Approve")
        assert await desk.has("ana", "warehouse-readers")


class TestEveryTimedGrantEndsAndOnlyOurOwn:
    """11. Every timed grant is revoked by its end; only what the bot itself granted is revoked."""

    async def test_a_membership_held_before_is_never_taken(self, desk: House) -> None:
        assert await desk.has("leo", "figma-editors")
        await desk.asks("leo", FIGMA)
        assert "It was so already" in (await desk.card("leo")).text
        desk.clock.forward(days=20)
        await desk.settle()
        assert await desk.has("leo", "figma-editors")
        assert not await desk.effects()

    async def test_a_membership_given_by_hand_just_before_the_write_is_not_ours(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add = desk.app.company.groups.add

        async def a_moment_late(group: str, person: str, *, op: str) -> bool:
            await desk.hr.join(group, person)
            return await add(group, person, op=op)

        monkeypatch.setattr(desk.app.company.groups, "add", a_moment_late)
        await desk.asks("ana", FIGMA)
        desk.clock.forward(days=20)
        await desk.settle()
        assert await desk.has("ana", "figma-editors")

    async def test_the_end_of_the_first_does_not_remove_what_the_second_still_needs(
        self, desk: House
    ) -> None:
        first = await desk.asks("ana", "I need access to figma for 3 days")
        desk.clock.forward(days=1)
        second = await desk.asks("ana", "I need access to figma for 10 days")
        desk.clock.forward(days=3)
        await desk.settle()
        states = {each.ref: each.state for each in desk.requests()}
        assert states == {first.ref: State.ENDED, second.ref: State.ACTIVE}
        assert await desk.has("ana", "figma-editors")
        desk.clock.forward(days=8)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors"), "the last to end takes it back"
        assert [write.kind for write in await desk.effects()] == ["group.add", "group.remove"]

    async def test_nor_does_giving_the_second_back_remove_what_the_first_gave(self, desk: House) -> None:
        await desk.asks("ana", "I need access to figma for 10 days")
        await desk.asks("ana", "I need access to figma for 3 days")
        desk.clock.forward(days=4)
        await desk.settle()
        assert await desk.has("ana", "figma-editors")
        desk.clock.forward(days=7)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors")

    async def test_a_grant_asked_for_while_another_ends_is_not_lost_to_it(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", "I need access to figma for 3 days")
        await desk.says("ana", "I need access to figma for 10 days")
        remove = desk.app.company.groups.remove

        async def slowly(group: str, person: str, *, op: str) -> bool:
            await asyncio.sleep(0.2)
            return await remove(group, person, op=op)

        monkeypatch.setattr(desk.app.company.groups, "remove", slowly)
        desk.clock.forward(hours=3 * 24 - 1)
        yes = await desk.handle("ana", "Yes, do it")
        desk.clock.forward(hours=2)
        edit(desk, desk.request(), created_at=desk.clock().isoformat())  # or it were abandoned by now
        ending = asyncio.create_task(desk.settle())
        await asyncio.sleep(0.05)
        await desk.press_handle("ana", yes)
        await ending
        await desk.settle()
        running = desk.requests(State.ACTIVE)
        assert len(running) == 1
        assert await desk.has("ana", "figma-editors"), "an active grant is one that holds"

    @pytest.mark.parametrize("first_is", [State.EXECUTING, State.STUCK])
    async def test_a_grant_that_finds_the_work_of_one_a_crash_interrupted_keeps_it(
        self, desk: House, monkeypatch: pytest.MonkeyPatch, first_is: State
    ) -> None:
        add = desk.app.company.groups.add

        async def dies_after(group: str, person: str, *, op: str) -> bool:
            await add(group, person, op=op)
            if first_is is State.EXECUTING:
                raise asyncio.CancelledError
            raise OutcomeUnknown("the reply was lost")

        await desk.says("ana", "I need access to figma for 3 days")
        first = desk.request()
        with monkeypatch.context() as broken:
            broken.setattr(desk.app.company.groups, "add", dies_after)
            if first_is is State.STUCK:
                broken.setattr("bot.procedures.execute._asked", answers(None))
            with contextlib.suppress(asyncio.CancelledError):
                await desk.press("ana", "Yes, do it")
        assert desk.state() is first_is

        second = await desk.asks("ana", "I need access to figma for 10 days")  # before the first is recovered
        states = {each.ref: each.state for each in desk.requests()}
        assert states == {first.ref: first_is, second.ref: State.ACTIVE}
        if first_is is State.STUCK:
            await desk.app.engine.resolve(first.ref, "p-1", "test", happened=True)
        await desk.settle()
        desk.clock.forward(days=4)
        await desk.settle()
        assert await desk.has("ana", "figma-editors"), "the second still needs it"
        desk.clock.forward(days=8)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors"), "and takes it back at its end"
        assert {each.state for each in desk.requests()} == {State.ENDED}

    async def test_somebody_added_by_hand_meanwhile_loses_nothing_that_was_not_ours(
        self, desk: House
    ) -> None:
        await desk.asks("ana", "I need access to figma for 3 days")
        await desk.hr.leave("figma-editors", await desk.id("ana"))  # taken by hand
        desk.clock.forward(days=4)
        await desk.settle()
        assert desk.state() is State.ENDED
        assert [write.kind for write in await desk.effects()] == ["group.add"]

    async def test_a_revocation_waits_for_a_system_that_is_down(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", "I need access to figma for 3 days")
        desk.clock.forward(days=4)
        with monkeypatch.context() as broken:
            broken.setattr(desk.app.company.groups, "remove", raises(SystemDown("no route")))
            await desk.app.engine.settle_now(desk.request().ref)
            assert desk.state() is State.REVOKING
        await desk.settle()
        assert desk.state() is State.ENDED
        assert not await desk.has("ana", "figma-editors")


class TestAPersonEndsWhatIsStuck:
    """Stuck is ended by what somebody found, and from there on it is like any other."""

    async def _stuck(self, desk: House, monkeypatch: pytest.MonkeyPatch, happened: bool) -> Request:
        groups = desk.app.company.groups
        add = groups.add

        async def silent(group: str, person: str, *, op: str) -> bool:
            if happened:
                await add(group, person, op=op)
            raise OutcomeUnknown("the line went dead")

        with monkeypatch.context() as broken:
            broken.setattr(groups, "add", silent)
            broken.setattr(groups, "has", answers(False))
            await desk.asks("ana", "I need access to figma for 3 days")
        assert desk.state() is State.STUCK
        return desk.request()

    async def test_found_done_it_runs_and_ends_in_time(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request = await self._stuck(desk, monkeypatch, happened=True)
        await desk.app.engine.resolve(request.ref, "os:marco", "terminal", happened=True)
        assert desk.state() is State.ACTIVE
        desk.clock.forward(days=4)
        await desk.settle()
        assert desk.state() is State.ENDED
        assert not await desk.has("ana", "figma-editors"), "a resolved grant ends like any other"

    async def test_found_not_done_it_is_over(self, desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
        request = await self._stuck(desk, monkeypatch, happened=False)
        await desk.app.engine.resolve(request.ref, "os:marco", "terminal", happened=False)
        assert desk.state() is State.UNDONE
        assert not await desk.has("ana", "figma-editors")
        (event,) = desk.events("request.resolved")
        assert event["actor"] == "os:marco"
        assert event["data"]["happened"] is False

    async def test_only_what_is_stuck_is_resolved(self, desk: House) -> None:
        request = await desk.asks("ana", FIGMA)
        with pytest.raises(IllegalMove):
            await desk.app.engine.resolve(request.ref, "os:marco", "terminal", happened=True)

    async def test_a_revocation_found_not_done_is_tried_again(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", "I need access to figma for 3 days")
        desk.clock.forward(days=4)
        with monkeypatch.context() as broken:
            broken.setattr(desk.app.company.groups, "remove", raises(PermissionRefused("not ours")))
            await desk.settle()
        assert desk.state() is State.STUCK
        await desk.app.engine.resolve(desk.request().ref, "os:marco", "terminal", happened=False)
        await desk.settle()
        assert desk.state() is State.ENDED
        assert not await desk.has("ana", "figma-editors")

    async def test_a_password_found_set_can_be_shown_and_one_found_unset_is_destroyed(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for happened, links in ((True, 1), (False, 0)):
            with monkeypatch.context() as broken:
                broken.setattr(desk.app.company.accounts, "reset", raises(OutcomeUnknown("no answer")))
                await desk.asks("ana", "I forgot my password, please reset it")
                await desk.press("bo", "Approve", {"spoke": "yes"})
            assert desk.state() is State.STUCK
            request = await desk.app.engine.resolve(
                desk.request().ref, "os:marco", "terminal", happened=happened
            )
            await desk.settle()
            cards = [card for card in await desk.cards("ana") if request.ref in card.footer]
            assert sum(len(card.links) for card in cards) == links
            with desk.app.office.database.read() as conn:
                held = conn.exec_driver_sql("SELECT count(*) FROM sealed").scalar_one()
            assert held == 1, "the first is still to be shown, and no other was left"
            desk.clock.forward(seconds=1)


async def test_nothing_waits_longer_than_it_may(desk: House) -> None:
    """A question nobody answered and a card nobody confirmed are closed after a day."""
    await desk.says("ana", "I need access to figma")
    await desk.says("luis", FIGMA)
    desk.clock.forward(hours=23)
    await desk.settle()
    assert {each.state for each in desk.requests()} == {State.COLLECTING, State.CONFIRMING}
    desk.clock.shift += timedelta(hours=2)
    await desk.settle()
    assert {each.state for each in desk.requests()} == {State.EXPIRED}
