"""Give the sender access to a resource of the catalogue for a time; it ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

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
from integrations.contract import Memberships, Person, UnknownGroup
from policies.catalogue import Resource


class JoinGroup:
    """Make the person a member. Somebody who is one already stays one when the grant ends."""

    name = "join_group"
    no_undo = ""

    async def look(self, run: Run) -> Seen:
        resource = _resource(run)
        seen = {"system": resource.system, "group": resource.group}
        return {**seen, "member": await _groups(run, seen).has(resource.group, run.subject.id)}

    def needless(self, seen: Seen) -> bool:
        return bool(seen["member"])

    # From here on the group is the one that was seen: what the catalogue says tomorrow is not what we gave.

    async def do(self, run: Run, seen: Seen) -> bool:
        return await _groups(run, seen).add(seen["group"], run.subject.id, op=run.op)

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        return await _groups(run, seen).has(seen["group"], run.subject.id)

    async def undo(self, run: Run, seen: Seen) -> None:
        await _groups(run, seen).remove(seen["group"], run.subject.id, op=f"{run.op}:undo")


class GrantAccess(Procedure):
    name = "grant_access"
    title = "Get access"
    several = "grant_several"
    slots = (
        Slot("resource", SlotKind.RESOURCE, "What do you need access to?"),
        Slot("span", SlotKind.SPAN, "For how long do you need it?"),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        resource = world.catalogue.get(params["resource"])
        if resource is None:
            raise Impossible("This can no longer be asked for.")
        starts, ends, minutes = _times(params["span"], world.now)
        if starts and starts <= world.now:
            starts = None
        if ends and ends <= world.now:
            raise Impossible("That time is over already. Please ask again with a later one.")
        how_long = say.length(minutes) if ends is None else f"until {say.moment(ends, subject.time_zone)}"
        timed = f"for {how_long}" if ends is None else how_long
        begins = say.moment(starts, subject.time_zone) if starts else "As soon as it is approved"
        stop = say.moment(ends, subject.time_zone) if ends else f"{say.length(minutes)} after that, by itself"
        return Preview(
            sentence=f"Give {subject.name} access to {resource.name} {timed}",
            facts=(
                Fact(label="Access", value=resource.name),
                Fact(label="Sensitivity", value=resource.sensitivity.value.capitalize()),
                Fact(label="Begins", value=begins),
                Fact(label="Ends", value=stop),
            ),
            done=f"{subject.name} has access to {resource.name}{'' if ends is None else f' {how_long}'}.",
            resource=resource,
            minutes=minutes,
            starts_at=starts,
            ends_at=ends,
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (JoinGroup(),)


def _times(span: dict[str, Any], now: datetime) -> tuple[datetime | None, datetime | None, int]:
    """Start, fixed end, and the longest it can last in minutes (from now: the rules count all of it)."""
    if "minutes" in span:
        return None, None, int(span["minutes"])
    starts = datetime.fromisoformat(span["from"]) if "from" in span else None
    ends = datetime.fromisoformat(span["until"])
    lasts = ends - max(starts or now, now)
    return starts, ends, max(1, -(-lasts // timedelta(minutes=1)))


def _groups(run: Run, seen: Seen) -> Memberships:
    return run.world.groups_in(str(seen.get("system", "")))


def _resource(run: Run) -> Resource:
    resource = run.world.catalogue.get(run.params["resource"])
    if resource is None:
        raise UnknownGroup(f"the catalogue has no {run.params['resource']} any more")
    return resource


ACTION = GrantAccess()
