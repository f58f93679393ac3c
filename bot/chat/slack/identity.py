"""Slack's word on who somebody is: full members of the home workspace, and nobody else."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from bot.chat.platform import Account
from bot.chat.slack.api import Api, Refused

REMEMBERED_S = 60.0  # for a message; a press reads afresh, and Slack tells of changes in between
_REMEMBERED = 20_000
_NOBODY = frozenset({"user_not_found", "users_not_found", "user_not_visible"})


class Members:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: OrderedDict[str, tuple[float, Account]] = OrderedDict()
        self.team = ""  # the home workspace, once connected

    async def account(self, user: str, *, fresh: bool) -> Account:
        """:raises PlatformDown:"""
        at, known = self._known.get(user, (0.0, None))
        if known and not fresh and time.monotonic() - at < REMEMBERED_S:
            return known
        try:
            answer = await self._api.call("users.info", user=user)
        except Refused as error:
            return Account(user, refused=f"unknown to Slack ({error.code})")
        return self._remember(account_of(answer.get("user"), self.team))

    async def find(self, mail: str) -> Account | None:
        """:raises PlatformDown:"""
        try:
            answer = await self._api.call("users.lookupByEmail", email=mail)
        except Refused as error:
            if error.code not in _NOBODY:
                raise
            return None
        return self._remember(account_of(answer.get("user"), self.team))

    def forget(self, user: str) -> None:
        """Slack says that something about them has changed."""
        self._known.pop(user, None)

    def _remember(self, account: Account) -> Account:
        self._known[account.id] = (time.monotonic(), account)
        self._known.move_to_end(account.id)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return account


def account_of(user: Any, team: str) -> Account:
    """What ``users.info`` says. Source: https://docs.slack.dev/reference/objects/user-object"""
    if not isinstance(user, dict) or not isinstance(user.get("id"), str):
        return Account("", refused="unknown to Slack")
    profile = user.get("profile")
    mail = profile.get("email") if isinstance(profile, dict) else None
    confirmed = user.get("is_email_confirmed") is True and isinstance(mail, str)
    return Account(user["id"], mail=mail if confirmed and mail else "", refused=_refused(user, team))


def _refused(user: Mapping[str, Any], team: str) -> str:
    if user.get("deleted"):
        return "deactivated"
    if user.get("is_bot") or user.get("is_workflow_bot") or user["id"] == "USLACKBOT":
        return "a bot"
    if user.get("is_stranger") or not team or user.get("team_id") != team:
        return "of another workspace"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "a guest"
    if user.get("is_invited_user"):
        return "invited, never joined"
    return "mail not confirmed" if user.get("is_email_confirmed") is False else ""
