"""Everything somebody who can write the database might do to the trail, at random.

Each function changes what is on record (or says False when it chose something that changes nothing).
Triggers are dropped first, as such a person would.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from hashlib import sha256
from pathlib import Path
from random import Random

from bot.audit.checkpoint import public_key
from bot.audit.tables import COLUMNS, GENESIS
from bot.audit.verify import verify


def rehash(db, first=1):
    """Make the chain fit again from ``first``, numbers and head included: the perfect forger."""
    rows = db.execute("SELECT rowid, body FROM audit_events ORDER BY seq").fetchall()
    link, seq = GENESIS, 0
    for seq, (row, body) in enumerate(rows, start=1):
        link = sha256(link + seq.to_bytes(8, "big") + body).digest()
        db.execute("UPDATE audit_events SET seq = ?, hash = ? WHERE seq = ?", (seq, link, row))
    db.execute("UPDATE audit_head SET seq = ?, hash = ?", (seq, link))


def any_seq(db, rnd):
    return rnd.randint(1, db.execute("SELECT max(seq) FROM audit_events").fetchone()[0])


def columns_and_body(db, seq, name, value):
    body = json.loads(db.execute("SELECT body FROM audit_events WHERE seq = ?", (seq,)).fetchone()[0])
    changed = json.dumps(body | {name: value}, separators=(",", ":")).encode()
    db.execute(f"UPDATE audit_events SET {name} = ?, body = ? WHERE seq = ?", (value, changed, seq))


def edit_column(db, rnd):
    name, junk = rnd.choice(COLUMNS), rnd.choice(["x", "", "p-eve", "\0junk", '"', "é", "\\"])
    change = rnd.choice([f"{name} || ?", "?"])
    seq = any_seq(db, rnd)
    before = db.execute(f"SELECT CAST({name} AS BLOB) FROM audit_events WHERE seq = ?", (seq,)).fetchone()
    db.execute(f"UPDATE audit_events SET {name} = {change} WHERE seq = ?", (junk, seq))
    return (
        before
        != db.execute(f"SELECT CAST({name} AS BLOB) FROM audit_events WHERE seq = ?", (seq,)).fetchone()
    )


def edit_body(db, rnd):
    seq = any_seq(db, rnd)
    body = bytearray(db.execute("SELECT body FROM audit_events WHERE seq = ?", (seq,)).fetchone()[0])
    body[rnd.randrange(len(body))] ^= 1 << rnd.randrange(8)
    db.execute("UPDATE audit_events SET body = ? WHERE seq = ?", (bytes(body), seq))


def edit_both(db, rnd):
    columns_and_body(db, any_seq(db, rnd), rnd.choice(["actor", "outcome", "subject"]), "forged")


def edit_hash(db, rnd):
    seq = any_seq(db, rnd)
    link = bytearray(db.execute("SELECT hash FROM audit_events WHERE seq = ?", (seq,)).fetchone()[0])
    link[rnd.randrange(32)] ^= 1 << rnd.randrange(8)
    db.execute("UPDATE audit_events SET hash = ? WHERE seq = ?", (bytes(link), seq))


def point_at_other_words(db, rnd):
    seq, words = any_seq(db, rnd), rnd.choice([None, 1, 2, 3, 999])
    before = db.execute("SELECT words FROM audit_events WHERE seq = ?", (seq,)).fetchone()
    db.execute("UPDATE audit_events SET words = ? WHERE seq = ?", (words, seq))
    return before != (words,)


def delete(db, rnd):
    db.execute("DELETE FROM audit_events WHERE seq = ?", (any_seq(db, rnd),))
    if rnd.random() < 0.5:
        db.execute("UPDATE audit_head SET seq = seq - 1")


def delete_and_close_the_gap(db, rnd):
    seq = any_seq(db, rnd)
    db.execute("DELETE FROM audit_events WHERE seq = ?", (seq,))
    for (later,) in db.execute("SELECT seq FROM audit_events WHERE seq > ? ORDER BY seq", (seq,)).fetchall():
        db.execute("UPDATE audit_events SET seq = ? WHERE seq = ?", (later - 1, later))
    db.execute("UPDATE audit_head SET seq = seq - 1")


def insert(db, rnd):
    """A copy of another event, chained to the one before it, the later ones moved up."""
    seq = any_seq(db, rnd)
    for (later,) in db.execute(
        "SELECT seq FROM audit_events WHERE seq > ? ORDER BY seq DESC", (seq,)
    ).fetchall():
        db.execute("UPDATE audit_events SET seq = ? WHERE seq = ?", (later + 1, later))
    (link,) = db.execute("SELECT hash FROM audit_events WHERE seq = ?", (seq,)).fetchone()
    copy_to(db, any_seq(db, rnd) if seq == 1 else rnd.randint(1, seq), seq + 1, link)
    if rnd.random() < 0.5:
        db.execute("UPDATE audit_head SET seq = seq + 1")


def insert_outside(db, rnd):
    copy_to(db, 1, rnd.choice([0, -1, -99, 10**6]), GENESIS)


def copy_to(db, source, seq, link):
    rows = db.execute("SELECT * FROM audit_events WHERE seq = ?", (source,)).fetchall()
    if not rows:
        rows = db.execute("SELECT * FROM audit_events ORDER BY seq LIMIT 1").fetchall()
    _, *columns, body, _ = rows[0]
    link = sha256(link + seq.to_bytes(8, "big", signed=True) + body).digest()
    row = (seq, *columns, body, link)
    db.execute(f"INSERT INTO audit_events VALUES ({', '.join('?' * len(row))})", row)


def reorder(db, rnd):
    one, two = any_seq(db, rnd), any_seq(db, rnd)
    names = rnd.choice([(*COLUMNS, "words", "body"), (*COLUMNS, "words", "body", "hash")])
    select = f"SELECT {', '.join(names)} FROM audit_events WHERE seq = ?"
    a, b = db.execute(select, (one,)).fetchone(), db.execute(select, (two,)).fetchone()
    update = f"UPDATE audit_events SET {', '.join(f'{n} = ?' for n in names)} WHERE seq = ?"
    db.execute(update, (*a, two))
    db.execute(update, (*b, one))
    return a != b


def cut(db, rnd):
    """The tail, with or without a head that fits."""
    db.execute("DELETE FROM audit_events WHERE seq >= ?", (any_seq(db, rnd),))
    if rnd.random() < 0.7:
        rehash(db)


def edit_head(db, rnd):
    change = rnd.choice(["seq = seq + 1", "seq = seq - 1", "seq = 0", "hash = zeroblob(32)", None])
    db.execute(f"UPDATE audit_head SET {change}" if change else "DELETE FROM audit_head")


def forge_everything(db, rnd):
    """Change what is said, and make every later hash fit."""
    columns_and_body(db, any_seq(db, rnd), rnd.choice(["actor", "outcome", "subject"]), "forged")
    rehash(db)


def forge_without_one(db, rnd):
    """Take one event out and make everything fit; put an innocent one at the end to keep the count."""
    last = db.execute("SELECT max(seq) FROM audit_events").fetchone()[0]
    db.execute("DELETE FROM audit_events WHERE seq = ?", (rnd.randint(1, last - 1),))
    if rnd.random() < 0.5:
        copy_to(db, 2, last + 1, GENESIS)
    rehash(db)


def forge_words(db, rnd):
    name = rnd.choice(["sealed", "commitment", "digest", "person", "person_key"])
    words = rnd.choice(db.execute("SELECT id FROM words").fetchall())[0]
    junk = {"sealed": rnd.randbytes(60), "person_key": 99}.get(name, rnd.choice(["0" * 64, "x\0y", ""]))
    db.execute(f"UPDATE words SET {name} = ? WHERE id = ?", (junk, words))


def swap_words(db, rnd):
    (a, *one), (b, *two) = rnd.sample(db.execute("SELECT * FROM words").fetchall(), 2)
    update = (
        "UPDATE words SET person = ?, person_key = ?, sealed = ?, commitment = ?, digest = ? WHERE id = ?"
    )
    db.execute(update, (*one, b))
    db.execute(update, (*two, a))


def delete_words(db, rnd):
    db.execute("DELETE FROM words WHERE id = ?", rnd.choice(db.execute("SELECT id FROM words").fetchall()))


def lose_a_key(db, rnd):
    db.execute(
        "DELETE FROM person_keys WHERE id = ?",
        rnd.choice(db.execute("SELECT id FROM person_keys").fetchall()),
    )


def empty(db, rnd):
    db.execute("DELETE FROM audit_events")
    rehash(db)


WAYS = (
    edit_column, edit_body, edit_both, edit_hash, point_at_other_words, delete, delete_and_close_the_gap,
    insert, insert_outside, reorder, cut, edit_head, forge_everything, forge_without_one, forge_words,
    swap_words, delete_words, lose_a_key, empty,
)  # fmt: skip


def tampered(source: Path, target: Path, rnd: Random, way=None) -> str:
    """Copy ``source`` to ``target`` and do one thing to it; return the name of it."""
    while True:
        chosen = way or rnd.choice(WAYS)
        shutil.copyfile(source, target)
        db = sqlite3.connect(target)
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA journal_mode = MEMORY")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        changed = chosen(db, rnd)
        db.commit()
        db.close()
        if changed is not False:
            return chosen.__name__


def campaign(desk, folder: Path, count: int, seed: int) -> tuple[Counter[str], Counter[str]]:
    """``count`` tamperings of the trail of ``desk``, which has checkpoints: tried and found, by name."""
    with sqlite3.connect(desk.path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    rnd, key = Random(seed), public_key(desk.keys)
    tried: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for _ in range(count):
        name = tampered(desk.path, folder / "tampered.db", rnd)
        tried[name] += 1
        found[name] += not verify(folder / "tampered.db", desk.checkpoints, key).whole
    return tried, found
