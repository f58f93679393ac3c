"""What the back office lets people order, and who answers for the money that pays for somebody."""

from __future__ import annotations

from integrations.backoffice.client import Client
from integrations.backoffice.fields import Fields
from integrations.work import Item


class BackofficeEquipment:
    """The port ``Equipment``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def items(self) -> list[Item]:
        """All of them, or none where one is odd: a list with a gap would look whole."""
        seen: set[str] = set()
        return [_item(each, seen) for each in (await self._client.equipment()).entries("items")]

    async def budget_owner(self, person_id: str) -> str:
        _, answer = await self._client.of_employee(person_id, "budget")
        return answer.mail_or_nobody("owner")


def _item(said: Fields, seen: set[str]) -> Item:
    key, currency = said.id(), said.currency()
    said.require_new(key, seen)
    return Item(
        key=key,
        name=said.text("name"),
        price=said.amount("price", currency),
        currency=currency,
        kind=said.text_or_empty("kind"),
        aliases=said.texts("aliases"),
    )
