"""BambooHR as one system: its connection, and the port of the contract that it fills."""

from __future__ import annotations

from integrations.bamboohr.client import BambooHrSettings, Client, NotConfigured
from integrations.bamboohr.people import People
from integrations.bamboohr.read import listed
from integrations.bamboohr.time_off import BambooHrTimeOff
from integrations.contract import Directory

__all__ = ["BambooHr", "BambooHrSettings", "NotConfigured"]


class BambooHr:
    """Nothing is connected until it is asked something."""

    def __init__(self, settings: BambooHrSettings, directory: Directory) -> None:
        """:param directory: whose people these are; BambooHR's are joined to them by mail

        :raises NotConfigured:"""
        self._client = Client(settings)
        self._people = People(self._client, directory)
        self.time_off = BambooHrTimeOff(self._client, self._people)

    async def check(self) -> str:
        """:raises ConnectorError: with what to do"""
        people = await self._people.count()
        types = listed(await self._client.get("meta", "time_off", "types"), "timeOffTypes")
        return f"BambooHR: {people} people, {len(types)} kinds of time off, as {self._client.company}"

    async def close(self) -> None:
        await self._client.close()
