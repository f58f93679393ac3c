"""What must hold for every system that keeps equipment and expenses, whatever stands behind it.

Each of them is set up with what the embedded company's seed files say.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.backoffice import Backoffice, BackofficeSettings
from integrations.company import Company
from integrations.company.company import SEED
from integrations.company.equipment import CompanyEquipment
from integrations.company.expenses import CompanyExpenses
from integrations.company.seed_files import Seed
from integrations.contract import Status, SystemDown, UnknownPerson
from integrations.work import Equipment, Expense, Expenses, Item
from tests.servers.backoffice import TOKEN, FakeBackoffice

FIRM = Seed.read(SEED)
PEOPLE = {person.account: person for person in FIRM.people}
ANA, LUIS, BO, WANDA, NOBODY = "p-1020", "p-1021", "p-1010", "p-1092", "p-9999"

reading = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NO_IDS = [
    "", " ", ".", "..", "../p-1020", "p-1020/", "p-1020/expenses", "p-1020?mail=x", "p-1020#", "p-1020\n",
    " p-1020", "P-1020", "%", "_", "p-102_", "' OR 1=1 --", "\x00", "p-1020\x00", "\ud800", "%2e%2e", "é",
    "p" * 1_000_000,
]  # fmt: skip


@dataclass(frozen=True)
class Work:
    """One system under test, and the directory that knows its people."""

    equipment: Equipment
    expenses: Expenses
    company: Company
    down: Callable[[], AbstractContextManager[None]]  # inside it, the system answers nothing


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("work") / "template.db"
    Company.open(path).close()
    return path


@pytest.fixture(params=["company", "backoffice"])
async def work(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> AsyncIterator[Work]:
    path = tmp_path / "company.db"
    shutil.copy(template, path)
    company = Company.open(path)

    @contextmanager
    def away():
        moved = path.rename(path.with_suffix(".away"))
        try:
            yield
        finally:
            moved.rename(path)

    try:
        if request.param == "company":
            client = company.client
            yield Work(CompanyEquipment(client), CompanyExpenses(client), company, away)
            return
        with FakeBackoffice.running() as server:
            ca_file = server.certificates.ca_file
            office = Backoffice(BackofficeSettings(server.url, TOKEN, ca_file), company.directory)
            yield Work(office.equipment, office.expenses, company, server.stopped)
            await office.close()
    finally:
        company.close()


# --- Equipment --------------------------------------------------------------------------------


async def test_everything_that_can_be_ordered_is_there_at_its_exact_price(work: Work) -> None:
    assert await work.equipment.items() == [
        Item(each.key, each.name, each.price, each.currency, each.kind, each.aliases)
        for each in FIRM.equipment.items
    ]


async def test_an_item_is_what_the_port_promises(work: Work) -> None:
    items = await work.equipment.items()
    assert len({item.key for item in items}) == len(items)
    for item in items:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", item.key)
        assert item.name
        assert isinstance(item.price, Decimal)
        assert item.price == item.price.quantize(Decimal("0.01"))
        assert re.fullmatch(r"[A-Z]{3}", item.currency)
        assert isinstance(item.aliases, tuple)


async def test_the_owner_of_everybodys_budget_is_that_of_their_department(work: Work) -> None:
    for person in FIRM.people:
        owner = FIRM.equipment.budgets.get(person.department)
        assert await work.equipment.budget_owner(person.id) == (PEOPLE[owner].mail if owner else "")


async def test_where_nobody_answers_for_a_budget_nobody_is_named(work: Work) -> None:
    assert await work.equipment.budget_owner(WANDA) == ""


async def test_an_owner_is_known_to_the_directory_by_the_mail_that_is_named(work: Work) -> None:
    owner = await work.company.directory.by_mail(await work.equipment.budget_owner(ANA))
    assert owner.account == "mei"


@pytest.mark.parametrize("status", [Status.LEFT, Status.DISABLED])
async def test_an_owner_who_is_gone_is_still_named_as_recorded(work: Work, status: Status) -> None:
    await work.company.hr.set_status(PEOPLE["mei"].id, status)
    assert await work.equipment.budget_owner(ANA) == PEOPLE["mei"].mail


# --- Expenses ---------------------------------------------------------------------------------


async def test_somebodys_expenses_are_there_the_newest_first(work: Work) -> None:
    trip, train, books = date(2026, 11, 9), date(2026, 11, 19), date(2026, 10, 12)
    assert await work.expenses.expenses(ANA) == [
        Expense("ex-2057", "Train to the Berlin office", Decimal("118.40"), "EUR", "Submitted", train),
        Expense("ex-2041", "Conference trip to Lisbon", Decimal("642.80"), "EUR", "Approved", trip),
        Expense("ex-1990", "Books", Decimal("74.90"), "EUR", "Paid", books, date(2026, 10, 30)),
    ]


async def test_everybody_sees_their_own_and_nobody_elses(work: Work) -> None:
    shown: list[str] = []
    for person in FIRM.people:
        own = {each.id for each in FIRM.expenses if each.account == person.account}
        seen = [each.id for each in await work.expenses.expenses(person.id)]
        assert set(seen) == own
        shown += seen
    assert sorted(shown) == sorted(each.id for each in FIRM.expenses)


async def test_amounts_are_exact(work: Work) -> None:
    total = sum(each.amount for each in await work.expenses.expenses(ANA))
    assert total == Decimal("836.10")


async def test_somebody_without_expenses_has_none(work: Work) -> None:
    assert await work.expenses.expenses(BO) == []


# --- Nobody, and nothing ----------------------------------------------------------------------


async def test_nobody_is_an_error(work: Work) -> None:
    for ask in (work.equipment.budget_owner, work.expenses.expenses):
        with pytest.raises(UnknownPerson):
            await ask(NOBODY)


@reading
@given(no_id=st.sampled_from(NO_IDS) | st.text(st.characters(codec=None)))
async def test_what_is_no_id_leads_to_nobody_and_nowhere_else(work: Work, no_id: str) -> None:
    for ask in (work.equipment.budget_owner, work.expenses.expenses):
        with pytest.raises(UnknownPerson):
            await ask(no_id)


async def test_a_system_that_is_down_says_so_and_comes_back(work: Work) -> None:
    with work.down():
        with pytest.raises(SystemDown):
            await work.equipment.items()
        for ask in (work.equipment.budget_owner, work.expenses.expenses):
            with pytest.raises(SystemDown):
                await ask(ANA)
    assert await work.equipment.items()
    assert await work.expenses.expenses(LUIS)
