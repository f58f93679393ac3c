"""What the service account may do, and above all what it may not: asked without changing anything.

Removing a member who is not there tells the two apart: "no such value" (or "unwilling") comes only after the
rights were checked.
"""

from __future__ import annotations

from collections.abc import Iterable

from integrations.contract import ConnectorError, PermissionRefused
from integrations.ldap.client import DELETE, Client, Flavour, Session
from integrations.ldap.directory import LdapDirectory
from integrations.ldap.errors import NO_SUCH_ATTRIBUTE, SUCCESS, UNWILLING, code_of, error_of
from integrations.ldap.memberships import Memberships


class TooPowerful(ConnectorError):
    """The service account may do what nothing that talks to people should."""


async def check(client: Client, directory: LdapDirectory) -> str:
    """:raises ConnectorError: with what to do"""

    def work(session: Session) -> str:
        look = directory.look(session)
        people = len(session.search(session.settings.people_base, look.schema.people, ("cn",)))
        groups = len(session.search(session.settings.groups_base, look.schema.groups, ("cn",)))
        who = session.who_am_i() or session.settings.bind_dn
        return (
            f"{session.flavour}: {people} people, {groups} groups; as {who}, who changes no protected group"
        )

    return await client.run(work)


async def may_change(client: Client, group_ids: Iterable[str]) -> dict[str, bool]:
    """Group id -> whether its members may be changed."""

    def work(session: Session) -> dict[str, bool]:
        memberships = Memberships(session)
        return {each: _may(session, memberships.find(each)["dn"]) for each in group_ids}

    return await client.run(work)


def require_humble(session: Session) -> None:
    """:raises TooPowerful: it may change a protected group, as a domain administrator may"""
    memberships = Memberships(session)
    for group in memberships.protected_groups():
        if _may(session, group):
            raise TooPowerful(
                f"LDAP_BIND_DN: this account may change {group}: give one that cannot (docs/directory.md)"
            )


def _may(session: Session, group_dn: str) -> bool:
    """Whether an absent member could be removed: nothing changes, since no group is inside itself."""
    result = session.modify(group_dn, {"member": [(DELETE, [group_dn])]})
    # "Unwilling" is how Active Directory says "not a member"; from OpenLDAP it says "read-only".
    absent = UNWILLING if session.flavour is Flavour.ACTIVE_DIRECTORY else NO_SUCH_ATTRIBUTE
    if code_of(result) in (SUCCESS, NO_SUCH_ATTRIBUTE, absent):
        return True
    error = error_of(result, f"looking at the rights to {group_dn}")
    if isinstance(error, PermissionRefused):
        return False
    raise error
