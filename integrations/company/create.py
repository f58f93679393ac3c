"""A new company file out of seed files: whole, or not there at all.

It is built under another name beside its place and put there by a hard link, which the file system
does at once and which never replaces a file: of two processes that create the same company, one
wins and the other uses the winner's. A process killed half-way leaves only the other name behind.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlite_utils import Database

from integrations.company.client import APPLICATION_ID, VERSION
from integrations.company.errors import named
from integrations.company.passwords import hashed
from integrations.company.seed_files import Seed, SeedPerson
from integrations.company.work_tables import create_work_tables, fill_work_tables
from integrations.contract import SystemDown
from integrations.text import folded, words

_HEADER = ("application_id", "user_version")
_ABANDONED_SECONDS = 60  # an unfinished file older than this belongs to a process that was killed


def create(path: Path, seed_dir: Path) -> None:
    """Do nothing where a company is already there. :raises SeedRefused:, :raises SystemDown:"""
    seed = Seed.read(seed_dir)
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        try:
            _build(unfinished, seed)
            with suppress(FileExistsError):  # another process was faster
                path.hardlink_to(unfinished)
            _sync(path.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise SystemDown(f"the company file {path.name} cannot be created: {error}") from error
    except sqlite3.Error as error:
        raise named(error) from error


def upgrade(path: Path, seed_dir: Path) -> None:
    """Give a company file of the version before what it lacks. :raises SeedRefused:, :raises SystemDown:"""
    try:
        db = Database(path)
        try:
            if _lacks_work_tables(db):
                _add_work_tables(db, Seed.read(seed_dir))
        finally:
            db.close()
    except sqlite3.Error as error:
        raise named(error) from error


def _lacks_work_tables(db: Database) -> bool:
    """False: there is nothing to do, or it is none of ours and the client says so."""
    return tuple(db.execute(f"PRAGMA {name}").fetchone()[0] for name in _HEADER) == (APPLICATION_ID, 1)


def _add_work_tables(db: Database, seed: Seed) -> None:
    with db.conn:
        db.conn.execute("BEGIN IMMEDIATE")
        if not _lacks_work_tables(db):  # while we waited, another process did it, or more than we can
            return
        create_work_tables(db)
        fill_work_tables(db, seed, dict(db.execute("SELECT account, id FROM person").fetchall()))
        db.conn.execute(f"PRAGMA user_version = {VERSION}")


def _build(path: Path, seed: Seed) -> None:
    path.touch(mode=0o600)  # it holds password hashes
    db = Database(path)
    try:
        _create_tables(db)
        _fill(db, seed, datetime.now(UTC))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.enable_wal()
    finally:
        db.close()  # the last connection folds the log into the file
    _sync(path)


def _create_tables(db: Database) -> None:
    person, group = ("person_id", "person", "id"), ("group_id", "group", "id")
    db.table("setting").create({"key": str, "value": str}, pk="key", not_null={"value"})
    db.table("person").create(
        {
            "id": str, "account": str, "mail": str, "name": str, "folded_name": str, "title": str,
            "department": str, "kind": str, "status": str, "manager_id": str, "privileged": int,
            "time_zone": str,
        },
        pk="id",
        not_null={"account", "mail", "name", "folded_name", "kind", "status", "privileged", "time_zone"},
        foreign_keys=[("manager_id", "person", "id")],
    )  # fmt: skip
    for column in ("account", "mail"):
        db.table("person").create_index([column], unique=True)
    for column in ("folded_name", "manager_id"):
        db.table("person").create_index([column])
    db.table("person_word").create(
        {"word": str, "person_id": str, "of_name": int}, pk=("word", "person_id"), foreign_keys=[person]
    )
    db.table("account").create(
        {
            "person_id": str, "password_hash": str, "password_set_at": str, "must_change": int,
            "failures": int, "locked_at": str,
        },
        pk="person_id",
        not_null={"password_hash", "password_set_at", "must_change", "failures"},
        foreign_keys=[person],
    )  # fmt: skip
    db.table("group").create({"id": str, "name": str, "description": str}, pk="id")
    db.table("membership").create(
        {"group_id": str, "person_id": str}, pk=("group_id", "person_id"), foreign_keys=[group, person]
    )
    db.table("membership").create_index(["person_id", "group_id"])
    db.table("nesting").create(
        {"parent_id": str, "child_id": str},
        pk=("parent_id", "child_id"),
        foreign_keys=[("parent_id", "group", "id"), ("child_id", "group", "id")],
    )
    db.table("nesting").create_index(["child_id", "parent_id"])
    db.table("time_off").create(
        {
            "person_id": str, "policy": str, "unit": str, "available": str, "used": str, "monthly": str,
            "cap": str, "as_of": str,
        },
        pk=("person_id", "policy"),
        foreign_keys=[person],
    )  # fmt: skip
    db.table("write_log").create(
        {"id": int, "at": str, "op": str, "kind": str, "person_id": str, "group_id": str, "changed": int},
        pk="id",
        not_null={"at", "op", "kind", "person_id", "changed"},
    )
    db.table("write_log").create_index(["op"])
    create_work_tables(db)


def _fill(db: Database, seed: Seed, now: datetime) -> None:
    ids = {person.account: person.id for person in seed.people}
    db.table("setting").insert_all(
        {"key": key, "value": str(value)}
        for key, value in seed.company.model_dump(exclude={"first_password"}).items()
    )
    db.table("person").insert_all(
        {
            **person.model_dump(mode="json", exclude={"manager", "locked", "must_change"}),
            "folded_name": folded(person.name),
            "manager_id": ids[person.manager] if person.manager else None,
        }
        for person in seed.people
    )
    db.table("person_word").insert_all(
        {"word": word, "person_id": person.id, "of_name": int(of_name)}
        for person in seed.people
        for word, of_name in _words_of(person).items()
    )
    db.table("account").insert_all(_accounts(seed, now))
    db.table("group").insert_all(
        group.model_dump(include={"id", "name", "description"}) for group in seed.groups
    )
    db.table("membership").insert_all(
        {"group_id": group.id, "person_id": ids[account]} for group in seed.groups for account in group.people
    )
    db.table("nesting").insert_all(
        {"parent_id": group.id, "child_id": child} for group in seed.groups for child in group.groups
    )
    db.table("time_off").insert_all(
        {
            "person_id": ids[account], "policy": policy, "unit": plan.policies[policy].unit,
            "available": str(available), "used": str(used), "monthly": str(plan.policies[policy].monthly),
            "cap": str(plan.policies[policy].cap), "as_of": now.date().isoformat(),
        }
        for plan in seed.plans
        for account, balances in plan.balances.items()
        for policy, (available, used) in balances.items()
    )  # fmt: skip
    fill_work_tables(db, seed, ids)


def _words_of(person: SeedPerson) -> dict[str, bool]:
    """Every word somebody can be searched by, and whether it is one of their name."""
    name = folded(person.name) or ""
    of_name = words(name)
    local_part = person.mail.partition("@")[0]
    others = [*name.split(), person.account, *words(person.account), person.mail, *words(local_part)]
    return {word: word in of_name for word in [*of_name, *others]}


def _accounts(seed: Seed, now: datetime) -> Iterator[dict[str, object]]:
    first = [seed.company.first_password.format(account=person.account) for person in seed.people]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:  # argon2 computes outside the lock
        hashes = list(pool.map(hashed, first))
    for person, password_hash in zip(seed.people, hashes, strict=True):
        yield {
            "person_id": person.id,
            "password_hash": password_hash,
            "password_set_at": now.isoformat(),
            "must_change": int(person.must_change),
            "failures": 0,
            "locked_at": now.isoformat() if person.locked else None,
        }


def _sweep(path: Path) -> None:
    """Remove what killed processes left unfinished."""
    for left in path.parent.glob(f".{path.name}.*.unfinished*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
