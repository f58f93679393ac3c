"""Reports of expenses at the company: to each person their own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from integrations.company.client import Client
from integrations.contract import UnknownPerson
from integrations.text import known_id
from integrations.work import Expense


class CompanyExpenses:
    """The port ``Expenses`` of the embedded company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def expenses(self, person_id: str) -> list[Expense]:
        """What is not handed in yet is the newest of all."""
        rows = await self._client.read(
            """SELECT e.id, e.title, e.amount, e.currency, e.status, e.submitted_on, e.paid_on
                 FROM person LEFT JOIN expense e ON e.person_id = person.id
                WHERE person.id = ?
                ORDER BY e.submitted_on IS NULL DESC, e.submitted_on DESC, e.id DESC""",
            (known_id(person_id),),
        )
        if not rows:
            raise UnknownPerson("nobody has this id")
        return [
            Expense(number, title, Decimal(amount), currency, status, _day(submitted), _day(paid))
            for number, title, amount, currency, status, submitted, paid in rows
            if number is not None
        ]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
