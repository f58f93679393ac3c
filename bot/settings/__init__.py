"""Every setting once, with its default, unit and meaning. Nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

from bot.settings.ldap import LdapPart
from bot.settings.model import ModelPart
from bot.settings.part import SettingError, parse
from bot.settings.sign_in import SignInPart
from bot.settings.slack import SlackPart
from bot.settings.teams import TeamsPart
from bot.settings.work import PREFIXES as WORK
from bot.settings.work import WorkPart

__all__ = ["PREFIXES", "SettingError", "Settings"]

PREFIXES = ("DESKHAND_", "SLACK_", "TEAMS_", "LDAP_", "ENTRA_", "OIDC_", *WORK)  # of every setting there is


@dataclass(frozen=True)
class Settings(SignInPart, LdapPart, WorkPart, ModelPart, SlackPart, TeamsPart):
    """What can be set, by environment variables. ``deskhand doctor`` prints them all."""

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """:raises SettingError: for a value that does not fit, or a DESKHAND_ name that is not known"""
        environ = os.environ if environ is None else environ
        known = {each.metadata["name"]: each for each in fields(cls)}
        if unknown := sorted(name for name in environ if name.startswith("DESKHAND_") and name not in known):
            raise SettingError(f"{', '.join(unknown)}: no such setting; `deskhand doctor` lists them all")
        given = {
            each.name: parse(name, environ[name], each.default)
            for name, each in known.items()
            if environ.get(name, "").strip()
        }
        settings = cls(**given)
        settings.check_desk()
        settings.check_slack(environ)
        settings.check_teams(environ)
        settings.check_ldap(environ)
        settings.check_entra(environ)
        settings.check_sign_in(environ)
        settings.check_work(environ)
        settings.check_model(environ)
        return settings

    @property
    def directory_tenant(self) -> str:
        """The tenant whose object ids are people's ids: Entra is the directory of record. Else empty."""
        return self.entra_tenant_id.lower() if self.entra and not self.ldap_url else ""

    @property
    def beyond_loopback(self) -> bool:
        """Whether the web desk may be reached from other machines: people sign in, over TLS."""
        return self.signs_in and self.public_url.startswith("https://")

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, present value and meaning of each setting."""
        return [(each.metadata["name"], self._shown(each), each.metadata["meaning"]) for each in fields(self)]

    def _shown(self, each: Field[Any]) -> str:
        value = getattr(self, each.name)
        if isinstance(value, bool):
            return "yes" if value else "no"
        value = "" if value is None else str(value)
        return "(set)" if value and each.metadata.get("secret") else value
