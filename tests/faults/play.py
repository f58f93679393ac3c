"""What people do while the desk is being killed: each scene is one request from the wish to its end.

A scene knows how its request has to end. It writes and presses as people do, and presses again where
no answer came; what never happens in time is a broken promise.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from bot.chat.inbound import Inbound, InboundKind
from tests.faults.child import SCRIPT
from tests.faults.lives import Lives

PATIENCE_S = 20.0
_APPROVALS = "approvals"
_HELP_DESK = "help-desk"
_HELPER = "p-1041"  # of the group that the rules let answer


class Broke(Exception):
    """Something that was promised did not happen."""


class TooLate(Exception):
    """The time that was asked for was over before the desk lived again: it said so, and did nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks. Each is in one scene at a time, so that scenes do not meet by accident."""

    id: str


@dataclass
class Play:
    """The hands of one scene."""

    lives: Lives
    person: Person
    chance: random.Random

    async def asks(self, action: str, *, who: str = "", **slots: Any) -> str:
        """A request is asked for; returns its reference."""
        inbound = self._message(
            who or self.person.id, SCRIPT + json.dumps({"action": action, "slots": slots})
        )
        await self._delivered(inbound)

        async def opened() -> list[Any]:
            found = await self.lives.query(
                "desk",
                "SELECT request FROM audit_events WHERE kind = 'request.opened'"
                " AND json_extract(CAST(body AS TEXT), '$.data.inbound') = ?",
                inbound.id,
            )
            may_be_refused = (
                "until" in slots.get("span", ()) or "days" in slots
            )  # too late, or a holiday there
            if not found and may_be_refused and await self._replies(inbound):
                raise TooLate
            return found

        found = await self.until(opened, f"{action} was acknowledged, and is no request")
        return str(found[0][0])

    async def looks_up(self, action: str) -> None:
        inbound = self._message(self.person.id, SCRIPT + json.dumps({"action": action, "slots": {}}))
        await self._delivered(inbound)
        await self.until(lambda: self._replies(inbound), f"{action} was acknowledged, and has no answer")

    async def _replies(self, inbound: Inbound) -> list[Any]:
        return await self.lives.query(
            "web", "SELECT card FROM message WHERE key LIKE ?", f"bot:{inbound.key}:%"
        )

    async def press(
        self,
        ref: str,
        *labels: str,
        who: str = "",
        fields: Mapping[str, str] | None = None,
        where: str = "",
        times: int = 1,
    ) -> list[dict[str, Any]]:
        """Press these buttons of the card, all at the same moment, each ``times`` times."""
        account = who or self.person.id
        conversation = where or f"dm:{account}"
        handles = await self.until(
            lambda: self._handles(ref, conversation, labels),
            f"{ref} has no button {labels} in {conversation}",
        )
        presses = [
            Inbound(
                platform="web",
                id=uuid4().hex,
                kind=InboundKind.PRESS,
                account=account,
                conversation=conversation,
                direct=where not in (_APPROVALS, _HELP_DESK),
                handle=handle,
                fields=dict(fields or {}),
                at=datetime.now(UTC),
            )
            for handle in handles * times
        ]
        return await asyncio.gather(*(self._delivered(press) for press in presses))

    async def approve(self, ref: str, stage: str, *labels: str, **how: Any) -> str:
        """Whoever is asked at this stage presses; returns who that was."""
        seats = await self.until(lambda: self._seats(ref, stage), f"{ref} asks nobody as {stage}")
        await self.press(ref, *(labels or ("Approve",)), who=seats[0], **how)
        return str(seats[0])

    async def ends(self, ref: str, *states: str) -> str:
        """:raises Broke: it does not come to one of these in time"""
        found = await self.until(
            lambda: self.lives.query(
                "desk",
                "SELECT state FROM requests WHERE ref = ? AND state IN (SELECT value FROM json_each(?))",
                ref,
                json.dumps(states),
            ),
            f"{ref} did not become {' or '.join(states)}",
            ref=ref,
        )
        return str(found[0][0])

    async def card(self, ref: str, pattern: str, who: str = "") -> str:
        """What a card of this request says now, by a pattern with one group. Empty: no card says it."""
        rows = await self.lives.query(
            "web",
            "SELECT card FROM message WHERE conversation = ? AND key LIKE ?",
            f"dm:{who or self.person.id}",
            f"bot:{ref}:%",
        )
        return next((found[1] for (card,) in rows if (found := re.search(pattern, card))), "")

    async def member(self, group: str) -> bool:
        rows = await self.lives.query(
            "company", "SELECT 1 FROM membership WHERE group_id = ? AND person_id = ?", group, self.person.id
        )
        return bool(rows)

    async def _handles(self, ref: str, conversation: str, labels: tuple[str, ...]) -> list[str]:
        rows = await self.lives.query(
            "web",
            "SELECT card FROM message WHERE conversation = ? AND key LIKE ? ORDER BY id DESC",
            conversation,
            f"bot:{ref}:%",
        )
        for (card,) in rows:
            buttons = {button["label"]: button["handle"] for button in json.loads(card)["buttons"]}
            if all(label in buttons for label in labels):
                return [buttons[label] for label in labels]
        return []

    async def _seats(self, ref: str, stage: str) -> list[str]:
        rows = await self.lives.query("desk", "SELECT body FROM requests WHERE ref = ?", ref)
        seats = json.loads(rows[0][0]).get("seats", {}).get(stage, []) if rows else []
        return [seat["person"] for seat in seats]

    async def _delivered(self, inbound: Inbound) -> dict[str, Any]:
        """Now and then a platform delivers an event twice."""
        if self.chance.random() < 0.1:
            return (await asyncio.gather(self.lives.receive(inbound), self.lives.receive(inbound)))[0]
        return await self.lives.receive(inbound)

    def _message(self, account: str, text: str) -> Inbound:
        return Inbound(
            platform="web",
            id=uuid4().hex,
            kind=InboundKind.MESSAGE,
            account=account,
            conversation=f"dm:{account}",
            text=text,
            at=datetime.now(UTC),
        )

    async def until(
        self, look: Callable[[], Awaitable[list[Any]]], otherwise: str, ref: str = ""
    ) -> list[Any]:
        end = time.monotonic() + PATIENCE_S
        while not (found := await look()):
            if time.monotonic() > end:
                now = await self.lives.query(
                    "desk", "SELECT ref, state, version FROM requests WHERE ref = ?", ref
                )
                raise Broke(f"{otherwise} {now}")
            await asyncio.sleep(0.01)
        return found


Scene = Callable[[Play], Awaitable[None]]


def soon(seconds: float) -> dict[str, str]:
    """A span that is over before the suite is."""
    return {"until": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()}


LONG = {"minutes": 14 * 24 * 60}
BRIEF_S = 0.6
_OVER = ("ended", "refused")  # refused: its time was over before it was confirmed


async def low(play: Play) -> None:
    ref = await play.asks("grant_access", resource="miro", span=soon(BRIEF_S))
    await play.press(ref, "Yes, do it", times=2)
    await play.ends(ref, *_OVER)


async def medium(play: Play) -> None:
    ref = await play.asks("grant_access", resource="staging-database", span=soon(BRIEF_S))
    await play.press(ref, "Yes, do it")
    if await play.ends(ref, "approving", *_OVER) == "approving":
        await play.approve(ref, "manager", times=2)
    await play.ends(ref, *_OVER)


async def critical(play: Play) -> None:
    ref = await play.asks("grant_access", resource="production-deploy", span=soon(2 * BRIEF_S))
    await play.press(ref, "Yes, do it")
    if await play.ends(ref, "approving", *_OVER) == "approving":
        await play.approve(ref, "manager", fields={"reason": "the audit"})
        await play.approve(ref, "owner", times=2)
    await play.ends(ref, *_OVER)


async def questions(play: Play) -> None:
    """A slot at a time."""
    ref = await play.asks("grant_access")
    await play.press(ref, "Continue", fields={"option": "3"})
    await play.press(ref, "1 day")
    await play.press(ref, "Yes, do it")
    await play.ends(ref, "active")
    await play.press(ref, "Give it back", times=2)
    back = await play.asks("give_back_access", grant=ref)
    await play.press(back, "Yes, do it")
    await play.ends(back, "done", "refused")
    await play.ends(ref, "ended")


async def give_back(play: Play) -> None:
    ref = await play.asks("grant_access", resource="figjam", span=LONG)
    await play.press(ref, "Yes, do it")
    await play.ends(ref, "active")
    back = await play.asks("give_back_access", grant=ref)
    await play.press(back, "Yes, do it", times=2)
    await play.ends(back, "done")
    await play.ends(ref, "ended")


async def overlap(play: Play) -> None:
    """Two grants of one thing: it stays until the later one ends."""
    first = await play.asks("grant_access", resource="jira", span=soon(BRIEF_S))
    second = await play.asks("grant_access", resource="jira", span=LONG)
    await asyncio.gather(play.press(first, "Yes, do it"), play.press(second, "Yes, do it"))
    await play.ends(second, "active")
    await play.ends(first, *_OVER)
    if not await play.member("jira-users"):
        raise Broke(f"{second} is active, and its access is gone")
    back = await play.asks("give_back_access", grant=second)
    await play.press(back, "Yes, do it")
    await play.ends(second, "ended")
    await play.ends(back, "done")


async def reset(play: Play) -> None:
    ref = await play.asks("reset_password")
    await play.press(ref, "Yes, do it")
    manager = await play.approve(ref, "manager", fields={"spoke": "yes"}, times=2)
    await play.ends(ref, "done")
    sealed = "SELECT 1 FROM sealed WHERE ref = ?"
    while await play.lives.query("desk", sealed, ref):  # shown, or its time is over
        token = await play.card(ref, r"/reveal/([\w-]+)")
        code = await play.card(ref, r'"value":"(\d{3} \d{3})"', manager)
        if token and code and await play.lives.surely("reveal", token=token, code=code):
            return


async def reset_not_shown(play: Play) -> None:
    ref = await play.asks("reset_password")
    await play.press(ref, "Yes, do it")
    await play.approve(ref, "manager", fields={"spoke": "yes"})
    await play.ends(ref, "done")
    await play.until(
        lambda: play.lives.query(
            "desk", "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sealed WHERE ref = ?)", ref
        ),
        f"the credential of {ref} was not looked at, and is still there",
    )


async def reset_not_me(play: Play) -> None:
    ref = await play.asks("reset_password")
    await play.press(ref, "Yes, do it")
    await play.approve(ref, "manager", fields={"spoke": "yes"})
    await play.ends(ref, "done")
    await play.press(ref, "This wasn't me", times=2)
    await play.until(
        lambda: play.lives.query("desk", "SELECT 1 FROM frozen WHERE person = ?", play.person.id),
        f"{ref} was reported, and nobody is frozen",
    )
    await play.lives.surely("freeze", person=play.person.id, on=False)


async def unlock(play: Play) -> None:
    await play.lives.surely("lock", person=play.person.id)
    ref = await play.asks("unlock_account")
    await play.press(ref, "Yes, do it", times=2)
    await play.ends(ref, "done")


async def unlock_for_report(play: Play) -> None:
    await play.lives.surely("lock", person=play.person.id)
    rows = await play.lives.query(
        "company", "SELECT manager_id, name FROM person WHERE id = ?", play.person.id
    )
    manager, name = rows[0]
    ref = await play.asks("unlock_for_report", who=manager, report={"text": name})
    await play.press(ref, "Yes, do it", who=manager)
    await play.ends(ref, "done")


async def cancel(play: Play) -> None:
    ref = await play.asks("grant_access", resource="github", span=LONG)
    if play.chance.random() < 0.5:
        await play.press(ref, "Yes, do it")
        await play.ends(ref, "approving")
    await play.press(ref, "Cancel", times=2)
    await play.ends(ref, "cancelled")


async def deny(play: Play) -> None:
    ref = await play.asks("grant_access", resource="vault-engineering", span=LONG)
    await play.press(ref, "Yes, do it")
    await play.approve(ref, "manager", "Deny", fields={"reason": "not now"}, times=2)
    await play.ends(ref, "denied")


async def race(play: Play) -> None:
    """The owner of two minds, in two windows."""
    ref = await play.asks("grant_access", resource="zendesk", span=soon(2 * BRIEF_S))
    await play.press(ref, "Yes, do it")
    if await play.ends(ref, "approving", *_OVER) == "approving":
        await play.approve(ref, "manager", "Approve", "Deny")
    await play.ends(ref, "denied", *_OVER)


async def expire(play: Play) -> None:
    """Nobody decides: a reminder, then the end."""
    ref = await play.asks("grant_access", resource="data-warehouse", span=LONG)
    await play.press(ref, "Yes, do it")
    await play.ends(ref, "expired")


async def time_off(play: Play) -> None:
    """Entered once, moved nowhere, cancelled once."""
    rows = await play.lives.query("company", "SELECT 1 FROM time_off WHERE person_id = ?", play.person.id)
    if not rows:
        return
    monday = datetime.now(UTC).date() + timedelta(weeks=play.chance.randrange(60, 90))
    day = (monday - timedelta(days=monday.weekday())).isoformat()
    ref = await play.asks("request_time_off", policy="Vacation", days={"first": day, "last": day})
    await play.press(ref, "Yes, do it", times=2)
    await play.approve(ref, "manager", times=2)
    await play.ends(ref, "done")
    rows = await play.lives.query(
        "company", "SELECT id FROM leave WHERE person_id = ? AND first = ? AND state = 'approved'",
        play.person.id, day,
    )  # fmt: skip
    back = await play.asks("cancel_time_off", leave=rows[0][0])
    await play.press(back, "Yes, do it", times=2)
    await play.ends(back, "done")


async def a_ticket(play: Play) -> None:
    ref = await play.asks("open_ticket", what={"text": "the monitor flickers"})
    await play.press(ref, "Yes, do it", times=2)
    await play.ends(ref, "done")


async def a_person(play: Play) -> None:
    """A hand-off is taken, answered and finished in the help desk's room; each of it once."""
    ref = await play.asks("talk_to_a_person")
    await play.press(ref, "Yes, do it", times=2)
    await play.ends(ref, "done")
    await play.press(ref, "Taken by me", who=_HELPER, where=_HELP_DESK, times=2)
    await play.press(ref, "Answer", who=_HELPER, where=_HELP_DESK, fields={"answer": "the left one?"})
    await play.until(lambda: _noted(play, ref, "helper"), f"{ref}: the answer did not reach the ticket")
    await play.press(ref, "Send", fields={"answer": "the right one"})
    await play.until(lambda: _noted(play, ref, "person"), f"{ref}: the person's answer got nowhere")
    await play.press(ref, "Done", who=_HELPER, where=_HELP_DESK, times=2)
    settled = "SELECT 1 FROM hand_offs WHERE ref = ? AND ended = 'done' AND settled = version"
    await play.until(lambda: play.lives.query("desk", settled, ref), f"{ref}: its end was not told")
    if not await play.card(ref, "(the left one)") or not await play.card(ref, "(is done)"):
        raise Broke(f"{ref}: what the helper said did not reach the person")


