"""Entra beside the Active Directory that is synchronised into it: one person, joined by an unchanging id.

The directory of record stays Active Directory. A person of Entra is found by ``onPremisesImmutableId``, which
is the objectGUID there (Entra Connect: the source anchor, ms-DS-ConsistencyGuid, which begins as objectGUID).
Nothing is joined by name or address. Somebody who is not synchronised is nobody here.
Source: https://learn.microsoft.com/entra/identity/hybrid/connect/plan-connect-design-concepts
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from uuid import UUID

from integrations.contract import (
    Accounts,
    AccountState,
    ConnectorError,
    OutcomeUnknown,
    Secret,
    UnknownPerson,
)
from integrations.entra.accounts import revoke_sessions
from integrations.entra.client import Client, NotThere
from integrations.entra.directory import as_guid
from integrations.entra.groups import EntraGroups
from integrations.entra.passes import EntraPasses

_FIELD = "onPremisesImmutableId"


def anchor(person_id: str) -> str:
    """The objectGUID as Entra writes it. :raises UnknownPerson: it is none"""
    known = as_guid(person_id)
    if known is None:
        raise UnknownPerson("nobody has this id")
    return base64.b64encode(UUID(known).bytes_le).decode()


def person_of(anchored: object) -> str:
    """The other way round. :raises UnknownPerson: not somebody of that directory"""
    try:
        return str(UUID(bytes_le=base64.b64decode(str(anchored or ""), validate=True)))
    except (binascii.Error, ValueError) as error:
        raise UnknownPerson("this account is not synchronised from the directory") from error


class Joined:
    """Ids of one person on both sides."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def there(self, person_id: str) -> str:
        """Id in the directory -> object id. :raises UnknownPerson: nobody, or several"""
        wanted = anchor(person_id)

        def work(graph: Client) -> str:
            found = graph.all("users", filter=f"{_FIELD} eq '{wanted}'", select=f"id,{_FIELD}")
            same = [each for each in found if each.get(_FIELD) == wanted]
            if len(same) != 1:
                raise UnknownPerson("nobody in Entra is synchronised with this person, or several are")
            return str(same[0]["id"])

        return await self._client.run(work)

    async def here(self, object_id: str) -> str:
        """Object id -> id in the directory. :raises UnknownPerson:"""

        def work(graph: Client) -> str:
            try:
                found = graph.get("users", object_id, select=f"id,{_FIELD}")
            except NotThere as error:
                raise UnknownPerson("nobody has this id") from error
            return person_of(found.get(_FIELD))

        return await self._client.run(work)


class JoinedMemberships:
    """The port ``Memberships``: groups of Entra, people of the directory."""

    def __init__(self, groups: EntraGroups, there: Callable[[str], Awaitable[str]]) -> None:
        self._groups = groups
        self._there = there

    async def has(self, group_id: str, person_id: str) -> bool:
        return await self._groups.has(group_id, await self._there(person_id))

    async def add(self, group_id: str, person_id: str, *, op: str) -> bool:
        return await self._groups.add(group_id, await self._there(person_id), op=op)

    async def remove(self, group_id: str, person_id: str, *, op: str) -> bool:
        return await self._groups.remove(group_id, await self._there(person_id), op=op)


class JoinedAccounts:
    """The port ``Accounts``: the directory's own, and with a new password the sessions in Entra end too."""

    def __init__(self, accounts: Accounts, client: Client, there: Callable[[str], Awaitable[str]]) -> None:
        self._accounts, self._client, self._there = accounts, client, there

    async def state(self, person_id: str) -> AccountState:
        return await self._accounts.state(person_id)

    async def unlock(self, person_id: str, *, op: str) -> bool:
        return await self._accounts.unlock(person_id, op=op)

    async def reset(self, person_id: str, password: Secret, *, op: str) -> None:
        """:raises OutcomeUnknown: the password is new, and whether the sessions ended is not known"""
        await self._accounts.reset(person_id, password, op=op)
        try:
            object_id = await self._there(person_id)
            await self._client.run(lambda graph: revoke_sessions(graph, object_id))
        except UnknownPerson:
            return  # they are not in Entra, so no session of theirs is
        except ConnectorError as error:
            raise OutcomeUnknown("the password is new; the sessions in Entra may go on") from error


class JoinedPasses:
    """The port ``Passes``: passes of Entra, people of the directory."""

    def __init__(self, passes: EntraPasses, there: Callable[[str], Awaitable[str]]) -> None:
        self._passes = passes
        self._there = there

    async def waiting(self, person_id: str) -> frozenset[str]:
        return await self._passes.waiting(await self._there(person_id))

    async def issue(self, person_id: str, *, op: str) -> Secret:
        return await self._passes.issue(await self._there(person_id), op=op)
