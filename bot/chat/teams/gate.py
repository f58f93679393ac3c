"""Our own gate, before botbuilder: whose token this is, what it vouches for, and whether it is for us.

botbuilder 4.17 takes a token without expiry, does not compare a service address that is missing, and knows
neither tenants nor repetition. A token says nothing of the body, so what the body claims is compared with it
where it can be, and the sender is asked for again at Microsoft (``identity.py``).
Source: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.chat.envelope import BadEnvelope, Body
from bot.chat.teams.keys import Keys

CHANNEL = "msteams"
PERSONAL = "personal"
CARD_ACTION = "adaptiveCard/action"

# Microsoft's services that a token may vouch for: everybody's, and the one for US government (GCC).
# Source: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
SERVICES = frozenset(
    {
        "https://smba.trafficmanager.net",
        "https://smba.infra.gcc.teams.microsoft.com",
    }
)

_LEEWAY_S = 60
_LONGEST_S = 47 * 3600  # what was seen is remembered for two days: no token may outlive that
_TOKEN_CHARS = 16_000
_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PATH = re.compile(r"(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)*/?")
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEARD = frozenset({"message", "invoke", "installationUpdate", "conversationUpdate"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, populate_by_name=True)


class Who(_Part):
    """An account, as an activity names it."""

    id: str = Field(default="", max_length=200)
    name: str = ""
    aad: str = Field(default="", alias="aadObjectId", max_length=100)


class Room(_Part):
    id: str = Field(min_length=1, max_length=200)
    kind: str = Field(default="", alias="conversationType")
    tenant: str = Field(default="", alias="tenantId")


class Incoming(_Part):
    """The parts of an activity that Deskhand reads; all else is left at the door.

    Source: https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity
    """

    type: str = Field(min_length=1, max_length=50)
    id: str = Field(min_length=1, max_length=200)
    service_url: str = Field(alias="serviceUrl", min_length=1, max_length=500)
    channel: str = Field(alias="channelId")
    sender: Who = Field(alias="from")
    recipient: Who
    room: Room = Field(alias="conversation")
    name: str = ""  # of an invoke
    text: str | None = None
    reply_to: str = Field(default="", alias="replyToId", max_length=200)
    action: str = ""  # of an installationUpdate
    added: tuple[Who, ...] = Field(default=(), alias="membersAdded")
    removed: tuple[Who, ...] = Field(default=(), alias="membersRemoved")
    entities: tuple[dict[str, Any], ...] = ()
    channel_data: dict[str, Any] = Field(default_factory=dict, alias="channelData")
    value: dict[str, Any] | None = None

    @property
    def account(self) -> str:
        """Entra's object id of the sender: what never changes of them."""
        return self.sender.aad.lower()

    @property
    def seen_as(self) -> str:
        """One activity, once: of this type, in this conversation."""
        told = "\n".join((self.type, self.room.id, self.id))
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Home:
    """What Deskhand is to Teams, and whom it serves."""

    app_id: str  # in small letters; empty: Microsoft's playground on this machine, where there are no tokens
    tenants: frozenset[str]
    services: frozenset[str]  # scheme and host of each service that may be answered
    directory: str = ""  # the tenant whose object ids are the ids of people; empty: there is none

    @property
    def bot(self) -> str:
        return f"28:{self.app_id}"


@dataclass(frozen=True, slots=True)
class Voucher:
    """What a token that was found good says."""

    service_url: str
    endorsements: frozenset[str]  # channels that its key may speak for


async def verify(headers: Sequence[str], keys: Keys, app_id: str) -> Voucher:
    """Microsoft's token.

    :param headers: every Authorization header that was sent
    :raises BadEnvelope: 401, :raises KeysDown: it cannot be told now
    """
    scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.isascii() or len(token) > _TOKEN_CHARS:
        raise BadEnvelope(401, "no token")
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise BadEnvelope(401, "no token") from error
    key = await keys.find(kid) if isinstance(kid, str) else None
    if key is None:
        raise BadEnvelope(401, "unknown key")
    try:
        claims = jwt.decode(
            token,
            key.key,
            algorithms=["RS256"],
            audience=app_id,
            issuer=keys.issuer,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "iss", "aud"], "strict_aud": True},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadEnvelope(401, type(error).__name__) from error
    service = claims.get("serviceurl")
    if not isinstance(service, str) or not service:
        raise BadEnvelope(401, "no service in the token")
    if claims["exp"] - keys.now() > _LONGEST_S:
        raise BadEnvelope(401, "good for too long")
    return Voucher(service, key.endorsements)


