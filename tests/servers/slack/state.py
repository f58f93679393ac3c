"""What stands in the made-up workspace: people of every kind, channels, messages, views, addresses."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

TEAM, ELSEWHERE, DOMAIN, APP = "T0HOME", "T0ELSEWHERE", "alderfinch", "A0DESKHAND"
BOT_USER, BOT = "U0DESKHAND", "B0DESKHAND"
SCOPES = (
    "app_mentions:read channels:read chat:write commands groups:history groups:read im:history im:write"
    " reactions:write users:read users:read.email"
).split()

KINDS = (
    "member",
    "guest",
    "single-channel guest",
    "bot",
    "stranger",
    "deactivated",
    "other workspace",
    "unconfirmed mail",
)


@dataclass
class User:
    id: str
    mail: str
    name: str
    kind: str = "member"  # one of KINDS
    updated: int = 0  # how often it was changed

    @property
    def handle(self) -> str:
        return self.name.lower().replace(" ", ".")

    @property
    def team(self) -> str:
        return ELSEWHERE if self.kind in ("stranger", "other workspace") else TEAM

    def json(self, *, mail: bool = True) -> dict[str, Any]:
        """The user object, as users.info gives it. https://docs.slack.dev/reference/objects/user-object

        :param mail: whether the app may read it (users:read.email)
        """
        assert self.kind in KINDS, self.kind
        profile = {
            "real_name": self.name,
            "real_name_normalized": self.name,
            "display_name": self.handle,
            "display_name_normalized": self.handle,
            "team": self.team,
            **({"email": self.mail} if mail and self.kind != "bot" else {}),
        }
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.handle,
            "deleted": self.kind == "deactivated",
            "real_name": self.name,
            "tz": "Europe/Madrid",
            "tz_offset": 3600,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_bot": self.kind == "bot",
            "is_app_user": False,
            "is_restricted": self.kind in ("guest", "single-channel guest"),
            "is_ultra_restricted": self.kind == "single-channel guest",
            "is_stranger": self.kind == "stranger",
            "is_email_confirmed": self.kind != "unconfirmed mail",
            "updated": 1_700_000_000 + self.updated,
        }


@dataclass
class Channel:
    id: str
    name: str
    private: bool = False
    shared: bool = False  # with another company, by Slack Connect
    members: set[str] = field(default_factory=set)
    user: str = ""  # of a direct conversation
    messages: list[dict[str, Any]] = field(default_factory=list)
    archived: bool = False

    @property
    def type(self) -> str:
        """As in channel_type of an event."""
        return "im" if self.user else "group" if self.private else "channel"

    @property
    def shown(self) -> str:
        """Its name in the payload of a press or a command: only a public one says its own."""
        return "directmessage" if self.user else "privategroup" if self.private else self.name

    def json(self) -> dict[str, Any]:
        """https://docs.slack.dev/reference/objects/conversation-object"""
        if self.user:
            return {"id": self.id, "is_im": True, "user": self.user, "is_archived": self.archived}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.private,
            "is_group": self.private,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.private,
            "is_archived": self.archived,
            "is_general": False,
            "is_member": BOT_USER in self.members,
            "is_shared": self.shared,
            "is_ext_shared": self.shared,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
        }


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
    modals: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # the one on top is the last
    reactions: set[tuple[str, str, str]] = field(default_factory=set)
    reacted: list[tuple[str, str, str, str]] = field(default_factory=list)  # and what was done before
    reply_urls: dict[str, ReplyUrl] = field(default_factory=dict)
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)  # id -> user, until when
    exchanged: set[str] = field(default_factory=set)  # triggers that were used
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _directs: dict[str, Channel] = field(default_factory=dict)

    def new(self, prefix: str) -> str:
        return f"{prefix}{next(self.numbers):08d}"

    def ts(self) -> str:
        return f"{int(time.time())}.{next(self.numbers):06d}"

    def direct(self, user: str) -> Channel:
        """The conversation of this user with the bot."""
        if user not in self._directs:
            made = Channel(self.new("D"), "", private=True, members={user, BOT_USER}, user=user)
            self._directs[user] = self.channels[made.id] = made
        return self._directs[user]

    def find(self, channel: str, ts: str) -> dict[str, Any] | None:
        if channel not in self.channels:
            return None
        return next((m for m in self.channels[channel].messages if m["ts"] == ts), None)

    def with_ids(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Blocks as Slack gives them back: each with a block_id, each element of use with an action_id."""
        made = deepcopy(blocks)
        for block in made:
            block.setdefault("block_id", self.new("b"))
            for element in elements(block):
                element.setdefault("action_id", self.new("a"))
        return made

    def view(self, given: Mapping[str, Any], previous: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A view as Slack gives it back. https://docs.slack.dev/reference/objects/view-object

        :param previous: the one that lies under it
        """
        made = self.new("V")
        return {
            "id": made,
            "team_id": TEAM,
            "app_id": APP,
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
            "callback_id": "",
            "private_metadata": "",
            "external_id": "",
            "close": None,
            "submit": None,
            "clear_on_close": False,
            "notify_on_close": False,
            **given,
            "blocks": self.with_ids(given["blocks"]),
            "state": {"values": {}},
            "hash": self.hash(),
            "root_view_id": previous["root_view_id"] if previous else made,
            "previous_view_id": previous["id"] if previous else None,
        }

    def hash(self) -> str:
        return f"{int(time.time())}.{next(self.numbers):08x}"


def elements(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What can be pressed, chosen or filled in within one block."""
    match block.get("type"):
        case "actions":
            return list(block.get("elements", ()))
        case "input":
            return [block["element"]] if isinstance(block.get("element"), dict) else []
        case "section":
            accessory = block.get("accessory")
            return [accessory] if isinstance(accessory, dict) and accessory.get("type") != "image" else []
    return []
