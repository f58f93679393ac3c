"""Who is who in Entra. Every call reads afresh; people are keyed by their object id.

Somebody who left is a deleted user, whom Entra keeps for thirty days. Privileged is whoever holds a directory
role, is in a group that can hold one, or is in a protected group, at any depth.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from integrations.contract import AmbiguousName, Kind, Person, Status, UnknownGroup, UnknownPerson
from integrations.entra.client import Client, Json, NotThere
from integrations.text import exact, folded, words

MOST = 1000  # people in one answer of a search
_BELIEVED_S = 60.0  # how long a group that was seen is taken to be there
_CHAIN = 50  # managers above one person
_SELECT = (
    "id,displayName,mail,userPrincipalName,jobTitle,department,accountEnabled,userType,employeeType,"
    "onPremisesSyncEnabled,lastPasswordChangeDateTime,passwordProfile"
)
_ABOVE = "manager($select=id)"
_GROUP, _ROLE = "#microsoft.graph.group", "#microsoft.graph.directoryRole"


class EntraDirectory:
    """The port ``Directory``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def person(self, person_id: str) -> Person:
        return await self._client.run(lambda graph: Look(graph).by_id(person_id))

    async def by_mail(self, mail: str) -> Person:
        return await self._client.run(lambda graph: Look(graph).by_value("mail", mail))

    async def by_account(self, account: str) -> Person:
        return await self._client.run(lambda graph: Look(graph).by_value("userPrincipalName", account))

    async def by_name(self, name: str) -> Person:
        """The one with this full name; else the only one whose name has all these words."""
        return await self._client.run(lambda graph: Look(graph).by_name(name))

    async def search(self, text: str, limit: int = 10) -> list[Person]:
        return await self._client.run(lambda graph: Look(graph).search(text, limit))

    async def managers(self, person_id: str) -> list[Person]:
        return await self._client.run(lambda graph: Look(graph).managers(person_id))

    async def reports(self, person_id: str) -> list[Person]:
        return await self._client.run(lambda graph: Look(graph).reports(person_id))

    async def groups_of(self, person_id: str) -> frozenset[str]:
        def work(graph: Client) -> frozenset[str]:
            look = Look(graph)
            found = look.above(str(look.user(person_id)["id"]))
            return frozenset(look.name_of(str(each["id"])) for each in found if _is(each, _GROUP))

        return await self._client.run(work)


