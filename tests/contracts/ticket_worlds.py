"""The systems that keep tickets, for the suite of the port ``Tickets``: one entry each in ``WORLDS``."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from integrations.company import Company
from integrations.company.tickets import CompanyTickets, HelpDesk
from integrations.jira import Jira, JiraSettings
from integrations.work import Ticket, Tickets
from tests.servers import jira as fake
from tests.servers.jira import FakeJira, shown

ANA, LUIS, NOBODY = "p-1020", "p-1021", "p-9999"


class Helpers(Protocol):
    """What the people at the help desk do past the port."""

    async def open_tickets(self) -> list[Ticket]: ...
    async def write(self, key: str, author: str, text: str, *, internal: bool = False) -> None: ...
    async def set_status(self, key: str, status: str) -> None: ...
    async def close(self, key: str) -> None: ...


@dataclass(frozen=True)
class TicketWorld:
    """One system under test, freshly made, with the people of the embedded company."""

    tickets: Tickets
    helpers: Helpers
    count: Callable[[], int]  # tickets there are, independent of the ports
    texts: Callable[[str], list[str]]  # what helpers see: the ticket's words, then each comment's
    lose_reply: Callable[
        [], AbstractContextManager[None]
    ]  # inside it, the next write is done and not answered
    down: Callable[[], AbstractContextManager[None]]
    refusing: Callable[[], AbstractContextManager[None]]


def settings_of(jira: FakeJira, **more: Any) -> JiraSettings:
    given: dict[str, Any] = {
        "url": jira.url,
        "account": fake.ACCOUNT,
        "token": fake.TOKEN,
        "service_desk": fake.SERVICE_DESK,
        "request_type": fake.REQUEST_TYPE,
        "equipment_request_type": fake.EQUIPMENT_TYPE,
        "ca_file": jira.certificates.ca_file,
    }
    return JiraSettings(**{**given, **more})


@contextmanager
def copied(template: Path, folder: Path) -> Iterator[Company]:
    path = folder / "company.db"
    shutil.copy(template, path)
    company = Company.open(path)
    try:
        yield company
    finally:
        company.close()


class _Unanswered:
    """A connection whose next commit fails after it was done: the disk answers no more."""

    def __init__(self, client: Any) -> None:
        self._client, self._real = client, client._writer

    def execute(self, sql: str, *values: Any) -> Any:
        done = self._real.execute(sql, *values)
        if sql != "COMMIT":
            return done
        self._client._writer = self._real
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    def rollback(self) -> None:
        self._real.rollback()


@asynccontextmanager
async def company_world(template: Path, folder: Path) -> AsyncIterator[TicketWorld]:
    with copied(template, folder) as company:
        client, path = company.client, company.client.path

        def count() -> int:
            rows = client._reader.execute("SELECT count(*) FROM ticket").fetchall()
            return int(rows[0][0])

        def texts(key: str) -> list[str]:
            number = key.removeprefix("IT-")
            ticket = client._reader.execute("SELECT body FROM ticket WHERE number = ?", (number,)).fetchall()
            said = "SELECT text FROM ticket_comment WHERE number = ? ORDER BY id"
            return [row[0] for row in ticket + client._reader.execute(said, (number,)).fetchall()]

        @contextmanager
        def lose_reply() -> Iterator[None]:
            client._writer = _Unanswered(client)  # type: ignore[assignment]
            yield

        @contextmanager
        def down() -> Iterator[None]:
            away = path.rename(path.with_suffix(".away"))
            try:
                yield
            finally:
                away.rename(path)

        @contextmanager
        def refusing() -> Iterator[None]:
            client._writer.execute("PRAGMA query_only = ON")
            try:
                yield
            finally:
                client._writer.execute("PRAGMA query_only = OFF")

        tickets = CompanyTickets(client)
        yield TicketWorld(tickets, HelpDesk(client), count, texts, lose_reply, down, refusing)


@asynccontextmanager
async def jira_world(template: Path, folder: Path) -> AsyncIterator[TicketWorld]:
    with copied(template, folder) as company, FakeJira.running() as jira:
        made = Jira(settings_of(jira), company.directory)

        def texts(key: str) -> list[str]:
            issue = jira.find(key)
            return [shown(issue.description), *(shown(each.body) for each in issue.remarks)]

        @contextmanager
        def lose_reply() -> Iterator[None]:
            jira.fail("WRITE", "cut after")
            yield

        yield TicketWorld(
            made.tickets, jira, lambda: len(jira.issues), texts, lose_reply, jira.stopped, jira.refusing
        )
        await made.close()


WORLDS = {"company": company_world, "jira": jira_world}
