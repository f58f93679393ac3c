"""Log-in accounts of the directory: their state, a new password, unlocking.

Active Directory takes password, must-change and unlock in one modify. OpenLDAP takes the password by RFC
3062, so that the server hashes it; the policy there (pwdMustChange) marks it as to be changed.
"""

from __future__ import annotations

from integrations.contract import (
    AccountDisabled,
    AccountState,
    ConnectorError,
    OutcomeUnknown,
    PermissionRefused,
    Secret,
)
from integrations.ldap.client import DELETE, REPLACE, Client, Entry, Flavour, Result, Session
from integrations.ldap.directory import LdapDirectory, Look
from integrations.ldap.errors import NO_SUCH_ATTRIBUTE, SUCCESS, code_of, error_of

_RESET = "password reset"


class LdapAccounts:
    """The port ``Accounts``."""

    def __init__(self, client: Client, directory: LdapDirectory) -> None:
        self._client = client
        self._directory = directory

    async def state(self, person_id: str) -> AccountState:
        def work(session: Session) -> AccountState:
            look = self._directory.look(session)
            return look.state(look.entry(person_id))

        return await self._client.run(work)

    async def reset(self, person_id: str, password: Secret, *, op: str) -> None:
        """:raises PermissionRefused: for a privileged account, whatever the directory would allow"""

        def work(session: Session) -> None:
            look = self._directory.look(session)
            entry = _within_reach(look, person_id)
            if session.flavour is Flavour.ACTIVE_DIRECTORY:
                _check(_reset_in_ad(session, entry["dn"], password))
            else:
                _reset_in_openldap(session, look, entry, password)

        await self._client.run(work)

    async def unlock(self, person_id: str, *, op: str) -> bool:
        """:raises PermissionRefused: for a privileged account"""

        def work(session: Session) -> bool:
            look = self._directory.look(session)
            entry = _within_reach(look, person_id)
            if not look.state(entry).locked:
                return False
            return _unlock(session, entry["dn"])

        return await self._client.run(work)


def _within_reach(look: Look, person_id: str) -> Entry:
    """:raises UnknownPerson:, :raises PermissionRefused:, :raises AccountDisabled:"""
    entry = look.entry(person_id)
    if look.is_privileged(entry):
        raise PermissionRefused("privileged accounts are changed by their own admins only")
    if look.state(entry).disabled:
        raise AccountDisabled("the account is disabled or expired; it can be neither reset nor unlocked")
    return entry


def _reset_in_ad(session: Session, dn: str, password: Secret) -> Result:
    """All of it or nothing of it. Source: MS-ADTS 3.1.1.3.1.5."""
    quoted = f'"{password.value}"'.encode("utf-16-le")
    return session.modify(
        dn,
        {
            "unicodePwd": [(REPLACE, [quoted])],
            "pwdLastSet": [(REPLACE, ["0"])],
            "lockoutTime": [(REPLACE, ["0"])],
        },
    )


def _reset_in_openldap(session: Session, look: Look, entry: Entry, password: Secret) -> None:
    person_id = look.schema.id_of(entry)
    _check(session.modify_password(entry["dn"], password.value))
    after = look.state(look.entry(person_id))
    try:
        if after.locked:
            _unlock(session, entry["dn"])
        if not after.must_change:  # a policy without pwdMustChange
            _check(session.modify(entry["dn"], {"pwdReset": [(REPLACE, ["TRUE"])]}))
    except ConnectorError as error:
        raise OutcomeUnknown(f"the password is set, and not marked as to be changed: {error}") from error


def _unlock(session: Session, dn: str) -> bool:
    if session.flavour is Flavour.ACTIVE_DIRECTORY:
        _check(session.modify(dn, {"lockoutTime": [(REPLACE, ["0"])]}))
        return True
    result = session.modify(dn, {"pwdAccountLockedTime": [(DELETE, [])]})
    if code_of(result) == NO_SUCH_ATTRIBUTE:
        return False  # somebody was faster
    _check(result)
    return True


def _check(result: Result) -> None:
    if code_of(result) != SUCCESS:
        raise error_of(result, _RESET)
