"""The gate before Bolt: bytes that Slack did not sign, and envelopes that are not for this workspace."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import random
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.envelope import BadEnvelope
from bot.chat.slack.gate import Home, read, unwanted, verify

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_764_000_000.0
HOME = Home("T0HOME", "U0BOT")
STAMP = str(int(NOW))


def sign(body: bytes, stamp: str = STAMP, secret: str = SECRET) -> str:
    base = f"v0:{stamp}:".encode() + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def headers(stamp: str, *signatures: str) -> dict[str, list[str]]:
    return {"x-slack-request-timestamp": [stamp], "x-slack-signature": list(signatures)}


class TestWhoseBytes:
    def test_slacks_own_pass(self) -> None:
        body = b'{"type":"event_callback"}'
        verify(body, headers(STAMP, sign(body)), SECRET, NOW)
        verify(body, headers(str(int(NOW) - 299), sign(body, str(int(NOW) - 299))), SECRET, NOW)

    @pytest.mark.parametrize(
        "stamp",
        [
            "abc",
            "1.5",
            "",
            "-1",
            "+1764000000",
            "1_764_000_000",
            " 1764000000",
            "١٧٦٤٠٠٠٠٠٠",
            "9" * 5000,
            str(int(NOW) - 301),
            str(int(NOW) + 61),
            str(int(NOW) + 299),
            "\x00",
        ],
    )
    def test_a_timestamp_out_of_form_or_time_is_refused_even_when_it_is_signed(self, stamp: str) -> None:
        with pytest.raises(BadEnvelope) as refused:
            verify(b"{}", headers(stamp, sign(b"{}", stamp)), SECRET, NOW)
        assert refused.value.status == 401

    @pytest.mark.parametrize(
        "signature",
        [
            "",
            "v0=",
            "v0=" + "0" * 64,
            sign(b"{}", secret="another app's"),
            sign(b"{} "),
            sign(b"{}").upper(),
            sign(b"{}")[3:],
            sign(b"{}") + "0",
            sign(b"{}").replace("v0=", "v1="),
            "v0=é" + "0" * 63,
            "v0=\udcff",
            "v0=" + "٣" * 64,
        ],
    )
    def test_a_signature_that_is_not_slacks_is_refused(self, signature: str) -> None:
        with pytest.raises(BadEnvelope) as refused:
            verify(b"{}", headers(STAMP, signature), SECRET, NOW)
        assert refused.value.status == 401

    @pytest.mark.parametrize("signatures", [(), (sign(b"{}"), sign(b"{}"))])
    def test_none_and_two_signatures_are_refused(self, signatures: tuple[str, ...]) -> None:
        with pytest.raises(BadEnvelope):
            verify(b"{}", headers(STAMP, *signatures), SECRET, NOW)

    def test_no_changed_byte_passes(self) -> None:
        body = json.dumps({"type": "event_callback", "text": "hello"}).encode()
        right, chance = sign(body), random.Random(7)
        for _ in range(2_000):
            changed = bytearray(body)
            changed[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
            with pytest.raises(BadEnvelope):
                verify(bytes(changed), headers(STAMP, right), SECRET, NOW)

    @given(st.binary(max_size=200), st.text(max_size=80), st.text(max_size=80))
    def test_no_noise_passes_or_breaks_it(self, body: bytes, stamp: str, signature: str) -> None:
        with pytest.raises(BadEnvelope):
            verify(body, headers(stamp, signature), SECRET, NOW)


class TestReading:
    def test_json_forms_and_payloads_are_read(self) -> None:
        assert read(b'{"a": 1}', "application/json; charset=utf-8") == {"a": 1}
        assert read(b"command=%2Fdeskhand&text=help", "application/x-www-form-urlencoded")["text"] == "help"
        pressed = urlencode({"payload": json.dumps({"type": "block_actions"})}).encode()
        assert read(pressed, "application/x-www-form-urlencoded") == {"type": "block_actions"}

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            (b"", "application/json", 400),
            (b"[]", "application/json", 400),
            (b"nonsense", "application/json", 400),
            (b'"\xff"', "application/json", 400),
            (b'{"a":' * 100_000, "application/json", 413),
            (b"[" * 70 + b"]" * 70, "application/json", 413),
            (b"payload=%7B%7D&payload=%7B%7D", "application/x-www-form-urlencoded", 400),
            (b"payload=" + b"%5B" * 80, "application/x-www-form-urlencoded", 413),
            (b"&".join(b"a%d=1" % n for n in range(60)), "application/x-www-form-urlencoded", 400),
            (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
            (b"{}", "text/plain", 415),
            (b"{}", "", 415),
            (b"{}", "multipart/form-data", 415),
        ],
    )
    def test_what_slack_does_not_send_is_refused_by_name(self, body: bytes, kind: str, status: int) -> None:
        with pytest.raises(BadEnvelope) as refused:
            read(body, kind)
        assert refused.value.status == status

    def test_braces_in_what_people_write_are_no_depth(self) -> None:
        text = json.dumps({"text": "{[" * 5_000 + '\\"{{{'}).encode()
        assert read(text, "application/json")["text"].startswith("{[")

    @given(st.binary(max_size=300))
    def test_no_bytes_break_it(self, body: bytes) -> None:
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            with contextlib.suppress(BadEnvelope):
                assert isinstance(read(body, kind), dict)


def event(**changes: Any) -> dict[str, Any]:
    inner = {
        "type": "message",
        "channel_type": "im",
        "user": "U1",
        "channel": "D1",
        "ts": "1.2",
        "text": "hello",
        "team": "T0HOME",
    }
    outer = {"type": "event_callback", "team_id": "T0HOME", "event_id": "Ev1"}
    for name, value in changes.items():
        (outer if name in ("team_id", "event_id", "is_ext_shared_channel", "type_") else inner)[
            name.rstrip("_")
        ] = value
    return {**outer, "event": inner}


def press(**changes: Any) -> dict[str, Any]:
    whole = {
        "type": "block_actions",
        "team": {"id": "T0HOME"},
        "user": {"id": "U1", "team_id": "T0HOME"},
        "trigger_id": "1.2.3",
    }
    return whole | changes


class TestForWhom:
    @pytest.mark.parametrize(
        "body",
        [
            event(),
            event(subtype="file_share"),
            event(type="app_mention", channel_type="channel"),
            event(type="app_home_opened", tab="home"),
            event(type="user_change", user={"id": "U1"}),
            press(),
            press(type="view_submission"),
            {"command": "/deskhand", "team_id": "T0HOME"},
        ],
    )
    def test_the_home_workspaces_own_people_come_in(self, body: dict[str, Any]) -> None:
        assert unwanted(body, HOME) == ""

    @pytest.mark.parametrize(
        "body",
        [
            event(team_id="TEVIL"),
            event(team="TEVIL"),
            event(user_team="TEVIL"),
            event(source_team="TEVIL"),
            event(is_ext_shared_channel=True),
            event(bot_id="B1"),
            event(bot_profile={"id": "B1"}),
            event(subtype="bot_message"),
            event(subtype="message_changed", hidden=True),
            event(subtype="channel_join"),
            event(user="U0BOT"),
            event(user=""),
            event(user=None),
            event(user={"id": "U1"}),
            event(channel_type="channel"),
            event(event_id=""),
            event(type="app_home_opened", tab="messages"),
            event(type="team_join"),
            {"type": "event_callback", "team_id": "T0HOME", "event_id": "Ev1", "event": "text"},
            {"type": "event_callback", "team_id": "T0HOME", "event_id": "Ev1"},
            press(team={"id": "TEVIL"}),
            press(user={"id": "U1", "team_id": "TEVIL"}),
            press(user={"id": "U1"}),
            press(user="U1"),
            press(team=None),
            press(trigger_id=""),
            press(type="view_closed"),
            press(type="shortcut"),
            press(type="block_suggestion"),
            {"command": "/deskhand", "team_id": "TEVIL"},
            {"command": "/deskhand"},
            {},
            {"type": ["event_callback"]},
        ],
    )
    def test_others_do_not(self, body: dict[str, Any]) -> None:
        assert unwanted(body, HOME) != ""
