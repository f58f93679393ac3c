"""What the company changes by itself, past the help desk: people leave, get other managers, get locked.

Used by demonstrations and tests to change the facts under a running request. None of this comes
through a port of the contract, so none of it stands in the write log.
"""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.company.client import Client
from integrations.contract import Status, UnknownPerson


class HumanResources:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def set_status(self, person_id: str, status: Status) -> None:
        await self._set("UPDATE person SET status = ? WHERE id = ?", status.value, person_id)

    async def set_manager(self, person_id: str, manager_id: str | None) -> None:
        await self._set("UPDATE person SET manager_id = ? WHERE id = ?", manager_id, person_id)

    async def set_privileged(self, person_id: str, privileged: bool) -> None:
        await self._set("UPDATE person SET privileged = ? WHERE id = ?", int(privileged), person_id)

    async def lock(self, person_id: str) -> None:
        now = datetime.now(UTC).isoformat()
        await self._set("UPDATE account SET locked_at = ? WHERE person_id = ?", now, person_id)

    async def join(self, group_id: str, person_id: str) -> None:
        """Any group, protected ones included."""
        await self._do(
            "INSERT OR IGNORE INTO membership (group_id, person_id) VALUES (?, ?)", group_id, person_id
        )

    async def leave(self, group_id: str, person_id: str) -> None:
        await self._do("DELETE FROM membership WHERE group_id = ? AND person_id = ?", group_id, person_id)

    async def _set(self, sql: str, value: object, person_id: str) -> None:
        if not await self._do(sql, value, person_id):
            raise UnknownPerson("nobody has this id")

    async def _do(self, sql: str, *values: object) -> int:
        return await self._client.write(lambda connection: connection.execute(sql, values).rowcount)
