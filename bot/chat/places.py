"""Where people are, for a platform that tells it only in passing.

Teams names no address for a person: each inbound says in which conversation, behind which of Microsoft's
services, and under which name of its own somebody is. What is needed to answer later is kept as plain rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """One account in one conversation."""

    conversation: str
    account: str  # the platform's immutable id
    user: str  # the id by which the platform's calls know them in conversations
    service_url: str
    tenant: str
    direct: bool  # a conversation of this account and the bot alone


class Places(Protocol):
    def of(self, account: str) -> Place | None:
        """The direct conversation, else one that they wrote in."""

    def at(self, conversation: str) -> Place | None:
        """Anybody's place in this conversation: they all stand behind the same service."""

    async def keep(self, place: Place) -> None:
        """:raises StorageDown:"""

    async def forget(self, conversation: str) -> None:
        """The app was taken away there. :raises StorageDown:"""
