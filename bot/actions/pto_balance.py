"""Say how much time off is left: the sender's own, or that of somebody who reports to them."""

from __future__ import annotations

from datetime import date

from bot.chat.card import Card, Fact
from bot.procedures.action import Lookup, Params, Slot, SlotKind, World
from bot.procedures.leave import called, counted, said, today
from integrations.contract import Person


class PtoBalance(Lookup):
    name = "pto_balance"
    title = "How much time off is left"
    # The words say of what only in passing; the day says that it is a balance, or the name whose. A name is
    # written large here: of new hires and of anybody in general the rules tell.
    lead = (
        r"(?:and |so )?how (?:much|many)(?: (?:vacation|holiday|leave|pto|time off|days?|off))*"
        r"(?: (?:will|would) i have(?: left)? (?:on|by|at|in|until)\b"
        r"| (?:does|will) (?-i:[A-Z])[\w'-]+(?: (?-i:[A-Z])[\w'-]+){0,2} (?:still )?have\b)"
    )
    slots = (
        Slot("person", SlotKind.REPORT, "Whose time off do you want to see?", required=False),
        Slot("day", SlotKind.DATE, "On which day?", required=False),
    )

    async def subject(self, world: World, sender: Person, params: Params) -> Person:
        return await world.directory.person(params["person"]) if "person" in params else sender

    async def answer(self, world: World, sender: Person, subject: Person, params: Params) -> list[Card]:
        now = today(world, subject)
        day = date.fromisoformat(params["day"]) if "day" in params else now
        balances = await world.time_off.balances(subject.id, day)
        own = subject.id == sender.id
        later = day > now
        whose = f"{'You' if own else subject.name} {'will have' if later else 'have' if own else 'has'}"
        if not balances:
            return [Card(title=self.title, text=f"{whose} no time-off policy on record. HR can tell why.")]
        first = balances[0]
        return [
            Card(
                title=self.title,
                text=f"{whose} {said(first.available, first.unit)} of {called(first.policy)} left.",
                facts=tuple(
                    Fact(
                        label=each.policy,
                        value=f"{said(each.available, each.unit)} left, {counted(each.used)} used",
                    )
                    for each in balances
                ),
                footer=f"On {day:%d %b %Y}, with what is booked until then"
                if later
                else f"As of {day:%d %b %Y}",
            )
        ]


ACTION = PtoBalance()
