"""What everybody may say of themselves, in these very words: where they are told, and their authenticator.

notify me in teams|slack|the web desk|here|where I write     set up my authenticator
"""

from __future__ import annotations

import re

from bot.chat.card import Card, Tone
from bot.chat.inbound import Inbound
from bot.procedures.enrolment import Enrolments
from bot.procedures.office import Office
from integrations.contract import Person

_NOTIFY = re.compile(
    r"(?:please )?(?:notify|message|reach|contact|write to) me (?:(?:in|on|over|via|by) )?"
    r"(?:(?:microsoft |ms )?(teams)|(slack)|(?:the )?(web)(?: desk)?|(here)|(where(?:ver)? i write))[.!]?",
    re.IGNORECASE,
)


_AUTHENTICATOR = re.compile(
    r"(?:please )?(?:set up|setup|enrol|enroll|add|register|replace|change) (?:my |an? |the )?(?:new )?"
    r"authenticator(?: app)?(?: please)?[.!]?",
    re.IGNORECASE,
)


class Wishes:
    def __init__(self, office: Office) -> None:
        self._office = office
        self._enrolments = Enrolments(office)

    async def answer(self, person: Person, inbound: Inbound) -> Card | None:
        """None: the words are about something else."""
        said = " ".join(inbound.text.split())
        if _AUTHENTICATOR.fullmatch(said):
            return await self._enrolments.card(person)
        wish = _wished(said)
        return None if wish is None else await self._notify(person, wish, inbound)

    async def _notify(self, person: Person, wish: str, inbound: Inbound) -> Card:
        """Where this person's messages go from now on. ``wish``: a platform, or empty for the last used."""
        title = "Where you are told"
        name = inbound.platform if wish == "here" else wish
        if name and name not in self._office.platforms:
            return Card(title=title, text=f"Deskhand is not connected to {_called(name)}.", tone=Tone.WARN)
        if not await self._office.people.prefer(person, name, inbound):
            return Card(
                title=title,
                text=f"I do not know you in {_called(name)} yet. Write to me there once, then say it again.",
                tone=Tone.WARN,
            )
        where = f"in {_called(name)}" if name else "where you wrote from last"
        return Card(title=title, text=f"From now on I write to you {where}.", tone=Tone.GOOD)


def _wished(said: str) -> str | None:
    """The platform on which somebody wants to be told, "here", or empty for the last used; None: the
    words are about something else."""
    found = _NOTIFY.fullmatch(said)
    if found is None:
        return None
    name = next(group for group in found.groups() if group).lower()
    return "" if name.startswith("where") else name


def _called(platform: str) -> str:
    return {"web": "the web desk"}.get(platform, platform.capitalize())
