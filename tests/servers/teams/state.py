"""What the fake Teams knows: people, rooms, what stands in them, and who sees what."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

APP_ID = "5d6f0e6a-2b1c-4d37-9c55-0a1b2c3d4e5f"
TENANT = "11111111-2222-3333-4444-555555555555"
ELSEWHERE = "99999999-8888-7777-6666-555555555555"
BOT = f"28:{APP_ID}"

Body = dict[str, Any]


@dataclass
class User:
    aad: str
    mail: str
    name: str
    kind: str = "member"  # see ``member``
    app: bool = True  # they added the app for themselves

    @property
    def id(self) -> str:
        """As Teams' calls name them; no part of it says whose it is."""
        return "29:1" + uuid.uuid5(uuid.NAMESPACE_OID, self.aad).hex + "-_x"

    @property
    def tenant(self) -> str:
        return ELSEWHERE if self.kind in ("federated", "other tenant") else TENANT

    def member(self) -> Body:
        """Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context"""
        guest = self.kind == "guest"
        local = self.mail.replace("@", "_") + "#EXT#@home.example" if guest else self.mail
        return {
            "id": self.id,
            "name": self.name,
            "aadObjectId": "" if self.kind == "anonymous" else self.aad,
            "email": self.mail,
            "userPrincipalName": local,
            "tenantId": self.tenant,
            "userRole": {"guest": "guest", "anonymous": "anonymous"}.get(self.kind, "user"),
        }


@dataclass
class Room:
    id: str
    kind: str  # personal | channel
    members: set[str] = field(default_factory=set)  # object ids
    installed: bool = True  # the app is in it
    messages: list[Body] = field(default_factory=list)


class State:
    def __init__(self) -> None:
        self.users: dict[str, User] = {}  # by object id
        self.rooms: dict[str, Room] = {}
        self.views: dict[tuple[str, str], Body] = {}  # object id, message -> the card that they alone see
        self._numbers = itertools.count(1_764_000_000_000)

    def new_id(self) -> str:
        """A message's: unlike Slack's they repeat between rooms, which nobody should rely on."""
        return str(next(self._numbers))

    def personal(self, user: User) -> Room:
        room_id = "a:1" + uuid.uuid5(uuid.NAMESPACE_OID, "room" + user.aad).hex * 3
        if room_id not in self.rooms:
            self.rooms[room_id] = Room(room_id, "personal", {user.aad})
        room = self.rooms[room_id]
        room.installed = user.app or self.shared(user)
        return room

    def shared(self, user: User) -> bool:
        """The app is in a team that they are in: then it may write to them."""
        return any(r.kind == "channel" and r.installed and user.aad in r.members for r in self.rooms.values())

    def channel(self, name: str, *members: str) -> Room:
        room = Room(f"19:{uuid.uuid5(uuid.NAMESPACE_OID, name).hex}@thread.tacv2", "channel", set(members))
        self.rooms[room.id] = room
        return room

    def named(self, user: str) -> User | None:
        """By either id."""
        return self.users.get(user.lower()) or next((u for u in self.users.values() if u.id == user), None)


def card_of(message: Body) -> Body:
    """The Adaptive Card of a message; empty where it is words alone."""
    for attachment in message.get("attachments") or []:
        return dict(attachment["content"])
    return {}


def texts(part: Any) -> str:
    """Everything in a card that a person can read, a line each."""
    return "\n".join(_texts(part))


def _texts(part: Any) -> list[str]:
    if isinstance(part, list):
        return [said for each in part for said in _texts(each)]
    if not isinstance(part, dict):
        return []
    kind = part.get("type")
    if kind == "RichTextBlock":
        return ["".join(run["text"] for run in part["inlines"])]
    named = [str(part[name]) for name in ("label", "title", "placeholder") if name in part]
    deeper = ("body", "items", "columns", "actions", "choices")
    return named + [said for name in deeper if name in part for said in _texts(part[name])]


def actions(part: Any) -> dict[str, Body]:
    """Title -> the action behind each button that a card shows."""
    found: dict[str, Body] = {}
    if isinstance(part, list):
        for each in part:
            found |= actions(each)
    elif isinstance(part, dict):
        if str(part.get("type", "")).startswith("Action."):
            return {part["title"]: part}
        for name in ("body", "items", "columns", "actions"):
            found |= actions(part.get(name) or [])
    return found


def inputs(part: Any) -> dict[str, Body]:
    """Id -> each input of a card."""
    if isinstance(part, list):
        return {name: one for each in part for name, one in inputs(each).items()}
    if isinstance(part, dict):
        if str(part.get("type", "")).startswith("Input."):
            return {part["id"]: part}
        return inputs([part.get(name) or [] for name in ("body", "items", "columns")])
    return {}
