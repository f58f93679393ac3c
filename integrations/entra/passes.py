"""Temporary Access Passes: a credential for one sign-in, made by Entra and shown by it once.

Also for people who are synchronised from on-premises, whose password Entra does not change.
Source: https://learn.microsoft.com/graph/api/authentication-post-temporaryaccesspassmethods
"""

from __future__ import annotations

from integrations.contract import OutcomeUnknown, PermissionRefused, Secret
from integrations.entra.accounts import revoke_sessions, within_reach
from integrations.entra.client import BadRequest, Client, Json, NotThere
from integrations.entra.directory import Look

_METHODS = ("authentication", "temporaryAccessPassMethods")
_MINUTES = (10, 60, None)  # the shortest that Graph knows, what tenants begin with, and the tenant's own


class EntraPasses:
    """The port ``Passes``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def waiting(self, person_id: str) -> frozenset[str]:
        def work(graph: Client) -> frozenset[str]:
            return frozenset(_usable(graph, str(Look(graph).user(person_id)["id"])))

        return await self._client.run(work)

    async def issue(self, person_id: str, *, op: str) -> Secret:
        """:raises PermissionRefused: for a privileged account, or where the tenant does not allow passes"""

        def work(graph: Client) -> Secret:
            person = str(within_reach(Look(graph), person_id)["id"])
            for old in _usable(graph, person):
                _delete(graph, person, old)
            made = _make(graph, person)
            revoke_sessions(graph, person)
            return made

        return await self._client.run(work)


def _usable(graph: Client, person: str) -> list[str]:
    found = graph.all("users", person, *_METHODS)
    return [str(each["id"]) for each in found if each.get("isUsable") is not False]


def _delete(graph: Client, person: str, method: str) -> None:
    try:
        graph.write("DELETE", "users", person, *_METHODS, method)
    except NotThere:
        return  # it was used or ran out meanwhile


def _make(graph: Client, person: str) -> Secret:
    """As short as the tenant's policy takes."""
    for minutes in _MINUTES:
        body: Json = {"isUsableOnce": True, **({"lifetimeInMinutes": minutes} if minutes else {})}
        try:
            made = graph.write("POST", "users", person, *_METHODS, body=body)
        except BadRequest as error:
            if minutes is None:
                raise PermissionRefused(f"the tenant's policy allows no pass here ({error})") from error
            continue
        value = made.get("temporaryAccessPass")
        if not isinstance(value, str) or not value:
            raise OutcomeUnknown("Graph made a pass and did not say which")
        return Secret(value)
    raise AssertionError("the last try raises")
