"""Order equipment for the sender; who has to approve hangs on what it costs."""

from __future__ import annotations

from decimal import Decimal

from bot.chat.card import Fact
from bot.chat.clean import plain
from bot.procedures.action import (
    Impossible,
    Money,
    Params,
    Preview,
    Procedure,
    Run,
    Slot,
    SlotKind,
    Step,
    World,
)
from bot.procedures.steps import OpenTicket, the_help_desk, ticket_of
from integrations.contract import Person

_MOST = Decimal(1_000_000)  # of a price; beyond it somebody mistyped


class RequestEquipment(Procedure):
    name = "request_equipment"
    title = "Order equipment"
    afterwards = "The people at the help desk can still change the order: answer on its ticket."
    slots = (Slot("item", SlotKind.ITEM, "What do you need?"),)

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        desk = the_help_desk(world)
        items = await world.equipment.items() if world.equipment else []
        item = next((each for each in items if each.key == params["item"]), None)
        if item is None:
            raise Impossible("This can no longer be ordered.")
        cents = item.price * 100
        if cents != int(cents) or not 0 <= item.price <= _MOST:
            raise Impossible("Its price cannot be right, so I order nothing. The help desk can look into it.")
        name, price = plain(item.name, 80), f"{item.price:,.2f} {item.currency}"
        return Preview(
            sentence=f"Order {name} for {subject.name}, {price}",
            facts=(
                Fact(label="For", value=subject.name),
                Fact(label="Price", value=price),
                Fact(label="Ordered by", value=f"People at the help desk, in {desk.name}"),
            ),
            done=f"{name} for {subject.name} is on order.",
            amount=Money(int(cents), item.currency),
            kind=item.kind,
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (OpenTicket(),)

    async def receipt(self, run: Run, done: str) -> str:
        return f"{done} It is in {await ticket_of(run)}."


ACTION = RequestEquipment()
