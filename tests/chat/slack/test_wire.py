"""Slack's side of the wire gone wrong: forged, repeated, late and lost, over real sockets."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.procedures.request import State
from bot.store.database import StorageDown
from tests.servers.slack.server import FakeSlack, Fault
from tests.slack_house import MODES, Work, user_id, work

CANARY = "canary-5f1c-in-the-body"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Work]:
    async with work(tmp_path / "data", "http") as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"


@pytest.fixture
async def socket(tmp_path: Path) -> AsyncIterator[Work]:
    async with work(tmp_path / "data", "socket") as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"


def bodies(slack: FakeSlack) -> dict[str, tuple[bytes, str]]:
    """One of each surface, each with a canary in it."""
    user = user_id("ana")
    message = {"type": "message", "channel_type": "im", "user": user, "channel": "D1", "ts": "1.1"}
    pressed = {
        "type": "block_actions",
        "user": {"id": user, "team_id": "T0HOME"},
        "team": {"id": "T0HOME"},
        "trigger_id": "1.2.3",
        "actions": [{"action_id": "b0", "value": CANARY}],
        "container": {"type": "message", "channel_id": "D1", "message_ts": "1.1"},
    }
    command = {"command": "/deskhand", "text": CANARY, "team_id": "T0HOME", "user_id": user}
    return {
        "event": (json.dumps(slack.envelope({**message, "text": CANARY})).encode(), "application/json"),
        "press": (urlencode({"payload": json.dumps(pressed)}).encode(), FORM),
        "command": (urlencode({**command, "trigger_id": "1.2.4", "channel_id": "D1"}).encode(), FORM),
    }


class TestBadEnvelopes:
    async def test_each_is_refused_by_name_and_nothing_of_it_is_logged(
        self, desk: Work, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        slack, now, tried = desk.slack, time.time(), 0
        before = len(desk.house.events())
        for body, kind in bodies(slack).values():
            good = slack.signed(body, kind)
            forged = [
                {"content-type": kind},
                good | {"x-slack-signature": "v0=" + "0" * 64},
                good | {"x-slack-signature": ""},
                good | {"x-slack-signature": "v0=" + "é" * 64},
                good | {"x-slack-signature": good["x-slack-signature"][:-1]},
                good | {"x-slack-signature": good["x-slack-signature"].upper()},
                slack.signed(body + b" ", kind),
                slack.signed(body, kind, at=now - 301),
                slack.signed(body, kind, at=now + 120),
                slack.signed(body, kind, at=now + 299),
                good | {"x-slack-request-timestamp": "abc"},
                good | {"x-slack-request-timestamp": "1.5"},
                good | {"x-slack-request-timestamp": "9" * 5000},
                good | {"x-slack-request-timestamp": "١٧٦٤٠٠٠٠٠٠"},
                good | {"x-slack-request-timestamp": f"1_{int(now)}"},
                {name: value for name, value in good.items() if name != "x-slack-request-timestamp"},
            ]
            for headers in forged:
                status, said = await slack.post(body, headers)
                assert (status, said) == (401, ""), headers
                tried += 1
        for body, kind, expected in self._unreadable():
            status, said = await slack.post(body, slack.signed(body, kind))
            assert status == expected
            assert said == ""
            tried += 1
        assert tried >= 55
        logged = capfd.readouterr()
        assert CANARY not in logged.out + logged.err + caplog.text
        assert len(logged.out) < tried * 200, "a line each, however long the body"
        assert len(desk.house.events()) == before, "and nothing happened"

    def _unreadable(self) -> list[tuple[bytes, str, int]]:
        twice = urlencode([("payload", "{}"), ("payload", CANARY)]).encode()
        return [
            (b"", "application/json", 400),
            (f'"{CANARY}"'.encode(), "application/json", 400),
            (f"{{{CANARY}".encode(), "application/json", 400),
            (b'{"a":' * 40_000, "application/json", 413),
            (json.dumps({"text": CANARY * 20_000}).encode(), "application/json", 413),
            (twice, FORM, 400),
            (b"payload=" + b"%5B" * 3_000, FORM, 413),
            (f"payload={CANARY}".encode(), FORM, 400),
            (b"\xff\xfe" + CANARY.encode(), FORM, 400),
            (CANARY.encode(), "text/plain", 415),
        ]

    async def test_ssl_check_is_no_way_round_the_signature(self, desk: Work) -> None:
        assert (await desk.slack.post(b"ssl_check=1", {"content-type": FORM}))[0] == 401

    async def test_other_methods_and_paths_lead_nowhere(self, desk: Work) -> None:
        async with desk.house.browser() as browser:
            assert (await browser.get("/slack/events")).status_code in (404, 405)
            assert (await browser.post("/slack/other")).status_code in (403, 404)

    async def test_the_address_is_confirmed_when_slack_asks(self, desk: Work) -> None:
        body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
        assert await desk.slack.post(body, desk.slack.signed(body)) == (200, "3eZbrw1a")


class TestOnce:
    @pytest.mark.parametrize("mode", MODES)
    async def test_four_deliveries_in_any_order_are_handled_once(self, tmp_path: Path, mode: str) -> None:
        async with work(tmp_path / "data", mode) as desk:
            asked = [
                desk.slack.envelope(
                    {
                        "type": "message",
                        "channel_type": "im",
                        "user": user_id("ana"),
                        "channel": desk.slack.state.direct(user_id("ana")).id,
                        "ts": desk.slack.state.ts(),
                        "text": f"I need access to figma for {days} days",
                    }
                )
                for days in (1, 2)
            ]
            order = [each for each, _ in itertools.product(asked, range(4))]
            for body in (*order[::2], *order[1::2]):
                await desk.slack.deliver(body)
            await asyncio.gather(*(desk.slack.deliver(body) for body in order))
            await desk.house.quiet()
            assert len(desk.house.requests()) == 2
            assert len(desk.slack.dm(user_id("ana"))) == 2

    async def test_a_click_that_is_replayed_counts_once_even_after_a_restart(self, tmp_path: Path) -> None:
        with FakeSlack.running() as slack:
            async with work(tmp_path / "data", "http", slack) as desk:
                await desk.says("ana", "I need access to figma for two weeks")
                sent: list[tuple[bytes, dict[str, str]]] = []
                signed = slack.signed

                def noting(body: bytes, kind: str = "", at: float | None = None) -> dict[str, str]:
                    headers = signed(body, kind, at)
                    sent.append((body, headers))
                    return headers

                slack.signed = noting  # type: ignore[method-assign]
                await desk.press("ana", "Yes, do it")
                slack.signed = signed  # type: ignore[method-assign]
                (captured,) = sent
                assert [(await slack.post(*captured))[0] for _ in range(3)] == [200] * 3
                await desk.house.quiet()
                events = len(desk.house.events())
            async with work(tmp_path / "data", "http", slack) as after:
                assert (await slack.post(*captured))[0] == 200
                await after.house.quiet()
                fresh = [
                    e for e in after.house.events()[events:] if e["kind"].startswith(("press", "request"))
                ]
                assert not fresh
                assert len(await after.house.effects()) == 1

    async def test_an_event_that_slack_sends_again_while_the_first_is_under_way(self, desk: Work) -> None:
        desk.slack.duplicates = 3
        await desk.says("ana", "I need access to figma for two weeks")
        assert len(desk.house.requests()) == 1


class TestStorage:
    async def test_until_there_is_storage_slack_is_told_to_come_again(self, desk: Work) -> None:
        desk.house.app.ready.clear()
        body, kind = bodies(desk.slack)["event"]
        assert (await desk.slack.post(body, desk.slack.signed(body, kind)))[0] == 503
        task = asyncio.create_task(desk.says("ana", "show my requests"))
        await desk.house.until(lambda: any(each.status == 503 for each in desk.slack.deliveries))
        desk.house.app.ready.set()
        await task
        assert desk.slack.dm(user_id("ana")), "the next attempt is taken"
        assert not desk.slack.errors

    @pytest.mark.parametrize("mode", MODES)
    async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
        self, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with work(tmp_path / "data", mode) as desk:
            await desk.says("ana", "show my requests")
            inbox = desk.house.app.desk._inbox
            put, failures = inbox.put, iter([StorageDown("full")])

            def once_full(*args: Any) -> bool:
                if error := next(failures, None):
                    raise error
                return put(*args)

            monkeypatch.setattr(inbox, "put", once_full)
            if mode == "socket":  # a socket is not answered: Slack waits for its three seconds
                monkeypatch.setattr("tests.servers.slack.server.DEADLINE_S", 0.3)
            await desk.says("ana", "I need access to figma for two weeks")
            assert desk.house.state() is State.CONFIRMING
            assert [each.status for each in desk.slack.deliveries][-2:] in ([503, 200], [0, 200])

    async def test_a_click_a_form_and_a_command_that_cannot_be_stored_say_so(
        self, desk: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve")  # opens the form
        await desk.says("luis", "I need access to figma for two weeks")

        def full(*args: Any) -> bool:
            raise StorageDown("full")

        monkeypatch.setattr(desk.house.app.desk._inbox, "put", full)
        await desk.press("luis", "Yes, do it")
        assert "nothing was done. Please try again" in desk.told("luis")
        errors = await desk.slack.submits(user_id("bo"), {"spoke": "yes"})
        assert "Please try again" in str(errors), "the form stays open and says why"
        assert "Please try again" in await desk.command("ana", "show my requests")
        assert desk.house.state() in (State.APPROVING, State.CONFIRMING)


class TestThrottlingAndLosses:
    async def test_slacks_wish_to_wait_is_obeyed_and_others_do_not_wait(self, desk: Work) -> None:
        await desk.says("ana", "show my requests")
        await desk.says("luis", "show my requests")
        ana = desk.slack.state.direct(user_id("ana")).id
        desk.slack.faults.append(Fault("chat.postMessage", "throttle", retry_after=2, channel=ana))
        begun = time.monotonic()
        one = asyncio.create_task(desk.slack.says(user_id("ana"), "how many vacation days do I have left?"))
        await one
        await desk.slack.says(user_id("luis"), "how many vacation days do I have left?")
        await desk.house.until(lambda: "vacation" in desk.last("luis"))
        assert time.monotonic() - begun < 1.9, "Luis is answered while Ana's channel is throttled"
        await desk.house.quiet()
        assert "hours of vacation left" in desk.last("ana")
        attempts = [c for c in desk.slack.called("chat.postMessage") if c.args["channel"] == ana][-2:]
        assert attempts[1].at - attempts[0].at >= 2.0
        added = [what for what, *_ in desk.slack.state.reacted]
        assert added[-2:] == ["add", "remove"], "and Ana sees that it is being worked on"

    async def test_a_long_wait_is_given_back_to_the_next_round(self, desk: Work) -> None:
        await desk.says("ana", "show my requests")
        desk.slack.faults.append(Fault("chat.postMessage", "throttle", retry_after=600))
        await desk.says("ana", "how many vacation days do I have left?")
        assert "hours of vacation left" not in desk.sees("ana")
        calls = len(desk.slack.called("chat.postMessage"))
        await desk.house.app.desk.replay()
        assert len(desk.slack.called("chat.postMessage")) == calls, "Slack is not asked before its time"
        desk.house.app.office.platforms["slack"].api._not_before.clear()  # type: ignore[attr-defined]
        await desk.house.app.desk.replay()
        assert desk.sees("ana").count("hours of vacation left") == 1

    @pytest.mark.parametrize("kind", ["cut after", "cut before", "500"])
    async def test_a_reply_that_was_lost_is_not_posted_twice(self, desk: Work, kind: str) -> None:
        await desk.says("ana", "show my requests")
        desk.slack.faults.append(Fault("chat.postMessage", kind))
        await desk.says("ana", "how many vacation days do I have left?")
        await desk.house.app.desk.replay()
        await desk.house.quiet()
        assert desk.sees("ana").count("hours of vacation left") == 1

    async def test_a_crash_between_the_post_and_its_record_posts_nothing_twice(self, tmp_path: Path) -> None:
        with FakeSlack.running() as slack:
            async with work(tmp_path / "data", "http", slack) as desk:
                with pytest.MonkeyPatch.context() as crash:
                    crash.setattr(desk.house.app.desk._inbox, "done", lambda *_: None)
                    crash.setattr("bot.store.deliveries.record", lambda *_: None)
                    await desk.says("ana", "how many vacation days do I have left?")
                    await desk.asks("luis", "I need access to the data warehouse for 2 weeks")
                seen = (
                    len(slack.dm(user_id("ana"))),
                    len(slack.dm(user_id("luis"))),
                    len(desk.approvals.messages),
                )
            async with work(tmp_path / "data", "http", slack) as after:
                await after.house.app.desk.replay()
                await after.house.settle()
                await after.house.quiet()
                now = (
                    len(slack.dm(user_id("ana"))),
                    len(slack.dm(user_id("luis"))),
                    len(desk.approvals.messages),
                )
                assert now == seen

    async def test_slack_down_after_the_effect_never_calls_it_failed_and_the_news_follow(
        self, desk: Work
    ) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        add = desk.house.app.company.groups.add

        async def add_and_lose_slack(*args: Any, **kwargs: Any) -> bool:
            done = await add(*args, **kwargs)
            desk.slack.down = True
            return done

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                type(desk.house.app.company.groups), "add", lambda _, *a, **k: add_and_lose_slack(*a, **k)
            )
            await desk.press("bo", "Approve")
        assert desk.house.state() is State.ACTIVE
        assert "could not" not in desk.sees("ana")
        desk.slack.down = False
        desk.house.clock.forward(seconds=60)
        await desk.house.app.engine.sweep()
        await desk.house.quiet()
        assert desk.sees("ana").count("has access to Data warehouse") >= 1
        assert len(await desk.house.effects()) == 1

    async def test_a_form_that_opens_too_late_says_so(self, desk: Work) -> None:
        await desk.asks("ana", "I forgot my password")
        desk.slack.faults.append(Fault("views.open", "expired_trigger_id"))
        await desk.press("bo", "Approve")
        assert "Please press the button again" in desk.told("bo")


class TestTheSocket:
    async def test_it_connects_anew_when_slack_asks_and_when_it_breaks(self, socket: Work) -> None:
        await socket.says("ana", "show my requests")
        for cut in (socket.slack.refresh_socket, socket.slack.drop_sockets):
            before = list(socket.slack.sockets)
            await cut()
            await socket.house.until(lambda old=before: not set(socket.slack.sockets) <= set(old))  # type: ignore[misc]  # bound default
            await socket.house.until(lambda: len(socket.slack.sockets) == 1)
        await socket.says("ana", "how many vacation days do I have left?")
        assert "hours of vacation left" in socket.last("ana")

    async def test_slack_down_at_the_start_does_not_keep_the_desk_from_serving(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.chat.slack.connect._PATIENCE_S", 0.2)
        monkeypatch.setattr("bot.chat.slack.connect._AGAIN_S", 0.1)
        with FakeSlack.running() as slack:
            slack.down = True
            up = asyncio.get_running_loop().call_later(1.0, setattr, slack, "down", False)
            async with work(tmp_path / "data", "socket", slack) as desk:
                await desk.says("ana", "show my requests")
                assert desk.slack.dm(user_id("ana"))
            up.cancel()
