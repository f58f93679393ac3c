"""The write log: one row for every write that reached the company, in the transaction of the change.

It stands in the company's own file and knows nothing of whoever asked, so it counts effects
independently: an operation that took effect twice has two rows with ``changed``. A write that was
refused (unknown person, disabled account, weak password) reached nothing and has no row.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.company.client import Client


@dataclass(frozen=True, slots=True)
class Write:
    """One write, as the company saw it."""

    at: datetime  # UTC
    op: str  # the operation id the caller gave
    kind: str  # "group.add", "account.reset", "leave.enter", "ticket.open", ...
    person_id: str
    group_id: str | None
    changed: bool  # False where everything was already as asked


def record(
    connection: sqlite3.Connection, op: str, kind: str, person_id: str, group_id: str | None, changed: bool
) -> None:
    """Add a row to the open transaction."""
    connection.execute(
        "INSERT INTO write_log (at, op, kind, person_id, group_id, changed) VALUES (?, ?, ?, ?, ?, ?)",
        (datetime.now(UTC).isoformat(), _storable(op), kind, person_id, group_id, int(changed)),
    )


async def writes(client: Client, op: str | None = None) -> list[Write]:
    """All writes in their order, or those of one operation."""
    rows = await client.read(
        "SELECT at, op, kind, person_id, group_id, changed FROM write_log"
        " WHERE ?1 IS NULL OR op = ?1 ORDER BY id",
        (None if op is None else _storable(op),),
    )
    return [
        Write(datetime.fromisoformat(at), op, kind, person_id, group_id, bool(changed))
        for at, op, kind, person_id, group_id, changed in rows
    ]


def _storable(op: str) -> str:
    return op.encode("utf-8", "backslashreplace").decode()
