"""Log-in accounts of the company: their state, a new password, unlocking.

Setting the same password again is allowed, because a reset that was cut off by a crash is applied
again with the same credential. Privileged accounts are out of reach: the service that writes here
has no right to them, as in a directory where only their own admins have it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta

from integrations.company.client import Client
from integrations.company.directory import PERSON, as_person
from integrations.company.passwords import hashed, require_good
from integrations.company.write_log import record
from integrations.contract import (
    AccountDisabled,
    AccountState,
    PermissionRefused,
    Person,
    Secret,
    UnknownPerson,
)
from integrations.text import known_id

_STATE = """
    SELECT account.locked_at IS NOT NULL, person.status IN ('disabled', 'left'),
           account.must_change, account.password_set_at
      FROM account JOIN person ON person.id = account.person_id
     WHERE person.id = ?
"""


class CompanyAccounts:
    """The port ``Accounts`` of the embedded company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def state(self, person_id: str) -> AccountState:
        rows = await self._client.read(_STATE, (known_id(person_id),))
        if not rows:
            raise UnknownPerson("nobody has this id")
        locked, disabled, must_change, set_at = rows[0]
        return AccountState(
            locked=bool(locked),
            disabled=bool(disabled),
            must_change=bool(must_change),
            password_set_at=datetime.fromisoformat(set_at),
        )

    async def reset(self, person_id: str, password: Secret, *, op: str) -> None:
        """:raises PermissionRefused: for a privileged account"""
        await asyncio.to_thread(self._reset, person_id, password, op)

    async def unlock(self, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused: for a privileged account"""

        def work(connection: sqlite3.Connection) -> bool:
            person = within_reach(connection, person_id)
            changed = (
                connection.execute(
                    "UPDATE account SET locked_at = NULL, failures = 0"
                    " WHERE person_id = ? AND locked_at IS NOT NULL",
                    (person.id,),
                ).rowcount
                == 1
            )
            record(connection, op, "account.unlock", person.id, None, changed)
            return changed

        return await self._client.write(work)

    def _reset(self, person_id: str, password: Secret, op: str) -> None:
        # Refusals come before the hash: 20 ms of work and the wait for the disk are for good requests.
        def check(connection: sqlite3.Connection) -> Person:
            person = within_reach(connection, person_id)
            require_good(password.value, person.account, shortest_password(connection))
            return person

        self._client.write_now(check)
        password_hash = hashed(password.value)

        def work(connection: sqlite3.Connection) -> None:
            person = check(connection)  # again: the hash took time
            store_password(connection, person.id, password_hash, must_change=True)
            record(connection, op, "account.reset", person.id, None, changed=True)

        self._client.write_now(work)


def within_reach(connection: sqlite3.Connection, person_id: str) -> Person:
    """:raises UnknownPerson:, :raises PermissionRefused:, :raises AccountDisabled:"""
    row = connection.execute(f"{PERSON} WHERE p.id = ?", (known_id(person_id),)).fetchone()
    if row is None:
        raise UnknownPerson("nobody has this id")
    person = as_person(row)
    if person.privileged:
        raise PermissionRefused("privileged accounts are changed by their own admins only")
    if not person.present:
        raise AccountDisabled("the account is disabled; it can be neither reset nor unlocked")
    return person


def shortest_password(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM setting WHERE key = 'password_min_length'").fetchone()
    return int(row[0])


def store_password(
    connection: sqlite3.Connection, person_id: str, password_hash: str, *, must_change: bool
) -> None:
    """Set it, unlock, and move ``password_set_at`` forward even where the clock went back."""
    (before,) = connection.execute(
        "SELECT password_set_at FROM account WHERE person_id = ?", (person_id,)
    ).fetchone()
    at = max(datetime.now(UTC), datetime.fromisoformat(before) + timedelta(microseconds=1))
    connection.execute(
        "UPDATE account SET password_hash = ?, password_set_at = ?, must_change = ?, failures = 0,"
        " locked_at = NULL WHERE person_id = ?",
        (password_hash, at.isoformat(), int(must_change), person_id),
    )
