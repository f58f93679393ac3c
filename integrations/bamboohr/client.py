"""The API of BambooHR: the key goes with every call, and what it says of a refusal is passed on in its words.

Source: https://documentation.bamboohr.com/docs/getting-started, .../docs/api-details
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrations.contract import PermissionRefused, SystemDown
from integrations.rest import Refused, Rest

_COMPANY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_WHY = "x-bamboohr-error-message"
_WORDS = 200  # characters of an explanation


class NotConfigured(Exception):
    """A setting has to be mended; names it."""


@dataclass(frozen=True, slots=True)
class BambooHrSettings:
    company: str  # of company.bamboohr.com
    api_key: str = field(repr=False)
    url: str = "https://api.bamboohr.com/api/gateway.php"
    ca_file: Path | None = None


class Client:
    """Use it from one event loop."""

    def __init__(self, settings: BambooHrSettings) -> None:
        """:raises NotConfigured:"""
        if not _COMPANY.fullmatch(settings.company):
            raise NotConfigured("BAMBOOHR_COMPANY: the COMPANY of COMPANY.bamboohr.com is needed")
        if not settings.api_key:
            raise NotConfigured("BAMBOOHR_API_KEY: a key is needed")
        if not settings.url.startswith("https://"):
            raise NotConfigured("BAMBOOHR_URL: has to begin with https://")
        self.company = settings.company
        self._key = settings.api_key
        pair = base64.b64encode(f"{settings.api_key}:x".encode()).decode()
        self._rest = Rest(
            "BambooHR",
            f"{settings.url.rstrip('/')}/{settings.company}",
            {"authorization": f"Basic {pair}"},
            ca_file=settings.ca_file,
        )

    async def get(self, *path: str, **params: str | int) -> Any:
        """:raises NotThere:, :raises PermissionRefused:, :raises SystemDown:"""
        try:
            return await self._rest.get("v1", *path, **params)
        except PermissionRefused as error:
            raise self._no_right(error) from None
        except Refused as error:
            raise SystemDown(f"{error}: {self.words(error)}") from None

    async def put(self, *path: str, body: Mapping[str, Any]) -> Any:
        """:raises OutcomeUnknown:, :raises Refused:, and like ``get``"""
        try:
            return await self._rest.write("PUT", "v1", *path, body=body)
        except PermissionRefused as error:
            raise self._no_right(error) from None

    def words(self, refused: Refused) -> str:
        """Why it was refused, in one line that people can read."""
        said = refused.headers.get(_WHY) or _message(refused.answer)
        plain = " ".join("".join(each if each.isprintable() else " " for each in said).split())
        return plain.replace(self._key, "•••")[:_WORDS] or "it does not say why"

    async def close(self) -> None:
        await self._rest.close()

    @staticmethod
    def _no_right(error: PermissionRefused) -> PermissionRefused:
        return PermissionRefused(
            f"{error}: BAMBOOHR_API_KEY has to be a key of an enabled user, who sees the employee directory,"
            " work mails and all time off, and may enter time off for others"
        )


def _message(answer: Any) -> str:
    if isinstance(answer, Mapping):
        answer = answer.get("message") or answer.get("error") or answer.get("title")
    return answer if isinstance(answer, str) and not answer.lstrip().startswith("<") else ""
