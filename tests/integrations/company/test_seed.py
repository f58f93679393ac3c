"""The made-up firm has everybody whom the rules, the demonstrations and the tests need."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from integrations.company import Company
from integrations.company.company import SEED
from integrations.company.seed_files import Seed, SeedRefused
from integrations.contract import Kind, UnknownPerson

CATALOGUE = SEED.parents[2] / "policies" / "catalogue.yaml"
RESOURCES = yaml.safe_load(CATALOGUE.read_text())["resources"]


async def test_four_levels_lead_from_ana_to_the_chief_executive(company: Company) -> None:
    chain = await company.directory.managers("p-1020")
    assert [person.account for person in chain] == ["bo", "mei", "grace"]


async def test_the_help_desk_has_enough_approvers_and_admins_none_of_them_privileged(
    company: Company,
) -> None:
    for group in ("helpdesk-approvers", "helpdesk-admins"):
        members = await company.groups.members(group)
        assert len(members) >= 3
        assert all(person.present and not person.privileged for person in members)


async def test_exactly_these_are_privileged(company: Company) -> None:
    everybody = {person["account"] for person in yaml.safe_load((SEED / "people.yaml").read_text())}
    people = [await company.directory.by_account(account) for account in everybody]
    assert {person.account for person in people if person.privileged} == {"grace", "ida", "svc-backup"}


async def test_whoever_joins_a_protected_group_is_privileged_at_once(company: Company) -> None:
    await company.hr.join("tier-0-admins", "p-1020")
    assert (await company.directory.person("p-1020")).privileged
    await company.hr.leave("tier-0-admins", "p-1020")
    assert not (await company.directory.person("p-1020")).privileged


async def test_every_resource_has_a_group_of_its_own_and_an_owner_who_is_there(company: Company) -> None:
    groups = [resource["group"] for resource in RESOURCES]
    assert len(set(groups)) == len(groups)
    for resource in RESOURCES:
        await company.groups.group(resource["group"])
        owner = await company.directory.by_mail(resource["owner"])
        assert owner.present, resource["key"]
        assert owner.kind is Kind.EMPLOYEE, resource["key"]


async def test_no_resource_leads_into_a_protected_group(company: Company) -> None:
    for resource in RESOURCES:
        assert await company.groups.add(resource["group"], "p-1092", op="op-1"), resource["key"]
    assert not (await company.directory.person("p-1092")).privileged


def test_no_name_and_no_alias_of_a_resource_stands_twice() -> None:
    named = Counter(
        text.casefold() for resource in RESOURCES for text in (resource["name"], *resource["aliases"])
    )
    assert [text for text, times in named.items() if times > 1] == []


async def test_ana_meets_every_kind_of_owner(company: Company) -> None:
    critical = {
        one["key"]: one["owner"].partition(".")[0] for one in RESOURCES if one["sensitivity"] == "critical"
    }
    assert critical["production-database-read"] == "nadia"  # a third person
    assert critical["production-deploy"] == "bo"  # her manager
    assert critical["feature-flags-production"] == "ana"  # herself
    assert {one["sensitivity"] for one in RESOURCES} == {"low", "medium", "critical"}


async def test_every_time_zone_is_one(company: Company) -> None:
    with closing(sqlite3.connect(company.client.path)) as connection:
        for (name,) in connection.execute("SELECT DISTINCT time_zone FROM person"):
            ZoneInfo(name)


async def test_a_month_adds_its_share_up_to_the_cap(company: Company) -> None:
    today = datetime.now(UTC).date()
    months_later = date(today.year + 1, today.month, 1)  # twelve firsts of a month have gone by
    long_after = date(today.year + 20, 1, 1)
    now, then, capped = [
        next(one for one in await company.time_off.balances("p-1020", on) if one.policy == "Vacation")
        for on in (today, months_later, long_after)
    ]
    assert (now.available, now.used, now.unit) == (Decimal("96.5"), Decimal("40"), "hours")
    assert then.available == min(Decimal("240"), Decimal("96.5") + 12 * Decimal("13.33"))
    assert capped.available == Decimal("240")


async def test_decomposed_letters_are_the_same_letters(company: Company) -> None:
    assert (await company.directory.by_name("Zoe\u0308 Laurent")).account == "zoe"
    assert [person.account for person in await company.directory.search("Zoë")] == ["zoe"]


@pytest.mark.parametrize("typed", ["\u212aofi", "\u212aofi Mensah", "Kofi Men\u017fah", "\ufb01gma"])
async def test_letters_that_fold_into_plain_ones_find_nobody(company: Company, typed: str) -> None:
    with pytest.raises(UnknownPerson):
        await company.directory.by_name(typed)
    assert await company.directory.search(typed) == []


async def test_a_chain_that_runs_into_a_loop_further_up_ends_there(company: Company) -> None:
    await company.hr.set_manager("p-1010", "p-1090")  # Bo now reports to Nils, who reports to Tove, and back
    async with asyncio.timeout(5):
        chain = await company.directory.managers("p-1020")
    assert [person.account for person in chain] == ["bo", "nils", "tove"]


async def test_somebodys_manager_may_have_left(company: Company) -> None:
    chain = await company.directory.managers("p-1052")
    assert (chain[0].account, chain[0].present) == ("gil", False)


# --- Equipment and expenses -------------------------------------------------------------------


def test_whoever_answers_for_a_budget_is_there_and_so_is_the_department() -> None:
    seed = Seed.read(SEED)
    people = {person.account: person for person in seed.people}
    assert set(seed.equipment.budgets) < {person.department for person in seed.people}
    for owner in seed.equipment.budgets.values():
        assert people[owner].status.value == "active", owner


def test_no_name_and_no_alias_of_an_item_stands_twice() -> None:
    named = Counter(
        text.casefold() for item in Seed.read(SEED).equipment.items for text in (item.name, *item.aliases)
    )
    assert [text for text, times in named.items() if times > 1] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "entry"),
    [
        ("equipment.yaml", "{key: mouse,", "{key: keyboard,", "keyboard"),
        ("equipment.yaml", "{key: mouse,", "{key: The Mouse,", "items.2.key"),
        ("equipment.yaml", "{key: mouse,", "{", "items.2.key"),
        ("equipment.yaml", "name: Vertical mouse", 'name: ""', "items.2.name"),
        ("equipment.yaml", 'price: "79.00"', 'price: "-79.00"', "items.2.price"),
        ("equipment.yaml", 'price: "79.00"', 'price: "79,00"', "items.2.price"),
        ("equipment.yaml", 'price: "79.00"', "price: .nan", "items.2.price"),
        ("equipment.yaml", 'price: "79.00"', "price: .inf", "items.2.price"),
        ("equipment.yaml", 'price: "79.00", ', "", "items.2.price"),
        ("equipment.yaml", '"79.00", currency: EUR', '"79.00", currency: €', "items.2.currency"),
        ("equipment.yaml", '"79.00", currency: EUR', '"79.00", currency: eur', "items.2.currency"),
        ("equipment.yaml", "kind: mouse", "sort: mouse", "items.2.sort"),
        ("equipment.yaml", "aliases: [ergonomic mouse]", "aliases: ergonomic mouse", "items.2.aliases"),
        ("equipment.yaml", "Engineering: mei", "Engineering: may", "budgets names what is nowhere: may"),
        ("equipment.yaml", "Engineering: mei", "Engineering: [mei]", "budgets.Engineering"),
        ("equipment.yaml", "budgets:", "budget:", "budget"),
        ("equipment.yaml", "items:", "items: [", "line 3"),
        ("expenses.yaml", "id: ex-2057", "id: ex-2041", "ex-2041"),
        ("expenses.yaml", "id: ex-2057", "id: EX 2057", "1.id"),
        ("expenses.yaml", "ex-2057, account: ana", "ex-2057, account: anna", "anna"),
        ("expenses.yaml", "title: Train to the Berlin office", 'title: ""', "1.title"),
        ("expenses.yaml", 'amount: "118.40"', 'amount: "-118.40"', "1.amount"),
        ("expenses.yaml", 'amount: "118.40"', "amount: .nan", "1.amount"),
        ("expenses.yaml", '"118.40", currency: EUR', '"118.40", currency: Euro', "1.currency"),
        ("expenses.yaml", "status: Submitted, submitted_on: 2026-11-19", "", "1.status"),
        ("expenses.yaml", "submitted_on: 2026-11-19", 'submitted_on: "2026-11-31"', "1.submitted_on"),
        ("expenses.yaml", "submitted_on: 2026-11-19", "handed_in: 2026-11-19", "1.handed_in"),
        ("expenses.yaml", "paid_on: 2026-10-30", "paid_on: soon", "2.paid_on"),
    ],
)  # fmt: skip
def test_equipment_and_expenses_that_make_no_sense_are_refused_by_file_and_entry(
    tmp_path: Path, file: str, old: str, new: str, entry: str
) -> None:
    seed = tmp_path / "seed"
    shutil.copytree(SEED, seed)
    text = (seed / file).read_text()
    assert text.count(old) == 1
    (seed / file).write_text(text.replace(old, new))
    with pytest.raises(SeedRefused, match=rf"(?s)^{file}: .*{re.escape(entry)}"):
        Company.open(tmp_path / "company.db", seed)
    assert not (tmp_path / "company.db").exists()
