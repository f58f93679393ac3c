"""Everything that came in, once: stored before it is acknowledged, emptied after the replies went out."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.chat.inbound import Inbound
from bot.store.keys import Box, KeyFile


class Inbox:
    """Rows are sealed: a message stands in the clear nowhere in the database."""

    def __init__(self, keys: KeyFile) -> None:
        self._box: Box = keys.box("inbox")

    def put(self, conn: sa.Connection, inbound: Inbound) -> bool:
        """False: this platform delivered this event before."""
        done = conn.execute(
            sa.text(
                "INSERT INTO inbox VALUES (:platform, :id, :account, :kind, :at, :body) ON CONFLICT DO NOTHING"
            ),
            {
                "platform": inbound.platform,
                "id": inbound.id,
                "account": inbound.account,
                "kind": inbound.kind.value,
                "at": inbound.at.isoformat(timespec="microseconds"),
                "body": self._box.seal(
                    inbound.model_dump_json().encode(), _context(inbound.platform, inbound.id)
                ),
            },
        )
        return done.rowcount == 1

    def done(self, conn: sa.Connection, inbound: Inbound) -> None:
        conn.execute(
            sa.text("UPDATE inbox SET body = NULL WHERE platform = :platform AND id = :id"),
            {"platform": inbound.platform, "id": inbound.id},
        )

    def waiting(self, conn: sa.Connection) -> list[Inbound]:
        """What a crash left unanswered, the oldest first."""
        rows = conn.execute(
            sa.text("SELECT platform, id, body FROM inbox WHERE body IS NOT NULL ORDER BY at")
        )
        return [self._open(row[0], row[1], row[2]) for row in rows]

    def _open(self, platform: str, inbound_id: str, body: bytes) -> Inbound:
        """:raises Unsealable: the row was changed, or the key file is another one"""
        return Inbound.model_validate_json(self._box.unseal(body, _context(platform, inbound_id)))


def lately(conn: sa.Connection, inbound: Inbound, since: datetime) -> int:
    """How many messages of this account were put since then, this one included."""
    row = conn.execute(
        sa.text(
            "SELECT count(*) FROM inbox WHERE platform = :platform AND account = :account"
            " AND kind = :kind AND at > :since"
        ),
        {
            "platform": inbound.platform,
            "account": inbound.account,
            "kind": inbound.kind.value,
            "since": since.isoformat(timespec="microseconds"),
        },
    )
    return int(row.scalar_one())


def forget(conn: sa.Connection, before: datetime) -> None:
    """Drop ids that no platform delivers again (Slack retries for 5 minutes)."""
    conn.execute(
        sa.text("DELETE FROM inbox WHERE body IS NULL AND at < :before"),
        {"before": before.isoformat(timespec="microseconds")},
    )


def _context(platform: str, inbound_id: str) -> bytes:
    return f"{platform} {inbound_id}".encode()
