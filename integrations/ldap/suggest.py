"""Groups that look like something one could ask for, as catalogue entries to edit.

Groups with a description that are neither protected nor inside something that is; their owner is
``managedBy`` on Active Directory, ``owner`` on OpenLDAP. What is missing is left for a person to fill in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.contract import Suggestion
from integrations.ldap.client import Client, Entry, Session
from integrations.ldap.directory import LdapDirectory, Look
from integrations.ldap.entries import dns, text

_ATTRIBUTES = (
    "cn",
    "description",
    "member",
    "managedBy",
    "owner",
    "objectGUID",
    "entryUUID",
    "isCriticalSystemObject",
)


async def suggestions(client: Client, directory: LdapDirectory) -> list[Suggestion]:
    return await client.run(lambda session: list(_suggest(session, directory.look(session))))


def _suggest(session: Session, look: Look) -> Iterator[Suggestion]:
    protected = {dn.lower() for dn in look.memberships.protected_groups()}
    found = session.search(session.settings.groups_base, look.schema.groups, _ATTRIBUTES)
    for entry in sorted(found, key=lambda each: text(each, "cn").lower()):
        if text(entry, "isCriticalSystemObject") == "TRUE" or entry["dn"].lower() in protected:
            continue
        if look.memberships.protected(entry["dn"]) or not text(entry, "description"):
            continue
        yield Suggestion(
            key=re.sub(r"[^a-z0-9]+", "-", text(entry, "cn").lower()).strip("-")[:63],
            name=text(entry, "cn"),
            description=text(entry, "description"),
            group=look.schema.id_of(entry),
            owner=_owner(session, look, entry),
        )


def _owner(session: Session, look: Look, entry: Entry) -> str:
    for dn in (*dns(entry, "managedBy"), *dns(entry, "owner")):
        owner = session.entry(dn, ("mail",), look.schema.people)
        if owner is not None and text(owner, "mail"):
            return text(owner, "mail")
    return ""
