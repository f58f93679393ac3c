"""The embedded company as one system: its file, and every port of the contract on it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from integrations.company.accounts import CompanyAccounts
from integrations.company.check import check
from integrations.company.client import Client
from integrations.company.create import create, upgrade
from integrations.company.directory import CompanyDirectory
from integrations.company.equipment import CompanyEquipment
from integrations.company.expenses import CompanyExpenses
from integrations.company.groups import CompanyGroups
from integrations.company.hr import HumanResources
from integrations.company.login import LoginOutcome, change_password, log_in
from integrations.company.tickets import CompanyTickets, HelpDesk
from integrations.company.time_off import CompanyTimeOff
from integrations.company.write_log import Write, writes
from integrations.contract import Passes

SEED = Path(__file__).with_name("seed")


class Company:
    """A made-up firm in one SQLite file. Use it on one event loop; several processes may share the file."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.directory = CompanyDirectory(client)
        self.groups = CompanyGroups(client)
        self.accounts = CompanyAccounts(client)
        self.time_off = CompanyTimeOff(client)
        self.tickets = CompanyTickets(client)
        self.help_desk = HelpDesk(client)
        self.equipment = CompanyEquipment(client)
        self.expenses = CompanyExpenses(client)
        self.passes: Passes | None = None
        self.hr = HumanResources(client)

    @classmethod
    def open(cls, path: Path, seed_dir: Path | None = None) -> Self:
        """Open the company file; where there is none, create it from the seed files.

        Blocks: milliseconds for a file that is there, about half a second for a new one.

        :raises ConnectorError: when it can be neither opened nor created
        """
        path = Path(path)
        if not path.exists():
            create(path, seed_dir or SEED)
        upgrade(path, seed_dir or SEED)
        return cls(Client(path))

    async def check(self) -> str:
        return await check(self.client)

    def login(self, account: str, password: str) -> LoginOutcome:
        """Try a password. Blocks for some 20 ms."""
        return log_in(self.client, account, password)

    def change_password(self, account: str, old: str, new: str) -> LoginOutcome:
        """Choose a password oneself. Blocks for some 40 ms."""
        return change_password(self.client, account, old, new)

    async def writes(self, op: str | None = None) -> list[Write]:
        """The write log: what reached the company, counted independently of whoever asked."""
        return await writes(self.client, op)

    def close(self) -> None:
        self.client.close()
