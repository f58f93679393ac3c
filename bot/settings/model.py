"""Settings of a language model, at any endpoint that speaks OpenAI's chat completions, or at Azure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.settings.part import PRIVATE, SettingError, all_or_none, none_empty, secret, setting

_NEEDED = ("DESKHAND_MODEL_KEY", "DESKHAND_MODEL_NAME")
_PREFIX = "DESKHAND_MODEL_"
_LONGEST = timedelta(seconds=30)  # somebody waits for it


@dataclass(frozen=True)
class ModelPart:
    model_key: str = secret(
        "DESKHAND_MODEL_KEY", "key of a language model, which may only propose (docs/model.md)"
    )
    model_name: str = setting("DESKHAND_MODEL_NAME", "", "what it is called there; at Azure the deployment")
    model_url: str = setting(
        "DESKHAND_MODEL_URL", "", "base address of an endpoint like OpenAI's; empty: OpenAI's own"
    )
    model_api_version: str = setting(
        "DESKHAND_MODEL_API_VERSION", "", "version of Azure's API: the address is an Azure resource"
    )
    model_ca_file: Path | None = setting(
        "DESKHAND_MODEL_CA_FILE", None, "certificates of a private authority, PEM, of the endpoint"
    )
    model_deadline: timedelta = setting(
        "DESKHAND_MODEL_DEADLINE_S", timedelta(seconds=4), "seconds one call may take in all; at most 30"
    )
    model_daily_per_person: int = setting(
        "DESKHAND_MODEL_DAILY_PER_PERSON", 50, "calls a day (UTC) for the messages of one person"
    )
    model_daily: int = setting("DESKHAND_MODEL_DAILY", 2000, "calls a day (UTC) for everybody")

    @property
    def model(self) -> bool:
        """Whether there is one to ask."""
        return bool(self.model_key)

    def check_model(self, environ: Mapping[str, str]) -> None:
        """All that a model needs, or nothing of it. :raises SettingError:"""
        given = [name for name in environ if name.startswith(_PREFIX)]
        none_empty(environ, given)
        all_or_none(environ, _NEEDED)
        if given and not self.model:
            raise SettingError(f"DESKHAND_MODEL_KEY: is missing, and {given[0]} is there")
        if self.model_url and not PRIVATE.match(self.model_url):
            raise SettingError("DESKHAND_MODEL_URL: takes an https address; plain http only on loopback")
        if self.model_api_version and not self.model_url:
            raise SettingError("DESKHAND_MODEL_URL: is needed beside DESKHAND_MODEL_API_VERSION")
        if self.model_deadline > _LONGEST:
            raise SettingError("DESKHAND_MODEL_DEADLINE_S: takes at most 30 seconds")
