"""The sealed place of one request's new credential, as its steps see it."""

from __future__ import annotations

from bot.store.database import Database
from bot.store.sealed import Seals
from integrations.contract import Secret


class SealedVault:
    """Read afresh each time: after a crash what lies there is what was kept, not what was meant."""

    def __init__(self, database: Database, seals: Seals, ref: str) -> None:
        self._database = database
        self._seals = seals
        self._ref = ref

    async def secret(self) -> Secret | None:
        with self._database.read() as conn:
            return self._seals.open(conn, self._ref)

    async def keep(self, secret: Secret) -> None:
        await self._database.write(lambda conn: self._seals.replace(conn, self._ref, secret))
