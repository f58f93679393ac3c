"""Telling somebody that their way to sign in changed, wherever they are reached, and how to say "not me"."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.audit.trail import Event, append
from bot.chat.card import Button, Card, Tone
from bot.chat.clean import plain
from bot.chat.inbound import Ack
from bot.procedures.office import Office
from bot.store import frozen
from bot.store.handles import Choice, Handles, Meaning
from integrations.contract import ConnectorError, Person

_OWNER = "person:"  # of the handles of these cards: what follows is whom they are about


def about_a_person(meaning: Meaning) -> bool:
    """Whether this is the button of such a card, and not one of a request's."""
    return meaning.choice is Choice.NOT_ME and meaning.owner.startswith(_OWNER)


class Notices:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def warn(self, person: str, title: str, text: str, *, key: str) -> None:
        """On every way that leads to them: one of them may be in somebody else's hands."""
        owner = f"{_OWNER}{person}"
        with self._office.database.read() as conn:
            handles = Handles.of(conn, owner)
        handle = handles.mint(Meaning(owner, Choice.NOT_ME, person))
        await self._office.database.write(handles.keep)
        card = Card(
            title=title,
            text=f"{text} If this was not you, say so at once: it stops every request in your name and calls"
            " the admins.",
            tone=Tone.WARN,
            buttons=(Button(label="This wasn't me", handle=handle, tone=Tone.DANGER, sends_inputs=False),),
        )
        await self._office.people.tell(person, card, key=key, everywhere=True)

    async def not_me(self, person: Person, service: str) -> Ack:
        """Everything in this name stops, and the admins hear of it."""
        now = self._office.clock()
        event = Event(at=now, kind="person.frozen", actor=person.id, service=service, subject=person.id)

        def work(conn: Connection) -> bool:
            new = frozen.freeze(conn, person.id, person.id, now)
            if new:
                append(conn, event)
            return new

        if await self._office.database.write(work):
            await self._call_admins(person, now.isoformat())
        return Ack(notice="Thank you. Everything in your name is stopped, and the admins know.")

    async def _call_admins(self, person: Person, at: str) -> None:
        name = plain(person.name, 80)
        card = Card(
            title=f"{name} says: this wasn't me",
            text=f"Somebody changed how {name} signs in (a chat account, or an authenticator), and it was not"
            " them. Everything in this name is stopped. Speak to them, then unfreeze.",
            tone=Tone.WARN,
            footer=f"deskhand audit list --person {person.mail} --since 1d",
        )
        try:
            admins = await self._office.ports.groups.members(self._office.settings.admins)
        except ConnectorError:  # it is in the trail, and `freeze` shows it
            return
        for admin in admins:
            await self._office.people.tell(admin.id, card, key=f"not-me:{person.id}:{at}")
