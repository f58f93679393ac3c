"""BambooHR on a bad day: odd values, throttling, a mail that went to somebody else; a key shown nowhere."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integrations.bamboohr import BambooHr, BambooHrSettings, NotConfigured
from integrations.company import Company
from integrations.contract import (
    ConnectorError,
    OutcomeUnknown,
    PermissionRefused,
    Status,
    SystemDown,
    UnknownPerson,
)
from integrations.work import LeaveRefused, LeaveState, NewLeave, UnknownLeave
from tests.contracts.time_off_worlds import opened, settings_of
from tests.servers.bamboohr import KEY, FakeBambooHr, Refusal

TODAY = datetime.now(UTC).date()
ANA, ROSA, LUIS, LEFT = "p-1020", "p-1013", "p-1021", "p-1051"
ANA_MAIL, LUIS_MAIL = "ana.ruiz@alderfinch.example", "luis.moreno@alderfinch.example"
HOURS_OFF, DAYS_OFF = 78, 80
OP = "R-7Q2MXX:enter"
SOON = TODAY + timedelta(days=3)
NEW = NewLeave(str(HOURS_OFF), {SOON: Decimal(8), SOON + timedelta(days=1): Decimal("4.25")}, "Sea and sun")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bamboohr") / "template.db"
    Company.open(path).close()
    return path


@pytest.fixture
def company(template: Path, tmp_path: Path) -> Iterator[Company]:
    with opened(template, tmp_path) as company:
        yield company


@pytest.fixture
def bamboo() -> Iterator[FakeBambooHr]:
    with FakeBambooHr.running() as running:
        yield running


@pytest.fixture
async def hr(bamboo: FakeBambooHr, company: Company) -> AsyncIterator[BambooHr]:
    made = BambooHr(settings_of(bamboo), company.directory)
    yield made
    await made.close()


def directory_reads(bamboo: FakeBambooHr) -> int:
    return sum(call.path == "employees/directory" for call in bamboo.calls)


class TestValues:
    @pytest.mark.parametrize(
        ("balance", "left"),
        [
            ("40", "40"),
            ("40.50", "40.5"),
            (40, "40"),
            (40.5, "40.5"),
            ("-2.5", "-2.5"),
            (" 7 ", "7"),
            (0, "0"),
        ],
        ids=str,
    )
    async def test_a_number_may_be_text_or_a_number(
        self, bamboo: FakeBambooHr, hr: BambooHr, balance: Any, left: str
    ) -> None:
        bamboo.bent = {"balance": balance}
        assert {each.available for each in await hr.time_off.balances(ANA, TODAY)} == {Decimal(left)}

    @pytest.mark.parametrize(
        "odd",
        ["", None, ..., "n/a", "1,040.50", "1e3", "∞", "NaN", "٣", "4 0", True, [], {}, "0x10"],
        ids=str,
    )
    @pytest.mark.parametrize("field", ["balance", "usedYearToDate"])
    async def test_a_number_that_cannot_be_read_is_an_error_that_names_it(
        self, bamboo: FakeBambooHr, hr: BambooHr, field: str, odd: Any
    ) -> None:
        bamboo.bent = {field: odd}
        with pytest.raises(SystemDown, match=field):
            await hr.time_off.balances(ANA, TODAY)

    @pytest.mark.parametrize(
        ("field", "odd"),
        [
            ("end", "0000-00-00"), ("end", "12/21/2026"), ("end", "2026-02-30"), ("end", None),
            ("units", "weeks"), ("units", ""), ("name", None), ("name", " "),
            ("timeOffType", ""), ("timeOffType", "0"), ("timeOffType", "78; 79"), ("timeOffType", ...),
        ],
    )  # fmt: skip
    async def test_so_is_a_part_of_a_balance(
        self, bamboo: FakeBambooHr, hr: BambooHr, field: str, odd: Any
    ) -> None:
        bamboo.bent = {field: odd}
        with pytest.raises(SystemDown, match=field):
            await hr.time_off.balances(ANA, TODAY)

    @pytest.mark.parametrize(
        ("field", "odd"),
        [
            ("start", "0000-00-00"), ("end", None), ("end", "0000-00-00"), ("unit", "weeks"), ("amount", ""),
            ("amount", {"unit": "hours", "amount": None}), ("amount", {"unit": "hours", "amount": "9"}),
            ("dates", {}), ("dates", {"0000-00-00": "8"}), ("dates", {"2020-01-01": "12.25"}), ("dates", "x"),
            ("status", None), ("status", {"status": "maybe"}), ("status", {}), ("type", None), ("id", "x"),
            ("id", None),
        ],
    )  # fmt: skip
    async def test_so_is_a_part_of_a_request(
        self, bamboo: FakeBambooHr, hr: BambooHr, field: str, odd: Any
    ) -> None:
        await hr.time_off.enter(ANA, NEW, op=OP)
        await hr.time_off.balances(ANA, TODAY)
        bamboo.bent = {field: odd}
        people = hr._people

        async def known(person_id: str) -> str:
            return str(bamboo.employee(ANA_MAIL).id)

        people.employee = known  # type: ignore[method-assign]  # the field would be bent in people too
        with pytest.raises(SystemDown, match="cannot be read"):
            await hr.time_off.booked(ANA, SOON, SOON)

    @pytest.mark.parametrize("answer", [None, "x", 7, {"error": "x"}, [1], [[]]], ids=str)
    async def test_an_answer_of_another_shape_is_an_error(
        self, bamboo: FakeBambooHr, hr: BambooHr, monkeypatch: pytest.MonkeyPatch, answer: Any
    ) -> None:
        await hr.time_off.balances(ANA, TODAY)
        monkeypatch.setattr(bamboo, "_estimates", lambda *_: answer)
        with pytest.raises(SystemDown):
            await hr.time_off.balances(ANA, TODAY)

    @pytest.mark.parametrize(
        "notes", [[], {}, None, ..., [{"from": "manager", "note": "Enjoy!"}], {"employee": None}]
    )
    async def test_notes_come_in_any_shape(self, bamboo: FakeBambooHr, hr: BambooHr, notes: Any) -> None:
        bamboo.ask(ANA_MAIL, HOURS_OFF, {SOON: "8"}, "denied")
        bamboo.bent = {"notes": notes}
        assert await hr.time_off.entered(ANA, NEW, op=OP) is None

    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("requested", LeaveState.REQUESTED), ("approved", LeaveState.APPROVED),
            ("denied", LeaveState.DENIED), ("declined", LeaveState.DENIED),
            ("canceled", LeaveState.CANCELLED), ("superceded", LeaveState.CANCELLED),
        ],
    )  # fmt: skip
    async def test_each_state_has_its_word(
        self, bamboo: FakeBambooHr, hr: BambooHr, word: str, state: LeaveState
    ) -> None:
        made = bamboo.ask(ANA_MAIL, HOURS_OFF, {SOON: "8"}, word)
        assert (await hr.time_off.leave(ANA, str(made.id))).state is state
        counts = state in (LeaveState.REQUESTED, LeaveState.APPROVED)
        assert bool(await hr.time_off.booked(ANA, SOON, SOON)) is counts

    async def test_a_policy_without_a_balance_is_left_out(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        bamboo.bent = {"policyType": "discretionary", "balance": "-2.5"}
        assert await hr.time_off.balances(ANA, TODAY) == []

    async def test_what_is_only_requested_is_taken_off(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        before = await hr.time_off.balances(ANA, SOON)
        bamboo.ask(ANA_MAIL, HOURS_OFF, {SOON: "8", SOON + timedelta(days=1): "4"})
        after = await hr.time_off.balances(ANA, SOON)
        assert [b.available - a.available for b, a in zip(before, after, strict=True)] == [Decimal(8), 0]

    async def test_a_day_that_bamboohr_leaves_out_takes_nothing(
        self, bamboo: FakeBambooHr, hr: BambooHr
    ) -> None:
        made = bamboo.ask(ANA_MAIL, HOURS_OFF, {SOON: "8", SOON + timedelta(days=2): "4.5"})
        leave = await hr.time_off.leave(ANA, str(made.id))
        assert list(leave.amounts.values()) == [Decimal(8), Decimal(0), Decimal("4.5")]

    async def test_what_is_sent_is_what_was_meant(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        await hr.time_off.enter(ANA, NEW, op=OP)
        (call,) = bamboo.writes()
        assert call.body == {
            "status": "approved",
            "start": SOON.isoformat(),
            "end": (SOON + timedelta(days=1)).isoformat(),
            "timeOffTypeId": 78,
            "amount": 12.25,
            "notes": [{"from": "employee", "note": f"Sea and sun [Deskhand {OP}]"}],
            "dates": [
                {"ymd": SOON.isoformat(), "amount": 8},
                {"ymd": (SOON + timedelta(days=1)).isoformat(), "amount": 4.25},
            ],
        }

    @pytest.mark.parametrize("told", ["body", "location", ""])
    async def test_the_id_is_known_whether_the_answer_tells_it_or_not(
        self, bamboo: FakeBambooHr, hr: BambooHr, told: str
    ) -> None:
        bamboo.says_id = told
        leave_id = await hr.time_off.enter(ANA, NEW, op=OP)
        assert leave_id == str(bamboo.requests[0].id)

    async def test_what_was_taken_and_is_not_shown_is_unknown(
        self, bamboo: FakeBambooHr, hr: BambooHr, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bamboo.says_id = ""
        monkeypatch.setattr(bamboo, "_listed", lambda *_: [])
        with pytest.raises(OutcomeUnknown):
            await hr.time_off.enter(ANA, NEW, op=OP)

    @pytest.mark.parametrize(
        ("kind", "days"), [(HOURS_OFF, (0,)), (HOURS_OFF, (1,)), (HOURS_OFF, (0, 1, 2)), (79, (0, 1))]
    )
    async def test_our_marker_on_other_days_or_of_another_kind_makes_nothing_ours(
        self, bamboo: FakeBambooHr, hr: BambooHr, kind: int, days: tuple[int, ...]
    ) -> None:
        made = bamboo.ask(ANA_MAIL, kind, {SOON + timedelta(days=day): "8" for day in days})
        made.notes = {"employee": f"[Deskhand {OP}]"}
        assert await hr.time_off.entered(ANA, NEW, op=OP) is None
        with pytest.raises(LeaveRefused, match="booked already"):
            await hr.time_off.enter(ANA, NEW, op=OP)


class TestPeople:
    async def test_the_big_directory_is_read_once_and_each_person_is_asked_for_again(
        self, bamboo: FakeBambooHr, hr: BambooHr
    ) -> None:
        for person in (ANA, ROSA, ANA, LUIS, ANA):
            assert await hr.time_off.balances(person, TODAY)
        assert directory_reads(bamboo) == 1
        number = bamboo.employee(ANA_MAIL).id
        assert sum(call.path == f"employees/{number}" for call in bamboo.calls) == 3

    async def test_whoever_is_not_in_it_does_not_make_us_read_it_again_and_again(
        self, bamboo: FakeBambooHr, hr: BambooHr
    ) -> None:
        bamboo.employee(ANA_MAIL).mail = None
        for _ in range(3):
            with pytest.raises(UnknownPerson):
                await hr.time_off.balances(ANA, TODAY)
        assert directory_reads(bamboo) == 1
        bamboo.employees[0].mail = ANA_MAIL
        hr._people._read_at -= 61
        assert await hr.time_off.balances(ANA, TODAY)

    @pytest.mark.parametrize("later", [0, 61])
    async def test_a_mail_that_went_to_somebody_else_does_not_lead_to_who_had_it(
        self, bamboo: FakeBambooHr, hr: BambooHr, later: int
    ) -> None:
        await hr.time_off.balances(ANA, TODAY)
        bamboo.employee(ANA_MAIL).mail = "old.ana@alderfinch.example"
        hr._people._read_at -= later
        with pytest.raises(UnknownPerson):
            await hr.time_off.balances(ANA, TODAY)
        with pytest.raises(UnknownPerson):
            await hr.time_off.enter(ANA, NEW, op=OP)
        assert not bamboo.requests

    async def test_who_left_is_not_led_to_their_successor_with_the_same_mail(
        self, bamboo: FakeBambooHr, hr: BambooHr, company: Company
    ) -> None:
        await hr.time_off.balances(ANA, TODAY)
        bamboo.employee(LUIS_MAIL).mail, bamboo.employee(ANA_MAIL).mail = ANA_MAIL, None
        await company.hr.set_status(ANA, Status.LEFT)
        hr._people._read_at -= 61
        with pytest.raises(UnknownPerson):
            await hr.time_off.balances(ANA, TODAY)

    async def test_a_mail_that_several_have_is_nobodys(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        bamboo.employee(LUIS_MAIL).mail = ANA_MAIL.upper()
        with pytest.raises(UnknownPerson):
            await hr.time_off.balances(ANA, TODAY)

    async def test_who_is_inactive_is_nobody(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        assert await hr.time_off.balances(ANA, TODAY)
        bamboo.employee(ANA_MAIL).status = "Inactive"
        with pytest.raises(UnknownPerson):
            await hr.time_off.balances(ANA, TODAY)
        with pytest.raises(UnknownPerson):
            await hr.time_off.balances(LEFT, TODAY)

    async def test_a_new_employee_record_is_found(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        await hr.time_off.balances(ANA, TODAY)
        old = bamboo.employee(ANA_MAIL)
        new = type(old)(999, ANA_MAIL, old.name, "Active", old.plans)
        old.status = "Inactive"
        bamboo.employees.append(new)
        hr._people._read_at -= 61
        await hr.time_off.enter(ANA, NEW, op=OP)
        assert bamboo.requests[0].employee == 999

    @pytest.mark.parametrize("field", ["workEmail", "status"])
    async def test_a_field_that_the_key_does_not_see_is_named(
        self, bamboo: FakeBambooHr, hr: BambooHr, field: str
    ) -> None:
        bamboo.bent = {field: ...}
        with pytest.raises(PermissionRefused, match=f"{field}.*BAMBOOHR_API_KEY"):
            await hr.time_off.balances(ANA, TODAY)

    async def test_another_persons_requests_in_an_answer_are_not_theirs(
        self, bamboo: FakeBambooHr, hr: BambooHr, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = bamboo.ask(LUIS_MAIL, HOURS_OFF, {SOON: "8"})
        monkeypatch.setattr(bamboo, "_listed", lambda *_: bamboo.requests)
        assert await hr.time_off.booked(ANA, SOON, SOON) == []
        with pytest.raises(UnknownLeave):
            await hr.time_off.cancel(ANA, str(made.id), op=OP)
        assert made.status == "requested"


class TestThrottlingAndLosses:
    @pytest.mark.parametrize("status", ["429", "503"])
    async def test_a_read_waits_as_long_as_it_is_told(
        self, bamboo: FakeBambooHr, hr: BambooHr, status: str
    ) -> None:
        bamboo.fail("GET", status, retry_after="1")
        begun = time.monotonic()
        assert await hr.time_off.balances(ANA, TODAY)
        assert time.monotonic() - begun >= 1.0

    @pytest.mark.parametrize("status", ["429", "503"])
    async def test_a_write_that_was_throttled_did_nothing_and_is_sent_again(
        self, bamboo: FakeBambooHr, hr: BambooHr, status: str
    ) -> None:
        bamboo.fail("PUT", status, retry_after="1")
        await hr.time_off.enter(ANA, NEW, op=OP)
        assert [call.status for call in bamboo.writes()] == [int(status), 201]
        assert len(bamboo.requests) == 1

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    async def test_a_long_wait_is_a_system_that_is_down(
        self, bamboo: FakeBambooHr, hr: BambooHr, method: str
    ) -> None:
        await hr.time_off.balances(ANA, TODAY)
        bamboo.fail(method, "429", retry_after="600")
        with pytest.raises(SystemDown):
            await hr.time_off.enter(ANA, NEW, op=OP)
        assert not bamboo.requests

    @pytest.mark.parametrize("kind", ["500", "502", "504", "cut after"])
    async def test_a_write_without_an_answer_is_unknown_and_sent_once(
        self, bamboo: FakeBambooHr, hr: BambooHr, kind: str
    ) -> None:
        bamboo.fail("PUT", kind)
        with pytest.raises(OutcomeUnknown):
            await hr.time_off.enter(ANA, NEW, op=OP)
        assert len(bamboo.writes()) == 1
        found = await hr.time_off.entered(ANA, NEW, op=OP)
        assert bool(found) is (kind == "cut after")

    async def test_it_is_found_even_after_somebody_decided_otherwise(
        self, bamboo: FakeBambooHr, hr: BambooHr
    ) -> None:
        bamboo.fail("PUT", "cut after")
        with pytest.raises(OutcomeUnknown):
            await hr.time_off.enter(ANA, NEW, op=OP)
        bamboo.requests[0].status = "denied"
        bamboo.requests[0].notes["manager"] = "Not in December"
        assert await hr.time_off.entered(ANA, NEW, op=OP) == str(bamboo.requests[0].id)


class TestRefusals:
    async def test_a_refusal_comes_in_its_own_words(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        with pytest.raises(LeaveRefused, match="Invalid time off type"):
            await hr.time_off.enter(ANA, NewLeave("99", {SOON: Decimal(8)}), op=OP)
        much = NewLeave(str(HOURS_OFF), {SOON: Decimal(2000)})
        with pytest.raises(LeaveRefused, match="exceeds the balance"):
            await hr.time_off.enter(ANA, much, op=OP)

    @pytest.mark.parametrize("status", ["400", "409", "422"])
    async def test_one_without_words_is_one_too(
        self, bamboo: FakeBambooHr, hr: BambooHr, status: str
    ) -> None:
        bamboo.fail("PUT", status)
        with pytest.raises(LeaveRefused, match="does not say why"):
            await hr.time_off.enter(ANA, NEW, op=OP)

    async def test_one_that_has_begun_is_not_cancelled(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        made = bamboo.ask(ANA_MAIL, HOURS_OFF, {TODAY: "8", SOON: "8"}, "approved")
        with pytest.raises(LeaveRefused, match="has started"):
            await hr.time_off.cancel(ANA, str(made.id), op=OP)

    async def test_somebody_elses_words_cannot_be_long_or_say_the_key(
        self, bamboo: FakeBambooHr, hr: BambooHr, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise Refusal(400, f"Bad key {KEY} " + "x" * 5000)

        monkeypatch.setattr(bamboo, "_create", refuse)
        with pytest.raises(LeaveRefused) as caught:
            await hr.time_off.enter(ANA, NEW, op=OP)
        assert KEY not in str(caught.value)
        assert len(str(caught.value)) < 250


class TestSettingUp:
    async def test_the_check_says_what_answers(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        line = await hr.check()
        people = sum(each.status == "Active" for each in bamboo.employees)
        assert line == f"BambooHR: {people} people, 4 kinds of time off, as alderfinch"

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"company": ""}, "BAMBOOHR_COMPANY"),
            ({"company": "../x"}, "BAMBOOHR_COMPANY"),
            ({"company": "a.bamboohr.com"}, "BAMBOOHR_COMPANY"),
            ({"api_key": ""}, "BAMBOOHR_API_KEY"),
            ({"url": "http://api.bamboohr.com/api/gateway.php"}, "BAMBOOHR_URL"),
        ],
    )
    async def test_a_wrong_setting_is_named(
        self, bamboo: FakeBambooHr, company: Company, wrong: dict[str, str], named: str
    ) -> None:
        with pytest.raises(NotConfigured, match=named):
            BambooHr(settings_of(bamboo, **wrong), company.directory)

    async def test_a_wrong_key_is_named(self, bamboo: FakeBambooHr, company: Company) -> None:
        wrong = BambooHr(settings_of(bamboo, api_key="wrong"), company.directory)
        for call in (wrong.check(), wrong.time_off.balances(ANA, TODAY)):
            with pytest.raises(PermissionRefused, match=r"401.*BAMBOOHR_API_KEY"):
                await call
        await wrong.close()

    async def test_a_directory_that_is_not_shared_is_named(self, bamboo: FakeBambooHr, hr: BambooHr) -> None:
        bamboo.directory_shared = False
        with pytest.raises(PermissionRefused, match="employee directory"):
            await hr.check()

    async def test_the_key_stands_in_no_error_no_log_and_no_repr(
        self, bamboo: FakeBambooHr, hr: BambooHr, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        said = [repr(settings_of(bamboo)), repr(hr), repr(hr.time_off), repr(vars(hr))]
        for method, kind in (
            ("GET", "401"),
            ("GET", "400"),
            ("PUT", "403"),
            ("PUT", "400"),
            ("PUT", "cut after"),
        ):
            bamboo.fail(method, kind)
            try:
                await hr.time_off.enter(ANA, NEW, op=f"{kind}:enter")
            except ConnectorError as error:
                said += traceback.format_exception(error)
        with bamboo.stopped(), pytest.raises(SystemDown) as caught:
            await hr.check()
        said += traceback.format_exception(caught.value)
        assert len(said) > 15
        secret = "YmhyLTRmMWMta2V5"  # the same in base64
        assert not [line for line in (*said, caplog.text) if KEY in line or secret in line]


def test_the_defaults_lead_to_bamboohr() -> None:
    settings = BambooHrSettings("alderfinch", "key")
    assert settings.url == "https://api.bamboohr.com/api/gateway.php"
