"""The three addresses of a back office, asked with its bearer token. Nothing is ever changed there.

A person is asked for by their id in the directory of record; their mail address goes along for systems
that know people by that alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from integrations.backoffice.fields import Fields
from integrations.contract import Directory, Person, SystemDown, UnknownPerson
from integrations.rest import PATIENCE_S, NotThere, Refused, Rest

NAME = "Back office"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class NotConfigured(Exception):
    """A setting has to be mended; names it."""


@dataclass(frozen=True, slots=True)
class BackofficeSettings:
    url: str  # https://purchasing.example.com/deskhand
    token: str = field(repr=False)
    ca_file: Path | None = None
    patience_s: float = PATIENCE_S  # how long a call waits where the system is busy


class Client:
    """Use it from one event loop."""

    def __init__(self, settings: BackofficeSettings, directory: Directory) -> None:
        """:raises NotConfigured:"""
        _require_address(settings.url)
        _require_token(settings.token)
        self._directory = directory
        self._rest = Rest(
            NAME,
            settings.url,
            {"authorization": f"Bearer {settings.token}"},
            ca_file=settings.ca_file,
            patience_s=settings.patience_s,
        )

    async def equipment(self) -> Fields:
        """:raises SystemDown:, :raises PermissionRefused:"""
        try:
            return Fields(f"{NAME}: equipment", await self._rest.get("equipment"))
        except NotThere:
            raise SystemDown(f"{NAME}: there is no /equipment under BACKOFFICE_URL; is it right?") from None
        except Refused as error:
            raise SystemDown(str(error)) from None

    async def of_employee(self, person_id: str, what: str) -> tuple[Person, Fields]:
        """``what`` the system keeps of them.

        :raises UnknownPerson: to the directory, or to the system
        :raises SystemDown:, :raises PermissionRefused:
        """
        person = await self._directory.person(person_id)
        hint = {"mail": person.mail} if person.mail else {}
        try:
            said = await self._rest.get("employees", person.id, what, **hint)
        except NotThere:
            raise UnknownPerson(f"{NAME}: knows nobody of this id") from None
        except Refused as error:
            raise SystemDown(str(error)) from None
        answer = Fields(f"{NAME}: {what}", said)
        answer.require_of(person)
        return person, answer

    async def close(self) -> None:
        await self._rest.close()


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is none shows only when it is asked for
    except ValueError:
        raise NotConfigured("BACKOFFICE_URL: is no address") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or not (url.isascii() and url.isprintable()) or " " in url:
        raise NotConfigured("BACKOFFICE_URL: takes an https address; plain http only on loopback")
    if parts.username is not None or "?" in url or "#" in url:
        raise NotConfigured("BACKOFFICE_URL: takes host and path alone; the token is BACKOFFICE_TOKEN")


def _require_token(token: str) -> None:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise NotConfigured("BACKOFFICE_TOKEN: takes letters, digits and signs without a blank")
