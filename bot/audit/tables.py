"""The trail's tables, and the triggers that let them only grow.

SQLite. The triggers stop mistakes and ordinary clients; whoever may change the schema can drop
them, and is found by ``verify``.
"""

from __future__ import annotations

from sqlalchemy import Connection

# Columns that repeat the body, in its order, so that filters need not open it. All text.
COLUMNS = ("at", "kind", "request", "actor", "service", "outcome", "action", "subject")

GENESIS = bytes(32)  # what the first event is chained to

_TABLES = (
    """
    CREATE TABLE person_keys (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: words name the key they need
        person TEXT NOT NULL UNIQUE,
        wrapped BLOB NOT NULL                  -- sealed with the master key
    ) STRICT
    """,
    """
    CREATE TABLE words (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        person TEXT NOT NULL,
        person_key INTEGER NOT NULL,           -- no foreign key: it outlives a shredded key
        sealed BLOB NOT NULL,                  -- salt and text, under the person's key
        commitment TEXT NOT NULL,              -- SHA-256 of salt and text, hexadecimal
        digest TEXT NOT NULL                   -- SHA-256 of this row as stored, hexadecimal
    ) STRICT
    """,
    f"""
    CREATE TABLE audit_events (
        seq INTEGER PRIMARY KEY,               -- 1, 2, 3 without a gap
        {" TEXT NOT NULL, ".join(COLUMNS)} TEXT NOT NULL,
        words INTEGER,                         -- id of the words this event quotes
        body BLOB NOT NULL,                    -- the event: the bytes the chain stands over
        hash BLOB NOT NULL                     -- SHA-256 of previous hash, seq (8 bytes), body
    ) STRICT
    """,
    """
    CREATE TABLE audit_head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seq INTEGER NOT NULL,
        hash BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX audit_events_request ON audit_events (request) WHERE request <> ''",
    "CREATE INDEX audit_events_actor ON audit_events (actor)",
    "CREATE INDEX audit_events_subject ON audit_events (subject) WHERE subject <> ''",
)

# INSERT OR REPLACE deletes without firing delete triggers: every table refuses a key it has already.
# An event moves the head (_ADVANCE), and the head refuses every number but the next: so do events.
_TRIGGERS = (
    ("audit_events", "UPDATE", "", "audit events are never changed"),
    ("audit_events", "DELETE", "", "audit events are never deleted"),
    (
        "audit_head",
        "UPDATE",
        "WHEN NEW.one <> 1 OR NOT EXISTS (SELECT 1 FROM audit_events"
        " WHERE seq = OLD.seq + 1 AND seq = NEW.seq AND hash = NEW.hash)",
        "the trail takes the next number and no other, and its head moves only with a new event",
    ),
    ("audit_head", "DELETE", "", "the head of the trail is never deleted"),
    ("audit_head", "INSERT", "WHEN EXISTS (SELECT 1 FROM audit_head)", "the trail has one head"),
    ("words", "UPDATE", "", "recorded words are never changed"),
    ("words", "DELETE", "", "recorded words are never deleted: shred the key of the person"),
    ("words", "INSERT", "WHEN EXISTS (SELECT 1 FROM words WHERE id = NEW.id)", "recorded words stay"),
    ("person_keys", "UPDATE", "", "a person's key is never changed, only shredded"),
    (
        "person_keys",
        "INSERT",
        "WHEN EXISTS (SELECT 1 FROM person_keys WHERE id = NEW.id OR person = NEW.person)",
        "a person has one key",
    ),
)

_ADVANCE = """
    CREATE TRIGGER audit_events_advance AFTER INSERT ON audit_events
    BEGIN UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash; END
"""


def create(conn: Connection) -> None:
    """Make tables, triggers and the head of an empty trail; called by one numbered migration."""
    for statement in _TABLES:
        conn.exec_driver_sql(statement)
    for table, event, when, message in _TRIGGERS:
        conn.exec_driver_sql(
            f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} {when} "
            f"BEGIN SELECT RAISE(ABORT, '{message.replace(chr(39), chr(39) * 2)}'); END"
        )
    conn.exec_driver_sql(_ADVANCE)
    conn.exec_driver_sql("INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, ?)", (GENESIS,))
