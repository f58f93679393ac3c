"""Settings of Microsoft Entra as the directory of record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.settings.part import GUID, SettingError, all_or_none, bound_names, none_empty, secret, setting

_NEEDED = ("ENTRA_TENANT_ID", "ENTRA_APP_ID")


@dataclass(frozen=True)
class EntraPart:
    entra_tenant_id: str = setting(
        "ENTRA_TENANT_ID", "", "id of the tenant: Entra instead of the embedded company"
    )
    entra_app_id: str = setting("ENTRA_APP_ID", "", "id of Deskhand's app registration in it")
    entra_certificate_file: Path | None = setting(
        "ENTRA_CERTIFICATE_FILE", None, "private key and certificate of the app, PEM; this or the next"
    )
    entra_app_secret: str = secret("ENTRA_APP_SECRET", "client secret, where there is no certificate")
    entra_groups: str = setting(
        "ENTRA_GROUPS", "", "names that rules and catalogue use: helpdesk-admins=ID, ..., ID the object id"
    )
    entra_protected: str = setting(
        "ENTRA_PROTECTED_GROUPS", "", "whose members are out of reach, by name or id, with commas between"
    )
    entra_on_leave: str = setting("ENTRA_ON_LEAVE_GROUP", "", "of those who are away, by name or id")
    entra_time_zone: str = setting("ENTRA_TIME_ZONE", "UTC", "of everybody, as an IANA name")
    entra_credential: str = setting(
        "ENTRA_CREDENTIAL", "pass", "what a reset gives: pass (for one sign-in), or password"
    )
    entra_graph_url: str = setting("ENTRA_GRAPH_URL", "https://graph.microsoft.com/v1.0", "Microsoft Graph")
    entra_login_url: str = setting(
        "ENTRA_LOGIN_URL", "https://login.microsoftonline.com", "where Deskhand gets its token for it"
    )
    entra_ca_file: Path | None = setting(
        "ENTRA_CA_FILE", None, "certificates of a private authority, PEM, where a proxy is in between"
    )

    @property
    def entra_group_names(self) -> dict[str, str]:
        """Name that rules and catalogue use -> object id."""
        return bound_names("ENTRA_GROUPS", self.entra_groups)

    @property
    def entra(self) -> bool:
        return bool(self.entra_tenant_id)

    def check_entra(self, environ: Mapping[str, str]) -> None:
        """All that Entra needs, or nothing of it. :raises SettingError:"""
        none_empty(environ, [name for name in environ if name.startswith("ENTRA_")])
        all_or_none(environ, _NEEDED)
        if not self.entra:
            return
        for name, value in (("ENTRA_TENANT_ID", self.entra_tenant_id), ("ENTRA_APP_ID", self.entra_app_id)):
            if not GUID.fullmatch(value):
                raise SettingError(f"{name}: takes an id like 01234567-89ab-cdef-0123-456789abcdef")
        if not (self.entra_certificate_file or self.entra_app_secret):
            raise SettingError("ENTRA_CERTIFICATE_FILE or ENTRA_APP_SECRET: one is needed")
        if self.entra_credential not in ("pass", "password"):
            raise SettingError("ENTRA_CREDENTIAL: takes pass or password")
        if not self.entra_protected:
            raise SettingError(
                "ENTRA_PROTECTED_GROUPS: name the groups whose members nobody may reach through a bot"
            )
        addresses = {"ENTRA_GRAPH_URL": self.entra_graph_url, "ENTRA_LOGIN_URL": self.entra_login_url}
        for name, url in addresses.items():
            if not url.startswith("https://"):
                raise SettingError(f"{name}: takes an https address")
        bound_names("ENTRA_GROUPS", self.entra_groups)
