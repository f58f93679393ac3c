"""Groups of the company: who is in them, and joining and leaving.

The protected group and every group inside it are out of reach: the service that writes here has no
right to them, as in a directory where only their own admins have it.
"""

from __future__ import annotations

import sqlite3

from integrations.company.client import Client
from integrations.company.directory import PERSON, as_person
from integrations.company.write_log import record
from integrations.contract import Group, PermissionRefused, Person, UnknownGroup, UnknownPerson
from integrations.text import known_id

_MEMBERS = f"""
    WITH RECURSIVE within(id) AS (
        SELECT ?
        UNION
        SELECT child_id FROM nesting JOIN within ON nesting.parent_id = within.id
    )
    {PERSON} WHERE p.id IN (SELECT person_id FROM membership JOIN within ON membership.group_id = within.id)
    ORDER BY p.folded_name, p.id
"""  # noqa: S608 -- no value is put into it
_PROTECTED = """
    WITH RECURSIVE within(id) AS (
        SELECT value FROM setting WHERE key = 'protected_group'
        UNION
        SELECT child_id FROM nesting JOIN within ON nesting.parent_id = within.id
    )
    SELECT 1 FROM within WHERE id = ?
"""


class CompanyGroups:
    """The port ``Groups`` of the embedded company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def group(self, group_id: str) -> Group:
        rows = await self._client.read(
            'SELECT id, name, description FROM "group" WHERE id = ?', (known_id(group_id),)
        )
        if not rows:
            raise UnknownGroup("no group has this id")
        return Group(*rows[0])

    async def members(self, group_id: str) -> list[Person]:
        group = await self.group(group_id)
        return [as_person(row) for row in await self._client.read(_MEMBERS, (group.id,))]

    async def has(self, group_id: str, person_id: str) -> bool:
        group, person = known_id(group_id), known_id(person_id)
        rows = await self._client.read(
            """SELECT EXISTS (SELECT 1 FROM "group" WHERE id = ?1),
                      EXISTS (SELECT 1 FROM person WHERE id = ?2),
                      EXISTS (SELECT 1 FROM membership WHERE group_id = ?1 AND person_id = ?2)""",
            (group, person),
        )
        known_group, known_person, member = rows[0]
        _require(known_group, known_person)
        return bool(member)

    async def add(self, group_id: str, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused: for a protected group"""
        return await self._change(
            "INSERT OR IGNORE INTO membership (group_id, person_id) VALUES (?, ?)",
            "group.add", group_id, person_id, op,
        )  # fmt: skip

    async def remove(self, group_id: str, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused: for a protected group"""
        return await self._change(
            "DELETE FROM membership WHERE group_id = ? AND person_id = ?",
            "group.remove", group_id, person_id, op,
        )  # fmt: skip

    async def _change(self, sql: str, kind: str, group_id: str, person_id: str, op: str) -> bool:
        group, person = known_id(group_id), known_id(person_id)

        def work(connection: sqlite3.Connection) -> bool:
            _require(
                connection.execute('SELECT 1 FROM "group" WHERE id = ?', (group,)).fetchone(),
                connection.execute("SELECT 1 FROM person WHERE id = ?", (person,)).fetchone(),
            )
            if connection.execute(_PROTECTED, (group,)).fetchone():
                raise PermissionRefused("protected groups are changed by their own admins only")
            changed = connection.execute(sql, (group, person)).rowcount == 1
            record(connection, op, kind, person_id, group_id, changed)
            return changed

        return await self._client.write(work)


def _require(group: object, person: object) -> None:
    if not group:
        raise UnknownGroup("no group has this id")
    if not person:
        raise UnknownPerson("nobody has this id")
