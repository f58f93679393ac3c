"""A back office on a bad day: odd and hostile answers, throttled, silent; and the server of its page."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.backoffice import Backoffice, BackofficeSettings, NotConfigured
from integrations.backoffice.fields import HIGHEST_AMOUNT, LONGEST_TEXT, MOST_ALIASES, MOST_ENTRIES
from integrations.company import Company
from integrations.contract import ConnectorError, PermissionRefused, Person, SystemDown, UnknownPerson
from tests.servers.backoffice import TOKEN, FakeBackoffice
from tests.servers.certificates import Certificates

ANA, ANA_MAIL = "p-1020", "ana.ruiz@alderfinch.example"
LAPTOP = {"id": "thinkpad", "name": "ThinkPad T14", "price": "1450.00", "currency": "EUR"}
TRIP = {"id": "ex-1", "title": "Trip", "amount": "642.80", "currency": "EUR", "status": "Approved"}
MISSING = object()
NO_DAYS: list[object] = [
    "", "soon", "2026-11-31", "0000-00-00", "20261109", "2026-W46-1", "2026-11-09T10:00:00Z", "09.11.2026",
    "2026-11-09 ", "٢٠٢٦-11-09", 1794182400, True, [], {},
]  # fmt: skip
ODD_ITEMS: dict[str, list[object]] = {
    "id": [
        MISSING, None, "", 7, True, ["x"], "ThinkPad", "think pad", "-pad", "tänk", "a/b", "..", "a\n",
        "a" * 64,
    ],
    "name": [MISSING, None, "", "  ", "\u202e\u200b\x00", 7, ["x"], {"en": "x"}],
    "currency": [MISSING, None, "", "€", "eur", "Euro", "EU", "EURO", "EUR ", "ＥＵＲ", 978],
    "price": [MISSING],
    "kind": [7, ["laptop"], {}],
    "aliases": ["laptop", [7], [None], {}, [["x"]], ["x"] * (MOST_ALIASES + 1)],
}  # fmt: skip
ODD_EXPENSES: dict[str, list[object]] = {
    "id": [MISSING, None, "", 2041, "EX-1", "ex 1", "a" * 64],
    "title": [MISSING, None, "", "\x00", 7],
    "status": [MISSING, None, "", 7],
    "currency": [MISSING, None, "eur"],
    "amount": [MISSING, None, "", "-1.00", -1, "NaN", "1.450", "10000000.01", True],
    "submitted_on": NO_DAYS,
    "paid_on": NO_DAYS,
    "employee": [None, "", "p-1021", "luis.moreno@alderfinch.example", 7, ["p-1020"]],
}


def each_of(odd: dict[str, list[object]]) -> list[tuple[str, object]]:
    return [(field, value) for field, values in odd.items() for value in values]


# One server serves all examples of a test.
answering = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def directory_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("company") / "company.db"
    Company.open(path).close()
    return path


@pytest.fixture
def company(directory_file: Path) -> Iterator[Company]:
    company = Company.open(directory_file)
    yield company
    company.close()


@pytest.fixture
def server() -> Iterator[FakeBackoffice]:
    with FakeBackoffice.running() as running:
        yield running


@pytest.fixture
async def office(server: FakeBackoffice, company: Company) -> AsyncIterator[Backoffice]:
    made = Backoffice(settings_of(server), company.directory)
    yield made
    await made.close()


def settings_of(server: FakeBackoffice, **changed: Any) -> BackofficeSettings:
    made = BackofficeSettings(server.url, TOKEN, server.certificates.ca_file, patience_s=5.0)
    return replace(made, **changed)


def bent(good: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    return {name: said for name, said in {**good, field: value}.items() if said is not MISSING}


class Someone:
    """A directory with one person, whatever their id is."""

    def __init__(self, person: Person) -> None:
        self._person = person

    async def person(self, person_id: str) -> Person:
        return self._person


# --- Equipment --------------------------------------------------------------------------------


class TestPrices:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ('"1450.00"', "1450.00"),
            ('"1450"', "1450"),
            ("1450", "1450"),
            ("1450.5", "1450.5"),
            ("0.1", "0.1"),
            ("1450.10", "1450.10"),
            ('"9999999.99"', "9999999.99"),
            ("10000000", "10000000"),
            ("0", "0"),
        ],
    )
    async def test_a_price_is_read_exactly_as_it_is_written(
        self, server: FakeBackoffice, office: Backoffice, written: str, meant: str
    ) -> None:
        said = json.dumps({"items": [{**LAPTOP, "price": "PRICE"}]}).replace('"PRICE"', written)
        server.raw["equipment"] = said.encode()
        (item,) = await office.equipment.items()
        assert str(item.price) == meant
        assert isinstance(item.price, Decimal)

    @pytest.mark.parametrize(
        "written",
        [
            "-1", "-0.01", '"-1450.00"', "NaN", "Infinity", "-Infinity", '"NaN"', '"sNaN"', '"Infinity"',
            "1e3",
            "1E3", '"1e3"', "1e999", '"1.450"', "1.450", '"1450.000"', '"1,450.00"', '"1450,00"',
            '"1.450,00"',
            '"1 450.00"', '"1\\u00a0450"', '"1_450"', '" 1450"', '"1450 "', '"1450\\n"', '"+1450"', '"€1450"',
            '"1450 EUR"', '"0x5aa"', '".5"', '"5."', '""', '"free"', '"\\u0661\\u0664"', '"\\uff11\\uff14"',
            '"1450.00\\u0000"', "10000000.01", "10000001", '"99999999.99"', '"123456789"', "9" * 400,
            "9" * 5000,
            "true", "false", "null", "[]", "[1450]", "{}", '{"value": 1450}',
        ],
    )  # fmt: skip
    async def test_what_is_no_price_is_an_error_that_names_the_field_and_not_what_stood_there(
        self, server: FakeBackoffice, office: Backoffice, written: str
    ) -> None:
        said = json.dumps({"items": [{**LAPTOP, "id": "mouse"}, {**LAPTOP, "price": "PRICE"}]})
        server.raw["equipment"] = said.replace('"PRICE"', written).encode()
        with pytest.raises(SystemDown) as refused:
            await office.equipment.items()
        if len(written) < 4_300:  # more digits are no JSON to Python
            assert "items[1].price" in str(refused.value)
        assert len(str(refused.value)) < 200

    @pytest.mark.parametrize(("currency", "read"), [("KWD", True), ("EUR", False), ("JPY", False)])
    async def test_three_decimals_are_for_currencies_that_have_them(
        self, server: FakeBackoffice, office: Backoffice, currency: str, read: bool
    ) -> None:
        server.items = [{**LAPTOP, "price": "1.450", "currency": currency}]
        if read:
            assert (await office.equipment.items())[0].price == Decimal("1.450")
        else:
            with pytest.raises(SystemDown, match="price"):
                await office.equipment.items()

    @answering
    @given(price=st.decimals(min_value=0, max_value=HIGHEST_AMOUNT, places=2))
    async def test_every_price_of_two_decimals_comes_through_as_text_and_as_number(
        self, server: FakeBackoffice, office: Backoffice, price: Decimal
    ) -> None:
        both = [{**LAPTOP, "price": str(price)}, {**LAPTOP, "id": "other", "price": "PRICE"}]
        server.raw["equipment"] = json.dumps({"items": both}).replace('"PRICE"', str(price)).encode()
        assert [item.price for item in await office.equipment.items()] == [price, price]

    @answering
    @given(
        said=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        )
    )
    async def test_whatever_stands_as_a_price_is_one_or_an_error(
        self, server: FakeBackoffice, office: Backoffice, said: Any
    ) -> None:
        server.items = [{**LAPTOP, "price": said}]
        try:
            (item,) = await office.equipment.items()
        except SystemDown as error:
            assert "price" in str(error)  # noqa: PT017  a price that is one is no error
        else:
            assert 0 <= item.price <= HIGHEST_AMOUNT
            assert item.price == Decimal(str(said))


class TestItems:
    @pytest.mark.parametrize(("field", "value"), each_of(ODD_ITEMS))
    async def test_an_odd_field_is_named(
        self, server: FakeBackoffice, office: Backoffice, field: str, value: object
    ) -> None:
        server.items = [{**LAPTOP, "id": "mouse"}, bent(LAPTOP, field, value)]
        with pytest.raises(SystemDown, match=rf"^Back office: items\[1\]\.{field}: "):
            await office.equipment.items()

    @pytest.mark.parametrize("raw", [
        b"", b"[]", b"null", b"7", b'"items"', b"<html>", b"{", b"\xff\xfe", b"[" * 100_000,
        b'{"items": null}', b"{}",
        b'{"items": {}}', b'{"items": "x"}', b'{"items": [null]}', b'{"items": [[]]}',
        b'{"items": ["thinkpad"]}',
        b'{"Items": []}',
    ])  # fmt: skip
    async def test_an_answer_of_another_shape_is_a_system_that_is_down(
        self, server: FakeBackoffice, office: Backoffice, raw: bytes
    ) -> None:
        server.raw = dict.fromkeys(("equipment", "budget", "expenses"), raw)
        for asking in (
            office.equipment.items(),
            office.equipment.budget_owner(ANA),
            office.expenses.expenses(ANA),
        ):
            with pytest.raises(SystemDown, match="Back office"):
                await asking

    async def test_an_id_that_stands_twice_is_refused(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.items = [LAPTOP, {**LAPTOP, "price": "1.00"}]
        with pytest.raises(SystemDown, match=r"items\[1\]\.id: it stands twice"):
            await office.equipment.items()

    async def test_a_thousand_items_are_read_and_one_more_is_refused(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.items = [{**LAPTOP, "id": f"item-{number}"} for number in range(MOST_ENTRIES)]
        assert len(await office.equipment.items()) == MOST_ENTRIES
        server.items.append({**LAPTOP, "id": "one-more"})
        with pytest.raises(SystemDown, match="items: more than 1,000"):
            await office.equipment.items()

    async def test_more_than_fits_is_refused(self, server: FakeBackoffice, office: Backoffice) -> None:
        server.items = [{**LAPTOP, "name": "x" * 9_000_000}]
        with pytest.raises(SystemDown, match="too much"):
            await office.equipment.items()

    async def test_what_comes_packed_unasked_is_not_unfolded(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.fail("packed")
        with pytest.raises(SystemDown, match="does not answer"):
            await office.equipment.items()

    async def test_an_answer_that_never_ends_is_given_up(
        self, server: FakeBackoffice, office: Backoffice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("integrations.rest._WHOLE_S", 0.5)
        server.fail("drip")
        with pytest.raises(SystemDown, match="TimeoutError"):
            await office.equipment.items()

    async def test_an_empty_list_is_one(self, server: FakeBackoffice, office: Backoffice) -> None:
        server.items = []
        assert await office.equipment.items() == []
        assert await office.check() == "Back office: 0 things to order"

    async def test_names_are_one_plain_line_of_a_length_that_fits(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        hostile = "\x1b[31mMac\x00Book\u202e\u200b\tPro\r\n\u2028Max\x7f\ud800 <b>&*_"
        server.items = [
            {**LAPTOP, "name": hostile, "kind": hostile, "aliases": [hostile, hostile, "\x00", "y"]}
        ]
        (item,) = await office.equipment.items()
        plain = "[31mMacBook Pro Max <b>&*_"
        assert (item.name, item.kind, item.aliases) == (plain, plain, (plain, "y"))
        server.items = [{**LAPTOP, "name": "ж" * 5_000, "aliases": ["ж" * 5_000]}]
        (item,) = await office.equipment.items()
        assert (item.name, item.aliases) == ("ж" * LONGEST_TEXT, ("ж" * LONGEST_TEXT,))

    async def test_what_may_be_missing_may_be_null_and_other_fields_are_not_looked_at(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.items = [LAPTOP, {**LAPTOP, "id": "b", "kind": None, "aliases": None, "stock": float("nan")}]
        for item in await office.equipment.items():
            assert (item.kind, item.aliases) == ("", ())


class TestBudgets:
    @pytest.mark.parametrize("owner", [
        "", " ", 7, True, [], {}, ["mei@x.example"], "mei", "@", "mei@", "@x", "a@b@c", "mei @x.example",
        "mei@x.example\n", "meï@x.example", "mei@x.example, eve@x.example", "Mei <mei@x.example>",
        "a" * 300 + "@x",
    ])  # fmt: skip
    async def test_an_owner_who_is_no_mail_address_is_an_error_and_not_nobody(
        self, server: FakeBackoffice, office: Backoffice, owner: object
    ) -> None:
        server.owners[ANA] = owner
        with pytest.raises(SystemDown, match=r"^Back office: budget\.owner: "):
            await office.equipment.budget_owner(ANA)

    async def test_an_answer_without_an_owner_is_an_error_and_not_nobody(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.raw["budget"] = b'{"budget_owner": "mei@x.example"}'
        with pytest.raises(SystemDown, match=r"budget\.owner: it is missing"):
            await office.equipment.budget_owner(ANA)

    async def test_an_owner_is_the_same_in_capitals(self, server: FakeBackoffice, office: Backoffice) -> None:
        server.owners[ANA] = "Mei.Tanaka@AlderFinch.example"
        assert await office.equipment.budget_owner(ANA) == "mei.tanaka@alderfinch.example"


# --- Expenses ---------------------------------------------------------------------------------


class TestExpenses:
    @pytest.mark.parametrize(("field", "value"), each_of(ODD_EXPENSES))
    async def test_an_odd_field_is_named(
        self, server: FakeBackoffice, office: Backoffice, field: str, value: object
    ) -> None:
        server.expenses[ANA] = [{**TRIP, "id": "ex-0"}, bent(TRIP, field, value)]
        with pytest.raises(SystemDown, match=rf"^Back office: expenses\[1\]\.{field}: "):
            await office.expenses.expenses(ANA)

    @pytest.mark.parametrize("whose", ["p-1021", "luis.moreno@alderfinch.example", "", "p-102", "p-1020 "])
    async def test_an_answer_about_somebody_else_is_refused(
        self, server: FakeBackoffice, office: Backoffice, whose: str
    ) -> None:
        server.answers_of = whose
        with pytest.raises(SystemDown, match=r"expenses\.employee: it is about somebody else"):
            await office.expenses.expenses(ANA)
        with pytest.raises(SystemDown, match=r"budget\.employee: it is about somebody else"):
            await office.equipment.budget_owner(ANA)

    @pytest.mark.parametrize("whose", [ANA, ANA.upper(), ANA_MAIL, ANA_MAIL.title()])
    async def test_an_answer_that_says_it_is_about_who_was_asked_for_is_read(
        self, server: FakeBackoffice, office: Backoffice, whose: str
    ) -> None:
        server.answers_of = whose
        server.expenses[ANA] = [{**TRIP, "employee": whose}]
        assert [each.id for each in await office.expenses.expenses(ANA)] == ["ex-1"]
        assert await office.equipment.budget_owner(ANA)

    async def test_an_id_that_stands_twice_is_refused(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.expenses[ANA] = [TRIP, TRIP]
        with pytest.raises(SystemDown, match=r"expenses\[1\]\.id: it stands twice"):
            await office.expenses.expenses(ANA)

    async def test_the_newest_come_first_and_what_is_not_handed_in_before_them(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        days = {"a": "2026-01-31", "b": None, "c": "2026-11-09", "d": "2025-12-31", "e": "2026-11-09"}
        server.expenses[ANA] = [{**TRIP, "id": name, "submitted_on": day} for name, day in days.items()]
        found = await office.expenses.expenses(ANA)
        assert [each.id for each in found] == ["b", "e", "c", "a", "d"]
        assert found[1].submitted_on == date(2026, 11, 9)


# --- Asking -----------------------------------------------------------------------------------


class TestAsking:
    async def test_a_person_is_asked_for_by_id_with_their_mail_beside_it(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        await office.equipment.items()
        await office.equipment.budget_owner(ANA)
        await office.expenses.expenses(ANA)
        assert [(call.path, call.query, call.authorized) for call in server.calls] == [
            ("/purchasing/v1/equipment", {}, True),
            ("/purchasing/v1/employees/p-1020/budget", {"mail": ANA_MAIL}, True),
            ("/purchasing/v1/employees/p-1020/expenses", {"mail": ANA_MAIL}, True),
        ]

    async def test_who_is_not_in_the_directory_is_not_asked_for(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        for no_id in ("p-9999", "", "../equipment", "p-1020/../p-1021"):
            with pytest.raises(UnknownPerson):
                await office.expenses.expenses(no_id)
        assert server.calls == []

    async def test_who_the_back_office_does_not_know_is_unknown(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        del server.owners[ANA], server.expenses[ANA]
        with pytest.raises(UnknownPerson, match="Back office"):
            await office.equipment.budget_owner(ANA)
        with pytest.raises(UnknownPerson, match="Back office"):
            await office.expenses.expenses(ANA)

    @pytest.mark.parametrize(
        "odd", ["a/../p-1021", "../p-1021", "p-1021?x=", "p-1021#", "%70-1021", "p 1", "é", ".."]
    )
    async def test_an_id_is_one_part_of_the_address_whatever_it_holds(
        self, server: FakeBackoffice, odd: str
    ) -> None:
        office = Backoffice(settings_of(server), Someone(Person(odd, "x", "a&b=c@x.example", "X")))  # type: ignore[arg-type]
        with pytest.raises(UnknownPerson):
            await office.expenses.expenses(odd)
        await office.close()
        for call in server.calls:
            assert re.fullmatch(r"/purchasing/v1/employees/[^/?#]+/expenses", call.path)
            assert call.query == {"mail": "a&b=c@x.example"}

    async def test_who_has_no_mail_is_asked_for_without(self, server: FakeBackoffice) -> None:
        office = Backoffice(settings_of(server), Someone(Person(ANA, "ana", "", "Ana Ruiz")))  # type: ignore[arg-type]
        assert await office.equipment.budget_owner(ANA)
        assert server.calls[0].query == {}
        server.answers_of = ""  # is not the mail address of who has none
        with pytest.raises(SystemDown, match="somebody else"):
            await office.equipment.budget_owner(ANA)
        await office.close()

    async def test_a_wrong_address_names_the_setting(self, server: FakeBackoffice, company: Company) -> None:
        office = Backoffice(settings_of(server, url=f"https://localhost:{server.port}/v2"), company.directory)
        with pytest.raises(SystemDown, match="BACKOFFICE_URL"):
            await office.check()
        await office.close()

    async def test_the_check_says_what_answers(self, office: Backoffice) -> None:
        assert await office.check() == "Back office: 13 things to order"

    @pytest.mark.parametrize("url", [
        "", "purchasing.example.com", "http://purchasing.example.com", "ftp://x.example", "https://",
        "https:///x",
        "https://a:b@x.example", "https://a@x.example", "https://x.example/?token=1", "https://x.example/#a",
        "https://x.example:port", "https://[::1", "https://x.example/a b", "https://x.example/\n",
        "https://exämple.org",
        "http://localhost.example.com", "http://127.0.0.1.example.com", "HTTPS://", "file:///etc/passwd",
    ])  # fmt: skip
    async def test_an_address_that_is_none_is_refused_at_once(self, company: Company, url: str) -> None:
        with pytest.raises(NotConfigured, match="BACKOFFICE_URL"):
            Backoffice(BackofficeSettings(url, TOKEN), company.directory)

    @pytest.mark.parametrize(
        "url", ["https://x.example", "http://localhost:8000/x", "http://127.0.0.1", "http://[::1]:1/"]
    )
    async def test_an_address_that_is_one_is_taken(self, company: Company, url: str) -> None:
        await Backoffice(BackofficeSettings(url, TOKEN), company.directory).close()

    @pytest.mark.parametrize("token", ["", " ", "to ken", "a\r\nX-Evil: 1", "tökен", "a\x00"])
    async def test_a_token_that_is_none_is_refused_and_not_repeated(
        self, company: Company, token: str
    ) -> None:
        with pytest.raises(NotConfigured, match="BACKOFFICE_TOKEN") as refused:
            Backoffice(BackofficeSettings("https://x.example", token), company.directory)
        assert not token.strip() or token not in str(refused.value)


# --- A bad day --------------------------------------------------------------------------------


class TestABadDay:
    async def test_a_busy_system_is_waited_for_as_long_as_it_asks(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.fail("429", retry_after="1")
        begun = time.monotonic()
        assert await office.equipment.budget_owner(ANA)
        assert time.monotonic() - begun >= 1.0
        assert len(server.calls) == 2

    @pytest.mark.parametrize("status", ["500", "502", "503", "504"])
    async def test_it_is_asked_again_where_it_stumbles(
        self, server: FakeBackoffice, office: Backoffice, status: str
    ) -> None:
        server.fail(status, times=2, retry_after="0")
        assert await office.equipment.items()
        assert len(server.calls) == 3

    async def test_a_system_that_asks_for_no_pause_is_not_hammered(
        self, server: FakeBackoffice, company: Company
    ) -> None:
        office = Backoffice(settings_of(server, patience_s=1.0), company.directory)
        server.fail("429", times=1_000_000, retry_after="0")
        with pytest.raises(SystemDown, match="busy"):
            await office.equipment.items()
        await office.close()
        assert 2 <= len(server.calls) <= 6

    async def test_a_long_wait_is_a_system_that_is_down(
        self, server: FakeBackoffice, office: Backoffice
    ) -> None:
        server.fail("429", retry_after="600")
        with pytest.raises(SystemDown):
            await office.equipment.items()
        assert len(server.calls) == 1

    @pytest.mark.parametrize("kind", ["cut", "400", "409", "418", "422", "501"])
    async def test_no_proper_answer_is_a_system_that_is_down(
        self, server: FakeBackoffice, office: Backoffice, kind: str
    ) -> None:
        server.fail(kind, times=3)
        for asking in (
            office.equipment.items(),
            office.equipment.budget_owner(ANA),
            office.expenses.expenses(ANA),
        ):
            with pytest.raises(SystemDown, match="Back office"):
                await asking

    async def test_a_redirect_is_not_followed(self, server: FakeBackoffice, office: Backoffice) -> None:
        server.fail("302")
        with pytest.raises(SystemDown, match="302"):
            await office.equipment.items()
        assert len(server.calls) == 1

    async def test_a_wrong_token_is_a_right_that_is_missing(
        self, server: FakeBackoffice, company: Company
    ) -> None:
        office = Backoffice(settings_of(server, token="another"), company.directory)
        for asking in (
            office.check(),
            office.equipment.items(),
            office.equipment.budget_owner(ANA),
            office.expenses.expenses(ANA),
        ):
            with pytest.raises(PermissionRefused, match="refuses Deskhand"):
                await asking
        await office.close()

    async def test_a_system_that_is_gone_comes_back(self, server: FakeBackoffice, office: Backoffice) -> None:
        await office.equipment.items()
        with server.stopped(), pytest.raises(SystemDown, match="does not answer"):
            await office.equipment.items()
        assert await office.equipment.items()

    async def test_a_certificate_of_somebody_else_is_not_believed(
        self, server: FakeBackoffice, company: Company, tmp_path: Path
    ) -> None:
        other = Certificates.make(tmp_path / "other").ca_file
        office = Backoffice(settings_of(server, ca_file=other), company.directory)
        with pytest.raises(SystemDown, match="does not answer"):
            await office.equipment.items()
        await office.close()
        assert server.calls == []

    async def test_the_token_stands_in_no_error_no_log_and_no_repr(
        self, server: FakeBackoffice, office: Backoffice, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        said = [repr(settings_of(server)), repr(office), repr(office.equipment)]
        for kind in ("cut", "401", "403", "404", "418", "429", "501"):
            server.fail(kind, retry_after="600" if kind == "429" else "")
            with pytest.raises(ConnectorError) as failed:
                await office.equipment.items()
            error: BaseException | None = failed.value
            while error is not None:
                said += [str(error), repr(error)]
                error = error.__cause__ or error.__context__
        with server.stopped(), pytest.raises(SystemDown) as down:
            await office.equipment.items()
        said += [str(down.value), *(record.getMessage() for record in caplog.records)]
        assert len(said) > 20
        assert TOKEN not in "\n".join(said)


# --- The server of docs/backoffice.md ---------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[BackofficeSettings]:
    """The page's server in a process of its own, and its first examples as what it serves."""
    page = Path("docs/backoffice.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    equipment, _, expenses = (
        json.loads(each) for each in re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    )
    for name, said in (
        ("equipment", equipment["items"]),
        ("owners", {ANA_MAIL: "mei.tanaka@alderfinch.example", "wanda.price@alderfinch.example": None}),
        ("expenses", {ANA_MAIL: expenses["expenses"]}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(said))
    (tmp_path / "server.py").write_text(code)
    certificates = Certificates.make(tmp_path / "tls")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **os.environ,
        "TOKEN": TOKEN,
        "PORT": str(port),
        "CERTIFICATE": str(certificates.cert_file),
        "KEY": str(certificates.key_file),
    }
    process = subprocess.Popen(
        [sys.executable, "server.py"], cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield BackofficeSettings(f"https://localhost:{port}", TOKEN, certificates.ca_file)
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, "the server does not begin"
            time.sleep(0.05)
        else:
            return


@pytest.fixture
async def example(served: BackofficeSettings, company: Company) -> AsyncIterator[Backoffice]:
    made = Backoffice(served, company.directory)
    yield made
    await made.close()


async def test_the_server_of_the_page_speaks_the_shape_of_the_page(example: Backoffice) -> None:
    (item,) = await example.equipment.items()
    assert (item.key, item.price, item.kind) == ("thinkpad", Decimal("1450.00"), "laptop")
    assert await example.equipment.budget_owner(ANA) == "mei.tanaka@alderfinch.example"
    assert await example.equipment.budget_owner("p-1092") == ""
    assert [each.amount for each in await example.expenses.expenses(ANA)] == [Decimal("642.80")]
    assert await example.expenses.expenses("p-1092") == []
    with pytest.raises(UnknownPerson):
        await example.expenses.expenses("p-1021")


async def test_the_server_of_the_page_refuses_a_wrong_token(
    served: BackofficeSettings, company: Company
) -> None:
    office = Backoffice(replace(served, token="another"), company.directory)
    with pytest.raises(PermissionRefused):
        await office.check()
    await office.close()


async def test_a_client_that_says_nothing_holds_up_nobody_at_the_server_of_the_page(
    served: BackofficeSettings, example: Backoffice
) -> None:
    port = int(served.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        assert await example.equipment.items()
