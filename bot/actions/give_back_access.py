"""End an access that the sender holds, before its time."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures import say
from bot.procedures.action import (
    Impossible,
    Params,
    Preview,
    Procedure,
    Run,
    Seen,
    Slot,
    SlotKind,
    Step,
    World,
)
from integrations.contract import Person


class EndGrant:
    """End the earlier request: it takes back what it gave, and only that."""

    name = "end_grant"
    no_undo = "Access that was given back is asked for anew, with everybody's approval."

    async def look(self, run: Run) -> Seen:
        return {"state": await run.world.requests.state_of(run.params["grant"])}

    def needless(self, seen: Seen) -> bool:
        return bool(seen["state"] == "ended")

    async def do(self, run: Run, seen: Seen) -> bool:
        await run.world.requests.end(run.params["grant"], run.subject.id)
        return True

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        return await run.world.requests.state_of(run.params["grant"]) == "ended"

    async def undo(self, run: Run, seen: Seen) -> None:
        """See ``no_undo``."""


class GiveBackAccess(Procedure):
    name = "give_back_access"
    title = "Give access back"
    slots = (Slot("grant", SlotKind.GRANT, "Which access do you want to give back?"),)

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        running = await world.requests.grants_of(sender.id)
        grant = next((each for each in running if each.ref == params["grant"]), None)
        if grant is None:
            raise Impossible("This access has ended already.")
        resource = world.catalogue.get(grant.resource)
        name = resource.name if resource else grant.resource
        until = say.moment(grant.ends_at, subject.time_zone) if grant.ends_at else "no fixed end"
        return Preview(
            sentence=f"Take {name} back from {subject.name} now",
            done=f"{subject.name} no longer has {name} through {grant.ref}.",
            facts=(
                Fact(label="Access", value=name),
                Fact(label="Would end", value=until),
                Fact(label="Given with", value=grant.ref),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (EndGrant(),)


ACTION = GiveBackAccess()
