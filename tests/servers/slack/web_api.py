"""The Web API of the made-up workspace: one method each, with Slack's own names for what is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.servers.slack import limits
from tests.servers.slack.state import APP, BOT, BOT_USER, DOMAIN, TEAM, Channel, ReplyUrl, State, User

Args = dict[str, Any]

_READ = {"channel": "channels:read", "group": "groups:read", "im": "im:read"}
_HISTORY = {"channel": "channels:history", "group": "groups:history", "im": "im:history"}

NEEDS: dict[str, tuple[str, ...]] = {  # any one of them; of a conversation, the one for its type
    "auth.test": (),
    "bots.info": ("users:read",),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "conversations.open": ("im:write",),
    "conversations.info": tuple(_READ.values()),
    "conversations.history": tuple(_HISTORY.values()),
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "views.open": (),
    "views.push": (),
    "views.update": (),
    "views.publish": (),
    "apps.connections.open": ("connections:write",),  # with the app's own token
}

# These read query and form parameters alone: what is sent to them as JSON is not seen.
NO_JSON = frozenset(
    {"bots.info", "users.info", "users.lookupByEmail", "conversations.info", "conversations.history"}
)

_STACK = 3  # modals on top of each other
_EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


class Wrong(Exception):
    """Slack's name for it, and after a colon what it is about."""

    def __init__(self, code: str, needed: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.needed = needed  # scopes, any one of them


class WebApi:
    def __init__(self, state: State, scopes: set[str], socket_url: Callable[[], str]) -> None:
        """:param scopes: what the bot token has been granted, as of now"""
        self.state = state
        self.scopes = scopes
        self._socket_url = socket_url

    def run(self, method: str, args: Args) -> Args:
        """:raises Wrong:"""
        return getattr(self, f"_{method.replace('.', '_')}")(args)

    # who and where

    def _auth_test(self, args: Args) -> Args:
        return {
            "url": f"https://{DOMAIN}.slack.com/",
            "team": "Alder & Finch",
            "team_id": TEAM,
            "user": "deskhand",
            "user_id": BOT_USER,
            "bot_id": BOT,
            "is_enterprise_install": False,
        }

    def _bots_info(self, args: Args) -> Args:
        if args.get("bot", BOT) != BOT:
            raise Wrong("bot_not_found")
        bot = {"id": BOT, "deleted": False, "name": "Deskhand", "app_id": APP, "user_id": BOT_USER}
        return {"bot": bot}

    def _users_info(self, args: Args) -> Args:
        return {"user": self._shown(self._user(args, "user"))}

    def _users_lookupByEmail(self, args: Args) -> Args:
        for user in self.state.users.values():
            same = user.mail.lower() == str(args.get("email", "")).lower()
            if same and user.kind not in ("deactivated", "bot", "stranger", "other workspace"):
                return {"user": self._shown(user)}
        raise Wrong("users_not_found")

    def _shown(self, user: User) -> Args:
        return user.json(mail="users:read.email" in self.scopes)

    def _conversations_open(self, args: Args) -> Args:
        user = self._user(args, "users")
        if user.kind in ("bot", "deactivated"):
            raise Wrong("cannot_dm_bot" if user.kind == "bot" else "user_disabled")
        channel: Args = {"id": self.state.direct(user.id).id}
        if str(args.get("return_im", "")).lower() == "true":
            channel = self.state.direct(user.id).json()
        return {"no_op": True, "already_open": True, "channel": channel}

    def _conversations_info(self, args: Args) -> Args:
        channel = self._channel(args, member=False)
        self._may(_READ, channel)
        return {"channel": channel.json()}

    def _conversations_history(self, args: Args) -> Args:
        """The newest first. Answers in threads are not in it."""
        channel = self._channel(args)
        self._may(_HISTORY, channel)
        oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
        limit = int(args.get("limit", 100))
        if not 1 <= limit <= 999:
            raise Wrong("invalid_limit")
        fitting = [
            message
            for message in channel.messages
            if message.get("thread_ts", message["ts"]) == message["ts"]
            and oldest < float(message["ts"]) < float(args.get("cursor") or latest)
        ]
        shown, more = fitting[-limit:], len(fitting) > limit
        answer = {"messages": shown[::-1], "has_more": more, "pin_count": 0}
        return answer | ({"response_metadata": {"next_cursor": shown[0]["ts"]}} if more else {})

    def _may(self, scopes: Mapping[str, str], channel: Channel) -> None:
        if scopes[channel.type] not in self.scopes:
            raise Wrong("missing_scope", (scopes[channel.type],))

    # messages

    def _chat_postMessage(self, args: Args) -> Args:
        channel = self._channel(args)
        message = {
            "type": "message",
            "user": BOT_USER,
            "bot_id": BOT,
            "app_id": APP,
            "team": TEAM,
            "ts": self.state.ts(),
            **content(self.state, args),
        }
        if args.get("thread_ts"):
            message["thread_ts"] = str(args["thread_ts"])
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def _chat_postEphemeral(self, args: Args) -> Args:
        channel = self._channel(args)
        if args.get("user") not in channel.members:
            raise Wrong("user_not_in_channel")
        shown = {
            "user": args["user"],
            "channel": channel.id,
            "ts": self.state.ts(),
            **content(self.state, args),
        }
        self.state.ephemerals.append(shown)
        return {"message_ts": shown["ts"]}

    def _chat_update(self, args: Args) -> Args:
        channel, message = self._own_message(args, "cant_update_message")
        changed = content(self.state, args)
        if "blocks" not in changed:  # a new text alone takes the blocks away, and shows as edited
            message.pop("blocks", None)
            message["edited"] = {"user": BOT_USER, "ts": self.state.ts()}
        message.update(changed)
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}

    def _chat_delete(self, args: Args) -> Args:
        channel, message = self._own_message(args, "cant_delete_message")
        channel.messages[:] = [each for each in channel.messages if each is not message]
        return {"channel": channel.id, "ts": message["ts"]}

    def _own_message(self, args: Args, otherwise: str) -> tuple[Channel, Args]:
        if not str(args.get("channel", "")).startswith(("C", "G", "D")):
            raise Wrong("channel_not_found")
        channel = self._channel(args)
        message = self.state.find(channel.id, str(args.get("ts")))
        if message is None:
            raise Wrong("message_not_found")
        if message.get("bot_id") != BOT:
            raise Wrong(otherwise)
        return channel, message

    def _reactions_add(self, args: Args) -> Args:
        self._react(args, "add")
        return {}

    def _reactions_remove(self, args: Args) -> Args:
        self._react(args, "remove")
        return {}

    def _react(self, args: Args, what: str) -> None:
        channel = self._channel(args)
        if not _EMOJI.fullmatch(str(args.get("name"))):
            raise Wrong("invalid_name")
        if self.state.find(channel.id, str(args.get("timestamp"))) is None:
            raise Wrong("message_not_found")
        mine = (channel.id, str(args["timestamp"]), str(args.get("name")))
        if (mine in self.state.reactions) == (what == "add"):
            raise Wrong("already_reacted" if what == "add" else "no_reaction")
        self.state.reacted.append((what, *mine))
        (self.state.reactions.add if what == "add" else self.state.reactions.discard)(mine)

    # views

    def _views_open(self, args: Args) -> Args:
        return self._on_top(args, fresh=True)

    def _views_push(self, args: Args) -> Args:
        return self._on_top(args, fresh=False)

    def _on_top(self, args: Args, *, fresh: bool) -> Args:
        user = self._trigger(str(args.get("trigger_id")))
        given = self._given(args, "modal")
        modals = self.state.modals.setdefault(user, [])
        if len(modals) >= _STACK:
            raise Wrong("push_limit_reached")
        if not fresh and not modals:
            raise Wrong("not_found")
        view = self.state.view(given, None if fresh else modals[-1])
        modals.append(view)
        return {"view": view}

    def _trigger(self, trigger: str) -> str:
        """Whose it is. It is good once, and for three seconds."""
        if trigger in self.state.exchanged:
            raise Wrong("exchanged_trigger_id")
        if trigger not in self.state.triggers:
            raise Wrong("invalid_trigger_id")
        user, until = self.state.triggers.pop(trigger)
        self.state.exchanged.add(trigger)
        if time.monotonic() > until:
            raise Wrong("expired_trigger_id")
        return user

    def _views_update(self, args: Args) -> Args:
        for view in (*(v for stack in self.state.modals.values() for v in stack), *self.state.homes.values()):
            external = view.get("external_id")
            if args.get("view_id") == view["id"] or (external and args.get("external_id") == external):
                break
        else:
            raise Wrong("not_found")
        if args.get("hash") not in (None, view["hash"]):
            raise Wrong("hash_conflict")
        change_view(self.state, view, self._given(args, view["type"]))
        return {"view": view}

    def _views_publish(self, args: Args) -> Args:
        user = self._user(args, "user_id")
        given = self._given(args, "home")
        before = self.state.homes.get(user.id)
        if args.get("hash") and before is not None and args["hash"] != before["hash"]:
            raise Wrong("hash_conflict")
        view = self.state.view(given)
        if before is not None:  # the page stays the same view
            view |= {"id": before["id"], "root_view_id": before["id"]}
        self.state.homes[user.id] = view
        return {"view": view}

    def _given(self, args: Args, kind: str) -> Args:
        view = args.get("view")
        if wrong := limits.of_view(view):
            raise Wrong(f"invalid_arguments: {wrong}")
        assert isinstance(view, dict)
        if view["type"] != kind:
            raise Wrong(f"invalid_arguments: a {kind} is needed here")
        return view

    # tokens, and what a method is about

    def _apps_connections_open(self, args: Args) -> Args:
        return {"url": self._socket_url()}

    def _user(self, args: Args, name: str) -> User:
        user = self.state.users.get(str(args.get(name)))
        if user is None:
            raise Wrong("user_not_found")
        return user

    def _channel(self, args: Args, *, member: bool = True) -> Channel:
        given = str(args.get("channel"))
        if given in self.state.users:  # the direct conversation with this person
            return self.state.direct(given)
        channel = self.state.channels.get(given)
        if channel is None or (channel.private and BOT_USER not in channel.members):
            raise Wrong("channel_not_found")
        if member and BOT_USER not in channel.members:
            raise Wrong("not_in_channel")
        if member and channel.archived:
            raise Wrong("is_archived")
        return channel


