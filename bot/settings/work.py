"""Settings of the systems people work with: time off, tickets, purchasing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.settings.part import PRIVATE, SettingError, all_or_none, none_empty, secret, setting

_BAMBOOHR = ("BAMBOOHR_COMPANY", "BAMBOOHR_API_KEY")
_JIRA = ("JIRA_URL", "JIRA_ACCOUNT", "JIRA_API_TOKEN", "JIRA_SERVICE_DESK", "JIRA_REQUEST_TYPE")
_BACKOFFICE = ("BACKOFFICE_URL", "BACKOFFICE_TOKEN")
PREFIXES = ("BAMBOOHR_", "JIRA_", "BACKOFFICE_")


@dataclass(frozen=True)
class WorkPart:
    holidays: str = setting(
        "DESKHAND_HOLIDAYS",
        "",
        "public holidays by time zone: Europe/Berlin=DE-BE, *=none; empty: those of the zone's country",
    )
    tickets_poll: timedelta = setting(
        "DESKHAND_TICKETS_POLL_S", timedelta(seconds=15), "seconds until an open ticket is looked at again"
    )
    bamboohr_company: str = setting(
        "BAMBOOHR_COMPANY", "", "COMPANY of COMPANY.bamboohr.com: time off is kept in BambooHR"
    )
    bamboohr_api_key: str = secret("BAMBOOHR_API_KEY", "key of a user who may see and enter time off")
    bamboohr_url: str = setting(
        "BAMBOOHR_URL", "https://api.bamboohr.com/api/gateway.php", "where BambooHR's API is"
    )
    bamboohr_ca_file: Path | None = setting(
        "BAMBOOHR_CA_FILE", None, "certificates of a private authority, PEM, of a BambooHR that is no other"
    )
    jira_url: str = setting(
        "JIRA_URL", "", "https://SITE.atlassian.net: tickets are opened in Jira Service Management"
    )
    jira_account: str = setting("JIRA_ACCOUNT", "", "mail of the account that opens them, an agent")
    jira_api_token: str = secret("JIRA_API_TOKEN", "its API token")
    jira_service_desk: str = setting("JIRA_SERVICE_DESK", "", "id of the service desk")
    jira_request_type: str = setting("JIRA_REQUEST_TYPE", "", "id of the request type for help")
    jira_equipment_type: str = setting(
        "JIRA_EQUIPMENT_REQUEST_TYPE", "", "that for equipment; empty: the one for help"
    )
    jira_ca_file: Path | None = setting("JIRA_CA_FILE", None, "certificates of a private authority, PEM")
    backoffice_url: str = setting(
        "BACKOFFICE_URL", "", "where equipment and expenses are asked for (docs/backoffice.md)"
    )
    backoffice_token: str = secret("BACKOFFICE_TOKEN", "its bearer token")
    backoffice_ca_file: Path | None = setting(
        "BACKOFFICE_CA_FILE", None, "certificates of a private authority, PEM"
    )

    def check_work(self, environ: Mapping[str, str]) -> None:
        """All that a system needs, or nothing of it. :raises SettingError:"""
        none_empty(environ, [name for name in environ if name.startswith(PREFIXES)])
        for needed in (_BAMBOOHR, _JIRA, _BACKOFFICE):
            all_or_none(environ, needed)
        if self.bamboohr_company and not re.fullmatch(r"[A-Za-z0-9-]{1,100}", self.bamboohr_company):
            raise SettingError("BAMBOOHR_COMPANY: takes the COMPANY of COMPANY.bamboohr.com")
        for name, url in (
            ("BAMBOOHR_URL", self.bamboohr_url),
            ("JIRA_URL", self.jira_url),
            ("BACKOFFICE_URL", self.backoffice_url),
        ):
            if url and not PRIVATE.match(url):
                raise SettingError(f"{name}: takes an https address; plain http only on loopback")
