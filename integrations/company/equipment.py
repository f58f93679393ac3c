"""What the company lets people order, and who answers for the money of each department."""

from __future__ import annotations

import json
from decimal import Decimal

from integrations.company.client import Client
from integrations.contract import UnknownPerson
from integrations.text import known_id
from integrations.work import Item


class CompanyEquipment:
    """The port ``Equipment`` of the embedded company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def items(self) -> list[Item]:
        """In the order in which they were entered."""
        rows = await self._client.read(
            "SELECT key, name, price, currency, kind, aliases FROM item ORDER BY rowid"
        )
        return [
            Item(key, name, Decimal(price), currency, kind, tuple(json.loads(aliases)))
            for key, name, price, currency, kind, aliases in rows
        ]

    async def budget_owner(self, person_id: str) -> str:
        """As it is recorded: whether an owner who has left may still decide is not judged here."""
        rows = await self._client.read(
            """SELECT owner.mail
                 FROM person
                 LEFT JOIN budget ON budget.department = person.department
                 LEFT JOIN person owner ON owner.id = budget.owner_id
                WHERE person.id = ?""",
            (known_id(person_id),),
        )
        if not rows:
            raise UnknownPerson("nobody has this id")
        return rows[0][0] or ""
