"""Show the sender's own requests and accesses; they can be cancelled from there."""

from __future__ import annotations

from bot.chat.card import Card
from bot.procedures.action import Lookup, Params, World
from integrations.contract import Person


class MyRequests(Lookup):
    name = "my_requests"
    title = "My requests and access"

    async def answer(self, world: World, sender: Person, subject: Person, params: Params) -> list[Card]:
        mine = await world.requests.open_of(subject.id)
        if not mine:
            return [Card(title=self.title, text="You have no open request and no access through me.")]
        count = "one request" if len(mine) == 1 else f"{len(mine)} requests"
        return [Card(title=self.title, text=f"You have {count} open or running:"), *mine]


ACTION = MyRequests()
