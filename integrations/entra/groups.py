"""Groups of Entra: joining and leaving, and who is in them."""

from __future__ import annotations

import time
from collections.abc import Callable

from integrations.contract import Group, OutcomeUnknown, Person, UnknownGroup
from integrations.entra.client import BadRequest, Client, NotThere
from integrations.entra.directory import Look

_LOOK_AGAIN_S = 0.5


class EntraGroups:
    """The port ``Groups``. Entra keeps no operation's id: the read-back says what is so."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def group(self, group_id: str) -> Group:
        def work(graph: Client) -> Group:
            look = Look(graph)
            try:
                found = graph.get("groups", look.group_id(group_id), select="id,displayName,description")
            except NotThere as error:
                raise UnknownGroup("no group has this id") from error
            name, about = str(found.get("displayName") or ""), str(found.get("description") or "")
            return Group(look.name_of(str(found["id"])), name, about)

        return await self._client.run(work)

    async def members(self, group_id: str) -> list[Person]:
        def work(graph: Client) -> list[Person]:
            look = Look(graph)
            return look.with_managers(look.inside(look.group_id(group_id)))

        return await self._client.run(work)

    async def has(self, group_id: str, person_id: str) -> bool:
        def work(graph: Client) -> bool:
            look = Look(graph)
            group = look.existing(look.group_id(group_id))
            return _has(graph, group, str(look.user(person_id)["id"]))

        return await self._client.run(work)

    async def add(self, group_id: str, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused:, :raises OutcomeUnknown:"""

        def work(graph: Client) -> bool:
            look = Look(graph)
            group, person = look.group_id(group_id), str(look.user(person_id)["id"])
            link = f"{graph.settings.graph_url.rstrip('/')}/directoryObjects/{person}"
            try:
                graph.write("POST", "groups", group, "members", "$ref", body={"@odata.id": link})
            except NotThere as error:
                raise UnknownGroup("no group has this id") from error
            except BadRequest:
                if _has(graph, group, person):  # there before, or somebody was faster
                    return False
                raise
            _seen(graph, lambda: _has(graph, group, person), "membership")
            return True

        return await self._client.run(work)

    async def remove(self, group_id: str, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused:, :raises OutcomeUnknown:"""

        def work(graph: Client) -> bool:
            look = Look(graph)
            group, person = look.existing(look.group_id(group_id)), str(look.user(person_id)["id"])
            try:
                graph.write("DELETE", "groups", group, "members", person, "$ref")
            except NotThere:
                return False
            _seen(graph, lambda: not _has(graph, group, person), "membership")
            return True

        return await self._client.run(work)


def _has(graph: Client, group: str, person: str) -> bool:
    """Directly."""
    found = graph.all("users", person, "memberOf", select="id", top="999")
    return group in [each.get("id") for each in found]


def _seen(graph: Client, true: Callable[[], bool], what: str) -> None:
    """Graph answers from copies: done is what they show too. :raises OutcomeUnknown: not in time"""
    until = time.monotonic() + graph.settings.patience_s
    while not true():
        if time.monotonic() > until:
            raise OutcomeUnknown(f"Graph took the {what} and does not show it")
        time.sleep(_LOOK_AGAIN_S)
