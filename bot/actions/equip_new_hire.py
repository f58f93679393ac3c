"""A manager has somebody who starts equipped: a laptop, and the accesses of their department.

The parts are requests of their own: each is gated, approved and audited by itself.
"""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Params, Part, Preview, Procedure, Slot, SlotKind, Step, World
from integrations.contract import Person
from policies.catalogue import Resource

_DAYS = 90  # of each access, or as long as it can be given at most
_MINUTES_PER_DAY = 24 * 60


class EquipNewHire(Procedure):
    name = "equip_new_hire"
    title = "Equip a new hire"
    slots = (
        Slot("report", SlotKind.REPORT, "Who starts?"),
        Slot("item", SlotKind.ITEM, "Which laptop do they get?", of="laptop"),
    )

    async def subject(self, world: World, sender: Person, params: Params) -> Person:
        return await world.directory.person(params["report"])

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        accesses = world.catalogue.bundle(subject.department)
        whose = subject.department or "everybody"
        return Preview(
            sentence=f"Equip {subject.name} with a laptop and what {whose} works with",
            facts=(Fact(label="For", value=f"{subject.name}, {subject.title}"),),
            done=f"What {subject.name} needs is asked for; each part goes its own way.",
            parts=(
                Part(action="request_equipment", params={"item": params["item"]}, subject=subject.id),
                *(
                    Part(
                        action="grant_access",
                        params={"resource": each.key, "span": _span(each)},
                        subject=subject.id,
                    )
                    for each in accesses
                ),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return ()  # there is nothing beside the parts


def _span(resource: Resource) -> dict[str, int]:
    return {"minutes": min(_DAYS, resource.max_days) * _MINUTES_PER_DAY}


ACTION = EquipNewHire()
