"""Our own gate, before Bolt and before any parsing: whose bytes these are, and whether they are for us.

Bolt 1.30 parses before it verifies, answers 500 to a malformed signature, writes refused bodies to the
log, and passes on what comes from other workspaces and bots. Nothing of a body is logged here.
Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from bot.chat.envelope import BadEnvelope, Body, json_object, text_at

_OLD_S = 300  # a signature is good for five minutes, as Slack says
_AHEAD_S = 60  # and none is from the future
_PARTS = 50  # fields of a form

_TYPED = frozenset({None, "file_share", "thread_broadcast"})  # message subtypes that a person wrote


@dataclass(frozen=True, slots=True)
class Home:
    """The workspace Deskhand is installed in, and who it is there."""

    team: str
    user: str  # the bot's own user id


def verify(body: bytes, headers: Mapping[str, Sequence[str]], secret: str, now: float) -> None:
    """Slack's signature over the raw bytes, and its age.

    :param headers: lower-case names, every value that was sent
    :raises BadEnvelope: 401
    """
    stamps = headers.get("x-slack-request-timestamp", ())
    signatures = headers.get("x-slack-signature", ())
    if len(stamps) != 1 or len(signatures) != 1:
        raise BadEnvelope(401, "no signature")
    stamp, signature = stamps[0], signatures[0].encode("utf-8", "replace")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 10):
        raise BadEnvelope(401, "no timestamp")
    if not -_AHEAD_S <= now - int(stamp) <= _OLD_S:
        raise BadEnvelope(401, "too old or ahead of its time")
    base = b"v0:" + stamp.encode() + b":" + body
    right = b"v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(signature, right):
        raise BadEnvelope(401, "wrong signature")


def read(body: bytes, content_type: str) -> Body:
    """The verified body as Slack means it: JSON, or a form whose ``payload`` is JSON, or a command's form.

    :raises BadEnvelope: 400, 413 or 415
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return json_object(body)
    if kind != "application/x-www-form-urlencoded":
        raise BadEnvelope(415, "neither JSON nor a form")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=_PARTS
        )
    except ValueError as error:
        raise BadEnvelope(400, "not a form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise BadEnvelope(400, "a field twice")
    return json_object(form["payload"].encode("utf-8", "replace")) if "payload" in form else form


def unwanted(body: Body, home: Home) -> str:
    """Why an envelope is not for us, in two words for the log; empty where it is.

    Acknowledged all the same: Slack would send it again, and stop sending anything in the end.
    """
    kind = body.get("type")
    if kind is None and "command" in body:
        return "" if body.get("team_id") == home.team else "other workspace"
    if kind in ("block_actions", "view_submission"):
        return _unwanted_press(body, home)
    if kind == "event_callback":
        return _unwanted_event(body, home)
    return "unknown kind"


def _unwanted_press(body: Body, home: Home) -> str:
    teams = {text_at(body, "team", "id"), text_at(body, "user", "team_id")}
    if not text_at(body, "user", "id") or not text_at(body, "trigger_id"):
        return "no sender"
    return "" if teams == {home.team} else "other workspace"


def _unwanted_event(body: Body, home: Home) -> str:
    event = body.get("event")
    if not isinstance(event, dict) or not text_at(body, "event_id"):
        return "no event"
    teams = {text_at(event, name) for name in ("team", "user_team", "source_team")} | {
        text_at(body, "team_id")
    }
    if not teams <= {home.team, ""} or body.get("team_id") != home.team:
        return "other workspace"
    if body.get("is_ext_shared_channel"):
        return "shared channel"
    match event.get("type"):
        case "message" | "app_mention":
            return _unwanted_message(event, home)
        case "app_home_opened":
            opened = event.get("tab") == "home" and bool(text_at(event, "user"))
            return "" if opened else "another tab"
        case "user_change":
            return ""
    return "unknown event"


def _unwanted_message(event: Body, home: Home) -> str:
    if event.get("bot_id") or event.get("bot_profile") or text_at(event, "user") in ("", home.user):
        return "a bot"
    if event.get("subtype") not in _TYPED or event.get("hidden"):
        return "not written"
    if event.get("type") == "message" and event.get("channel_type") != "im":
        return "not direct"
    return "" if text_at(event, "channel") and text_at(event, "ts") else "no message"