def content(state: State, args: Mapping[str, Any]) -> Args:
    """Text and blocks of a message, within Slack's limits. :raises Wrong:"""
    text = args.get("text") or ""
    if len(text) > 40_000:
        raise Wrong("msg_too_long")
    if not args.get("blocks"):
        if not text:
            raise Wrong("no_text")
        return {"text": text}
    if wrong := limits.of_message(args["blocks"]):
        raise Wrong(f"invalid_blocks: {wrong}")
    return {"text": text, "blocks": state.with_ids(args["blocks"])}


def change_view(state: State, view: Args, given: Args) -> None:
    """What a view shows is replaced; it stays the same view."""
    view.update(given, blocks=state.with_ids(given["blocks"]), hash=state.hash())


def reply(state: State, url_id: str, body: Args, seconds: float) -> tuple[int, str]:
    """A post to a response_url.

    :param seconds: how long it is good for
    """
    url = state.reply_urls.get(url_id)
    if url is None:
        return 404, "no_service"
    if time.monotonic() - url.made > seconds:
        return 404, "expired_url"
    if url.uses >= 5:
        return 404, "used_url"
    if body.get("delete_original"):
        url.uses += 1
        _delete(state, url)
        return 200, "ok"
    try:
        shown = content(state, body)
    except Wrong as wrong:
        return 400, str(wrong).partition(":")[0]
    url.uses += 1
    _show(state, url, body, shown)
    return 200, "ok"


def _delete(state: State, url: ReplyUrl) -> None:
    state.ephemerals[:] = [each for each in state.ephemerals if each is not url.ephemeral]
    messages = state.channels[url.channel].messages
    messages[:] = [each for each in messages if each["ts"] != url.ts]


def _show(state: State, url: ReplyUrl, body: Args, shown: Args) -> None:
    there = url.ephemeral if url.ephemeral is not None else state.find(url.channel, url.ts)
    if body.get("replace_original") and there is not None:
        there.pop("blocks", None)
        there.update(shown)
    elif body.get("response_type") == "in_channel":
        made = {"type": "message", "subtype": "bot_message", "bot_id": BOT, "ts": state.ts(), **shown}
        state.channels[url.channel].messages.append(made)
    else:
        state.ephemerals.append({"user": url.user, "channel": url.channel, "ts": state.ts(), **shown})
