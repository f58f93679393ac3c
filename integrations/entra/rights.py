"""What the app may do in the tenant, as its own token says: all that is needed, and nothing that rules it.

A token of Graph lists the permissions that an administrator consented to. It is read here to warn and to
stop, never to let anybody in. Source: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

import base64
import binascii
import json

BY_PASS, BY_PASSWORD = "UserAuthMethod-TAP.ReadWrite.All", "User-PasswordProfile.ReadWrite.All"

# Permission -> what it is for; of those two, one is enough.
NEEDED = {
    "User.Read.All": "people, their managers, and who was deleted lately",
    "GroupMember.ReadWrite.All": "who is in which group; joining and leaving",
    "RoleManagement.Read.Directory": "who holds a directory role, so is out of reach",
    BY_PASS: "passes for one sign-in",
    BY_PASSWORD: "a new password, for people who are managed in the cloud",
    "User.RevokeSessions.All": "ending open sessions after it",
}

# Whoever holds one of these can make themselves an administrator.
TOO_MUCH = frozenset(
    {
        "AppRoleAssignment.ReadWrite.All",
        "Application.ReadWrite.All",
        "Directory.ReadWrite.All",
        "Group.ReadWrite.All",
        "PrivilegedAccess.ReadWrite.AzureADGroup",
        "RoleManagement.ReadWrite.Directory",
        "User.ReadWrite.All",
        "UserAuthenticationMethod.ReadWrite.All",
    }
)


def granted(token: str) -> frozenset[str] | None:
    """None: the token does not say."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        roles = claims.get("roles")
    except (IndexError, ValueError, binascii.Error, AttributeError):
        return None
    return frozenset(map(str, roles)) if isinstance(roles, list) else None
