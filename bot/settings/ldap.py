"""Settings of Active Directory or OpenLDAP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.settings.part import SettingError, all_or_none, bound_names, secret, setting

_NEEDED = ("LDAP_URL", "LDAP_BIND_DN", "LDAP_PASSWORD", "LDAP_PEOPLE_BASE", "LDAP_GROUPS_BASE")


@dataclass(frozen=True)
class LdapPart:
    ldap_url: str = setting(
        "LDAP_URL", "", "ldaps://HOST: Active Directory or OpenLDAP instead of the embedded company"
    )
    ldap_bind_dn: str = setting("LDAP_BIND_DN", "", "the service account, as the directory takes it")
    ldap_password: str = secret("LDAP_PASSWORD", "its password")
    ldap_people_base: str = setting("LDAP_PEOPLE_BASE", "", "where people are: OU=People,DC=corp,DC=example")
    ldap_groups_base: str = setting("LDAP_GROUPS_BASE", "", "where groups are")
    ldap_ca_file: Path | None = setting("LDAP_CA_FILE", None, "certificates of a private authority, PEM")
    ldap_groups: str = setting(
        "LDAP_GROUPS", "", "names that rules and catalogue use: helpdesk-admins=ID, ..., ID the immutable id"
    )
    ldap_protected: str = setting(
        "LDAP_PROTECTED_GROUPS", "", "whose members are out of reach, by name or id, with commas between"
    )
    ldap_on_leave: str = setting("LDAP_ON_LEAVE_GROUP", "", "of those who are away, by name or id")
    ldap_time_zone: str = setting("LDAP_TIME_ZONE", "UTC", "of everybody, as an IANA name")

    @property
    def ldap_group_names(self) -> dict[str, str]:
        """Name that rules and catalogue use -> id in the directory."""
        return bound_names("LDAP_GROUPS", self.ldap_groups)

    def check_ldap(self, environ: Mapping[str, str]) -> None:
        """All that a directory needs, or nothing of it. :raises SettingError:"""
        all_or_none(environ, _NEEDED)
        if self.ldap_url and not self.ldap_protected:
            raise SettingError(
                "LDAP_PROTECTED_GROUPS: name the groups whose members nobody may reach through a bot"
            )
        bound_names("LDAP_GROUPS", self.ldap_groups)
