"""What ``deskhand doctor`` says of Teams: log-in, keys, address, the channel, and that messages are taken."""

from __future__ import annotations

from bot.chat.card import Card
from bot.chat.platform import PlatformDown, Unreachable
from bot.chat.teams.api import Refused
from bot.chat.teams.keys import Keys, KeysDown
from bot.chat.teams.package import PATH
from bot.chat.teams.send import TeamsPlatform
from bot.settings import Settings

Line = tuple[str, bool, str]  # what was looked at, whether it is fine, what there is to say

PROOF = "This message proves that Deskhand reaches you. Nothing has to be done."


async def check(platform: TeamsPlatform, keys: Keys, settings: Settings) -> list[Line]:
    """``platform``'s API is open."""
    if not settings.teams_app_id:
        return [
            ("teams log-in", True, "Microsoft's playground on this machine: no tokens, anybody is let in")
        ]
    log_in = await _log_in(platform, settings)
    lines = [log_in, await _keys(keys), _address(settings)]
    if not log_in[1]:
        return lines
    lines.append(await _channel(platform))
    return [*lines, await _help_desk(platform, settings)] if settings.teams_help_desk else lines


async def prove(platform: TeamsPlatform, account: str, key: str) -> Line:
    """Send a direct message. Whether it is shown, no bot can read in Teams."""
    try:
        await platform.send(
            await platform.direct(account), Card(title="Hello from Deskhand", text=PROOF), key=key
        )
    except (PlatformDown, Unreachable) as error:
        return "teams message", False, str(error)
    return "teams message", True, f"Teams took it for {account}"


async def _log_in(platform: TeamsPlatform, settings: Settings) -> Line:
    try:
        await platform.api.token()
    except PlatformDown as error:
        return "teams log-in", False, str(error)
    how = "certificate" if settings.teams_certificate_file else "secret (a certificate is safer)"
    return "teams log-in", True, f"as {settings.teams_app_id} in {settings.teams_tenant_id}, by {how}"


async def _keys(keys: Keys) -> Line:
    try:
        await keys.find("")
    except KeysDown as error:
        return "teams keys", False, f"TEAMS_OPENID_URL: {error}, so nobody would be let in"
    return "teams keys", True, f"of {keys.issuer}"


def _address(settings: Settings) -> Line:
    name = "teams address"
    if not settings.public_url.startswith("https://"):
        return name, False, "DESKHAND_PUBLIC_URL: Microsoft posts to an https address only (docs/teams.md)"
    return name, True, f"{settings.public_url.rstrip('/')}{PATH}, if that is what the bot registration says"


async def _channel(platform: TeamsPlatform) -> Line:
    name, team = "teams channel", platform.members.team
    if team is None:
        return name, True, "TEAMS_APPROVALS_CHANNEL is empty: approvals go to the approvers alone"
    try:
        page = await platform.api.members(team.service_url, team.conversation)
    except (PlatformDown, Refused) as error:
        return name, False, f"TEAMS_APPROVALS_CHANNEL: {error}; add Deskhand to that team"
    count = len(page.get("members") or ())
    return (
        name,
        True,
        f"{count}{' or more' if page.get('continuationToken') else ''} people can be found through it",
    )


async def _help_desk(platform: TeamsPlatform, settings: Settings) -> Line:
    name = "teams help desk"
    try:
        await platform.api.members(settings.teams_service_url, settings.teams_help_desk)
    except (PlatformDown, Refused) as error:
        return name, False, f"TEAMS_HELP_DESK_CHANNEL: {error}; add Deskhand to that team"
    return name, True, settings.teams_help_desk
