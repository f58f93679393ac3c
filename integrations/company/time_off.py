"""Time off at the company: what is left to somebody on a day.

A balance stands as it was on the day the company file was created; every first of a month since
adds its monthly share, up to the cap. A day before the creation reads as the creation day.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from integrations.company.client import Client, Row
from integrations.contract import UnknownPerson
from integrations.text import known_id
from integrations.work import Balance


class CompanyTimeOff:
    """The port ``TimeOff`` of the embedded company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def balances(self, person_id: str, on: date) -> list[Balance]:
        rows = await self._client.read(
            """SELECT t.policy, t.unit, t.available, t.used, t.monthly, t.cap, t.as_of
                 FROM person LEFT JOIN time_off t ON t.person_id = person.id
                WHERE person.id = ? ORDER BY t.policy DESC""",
            (known_id(person_id),),
        )
        if not rows:
            raise UnknownPerson("nobody has this id")
        return [_balance(row, on) for row in rows if row[0]]


def _balance(row: Row, on: date) -> Balance:
    policy, unit, opened_on = row[0], row[1], row[6]
    available, used, monthly, cap = map(Decimal, row[2:6])
    opened = date.fromisoformat(opened_on)
    months = (on.year - opened.year) * 12 + on.month - opened.month
    # Neither an earlier day nor the cap takes anything away from what was there at the start.
    left = max(available, min(cap, available + monthly * months))
    return Balance(policy=policy, unit=unit, available=left, used=used, as_of=on)
