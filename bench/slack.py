"""A message in Slack: from the signed event to the reply that is posted, beside a bare Bolt no-op under the
same server; and 50 a second, held, with what an acknowledgement takes, what is lost and what is doubled.

Slack's side is the fake of the tests, in this process: its processor time is not in the figures.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench.crowd import hire
from bench.figure import Figure, busy_seconds, megabytes, percentile, say
from bench.lookup import WORDS
from bench.server import desk, first_answer, free_port, running
from bot.app import Paths
from integrations.company import Company
from tests.servers.slack.server import BOT_TOKEN, SECRET, FakeSlack

PEOPLE = 100  # who ask in turn
PER_SECOND = 50
BARE_TIMES = 3.0  # the bar: so many bare no-ops


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
                await sender.replied(2 * PEOPLE)  # everybody is linked, every conversation open
                await other.taken(PEOPLE)
                await _cost(sender, other, ours, bare, rounds, count)
                await _held(sender, ours, seconds)


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


async def _cost(sender: _Sender, other: _Sender, ours: int, bare: int, rounds: int, count: int) -> None:
    mine, theirs, clock = [], [], []
    for _ in range(rounds):  # in turn, so that both meet the same weather
        busy = busy_seconds(ours)
        clock += await sender.replied(count)
        mine.append((busy_seconds(ours) - busy) / count * 1e6)
        busy = busy_seconds(bare)
        await other.taken(4 * count)
        theirs.append((busy_seconds(bare) - busy) / count / 4 * 1e6)
    whole, no_op = statistics.median(mine), statistics.median(theirs)
    note = f"clock p50 {statistics.median(clock) * 1e3:.1f} ms, p99 {percentile(clock, 0.99) * 1e3:.1f} ms"
    say(Figure("Slack: signed event to reply, processor", whole, "us", note=note))
    say(Figure("a bare signed Bolt no-op, processor", no_op, "us"))
    say(Figure("Slack: look-up, in bare no-ops", whole / no_op, "x", bar=BARE_TIMES))


async def _held(sender: _Sender, pid: int, seconds: int) -> None:
    """Fifty a second, whatever the answers take."""
    before, memory, busy = sender.replies(), megabytes(pid), busy_seconds(pid)
    total, begun, tasks = PER_SECOND * seconds, time.perf_counter(), []
    for number in range(total):
        await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
        tasks.append(asyncio.create_task(sender.send()))
    acknowledged = await asyncio.gather(*tasks)
    while sender.replies() - before < total and time.perf_counter() - begun < seconds + 60:  # noqa: ASYNC110  another process
        await asyncio.sleep(0.05)
    drained = time.perf_counter() - begun - seconds
    what = f"Slack: {PER_SECOND} inbound/s for {seconds} s"
    usual, rest = statistics.median(acknowledged) * 1e3, max(0.0, drained)
    note = f"p50 {usual:.1f} ms; last reply {rest:.1f} s after the end"
    say(Figure(f"{what}, acknowledge p99", percentile(acknowledged, 0.99) * 1e3, "ms", bar=250, note=note))
    say(Figure(f"{what}, lost", total - min(total, sender.replies() - before), "", bar=0))
    say(Figure(f"{what}, doubled", sender.doubled(), "", bar=0))
    share = (busy_seconds(pid) - busy) / (seconds + max(0.0, drained)) * 100
    say(Figure(f"{what}, of one core", share, "%", note=f"{megabytes(pid) - memory:+.0f} MB"))


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

    async def taken(self, count: int) -> None:
        for _ in range(count):
            await self.send()

    async def replied(self, count: int) -> list[float]:
        """Seconds from each event to its reply, one after the other."""
        took = []
        for _ in range(count):
            before, begun = self.replies(), time.perf_counter()
            await self.send()
            while self.replies() == before:  # noqa: ASYNC110  another process
                await asyncio.sleep(0.0005)
            took.append(time.perf_counter() - begun)
        return took

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
