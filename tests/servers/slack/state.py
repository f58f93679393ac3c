"""What stands in the made-up workspace: people of every kind, channels, messages, views, addresses."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

TEAM, APP = "T0HOME", "A0DESKHAND"
BOT_USER, BOT = "U0DESKHAND", "B0DESKHAND"
SCOPES = (
    "app_mentions:read channels:read chat:write commands groups:history groups:read im:history im:write"
    " reactions:write users:read users:read.email"
).split()


@dataclass
class User:
    id: str
    mail: str
    name: str
    kind: str = "member"

    def json(self) -> dict[str, Any]:
        """The user object, as users.info gives it. https://docs.slack.dev/reference/objects/user-object"""
        other = self.kind in ("stranger", "other workspace")
        return {
            "id": self.id,
            "team_id": "T0ELSEWHERE" if other else TEAM,
            "name": self.name.lower().replace(" ", "."),
            "deleted": self.kind == "deactivated",
            "real_name": self.name,
            "tz": "Europe/Madrid",
            "profile": {"email": self.mail, "real_name": self.name, "team": TEAM},
            "is_bot": self.kind == "bot",
            "is_app_user": False,
            "is_restricted": self.kind in ("guest", "single-channel guest"),
            "is_ultra_restricted": self.kind == "single-channel guest",
            "is_stranger": self.kind == "stranger",
            "is_email_confirmed": self.kind != "unconfirmed mail",
        }

    @property
    def team(self) -> str:
        return str(self.json()["team_id"])


@dataclass
class Channel:
    id: str
    name: str
    private: bool = False
    shared: bool = False
    members: set[str] = field(default_factory=set)
    user: str = ""  # of a direct conversation
    messages: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class ReplyUrl:
    """A response_url: five uses in thirty minutes."""

    user: str
    channel: str
    ts: str = ""  # of the message that was pressed
    ephemeral: dict[str, Any] | None = None  # or the one only they see
    uses: int = 0
    made: float = field(default_factory=time.monotonic)


@dataclass
class State:
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    ephemerals: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    modals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reactions: set[tuple[str, str, str]] = field(default_factory=set)
    reacted: list[tuple[str, str, str, str]] = field(default_factory=list)  # and what was done before
    reply_urls: dict[str, ReplyUrl] = field(default_factory=dict)
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)  # id -> user, until when
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def new(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers):08d}"

    def ts(self) -> str:
        return f"{int(time.time())}.{next(self.numbers):06d}"

    def direct(self, user: str) -> Channel:
        """The conversation of this user with the bot."""
        for channel in self.channels.values():
            if channel.user == user:
                return channel
        made = Channel(self.new("D"), "", private=True, members={user, BOT_USER}, user=user)
        self.channels[made.id] = made
        return made

    def find(self, channel: str, ts: str) -> dict[str, Any] | None:
        if channel not in self.channels:
            return None
        return next((m for m in self.channels[channel].messages if m["ts"] == ts), None)
