"""The back office as one system: its connection, and the two ports that it fills."""

from __future__ import annotations

from integrations.backoffice.client import NAME, BackofficeSettings, Client
from integrations.backoffice.equipment import BackofficeEquipment
from integrations.backoffice.expenses import BackofficeExpenses
from integrations.contract import Directory


class Backoffice:
    """Nothing is connected until it is asked something."""

    def __init__(self, settings: BackofficeSettings, directory: Directory) -> None:
        """:raises NotConfigured:"""
        self._client = Client(settings, directory)
        self.equipment = BackofficeEquipment(self._client)
        self.expenses = BackofficeExpenses(self._client)

    async def check(self) -> str:
        """:raises ConnectorError: with what to do"""
        items = await self.equipment.items()
        return f"{NAME}: {len(items)} things to order"

    async def close(self) -> None:
        await self._client.close()
