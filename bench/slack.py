"""A message in Slack: from the signed event to the reply that is posted, beside a bare Bolt no-op under the
same server; and 50 a second, held, with what an acknowledgement takes, what is lost and what is doubled.

Slack's side is the fake of the tests, in this process: its processor time is not in the figures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench.chat import PEOPLE, cost, held, replied, taken
from bench.crowd import hire
from bench.lookup import WORDS
from bench.server import desk, first_answer, free_port, running
from bot.settings.paths import Paths
from integrations.company import Company
from tests.servers.slack.server import BOT_TOKEN, SECRET, FakeSlack


async def main(quick: bool) -> None:
    rounds, count, seconds = (2, 100, 10) if quick else (5, 400, 60)
    with FakeSlack.running(hurry=1.0) as slack, tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        Company.open(Paths(data).company).close()
        for account in hire(data, PEOPLE):
            slack.add_user(f"{account}@example.com", account, user_id=f"U{account.upper()}")
        async with aiohttp.ClientSession() as session:
            with _served(slack, data) as (ours, ours_url, bare, bare_url):
                sender = _Sender(slack, session, ours_url)
                other = _Sender(slack, session, bare_url)
                await replied(sender, 2 * PEOPLE)  # everybody is linked, every conversation open
                await taken(other, PEOPLE)
                no_op = "a bare signed Bolt no-op"
                await cost("Slack", no_op, sender, other, (ours, bare), rounds, count)
                await held("Slack", sender, ours, seconds)


@contextmanager
def _served(slack: FakeSlack, data: Path) -> Iterator[tuple[int, str, int, str]]:
    """The desk and the bare app, each in a process of its own."""
    given = {"slack_bot_token": BOT_TOKEN, "slack_signing_secret": SECRET, "slack_api_url": slack.api_url}
    env = {name.upper(): value for name, value in given.items()}
    port = free_port()
    bare = (
        "-m",
        "uvicorn",
        "bench.bare_bolt:app",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "error",
    )
    with (
        desk(data, requests_per_minute=10**6, **given) as (serving, url),
        running(*bare, env=env) as other,
    ):
        first_answer(f"{url}/api/people")
        first_answer(f"http://127.0.0.1:{port}/ready")
        yield serving.pid, f"{url}/slack/events", other.pid, f"http://127.0.0.1:{port}/slack/events"


class _Sender:
    """Sends signed events to one address, somebody else each time."""

    def __init__(self, slack: FakeSlack, session: aiohttp.ClientSession, url: str) -> None:
        self._slack, self._session, self._url = slack, session, url
        self._users = list(slack.state.users.values())
        self._number = 0
        self._looked_at = 0  # calls of Slack's API
        self._marks: Counter[str] = Counter()
        self._directs = {user.id: slack.state.direct(user.id) for user in self._users}

    async def send(self) -> float:
        """Seconds until it was acknowledged."""
        self._number += 1
        user = self._users[self._number % len(self._users)]
        event: dict[str, Any] = {
            "type": "message",
            "channel_type": "im",
            "user": user.id,
            "channel": self._directs[user.id].id,
            "ts": self._slack.state.ts(),
            "text": WORDS,
        }
        body = json.dumps(self._slack.envelope(event)).encode()
        begun = time.perf_counter()
        async with self._session.post(self._url, data=body, headers=self._slack.signed(body)) as answer:
            await answer.read()
            answer.raise_for_status()
        return time.perf_counter() - begun

    def replies(self) -> int:
        """Messages that were posted so far."""
        calls = self._slack.calls
        while self._looked_at < len(calls):
            call = calls[self._looked_at]
            self._looked_at += 1
            if call.method == "chat.postMessage":
                self._marks[call.args["blocks"][0]["block_id"]] += 1
        return self._marks.total()

    def doubled(self) -> int:
        """Messages that stand there twice, by their mark."""
        return sum(count - 1 for count in self._marks.values())


if __name__ == "__main__":
    asyncio.run(main("--quick" in sys.argv))
