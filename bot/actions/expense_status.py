"""Say what became of the sender's own expense reports."""

from __future__ import annotations

from bot.chat.card import Card, Fact
from bot.chat.clean import plain
from bot.procedures.action import Impossible, Lookup, Params, World
from integrations.contract import Person
from integrations.work import Expense

_SHOWN = 8  # the newest


class ExpenseStatus(Lookup):
    name = "expense_status"
    title = "My expenses"

    async def answer(self, world: World, sender: Person, subject: Person, params: Params) -> list[Card]:
        if world.expenses is None:
            raise Impossible("No expense system is connected to me. Finance can tell you.")
        mine = await world.expenses.expenses(subject.id)
        if not mine:
            return [Card(title=self.title, text="You have no expense report on record.")]
        newest = mine[0]
        status = plain(newest.status, 40).lower()
        return [
            Card(
                title=self.title,
                text=f"The newest: {plain(newest.title, 100)}, {_amount(newest)}: {status}.",
                facts=tuple(Fact(label=plain(each.id, 40), value=_line(each)) for each in mine[:_SHOWN]),
                footer=f"The newest {_SHOWN} of {len(mine)}" if len(mine) > _SHOWN else "",
            )
        ]


def _line(expense: Expense) -> str:
    when = f", sent in {expense.submitted_on:%d %b %Y}" if expense.submitted_on else ""
    paid = f", paid {expense.paid_on:%d %b %Y}" if expense.paid_on else ""
    return f"{plain(expense.title, 80)}: {_amount(expense)}, {plain(expense.status, 40).lower()}{when}{paid}"


def _amount(expense: Expense) -> str:
    return f"{expense.amount:,.2f} {expense.currency}"


ACTION = ExpenseStatus()
