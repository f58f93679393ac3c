"""New credentials on their way to their owner: sealed, shown once, destroyed.

The row holds the credential and the code encrypted (AES-GCM, key outside the database). It is
deleted when the credential is shown, when its time is over, and after too many wrong codes.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.keys import Box, KeyFile
from integrations.contract import Secret

TRIES = 5
_LOWER, _UPPER, _DIGITS = "abcdefghjkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"
_LETTERS = _LOWER + _UPPER + _DIGITS  # no look-alikes: it is typed from a screen
_LENGTH = 20  # 20 of 55 letters: 115 bits


@dataclass(frozen=True, slots=True)
class Sealed:
    """What may be known of a sealed credential without opening it."""

    ref: str
    token: str
    tries: int
    expires_at: datetime | None  # None: not given yet


class Seals:
    def __init__(self, keys: KeyFile) -> None:
        self._box: Box = keys.box("credentials")

    def put(self, conn: sa.Connection, ref: str, secret: Secret) -> None:
        """Seal a new credential, with a fresh token for its link and a code to be read out."""
        code = f"{secrets.randbelow(10**6):06d}"
        conn.execute(
            sa.text("INSERT INTO sealed VALUES (:ref, :secret, :token, :code, :tries, NULL)"),
            {
                "ref": ref,
                "secret": self._box.seal(secret.value.encode(), b"secret " + ref.encode()),
                "token": secrets.token_urlsafe(24),
                "code": self._box.seal(code.encode(), b"code " + ref.encode()),
                "tries": TRIES,
            },
        )

    def replace(self, conn: sa.Connection, ref: str, secret: Secret) -> None:
        """Another credential under the same link and code."""
        sealed = self._box.seal(secret.value.encode(), b"secret " + ref.encode())
        conn.execute(
            sa.text("UPDATE sealed SET secret = :secret WHERE ref = :ref"), {"ref": ref, "secret": sealed}
        )

    def open(self, conn: sa.Connection, ref: str) -> Secret | None:
        """The credential itself, to be applied (again, the same) or shown."""
        row = conn.execute(sa.text("SELECT secret FROM sealed WHERE ref = :ref"), {"ref": ref}).first()
        return Secret(self._box.unseal(row[0], b"secret " + ref.encode()).decode()) if row else None

    def code(self, conn: sa.Connection, ref: str) -> str | None:
        row = conn.execute(sa.text("SELECT code FROM sealed WHERE ref = :ref"), {"ref": ref}).first()
        return self._box.unseal(row[0], b"code " + ref.encode()).decode() if row else None

    def right(self, conn: sa.Connection, ref: str, code: str) -> bool:
        known = self.code(conn, ref)
        return known is not None and hmac.compare_digest(known.encode(), code.encode("utf-8", "replace"))


def find(conn: sa.Connection, *, ref: str = "", token: str = "") -> Sealed | None:
    row = conn.execute(
        sa.text("SELECT ref, token, tries, expires_at FROM sealed WHERE ref = :ref OR token = :token"),
        {"ref": ref, "token": token or None},
    ).first()
    if row is None:
        return None
    return Sealed(row[0], row[1], row[2], datetime.fromisoformat(row[3]) if row[3] else None)


def start_clock(conn: sa.Connection, ref: str, expires_at: datetime) -> None:
    """From now on it can be shown."""
    conn.execute(
        sa.text("UPDATE sealed SET expires_at = :at WHERE ref = :ref"),
        {"ref": ref, "at": expires_at.isoformat()},
    )


def wrong_code(conn: sa.Connection, ref: str) -> None:
    conn.execute(sa.text("UPDATE sealed SET tries = tries - 1 WHERE ref = :ref"), {"ref": ref})


def destroy(conn: sa.Connection, ref: str) -> None:
    conn.execute(sa.text("DELETE FROM sealed WHERE ref = :ref"), {"ref": ref})


def new_password() -> Secret:
    """115 bits, with a small and a capital letter, a digit and a sign, as directories ask for."""
    while True:
        letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        if all(any(each in kind for each in letters) for kind in (_LOWER, _UPPER, _DIGITS)):
            return Secret("-".join(letters[i : i + 5] for i in range(0, _LENGTH, 5)))
