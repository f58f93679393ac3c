"""Chat account and employee: which person stands behind an account, and where a person is reached.

An account is linked to a person once, immutable id to immutable id: by the mail address that the
platform has confirmed, or by an admin. From then on the link alone counts: a changed name or address
changes nothing. What the platform and the directory say of the two is read at each inbound, so
somebody who left, or became a guest, is a stranger from that moment on. On the web desk the account
is the person's id: on loopback one chooses who one is.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime

import structlog
from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.chat.card import Card
from bot.chat.inbound import Inbound, InboundKind
from bot.chat.platform import Account, MessageRef, Platform, PlatformDown, Unreachable
from bot.store import links, quarantine
from bot.store.database import Database
from bot.store.links import Link
from integrations.contract import (
    AmbiguousName,
    ConnectorError,
    Directory,
    Person,
    SignedIn,
    Status,
    UnknownPerson,
)

log = structlog.get_logger()

OUTSIDE = "I only help people of this company."
INACTIVE = "Your account is not active, so I cannot help you here. Please call the help desk."
UNLINKED = (
    "I cannot tell whose account this is, so I cannot help you here. Ask the help desk to link it to you."
)

SIGN_IN = "sign-in"  # the provider, among the platforms whose accounts are linked

_MENTION = re.compile(r"<@([A-Za-z0-9:_.-]{1,100})>")
_MENTIONS = 5  # of one message
_NOBODY_FOR_S = 300.0  # how long "this platform has no account for them" is believed


class Stranger(Exception):
    """Nobody Deskhand may serve; ``str(error)`` is for them and says nothing of the directory."""

    def __init__(self, words: str, why: str, *, unlinked: bool = False) -> None:
        super().__init__(words)
        self.why = why  # for the record: "guest", "not linked"
        self.unlinked = unlinked  # a full member's account of which nobody has said whose it is


class People:
    def __init__(
        self,
        directory: Directory,
        database: Database,
        platforms: Mapping[str, Platform],
        clock: Callable[[], datetime],
        *,
        link_by_mail: bool = True,
    ) -> None:
        """:param platforms: by name; the first is where somebody is reached of whom nothing is known
        :param link_by_mail: False: chat accounts are linked by a sign-in or by an admin alone"""
        self._directory = directory
        self._database = database
        self._platforms = platforms
        self._clock = clock
        self._by_mail = link_by_mail
        self._last: dict[str, tuple[str, str]] = {}  # person -> platform and account, as stored
        self._nobody: dict[tuple[str, str], float] = {}  # person and platform -> until when

    async def identify(self, inbound: Inbound) -> Person:
        """:raises Stranger: unknown, refused, unlinked, disabled, or no longer with the company
        :raises SystemDown:, :raises PlatformDown: one of the two does not answer"""
        platform = self._platforms[inbound.platform]
        account = await platform.account(inbound.account, fresh=inbound.kind is not InboundKind.MESSAGE)
        if account.refused:
            raise Stranger(OUTSIDE, account.refused)
        person = await self.present(await self._person_id(platform.name, account))
        if inbound.kind is not InboundKind.ARRIVAL:  # an admin may have added it for everybody
            self._wrote(person.id, platform.name, account.id)
        return person

    async def signed_in(self, who: SignedIn) -> Person:
        """Who that is. An account that the provider does not join to the directory is linked like one of a
        chat: once, by the mail that the provider has confirmed. :raises Stranger:, :raises SystemDown:"""
        account = Account(id=who.account, person=who.person, mail=who.mail)
        return await self.present(await self._person_id(SIGN_IN, account))

    async def named(self, platform: str, text: str) -> str:
        """The text with each mention of an account as the mail address of its person."""
        accounts = list(dict.fromkeys(_MENTION.findall(text)))[:_MENTIONS]
        mails = {account: await self._mail_of(platform, account) for account in accounts}
        return _MENTION.sub(lambda found: mails.get(found[1]) or "somebody I do not know", text)

    async def ways(self, person_id: str) -> AsyncIterator[tuple[str, str]]:
        """Platforms and accounts under which this person gets messages, the best first: where they chose
        to, else where they wrote from last; where they are linked or can be; the platform that knows
        everybody. :raises SystemDown:, :raises PlatformDown:"""
        home, *others = self._platforms
        with self._database.read() as conn:
            last = links.reach_of(conn, person_id) if others else None
        if last and last[0] in self._platforms:
            yield last
        for name in others:
            account = await self.account_on(name, person_id)
            if account and (name, account) != last:
                yield name, account
        if last is None or last[0] != home:
            yield home, person_id

    async def account_on(self, platform: str, person_id: str) -> str | None:
        """Their account there, linked or found. :raises SystemDown:, :raises PlatformDown:"""
        if platform == next(iter(self._platforms)):
            return person_id
        with self._database.read() as conn:
            linked = links.accounts_of(conn, person_id).get(platform)
        return linked or await self._found(platform, person_id)

    def reads(self, person_id: str, platform: str) -> bool:
        """Whether they can be expected to see what is put there: the web desk, beside a chat, only where
        they use it."""
        home, *others = self._platforms
        if platform != home or not others:
            return True
        with self._database.read() as conn:
            last = links.reach_of(conn, person_id)
        return last is not None and last[0] == home

    async def prefer(self, person: Person, platform: str, inbound: Inbound) -> bool:
        """Their messages go there from now on; an empty name: to wherever they wrote from last. False:
        there is no account of theirs. :raises SystemDown:, :raises PlatformDown:"""
        name = platform or inbound.platform
        account = inbound.account if name == inbound.platform else await self.account_on(name, person.id)
        if account is None:
            return False
        data = {"platform": platform or "the last one used"}
        event = Event(
            at=self._clock(),
            kind="person.chose",
            actor=person.id,
            service=inbound.platform,
            subject=person.id,
            data=data,
        )

        def work(conn: Connection) -> None:
            links.choose(conn, person.id, name, account, keep=bool(platform))
            append(conn, event)

        await self._database.write(work)
        return True

    async def tell(self, person_id: str, card: Card, *, key: str, everywhere: bool = False) -> None:
        """A message that concerns them, by the first way that leads to them, or by all. It is lost where
        none does."""
        for name in self._in_order(person_id):
            platform = self._platforms[name]
            try:
                account = await self.account_on(name, person_id)
                if account is None:
                    continue
                await platform.send(await platform.direct(account), card, key=key)
            except (ConnectorError, PlatformDown, Unreachable) as error:
                log.warning("person.not_told", person=person_id, platform=name, reason=str(error))
                continue
            if not everywhere:
                return

    async def deliver(self, person_id: str, card: Card, *, key: str) -> tuple[str, MessageRef]:
        """A message that must not be lost, by the first way that leads to them; and the platform it went by.

        :raises Unreachable: none does, :raises PlatformDown:, :raises SystemDown:
        """
        async for name, account in self.ways(person_id):
            platform = self._platforms[name]
            try:
                return name, await platform.send(await platform.direct(account), card, key=key)
            except Unreachable as error:
                log.info("card.other_way", person=person_id, key=key, platform=name, reason=str(error))
        raise Unreachable("no way leads to them")

    def _in_order(self, person_id: str) -> list[str]:
        """Platforms, the one where they were last or chose to be first."""
        home, *others = self._platforms
        with self._database.read() as conn:
            last = links.reach_of(conn, person_id)
        first = [last[0]] if last and last[0] in self._platforms else []
        return list(dict.fromkeys([*first, *others, home]))

    async def link(self, platform: str, account: str, person: Person, by: str) -> None:
        """By an admin's word. Replaces what either side was linked to."""
        event = self._event("person.linked", by, platform, person.id, account)

        def work(conn: Connection) -> None:
            links.link_by_hand(conn, platform, account, person.id, by, event.at)
            quarantine.begin(conn, person.id, event.at, "link")
            append(conn, event)

        await self._database.write(work)
        self._last.pop(person.id, None)

    async def link_proved(self, platform: str, account: str, person: Person) -> bool:
        """By the person's own sign-in. False: one of the two is linked already, and an admin has to say."""
        event = self._event("person.linked", person.id, platform, person.id, account, by="sign-in")

        def work(conn: Connection) -> bool:
            if links.person_of(conn, platform, account) or platform in links.accounts_of(conn, person.id):
                return False
            links.link_by_hand(conn, platform, account, person.id, "sign-in", event.at)
            quarantine.begin(conn, person.id, event.at, "link")
            append(conn, event)
            return True

        return await self._database.write(work)

    async def unlink(self, platform: str, person: Person, by: str) -> bool:
        """False: there was no link."""
        with self._database.read() as conn:
            account = links.accounts_of(conn, person.id).get(platform, "")
        event = self._event("person.unlinked", by, platform, person.id, account)

        def work(conn: Connection) -> bool:
            ended = links.end(conn, platform, account, person.id, event.at)
            if ended:
                append(conn, event)
            return ended

        self._last.pop(person.id, None)
        return await self._database.write(work)

    def links(self) -> list[Link]:
        with self._database.read() as conn:
            return links.every(conn)

    async def _person_id(self, platform: str, account: Account) -> str:
        if account.person:
            return account.person
        linked = self._linked(platform, account.id)
        if linked:
            return linked
        if not account.mail or not (self._by_mail or platform == SIGN_IN):
            raise Stranger(UNLINKED, "not linked, no confirmed mail", unlinked=True)
        try:
            person = await self._directory.by_mail(account.mail)
        except (UnknownPerson, AmbiguousName) as error:
            raise Stranger(UNLINKED, "not linked, mail not in the directory", unlinked=True) from error
        if not await self._link_by_mail(platform, account, person):
            raise Stranger(UNLINKED, "mail, person or account was linked before", unlinked=True)
        return person.id

    async def _link_by_mail(self, platform: str, account: Account, person: Person) -> bool:
        if not person.present:
            raise Stranger(INACTIVE, "not active in the directory")
        event = self._event("person.linked", DESKHAND, platform, person.id, account.id)

        def work(conn: Connection) -> bool:
            if links.person_of(conn, platform, account.id) == person.id:
                return True  # linked this very moment, by another inbound of theirs
            new = links.link_by_mail(conn, platform, account.id, person.id, account.mail, event.at)
            if new:
                append(conn, event)
            if new and platform != SIGN_IN:  # the provider is where they sign in; nothing of that changed
                quarantine.begin(conn, person.id, event.at, "link")
            return new

        return await self._database.write(work)

    async def present(self, person_id: str) -> Person:
        """:raises Stranger: not, or no longer, with the company; :raises SystemDown:"""
        try:
            person = await self._directory.person(person_id)
        except UnknownPerson as error:
            raise Stranger(OUTSIDE, "not in the directory") from error
        if not person.present:
            raise Stranger(INACTIVE, "not active in the directory")
        return person

    async def _found(self, platform: str, person_id: str) -> str | None:
        """The account of somebody who never wrote from there, found by their mail and linked."""
        if time.monotonic() < self._nobody.get((person_id, platform), 0.0):
            return None
        try:
            person = await self._directory.person(person_id)
        except UnknownPerson:
            return None
        account = await self._platforms[platform].find(person.mail) if person.mail else None
        if account and account.person == person_id and not account.refused:
            return account.id  # by the platform's own word, so there is nothing to link
        if (
            account is None
            or account.refused
            or account.person
            or not account.mail
            or not await self._may_link(account, person, platform)
        ):
            self._nobody[person_id, platform] = time.monotonic() + _NOBODY_FOR_S
            return None
        return account.id

    async def _may_link(self, account: Account, person: Person, platform: str) -> bool:
        same = self._by_mail and account.mail.casefold() == person.mail.casefold()
        return same and person.present and await self._link_by_mail(platform, account, person)

    def _linked(self, platform: str, account: str) -> str | None:
        with self._database.read() as conn:
            return links.person_of(conn, platform, account)

    async def _mail_of(self, platform: str, account: str) -> str:
        person = self._linked(platform, account)
        if person is None:  # not linked yet, or the mention names them by another id than their link
            said = await self._platforms[platform].account(account, fresh=False)
            person = self._linked(platform, said.id) if said.id != account else None
            if person is None:
                return "" if said.refused else said.mail
        try:
            return (await self._directory.person(person)).mail
        except UnknownPerson:
            return ""

    def _wrote(self, person: str, platform: str, account: str) -> None:
        """Remember where they are. Losing it in a crash costs a message on another platform."""
        if len(self._platforms) == 1 or self._last.get(person) == (platform, account):
            return
        self._last[person] = (platform, account)
        self._database.write_along(lambda conn: links.reached(conn, person, platform, account))

    def _event(
        self, kind: str, actor: str, platform: str, person: str, account: str, *, by: str = ""
    ) -> Event:
        data = {"account": account, "by": by or ("mail" if actor == DESKHAND else "hand")}
        return Event(at=self._clock(), kind=kind, actor=actor, service=platform, subject=person, data=data)


async def find_person(directory: Directory, text: str) -> Person:
    """Whom an admin means: by mail, log-in name, id or full name.

    :raises UnknownPerson:, :raises AmbiguousName:
    """
    for look_up in (directory.by_mail, directory.by_account, directory.person):
        try:
            return await look_up(text)
        except UnknownPerson:
            continue
    return await directory.by_name(text)


def active(person: Person) -> bool:
    """At work: may decide on somebody's request."""
    return person.status is Status.ACTIVE
