"""Where people are, as a platform told it last: plain rows."""

from __future__ import annotations

import time
from collections import OrderedDict

import sqlalchemy as sa

from bot.chat.places import Place
from bot.store.database import Database
from bot.store.sql import Row, Sql

_KEEP = Sql(
    "INSERT INTO places VALUES (:p, :c, :a, :u, :s, :t, :d, :seen)"
    " ON CONFLICT (platform, conversation, account) DO UPDATE SET user = excluded.user,"
    " service_url = excluded.service_url, tenant = excluded.tenant, direct = excluded.direct,"
    " seen = excluded.seen"
)
_COLUMNS = "conversation, account, user, service_url, tenant, direct"
_OF = Sql(
    f"SELECT {_COLUMNS} FROM places WHERE platform = :p AND account = :a"  # noqa: S608  constants only
    " ORDER BY direct DESC, seen DESC LIMIT 1"
)
_AT = Sql(
    f"SELECT {_COLUMNS} FROM places WHERE platform = :p AND conversation = :c"  # noqa: S608  constants only
    " ORDER BY seen DESC LIMIT 1"
)
_FORGET = Sql("DELETE FROM places WHERE platform = :p AND conversation = :c")
_REMEMBERED = 20_000


class StoredPlaces:
    """Of one platform. One process writes, so what it has kept need not be kept again."""

    def __init__(self, database: Database, platform: str) -> None:
        self._database = database
        self._platform = platform
        self._kept: OrderedDict[tuple[str, str], Place] = OrderedDict()  # as they stand in the database

    def of(self, account: str) -> Place | None:
        with self._database.read() as conn:
            row = _OF.first(conn, p=self._platform, a=account)
        return _place(row) if row else None

    def at(self, conversation: str) -> Place | None:
        with self._database.read() as conn:
            row = _AT.first(conn, p=self._platform, c=conversation)
        return _place(row) if row else None

    async def keep(self, place: Place) -> None:
        key = (place.conversation, place.account)
        if self._kept.get(key) == place:
            return

        def work(conn: sa.Connection) -> None:
            _KEEP.run(
                conn,
                p=self._platform,
                c=place.conversation,
                a=place.account,
                u=place.user,
                s=place.service_url,
                t=place.tenant,
                d=int(place.direct),
                seen=time.time_ns(),
            )

        await self._database.write(work)
        self._kept[key] = place
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)

    async def forget(self, conversation: str) -> None:
        await self._database.write(lambda conn: _FORGET.run(conn, p=self._platform, c=conversation))
        for key in [key for key in self._kept if key[0] == conversation]:
            del self._kept[key]


def _place(row: Row) -> Place:
    conversation, account, user, service_url, tenant, direct = row
    return Place(conversation, account, user, service_url, tenant, bool(direct))
