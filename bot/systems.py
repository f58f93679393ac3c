"""Which systems are connected: the directory of record, what stands beside it, and where people sign in."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from bot.procedures.office import Ports
from bot.settings import Settings
from bot.settings.part import listed
from bot.settings.paths import Paths
from integrations.company import Company
from integrations.contract import (
    Accounts,
    Directory,
    Groups,
    Memberships,
    Passes,
    SignIn,
)
from integrations.work import Balance, Leave, LeaveRefused, NewLeave, UnknownLeave

HANDBOOK = Path(__file__).resolve().parents[1] / "integrations" / "knowledge" / "handbook"


class CannotStart(Exception):
    """A setting or a file has to be mended first; says which and how."""


class System(Protocol):
    """The directory of record: the embedded company, or a real one."""

    @property
    def directory(self) -> Directory: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def passes(self) -> Passes | None: ...
    async def check(self) -> str: ...
    def close(self) -> None: ...


class Beside(Protocol):
    """Another system that knows the same people, by the ids of the directory of record."""

    @property
    def memberships(self) -> Memberships: ...
    @property
    def passes(self) -> Passes | None: ...
    @property
    def sign_in(self) -> SignIn: ...
    def accounts(self, record: Accounts) -> Accounts: ...
    async def check(self) -> str: ...
    async def missing(self) -> list[str] | None: ...
    def close(self) -> None: ...


class Connected(Protocol):
    """A system that people work with: time off, tickets, purchasing."""

    async def check(self) -> str: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Systems:
    record: System
    beside: Beside | None = None  # Entra, where Active Directory is the directory of record
    sign_in: SignIn | None = None
    work: Mapping[str, Any] = field(default_factory=dict)  # those that people work with, by name

    @classmethod
    def open(cls, settings: Settings) -> Systems:
        """:raises ConnectorError:, :raises CannotStart:"""
        record = open_system(settings)
        beside: Beside | None = None
        sign_in: SignIn | None = None
        if settings.ldap_url and settings.entra:
            beside = _entra(settings, "Beside")
        if settings.oidc_issuer:
            sign_in = _openid(settings)
        elif settings.entra_sign_in:
            entra: Any = beside or record
            sign_in = entra.sign_in
        return cls(record, beside, sign_in, _work(settings, record.directory))

    def ports(self) -> Ports:
        record, beside = self.record, self.beside
        # The embedded company plays every system that is not connected.
        company = record if isinstance(record, Company) else None
        time_off, tickets = self.work.get("bamboohr", company), self.work.get("jira", company)
        backoffice = self.work.get("backoffice", company)
        return Ports(
            record.directory,
            record.groups,
            beside.accounts(record.accounts) if beside else record.accounts,
            time_off.time_off if time_off else _NoTimeOff(),
            passes=beside.passes if beside else record.passes,
            linked={"entra": beside.memberships} if beside else {},
            tickets=tickets.tickets if tickets else None,
            equipment=backoffice.equipment if backoffice else None,
            expenses=backoffice.expenses if backoffice else None,
            documents=self.work["documents"].knowledge if "documents" in self.work else None,
        )

    async def check(self) -> str:
        """:raises ConnectorError:"""
        said = await self.record.check()
        return f"{said}; {await self.beside.check()}" if self.beside else said

    async def close(self) -> None:
        self.record.close()
        if self.beside:
            self.beside.close()
        for system in self.work.values():
            await system.close()


def open_system(settings: Settings) -> System:
    """The directory of record: Active Directory or OpenLDAP before Entra, else the embedded company.

    :raises ConnectorError:, :raises CannotStart:
    """
    if settings.ldap_url:
        return _ldap(settings)
    if settings.entra:
        record: System = _entra(settings, "Entra")
        return record
    return Company.open(Paths(settings.data).company, settings.company_seed)


def _ldap(settings: Settings) -> System:
    system: System = _connected(
        "ldap",
        "Ldap",
        url=settings.ldap_url,
        bind_dn=settings.ldap_bind_dn,
        password=settings.ldap_password,
        people_base=settings.ldap_people_base,
        groups_base=settings.ldap_groups_base,
        ca_file=settings.ldap_ca_file,
        protected=listed(settings.ldap_protected),
        on_leave=settings.ldap_on_leave,
        names=settings.ldap_group_names,
        time_zone=settings.ldap_time_zone,
    )
    return system


def _entra(settings: Settings, kind: str) -> Any:
    """:param kind: what of the connector: "Entra", or "Beside" """
    return _connected(
        "entra",
        kind,
        of="EntraSettings",
        tenant=settings.entra_tenant_id.lower(),  # as its tokens write them
        app_id=settings.entra_app_id.lower(),
        secret=settings.entra_app_secret,
        certificate=settings.entra_certificate_file,
        protected=listed(settings.entra_protected),
        on_leave=settings.entra_on_leave,
        names=settings.entra_group_names,
        time_zone=settings.entra_time_zone,
        passes=settings.entra_credential == "pass",
        graph_url=settings.entra_graph_url,
        login_url=settings.entra_login_url,
        ca_file=settings.entra_ca_file,
    )


def _openid(settings: Settings) -> SignIn:
    provider: SignIn = _connected(
        "openid",
        "OpenId",
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret,
        name=settings.oidc_name,
        person_claim=settings.oidc_person_claim,
        ca_file=settings.oidc_ca_file,
    )
    return provider


def _work(settings: Settings, directory: Directory) -> dict[str, Connected]:
    """What is configured; each is imported only then. :raises CannotStart:"""
    found: dict[str, Connected] = {}
    if settings.bamboohr_company:
        found["bamboohr"] = _connected(
            "bamboohr",
            "BambooHr",
            directory,
            company=settings.bamboohr_company,
            api_key=settings.bamboohr_api_key,
            url=settings.bamboohr_url,
            ca_file=settings.bamboohr_ca_file,
        )
    if settings.jira_url:
        found["jira"] = _connected(
            "jira",
            "Jira",
            directory,
            url=settings.jira_url,
            account=settings.jira_account,
            token=settings.jira_api_token,
            service_desk=settings.jira_service_desk,
            request_type=settings.jira_request_type,
            equipment_request_type=settings.jira_equipment_type,
            ca_file=settings.jira_ca_file,
        )
    if settings.backoffice_url:
        found["backoffice"] = _connected(
            "backoffice",
            "Backoffice",
            directory,
            url=settings.backoffice_url,
            token=settings.backoffice_token,
            ca_file=settings.backoffice_ca_file,
        )
    embedded = not (settings.ldap_url or settings.entra)
    if folder := settings.knowledge or (HANDBOOK if embedded else None):
        found["documents"] = _Documents(folder, Paths(settings.data).knowledge)
    return found


class _Documents:
    """A folder of documents, as one of the systems."""

    def __init__(self, folder: Path, index: Path) -> None:
        knowledge = importlib.import_module("integrations.knowledge")
        index.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.knowledge = knowledge.Knowledge.open(folder, index)
        except knowledge.KnowledgeError as error:
            raise CannotStart(f"DESKHAND_KNOWLEDGE: {error}") from error

    async def check(self) -> str:
        return str(await self.knowledge.check())

    async def close(self) -> None:
        self.knowledge.close()


def _connected(folder: str, kind: str, *more: Any, of: str = "", **settings: Any) -> Any:
    """What a connector's folder offers under this name. Imported only now: only what is configured is.

    :param more: what it is given beside its settings
    :param of: the name of its settings, where that is not ``kind`` and "Settings"
    :raises CannotStart:
    """
    module = importlib.import_module(f"integrations.{folder}")
    try:
        return getattr(module, kind)(getattr(module, of or f"{kind}Settings")(**settings), *more)
    except module.NotConfigured as error:
        raise CannotStart(str(error)) from error


class _NoTimeOff:
    """Where no system keeps time off, nobody has any to be told of or to enter."""

    async def balances(self, person_id: str, on: date) -> list[Balance]:
        return []

    async def booked(self, person_id: str, first: date, last: date) -> list[Leave]:
        return []

    async def leave(self, person_id: str, leave_id: str) -> Leave:
        raise UnknownLeave(_NOWHERE)

    async def enter(self, person_id: str, new: NewLeave, *, op: str) -> str:
        raise LeaveRefused(_NOWHERE)

    async def entered(self, person_id: str, new: NewLeave, *, op: str) -> str | None:
        return None

    async def cancel(self, person_id: str, leave_id: str, *, op: str) -> bool:
        raise UnknownLeave(_NOWHERE)


_NOWHERE = "no system that keeps time off is connected"
