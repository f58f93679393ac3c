"""The directory as one system: its connection, and every port of the contract that it fills."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from integrations.contract import Passes, Suggestion
from integrations.ldap.accounts import LdapAccounts
from integrations.ldap.check import check, may_change, require_humble
from integrations.ldap.client import Client, LdapSettings
from integrations.ldap.directory import LdapDirectory
from integrations.ldap.groups import LdapGroups
from integrations.ldap.rights import Reach, reach
from integrations.ldap.suggest import suggestions


def _now() -> datetime:
    return datetime.now(UTC)


class Ldap:
    """Nothing is connected until it is asked something."""

    def __init__(self, settings: LdapSettings, clock: Callable[[], datetime] = _now) -> None:
        """:raises NotConfigured:"""
        self.client = Client(settings, vet=require_humble)
        self.directory = LdapDirectory(self.client, clock)
        self.groups = LdapGroups(self.client, self.directory)
        self.passes: Passes | None = None
        self.accounts = LdapAccounts(self.client, self.directory)

    async def check(self) -> str:
        return await check(self.client, self.directory)

    async def suggestions(self) -> list[Suggestion]:
        """Groups that look requestable."""
        return await suggestions(self.client, self.directory)

    async def reach(self) -> Reach:
        """Whose password could be reset with our rights; none is."""
        return await self.client.run(lambda session: reach(session, self.directory.look(session)))

    async def may_change(self, group_ids: list[str]) -> dict[str, bool]:
        return await may_change(self.client, group_ids)

    def close(self) -> None:
        self.client.close()
