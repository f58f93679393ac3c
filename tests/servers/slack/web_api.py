"""The Web API of the made-up workspace: one method each, with Slack's own names for what is wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.servers.slack import limits
from tests.servers.slack.state import APP, BOT, BOT_USER, TEAM, Channel, State

Args = dict[str, Any]

NEEDS: dict[str, tuple[str, ...]] = {  # any one of them
    "auth.test": (),
    "bots.info": ("users:read",),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "conversations.open": ("im:write",),
    "conversations.info": ("channels:read", "groups:read", "im:read"),
    "conversations.history": ("channels:history", "groups:history", "im:history"),
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "views.open": (),
    "views.publish": (),
    "apps.connections.open": (),
}


class Wrong(Exception):
    """Slack's name for it."""


class WebApi:
    def __init__(self, state: State, socket_url: Callable[[], str]) -> None:
        self.state = state
        self._socket_url = socket_url

    def run(self, method: str, args: Args) -> Args:
        """:raises Wrong:"""
        return getattr(self, f"_{method.replace('.', '_')}")(args)

    def _auth_test(self, args: Args) -> Args:
        return {
            "url": "https://alderfinch.slack.com/",
            "team": "Alder & Finch",
            "team_id": TEAM,
            "user": "deskhand",
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def _bots_info(self, args: Args) -> Args:
        return {"bot": {"id": BOT, "app_id": APP, "user_id": BOT_USER}}

    def _users_info(self, args: Args) -> Args:
        if args.get("user") not in self.state.users:
            raise Wrong("user_not_found")
        return {"user": self.state.users[args["user"]].json()}

    def _users_lookupByEmail(self, args: Args) -> Args:
        for user in self.state.users.values():
            if user.mail.lower() == str(args.get("email", "")).lower() and user.kind != "deactivated":
                return {"user": user.json()}
        raise Wrong("users_not_found")

    def _conversations_open(self, args: Args) -> Args:
        user = self.state.users.get(args.get("users", ""))
        if user is None:
            raise Wrong("user_not_found")
        if user.kind in ("bot", "deactivated"):
            raise Wrong("cannot_dm_bot" if user.kind == "bot" else "user_disabled")
        return {"channel": {"id": self.state.direct(user.id).id}}

    def _conversations_info(self, args: Args) -> Args:
        channel = self._channel(args, member=False)
        return {
            "channel": {
                "id": channel.id,
                "name": channel.name,
                "is_private": channel.private,
                "is_member": BOT_USER in channel.members,
                "is_ext_shared": channel.shared,
            }
        }

    def _conversations_history(self, args: Args) -> Args:
        channel = self._channel(args)
        if not channel.private:
            raise Wrong("missing_scope")  # channels:history, which is not asked for
        shown = [m for m in channel.messages if not m.get("thread_ts")][-int(args.get("limit", 100)) :]
        return {"messages": shown[::-1], "has_more": False}

    def _chat_postMessage(self, args: Args) -> Args:
        channel = self._channel(args)
        message = {
            "type": "message",
            "user": BOT_USER,
            "bot_id": BOT,
            "ts": self.state.ts(),
            **_content(args),
        }
        if args.get("thread_ts"):
            message["thread_ts"] = args["thread_ts"]
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _chat_postEphemeral(self, args: Args) -> Args:
        channel = self._channel(args)
        if args.get("user") not in channel.members:
            raise Wrong("user_not_in_channel")
        shown = {"user": args["user"], "channel": channel.id, "ts": self.state.ts(), **_content(args)}
        self.state.ephemerals.append(shown)
        return {"message_ts": shown["ts"]}

    def _chat_update(self, args: Args) -> Args:
        channel = self._channel(args)
        message = self.state.find(channel.id, str(args.get("ts")))
        if message is None:
            raise Wrong("message_not_found")
        if message.get("bot_id") != BOT:
            raise Wrong("cant_update_message")
        message.pop("blocks", None)
        message.update(_content(args), edited={"ts": self.state.ts()})
        return {"channel": channel.id, "ts": message["ts"]}

    def _reactions_add(self, args: Args) -> Args:
        self._react(args, "add")
        return {}

    def _reactions_remove(self, args: Args) -> Args:
        self._react(args, "remove")
        return {}

    def _react(self, args: Args, what: str) -> None:
        channel = self._channel(args)
        if self.state.find(channel.id, str(args.get("timestamp"))) is None:
            raise Wrong("message_not_found")
        mine = (channel.id, str(args["timestamp"]), str(args.get("name")))
        if (mine in self.state.reactions) == (what == "add"):
            raise Wrong("already_reacted" if what == "add" else "no_reaction")
        self.state.reacted.append((what, *mine))
        (self.state.reactions.add if what == "add" else self.state.reactions.discard)(mine)

    def _views_open(self, args: Args) -> Args:
        user, until = self.state.triggers.pop(str(args.get("trigger_id")), ("", 0.0))
        if not user:
            raise Wrong("exchanged_trigger_id")
        if time.monotonic() > until:
            raise Wrong("expired_trigger_id")
        view = self._view(args, "modal")
        self.state.modals.setdefault(user, []).append(view)
        return {"view": view}

    def _views_publish(self, args: Args) -> Args:
        if args.get("user_id") not in self.state.users:
            raise Wrong("user_not_found")
        view = self._view(args, "home")
        self.state.homes[args["user_id"]] = view
        return {"view": view}

    def _apps_connections_open(self, args: Args) -> Args:
        return {"url": self._socket_url()}

    def _view(self, args: Args, kind: str) -> Args:
        view = args.get("view")
        if isinstance(view, str):
            view = json.loads(view)
        wrong = limits.of_view(view)
        if wrong or not isinstance(view, dict) or view["type"] != kind:
            raise Wrong(f"invalid_arguments: {wrong}")
        return {**view, "id": self.state.new("V"), "hash": "1.abc", "team_id": TEAM}

    def _channel(self, args: Args, *, member: bool = True) -> Channel:
        channel = self.state.channels.get(str(args.get("channel")))
        if channel is None or (channel.private and BOT_USER not in channel.members):
            raise Wrong("channel_not_found")
        if member and BOT_USER not in channel.members:
            raise Wrong("not_in_channel")
        return channel


def _content(args: Args) -> Args:
    """Text and blocks of a message, within Slack's limits."""
    text = args.get("text") or ""
    if len(text) > 40_000:
        raise Wrong("msg_too_long")
    if args.get("blocks") is None:
        if not text:
            raise Wrong("no_text")
        return {"text": text}
    if wrong := limits.of_message(args["blocks"]):
        raise Wrong(f"invalid_blocks: {wrong}")
    return {"text": text, "blocks": args["blocks"]}


def reply(state: State, url_id: str, body: Args) -> tuple[int, str]:
    """A post to a response_url."""
    url = state.reply_urls.get(url_id)
    if url is None:
        return 404, "no_service"
    if time.monotonic() - url.made > 30 * 60:
        return 404, "expired_url"
    if url.uses >= 5:
        return 404, "used_url"
    url.uses += 1
    try:
        content = _content(body)
    except Wrong as wrong:
        return 400, str(wrong)
    if body.get("replace_original") and url.ephemeral is not None:
        url.ephemeral.pop("blocks", None)
        url.ephemeral.update(content)
    elif body.get("replace_original") and (message := state.find(url.channel, url.ts)):
        message.update(content)
    else:
        shown = {"user": url.user, "channel": url.channel, "ts": state.ts(), **content}
        state.ephemerals.append(shown)
    return 200, "ok"
