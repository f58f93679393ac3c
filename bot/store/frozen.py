"""People whose requests are stopped until an admin has looked."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa


def freeze(conn: sa.Connection, person: str, by: str, at: datetime) -> bool:
    """False: the person was frozen before."""
    done = conn.execute(
        sa.text("INSERT INTO frozen VALUES (:person, :by, :at) ON CONFLICT DO NOTHING"),
        {"person": person, "by": by, "at": at.isoformat()},
    )
    return done.rowcount == 1


def unfreeze(conn: sa.Connection, person: str) -> bool:
    return (
        conn.execute(sa.text("DELETE FROM frozen WHERE person = :person"), {"person": person}).rowcount == 1
    )


def is_frozen(conn: sa.Connection, person: str) -> bool:
    return (
        conn.execute(sa.text("SELECT 1 FROM frozen WHERE person = :person"), {"person": person}).first()
        is not None
    )
