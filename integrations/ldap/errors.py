"""A server's result codes as the contract's named errors. By code, never by text: texts differ by vendor.

Source: RFC 4511 appendix A; for Active Directory MS-ADTS 3.1.1.3.1.9 (the hexadecimal code in front).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from integrations.contract import (
    AccountDisabled,
    ConnectorError,
    PasswordRefused,
    PermissionRefused,
    SystemDown,
    UnknownGroup,
)

SUCCESS = 0
REFERRAL = 10
NO_SUCH_ATTRIBUTE = 16
CONSTRAINT = 19
EXISTS = 20
NO_SUCH_OBJECT = 32
UNWILLING = 53
ENTRY_EXISTS = 68

_RIGHTS = frozenset({8, 13, 48, 50})  # stronger auth, confidentiality, inappropriate, insufficient rights
_CREDENTIALS = 49
_BUSY = frozenset({3, 51, 52})  # time limit, busy, unavailable
_WIN32 = re.compile(r"^([0-9A-Fa-f]{8}):")


class LdapError(ConnectorError):
    """The server refused for a reason that has no name of its own. Nothing was changed."""


def code_of(result: Mapping[str, Any]) -> int:
    return int(result.get("result", -1))


def error_of(result: Mapping[str, Any], what: str) -> ConnectorError:
    """The named error behind a result that is no success; of a write, nothing was changed."""
    code, named = code_of(result), str(result.get("description", "?"))
    win32 = _WIN32.match(str(result.get("message") or ""))
    match win32[1].upper() if win32 else "":
        case "0000052D":  # ERROR_PASSWORD_RESTRICTION
            return PasswordRefused(f"{what}: the directory's password policy refused it")
        case "00000533":  # ERROR_ACCOUNT_DISABLED
            return AccountDisabled(f"{what}: the account is disabled")
    if code in _RIGHTS:
        return PermissionRefused(f"{what}: the service account has no right to it ({code} {named})")
    if code == _CREDENTIALS:
        return PermissionRefused("LDAP_BIND_DN, LDAP_PASSWORD: the directory refuses this log-in")
    if code == CONSTRAINT:
        return PasswordRefused(f"{what}: the directory's password policy refused it")
    if code == REFERRAL:
        return SystemDown(
            f"{what}: this server only refers to another one; LDAP_URL must name a writable one"
        )
    if code == NO_SUCH_OBJECT:
        return UnknownGroup(f"{what}: it is not there (any more)")
    if code in _BUSY:
        return SystemDown(f"{what}: the directory is busy ({code} {named})")
    if code == UNWILLING:
        return PermissionRefused(f"{what}: the directory is not willing, as a read-only one is ({code})")
    return LdapError(f"{what}: {code} {named}")
