"""The two APIs of Jira that tickets need: Service Management for requests, the platform for the rest.

Basic authentication with the account's mail address and an API token.
Sources: https://developer.atlassian.com/cloud/jira/service-desk/rest/, .../cloud/jira/platform/rest/v2/
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrations.contract import OutcomeUnknown, SystemDown
from integrations.jira.reading import NAME, flag, listed
from integrations.rest import Rest

PAGE = 50
_PAGES = 200  # of one list
_PRIVATE = re.compile(r"https://|http://(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)")


class NotConfigured(Exception):
    """A setting has to be mended; names it."""


@dataclass(frozen=True, slots=True)
class JiraSettings:
    url: str  # https://example.atlassian.net
    account: str  # mail address of the service account
    token: str = field(repr=False)
    service_desk: str  # its number
    request_type: str  # the number of the one for help
    equipment_request_type: str = ""  # empty: the same
    ca_file: Path | None = None


class Client:
    """Use it from one event loop."""

    def __init__(self, settings: JiraSettings) -> None:
        """:raises NotConfigured:"""
        if not _PRIVATE.match(settings.url):
            raise NotConfigured("JIRA_URL: takes an https address; plain http only on loopback")
        for name, number in (
            ("JIRA_SERVICE_DESK", settings.service_desk),
            ("JIRA_REQUEST_TYPE", settings.request_type),
            ("JIRA_EQUIPMENT_REQUEST_TYPE", settings.equipment_request_type or settings.request_type),
        ):
            if not (number.isascii() and number.isdigit()):
                raise NotConfigured(f"{name}: a number, as in the address of the portal")
        self.settings = settings
        pair = f"{settings.account}:{settings.token}".encode()
        self._rest = Rest(
            NAME,
            settings.url,
            {
                "authorization": f"Basic {base64.b64encode(pair).decode()}",
                "x-experimentalapi": "opt-in",  # the list of a service desk's customers asks for it
            },
            ca_file=settings.ca_file,
        )

    async def desk(self, *path: str, **params: str | int) -> Any:
        """A read of the Service Management API."""
        return await self._rest.get("rest", "servicedeskapi", *path, **params)

    async def desk_all(self, *path: str, **params: str | int) -> list[Mapping[str, Any]]:
        """Everything of a list there, page after page."""
        found: list[Mapping[str, Any]] = []
        for _ in range(_PAGES):
            page = await self.desk(*path, start=len(found), limit=PAGE, **params)
            values = listed(page, "values")
            found += values
            if flag(page, "isLastPage"):
                return found
            if not values:
                break
        raise SystemDown(f"{NAME}: a list without an end")

    async def raise_request(self, body: Mapping[str, Any]) -> Any:
        """:raises OutcomeUnknown:"""
        return await self._rest.write("POST", "rest", "servicedeskapi", "request", body=body)

    async def platform(self, version: str, *path: str, **params: str | int) -> Any:
        """A read of the platform's API: version 2 speaks wiki markup, 3 a document format."""
        return await self._rest.get("rest", "api", version, *path, **params)

    async def say(self, key: str, body: Mapping[str, Any]) -> None:
        """:raises OutcomeUnknown:"""
        await self._rest.write("POST", "rest", "api", "2", "issue", key, "comment", body=body)

    async def comments_by_id(self, ids: list[int]) -> Any:
        """With the properties that programs keep with them. A read, however it is sent."""
        try:
            return await self._rest.write(
                "POST", "rest", "api", "2", "comment", "list", body={"ids": ids}, expand="properties"
            )
        except OutcomeUnknown as error:
            raise SystemDown(str(error)) from None

    async def close(self) -> None:
        await self._rest.close()
