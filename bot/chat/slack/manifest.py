"""The Slack app's manifest, from what Deskhand does there: no scope and no event that is not in use.

``manifest.json`` at the top level is the one for Socket Mode; ``deskhand slack manifest --public-url URL``
prints the one for signed HTTP. Source: https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from typing import Any

COMMAND = "/deskhand"
PATH = "/slack/events"

# Each Web API method that is called, and the bot scopes it needs.
METHODS: dict[str, tuple[str, ...]] = {
    "apps.connections.open": (),  # with the app token: connections:write
    "auth.test": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("groups:history", "im:history"),  # to find a card whose answer was lost
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "views.open": (),
    "views.publish": (),
}

# Each event that is listened to, and the bot scopes it needs.
EVENTS: dict[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "message.im": ("im:history",),
    "user_change": ("users:read",),
}

_ABOUT = "The help desk that acts: ask for access, a new password or your vacation balance in your own words."
_MORE = (
    "Deskhand understands what you need, checks your company's rules, shows exactly what it is about to do,"
    " asks the right manager where the risk asks for one, does it once, and keeps a record. It never asks for"
    " a password or a code: never send one. What you write to it is stored encrypted by your own company."
)


def scopes() -> list[str]:
    used = {scope for needs in (*METHODS.values(), *EVENTS.values()) for scope in needs}
    return sorted(used | {"commands"})


def manifest(public_url: str | None = None) -> dict[str, Any]:
    """:param public_url: where Slack reaches this machine over https; None: Socket Mode"""
    address = {} if public_url is None else {"request_url": public_url.rstrip("/") + PATH}
    command = {
        "command": COMMAND,
        "description": "Ask the help desk",
        "usage_hint": "[what you need] or help",
        "should_escape": True,
        **({"url": address["request_url"]} if address else {}),
    }
    return {
        "display_information": {
            "name": "Deskhand",
            "description": _ABOUT,
            "long_description": _MORE,
            "background_color": "#1f4b3f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Deskhand", "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": scopes()}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not address,
            "token_rotation_enabled": False,
        },
    }
