"""Groups that look like something one could ask for, as catalogue entries to edit.

Those with a description whose members Deskhand may change: neither protected, nor able to hold a role, nor
filled by a rule, nor synchronised from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrations.contract import Suggestion
from integrations.entra.client import Client, Json
from integrations.entra.directory import Look

_SELECT = "id,displayName,description,groupTypes,isAssignableToRole,onPremisesSyncEnabled"


def suggestions(graph: Client) -> list[Suggestion]:
    return list(_suggest(graph, Look(graph)))


def _suggest(graph: Client, look: Look) -> Iterator[Suggestion]:
    protected = {look.group_id(each) for each in graph.settings.protected}
    found = graph.all("groups", select=_SELECT, top="999")
    for group in sorted(found, key=lambda each: str(each.get("displayName") or "").lower()):
        if group["id"] in protected or not group.get("description") or not _ours_to_change(group):
            continue
        name = str(group.get("displayName") or "")
        yield Suggestion(
            key=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63],
            name=name,
            description=str(group["description"]),
            group=str(group["id"]),
            owner=_owner(graph, str(group["id"])),
        )


def _ours_to_change(group: Json) -> bool:
    by_rule = "DynamicMembership" in (group.get("groupTypes") or ())
    return not (by_rule or group.get("isAssignableToRole") or group.get("onPremisesSyncEnabled"))


def _owner(graph: Client, group: str) -> str:
    owners = graph.all("groups", group, "owners", "microsoft.graph.user", select="id,mail")
    return next((str(each["mail"]) for each in owners if each.get("mail")), "")
