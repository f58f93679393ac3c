"""Saying by a sign-in whose chat account this is, where its mail address cannot."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.card import Card, Link, Tone
from bot.chat.inbound import Inbound
from bot.people import Stranger
from bot.procedures import page_links
from bot.procedures.notices import Notices
from bot.procedures.office import Office
from bot.procedures.proofs import Purpose
from bot.store import frozen
from bot.store.handles import Choice

PAUSED = "Everything in your name is stopped until the help desk has spoken to you."


@dataclass(frozen=True, slots=True)
class Offer:
    """A chat account that waits for somebody to say that it is theirs."""

    platform: str
    account: str
    purpose: Purpose


class Linking:
    def __init__(self, office: Office) -> None:
        self._office = office

    async def card(self, inbound: Inbound) -> Card:
        """For a full member's account of which nobody knows whose it is."""
        owner = f"link:{inbound.platform}:{inbound.account}"
        about = {"platform": inbound.platform, "account": inbound.account}
        handle = await page_links.make(self._office, Choice.LINK, owner, about=about)
        return Card(
            title="Who are you?",
            text="I cannot tell whose account this is. Sign in once, so that I know."
            " The page is good for half an hour, and for you alone: give its address to nobody.",
            tone=Tone.PRIMARY,
            links=(Link(label="Sign in", url=f"{self._office.settings.url}/link/{handle}"),),
        )

    def open(self, handle: str) -> Offer | None:
        """None: it is no such link, or it is over."""
        meaning = page_links.opened(self._office, Choice.LINK, handle)
        if meaning is None:
            return None
        platform, account = str(meaning.detail["platform"]), str(meaning.detail["account"])
        what = f"link {platform} {account}"
        return Offer(platform, account, Purpose(what=what, back=f"/link/{handle}"))

    async def name(self, person: str) -> str:
        return (await self._office.ports.directory.person(person)).name

    async def link(self, offer: Offer, person_id: str) -> tuple[bool, str]:
        """Whether it is linked now, and what to say."""
        people = self._office.people
        try:
            person = await people.present(person_id)
        except Stranger as stranger:
            return False, str(stranger)
        with self._office.database.read() as conn:
            if frozen.is_frozen(conn, person_id):
                return False, PAUSED
        if not await people.link_proved(offer.platform, offer.account, person):
            return False, (
                "This account, or another one of yours there, is linked already. Please ask the help desk."
            )
        name = offer.platform.capitalize()
        await Notices(self._office).warn(
            person.id,
            f"Your {name} account was linked",
            "What is asked from it counts as asked by you. For a day it can ask for nothing risky.",
            about={"platform": offer.platform, "account": offer.account},
            key=f"linked:{offer.platform}:{offer.account}:{self._office.clock().isoformat()}",
        )
        return True, f"This {name} account is yours now. Go back to it and write to Deskhand again."
