"""Reports of expenses in the back office: to each person their own."""

from __future__ import annotations

from datetime import date

from integrations.backoffice.client import Client
from integrations.backoffice.fields import Fields
from integrations.contract import Person
from integrations.work import Expense


class BackofficeExpenses:
    """The port ``Expenses``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def expenses(self, person_id: str) -> list[Expense]:
        """What is not handed in yet is the newest of all."""
        person, answer = await self._client.of_employee(person_id, "expenses")
        seen: set[str] = set()
        found = [_expense(each, person, seen) for each in answer.entries("expenses")]
        return sorted(found, key=lambda each: (each.submitted_on or date.max, each.id), reverse=True)


def _expense(said: Fields, person: Person, seen: set[str]) -> Expense:
    said.require_of(person)
    number, currency = said.id(), said.currency()
    said.require_new(number, seen)
    return Expense(
        id=number,
        title=said.text("title"),
        amount=said.amount("amount", currency),
        currency=currency,
        status=said.text("status"),
        submitted_on=said.day("submitted_on"),
        paid_on=said.day("paid_on"),
    )
