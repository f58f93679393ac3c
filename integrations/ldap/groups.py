"""Groups of the directory: joining and leaving, and who is in them."""

from __future__ import annotations

from integrations.contract import Group, Person
from integrations.ldap.client import ADD, DELETE, Client, Flavour, Session
from integrations.ldap.directory import LdapDirectory
from integrations.ldap.entries import group_of
from integrations.ldap.errors import (
    ENTRY_EXISTS,
    EXISTS,
    NO_SUCH_ATTRIBUTE,
    SUCCESS,
    UNWILLING,
    code_of,
    error_of,
)
from integrations.ldap.memberships import Memberships
from integrations.ldap.names import IN_CHAIN, equals


class LdapGroups:
    """The port ``Groups``. The directory keeps no operation's id: the read-back says what is so."""

    def __init__(self, client: Client, directory: LdapDirectory) -> None:
        self._client = client
        self._directory = directory

    async def group(self, group_id: str) -> Group:
        def work(session: Session) -> Group:
            memberships = Memberships(session)
            entry = memberships.find(group_id)
            found = group_of(entry, memberships.schema)
            return Group(memberships.id_of(entry), found.name, found.description)

        return await self._client.run(work)

    async def members(self, group_id: str) -> list[Person]:
        def work(session: Session) -> list[Person]:
            look = self._directory.look(session)
            group = look.memberships.find(group_id)
            if session.flavour is Flavour.ACTIVE_DIRECTORY:
                return look.in_chain(group["dn"], IN_CHAIN)
            return look.people(look.memberships.leaves(group))

        return await self._client.run(work)

    async def has(self, group_id: str, person_id: str) -> bool:
        def work(session: Session) -> bool:
            look = self._directory.look(session)
            group = look.memberships.find(group_id)
            return _has(session, group["dn"], look.entry(person_id)["dn"])

        return await self._client.run(work)

    async def add(self, group_id: str, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused:, :raises OutcomeUnknown:"""
        return await self._client.run(lambda session: self._change(session, group_id, person_id, ADD))

    async def remove(self, group_id: str, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused:, :raises OutcomeUnknown:"""
        return await self._client.run(lambda session: self._change(session, group_id, person_id, DELETE))

    def _change(self, session: Session, group_id: str, person_id: str, what: str) -> bool:
        look = self._directory.look(session)
        group, person = look.memberships.find(group_id), look.entry(person_id)
        result = session.modify(group["dn"], {"member": [(what, [person["dn"]])]})
        code = code_of(result)
        if code == SUCCESS:
            return True
        if code in ((EXISTS, ENTRY_EXISTS) if what == ADD else (NO_SUCH_ATTRIBUTE,)):
            return False
        # Active Directory is "unwilling" to remove who is not there, and to do much else: look which it was.
        if what == DELETE and code == UNWILLING and not _has(session, group["dn"], person["dn"]):
            return False
        raise error_of(result, f"membership of {group_id}")


def _has(session: Session, group_dn: str, dn: str) -> bool:
    """Directly."""
    return session.entry(group_dn, ("cn",), equals("member", dn)) is not None
