"""Who sees what of a request, and making it so.

One mechanism for confirm cards, approvals, reminders, receipts and alarms: the views that the
stored state calls for are compared with what was delivered; what is missing is sent, what
changed is updated. Running it again changes nothing, so it may run after every move, and again
after a crash.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from bot.audit.trail import DESKHAND, Event, append
from bot.chat.card import Card
from bot.chat.inbound import Inbound
from bot.chat.platform import MessageRef, PlatformDown, Unreachable
from bot.durable import TryLater
from bot.procedures import cards, ledger
from bot.procedures.cards import Story
from bot.procedures.office import Office
from bot.procedures.request import State
from bot.procedures.stories import Stories
from bot.store import deliveries
from bot.store.database import Database
from bot.store.deliveries import Delivery
from bot.store.handles import Handles
from integrations.contract import ConnectorError

log = structlog.get_logger()

CHANNEL = "#"  # before a platform's name: the recipient that is nobody, its approvals channel
HELP_DESK = "?"  # likewise, the channel of the people at the help desk

_SETTLED = frozenset(
    {
        State.DONE,
        State.ACTIVE,
        State.ENDED,
        State.REFUSED,
        State.DENIED,
        State.EXPIRED,
        State.UNDONE,
        State.STUCK,
    }
)
_TIMED_NEWS = frozenset({State.ENDED, State.STUCK, State.UNDONE})  # told even where nobody had to approve


@dataclass(frozen=True, slots=True)
class View:
    """One card that one recipient should have."""

    key: str  # unique within the request
    recipient: str  # person id, or CHANNEL and a platform
    card: Callable[[Story, Handles], Card]


@dataclass(frozen=True, slots=True)
class Copy:
    """What one recipient should see now."""

    key: str  # unique within its owner
    recipient: str  # person id, or CHANNEL or HELP_DESK and a platform
    card: Card


def views(
    story: Story, delivered: frozenset[str], admins: frozenset[str], channels: Sequence[str]
) -> Iterator[View]:
    """Every card that should exist, from the stored state alone.

    :param channels: platforms with an approvals channel
    """
    yield from _requester(story, delivered)
    yield from _approvers(story, channels)
    yield from _before_a_change(story, delivered)
    request = story.request
    if request.part_for not in ("", request.requester) and request.given_at:
        yield View(f"given:{request.subject}", request.subject, lambda s, h: cards.given(s))
    for person in request.told:
        yield View(f"told:{person}", person, lambda s, h, p=person: cards.told(s, p, h))  # type: ignore[misc]  # bound default
    called = {key.removeprefix("alarm:") for key in delivered if key.startswith("alarm:")}
    for admin in sorted(admins | called):  # also when it is over: their copies change too
        yield View(f"alarm:{admin}", admin, lambda s, h: cards.alarm(s))


def _requester(story: Story, delivered: frozenset[str]) -> Iterator[View]:
    request, me = story.request, story.request.requester
    current = request.pick.slot if request.pick and request.state is State.COLLECTING else None
    for at, slot in enumerate(request.asked):
        if slot == current and at == len(request.asked) - 1:
            yield View(f"ask:{at}", me, cards.question)
        elif f"ask:{at}" in delivered:
            yield View(f"ask:{at}", me, lambda s, h, slot=slot: cards.answered(s, slot))  # type: ignore[misc]  # bound default
    if request.shown or request.state is not State.COLLECTING:
        yield View(_of_revision("main", request.revision), me, cards.main)
    waited = bool(request.confirmed_at and request.stages)
    if (waited and request.state in _SETTLED) or request.state in _TIMED_NEWS:
        kind = "active" if request.state is State.DONE and request.ends_at else request.state.value
        yield View(f"news:{kind}", me, lambda s, h: cards.news(s))


def _approvers(story: Story, channels: Sequence[str]) -> Iterator[View]:
    request = story.request
    for stage, seats in request.seats.items():
        for seat in seats:
            yield View(
                _of_revision(f"approve:{stage}:{seat.person}", request.revision),
                seat.person,
                lambda s, h, stage=stage, seat=seat: cards.approval(s, stage, seat, h),  # type: ignore[misc]  # bound defaults
            )
            if stage in request.reminded:
                yield View(
                    _of_revision(f"remind:{stage}:{seat.person}", request.revision),
                    seat.person,
                    lambda s, h, stage=stage, seat=seat: cards.approval(s, stage, seat, h, reminder=True),  # type: ignore[misc]  # bound defaults
                )
        for name in channels:
            yield View(
                _of_revision(f"approve:{stage}:{CHANNEL}{name}", request.revision),
                CHANNEL + name,
                lambda s, h, stage=stage: cards.approval(s, stage, None, h),  # type: ignore[misc]  # bound default
            )


def _of_revision(key: str, revision: int) -> str:
    """A request that was changed has cards of its own: one that only turns, further up, is easily missed."""
    return f"{revision}/{key}" if revision else key


def _before_a_change(story: Story, delivered: frozenset[str]) -> Iterator[View]:
    """The cards of earlier revisions: they say that it was changed, and have no buttons."""
    for key in delivered if story.request.revision else ():
        before, _, rest = key.partition("/") if key[:1].isdigit() else ("", "", key)
        if int(before or 0) == story.request.revision:
            continue
        if rest == "main":
            yield View(key, story.request.requester, cards.changed)
        elif rest.startswith(("approve:", "remind:")):
            yield View(key, rest.split(":", 2)[2], cards.changed_for_approver)


async def kept(database: Database, owner: str, handles: Handles) -> Handles:
    """The minted handles committed; what comes back is what stands there, whoever minted it first."""
    await database.write(handles.keep)
    with database.read() as conn:
        return Handles.of(conn, owner)


class Announcer:
    def __init__(self, office: Office) -> None:
        self._office = office
        self._stories = Stories(office)

    async def publish(self, ref: str) -> None:
        """Make every chat show the present state. :raises TryLater: where a platform is down"""
        with self._office.database.read() as conn:
            request = ledger.load(conn, ref)
            if request is None:
                return
            story = self._stories.of(conn, request)
            sent = deliveries.of(conn, ref)
            handles = Handles.of(conn, ref)
        admins = await self._admins() if request.alarm else frozenset()
        shown = list(views(story, frozenset(sent), admins, self._channels()))

        def copies(handles: Handles) -> list[Copy]:
            return [Copy(view.key, view.recipient, view.card(story, handles)) for view in shown]

        await self.show(ref, copies, handles, sent, lambda conn: ledger.published(conn, ref, request.version))

    async def show(
        self,
        owner: str,
        copies: Callable[[Handles], Sequence[Copy]],
        handles: Handles,
        sent: Mapping[str, Delivery],
        shown: Callable[[Connection], None],
    ) -> None:
        """Bring each copy to whom it is for, where it does not stand there as it is already.

        :param shown: committed when all of them do. :raises TryLater: where a platform is down
        """
        wanted = copies(handles)
        if handles.minted:
            wanted = copies(await kept(self._office.database, owner, handles))
        results = await asyncio.gather(*(self._deliver(owner, copy, sent.get(copy.key)) for copy in wanted))
        rows = [row for row in results if isinstance(row, Delivery)]
        whole = not any(isinstance(row, str) for row in results)

        def work(conn: Connection) -> None:
            deliveries.record(conn, owner, rows)
            if whole:
                shown(conn)

        if rows:
            await self._office.database.write(work)
        else:
            self._office.database.write_along(work)
        if down := [row for row in results if isinstance(row, str)]:
            raise TryLater("; ".join(down))

    async def _deliver(self, owner: str, copy: Copy, before: Delivery | None) -> Delivery | str | None:
        """The new row; None where nothing had to be done; the reason where the platform is down."""
        digest = hashlib.sha256(copy.card.model_dump_json().encode()).hexdigest()
        if before and (before.hash == digest or before.platform not in self._office.platforms):
            return None  # as it is, or on a platform that is connected no more
        try:
            if before:
                platform = self._office.platforms[before.platform]
                await platform.update(
                    MessageRef(before.platform, before.conversation, before.message_id), copy.card
                )
                return Delivery(copy.key, before.platform, before.conversation, before.message_id, digest)
            at = await self._send(owner, copy)
        except (ConnectorError, PlatformDown) as error:
            return f"{copy.key}: {error}"
        except Unreachable as error:
            log.warning("card.unreachable", ref=owner, view=copy.key, reason=str(error))
            return None
        return Delivery(copy.key, at.platform, at.conversation, at.message_id, digest)

    async def _send(self, owner: str, copy: Copy) -> MessageRef:
        """By the first way that leads to them. :raises Unreachable: none does"""
        key = f"{owner}:{copy.key}"
        if copy.recipient.startswith(CHANNEL):
            platform = self._office.platforms[copy.recipient.removeprefix(CHANNEL)]
            return await platform.send(platform.approvals() or "", copy.card, key=key)
        if copy.recipient.startswith(HELP_DESK):
            platform = self._office.platforms[copy.recipient.removeprefix(HELP_DESK)]
            return await platform.send(platform.help_desk() or "", copy.card, key=key)
        try:
            name, at = await self._office.people.deliver(copy.recipient, copy.card, key=key)
        except Unreachable:
            await self._note_unreached(owner, copy)
            raise
        if not self._office.people.reads(copy.recipient, name):
            await self._note_unreached(owner, copy)
        return at

    async def _note_unreached(self, owner: str, copy: Copy) -> None:
        """Nobody can tell whether they will see this: the admins are to know."""
        event = Event(
            at=self._office.clock(),
            kind="person.unreachable",
            request=owner.partition(":")[0],
            actor=DESKHAND,
            service="engine",
            outcome="failed",
            subject=copy.recipient,
            data={"card": copy.key},
        )
        await self._office.database.write(lambda conn: append(conn, event))

    async def card_at(self, person: str, inbound: Inbound) -> Card | None:
        """The present card of the message that was pressed, where it is one that this person may see."""
        with self._office.database.read() as conn:
            found = deliveries.at(conn, inbound.platform, inbound.conversation, inbound.message_id)
            request = ledger.load(conn, found[0]) if found else None
            if found is None or request is None:
                return None
            story = self._stories.of(conn, request)
            handles = Handles.of(conn, request.ref)
            sent = frozenset(deliveries.of(conn, request.ref))
        admins = await self._admins() if request.alarm else frozenset()
        for view in views(story, sent, admins, self._channels()):
            if view.key == found[1] and (view.recipient == person or view.recipient.startswith(CHANNEL)):
                card = view.card(story, handles)
                return None if handles.minted else card
        return None

    def _channels(self) -> tuple[str, ...]:
        """Platforms with an approvals channel: the chats', where there are any, else the web desk's."""
        home, *others = self._office.platforms.values()
        chats = tuple(each.name for each in others if each.approvals())
        return chats or ((home.name,) if home.approvals() else ())

    async def _admins(self) -> frozenset[str]:
        try:
            members = await self._office.ports.groups.members(self._office.settings.admins)
        except ConnectorError as error:
            raise TryLater(f"admins: {error}") from error
        return frozenset(person.id for person in members)
