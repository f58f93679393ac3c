"""Settings of Microsoft Teams."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.settings.desk import DeskPart
from bot.settings.part import GUID, PRIVATE, SettingError, none_empty, secret, setting

_CHANNEL = re.compile(r"19:[A-Za-z0-9_-]{1,100}@thread\.(tacv2|skype|v2)")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class TeamsPart(DeskPart):
    teams_app_id: str = setting("TEAMS_APP_ID", "", "id of the bot registration; connects Teams")
    teams_tenant_id: str = setting("TEAMS_TENANT_ID", "", "id of the company's tenant, the app's home")
    teams_certificate_file: Path | None = setting(
        "TEAMS_CERTIFICATE_FILE", None, "private key and certificate of the app, PEM; this or the next"
    )
    teams_app_secret: str = secret("TEAMS_APP_SECRET", "client secret, where there is no certificate")
    teams_other_tenants: str = setting(
        "TEAMS_OTHER_TENANTS", "", "ids of further tenants whose people are ours, with commas between"
    )
    teams_approvals: str = setting(
        "TEAMS_APPROVALS_CHANNEL", "", "id of a channel for approvals: 19:...@thread.tacv2"
    )
    teams_help_desk: str = setting(
        "TEAMS_HELP_DESK_CHANNEL", "", "id of a channel of the people at the help desk: 19:...@thread.tacv2"
    )
    teams_service_url: str = setting(
        "TEAMS_SERVICE_URL",
        "https://smba.trafficmanager.net/teams/",
        "Microsoft's service, until it names one",
    )
    teams_login_url: str = setting(
        "TEAMS_LOGIN_URL", "https://login.microsoftonline.com", "where Deskhand gets its own token"
    )
    teams_openid_url: str = setting(
        "TEAMS_OPENID_URL",
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        "whose tokens are let in",
    )
    teams_playground: bool = setting(
        "TEAMS_PLAYGROUND", False, "yes: Microsoft's local playground, without any tokens; loopback only"
    )

    @property
    def teams(self) -> bool:
        """Whether Teams is to be connected."""
        return bool(self.teams_app_id) or self.teams_playground

    @property
    def teams_tenants(self) -> frozenset[str]:
        """Whose people are served."""
        others = {each.strip().lower() for each in self.teams_other_tenants.split(",")}
        return frozenset({self.teams_tenant_id.lower(), *others} - {""})

    def check_teams(self, environ: Mapping[str, str]) -> None:
        """All that Teams needs, or nothing of it; without an app id, a playground on this machine alone."""
        given = [name for name in environ if name.startswith("TEAMS_")]
        none_empty(environ, given)
        if self.teams_playground:
            self._check_playground()
            return
        if not self.teams_app_id:
            if given := [name for name in given if name != "TEAMS_PLAYGROUND"]:
                raise SettingError(f"TEAMS_APP_ID: is missing, and {given[0]} is there")
            return
        self._check_ids()
        if not (self.teams_certificate_file or self.teams_app_secret):
            raise SettingError("TEAMS_CERTIFICATE_FILE or TEAMS_APP_SECRET: one is needed")
        for name, channel in (
            ("TEAMS_APPROVALS_CHANNEL", self.teams_approvals),
            ("TEAMS_HELP_DESK_CHANNEL", self.teams_help_desk),
        ):
            if channel and not _CHANNEL.fullmatch(channel):
                raise SettingError(f"{name}: takes the id of a channel, like 19:abc@thread.tacv2")
        for name in ("TEAMS_SERVICE_URL", "TEAMS_OPENID_URL", "TEAMS_LOGIN_URL"):
            if not PRIVATE.match(environ.get(name, "https://x")):
                raise SettingError(f"{name}: takes an https address")

    def _check_ids(self) -> None:
        named = [("TEAMS_APP_ID", self.teams_app_id), ("TEAMS_TENANT_ID", self.teams_tenant_id)]
        named += [("TEAMS_OTHER_TENANTS", tenant) for tenant in self.teams_tenants]
        for name, value in named:
            if not GUID.fullmatch(value):
                raise SettingError(f"{name}: takes an id like 01234567-89ab-cdef-0123-456789abcdef")

    def _check_playground(self) -> None:
        if self.teams_app_id:
            raise SettingError("TEAMS_PLAYGROUND: lets anybody in, so it cannot be set beside TEAMS_APP_ID")
        if self.host not in _LOOPBACK or (self.public_url and not self.public_url.startswith("http://")):
            raise SettingError(
                "TEAMS_PLAYGROUND: lets anybody in, so DESKHAND_HOST and PUBLIC_URL stay on loopback"
            )