class Look:
    """Looking people up at one moment: what it has read once, it does not read again."""

    def __init__(self, graph: Client) -> None:
        self._graph = graph
        names = graph.settings.names or {}
        self._id_of = names
        self._name_of = {group_id: name for name, group_id in names.items()}
        self._above: dict[str, list[Json]] = {}
        self._protected: set[str] | None = None
        self._away: set[str] | None = None

    def by_id(self, person_id: str) -> Person:
        known = as_guid(person_id)
        if known is None:
            raise UnknownPerson("nobody has this id")
        try:
            return self.one(self.user(known))
        except UnknownPerson:
            return self._gone(known)

    def user(self, person_id: str) -> Json:
        """:raises UnknownPerson:"""
        known = as_guid(person_id)
        if known is None:
            raise UnknownPerson("nobody has this id")
        try:
            return self._graph.get("users", known, select=_SELECT, expand=_ABOVE)
        except NotThere as error:
            raise UnknownPerson("nobody has this id") from error

    def gone(self, person_id: str) -> Json:
        """A deleted user. :raises UnknownPerson:"""
        known = as_guid(person_id)
        try:
            found = self._graph.get("directory", "deletedItems", known) if known else {}
        except NotThere as error:
            raise UnknownPerson("nobody has this id") from error
        if "userPrincipalName" not in found:
            raise UnknownPerson("nobody has this id")
        return found

    def by_value(self, field: str, typed: str) -> Person:
        """Exactly this value, upper and lower case alike."""
        wanted = exact(typed)
        if not wanted:
            raise UnknownPerson("nobody has this mail or account")
        quoted = wanted.replace("'", "''")
        found = self._graph.all("users", filter=f"{field} eq '{quoted}'", select=_SELECT, expand=_ABOVE)
        same = [each for each in found if str(each.get(field) or "").lower() == wanted]
        if len(same) != 1:
            raise UnknownPerson("nobody has this mail or account, or several have")
        return self.one(same[0])

    def by_name(self, typed: str) -> Person:
        wanted = words(folded(typed) or "")
        if not wanted:
            raise UnknownPerson("nobody has this name")
        found = [each for each in self._with_words(wanted) if set(wanted) <= set(_name_words(each))]
        full = [each for each in found if folded(_name(each)) == folded(typed)]
        people = self.many(full or found)
        if not people:
            raise UnknownPerson("nobody has this name")
        if len(people) > 1:
            raise AmbiguousName(typed, people)
        return people[0]

    def search(self, typed: str, limit: int) -> list[Person]:
        wanted = (folded(typed) or "").split()
        limit = max(0, min(limit, MOST))
        if not limit or (typed and not wanted):
            return []
        if wanted:
            found = self._with_words(wanted)
        else:
            found = self._graph.all("users", select=_SELECT, expand=_ABOVE, top="999", most=MOST)
        fitting = [each for each in found if all(_begins(each, word) for word in wanted)]
        fitting.sort(key=lambda each: (not each.get("accountEnabled"), folded(_name(each)) or "", each["id"]))
        return self.many(fitting[:limit])

    def managers(self, person_id: str) -> list[Person]:
        step = self.user(person_id)
        met, chain = {step["id"]}, list[Person]()
        while (above := _manager(step)) and above not in met and len(chain) < _CHAIN:
            met.add(above)
            try:
                step = self.user(above)
            except UnknownPerson:
                break  # deleted, and the reference not yet
            chain.append(self.one(step))
        return chain

    def reports(self, person_id: str) -> list[Person]:
        me = str(self.user(person_id)["id"])
        found = self._graph.all("users", me, "directReports", "microsoft.graph.user", select=_SELECT)
        return self.many([{**each, "manager": {"id": me}} for each in found if each["id"] != me])

    def one(self, user: Json) -> Person:
        above = self.above(str(user["id"]))
        ids = {str(each["id"]) for each in above}
        privileged = any(
            _is(each, _ROLE) or each.get("isAssignableToRole") is True for each in above
        ) or bool(ids & self._ids(self._graph.settings.protected))
        away = bool(ids & self._ids([self._graph.settings.on_leave]))
        return self._person(user, privileged=privileged, away=away)

    def many(self, users: Iterable[Json]) -> list[Person]:
        """Who is privileged or away is read once for all of them."""
        listed = list(users)
        if len(listed) <= 3:
            return [self.one(each) for each in listed]
        protected, away = self._protected_people(), self._people_away()
        return [
            self._person(each, privileged=each["id"] in protected, away=each["id"] in away) for each in listed
        ]

    def above(self, person_id: str) -> list[Json]:
        """Groups and roles, at any depth."""
        if person_id not in self._above:
            self._above[person_id] = self._graph.all(
                "users", person_id, "transitiveMemberOf", select="id,isAssignableToRole", top="999"
            )
        return self._above[person_id]

    def group_id(self, group: str) -> str:
        """:raises UnknownGroup:"""
        known = as_guid(self._id_of.get(group, group))
        if known is None:
            raise UnknownGroup("no group has this id")
        return known

    def name_of(self, group_id: str) -> str:
        """As the rules call it, else the immutable id."""
        return self._name_of.get(group_id, group_id)

    def inside(self, group_id: str) -> list[Json]:
        """Everybody in a group, at any depth. :raises UnknownGroup:"""
        try:
            return self._graph.all(
                "groups", group_id, "transitiveMembers", "microsoft.graph.user", select=_SELECT, top="999"
            )
        except NotThere as error:
            raise UnknownGroup("no group has this id") from error

    def with_managers(self, users: Sequence[Json]) -> list[Person]:
        """Lists of members come without their managers."""
        return self.many([self.user(str(each["id"])) for each in users])

    def _gone(self, person_id: str) -> Person:
        return self._person(self.gone(person_id), privileged=False, away=False, left=True)

    def _ids(self, groups: Iterable[str]) -> set[str]:
        """Of groups that are there: one that is not would protect nobody. :raises UnknownGroup:"""
        ids = {self.group_id(each) for each in groups if each}
        for group in ids:
            if time.monotonic() - self._graph.group_seen.get(group, float("-inf")) > _BELIEVED_S:
                self.existing(group)
        return ids

    def existing(self, group: str) -> str:
        """:raises UnknownGroup:"""
        try:
            self._graph.get("groups", group, select="id")
        except NotThere as error:
            raise UnknownGroup("no group has this id") from error
        self._graph.group_seen[group] = time.monotonic()
        return group

    def _protected_people(self) -> set[str]:
        if self._protected is None:
            found = {
                str(each["id"])
                for group in self._ids(self._graph.settings.protected)
                for each in self.inside(group)
            }
            roles = self._graph.all("directoryRoles", select="id")
            for role in roles:
                members = self._graph.all("directoryRoles", str(role["id"]), "members", select="id")
                found |= {str(each["id"]) for each in members}
            groups = self._graph.all("groups", filter="isAssignableToRole eq true", select="id")
            found |= {str(each["id"]) for group in groups for each in self.inside(str(group["id"]))}
            self._protected = found
        return self._protected

    def _people_away(self) -> set[str]:
        if self._away is None:
            groups = self._ids([self._graph.settings.on_leave])
            self._away = {str(each["id"]) for group in groups for each in self.inside(group)}
        return self._away

    def _with_words(self, wanted: Sequence[str]) -> list[Json]:
        """Wider than asked: Graph's index narrows, the very letters decide here."""
        terms = []
        for word in wanted:
            quoted = word.replace("\\", "\\\\").replace('"', '\\"')
            fields = (f'"{name}:{quoted}"' for name in ("displayName", "mail", "userPrincipalName"))
            terms.append("(" + " OR ".join(fields) + ")")
        asked = " AND ".join(terms)
        return self._graph.all(
            "users", index=True, search=asked, select=_SELECT, expand=_ABOVE, count="true", top="999"
        )

    def _person(self, user: Json, *, privileged: bool, away: bool, left: bool = False) -> Person:
        return Person(
            id=str(user["id"]),
            account=str(user.get("userPrincipalName") or ""),
            mail=str(user.get("mail") or ""),
            name=_name(user),
            title=str(user.get("jobTitle") or ""),
            department=str(user.get("department") or ""),
            kind=_kind(user),
            status=_status(user, away=away, left=left),
            manager_id=_manager(user),
            privileged=privileged,
            time_zone=self._graph.settings.time_zone,
        )


