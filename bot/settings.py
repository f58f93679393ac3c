"""Every setting once, with its default, unit and meaning. Nothing else reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

_HOME = Path(__file__).resolve().parent.parent
PREFIXES = ("DESKHAND_", "SLACK_", "TEAMS_", "LDAP_")  # of every setting there is

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TEAMS_CHANNEL = re.compile(r"19:[A-Za-z0-9_-]{1,100}@thread\.(tacv2|skype|v2)")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_PRIVATE = re.compile(r"https://[^/\s]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


class SettingError(Exception):
    """A setting cannot be used; names it and says what it takes."""


def _setting(name: str, default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"name": name, "meaning": meaning})


def _secret(name: str, meaning: str) -> Any:
    """Never printed, neither by ``deskhand doctor`` nor by a traceback."""
    return field(default="", repr=False, metadata={"name": name, "meaning": meaning, "secret": True})


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, by environment variables. ``deskhand doctor`` prints them all."""

    data: Path = _setting("DESKHAND_DATA", _HOME / "data", "folder of the databases and keys")
    host: str = _setting("DESKHAND_HOST", "127.0.0.1", "address the web desk listens on; loopback only")
    port: int = _setting("DESKHAND_PORT", 8080, "port of the web desk and the reveal page")
    public_url: str = _setting(
        "DESKHAND_PUBLIC_URL", "", "where browsers reach the reveal page; empty: this host and port"
    )
    policies: Path = _setting("DESKHAND_POLICIES", _HOME / "policies", "folder of rules and catalogue")
    company_seed: Path | None = _setting(
        "DESKHAND_COMPANY_SEED", None, "folder of seed files for another embedded company"
    )
    admins: str = _setting(
        "DESKHAND_ADMINS", "helpdesk-admins", "group told of trouble, and let see the audit"
    )
    fallback: str = _setting(
        "DESKHAND_FALLBACK_APPROVERS", "helpdesk-approvers", "group that decides where no manager can"
    )
    remind_after: timedelta = _setting(
        "DESKHAND_REMIND_AFTER_S", timedelta(hours=4), "seconds until an approver is reminded"
    )
    expire_after: timedelta = _setting(
        "DESKHAND_EXPIRE_AFTER_S", timedelta(hours=24), "seconds until an undecided request expires"
    )
    reveal_for: timedelta = _setting(
        "DESKHAND_REVEAL_FOR_S", timedelta(minutes=10), "seconds a new credential can be shown; at most 600"
    )
    requests_per_minute: int = _setting(
        "DESKHAND_REQUESTS_PER_MINUTE", 10, "messages of one person acted upon"
    )
    open_per_person: int = _setting(
        "DESKHAND_OPEN_PER_PERSON", 10, "requests one person may have under way at once"
    )
    slack_bot_token: str = _secret("SLACK_BOT_TOKEN", "xoxb-...; connects Slack, with one of the next two")
    slack_app_token: str = _secret("SLACK_APP_TOKEN", "xapp-...; Socket Mode: no public address needed")
    slack_signing_secret: str = _secret("SLACK_SIGNING_SECRET", "signed HTTP, where there is no app token")
    slack_approvals: str = _setting("SLACK_APPROVALS_CHANNEL", "", "id of a private channel for approvals")
    slack_api_url: str = _setting(
        "SLACK_API_URL", "https://slack.com/api/", "Slack's Web API; GovSlack has one of its own"
    )
    teams_app_id: str = _setting("TEAMS_APP_ID", "", "id of the bot registration; connects Teams")
    teams_tenant_id: str = _setting("TEAMS_TENANT_ID", "", "id of the company's tenant, the app's home")
    teams_certificate_file: Path | None = _setting(
        "TEAMS_CERTIFICATE_FILE", None, "private key and certificate of the app, PEM; this or the next"
    )
    teams_app_secret: str = _secret("TEAMS_APP_SECRET", "client secret, where there is no certificate")
    teams_other_tenants: str = _setting(
        "TEAMS_OTHER_TENANTS", "", "ids of further tenants whose people are ours, with commas between"
    )
    teams_approvals: str = _setting(
        "TEAMS_APPROVALS_CHANNEL", "", "id of a channel for approvals: 19:...@thread.tacv2"
    )
    teams_service_url: str = _setting(
        "TEAMS_SERVICE_URL",
        "https://smba.trafficmanager.net/teams/",
        "Microsoft's service, until it names one",
    )
    teams_login_url: str = _setting(
        "TEAMS_LOGIN_URL", "https://login.microsoftonline.com", "where Deskhand gets its own token"
    )
    teams_openid_url: str = _setting(
        "TEAMS_OPENID_URL",
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        "whose tokens are let in",
    )
    teams_playground: bool = _setting(
        "TEAMS_PLAYGROUND", False, "yes: Microsoft's local playground, without any tokens; loopback only"
    )
    ldap_url: str = _setting(
        "LDAP_URL", "", "ldaps://HOST: Active Directory or OpenLDAP instead of the embedded company"
    )
    ldap_bind_dn: str = _setting("LDAP_BIND_DN", "", "the service account, as the directory takes it")
    ldap_password: str = _secret("LDAP_PASSWORD", "its password")
    ldap_people_base: str = _setting("LDAP_PEOPLE_BASE", "", "where people are: OU=People,DC=corp,DC=example")
    ldap_groups_base: str = _setting("LDAP_GROUPS_BASE", "", "where groups are")
    ldap_ca_file: Path | None = _setting("LDAP_CA_FILE", None, "certificates of a private authority, PEM")
    ldap_groups: str = _setting(
        "LDAP_GROUPS", "", "names that rules and catalogue use: helpdesk-admins=ID, ..., ID the immutable id"
    )
    ldap_protected: str = _setting(
        "LDAP_PROTECTED_GROUPS", "", "whose members are out of reach, by name or id, with commas between"
    )
    ldap_on_leave: str = _setting("LDAP_ON_LEAVE_GROUP", "", "of those who are away, by name or id")
    ldap_time_zone: str = _setting("LDAP_TIME_ZONE", "UTC", "of everybody, as an IANA name")
    log_level: str = _setting("DESKHAND_LOG_LEVEL", "info", "debug, info, warning or error")

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """:raises SettingError: for a value that does not fit, or a DESKHAND_ name that is not known"""
        environ = os.environ if environ is None else environ
        known = {each.metadata["name"]: each for each in fields(cls)}
        if unknown := sorted(name for name in environ if name.startswith("DESKHAND_") and name not in known):
            raise SettingError(f"{', '.join(unknown)}: no such setting; `deskhand doctor` lists them all")
        given = {
            each.name: _parse(name, environ[name], each.default)
            for name, each in known.items()
            if environ.get(name, "").strip()
        }
        settings = cls(**given)
        if settings.port > 65_535:
            raise SettingError("DESKHAND_PORT: takes 1 to 65535")
        if not timedelta(0) < settings.reveal_for <= timedelta(minutes=10):
            raise SettingError("DESKHAND_REVEAL_FOR_S: takes 1 to 600 seconds")
        _check_slack(settings, environ)
        _check_teams(settings, environ)
        _check_ldap(settings, environ)
        if settings.public_url and not _PRIVATE.match(settings.public_url):
            raise SettingError("DESKHAND_PUBLIC_URL: takes an https address; plain http only on loopback")
        return settings

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, present value and meaning of each setting."""
        return [(each.metadata["name"], self._shown(each), each.metadata["meaning"]) for each in fields(self)]

    @property
    def group_names(self) -> dict[str, str]:
        """Name that rules and catalogue use -> id in the directory."""
        pairs = (each.strip().partition("=") for each in self.ldap_groups.split(",") if each.strip())
        return {name: group_id.lower() for name, _, group_id in pairs}

    def _shown(self, each: Field[Any]) -> str:
        value = getattr(self, each.name)
        value = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        return "(set)" if value and each.metadata.get("secret") else value

    @property
    def slack(self) -> bool:
        """Whether Slack is to be connected."""
        return bool(self.slack_bot_token)

    @property
    def teams(self) -> bool:
        """Whether Teams is to be connected."""
        return bool(self.teams_app_id) or self.teams_playground

    @property
    def teams_tenants(self) -> frozenset[str]:
        """Whose people are served."""
        others = {each.strip().lower() for each in self.teams_other_tenants.split(",")}
        return frozenset({self.teams_tenant_id.lower(), *others} - {""})


def _check_slack(settings: Settings, environ: Mapping[str, str]) -> None:
    """All that Slack needs, or nothing of it: half a setting must not pass for a connection."""
    names = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APPROVALS_CHANNEL")
    for name in names:
        if name in environ and not environ[name].strip():
            raise SettingError(f"{name}: is empty; give it a value, or take it out")
    if not settings.slack:
        if given := [name for name in names if name in environ]:
            raise SettingError(f"SLACK_BOT_TOKEN: is missing, and {given[0]} is there")
        return
    if not settings.slack_bot_token.startswith("xoxb-"):
        raise SettingError("SLACK_BOT_TOKEN: takes a bot token, which begins with xoxb-")
    if settings.slack_app_token and not settings.slack_app_token.startswith("xapp-"):
        raise SettingError("SLACK_APP_TOKEN: takes an app-level token, which begins with xapp-")
    if not (settings.slack_app_token or settings.slack_signing_secret):
        raise SettingError(
            "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (signed HTTP): one is needed"
        )
    if settings.slack_approvals and not _CHANNEL.fullmatch(settings.slack_approvals):
        raise SettingError("SLACK_APPROVALS_CHANNEL: takes the id of a channel, like C0123456789")
    if not (_PRIVATE.match(settings.slack_api_url) and settings.slack_api_url.endswith("/")):
        raise SettingError("SLACK_API_URL: takes an https address that ends in /")


def _check_teams(settings: Settings, environ: Mapping[str, str]) -> None:
    """All that Teams needs, or nothing of it; without an app id, a playground on this machine and no more."""
    given = [name for name in environ if name.startswith("TEAMS_")]
    if empty := [name for name in given if not environ[name].strip()]:
        raise SettingError(f"{empty[0]}: is empty; give it a value, or take it out")
    if settings.teams_playground:
        _check_playground(settings)
        return
    if not settings.teams_app_id:
        if given := [name for name in given if name != "TEAMS_PLAYGROUND"]:
            raise SettingError(f"TEAMS_APP_ID: is missing, and {given[0]} is there")
        return
    _check_ids(settings)
    if not (settings.teams_certificate_file or settings.teams_app_secret):
        raise SettingError("TEAMS_CERTIFICATE_FILE or TEAMS_APP_SECRET: one is needed")
    if settings.teams_approvals and not _TEAMS_CHANNEL.fullmatch(settings.teams_approvals):
        raise SettingError("TEAMS_APPROVALS_CHANNEL: takes the id of a channel, like 19:abc@thread.tacv2")
    for name in ("TEAMS_SERVICE_URL", "TEAMS_OPENID_URL", "TEAMS_LOGIN_URL"):
        if not _PRIVATE.match(environ.get(name, "https://x")):
            raise SettingError(f"{name}: takes an https address")


def _check_ids(settings: Settings) -> None:
    named = [("TEAMS_APP_ID", settings.teams_app_id), ("TEAMS_TENANT_ID", settings.teams_tenant_id)]
    named += [("TEAMS_OTHER_TENANTS", tenant) for tenant in settings.teams_tenants]
    for name, value in named:
        if not _GUID.fullmatch(value):
            raise SettingError(f"{name}: takes an id like 01234567-89ab-cdef-0123-456789abcdef")


def _check_playground(settings: Settings) -> None:
    if settings.teams_app_id:
        raise SettingError("TEAMS_PLAYGROUND: lets anybody in, so it cannot be set beside TEAMS_APP_ID")
    if settings.host not in _LOOPBACK or (
        settings.public_url and not settings.public_url.startswith("http://")
    ):
        raise SettingError(
            "TEAMS_PLAYGROUND: lets anybody in, so DESKHAND_HOST and PUBLIC_URL stay on loopback"
        )


def _check_ldap(settings: Settings, environ: Mapping[str, str]) -> None:
    """All that a directory needs, or nothing of it."""
    needed = ("LDAP_URL", "LDAP_BIND_DN", "LDAP_PASSWORD", "LDAP_PEOPLE_BASE", "LDAP_GROUPS_BASE")
    given = [name for name in needed if name in environ]
    missing = [name for name in needed if not environ.get(name, "").strip()]
    if given and missing:
        raise SettingError(f"{', '.join(missing)}: needed beside {given[0]}")
    if settings.ldap_url and not settings.ldap_protected:
        raise SettingError(
            "LDAP_PROTECTED_GROUPS: name the groups whose members nobody may reach through a bot"
        )
    for pair in filter(None, (each.strip() for each in settings.ldap_groups.split(","))):
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*=[0-9a-fA-F-]{36}", pair):
            raise SettingError(f"LDAP_GROUPS: {pair!r} is no name=ID with the id of an entry")


_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def _parse(name: str, text: str, default: Any) -> Any:
    text = text.strip()
    try:
        if isinstance(default, bool):
            return _YES_NO[text.lower()]
        if isinstance(default, timedelta):
            return timedelta(seconds=_positive(float(text)))
        if isinstance(default, int):
            return _positive(int(text))
    except KeyError as error:
        raise SettingError(f"{name}: takes yes or no") from error
    except ValueError as error:
        raise SettingError(f"{name}: takes a number above 0, not {text!r}") from error
    return Path(text).expanduser().resolve() if isinstance(default, Path) or default is None else text


def _positive(number: Any) -> Any:
    if not number > 0 or number > 10**9:
        raise ValueError(number)
    return number
