"""Microsoft's word on who somebody is: members of the home tenant, and nobody else.

The body of an activity is not signed, so its names count for nothing: who is behind the object id is asked at
Microsoft, in a conversation that both are in.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from bot.chat.places import Place, Places
from bot.chat.platform import Account
from bot.chat.teams.api import Api, Refused

REMEMBERED_S = 60.0  # for a message; a press reads afresh
ROSTER_S = 300.0  # how long a team's list of members is believed
_REMEMBERED = 20_000
_PAGES = 40  # of 500 members
_MEMBERS = frozenset({"user", "owner", "admin", ""})  # what "userRole" says of people who belong here


class Members:
    def __init__(
        self,
        api: Api,
        tenants: frozenset[str],
        team: Place | None,
        *,
        lenient: bool,
        directory: str = "",
    ) -> None:
        """:param team: where the approvals channel is: who is in its team can be found by mail
        :param lenient: the playground's people have no proper tenant
        :param directory: the tenant that is the directory of record: its object ids are people's ids"""
        self.places: Places  # given before the first message is let in
        self._api = api
        self._team = team
        self._tenants = tenants
        self._lenient = lenient
        self._directory = directory
        self._known: OrderedDict[str, tuple[float, Account]] = OrderedDict()
        self._met: OrderedDict[str, Place] = OrderedDict()  # by a mention: Teams' own id -> where
        self._roster: dict[str, Mapping[str, Any]] = {}  # mail -> member
        self._roster_at = float("-inf")

    async def account(self, account: str, *, fresh: bool) -> Account:
        """:param account: Entra's object id, or the id in a mention. :raises PlatformDown:"""
        at, known = self._known.get(account, (0.0, None))
        if known and not fresh and time.monotonic() - at < REMEMBERED_S:
            return known
        try:
            member = await self._member(account) if account else None
        except Refused as error:
            return Account(account, refused=f"unknown to Teams ({error.code or error.status})")
        if member is None:
            return Account(account, refused="never met in Teams")
        said = self._account_of(member)
        if account not in (said.id, str(member.get("id"))):
            return Account(account, refused="Teams answers for somebody else")
        self._remember(account, said)
        return said

    async def _member(self, account: str) -> Mapping[str, Any] | None:
        """In a conversation that both are in. :raises Refused: there is none, or they left it"""
        place = self._met.get(account) or self.places.of(account) or self.team
        if place is None:
            return None
        user = place.user if account in (place.account, place.user) else account
        try:
            return await self._api.member(place.service_url, place.conversation, user)
        except Refused as error:
            if not (place.direct and error.status in (403, 404)):
                raise
        await self.places.forget(place.conversation)  # they took the app away: they may be in a team
        return await self._member(account)

    async def find(self, mail: str) -> Account | None:
        """A member of the approvals channel's team. :raises PlatformDown:"""
        member = (await self._members_of_team()).get(mail.casefold())
        return self._account_of(member) if member else None

    async def place_of(self, account: str) -> Place | None:
        """Under which id Teams knows them, for somebody who never wrote. :raises PlatformDown:"""
        if known := self.places.of(account):
            return known
        team = self.team
        for member in (await self._members_of_team()).values() if team else ():
            if team and _object_id(member) == account:
                tenant, user = str(member.get("tenantId") or team.tenant), str(member.get("id", ""))
                return Place(team.conversation, account, user, team.service_url, tenant, False)
        return None

    @property
    def team(self) -> Place | None:
        """Behind the service that was last seen there."""
        return self.places.at(self._team.conversation) or self._team if self._team else None

    def meet(self, user: str, place: Place) -> None:
        """Somebody was mentioned there."""
        self._met[user] = Place(place.conversation, "", user, place.service_url, place.tenant, False)
        if len(self._met) > _REMEMBERED:
            self._met.popitem(last=False)

    async def _members_of_team(self) -> Mapping[str, Mapping[str, Any]]:
        team = self.team
        if team is None or time.monotonic() - self._roster_at < ROSTER_S:
            return self._roster
        found: dict[str, Mapping[str, Any]] = {}
        after = ""
        for _ in range(_PAGES):
            try:
                page = await self._api.members(team.service_url, team.conversation, after)
            except Refused:  # the app is not in that team: `deskhand doctor` says so
                break
            for member in page.get("members") or ():
                if isinstance(member, Mapping) and not self._refused(member) and (mail := _mail(member)):
                    key = mail.casefold()
                    found[key] = {} if key in found else member  # an address that two have is nobody's
            after = str(page.get("continuationToken") or "")
            if not after:
                break
        self._roster = {mail: member for mail, member in found.items() if member}
        self._roster_at = time.monotonic()
        return self._roster

    def _account_of(self, member: Mapping[str, Any]) -> Account:
        """Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context"""
        account, tenant = _object_id(member), str(member.get("tenantId") or "").lower()
        person = account if self._directory and tenant == self._directory else ""
        return Account(account, person=person, mail=_mail(member), refused=self._refused(member))

    def _refused(self, member: Mapping[str, Any]) -> str:
        name = str(member.get("userPrincipalName") or "")
        if str(member.get("id", "")).startswith("28:"):
            return "a bot"
        if not _object_id(member):
            return "without an account in Entra"
        if not self._lenient and str(member.get("tenantId") or "").lower() not in self._tenants:
            return "of another tenant"
        if "#EXT#" in name.upper() or member.get("userRole") == "guest":
            return "a guest"
        return "" if str(member.get("userRole") or "").lower() in _MEMBERS else "not a member"

    def _remember(self, account: str, said: Account) -> None:
        self._known[account] = (time.monotonic(), said)
        self._known.move_to_end(account)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _object_id(member: Mapping[str, Any]) -> str:
    return str(member.get("aadObjectId") or member.get("objectId") or "").lower()


def _mail(member: Mapping[str, Any]) -> str:
    """Both are the tenant's administrators' to give, not the person's."""
    said = member.get("email") or member.get("userPrincipalName")
    return said if isinstance(said, str) and "@" in said else ""
