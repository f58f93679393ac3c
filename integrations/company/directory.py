"""Who is who at the company: people, their managers, their reports, their groups."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.company.client import Client, Row
from integrations.contract import AmbiguousName, Kind, Person, Status, UnknownPerson
from integrations.text import LAST_CHARACTER, exact, folded, known_id, words

MOST = 100  # people in one answer of a search

# Every group that the person of the row is in, directly or through other groups. UNION, not UNION
# ALL: a group met before is not followed again, so groups that contain each other end.
_GROUPS_OF = """
    WITH RECURSIVE inside(id) AS (
        SELECT group_id FROM membership WHERE person_id = {person}
        UNION
        SELECT parent_id FROM nesting JOIN inside ON nesting.child_id = inside.id
    )
    SELECT {column} FROM inside
"""
# Privileged by flag, or by a protected group at any depth.
PERSON = f"""
    SELECT p.id, p.account, p.mail, p.name, p.title, p.department, p.kind, p.status, p.manager_id,
           p.privileged OR EXISTS (
               {_GROUPS_OF.format(person="p.id", column="1")}
               WHERE id = (SELECT value FROM setting WHERE key = 'protected_group')
           ),
           p.time_zone
      FROM person p
"""  # noqa: S608 -- no value is put into it


def as_person(row: Row) -> Person:
    """One row of ``PERSON``."""
    person_id, account, mail, name, title, department, kind, status, manager_id, privileged, time_zone = row
    return Person(
        id=person_id,
        account=account,
        mail=mail,
        name=name,
        title=title,
        department=department,
        kind=Kind(kind),
        status=Status(status),
        manager_id=manager_id,
        privileged=bool(privileged),
        time_zone=time_zone,
    )


class CompanyDirectory:
    """The port ``Directory`` of the embedded company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def person(self, person_id: str) -> Person:
        return await self._one("p.id = ?", known_id(person_id))

    async def by_mail(self, mail: str) -> Person:
        return await self._one("p.mail = ?", exact(mail))

    async def by_account(self, account: str) -> Person:
        return await self._one("p.account = ?", exact(account))

    async def by_name(self, name: str) -> Person:
        """The one with this full name; else the only one whose name has all these words."""
        text = folded(name) or ""
        wanted = words(text)
        if not wanted:
            raise UnknownPerson("nobody has this name")
        found = await self._people("p.folded_name = ?", (text,)) or await self._with_words(wanted)
        if not found:
            raise UnknownPerson("nobody has this name")
        if len(found) > 1:
            raise AmbiguousName(name, found)
        return found[0]

    async def search(self, text: str, limit: int = 10) -> list[Person]:
        """Those present come first; a text with several words narrows the search."""
        wanted = (folded(text) or "").split()
        limit = max(0, min(limit, MOST))
        if not limit or (text and not wanted):
            return []
        word = "p.id IN (SELECT person_id FROM person_word WHERE word >= ? AND word < ?)"
        where = " AND ".join([word] * len(wanted)) or "1 = 1"
        bounds = [bound for word in wanted for bound in (word, word + LAST_CHARACTER)]
        present_first = "p.status NOT IN ('active', 'on_leave'), p.folded_name, p.id"
        return await self._people(f"{where} ORDER BY {present_first} LIMIT {limit}", bounds)

    async def managers(self, person_id: str) -> list[Person]:
        """Read at one moment, so that a change in between cannot make up a chain that never was."""
        known = known_id(person_id)
        upwards = await self._people(
            """p.id IN (
                WITH RECURSIVE up(id) AS (
                    SELECT ?
                    UNION
                    SELECT person.manager_id FROM person JOIN up ON person.id = up.id
                )
                SELECT id FROM up
            )""",
            (known,),
        )
        waiting = {person.id: person for person in upwards}
        step = waiting.pop(known or "", None)
        if step is None:
            raise UnknownPerson("nobody has this id")
        chain: list[Person] = []
        while step := waiting.pop(step.manager_id or "", None):
            chain.append(step)
        return chain

    async def reports(self, person_id: str) -> list[Person]:
        """In the order of their names; who is their own manager by mistake is not their own report."""
        person = await self.person(person_id)
        where = "p.manager_id = ?1 AND p.id <> ?1 ORDER BY p.folded_name, p.id"
        return await self._people(where, (person.id,))

    async def groups_of(self, person_id: str) -> frozenset[str]:
        person = await self.person(person_id)
        rows = await self._client.read(_GROUPS_OF.format(person="?", column="id"), (person.id,))
        return frozenset(row[0] for row in rows)

    async def _one(self, where: str, value: str | None) -> Person:
        rows = await self._client.read(f"{PERSON} WHERE {where}", (value,)) if value else []
        if not rows:
            raise UnknownPerson("nobody has this id, mail or account")
        return as_person(rows[0])

    async def _people(self, where: str, values: Sequence[object]) -> list[Person]:
        return [as_person(row) for row in await self._client.read(f"{PERSON} WHERE {where}", values)]

    async def _with_words(self, wanted: list[str]) -> list[Person]:
        where = " AND ".join(
            "p.id IN (SELECT person_id FROM person_word WHERE word = ? AND of_name)" for _ in wanted
        )
        return await self._people(f"{where} ORDER BY p.folded_name, p.id", wanted)
