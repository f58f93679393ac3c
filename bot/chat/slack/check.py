"""What ``deskhand doctor`` says of Slack: tokens, scopes, the channel, and that messages arrive."""

from __future__ import annotations

from bot.chat.card import Card
from bot.chat.platform import PlatformDown, Unreachable
from bot.chat.slack.api import Api, Refused
from bot.chat.slack.manifest import scopes
from bot.chat.slack.send import SlackPlatform
from bot.settings import Settings

Line = tuple[str, bool, str]  # what was looked at, whether it is fine, what there is to say

PROOF = "This message proves that Deskhand reaches you. Nothing has to be done."


async def check(api: Api, settings: Settings) -> list[Line]:
    """Tokens, scopes and the approvals channel. ``api`` is open."""
    lines = [await _bot_token(api)]
    if not lines[0][1]:
        return lines
    if settings.slack_app_token:
        lines.append(await _app_token(settings))
    lines.append(await _channel(api, settings.slack_approvals))
    if settings.slack_help_desk:
        lines.append(await _channel(api, settings.slack_help_desk, "SLACK_HELP_DESK_CHANNEL"))
    return lines


async def prove(platform: SlackPlatform, account: str, key: str) -> Line:
    """Send a direct message, and read it back from the conversation."""
    try:
        where = await platform.direct(account)
        ref = await platform.send(where, Card(title="Hello from Deskhand", text=PROOF), key=key)
        answer = await platform.api.call("conversations.history", channel=where, limit=10)
    except (PlatformDown, Refused, Unreachable) as error:
        return "slack message", False, str(error)
    stands = ref.message_id in [message.get("ts") for message in answer.get("messages") or []]
    said = f"arrived at {account}" if stands else "Slack took it, and it does not stand in the conversation"
    return "slack message", stands, said


async def _bot_token(api: Api) -> Line:
    try:
        me = await api.call("auth.test")
    except (PlatformDown, Refused) as error:
        return "slack token", False, f"SLACK_BOT_TOKEN: {error}"
    granted = {scope.strip() for scope in api.scopes.split(",")}
    if not api.scopes:
        return (
            "slack token",
            True,
            f"{me.get('user')} in {me.get('team')}; it was not said which scopes it has",
        )
    if missing := sorted(set(scopes()) - granted):
        return (
            "slack token",
            False,
            f"the app lacks {', '.join(missing)}: paste manifest.json anew and reinstall the app",
        )
    said = f"{me.get('user')} in {me.get('team')} ({me.get('team_id')}), {len(granted)} scopes"
    return "slack token", True, said


async def _app_token(settings: Settings) -> Line:
    api = Api(settings.slack_app_token, settings.slack_api_url)
    await api.open()
    try:
        await api.call("apps.connections.open")
    except (PlatformDown, Refused) as error:
        return "slack socket", False, f"SLACK_APP_TOKEN: {error}"
    finally:
        await api.close()
    return "slack socket", True, "Socket Mode answers"


async def _channel(api: Api, channel: str, setting: str = "SLACK_APPROVALS_CHANNEL") -> Line:
    name = "slack channel"
    if not channel:
        return name, True, "SLACK_APPROVALS_CHANNEL is empty: approvals go to the approvers alone"
    try:
        answer = await api.call("conversations.info", channel=channel)
    except (PlatformDown, Refused) as error:
        return name, False, f"{setting}: {error}; invite @Deskhand to it"
    said = answer.get("channel") or {}
    if said.get("is_ext_shared") or said.get("is_pending_ext_shared"):
        return name, False, f"#{said.get('name')} is shared with another company: choose one that is not"
    if not said.get("is_member"):
        return name, False, f"#{said.get('name')}: Deskhand is not in it; invite @Deskhand"
    if not said.get("is_private"):
        return name, False, f"#{said.get('name')} is open to everybody: choose a private channel"
    return name, True, f"#{said.get('name')}"
