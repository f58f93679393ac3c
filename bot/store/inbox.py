"""Everything that came in, once: stored before it is acknowledged, emptied after the replies went out."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog

from bot.chat.inbound import Inbound
from bot.store.keys import Box, KeyFile, Unsealable
from bot.store.sql import Sql

_PUT = Sql("INSERT INTO inbox VALUES (:platform, :id, :account, :kind, :at, :body) ON CONFLICT DO NOTHING")
_DONE = Sql("UPDATE inbox SET body = NULL WHERE platform = :platform AND id = :id")
_WAITING = Sql("SELECT platform, id, body FROM inbox WHERE body IS NOT NULL AND at <= :before ORDER BY at")
_LATELY = Sql(
    "SELECT count(*) FROM inbox"
    " WHERE platform = :platform AND account = :account AND kind = :kind AND at > :since"
)
_LAST = Sql("SELECT max(at) FROM inbox WHERE platform = :platform")
_FORGET = Sql("DELETE FROM inbox WHERE body IS NULL AND at < :before")

log = structlog.get_logger()


class Inbox:
    """Rows are sealed: a message stands in the clear nowhere in the database."""

    def __init__(self, keys: KeyFile) -> None:
        self._box: Box = keys.box("inbox")

    def put(self, conn: sa.Connection, inbound: Inbound) -> bool:
        """False: this platform delivered this event before."""
        written = _PUT.run(
            conn,
            platform=inbound.platform,
            id=inbound.id,
            account=inbound.account,
            kind=inbound.kind.value,
            at=inbound.at.isoformat(timespec="microseconds"),
            body=self._box.seal(inbound.model_dump_json().encode(), _context(inbound.platform, inbound.id)),
        )
        return written == 1

    def done(self, conn: sa.Connection, inbound: Inbound) -> None:
        _DONE.run(conn, platform=inbound.platform, id=inbound.id)

    def waiting(self, conn: sa.Connection, before: datetime) -> list[Inbound]:
        """What came in until then and was not answered, the oldest first."""
        rows = _WAITING.rows(conn, before=before.isoformat(timespec="microseconds"))
        return [inbound for row in rows if (inbound := self._open(*row))]

    def _open(self, platform: str, inbound_id: str, body: bytes) -> Inbound | None:
        """None: the row was changed, or the key file is another one."""
        try:
            return Inbound.model_validate_json(self._box.unseal(body, _context(platform, inbound_id)))
        except Unsealable as error:
            log.error("inbox.unreadable", platform=platform, inbound=inbound_id, reason=str(error))
            return None


def lately(conn: sa.Connection, inbound: Inbound, since: datetime) -> int:
    """How many messages of this account were put since then, this one included."""
    rows = _LATELY.rows(
        conn,
        platform=inbound.platform,
        account=inbound.account,
        kind=inbound.kind.value,
        since=since.isoformat(timespec="microseconds"),
    )
    return int(rows[0][0])


def last(conn: sa.Connection, platform: str) -> str | None:
    """When something came in from this platform last, of what is not forgotten yet; ISO, UTC."""
    row = _LAST.first(conn, platform=platform)
    return row[0] if row else None


def forget(conn: sa.Connection, before: datetime) -> None:
    """Drop ids that no platform delivers again (Slack retries for 5 minutes)."""
    _FORGET.run(conn, before=before.isoformat(timespec="microseconds"))


def _context(platform: str, inbound_id: str) -> bytes:
    return f"{platform} {inbound_id}".encode()
