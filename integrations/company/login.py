"""Trying a password, as the company's own log-in page would: failures count, and lock.

A locked account answers LOCKED to any password, and an unknown account answers WRONG in the same
time as a known one, so that nothing can be learned from the answer.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from enum import StrEnum

from integrations.company.accounts import shortest_password, store_password
from integrations.company.client import Client
from integrations.company.passwords import hashed, matches, require_good
from integrations.text import exact


class LoginOutcome(StrEnum):
    OK = "ok"
    MUST_CHANGE = "must_change"  # the password is right, and only good for choosing another
    WRONG = "wrong"  # wrong password, or nobody has this account
    LOCKED = "locked"
    DISABLED = "disabled"


def log_in(client: Client, account: str, password: str) -> LoginOutcome:
    """Try a password; the attempt is counted before the answer is given."""
    # The hash is compared inside the transaction: guesses made at the same time wait for each other,
    # so none gets past the limit.
    return client.write_now(lambda connection: _attempt(connection, account, password)[0])


def change_password(client: Client, account: str, old: str, new: str) -> LoginOutcome:
    """What somebody does who must change: the outcome for the old password; at OK the new one holds.

    :raises PasswordRefused: when the new password breaks the rule or is the old one
    """

    def work(connection: sqlite3.Connection) -> LoginOutcome:
        outcome, person_id = _attempt(connection, account, old)
        if person_id is None or outcome not in (LoginOutcome.OK, LoginOutcome.MUST_CHANGE):
            return outcome
        require_good(new, account, shortest_password(connection), old=old)
        store_password(connection, person_id, hashed(new), must_change=False)
        return LoginOutcome.OK

    return client.write_now(work)


def _attempt(connection: sqlite3.Connection, account: str, password: str) -> tuple[LoginOutcome, str | None]:
    row = connection.execute(
        """SELECT person.id, person.status IN ('disabled', 'left'), account.locked_at IS NOT NULL,
                  account.must_change, account.password_hash
             FROM person JOIN account ON account.person_id = person.id
            WHERE person.account = ?""",
        (exact(account),),
    ).fetchone()
    if row is None:
        hashed("")  # as long as a comparison takes
        return LoginOutcome.WRONG, None
    person_id, disabled, locked, must_change, password_hash = row
    right = matches(password_hash, password)
    if locked:
        return LoginOutcome.LOCKED, person_id
    if not right:
        locks = _count_failure(connection, person_id)
        return (LoginOutcome.LOCKED if locks else LoginOutcome.WRONG), person_id
    if disabled:
        return LoginOutcome.DISABLED, person_id
    connection.execute("UPDATE account SET failures = 0 WHERE person_id = ?", (person_id,))
    return (LoginOutcome.MUST_CHANGE if must_change else LoginOutcome.OK), person_id


def _count_failure(connection: sqlite3.Connection, person_id: str) -> bool:
    """Whether this failure was the one that locks."""
    (failures, limit) = connection.execute(
        """UPDATE account SET failures = failures + 1 WHERE person_id = ?
           RETURNING failures, (SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'lockout_after')""",
        (person_id,),
    ).fetchone()
    if failures < limit:
        return False
    connection.execute(
        "UPDATE account SET locked_at = ? WHERE person_id = ?", (datetime.now(UTC).isoformat(), person_id)
    )
    return True