async def _noted(play: Play, ref: str, side: str) -> list[Any]:
    query = "SELECT 1 FROM hand_off_said WHERE id = ? AND side = ? AND noted"
    return await play.lives.query("desk", query, f"{ref}:person", side)


async def new_hire(play: Play) -> None:
    """One yes, several requests; then all of it is taken back."""
    query = "SELECT manager_id, name FROM person WHERE id = ?"
    manager, name = (await play.lives.query("company", query, play.person.id))[0]
    whole = await play.asks("equip_new_hire", who=manager, report={"text": name}, item="thinkpad")
    await play.press(whole, "Yes, do it", who=manager, times=2)
    await play.ends(whole, "done")
    for ref in await _parts(play, whole):
        state = await play.ends(ref, "approving", "active", "done")
        if state == "approving":
            await play.press(ref, "Cancel", who=manager)
            await play.ends(ref, "cancelled")
        elif state == "active":
            back = await play.asks("give_back_access", grant=ref)
            await play.press(back, "Yes, do it")
            await play.ends(back, "done")
            await play.ends(ref, "ended")


async def _parts(play: Play, whole: str) -> list[str]:
    rows = await play.lives.query("desk", "SELECT seen FROM steps WHERE ref = ?", whole)
    return [json.loads(row[0])["ref"] for row in rows]


async def look_up(play: Play) -> None:
    await play.looks_up("pto_balance")
    await play.looks_up("my_requests")
    await play.looks_up("reset_mfa")


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        low, medium, critical, questions, give_back, overlap, reset, reset_not_shown, reset_not_me,
        unlock, unlock_for_report, cancel, deny, race, time_off, a_ticket, a_person, new_hire, look_up,
    )
}  # fmt: skip
ALONE: dict[str, Scene] = {"expire": expire}  # with times of their own
