"""Many people under one manager, and their requests, for the parts that need a full house."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.procedures.request import State
from bot.settings.paths import Paths
from tests.house import House

WISH = "I need access to the staging database for two weeks"  # of medium risk: the manager decides
MODEL = "ana"  # whom the made-up colleagues are copied from
_AT_ONCE = 16
_TIME_OFF = "policy, unit, available, used, monthly, cap, as_of"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for one press."""

    ref: str
    handle: str  # of its Approve
    approver: str


def hire(data: Path, count: int) -> list[str]:
    """Put ``count`` colleagues into the company file that is there. Returns their accounts."""
    accounts = [f"bench{number}" for number in range(count)]
    db = sqlite3.connect(Paths(data).company)
    with db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(person)")]
        row = db.execute("SELECT * FROM person WHERE account = ?", (MODEL,)).fetchone()
        model = dict(zip(columns, row, strict=True))
        for account in accounts:
            person = {**model, "id": f"id-{account}", "account": account, "mail": f"{account}@example.com"}
            person |= {"name": account.title(), "folded_name": account}
            places = ", ".join("?" * len(person))
            db.execute(f"INSERT INTO person VALUES ({places})", tuple(person.values()))
            db.execute(
                f"INSERT INTO time_off (person_id, {_TIME_OFF})"
                f" SELECT ?, {_TIME_OFF} FROM time_off WHERE person_id = ?",
                (person["id"], model["id"]),
            )
    db.close()
    return accounts


async def ask_and_confirm(house: House, accounts: Iterable[str]) -> list[Waiting]:
    """Everybody wishes for the same, and says yes to it."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(account: str) -> None:
        async with gate:
            await house.says(account, WISH)
            await house.press(account, "Yes, do it")

    await asyncio.gather(*(one(account) for account in accounts))
    return waiting(house)


def waiting(house: House) -> list[Waiting]:
    found = []
    with house.app.office.database.read() as conn:
        rows = conn.exec_driver_sql("SELECT owner, handle FROM handles WHERE choice = 'approve'")
        handles = {row[0]: row[1] for row in rows}
    for request in house.requests(State.APPROVING):
        seat = request.seats[request.waits_for or ""][0]
        found.append(Waiting(request.ref, handles[request.ref], seat.person))
    return found
