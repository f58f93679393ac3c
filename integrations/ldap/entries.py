"""Entries of either flavour -> people, groups and states of the contract."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from integrations.contract import AccountState, Group, Kind, Person, Status
from integrations.ldap.client import Entry, Flavour

_DISABLED, _LOCKED = 0x2, 0x10  # userAccountControl; msDS-User-Account-Control-Computed
_NEVER = (0, 0x7FFFFFFFFFFFFFFF)  # accountExpires
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)  # FILETIME counts 100 ns from here
_LOCKED_BY_HAND = "000001010000Z"  # pwdAccountLockedTime of an account that an admin disabled
_CONTRACTORS = frozenset({"contractor", "external", "consultant"})
_SERVICES = frozenset({"service", "service account"})
_MANAGED = frozenset({"msds-managedserviceaccount", "msds-groupmanagedserviceaccount", "computer"})


class Schema(Protocol):
    """What the flavours call things."""

    @property
    def id(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def department(self) -> str: ...
    @property
    def people(self) -> str: ...  # filter
    @property
    def groups(self) -> str: ...  # filter
    @property
    def attributes(self) -> tuple[str, ...]: ...

    def id_of(self, entry: Entry) -> str: ...
    def id_value(self, person_id: uuid.UUID) -> str | bytes: ...
    def status(self, entry: Entry, now: datetime) -> Status: ...
    def state(self, entry: Entry, now: datetime) -> AccountState: ...


@dataclass(frozen=True, slots=True)
class ActiveDirectory:
    id: str = "objectGUID"
    account: str = "sAMAccountName"
    name: str = "displayName"
    department: str = "department"
    people: str = "(&(objectCategory=person)(objectClass=user))"
    groups: str = "(objectClass=group)"
    attributes: tuple[str, ...] = (
        "objectGUID", "sAMAccountName", "mail", "displayName", "cn", "title", "department", "employeeType",
        "manager", "userAccountControl", "accountExpires", "adminCount", "servicePrincipalName",
        "objectClass", "pwdLastSet", "lockoutTime", "msDS-User-Account-Control-Computed", "whenChanged",
        "uSNChanged",
    )  # fmt: skip

    def id_of(self, entry: Entry) -> str:
        return str(uuid.UUID(bytes_le=one(entry, self.id)))

    def id_value(self, person_id: uuid.UUID) -> str | bytes:
        return person_id.bytes_le

    def status(self, entry: Entry, now: datetime) -> Status:
        expires = number(entry, "accountExpires")
        if expires not in _NEVER and _filetime(expires) <= now:
            return Status.LEFT
        return Status.DISABLED if number(entry, "userAccountControl") & _DISABLED else Status.ACTIVE

    def state(self, entry: Entry, now: datetime) -> AccountState:
        set_at = number(entry, "pwdLastSet")
        return AccountState(
            locked=bool(number(entry, "msDS-User-Account-Control-Computed") & _LOCKED),
            disabled=self.status(entry, now) is not Status.ACTIVE,
            must_change=set_at == 0,
            password_set_at=_filetime(set_at) if set_at else _changed(entry),
        )


@dataclass(frozen=True, slots=True)
class OpenLdap:
    id: str = "entryUUID"
    account: str = "uid"
    name: str = "displayName"
    department: str = "departmentNumber"
    people: str = "(objectClass=inetOrgPerson)"
    groups: str = "(objectClass=groupOfNames)"
    attributes: tuple[str, ...] = (
        "entryUUID", "uid", "mail", "displayName", "cn", "title", "departmentNumber", "employeeType",
        "manager", "pwdAccountLockedTime", "pwdReset", "pwdChangedTime", "pwdEndTime", "shadowExpire",
        "createTimestamp", "objectClass", "entryCSN",
    )  # fmt: skip

    def id_of(self, entry: Entry) -> str:
        return text(entry, self.id).lower()

    def id_value(self, person_id: uuid.UUID) -> str | bytes:
        return str(person_id)

    def status(self, entry: Entry, now: datetime) -> Status:
        ends = _generalized(text(entry, "pwdEndTime"))
        days = number(entry, "shadowExpire")
        over = days > 0 and datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days) <= now
        if over or (ends and ends <= now):
            return Status.LEFT
        return Status.DISABLED if text(entry, "pwdAccountLockedTime") == _LOCKED_BY_HAND else Status.ACTIVE

    def state(self, entry: Entry, now: datetime) -> AccountState:
        locked = text(entry, "pwdAccountLockedTime")
        set_at = text(entry, "pwdChangedTime") or text(entry, "createTimestamp")
        return AccountState(
            locked=bool(locked) and locked != _LOCKED_BY_HAND,
            disabled=self.status(entry, now) is not Status.ACTIVE,
            must_change=text(entry, "pwdReset").upper() == "TRUE",
            password_set_at=_sharper(_generalized(set_at), text(entry, "entryCSN")),
        )


SCHEMAS: dict[Flavour, Schema] = {
    Flavour.ACTIVE_DIRECTORY: ActiveDirectory(),
    Flavour.OPENLDAP: OpenLdap(),
}


def person_of(
    entry: Entry,
    schema: Schema,
    *,
    manager_id: str | None,
    privileged: bool,
    away: bool,
    zone: str,
    now: datetime,
) -> Person:
    status = schema.status(entry, now)
    return Person(
        id=schema.id_of(entry),
        account=text(entry, schema.account),
        mail=text(entry, "mail"),
        name=text(entry, schema.name) or text(entry, "cn"),
        title=text(entry, "title"),
        department=text(entry, schema.department),
        kind=kind_of(entry),
        status=Status.ON_LEAVE if away and status is Status.ACTIVE else status,
        manager_id=manager_id,
        privileged=privileged,
        time_zone=zone,
    )


def kind_of(entry: Entry) -> Kind:
    """By ``employeeType``; whatever runs a service is a service account."""
    said = text(entry, "employeeType").casefold()
    classes = {value.decode(errors="replace").lower() for value in entry.get("objectclass", ())}
    if said in _SERVICES or entry.get("serviceprincipalname") or classes & _MANAGED:
        return Kind.SERVICE
    return Kind.CONTRACTOR if said in _CONTRACTORS else Kind.EMPLOYEE


def group_of(entry: Entry, schema: Schema) -> Group:
    return Group(schema.id_of(entry), text(entry, "cn"), text(entry, "description"))


def one(entry: Entry, name: str) -> bytes:
    values = entry.get(name.lower()) or [b""]
    return values[0] if isinstance(values[0], bytes) else str(values[0]).encode()


def text(entry: Entry, name: str) -> str:
    return one(entry, name).decode("utf-8", "replace")


def sid_of(entry: Entry) -> str:
    return sid_text(one(entry, "objectSid"))


def sid_text(raw: bytes) -> str:
    """Source: MS-DTYP 2.4.2."""
    if len(raw) < 8:
        return ""
    parts = [int.from_bytes(raw[at : at + 4], "little") for at in range(8, 8 + 4 * raw[1], 4)]
    return "-".join(map(str, ["S", raw[0], int.from_bytes(raw[2:8], "big"), *parts]))


def number(entry: Entry, name: str) -> int:
    said = text(entry, name)
    return int(said) if said.lstrip("-").isdigit() else 0


def dns(entry: Entry, name: str) -> list[str]:
    return [value.decode("utf-8", "replace") for value in entry.get(name.lower(), ())]


def _filetime(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks // 10)


def _changed(entry: Entry) -> datetime | None:
    """Where pwdLastSet is 0 (must change), the time of the last change stands in for it: it moves with every
    reset. Its second is told apart by the change number."""
    at = _generalized(text(entry, "whenChanged"))
    return at + timedelta(microseconds=number(entry, "uSNChanged") % 1_000_000) if at else None


def _sharper(at: datetime | None, csn: str) -> datetime | None:
    """pwdChangedTime counts whole seconds. Where the last change to the entry was in that very second, its
    change number tells the microsecond, so that two resets in one second are told apart."""
    last = _generalized(csn.partition("#")[0])
    return last if at and last and last.replace(microsecond=0) == at.replace(microsecond=0) else at


def _generalized(said: str) -> datetime | None:
    """RFC 4517 3.3.13, in UTC: 20261125120000Z, 20261125120000.123456Z."""
    whole, _, fraction = said.removesuffix("Z").partition(".")
    try:
        at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return at + timedelta(seconds=float(f"0.{fraction}")) if fraction.isdigit() else at
