"""The systems that keep time off, for the suite of the port ``TimeOff``: one entry each in ``WORLDS``."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrations.bamboohr import BambooHr, BambooHrSettings
from integrations.company import Company
from integrations.work import TimeOff
from tests.servers import bamboohr as fake
from tests.servers.bamboohr import FakeBambooHr

HOURS_PERSON, DAYS_PERSON, WITHOUT, NOBODY = "p-1020", "p-1013", "p-1025", "p-9999"  # Ana, Rosa, Viktor
QUARTERS = "p-1011"  # Nadia, who has 56.25 hours


@dataclass(frozen=True)
class TimeOffWorld:
    """One system under test, freshly made, with the people of the embedded company."""

    time_off: TimeOff
    counted: Callable[[], int]  # time off that was ever entered, independent of the port
    lose_reply: Callable[[], None] | None  # the next write is done and not answered; None: cannot be
    down: Callable[[], AbstractContextManager[None]]
    refusing: Callable[[], AbstractContextManager[None]]


def settings_of(bamboo: FakeBambooHr, **more: Any) -> BambooHrSettings:
    given: dict[str, Any] = {
        "company": fake.COMPANY,
        "api_key": fake.KEY,
        "url": bamboo.url,
        "ca_file": bamboo.certificates.ca_file,
    }
    return BambooHrSettings(**{**given, **more})


@contextmanager
def opened(template: Path, folder: Path) -> Iterator[Company]:
    """A company of one's own."""
    path = folder / "company.db"
    shutil.copy(template, path)
    company = Company.open(path)
    try:
        yield company
    finally:
        company.close()


@asynccontextmanager
async def company_world(template: Path, folder: Path) -> AsyncIterator[TimeOffWorld]:
    with opened(template, folder) as company:
        path = company.client.path

        def counted() -> int:
            connection = sqlite3.connect(path)
            try:
                return int(connection.execute("SELECT count(*) FROM leave").fetchone()[0])
            finally:
                connection.close()

        @contextmanager
        def down() -> Iterator[None]:
            away = path.rename(path.with_suffix(".away"))
            try:
                yield
            finally:
                away.rename(path)

        @contextmanager
        def refusing() -> Iterator[None]:
            company.client._writer.execute("PRAGMA query_only = ON")
            try:
                yield
            finally:
                company.client._writer.execute("PRAGMA query_only = OFF")

        yield TimeOffWorld(company.time_off, counted, None, down, refusing)


@asynccontextmanager
async def bamboohr_world(template: Path, folder: Path) -> AsyncIterator[TimeOffWorld]:
    with opened(template, folder) as company, FakeBambooHr.running() as bamboo:
        connected = BambooHr(settings_of(bamboo), company.directory)
        try:
            yield TimeOffWorld(
                connected.time_off,
                lambda: len(bamboo.requests),
                lambda: bamboo.fail("PUT", "cut after"),
                bamboo.stopped,
                bamboo.refusing,
            )
        finally:
            await connected.close()


WORLDS: dict[str, Callable[[Path, Path], AbstractAsyncContextManager[TimeOffWorld]]] = {
    "bamboohr": bamboohr_world,
    "company": company_world,
}
