"""Chat account and employee: which person stands behind an account, and where a person is reached.

On the web desk the account is the person's id: on loopback one chooses who one is. Every look-up
reads the directory afresh, so somebody who left is a stranger from that moment on.
"""

from __future__ import annotations

from bot.chat.inbound import Inbound
from integrations.contract import Directory, Person, Status, UnknownPerson


class Stranger(Exception):
    """Nobody Deskhand may serve; ``str(error)`` is for them and says nothing of the directory."""


class People:
    def __init__(self, directory: Directory, home: str) -> None:
        self._directory = directory
        self._home = home  # the platform on which everybody can be reached

    async def identify(self, inbound: Inbound) -> Person:
        """:raises Stranger: unknown, disabled, or no longer with the company
        :raises SystemDown: the directory does not answer"""
        try:
            person = await self._directory.person(inbound.account)
        except UnknownPerson as error:
            raise Stranger("I only help people of this company.") from error
        if not person.present:
            raise Stranger(
                "Your account is not active, so I cannot help you here. Please call the help desk."
            )
        return person

    def reach(self, person_id: str) -> tuple[str, str]:
        """Platform and account under which this person gets messages."""
        return self._home, person_id


def active(person: Person) -> bool:
    """At work: may decide on somebody's request."""
    return person.status is Status.ACTIVE
