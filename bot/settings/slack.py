"""Settings of Slack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.settings.part import PRIVATE, SettingError, none_empty, secret, setting

_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")


@dataclass(frozen=True)
class SlackPart:
    slack_bot_token: str = secret("SLACK_BOT_TOKEN", "xoxb-...; connects Slack, with one of the next two")
    slack_app_token: str = secret("SLACK_APP_TOKEN", "xapp-...; Socket Mode: no public address needed")
    slack_signing_secret: str = secret("SLACK_SIGNING_SECRET", "signed HTTP, where there is no app token")
    slack_approvals: str = setting("SLACK_APPROVALS_CHANNEL", "", "id of a private channel for approvals")
    slack_help_desk: str = setting(
        "SLACK_HELP_DESK_CHANNEL", "", "id of a private channel of the people at the help desk"
    )
    slack_api_url: str = setting(
        "SLACK_API_URL", "https://slack.com/api/", "Slack's Web API; GovSlack has one of its own"
    )

    @property
    def slack(self) -> bool:
        """Whether Slack is to be connected."""
        return bool(self.slack_bot_token)

    def check_slack(self, environ: Mapping[str, str]) -> None:
        """All that Slack needs, or nothing of it: half a setting must not pass for a connection."""
        names = (
            "SLACK_BOT_TOKEN",
            "SLACK_APP_TOKEN",
            "SLACK_SIGNING_SECRET",
            "SLACK_APPROVALS_CHANNEL",
            "SLACK_HELP_DESK_CHANNEL",
        )
        none_empty(environ, list(names))
        if not self.slack:
            if given := [name for name in names if name in environ]:
                raise SettingError(f"SLACK_BOT_TOKEN: is missing, and {given[0]} is there")
            return
        if not self.slack_bot_token.startswith("xoxb-"):
            raise SettingError("SLACK_BOT_TOKEN: takes a bot token, which begins with xoxb-")
        if self.slack_app_token and not self.slack_app_token.startswith("xapp-"):
            raise SettingError("SLACK_APP_TOKEN: takes an app-level token, which begins with xapp-")
        if not (self.slack_app_token or self.slack_signing_secret):
            raise SettingError(
                "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (signed HTTP): one is needed"
            )
        for name, channel in (
            ("SLACK_APPROVALS_CHANNEL", self.slack_approvals),
            ("SLACK_HELP_DESK_CHANNEL", self.slack_help_desk),
        ):
            if channel and not _CHANNEL.fullmatch(channel):
                raise SettingError(f"{name}: takes the id of a channel, like C0123456789")
        if not (PRIVATE.match(self.slack_api_url) and self.slack_api_url.endswith("/")):
            raise SettingError("SLACK_API_URL: takes an https address that ends in /")