def as_guid(text: str) -> str | None:
    """None where it can be nobody's."""
    if len(text) != 36 or not text.isascii():
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _kind(user: Json) -> Kind:
    stated = str(user.get("employeeType") or "").lower()
    if user.get("userType") == "Guest" or stated == "contractor":
        return Kind.CONTRACTOR
    return Kind.SERVICE if stated == "service" else Kind.EMPLOYEE


def _status(user: Json, *, away: bool, left: bool) -> Status:
    if left:
        return Status.LEFT
    if user.get("accountEnabled") is not True:
        return Status.DISABLED
    return Status.ON_LEAVE if away else Status.ACTIVE


def _manager(user: Json) -> str | None:
    above: Any = user.get("manager")
    return str(above["id"]) if isinstance(above, dict) and above.get("id") != user.get("id") else None


def _is(found: Json, kind: str) -> bool:
    return found.get("@odata.type") == kind


def _name(user: Json) -> str:
    return str(user.get("displayName") or "")


def _name_words(user: Json) -> list[str]:
    return words(folded(_name(user)) or "")


def _begins(user: Json, word: str) -> bool:
    others = (str(user.get(field) or "").lower() for field in ("mail", "userPrincipalName"))
    return any(each.startswith(word) for each in (*_name_words(user), *others))
