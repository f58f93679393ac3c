"""The schema, as numbered steps applied once each. A step that has landed is never edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

_SPINE = """
CREATE TABLE inbox (
    platform TEXT NOT NULL,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    body BLOB,                          -- sealed; NULL once the replies went out
    PRIMARY KEY (platform, id)
) WITHOUT ROWID;
CREATE INDEX inbox_by_account ON inbox (platform, account, at);
CREATE INDEX inbox_waiting ON inbox (at) WHERE body IS NOT NULL;

CREATE TABLE requests (
    ref TEXT PRIMARY KEY,
    action TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,           -- moves by compare-and-swap, by one each
    requester TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,                 -- the rest of the request, JSON (procedures.request)
    resource TEXT,
    ends_at TEXT,
    moved_at TEXT NOT NULL,
    wake_at TEXT,                       -- when time calls for something next; NULL: never
    published INTEGER NOT NULL          -- the version that chats show
) WITHOUT ROWID;
CREATE INDEX requests_by_requester ON requests (requester, state);
CREATE INDEX requests_by_subject ON requests (subject, resource, state);
CREATE INDEX requests_by_state ON requests (state);
CREATE INDEX requests_by_wake ON requests (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX requests_unpublished ON requests (moved_at) WHERE published < version;

CREATE TABLE approvals (
    ref TEXT NOT NULL REFERENCES requests (ref),
    stage TEXT NOT NULL,
    person TEXT NOT NULL,
    verdict TEXT NOT NULL,              -- approved | denied
    attested TEXT NOT NULL,             -- JSON list
    digest TEXT NOT NULL,
    words INTEGER,                      -- the reason given, in audit's words table
    at TEXT NOT NULL,
    PRIMARY KEY (ref, stage, person)
) WITHOUT ROWID;

CREATE TABLE steps (
    ref TEXT NOT NULL REFERENCES requests (ref),
    name TEXT NOT NULL,
    state TEXT NOT NULL,                -- begun | unknown | done | needless | undone | failed
    seen TEXT NOT NULL,                 -- what the step saw before it acted, JSON
    number INTEGER NOT NULL,            -- the order the steps began in
    PRIMARY KEY (ref, name)
) WITHOUT ROWID;

CREATE TABLE handles (
    handle TEXT PRIMARY KEY,            -- 128 bits, opaque
    owner TEXT NOT NULL,                -- request reference, or the inbound that led to it
    choice TEXT NOT NULL,
    audience TEXT NOT NULL,             -- person id; empty: whoever presses is judged
    digest TEXT NOT NULL,               -- of what the card showed
    detail TEXT NOT NULL,               -- JSON
    UNIQUE (owner, choice, audience, digest, detail)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    ref TEXT NOT NULL,
    key TEXT NOT NULL,                  -- which card of the request: main, approve:manager:PERSON, ...
    platform TEXT NOT NULL,
    conversation TEXT NOT NULL,
    message_id TEXT NOT NULL,
    hash TEXT NOT NULL,                 -- of the card as last sent
    PRIMARY KEY (ref, key)
) WITHOUT ROWID;

CREATE TABLE sealed (
    ref TEXT PRIMARY KEY REFERENCES requests (ref),
    secret BLOB NOT NULL,               -- AES-GCM, key outside this file; row deleted when shown
    token TEXT NOT NULL UNIQUE,
    code BLOB NOT NULL,                 -- sealed likewise: the approver's card shows it
    tries INTEGER NOT NULL,
    expires_at TEXT
) WITHOUT ROWID;

CREATE TABLE frozen (
    person TEXT PRIMARY KEY,
    by TEXT NOT NULL,
    at TEXT NOT NULL
) WITHOUT ROWID;
"""

_PEOPLE = """
CREATE TABLE links (
    platform TEXT NOT NULL,
    account TEXT NOT NULL,              -- the platform's immutable id
    person TEXT NOT NULL,               -- the directory's immutable id
    mail TEXT NOT NULL,                 -- SHA-256 of the address that linked them; empty: an admin did
    by TEXT NOT NULL,                   -- who linked them
    at TEXT NOT NULL,
    ended_at TEXT                       -- kept when it is over: an address links once
);
CREATE UNIQUE INDEX links_account ON links (platform, account) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX links_person ON links (platform, person) WHERE ended_at IS NULL;
CREATE INDEX links_mail ON links (platform, mail);
CREATE INDEX links_of_person ON links (person, platform);

CREATE TABLE reach (
    person TEXT PRIMARY KEY,
    platform TEXT NOT NULL,             -- where they wrote from last
    account TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX handles_by_audience ON handles (audience) WHERE choice = 'approve';
CREATE INDEX requests_moved ON requests (state, moved_at);
DROP INDEX requests_by_state;
"""


_PLACES = """
CREATE TABLE places (
    platform TEXT NOT NULL,
    conversation TEXT NOT NULL,         -- without a thread in it
    account TEXT NOT NULL,              -- the platform's immutable id
    user TEXT NOT NULL,                 -- as the platform's calls name them
    service_url TEXT NOT NULL,          -- where this conversation is answered
    tenant TEXT NOT NULL,
    direct INTEGER NOT NULL,            -- 1: this account and the bot alone
    seen INTEGER NOT NULL,              -- the later, the larger
    PRIMARY KEY (platform, conversation, account)
) WITHOUT ROWID;
CREATE INDEX places_by_account ON places (platform, account, direct, seen);
CREATE INDEX deliveries_by_message ON deliveries (platform, message_id);
ALTER TABLE reach ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0;     -- 1: they said so, and it stays
"""


_PROOFS = """
CREATE TABLE sign_ins (
    state TEXT PRIMARY KEY,             -- SHA-256 of what the provider sends back
    what TEXT NOT NULL,                 -- the one thing it is for
    browser TEXT NOT NULL,              -- SHA-256 of the cookie of the browser that left for it
    purpose TEXT NOT NULL,              -- JSON (procedures.proofs)
    kept BLOB NOT NULL,                 -- sealed: nonce and verifier
    expires_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_ins_what ON sign_ins (what, expires_at);

CREATE TABLE proofs (
    browser TEXT NOT NULL,
    what TEXT NOT NULL,                 -- the one thing it counts for, with its digest
    person TEXT NOT NULL,
    method TEXT NOT NULL,               -- sign-in | authenticator | recovery
    at TEXT NOT NULL,                   -- when they proved who they are
    expires_at TEXT NOT NULL,
    PRIMARY KEY (browser, what)
) WITHOUT ROWID;

CREATE TABLE authenticators (
    person TEXT PRIMARY KEY,
    secret BLOB NOT NULL,               -- sealed
    since TEXT,                         -- NULL: shown, and no code has come of it yet
    page TEXT NOT NULL,                 -- digest of the address that showed it: another shows another
    step INTEGER NOT NULL,              -- the last time step whose code was taken: each counts once
    wrong INTEGER NOT NULL,             -- codes in a row
    locked_until TEXT
) WITHOUT ROWID;

CREATE TABLE recovery_codes (
    person TEXT NOT NULL,
    code TEXT NOT NULL,                 -- HMAC; deleted when used
    PRIMARY KEY (person, code)
) WITHOUT ROWID;

CREATE TABLE quarantine (
    person TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    why TEXT NOT NULL                   -- credential | link | authenticator
) WITHOUT ROWID;
"""

_THREADS = """
CREATE TABLE threads (
    place TEXT NOT NULL,                -- of the ticket system: a key means something in one only
    key TEXT NOT NULL,                  -- of the ticket: "IT-12"
    person TEXT NOT NULL,
    ref TEXT NOT NULL,                  -- the request that opened it
    op TEXT NOT NULL UNIQUE,            -- the operation that opened it
    status TEXT NOT NULL,               -- as the ticket system calls it
    open INTEGER NOT NULL,
    told TEXT NOT NULL,                 -- ids of the comments that were passed on, JSON
    opened_at TEXT NOT NULL,
    moved_at TEXT NOT NULL,             -- when something was said there last
    look_at TEXT NOT NULL,              -- when it is looked at next
    PRIMARY KEY (place, key)
) WITHOUT ROWID;
CREATE INDEX threads_by_person ON threads (place, person, opened_at);
CREATE INDEX threads_to_look_at ON threads (place, look_at) WHERE open = 1;
"""

_MODEL = """
CREATE TABLE model_calls (
    day TEXT NOT NULL,                  -- UTC: "2026-12-21"; days that are over are deleted
    who TEXT NOT NULL,                  -- a person; empty: everybody together
    calls INTEGER NOT NULL,
    told INTEGER NOT NULL,              -- 1: that the budget is used up stands in the trail
    PRIMARY KEY (day, who)
) WITHOUT ROWID;
"""

_HAND_OFFS = """
CREATE TABLE hand_offs (
    id TEXT PRIMARY KEY,                -- the request's reference and what of it: "R-7Q2MXX:exception"
    ref TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- person | exception | stuck | ticket
    person TEXT NOT NULL,               -- who is helped
    words INTEGER,                      -- what they wrote to it, in audit's words table
    place TEXT NOT NULL,                -- of the ticket system; empty: no ticket yet; -: there will be none
    key TEXT NOT NULL,                  -- of the ticket
    tried_at TEXT,                      -- when the ticket was begun: from then on it may be there
    holder TEXT NOT NULL,               -- name of the helper who has it
    ended TEXT NOT NULL,                -- why it is over; empty: it is open
    version INTEGER NOT NULL,
    settled INTEGER NOT NULL,           -- the version that everybody was told of
    opened_at TEXT NOT NULL,
    moved_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX hand_offs_by_ref ON hand_offs (ref);
CREATE INDEX hand_offs_by_person ON hand_offs (person, opened_at);
CREATE INDEX hand_offs_by_key ON hand_offs (place, key) WHERE key <> '';
CREATE INDEX hand_offs_unsettled ON hand_offs (moved_at) WHERE settled < version;

CREATE TABLE hand_off_said (
    id TEXT NOT NULL REFERENCES hand_offs (id),
    number INTEGER NOT NULL,
    side TEXT NOT NULL,                 -- helper | person | desk
    author TEXT NOT NULL,               -- a name
    words INTEGER,                      -- in audit's words table
    note TEXT NOT NULL,                 -- what the desk says itself
    inbound TEXT,                       -- what it came by: the same again is not said twice
    noted INTEGER NOT NULL,             -- 1: it stands on the ticket
    at TEXT NOT NULL,
    PRIMARY KEY (id, number),
    UNIQUE (id, inbound)
) WITHOUT ROWID;
"""


Migration = Callable[[sa.Connection], None]


def spine(conn: sa.Connection) -> None:
    """Migration 1: requests and all that hangs on them."""
    _script(conn, _SPINE)


def people(conn: sa.Connection) -> None:
    """Migration 3: whose account is whose, where people are reached, what waits for whom."""
    _script(conn, _PEOPLE)


def places(conn: sa.Connection) -> None:
    """Migration 4: where people are on platforms that tell it only in passing; whose card is pressed."""
    _script(conn, _PLACES)


def proofs(conn: sa.Connection) -> None:
    """Migration 5: who proved who they are, for what; and whose way to do so changed lately."""
    _script(conn, _PROOFS)


def threads(conn: sa.Connection) -> None:
    """Migration 6: tickets that were opened for people, and what of them was passed on."""
    _script(conn, _THREADS)


def model_calls(conn: sa.Connection) -> None:
    """Migration 7: how often the language model was asked today."""
    _script(conn, _MODEL)


def hand_offs(conn: sa.Connection) -> None:
    """Migration 8: what was handed over to people at the help desk, and what was said on it."""
    _script(conn, _HAND_OFFS)


def _script(conn: sa.Connection, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            conn.exec_driver_sql(statement)


def migrate(conn: sa.Connection, migrations: Sequence[Migration]) -> None:
    """Apply what is missing, numbered from 1 by place, in the caller's transaction."""
    conn.exec_driver_sql("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)")
    applied = {row[0] for row in conn.exec_driver_sql("SELECT number FROM migrations")}
    for number, migration in enumerate(migrations, start=1):
        if number not in applied:
            migration(conn)
            conn.exec_driver_sql("INSERT INTO migrations VALUES (?)", (number,))