def read(body: Body) -> Incoming:
    """:raises BadEnvelope: 400"""
    try:
        return Incoming.model_validate(_tidy(body))
    except ValidationError as error:
        raise BadEnvelope(400, f"no activity ({error.errors()[0]['loc'][0]})") from error


def admit(said: Incoming, voucher: Voucher, home: Home) -> None:
    """What the body claims, held against the token. :raises BadEnvelope: 401 or 403"""
    if said.service_url != voucher.service_url or not _served(said.service_url, home.services):
        raise BadEnvelope(401, "another service")
    if said.channel != CHANNEL or CHANNEL not in voucher.endorsements:
        raise BadEnvelope(401, "another channel")
    if said.recipient.id.lower() != home.bot:
        raise BadEnvelope(401, "for another bot")
    tenants = {said.room.tenant.lower(), _tenant(said.channel_data).lower()} - {""}
    if not tenants or not tenants <= home.tenants:
        raise BadEnvelope(403, "another tenant")


def admit_playground(said: Incoming, host: str) -> None:
    """Without tokens: only from a playground on this very machine, which calls us by a name of it. A page
    elsewhere whose name was made to lead here calls us by another. :raises BadEnvelope: 401"""
    if not (_local(said.service_url) and _local(f"http://{host}")) or said.channel != CHANNEL:
        raise BadEnvelope(401, "not the playground")


def unwanted(said: Incoming, home: Home) -> str:
    """Why an activity is not for us, in two words for the log; empty where it is. Answered 200 all the
    same: it is Microsoft's, and there is nothing wrong with it."""
    if said.type not in _HEARD:
        return "unknown kind"
    if said.type == "conversationUpdate":
        return "" if said.added or said.removed else "no members"
    if home.app_id and not (said.sender.id.startswith("29:") and _GUID.fullmatch(said.account)):
        return "not a person"
    if not said.account:
        return "not a person"
    if said.type == "message":
        if not said.text:
            return "no words"
        if said.room.kind != PERSONAL and said.recipient.id not in mentioned(said):
            return "not to us"
    return ""


def mentioned(said: Incoming) -> list[str]:
    """The ids of all that the message mentions."""
    found = [each.get("mentioned") for each in said.entities if each.get("type") == "mention"]
    return [str(each.get("id", "")) for each in found if isinstance(each, Mapping)]


def tenant_of(said: Incoming) -> str:
    return said.room.tenant or _tenant(said.channel_data)


def service(url: str) -> str:
    """Scheme and host; empty where the address is none that could be answered."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not (url.isascii() and parts.scheme and parts.netloc and _PATH.fullmatch(parts.path)):
        return ""
    if parts.query or parts.fragment:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def _served(url: str, services: frozenset[str]) -> bool:
    origin = service(url)
    return bool(origin) and origin in services


def _local(url: str) -> bool:
    scheme, _, host = service(url).partition("://")
    name, _, port = host.rpartition(":")
    return scheme == "http" and name in _LOCAL and port.isdigit()


def _tenant(channel_data: Mapping[str, Any]) -> str:
    tenant = channel_data.get("tenant")
    said = tenant.get("id") if isinstance(tenant, Mapping) else None
    return said if isinstance(said, str) else ""


def _tidy(part: Any) -> Any:
    """JSON's nulls as what is not there, and its lists as the model takes them."""
    if isinstance(part, Mapping):
        return {name: _tidy(value) for name, value in part.items() if value is not None}
    return tuple(_tidy(each) for each in part) if isinstance(part, list) else part
