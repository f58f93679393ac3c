"""What was handed over to people at the help desk: whose each is, who has it, and what was said on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.store.sql import Row, Sql

_READ = (
    "SELECT id, ref, kind, person, words, place, key, tried_at, holder, ended, version, settled,"
    " opened_at, moved_at FROM hand_offs"
)
_BEGIN = Sql(
    "INSERT INTO hand_offs (id, ref, kind, person, words, place, key, holder, ended, version, settled,"
    " opened_at, moved_at) VALUES (:id, :ref, :kind, :person, :words, :place, :key, '', '', 0, -1, :at, :at)"
    " ON CONFLICT DO NOTHING"
)
_OF = Sql(f"{_READ} WHERE id = :id")
_OF_REF = Sql(f"{_READ} WHERE ref = :ref ORDER BY opened_at")
_OF_KEY = Sql(f"{_READ} WHERE place = :place AND key = :key")
_OF_PERSON = Sql(f"{_READ} WHERE person = :person ORDER BY opened_at DESC LIMIT :limit")
_DUE = Sql(
    "SELECT id FROM hand_offs WHERE settled < version AND moved_at < :still ORDER BY moved_at LIMIT 50"
)
_MOVE = Sql(
    "UPDATE hand_offs SET place = :place, key = :key, tried_at = :tried_at, holder = :holder,"
    " ended = :ended, version = :version, moved_at = :moved_at WHERE id = :id AND version = :version - 1"
)
_SETTLED = Sql("UPDATE hand_offs SET settled = :version WHERE id = :id AND settled < :version")
_SAY = Sql(
    "INSERT INTO hand_off_said (id, number, side, author, words, note, inbound, noted, at) VALUES"
    " (:id, (SELECT count(*) FROM hand_off_said WHERE id = :id) + 1, :side, :author, :words, :note,"
    " :inbound, :noted, :at) ON CONFLICT DO NOTHING"
)
_WAS_SAID = Sql("SELECT 1 FROM hand_off_said WHERE id = :id AND inbound = :inbound")
_SAID = Sql(
    "SELECT number, side, author, words, note, noted, at FROM hand_off_said WHERE id = :id ORDER BY number"
)
_NOTED = Sql("UPDATE hand_off_said SET noted = 1 WHERE id = :id AND number = :number AND noted = 0")

NOWHERE = "-"  # a place: no ticket can be opened for it


class Kind(StrEnum):
    PERSON = "person"  # they asked for one
    EXCEPTION = "exception"  # the rules said no
    STUCK = "stuck"  # nobody knows whether it was done
    TICKET = "ticket"  # where the channel stands in for a ticket system


class Side(StrEnum):
    HELPER = "helper"
    PERSON = "person"  # whom it is about
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class HandOff:
    id: str  # reference of the request and what of it: "R-7Q2MXX:exception"
    ref: str
    kind: Kind
    person: str
    words: int | None  # what they wrote to it, in audit's words table
    place: str  # of the ticket system; empty: no ticket yet
    key: str  # of its ticket
    tried_at: datetime | None  # when the ticket was begun
    holder: str  # name of the helper who has it
    ended: str  # why it is over; empty: it is open
    version: int
    settled: int  # the version that everybody was told of
    opened_at: datetime
    moved_at: datetime

    @property
    def open(self) -> bool:
        return not self.ended

    @property
    def name(self) -> str:
        """What people call it."""
        return self.key or self.ref


@dataclass(frozen=True, slots=True)
class Said:
    number: int  # from 1 on
    side: Side
    author: str  # a name
    words: int | None
    note: str  # what the desk says itself
    noted: bool  # it stands on the ticket
    at: datetime


def begin(conn: sa.Connection, hand_off: HandOff) -> bool:
    """False: it was handed over already."""
    return (
        _BEGIN.run(
            conn,
            id=hand_off.id,
            ref=hand_off.ref,
            kind=hand_off.kind.value,
            person=hand_off.person,
            words=hand_off.words,
            place=hand_off.place,
            key=hand_off.key,
            at=_stamp(hand_off.opened_at),
        )
        == 1
    )


def of(conn: sa.Connection, hand_off: str) -> HandOff | None:
    row = _OF.first(conn, id=hand_off)
    return _hand_off(row) if row else None


def of_ref(conn: sa.Connection, ref: str) -> list[HandOff]:
    """Those of one request, the oldest first."""
    return [_hand_off(row) for row in _OF_REF.rows(conn, ref=ref)]


def of_key(conn: sa.Connection, place: str, key: str) -> HandOff | None:
    row = _OF_KEY.first(conn, place=place, key=key)
    return _hand_off(row) if row else None


def of_person(conn: sa.Connection, person: str, limit: int) -> list[HandOff]:
    """The newest first."""
    return [_hand_off(row) for row in _OF_PERSON.rows(conn, person=person, limit=limit)]


def due(conn: sa.Connection, still: datetime) -> list[str]:
    """Of which not everybody was told, and that nobody moved since ``still``."""
    return [row[0] for row in _DUE.rows(conn, still=_stamp(still))]


def move(conn: sa.Connection, seen: HandOff, at: datetime, **changes: Any) -> HandOff:
    """``seen`` was read in this very transaction."""
    after = replace(seen, version=seen.version + 1, moved_at=at, **changes)
    moved = _MOVE.run(
        conn,
        id=after.id,
        place=after.place,
        key=after.key,
        tried_at=_stamp(after.tried_at) if after.tried_at else None,
        holder=after.holder,
        ended=after.ended,
        version=after.version,
        moved_at=_stamp(at),
    )
    assert moved == 1, f"{seen.id} was read in another transaction"
    return after


def settled(conn: sa.Connection, hand_off: str, version: int) -> None:
    """Everybody was told of this version."""
    _SETTLED.run(conn, id=hand_off, version=version)


def say(
    conn: sa.Connection,
    hand_off: str,
    side: Side,
    at: datetime,
    *,
    author: str = "",
    words: int | None = None,
    note: str = "",
    inbound: str = "",
    noted: bool = False,
) -> bool:
    """:param inbound: what it came by: the same again changes nothing. False: it did"""
    values = {"author": author, "words": words, "note": note, "inbound": inbound or None, "noted": int(noted)}
    return _SAY.run(conn, id=hand_off, side=side.value, at=_stamp(at), **values) == 1


def was_said(conn: sa.Connection, hand_off: str, inbound: str) -> bool:
    return _WAS_SAID.first(conn, id=hand_off, inbound=inbound) is not None


def said(conn: sa.Connection, hand_off: str) -> list[Said]:
    """The oldest first."""
    return [
        Said(number, Side(side), author, words, note, bool(noted), datetime.fromisoformat(at))
        for number, side, author, words, note, noted, at in _SAID.rows(conn, id=hand_off)
    ]


def noted(conn: sa.Connection, hand_off: str, number: int) -> bool:
    """This stands on the ticket. False: it was known."""
    return _NOTED.run(conn, id=hand_off, number=number) == 1


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _hand_off(row: Row) -> HandOff:
    (
        number,
        ref,
        kind,
        person,
        words,
        place,
        key,
        tried_at,
        holder,
        ended,
        version,
        settled_,
        opened,
        moved,
    ) = row
    tried = datetime.fromisoformat(tried_at) if tried_at else None
    times = (datetime.fromisoformat(opened), datetime.fromisoformat(moved))
    return HandOff(
        number, ref, Kind(kind), person, words, place, key, tried, holder, ended, version, settled_, *times
    )
