"""Telling somebody that their way to sign in changed, wherever they are reached, and how to say "not me"."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from sqlalchemy import Connection

from bot.audit.trail import Event, append
from bot.chat.card import Button, Card, Tone
from bot.chat.clean import plain
from bot.chat.inbound import Ack
from bot.procedures.office import Office
from bot.store import authenticators, frozen, links
from bot.store.handles import Choice, Handles, Meaning
from integrations.contract import ConnectorError, Person

log = structlog.get_logger()

_OWNER = "person:"  # of the handles of these cards: what follows is whom they are about


def about_a_person(meaning: Meaning) -> bool:
    """Whether this is the button of such a card, and not one of a request's."""
    return meaning.choice is Choice.NOT_ME and meaning.owner.startswith(_OWNER)


class Notices:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def warn(
        self, person: str, title: str, text: str, *, key: str, about: Mapping[str, str] | None = None
    ) -> None:
        """On every way that leads to them: one of them may be in somebody else's hands.

        :param about: the chat account that was linked; None: an authenticator was set up
        """
        owner = f"{_OWNER}{person}"
        with self._office.database.read() as conn:
            handles = Handles.of(conn, owner)
        handle = handles.mint(Meaning(owner, Choice.NOT_ME, person, detail=dict(about or {})))
        await self._office.database.write(handles.keep)
        card = Card(
            title=title,
            text=f"{text} If this was not you, say so at once: it is taken away again, every request in your"
            " name stops, and the admins are called.",
            tone=Tone.WARN,
            buttons=(Button(label="This wasn't me", handle=handle, tone=Tone.DANGER, sends_inputs=False),),
        )
        await self._office.people.tell(person, card, key=key, everywhere=True)

    async def not_me(self, person: Person, meaning: Meaning, service: str) -> Ack:
        """What was set up goes, everything in this name stops, and the admins hear of it."""
        now, me = self._office.clock(), person.id
        platform, account = str(meaning.detail.get("platform", "")), str(meaning.detail.get("account", ""))

        def event(kind: str) -> Event:
            data = {"account": account, "platform": platform} if account else {}
            return Event(at=now, kind=kind, actor=me, service=service, subject=me, data=data)

        def work(conn: Connection) -> str:
            if frozen.freeze(conn, me, me, now):
                append(conn, event("person.frozen"))
            if account and links.person_of(conn, platform, account) == me:
                links.end(conn, platform, account, me, now)
                append(conn, event("person.unlinked"))
            if not account and authenticators.remove(conn, me):
                append(conn, event("authenticator.removed"))
            return frozen.since(conn, me) or now.isoformat()

        stopped = await self._office.database.write(work)
        what = f"{platform.capitalize()} account {account}" if account else "authenticator"
        await self._call_admins(person, what, f"not-me:{me}:{account}:{stopped}")
        return Ack(notice="Thank you. Everything in your name is stopped, and the admins know.")

    async def _call_admins(self, person: Person, what: str, key: str) -> None:
        """Told once, however often it is pressed or replayed."""
        name = plain(person.name, 80)
        card = Card(
            title=f"{name} says: this wasn't me",
            text=f"Somebody else set up the {plain(what, 120)} in this name. It was taken away again, and"
            f" everything in the name of {name} is stopped. Speak to them, then unfreeze.",
            tone=Tone.WARN,
            footer=f"deskhand audit list --person {person.mail} --since 1d",
        )
        try:
            admins = await self._office.ports.groups.members(self._office.settings.admins)
        except ConnectorError as error:  # it is in the trail
            log.error("admins.not_told", person=person.id, reason=str(error))
            return
        for admin in admins:
            await self._office.people.tell(admin.id, card, key=key)
