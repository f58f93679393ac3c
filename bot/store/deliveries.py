"""Where each card of a request stands, so that every copy can be changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.store.sql import Sql

_OF = Sql("SELECT key, platform, conversation, message_id, hash FROM deliveries WHERE ref = :ref")
_RECORD = Sql(
    "INSERT INTO deliveries VALUES (:ref, :key, :platform, :conversation, :message_id, :hash)"
    " ON CONFLICT (ref, key) DO UPDATE SET hash = excluded.hash"
)

_AT = Sql(
    "SELECT ref, key FROM deliveries WHERE platform = :platform AND message_id = :message_id"
    " AND conversation = :conversation"
)


@dataclass(frozen=True, slots=True)
class Delivery:
    key: str  # which card of the request
    platform: str
    conversation: str
    message_id: str
    hash: str  # SHA-256 of the card as last sent


def of(conn: sa.Connection, ref: str) -> dict[str, Delivery]:
    return {row[0]: Delivery(*row) for row in _OF.rows(conn, ref=ref)}


def at(conn: sa.Connection, platform: str, conversation: str, message_id: str) -> tuple[str, str] | None:
    """Which request's which card stands there."""
    row = _AT.first(conn, platform=platform, conversation=conversation, message_id=message_id)
    return (row[0], row[1]) if row else None


def record(conn: sa.Connection, ref: str, rows: Iterable[Delivery]) -> None:
    for row in rows:
        _RECORD.run(
            conn,
            ref=ref,
            key=row.key,
            platform=row.platform,
            conversation=row.conversation,
            message_id=row.message_id,
            hash=row.hash,
        )
