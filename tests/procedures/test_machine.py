"""Anybody may press anything at any time while the company changes: the invariants hold all the same.

``MACHINE_EXAMPLES=500`` looks longer.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.procedures import ledger
from bot.procedures.cards import ATTEST
from bot.procedures.request import Request, State
from integrations.contract import Status
from tests.house import MONDAY, Clock, House, house

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "15"))
STEPS = 30

ASKERS = ("ana", "bo", "nils", "wanda")  # few, so that their requests meet
PRESSERS = (*ASKERS, "tove", "nadia", "felix", "mei", "grace", "omar", "chloe", "priya", "luis")
WISHES = (
    "I need access to the data warehouse for 2 days",
    "I need access to the production database (read) for 2 days",
    "I need access to production deploy for 1 day",
    "I forgot my password, please reset it",
)
CORRECTIONS = (
    "make it 3 days",
    "no, until Friday",
    "no, 2 days",
    "make it 300 days",
    "I meant production deploy",
    "no, not that one",
    "for Luis, not me",
    "I need access to figma and the data warehouse for 2 days",
)
RESOURCES = ("figma", "data-warehouse", "production-database-read", "production-deploy")
MINUTES = (11, 60, 5 * 60, 25 * 60, 30 * 60)

CHANGES = (
    "leaves",
    "rests",
    "reports to another",
    "becomes privileged",
    "is frozen",
    "all is well",
    "all is well",
)

people = st.sampled_from(PRESSERS)


class Approvals(RuleBasedStateMachine):
    """Random people, random buttons, a clock that jumps, a company that reorganises itself."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="machine")
        self.runner = asyncio.Runner()
        self.entered: AbstractAsyncContextManager[House] | None = None
        self.handles: set[str] = set()  # every button there ever was, old ones included
        self.held: dict[tuple[str, str], bool] = {}

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.entered = house(
            Path(self.folder.name), clock=Clock.at(MONDAY), requests_per_minute=10**6, open_per_person=10**6
        )
        self.desk = self.run(self.entered.__aenter__())
        self.ids = {account: self.run(self.desk.id(account)) for account in PRESSERS}
        catalogue = self.desk.app.office.catalogue
        self.groups = {catalogue[key].group for key in RESOURCES}
        for account, person in self.ids.items():
            for group in self.groups:
                self.held[person, group] = self.run(self.desk.has(account, group))

    def teardown(self) -> None:
        if self.entered:
            self.run(self.entered.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()

    @rule(who=st.sampled_from(ASKERS), wish=st.sampled_from(WISHES))
    def asks(self, who: str, wish: str) -> None:
        self.run(self.desk.says(who, wish))
        if "Yes, do it" in self.run(self.desk.buttons(who)):
            self.run(self.desk.press(who, "Yes, do it"))
        self._collect()

    @rule(who=st.sampled_from(("ana", "bo")), days=st.sampled_from([1, 2, 4]))
    def asks_for_what_needs_nobody(self, who: str, days: int) -> None:
        """So that grants of the same thing lie over each other."""
        self.asks(who, f"I need access to figma for {days} days")

    @rule(who=st.sampled_from(ASKERS), says=st.sampled_from(CORRECTIONS), again=st.booleans())
    def changes_their_mind(self, who: str, says: str, again: bool) -> None:
        self.run(self.desk.says(who, says))
        if again and "Yes, do it" in self.run(self.desk.buttons(who)):
            self.run(self.desk.press(who, "Yes, do it"))
        self._collect()

    @rule(who=people, which=st.integers(0, 10**6), spoke=st.booleans())
    def presses(self, who: str, which: int, spoke: bool) -> None:
        if self.handles:
            handle = sorted(self.handles)[which % len(self.handles)]
            self.run(
                self.desk.press_handle(who, handle, {"spoke": "yes"} if spoke else {}, where="approvals")
            )
            self._collect()

    @rule(which=st.sampled_from([0, 0, 0, 1, 2]), spoke=st.sampled_from([True, True, False]))
    def somebody_asked_approves(self, which: int, spoke: bool) -> None:
        """Or the machine would hardly ever get to the end of a request."""
        for request in self.desk.requests(State.APPROVING):
            for seat in request.seats.get(request.waits_for or "", ())[which : which + 1]:
                account = next((each for each, person in self.ids.items() if person == seat.person), None)
                if account and "Approve" in self.run(self.desk.buttons(account)):
                    fields = {"spoke": "yes"} if spoke else {}
                    self.run(self.desk.press(account, "Approve", fields))
        self._collect()

    @rule(minutes=st.sampled_from(MINUTES))
    def time_passes(self, minutes: int) -> None:
        self.desk.clock.forward(minutes=minutes)
        self.run(self.desk.settle())
        self._collect()

    @rule(who=people, other=people, change=st.sampled_from(CHANGES))
    def the_company_changes(self, who: str, other: str, change: str) -> None:
        person, hr = self.ids[who], self.desk.hr
        match change:
            case "leaves":
                self.run(hr.set_status(person, Status.LEFT))
            case "rests":
                self.run(hr.set_status(person, Status.ON_LEAVE))
            case "reports to another":
                self.run(hr.set_manager(person, self.ids[other]))
            case "becomes privileged":
                self.run(hr.set_privileged(person, True))
            case "is frozen":
                self.run(self.desk.app.engine.freeze(person, "os:marco", "test", on=True))
            case "all is well":
                for each in self.ids.values():
                    self.run(hr.set_status(each, Status.ACTIVE))
                    self.run(self.desk.app.engine.freeze(each, "os:marco", "test", on=False))

    def _collect(self) -> None:
        with self.desk.app.office.database.read() as conn:
            self.handles = {row[0] for row in conn.exec_driver_sql("SELECT handle FROM handles")}

    # What always holds

    @invariant()
    def every_effect_was_decided_on(self) -> None:
        if not self.entered:
            return
        given = [each for each in self.desk.requests() if each.given_at]
        for request in given:
            assert request.confirmed_at, request.ref
            with self.desk.app.office.database.read() as conn:
                said = ledger.approvals(conn, request.ref)
            yes = [each for each in said if each.verdict == "approved" and each.digest == request.digest]
            deciders = {each.person for each in yes}
            assert not deciders & {request.requester, request.subject}, "nobody decides on their own"
            assert {each.stage for each in yes} >= set(request.stages)
            assert len(deciders) >= max(request.quorum, len(request.stages))
            for need in set(request.needs) & ATTEST.keys():
                assert all(need in each.attested for each in yes)
        made = {write.op.split(":")[0] for write in self.run(self.desk.effects())}
        assert made <= {each.ref for each in given}, "an effect without a request that was given"

    @invariant()
    def nothing_took_effect_twice(self) -> None:
        if self.entered:
            ops = [write.op for write in self.run(self.desk.effects())]
            assert len(ops) == len(set(ops))

    @invariant()
    def who_is_in_is_in_by_a_running_grant_or_was_before(self) -> None:
        if not self.entered:
            return
        running = {
            (each.subject, self.desk.app.office.catalogue[each.resource].group)
            for each in self.desk.requests(State.ACTIVE)
        }
        for (person, group), before in self.held.items():
            account = next(each for each, known in self.ids.items() if known == person)
            if before or (person, group) in running:
                assert self.run(self.desk.has(account, group)), (account, group)
            else:
                assert not self.run(self.desk.has(account, group)), (account, group)

    @invariant()
    def every_move_has_its_event_and_nothing_was_a_fault_of_ours(self) -> None:
        if not self.entered:
            return
        events = self.desk.events()
        assert not [event for event in events if event["kind"] == "inbound.failed"]
        moves: dict[str, int] = {}
        for event in events:
            if "from" in event["data"]:
                moves[event["request"]] = moves.get(event["request"], 0) + 1
        requests: list[Request] = self.desk.requests()
        assert {each.ref: each.version for each in requests} == {
            each.ref: moves[each.ref] for each in requests
        }
        assert not [each for each in requests if each.state is State.STUCK]


Approvals.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestApprovals = Approvals.TestCase
