"""Which chat account is whose, once linked; and where each person wrote from last.

Both sides are immutable ids. A link is never guessed again: what a mail address linked once it never
links again, not even after the link has ended, so an address that is given to somebody else later
inherits nothing. Addresses are kept as digests.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.sql import Sql

_OF_ACCOUNT = Sql("SELECT person FROM links WHERE platform = :p AND account = :a AND ended_at IS NULL")
_OF_PERSON = Sql("SELECT platform, account FROM links WHERE person = :person AND ended_at IS NULL")
_TAKEN = Sql(
    "SELECT 1 FROM links WHERE platform = :p AND (mail = :m OR person = :person OR account = :a) LIMIT 1"
)
_ADD = Sql("INSERT INTO links VALUES (:p, :a, :person, :m, :by, :at, NULL)")
_END = Sql(
    "UPDATE links SET ended_at = :at WHERE platform = :p AND ended_at IS NULL"
    " AND (account = :a OR person = :person)"
)
_ALL = Sql("SELECT platform, account, person, by, at FROM links WHERE ended_at IS NULL ORDER BY at")
_REACH = Sql("SELECT platform, account FROM reach WHERE person = :person")
_REACHED = Sql(
    "INSERT INTO reach VALUES (:person, :p, :a, 0)"
    " ON CONFLICT (person) DO UPDATE SET platform = excluded.platform, account = excluded.account"
    " WHERE chosen = 0"
)
_CHOOSE = Sql(
    "INSERT INTO reach VALUES (:person, :p, :a, :chosen)"
    " ON CONFLICT (person) DO UPDATE SET platform = excluded.platform, account = excluded.account,"
    " chosen = excluded.chosen"
)
_UNREACH = Sql("DELETE FROM reach WHERE platform = :p AND (account = :a OR person = :person)")


@dataclass(frozen=True, slots=True)
class Link:
    platform: str
    account: str
    person: str
    by: str  # "mail", or who did it by hand
    at: str


def person_of(conn: sa.Connection, platform: str, account: str) -> str | None:
    row = _OF_ACCOUNT.first(conn, p=platform, a=account)
    return str(row[0]) if row else None


def accounts_of(conn: sa.Connection, person: str) -> dict[str, str]:
    """Platform -> account."""
    return dict(row[:2] for row in _OF_PERSON.rows(conn, person=person))


def link_by_mail(
    conn: sa.Connection, platform: str, account: str, person: str, mail: str, at: datetime
) -> bool:
    """False: the address, the person or the account was linked on this platform before, so that an
    admin has to say who this is."""
    digest = hashlib.sha256(mail.strip().casefold().encode()).hexdigest()
    if _TAKEN.first(conn, p=platform, m=digest, person=person, a=account):
        return False
    _ADD.run(conn, p=platform, a=account, person=person, m=digest, by="mail", at=at.isoformat())
    return True


def link_by_hand(
    conn: sa.Connection, platform: str, account: str, person: str, by: str, at: datetime
) -> None:
    """Replaces what either of the two was linked to on this platform."""
    end(conn, platform, account, person, at)
    _ADD.run(conn, p=platform, a=account, person=person, m="", by=by, at=at.isoformat())


def end(conn: sa.Connection, platform: str, account: str, person: str, at: datetime) -> bool:
    """End the links of this account and of this person on this platform. False: there were none."""
    _UNREACH.run(conn, p=platform, a=account, person=person)
    return _END.run(conn, p=platform, a=account, person=person, at=at.isoformat()) > 0


def every(conn: sa.Connection) -> list[Link]:
    return [Link(*row) for row in _ALL.rows(conn)]


def reach_of(conn: sa.Connection, person: str) -> tuple[str, str] | None:
    """Platform and account this person chose, else wrote from last."""
    row = _REACH.first(conn, person=person)
    return (str(row[0]), str(row[1])) if row else None


def reached(conn: sa.Connection, person: str, platform: str, account: str) -> None:
    _REACHED.run(conn, person=person, p=platform, a=account)


def choose(conn: sa.Connection, person: str, platform: str, account: str, *, keep: bool) -> None:
    """``keep``: also when they write from elsewhere later."""
    _CHOOSE.run(conn, person=person, p=platform, a=account, chosen=int(keep))
