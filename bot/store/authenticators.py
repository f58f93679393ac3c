"""Authenticator apps: their secrets sealed, each code counted once, and codes for the day the phone is gone.

Codes are those of RFC 6238 (six digits, thirty seconds), by pyotp.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa

from bot.store.keys import Box, KeyFile
from bot.store.sql import Sql

WRONG = 5  # codes in a row, then a rest
REST = timedelta(minutes=15)
RECOVERY = 10  # codes, each good once

_STEP_S = 30
_DRIFT = 1  # steps that a phone's clock may be off, either way
_LETTERS = "23456789BCDFGHJKMNPQRSTVWXYZ"  # no vowels, no look-alikes

_OF = Sql("SELECT secret, since, step, wrong, locked_until, page FROM authenticators WHERE person = :person")
_OFFER = Sql(
    "INSERT INTO authenticators VALUES (:person, :secret, NULL, :page, 0, 0, NULL) ON CONFLICT (person)"
    " DO UPDATE SET secret = excluded.secret, page = excluded.page WHERE since IS NULL AND page <> :page"
)
_ENROL = Sql("UPDATE authenticators SET since = :since, step = :step, wrong = 0 WHERE person = :person")
_TAKEN = Sql(
    "UPDATE authenticators SET step = :step, wrong = 0, locked_until = NULL"
    " WHERE person = :person AND step < :step"
)
_RIGHT = Sql("UPDATE authenticators SET wrong = 0, locked_until = NULL WHERE person = :person")
_WRONG = Sql("UPDATE authenticators SET wrong = wrong + 1 WHERE person = :person")
_LOCK = Sql("UPDATE authenticators SET wrong = 0, locked_until = :until WHERE person = :person")
_REMOVE = Sql("DELETE FROM authenticators WHERE person = :person")
_ADD_CODE = Sql("INSERT INTO recovery_codes VALUES (:person, :code)")
_USE_CODE = Sql("DELETE FROM recovery_codes WHERE person = :person AND code = :code")
_DROP_CODES = Sql("DELETE FROM recovery_codes WHERE person = :person")
_LEFT = Sql("SELECT count(*) FROM recovery_codes WHERE person = :person")


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a code. ``method`` is empty where it was not right."""

    method: str = ""  # authenticator | recovery
    locked: bool = False  # too many wrong ones: none is looked at for a while


class Authenticators:
    def __init__(self, keys: KeyFile) -> None:
        self._box: Box = keys.box("authenticators")
        self._key = keys.derive("recovery codes")

    def since(self, conn: sa.Connection, person: str) -> datetime | None:
        """Since when they have one. None: they have none."""
        row = _OF.first(conn, person=person)
        return datetime.fromisoformat(row[1]) if row and row[1] else None

    def offer(self, conn: sa.Connection, person: str, page: str) -> str:
        """The secret (base32) to be put into an app: the same again on this page, and another on the next,
        so that nobody who has seen one holds what is set up later."""
        sealed = self._box.seal(pyotp.random_base32().encode(), person.encode())
        _OFFER.run(conn, person=person, secret=sealed, page=page)
        assert self.since(conn, person) is None, "the secret of one that is in use is never shown again"
        return self._secret(conn, person)

    def enrol(self, conn: sa.Connection, person: str, page: str, code: str, now: datetime) -> list[str]:
        """Recovery codes, to be shown once; empty where the code is not of what this page offered."""
        row = _OF.first(conn, person=person)
        if row is None or row[1] is not None or row[5] != page:
            return []
        step = _step(self._secret(conn, person), code, now)
        if step is None:
            return []
        _ENROL.run(conn, person=person, since=now.isoformat(), step=step)
        _DROP_CODES.run(conn, person=person)
        made = [_recovery_code() for _ in range(RECOVERY)]
        for each in made:
            _ADD_CODE.run(conn, person=person, code=self._hash(person, each))
        return made

    def check(self, conn: sa.Connection, person: str, code: str, now: datetime) -> Checked:
        row = _OF.first(conn, person=person)
        if row is None or row[1] is None:
            return Checked()
        if row[4] and now < datetime.fromisoformat(row[4]):
            return Checked(locked=True)
        step = _step(self._secret(conn, person), code, now)
        if step is not None and _TAKEN.run(conn, person=person, step=step) == 1:
            return Checked("authenticator")
        typed = "".join(code.split()).upper()
        if _USE_CODE.run(conn, person=person, code=self._hash(person, typed)) == 1:
            _RIGHT.run(conn, person=person)
            return Checked("recovery")
        if row[3] + 1 >= WRONG:
            _LOCK.run(conn, person=person, until=(now + REST).isoformat())
            return Checked(locked=True)
        _WRONG.run(conn, person=person)
        return Checked()

    def left(self, conn: sa.Connection, person: str) -> int:
        """Recovery codes that are not used yet."""
        row = _LEFT.first(conn, person=person)
        return int(row[0]) if row else 0

    def _secret(self, conn: sa.Connection, person: str) -> str:
        row = _OF.first(conn, person=person)
        assert row, "there is one"
        return self._box.unseal(row[0], person.encode()).decode()

    def _hash(self, person: str, code: str) -> str:
        said = f"{person} {code.replace('-', '')}".encode("utf-8", "replace")
        return hmac.new(self._key, said, "sha256").hexdigest()


def remove(conn: sa.Connection, person: str) -> bool:
    """False: they had none."""
    _DROP_CODES.run(conn, person=person)
    return _REMOVE.run(conn, person=person) == 1


def address(secret: str, account: str) -> str:
    """What the app reads from the picture. Source: Key Uri Format of Google Authenticator"""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name="Deskhand")


def _step(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is, of those around now."""
    typed = "".join(code.split())
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return None
    app, present = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_S
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if hmac.compare_digest(app.at(step * _STEP_S), typed):
            return step
    return None


def _recovery_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"
