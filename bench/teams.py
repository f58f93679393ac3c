"""A message in Teams: from the signed activity to the reply that is posted, beside a bare botbuilder no-op
under the same server; and 50 a second, held, with what an acknowledgement takes, is lost and is doubled.

Microsoft's side is the fake of the tests, in this process: its processor time is not in the figures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import aiohttp

from bench.chat import PEOPLE, cost, held, replied, taken
from bench.crowd import hire
from bench.lookup import WORDS
from bench.server import desk, first_answer, free_port, running
from bot.chat.teams.package import PATH
from bot.settings.paths import Paths
from integrations.company import Company
from tests.servers.teams.server import FakeTeams
from tests.teams_house import object_id, settings_of, trusting


async def main(quick: bool) -> None:
    rounds, count, seconds = (2, 100, 10) if quick else (5, 400, 60)
    with FakeTeams.running() as teams, trusting(teams), tempfile.TemporaryDirectory() as folder:
        teams.connector.strict = False
        data = Path(folder)
        Company.open(Paths(data).company).close()
        for account in hire(data, PEOPLE):
            teams.add_user(f"{account}@example.com", account, object_id(account))
        async with aiohttp.ClientSession() as session:
            with _served(teams, data) as (ours, ours_url, bare, bare_url):
                sender, other = _Sender(teams, session, ours_url), _Sender(teams, session, bare_url)
                await replied(sender, 2 * PEOPLE)  # everybody is linked, every place known
                await taken(other, PEOPLE)
                no_op = "a bare botbuilder no-op with its token"
                await cost("Teams", no_op, sender, other, (ours, bare), rounds, count)
                await held("Teams", sender, ours, seconds)


@contextmanager
def _served(teams: FakeTeams, data: Path) -> Iterator[tuple[int, str, int, str]]:
    """The desk and the bare app, each in a process of its own."""
    given = {name: value for name, value in settings_of(teams, None).items() if value}
    env = {name.upper(): str(value) for name, value in given.items()}
    port = free_port()
    bare = ("-m", "uvicorn", "bench.bare_botbuilder:app", "--port", str(port))
    quiet = ("--no-access-log", "--log-level", "error")
    with (
        desk(data, requests_per_minute=10**6, **given) as (serving, url),
        running(*bare, *quiet, env=env) as other,
    ):
        first_answer(f"{url}/api/people")
        first_answer(f"http://127.0.0.1:{port}/ready")
        yield serving.pid, f"{url}{PATH}", other.pid, f"http://127.0.0.1:{port}{PATH}"


class _Sender:
    """Sends signed messages to one address, somebody else each time."""

    def __init__(self, teams: FakeTeams, session: aiohttp.ClientSession, url: str) -> None:
        self._teams, self._session, self._url = teams, session, url
        self._users = list(teams.state.users.values())
        self._rooms = [teams.state.personal(user) for user in self._users]
        self._headers = {"authorization": f"Bearer {teams.token()}", "content-type": "application/json"}
        self._number = 0
        self._sent: Counter[str] = Counter()
        self._looked_at = 0  # calls of the connector
        self._posted: Counter[str] = Counter()

    async def send(self) -> float:
        self._number += 1
        at = self._number % len(self._users)
        user, room = self._users[at], self._rooms[at]
        self._sent[room.id] += 1
        body = json.dumps(self._teams.activity("message", user.aad, room, text=WORDS)).encode()
        begun = perf_counter()
        async with self._session.post(self._url, data=body, headers=self._headers) as answer:
            await answer.read()
            answer.raise_for_status()
        return perf_counter() - begun

    def replies(self) -> int:
        calls = self._teams.calls
        while self._looked_at < len(calls):
            call = calls[self._looked_at]
            self._looked_at += 1
            if call.what == "post" and call.body.get("type") == "message":
                self._posted[call.room] += 1
        return self._posted.total()

    def doubled(self) -> int:
        """Replies beyond one a message, person by person."""
        return sum(max(0, count - self._sent[room]) for room, count in self._posted.items())


if __name__ == "__main__":
    asyncio.run(main("--quick" in sys.argv))
