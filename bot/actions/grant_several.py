"""Give the sender access to several resources at once; each is a request of its own, with one yes for all."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures import say
from bot.procedures.action import Params, Part, Preview, Procedure, Slot, SlotKind, Step, World
from integrations.contract import Person


class GrantSeveral(Procedure):
    name = "grant_several"
    title = "Get several accesses"
    phrased = False  # ``grant_access`` leads here, where a message names several things
    slots = (
        Slot("wishes", SlotKind.RESOURCES, "Which one do you mean?"),
        Slot("span", SlotKind.SPAN, "For how long do you need them?"),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        named = [each for each in params["wishes"] if "resource" in each]
        unknown = len(params["wishes"]) - len(named)
        names = [
            resource.name if (resource := world.catalogue.get(each["resource"])) else each["resource"]
            for each in named
        ]
        missing = Fact(label="Not in the catalogue", value=f"{unknown} of the things you named")
        return Preview(
            sentence=f"Give {subject.name} what is possible of these: {say.together(names)}",
            facts=(missing,) if unknown else (),
            done="Each is asked for, and goes its own way.",
            parts=tuple(
                Part(
                    action="grant_access",
                    params={"resource": each["resource"], "span": each.get("span", params["span"])},
                    subject=subject.id,
                )
                for each in named
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return ()  # there is nothing beside the parts


ACTION = GrantSeveral()
