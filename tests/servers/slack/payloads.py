"""What Slack sends to an app: events, presses, forms, commands, in the shapes it documents.

Sources: https://docs.slack.dev/apis/events-api, .../reference/interaction-payloads, .../interactivity
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from tests.servers.slack.state import (
    APP,
    BOT_USER,
    DOMAIN,
    TEAM,
    Channel,
    ReplyUrl,
    State,
    User,
    elements,
)

TRIGGER_S = 3.0  # how long a trigger_id is good for

Body = dict[str, Any]

# What people type that Slack turns into markup of its own: a mention, a channel, an address, a mail address.
_TYPED = re.compile(
    r"<(?P<token>[@#][A-Z0-9]+(?:\|[^<>]*)?)>"
    r"|(?P<url>https?://[^\s<>|]+)"
    r"|(?P<mail>(?<![\w.@+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?<!\S)@(?P<all>channel|here|everyone)\b"
    r"|(?<!\S)@(?P<handle>[\w.-]*\w)"
    r"|(?<!\S)#(?P<channel>[\w-]+)"
    r"|(?P<sign>[&<>])"
)
_SIGNS = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Payloads:
    def __init__(self, state: State, base_url: str) -> None:
        """:param base_url: where Slack itself answers"""
        self.state = state
        self._base_url = base_url

    # what was typed

    def typed(self, text: str, *, names: bool = False) -> str:
        """As Slack passes it on: ``@ana.ruiz`` and ``<@U1>`` are mentions, addresses links.

        Signs of markup are escaped.

        :param names: with the name, as in a command with should_escape
        """

        def said(found: re.Match[str]) -> str:
            match found.lastgroup:
                case "token" | "handle" | "channel":
                    return self._named(found, names)
                case "url":
                    return f"<{found['url'].replace('&', '&amp;')}>"
                case "mail":
                    return f"<mailto:{found['mail']}|{found['mail']}>"
                case "all":
                    return f"<!{found['all']}>"
            return _SIGNS[found[0]]

        return _TYPED.sub(said, text)

    def _named(self, found: re.Match[str], names: bool) -> str:
        token = (found["token"] or "").partition("|")[0]
        for user in self.state.users.values():
            if token == f"@{user.id}" or found["handle"] == user.handle:
                return f"<@{user.id}|{user.handle}>" if names else f"<@{user.id}>"
        for channel in self.state.channels.values():
            if token == f"#{channel.id}" or found["channel"] == channel.name:
                return f"<#{channel.id}|{channel.name}>"
        return re.sub("[&<>]", lambda sign: _SIGNS[sign[0]], found[0]) if not token else f"<{token}>"

    # events

    def envelope(self, event: Body, *, shared: bool = False) -> Body:
        channel = event.get("channel", "")
        return {
            "token": "legacy",
            "team_id": TEAM,
            "context_team_id": TEAM,
            "context_enterprise_id": None,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": self.state.new("Ev"),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM,
                    "user_id": BOT_USER,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{event.get('type')}-{TEAM}-{APP}-{channel}",
        }

    def written(self, user: User, channel: Channel, said: str) -> Body:
        """What message and app_mention have in common. Somebody of elsewhere shows where they are from."""
        ts = self.state.ts()
        told = {"user_team": user.team, "source_team": user.team} if user.team != TEAM else {}
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": said}]}
        return {
            "user": user.id,
            "ts": ts,
            "client_msg_id": str(uuid4()),
            "text": self.typed(said),
            "team": user.team,
            "blocks": [{"type": "rich_text", "block_id": self.state.new("b"), "elements": [section]}],
            "channel": channel.id,
            "event_ts": ts,
            **told,
        }

    def opened_home(self, user: str, tab: str) -> Body:
        channel, home = self.state.direct(user), self.state.homes.get(user)
        view = {"view": home} if home is not None and tab == "home" else {}
        return {
            "type": "app_home_opened",
            "user": user,
            "channel": channel.id,
            "tab": tab,
            "event_ts": self.state.ts(),
            **view,
        }

    def changed(self, user: User) -> Body:
        stamp = self.state.ts()
        return {"type": "user_change", "user": user.json(), "cache_ts": int(float(stamp)), "event_ts": stamp}

    # what people press, send off and command

    def command(self, user: User, name: str, text: str, channel: Channel) -> dict[str, str]:
        return {
            "token": "legacy",
            "team_id": TEAM,
            "team_domain": DOMAIN,
            "channel_id": channel.id,
            "channel_name": channel.shown,
            "user_id": user.id,
            "user_name": user.handle,
            "command": name,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._reply_url("commands", ReplyUrl(user.id, channel.id)),
            "trigger_id": self._trigger(user.id),
        }

    def pressed(self, user: User, shown: Mapping[str, Any], action: Body, values: Body) -> Body:
        """block_actions of a message, an ephemeral message or a view."""
        body = {
            "type": "block_actions",
            **self._whose(user),
            "actions": [{**action, "action_ts": self.state.ts()}],
            **self._container(user.id, shown),
        }
        if "view" in body:
            body["view"] = {**body["view"], "state": {"values": values}}
        else:
            body["state"] = {"values": values}
        return body

    def submitted(self, user: User, view: Mapping[str, Any], values: Body) -> Body:
        sent = {**view, "state": {"values": values}}
        return {"type": "view_submission", **self._whose(user), "view": sent, "response_urls": []}

    def _whose(self, user: User) -> Body:
        return {
            "team": {"id": TEAM, "domain": DOMAIN},
            "user": {"id": user.id, "username": user.handle, "name": user.handle, "team_id": user.team},
            "api_app_id": APP,
            "token": "legacy",
            "trigger_id": self._trigger(user.id),
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _container(self, user: str, shown: Mapping[str, Any]) -> Body:
        if shown.get("type") in ("home", "modal"):
            return {"container": {"type": "view", "view_id": shown["id"]}, "view": dict(shown)}
        ephemeral = next((each for each in self.state.ephemerals if each is shown), None)
        channel = self._channel_of(shown, ephemeral)
        at = str(shown["ts"])
        place = {
            "type": "message",
            "message_ts": at,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral is not None,
        }
        if thread := shown.get("thread_ts"):
            place["thread_ts"] = thread
        url = self._reply_url("actions", ReplyUrl(user, channel.id, at, ephemeral))
        message = {} if ephemeral is not None else {"message": dict(shown)}
        named = {"id": channel.id, "name": channel.shown}
        return {"container": place, "channel": named, "response_url": url, **message}

    def _channel_of(self, shown: Mapping[str, Any], ephemeral: Body | None) -> Channel:
        if ephemeral is not None:
            return self.state.channels[ephemeral["channel"]]
        for channel in self.state.channels.values():
            if any(each is shown for each in channel.messages):
                return channel
        for channel in self.state.channels.values():  # a message as it stood before
            if any(each["ts"] == shown["ts"] for each in channel.messages):
                return channel
        raise AssertionError(f"no message {shown['ts']} stands anywhere")

    def _trigger(self, user: str) -> str:
        made = f"{next(self.state.numbers)}.{TEAM}.{uuid4().hex}"
        self.state.triggers[made] = (user, time.monotonic() + TRIGGER_S)
        return made

    def _reply_url(self, kind: str, url: ReplyUrl) -> str:
        made = uuid4().hex
        self.state.reply_urls[made] = url
        return f"{self._base_url}/{kind}/{TEAM}/{made}"


def texts(blocks: Any) -> str:
    """Every text in these blocks, one a line."""
    found: list[str] = []

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("type") in ("plain_text", "mrkdwn"):
                found.append(part["text"])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(blocks)
    return "\n".join(found)


def buttons(message: Mapping[str, Any]) -> dict[str, Body]:
    """Label -> button, of what the message shows now."""
    return {
        element["text"]["text"]: {**element, "block_id": block.get("block_id", "")}
        for block, element in _elements(message)
        if element["type"] == "button"
    }


def pressed(message: Mapping[str, Any], label: str) -> Body:
    """The action that a press of this button is. Fails where the message does not show it."""
    found = buttons(message)
    assert label in found, f"no button {label!r}; there is {list(found)}"
    sent = ("type", "action_id", "block_id", "text", "value", "url", "style")
    return {name: found[label][name] for name in sent if name in found[label]}


def chosen(message: Mapping[str, Any], action_id: str, value: str) -> Body:
    """The action that a choice in a menu outside an input is."""
    for block, element in _elements(message):
        if element["action_id"] == action_id:
            sent = {name: element[name] for name in ("type", "action_id") if name in element}
            return sent | {"block_id": block["block_id"]} | _state(element, value)
    raise AssertionError(f"no element {action_id!r}")


def values(blocks: list[Body], fields: Mapping[str, str]) -> Body:
    """state.values: everything that can be filled in, with what was given, or what stood there at first."""
    found: Body = {}
    inputs: dict[str, str] = {}
    for block in blocks:
        for element in elements(block):
            if element.get("type") not in ("button", "overflow"):
                inputs[block["block_id"]] = element["action_id"]
                state = _state(element, fields.get(block["block_id"]))
                found.setdefault(block["block_id"], {})[element["action_id"]] = state
    assert set(fields) <= set(inputs), f"no input {set(fields) - set(inputs)}; there is {list(inputs)}"
    return found


def _elements(message: Mapping[str, Any]) -> Iterator[tuple[Body, Body]]:
    for block in message.get("blocks", ()):
        if block["type"] in ("actions", "section"):
            for element in elements(block):
                yield block, element


def _state(element: Body, given: str | None) -> Body:
    """One element's part of state.values. ``given``: its text, or the value of the option that was chosen."""
    kind = element["type"]
    options = {option["value"]: option for option in element.get("options", ())}
    match kind:
        case "plain_text_input":
            most = element.get("max_length", 3000)
            assert given is None or len(given) <= most, f"Slack takes no more than {most} characters here"
            return {"type": kind, "value": element.get("initial_value") if given is None else given or None}
        case "static_select" | "radio_buttons" | "overflow":
            first = element.get("initial_option")
            return {"type": kind, "selected_option": first if given is None else options.get(given)}
        case "checkboxes" | "multi_static_select":
            first = element.get("initial_options", [])
            picked = [options[each] for each in (given or "").split(",") if each]
            return {"type": kind, "selected_options": first if given is None else picked}
        case "datepicker":
            return {"type": kind, "selected_date": element.get("initial_date") if given is None else given}
        case "users_select":
            return {"type": kind, "selected_user": element.get("initial_user") if given is None else given}
    raise AssertionError(f"nothing is filled into a {kind}")
