"""The embedded company, cast for the contract suite."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integrations.company import Company, LoginOutcome
from tests.contracts.world import Cast, Connector

CAST = Cast(
    employee="p-1020",
    employee_mail="ana.ruiz@alderfinch.example",
    employee_account="ana",
    employee_name="Ana Ruiz",
    employee_first_name="Ana",
    chain=("p-1010", "p-1002", "p-1001"),
    report_of_employees_manager="p-1021",
    without_manager="p-1092",
    loop=("p-1090", "p-1091"),
    own_manager="p-1093",
    ambiguous_name="Sam",
    ambiguous=frozenset({"p-1022", "p-1060"}),
    contractor="p-1025",
    on_leave="p-1024",
    locked="p-1021",
    disabled="p-1062",
    left="p-1051",
    privileged_by_nesting="p-1040",
    nobody="p-9999",
    group="figma-editors",
    group_name="Figma editors",
    outer_group="engineering",
    inner_group="platform-team",
    looped_groups=("book-club", "board-games"),
    no_group="no-such-group",
)


@contextmanager
def made(template: Path, folder: Path) -> Iterator[Connector]:
    """A copy of the company at ``template``, to do with as one likes."""
    path = folder / "company.db"
    shutil.copy(template, path)
    company = Company.open(path)

    def can_log_in(account: str, password: str) -> bool:
        return company.login(account, password) in (LoginOutcome.OK, LoginOutcome.MUST_CHANGE)

    @contextmanager
    def down() -> Iterator[None]:
        away = path.rename(path.with_suffix(".away"))
        try:
            yield
        finally:
            away.rename(path)

    @contextmanager
    def refusing() -> Iterator[None]:
        company.client.write_now(lambda connection: None)
        company.client._writer.execute("PRAGMA query_only = ON")
        try:
            yield
        finally:
            company.client._writer.execute("PRAGMA query_only = OFF")

    try:
        yield Connector(
            cast=CAST,
            directory=company.directory,
            groups=company.groups,
            accounts=company.accounts,
            check=company,
            can_log_in=can_log_in,
            down=down,
            refusing=refusing,
        )
    finally:
        company.close()
