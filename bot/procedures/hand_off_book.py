"""What is handed over to people at the help desk, on disk: each change with its audit event and its job.

Every function takes the caller's open transaction, so a request gets stuck and is handed over in one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.audit.words import Words
from bot.procedures.office import Office
from bot.store import hand_offs
from bot.store.hand_offs import HandOff, Kind, Side

SETTLE_HAND_OFF = "hand_off"  # the job

_NET = timedelta(seconds=10)  # by then the process that made the change has followed it up, or is dead
_ACTOR_SERVICE = "engine"


class HandOffBook:
    def __init__(self, office: Office) -> None:
        self._office = office

    @property
    def reaches(self) -> bool:
        """Whether there are people to hand anything over to."""
        return self._office.ports.tickets is not None or bool(self.channels())

    def channels(self) -> tuple[str, ...]:
        """Platforms with a help-desk channel: the chats'; where there is no chat, the web desk's."""
        home, *others = self._office.platforms.values()
        return tuple(each.name for each in others or [home] if each.help_desk())

    def begin(
        self,
        conn: Connection,
        kind: Kind,
        ref: str,
        person: str,
        *,
        mark: str = "",
        words: Words | None = None,
        key: str = "",
        by: str = DESKHAND,
        service: str = _ACTOR_SERVICE,
        data: dict[str, Any] | None = None,
    ) -> bool:
        """Hand it over, once. False: it was already, or nobody is there.

        :param mark: tells it from another of this kind about the same request
        :param key: of the ticket that was opened for it
        """
        if not self.reaches:
            return False
        now, tickets = self._office.clock(), self._office.ports.tickets
        place = tickets.place if tickets and key else ""
        id_, kept = ":".join(filter(None, (ref, kind.value, mark))), words.id if words else None
        new = HandOff(id_, ref, kind, person, kept, place, key, None, "", "", 0, -1, now, now)
        if not hand_offs.begin(conn, new):
            return False
        self._audit(conn, new, "hand_off.begun", by, service, {"kind": kind.value, **(data or {})}, words)
        self._job(conn, new)
        return True

    def ticketed(self, conn: Connection, hand_off: str, place: str, key: str) -> None:
        """Its ticket is open."""
        found = hand_offs.of(conn, hand_off)
        if found and not found.key:
            self.move(conn, found, "hand_off.ticket", data={"key": key}, place=place, key=key)

    def move(
        self,
        conn: Connection,
        seen: HandOff,
        kind: str,
        *,
        by: str = DESKHAND,
        service: str = _ACTOR_SERVICE,
        data: dict[str, Any] | None = None,
        words: Words | None = None,
        outcome: str = "ok",
        **changes: Any,
    ) -> HandOff:
        """One change of one that was read in this transaction."""
        after = hand_offs.move(conn, seen, self._office.clock(), **changes)
        self._audit(conn, after, kind, by, service, data or {}, words, outcome)
        self._job(conn, after)
        return after

    def end(self, conn: Connection, seen: HandOff, ended: str, note: str = "", **who: Any) -> HandOff:
        """Nothing is left to do.

        :param note: what is said of it on the ticket
        """
        if note:
            hand_offs.say(conn, seen.id, Side.DESK, self._office.clock(), note=note)
        return self.move(conn, seen, "hand_off.ended", data={"ended": ended}, ended=ended, **who)

    def noticed(self, conn: Connection, seen: HandOff, note: str) -> None:
        """Something happened on its ticket that the channel should know."""
        hand_offs.say(conn, seen.id, Side.DESK, self._office.clock(), note=note, noted=True)
        self.move(conn, seen, "hand_off.noticed")

    def heard(
        self, conn: Connection, seen: HandOff, author: str, words: int, inbound: str, **who: Any
    ) -> None:
        """The person it is about wrote something on its ticket: it is open again."""
        now = self._office.clock()
        if hand_offs.say(
            conn, seen.id, Side.PERSON, now, author=author, words=words, inbound=inbound, noted=True
        ):
            self.move(conn, seen, "hand_off.heard", data={"inbound": inbound}, ended="", **who)

    def _audit(
        self,
        conn: Connection,
        hand_off: HandOff,
        kind: str,
        by: str,
        service: str,
        data: dict[str, Any],
        words: Words | None = None,
        outcome: str = "ok",
    ) -> None:
        append(
            conn,
            Event(
                at=self._office.clock(),
                kind=kind,
                request=hand_off.ref,
                actor=by,
                service=service,
                outcome=outcome,
                subject=hand_off.person,
                data={"hand_off": hand_off.id, **data},
            ),
            words=words,
        )

    def _job(self, conn: Connection, hand_off: HandOff) -> None:
        job_id = f"{hand_off.id}:{hand_off.version}"
        self._office.jobs.later(conn, job_id, SETTLE_HAND_OFF, {"handed": hand_off.id}, _NET)
