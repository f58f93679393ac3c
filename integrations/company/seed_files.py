"""The seed files, read and checked: a company that cannot be wrong in the ways that matter.

Wrong on purpose and allowed: managers in a loop, no manager, groups that contain each other.
Refused, naming the file and the entry: unknown fields, ids or accounts that stand twice, references
to nobody, addresses that are not plain ASCII.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from integrations.contract import ConnectorError, Kind, Status

T = TypeVar("T")
Plain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9@._-]*$")]  # ids, accounts, mails
Amount = Annotated[Decimal, Field(ge=0)]


class SeedRefused(ConnectorError):
    """A seed file cannot be used. Names the file and the entry."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SeedCompany(_Entry):
    name: str
    domain: Plain
    protected_group: Plain
    lockout_after: int = Field(ge=1)
    password_min_length: int = Field(ge=8)
    first_password: str  # "{account}" in it becomes the account


class SeedPerson(_Entry):
    id: Plain
    account: Plain
    name: str = Field(min_length=1)
    mail: Plain = ""  # first.last@domain where empty
    title: str = ""
    department: str = ""
    manager: Plain | None = None
    time_zone: str = "UTC"
    kind: Kind = Kind.EMPLOYEE
    status: Status = Status.ACTIVE
    privileged: bool = False
    locked: bool = False
    must_change: bool = False


class SeedGroup(_Entry):
    id: Plain
    name: str
    description: str = ""
    people: tuple[Plain, ...] = ()
    groups: tuple[Plain, ...] = ()


class SeedPolicy(_Entry):
    unit: Literal["hours", "days"]
    monthly: Amount
    cap: Amount


class SeedPlan(_Entry):
    plan: str
    policies: dict[str, SeedPolicy]
    balances: dict[Plain, dict[str, tuple[Amount, Amount]]]  # account -> policy -> available, used


class SeedItem(_Entry):
    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    name: str = Field(min_length=1)
    price: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    kind: str = ""
    aliases: tuple[str, ...] = ()


class SeedEquipment(_Entry):
    items: tuple[SeedItem, ...] = ()
    budgets: dict[str, Plain] = {}  # department -> account of whoever answers for the money


class SeedExpense(_Entry):
    id: Plain
    account: Plain
    title: str = Field(min_length=1)
    amount: Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    status: str
    submitted_on: date | None = None
    paid_on: date | None = None


@dataclass(frozen=True)
class Seed:
    company: SeedCompany
    people: tuple[SeedPerson, ...]
    groups: tuple[SeedGroup, ...]
    plans: tuple[SeedPlan, ...]
    equipment: SeedEquipment = field(default_factory=SeedEquipment)
    expenses: tuple[SeedExpense, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Seed:
        """:raises SeedRefused:"""
        company = _read(folder / "company.yaml", SeedCompany)
        people = _read(folder / "people.yaml", tuple[SeedPerson, ...])
        seed = cls(
            company=company,
            people=tuple(_with_mail(person, company.domain) for person in people),
            groups=_read(folder / "groups.yaml", tuple[SeedGroup, ...]),
            plans=_read(folder / "time_off.yaml", tuple[SeedPlan, ...]),
            equipment=_read(folder / "equipment.yaml", SeedEquipment, absent=SeedEquipment()),
            expenses=_read(folder / "expenses.yaml", tuple[SeedExpense, ...], absent=()),
        )
        seed._check()
        return seed

    def _check(self) -> None:
        _unique("people.yaml", "id", (person.id for person in self.people))
        _unique("people.yaml", "account", (person.account for person in self.people))
        _unique("people.yaml", "mail", (person.mail for person in self.people))
        _unique("groups.yaml", "id", (group.id for group in self.groups))
        accounts = {person.account for person in self.people}
        groups = {group.id for group in self.groups}
        for person in self.people:
            _known("people.yaml", person.account, [person.manager] if person.manager else [], accounts)
        for group in self.groups:
            _known("groups.yaml", group.id, group.people, accounts)
            _known("groups.yaml", group.id, group.groups, groups)
        _known("company.yaml", "protected_group", [self.company.protected_group], groups)
        for plan in self.plans:
            _known("time_off.yaml", plan.plan, plan.balances, accounts)
            for account, balances in plan.balances.items():
                _known("time_off.yaml", account, balances, plan.policies.keys())
        _unique("equipment.yaml", "key", (item.key for item in self.equipment.items))
        _known("equipment.yaml", "budgets", self.equipment.budgets.values(), accounts)
        _unique("expenses.yaml", "id", (expense.id for expense in self.expenses))
        _known("expenses.yaml", "the list", (expense.account for expense in self.expenses), accounts)


def _read(path: Path, model: type[T], *, absent: T | None = None) -> T:
    """:param absent: what a file that is not there stands for; None: it has to be there"""
    if absent is not None and not path.exists():
        return absent
    try:
        return TypeAdapter(model).validate_python(
            yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        )
    except (OSError, yaml.YAMLError, ValueError) as error:  # ValueError: also a day that no calendar has
        raise SeedRefused(f"{path.name}: {error}") from error


def _with_mail(person: SeedPerson, domain: str) -> SeedPerson:
    if person.mail:
        return person
    mail = f"{'.'.join(person.name.lower().split())}@{domain}"
    if not mail.isascii():
        raise SeedRefused(f"people.yaml: {person.account}: give the mail, the name is not ASCII")
    return person.model_copy(update={"mail": mail})


def _unique(file: str, what: str, values: Iterable[str]) -> None:
    if twice := sorted(value for value, times in Counter(values).items() if times > 1):
        raise SeedRefused(f"{file}: each {what} may stand once, these stand twice: {', '.join(twice)}")


def _known(file: str, entry: str, names: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise SeedRefused(f"{file}: {entry} names what is nowhere: {', '.join(unknown)}")
