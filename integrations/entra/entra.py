"""Entra as one system: its connection, and every port of the contract that it fills."""

from __future__ import annotations

from integrations.contract import Accounts, Memberships, Passes, Suggestion
from integrations.entra.accounts import EntraAccounts
from integrations.entra.client import Client, EntraSettings, NotConfigured
from integrations.entra.directory import EntraDirectory
from integrations.entra.groups import EntraGroups
from integrations.entra.linked import Joined, JoinedAccounts, JoinedMemberships, JoinedPasses
from integrations.entra.passes import EntraPasses
from integrations.entra.rights import BY_PASS, BY_PASSWORD, NEEDED
from integrations.entra.sign_in import EntraSignIn
from integrations.entra.suggest import suggestions

__all__ = ["Beside", "Entra", "EntraSettings", "NotConfigured"]

_COUNTED = 5_000  # more is not counted


class Entra:
    """As the directory of record. Nothing is connected until it is asked something."""

    def __init__(self, settings: EntraSettings) -> None:
        """:raises NotConfigured:"""
        self.client = Client(settings)
        self.directory = EntraDirectory(self.client)
        self.groups = EntraGroups(self.client)
        self.accounts = EntraAccounts(self.client)
        self.passes: Passes | None = EntraPasses(self.client) if settings.passes else None
        self.sign_in = EntraSignIn(settings, _itself)

    async def check(self) -> str:
        """:raises ConnectorError: with what to do"""

        def work(graph: Client) -> str:
            people = len(graph.all("users", select="id", top="999", most=_COUNTED))
            groups = len(graph.all("groups", select="id", top="999", most=_COUNTED))
            more = " or more" if _COUNTED in (people, groups) else ""
            return f"Entra: {people} people, {groups} groups{more}, as {graph.settings.app_id}"

        return await self.client.run(work)

    async def missing(self) -> list[str] | None:
        """Permissions that Deskhand needs and the app has not; None: its token does not say."""
        held = await self.client.run(lambda graph: graph.granted())
        other = BY_PASSWORD if self.passes else BY_PASS
        return None if held is None else sorted(set(NEEDED) - held - {other})

    async def suggestions(self) -> list[Suggestion]:
        """Groups that look requestable."""
        return await self.client.run(suggestions)

    def close(self) -> None:
        self.sign_in.close()
        self.client.close()


class Beside:
    """Beside an Active Directory of record: its people, by their ids there."""

    def __init__(self, settings: EntraSettings) -> None:
        """:raises NotConfigured:"""
        self.entra = Entra(settings)
        joined = Joined(self.entra.client)
        self._there = joined.there
        self.memberships: Memberships = JoinedMemberships(self.entra.groups, joined.there)
        made = EntraPasses(self.entra.client)
        self.passes: Passes | None = JoinedPasses(made, joined.there) if settings.passes else None
        self.sign_in = EntraSignIn(settings, joined.here)

    def accounts(self, record: Accounts) -> Accounts:
        """Those of the directory, whose new passwords end sessions in Entra too."""
        return JoinedAccounts(record, self.entra.client, self._there)

    async def check(self) -> str:
        """:raises ConnectorError:"""
        return await self.entra.check()

    async def missing(self) -> list[str] | None:
        return await self.entra.missing()

    def close(self) -> None:
        self.sign_in.close()
        self.entra.close()


async def _itself(object_id: str) -> str:
    return object_id
