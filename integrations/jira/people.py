"""Who somebody of the directory is in Jira: the one account with exactly their mail address, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.contract import Directory, PermissionRefused, Person
from integrations.jira.client import Client
from integrations.jira.reading import unreadable
from integrations.rest import NotThere, Refused
from integrations.text import exact


class JiraPeople:
    def __init__(self, client: Client, directory: Directory) -> None:
        self._client = client
        self._directory = directory

    async def who(self, person_id: str) -> tuple[Person, str]:
        """The person, and their account; empty where nobody or not exactly one has their mail.

        :raises UnknownPerson:, :raises SystemDown:
        """
        person = await self._directory.person(person_id)
        mail = exact(person.mail)
        if mail is None:
            return person, ""
        for look in (self._customers, self._users):
            accounts = {_account(each) for each in await look(mail) if _has(each, mail)}
            if accounts:
                return person, accounts.pop() if len(accounts) == 1 else ""
        return person, ""

    async def _customers(self, mail: str) -> list[Mapping[str, Any]]:
        try:
            return await self._client.desk_all(
                "servicedesk", self._client.settings.service_desk, "customer", query=mail
            )
        except (NotThere, Refused, PermissionRefused):  # then the request names them in words
            return []

    async def _users(self, mail: str) -> list[Mapping[str, Any]]:
        try:
            found = await self._client.platform("3", "user", "search", query=mail, maxResults=50)
        except (NotThere, Refused, PermissionRefused):
            return []
        if not isinstance(found, list):
            raise unreadable("the list of users")
        return [each for each in found if isinstance(each, Mapping)]


def _has(user: Mapping[str, Any], mail: str) -> bool:
    """A name is nobody's alone, and an address that Jira hides is not known to be theirs."""
    given = user.get("emailAddress")
    return isinstance(given, str) and exact(given) == mail and user.get("active") is not False


def _account(user: Mapping[str, Any]) -> str:
    account = user.get("accountId")
    if not isinstance(account, str) or not account:
        raise unreadable("accountId")
    return account
