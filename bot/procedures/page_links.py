"""Addresses of pages that are for one person or account, and for half an hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.procedures.office import Office
from bot.store.handles import Choice, Handles, Meaning, meaning_of

GOOD_FOR = timedelta(minutes=30)


async def make(
    office: Office, choice: Choice, owner: str, *, audience: str = "", about: Mapping[str, str] | None = None
) -> str:
    """The handle that stands in the address."""
    until = office.clock() + GOOD_FOR
    with office.database.read() as conn:
        handles = Handles.of(conn, owner)
    detail = {"until": until.isoformat(), **(about or {})}
    handle = handles.mint(Meaning(owner, choice, audience, detail=detail))
    await office.database.write(handles.keep)
    return handle


def opened(office: Office, choice: Choice, handle: str) -> Meaning | None:
    """None: it is no such address, or its time is over."""
    with office.database.read() as conn:
        meaning = meaning_of(conn, handle)
    if meaning is None or meaning.choice is not choice:
        return None
    over = office.clock() >= datetime.fromisoformat(str(meaning.detail["until"]))
    return None if over else meaning
