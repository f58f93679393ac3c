"""Tickets of the company's help desk, and what its people do with them past the bot.

A ticket and a comment are written once for every operation: the same again finds what it wrote.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from integrations.company.client import Client, Row
from integrations.company.write_log import record
from integrations.contract import UnknownPerson
from integrations.text import known_id
from integrations.work import Comment, NewTicket, Ticket, UnknownTicket

OPEN, CLOSED = "Open", "Closed"
STATUSES = {OPEN: True, "Waiting for customer": True, "Resolved": False, CLOSED: False}  # whether it is open

_KEY = re.compile(r"IT-([1-9][0-9]{0,17})")  # no number of SQLite is longer
_MOVE = "UPDATE ticket SET status = ?, open = ?, moved_at = ? WHERE number = ?"
_TICKET = "SELECT number, title, status, open, moved_at FROM ticket"


class CompanyTickets:
    """The port ``Tickets`` of the embedded company."""

    name = "the ticket list"
    place = "company"

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open(self, new: NewTicket, *, op: str) -> Ticket:
        person, title, body = known_id(new.person_id), _storable(new.title), _storable(new.body)

        def work(connection: sqlite3.Connection) -> Ticket:
            if not connection.execute("SELECT 1 FROM person WHERE id = ?", (person,)).fetchone():
                raise UnknownPerson("nobody has this id")
            changed = connection.execute(
                "INSERT INTO ticket (person_id, title, body, kind, status, open, moved_at, op)"
                " VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (op) DO NOTHING",
                (person, title, body, _storable(new.kind), OPEN, _now(), _storable(op)),
            ).rowcount
            record(connection, op, "ticket.open", str(person), None, changed == 1)
            return _ticket(connection.execute(f"{_TICKET} WHERE op = ?", (_storable(op),)).fetchone())

        return await self._client.write(work)

    async def opened(self, op: str, since: datetime) -> Ticket | None:
        """What stands in the file is found at once."""
        rows = await self._client.read(f"{_TICKET} WHERE op = ?", (_storable(op),))
        return _ticket(rows[0]) if rows else None

    async def ticket(self, key: str) -> Ticket:
        rows = await self._client.read(f"{_TICKET} WHERE number = ?", (number_of(key),))
        if not rows:
            raise UnknownTicket("no ticket has this key")
        return _ticket(rows[0])

    async def comments(self, key: str) -> list[Comment]:
        ticket = await self.ticket(key)
        rows = await self._client.read(
            "SELECT id, author, text, at, ours FROM ticket_comment"
            " WHERE number = ? AND NOT internal ORDER BY id",
            (number_of(ticket.key),),
        )
        return [
            Comment(str(number), author, text, datetime.fromisoformat(at), bool(ours))
            for number, author, text, at, ours in rows
        ]

    async def comment(self, key: str, text: str, *, op: str) -> None:
        number, said = number_of(key), _storable(text)

        def work(connection: sqlite3.Connection) -> None:
            found = connection.execute(
                "SELECT person.id, person.name FROM ticket JOIN person ON person.id = ticket.person_id"
                " WHERE number = ?",
                (number,),
            ).fetchone()
            if found is None:
                raise UnknownTicket("no ticket has this key")
            person_id, name = found
            changed = _say(connection, number, name, said, op=_storable(op))
            record(connection, op, "ticket.comment", person_id, None, changed)

        await self._client.write(work)


class HelpDesk:
    """The people at the help desk. None of what they do comes through the port."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def open_tickets(self) -> list[Ticket]:
        """The oldest first."""
        return [_ticket(row) for row in await self._client.read(f"{_TICKET} WHERE open ORDER BY number")]

    async def body(self, key: str) -> str:
        """What it was opened with. :raises UnknownTicket:"""
        rows = await self._client.read("SELECT body FROM ticket WHERE number = ?", (number_of(key),))
        if not rows:
            raise UnknownTicket("no ticket has this key")
        return str(rows[0][0])

    async def write(self, key: str, author: str, text: str, *, internal: bool = False) -> None:
        """A comment; an internal one is for the help desk alone. :raises UnknownTicket:"""
        number = number_of(key)

        def work(connection: sqlite3.Connection) -> None:
            if not connection.execute("SELECT 1 FROM ticket WHERE number = ?", (number,)).fetchone():
                raise UnknownTicket("no ticket has this key")
            _say(connection, number, _storable(author), _storable(text), internal=internal)

        await self._client.write(work)

    async def set_status(self, key: str, status: str) -> None:
        """:param status: one of ``STATUSES`` :raises UnknownTicket:"""
        values: Sequence[object] = (status, int(STATUSES[status]), _now(), number_of(key))
        changed = await self._client.write(lambda connection: connection.execute(_MOVE, values).rowcount)
        if not changed:
            raise UnknownTicket("no ticket has this key")

    async def close(self, key: str) -> None:
        await self.set_status(key, CLOSED)


def number_of(key: str) -> int:
    """:raises UnknownTicket: where it is no key of ours"""
    found = _KEY.fullmatch(key)
    if found is None:
        raise UnknownTicket("no ticket has this key")
    return int(found[1])


def _say(
    connection: sqlite3.Connection,
    number: int,
    author: str,
    text: str,
    *,
    op: str = "",
    internal: bool = False,
) -> bool:
    """Whether it was written now.

    :param op: empty: it was not us who wrote it
    """
    cursor = connection.execute(
        "INSERT INTO ticket_comment (number, author, text, at, ours, internal, op)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (op) DO NOTHING",
        (number, author, text, _now(), int(bool(op)), int(internal), op or f"help-desk:{uuid4()}"),
    )
    return cursor.rowcount == 1


def _ticket(row: Row) -> Ticket:
    number, title, status, is_open, moved_at = row
    return Ticket(
        key=f"IT-{number}",
        title=title,
        status=status,
        open=bool(is_open),
        moved_at=datetime.fromisoformat(moved_at),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
