"""Whose password the service account could reset, read without resetting one.

On OpenLDAP by deleting a value that is not there: "no such value" comes only after the rights were checked.
On Active Directory from the entry's access control list, and the attributes the server says we may write.
Source: MS-DTYP 2.4.4 to 2.4.6; MS-ADTS 3.1.1.4.5.22 (allowedAttributesEffective), 5.1.3.2.1 (control rights).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from integrations.ldap.client import DELETE, Flavour, Session
from integrations.ldap.directory import Look
from integrations.ldap.entries import dns, one, sid_text
from integrations.ldap.errors import NO_SUCH_ATTRIBUTE, SUCCESS, code_of
from integrations.ldap.names import either, equals

_LOOKED_AT = 200  # people
_RESET = uuid.UUID("00299570-246d-11d0-a768-00aa006e0529").bytes_le  # User-Force-Change-Password
_CONTROL = 0x100 | 0x10000000  # RIGHT_DS_CONTROL_ACCESS, GENERIC_ALL
_ALLOW, _DENY, _ALLOW_OBJECT, _DENY_OBJECT = 0, 1, 5, 6
_INHERIT_ONLY = 0x08
_NEEDED = frozenset({"lockouttime", "pwdlastset"})


@dataclass(frozen=True, slots=True)
class Reach:
    """Of those looked at: how many could be reset, and who could that must not."""

    people: int
    resettable: int
    protected: int
    exposed: tuple[str, ...]  # protected people whose password we could set


def reach(session: Session, look: Look) -> Reach:
    schema, base = look.schema, session.settings.people_base
    everybody = session.search(base, schema.people, schema.attributes, limit=_LOOKED_AT)
    protected = {each["dn"] for each in look.protected_people()}
    ordinary = [
        each["dn"] for each in everybody if each["dn"] not in protected and not look.is_privileged(each)
    ]
    mine = _own_sids(session)
    return Reach(
        people=len(ordinary),
        resettable=sum(_may_reset(session, dn, mine) for dn in ordinary),
        protected=len(protected),
        exposed=tuple(sorted(dn for dn in protected if _may_reset(session, dn, mine))),
    )


def _may_reset(session: Session, dn: str, mine: frozenset[str]) -> bool:
    if session.flavour is Flavour.OPENLDAP:
        changes = {"userPassword": [(DELETE, ["deskhand asks for its rights"])]}
        return code_of(session.modify(dn, changes)) in (SUCCESS, NO_SUCH_ATTRIBUTE)
    entry = session.entry(dn, ("allowedAttributesEffective", "nTSecurityDescriptor"))
    if entry is None:
        return False
    writable = {each.lower() for each in dns(entry, "allowedAttributesEffective")}
    return writable >= _NEEDED and grants_reset(one(entry, "nTSecurityDescriptor"), mine)


def _own_sids(session: Session) -> frozenset[str]:
    """Ours and those of every group we are in; of everybody and of who is logged in. Active Directory."""
    if session.flavour is Flavour.OPENLDAP:
        return frozenset()
    bind, base = session.settings.bind_dn, session.settings.people_base
    domain = "DC=" + base.upper().partition("DC=")[2]
    me = session.search(
        domain, either(equals("distinguishedName", bind), equals("userPrincipalName", bind)), ("objectSid",)
    )
    own = session.entry(me[0]["dn"], ("objectSid", "tokenGroups")) if me else None
    sids = [*own["objectsid"], *own.get("tokengroups", ())] if own else []
    return frozenset({"S-1-1-0", "S-1-5-11", *(sid_text(each) for each in sids)})


def grants_reset(descriptor: bytes, mine: frozenset[str]) -> bool:
    """Whether the access control list lets one of these reset the password: the first that says so counts."""
    for kind, mask, about, sid in _entries(descriptor):
        if mask & _CONTROL and about in (b"", _RESET) and sid in mine:
            return kind in (_ALLOW, _ALLOW_OBJECT)
    return False


def _entries(descriptor: bytes) -> Iterator[tuple[int, int, bytes, str]]:
    """Kind, access mask, what it is about (empty: everything), and whom, of each entry in force."""
    if len(descriptor) < 20:
        return
    at = int.from_bytes(descriptor[16:20], "little")  # of the discretionary list
    count = int.from_bytes(descriptor[at + 4 : at + 6], "little") if at else 0
    at += 8
    for _ in range(count):
        kind, flags = descriptor[at], descriptor[at + 1]
        size = int.from_bytes(descriptor[at + 2 : at + 4], "little")
        body = descriptor[at + 4 : at + size]
        at += size
        mask, rest, about = int.from_bytes(body[:4], "little"), body[4:], b""
        if kind in (_ALLOW_OBJECT, _DENY_OBJECT):
            present, rest = int.from_bytes(rest[:4], "little"), rest[4:]
            if present & 1:
                about, rest = rest[:16], rest[16:]
            if present & 2:
                rest = rest[16:]
        elif kind not in (_ALLOW, _DENY):
            continue
        if not flags & _INHERIT_ONLY:
            yield kind, mask, about, sid_text(rest)
