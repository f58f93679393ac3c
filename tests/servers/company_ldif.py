"""The people and groups of the embedded company as LDIF, so that every directory holds the same ones."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from uuid import NAMESPACE_DNS, uuid5

from integrations.company.company import SEED
from integrations.company.seed_files import Seed, SeedGroup, SeedPerson
from integrations.contract import Kind, Status

BASE = "dc=alderfinch,dc=example"
PASSWORD = "Start-Harbour-Lantern-7"  # everybody's first
PLACEHOLDER = f"cn=nobody,{BASE}"  # groupOfNames takes no empty group

ON_LEAVE = "on-leave"  # a group besides those of the company

_COMPANY = Seed.read(SEED)
PEOPLE = {person.account: person for person in _COMPANY.people}
GROUPS = {group.id: group for group in _COMPANY.groups}


def entry_uuid(name: str) -> str:
    """The immutable id of somebody or something, the same in every run."""
    return str(uuid5(NAMESPACE_DNS, f"{name}.alderfinch.example"))


def person_dn(account: str) -> str:
    return f"uid={account},ou=people,{BASE}"


def group_dn(group_id: str) -> str:
    return f"cn={group_id},ou=groups,{BASE}"


def protected_accounts() -> set[str]:
    """Everybody inside the protected group, at any depth, and those with the flag."""
    found = {person.account for person in PEOPLE.values() if person.privileged}
    waiting = [_COMPANY.company.protected_group]
    while waiting:
        group = GROUPS[waiting.pop()]
        found |= set(group.people)
        waiting += group.groups
    return found


def company_ldif(service: str, service_password: str) -> str:
    """For slapadd: ids, locks and times included."""
    entries = [
        *_frame(service, service_password),
        *(_person(person) for person in PEOPLE.values()),
        *(_group(group) for group in GROUPS.values()),
        _group(SeedGroup(id=ON_LEAVE, name="On leave", people=tuple(_away()))),
    ]
    return "\n\n".join("\n".join(lines) for lines in entries) + "\n"


def _away() -> Iterator[str]:
    return (person.account for person in PEOPLE.values() if person.status is Status.ON_LEAVE)


def _frame(service: str, password: str) -> Iterator[list[str]]:
    yield [f"dn: {BASE}", "objectClass: domain", "dc: alderfinch"]
    for unit in ("people", "groups", "services", "policies"):
        yield [f"dn: ou={unit},{BASE}", "objectClass: organizationalUnit", f"ou: {unit}"]
    yield [
        f"dn: {service}",
        "objectClass: account",
        "objectClass: simpleSecurityObject",
        f"userPassword: {hashed(password)}",
    ]
    yield [
        f"dn: cn=default,ou=policies,{BASE}",
        "objectClass: device",
        "objectClass: pwdPolicy",
        "pwdAttribute: userPassword",
        "pwdMustChange: TRUE",
        "pwdLockout: TRUE",
        "pwdMaxFailure: 5",
        "pwdMinLength: 12",
        "pwdCheckQuality: 2",
        "pwdAllowUserChange: TRUE",
    ]


def _person(person: SeedPerson) -> list[str]:
    first, _, last = person.name.partition(" ")
    lines = [
        f"dn: {person_dn(person.account)}",
        "objectClass: inetOrgPerson",
        "objectClass: shadowAccount",
        f"entryUUID: {entry_uuid(person.account)}",
        _line("cn", person.name),
        _line("displayName", person.name),
        _line("sn", last or first),
        f"mail: {person.mail}",
        f"userPassword: {hashed(PASSWORD)}",
        "pwdChangedTime: 20260101120000Z",
    ]
    lines += [_line(name, value) for name, value in _extras(person).items() if value]
    return lines


def _extras(person: SeedPerson) -> dict[str, str]:
    kinds = {Kind.CONTRACTOR: "contractor", Kind.SERVICE: "service"}
    kind = "administrator" if person.account in protected_accounts() else ""
    locked = "20260102120000Z" if person.locked else ""
    return {
        "title": person.title,
        "departmentNumber": person.department,
        "manager": person_dn(person.manager) if person.manager else "",
        "employeeType": kinds.get(person.kind, kind),
        "pwdReset": "TRUE" if person.must_change else "",
        "pwdAccountLockedTime": "000001010000Z" if person.status is Status.DISABLED else locked,
        "shadowExpire": "1" if person.status is Status.LEFT else "",
    }


def _group(group: SeedGroup) -> list[str]:
    flagged = [p.account for p in PEOPLE.values() if p.privileged] if group.id == "protected" else []
    members = [
        *(person_dn(each) for each in (*group.people, *flagged)),
        *(group_dn(each) for each in group.groups),
    ]
    return [
        f"dn: {group_dn(group.id)}",
        "objectClass: groupOfNames",
        f"entryUUID: {entry_uuid('group.' + group.id)}",
        f"cn: {group.id}",
        _line("description", group.name),
        *(f"member: {each}" for each in (PLACEHOLDER, *members)),
    ]


def _line(name: str, value: str) -> str:
    if value.isascii():
        return f"{name}: {value}"
    return f"{name}:: {base64.b64encode(value.encode()).decode()}"


def hashed(password: str) -> str:
    """slapadd keeps what it is given: hash it first."""
    salt = b"alderfinch"
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()
