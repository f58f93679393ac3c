"""Accounts of Entra: their state and a new password, after which nothing of the old sessions is left.

An application may set a password only through the profile of the user (the method for people,
resetPassword, takes no application). Entra's lock-out shows nowhere and ends by itself.
Source: https://learn.microsoft.com/graph/api/user-update
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from integrations.contract import (
    AccountDisabled,
    AccountState,
    ConnectorError,
    OutcomeUnknown,
    PasswordRefused,
    PermissionRefused,
    Secret,
    UnknownPerson,
)
from integrations.entra.client import BadRequest, Client, Json
from integrations.entra.directory import Look

_LOOK_AGAIN_S = 0.5
SYNCHRONISED = "this account comes from the company's own Active Directory: its password is changed there"


class EntraAccounts:
    """The port ``Accounts``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def state(self, person_id: str) -> AccountState:
        def work(graph: Client) -> AccountState:
            look = Look(graph)
            try:
                return state_of(look.user(person_id))
            except UnknownPerson:
                look.gone(person_id)
                return AccountState(locked=False, disabled=True, must_change=False, password_set_at=None)

        return await self._client.run(work)

    async def reset(self, person_id: str, password: Secret, *, op: str) -> None:
        """:raises PermissionRefused: for a privileged account, and for one that comes from on-premises"""

        def work(graph: Client) -> None:
            user = within_reach(Look(graph), person_id)
            if user.get("onPremisesSyncEnabled"):
                raise PermissionRefused(SYNCHRONISED)
            before = state_of(user).password_set_at
            profile = {"password": password.value, "forceChangePasswordNextSignIn": True}
            try:
                graph.write("PATCH", "users", str(user["id"]), body={"passwordProfile": profile})
            except BadRequest as error:
                raise PasswordRefused("Entra's password policy refused it") from error
            _seen(graph, str(user["id"]), before)
            revoke_sessions(graph, str(user["id"]))

        await self._client.run(work)

    async def unlock(self, person_id: str, *, op: str) -> bool:
        """Nothing to do: a lock-out of Entra ends by itself.

        :raises PermissionRefused: for a privileged account
        """

        def work(graph: Client) -> bool:
            within_reach(Look(graph), person_id)
            return False

        return await self._client.run(work)


def state_of(user: Json) -> AccountState:
    profile = user.get("passwordProfile")
    stamp = user.get("lastPasswordChangeDateTime")
    return AccountState(
        locked=False,
        disabled=user.get("accountEnabled") is not True,
        must_change=isinstance(profile, dict) and bool(profile.get("forceChangePasswordNextSignIn")),
        password_set_at=_moment(stamp) if isinstance(stamp, str) else None,
    )


def within_reach(look: Look, person_id: str) -> Json:
    """:raises UnknownPerson:, :raises PermissionRefused:, :raises AccountDisabled:"""
    try:
        user = look.user(person_id)
    except UnknownPerson:
        look.gone(person_id)
        raise AccountDisabled("the account was deleted") from None
    if look.one(user).privileged:
        raise PermissionRefused("privileged accounts are changed by their own admins only")
    if state_of(user).disabled:
        raise AccountDisabled("the account is disabled; it can be neither reset nor unlocked")
    return user


def revoke_sessions(graph: Client, person: str) -> None:
    """Whoever is signed in as them is out. :raises OutcomeUnknown: the credential is new, they may not be"""
    try:
        graph.write("POST", "users", person, "revokeSignInSessions")
    except ConnectorError as error:
        raise OutcomeUnknown(f"the new credential is set, and open sessions may go on: {error}") from error


def _seen(graph: Client, person: str, before: datetime | None) -> None:
    """Graph answers from copies: done is what they show too. :raises OutcomeUnknown:"""
    until = time.monotonic() + graph.settings.patience_s
    while (now := state_of(Look(graph).user(person)).password_set_at) is None or (before and now <= before):
        if time.monotonic() > until:
            raise OutcomeUnknown("Graph took the password and does not show it")
        time.sleep(_LOOK_AGAIN_S)


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).astimezone(UTC)
