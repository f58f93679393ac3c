"""Jira as one system: its connection, the port that it fills, and whether it is set up for that."""

from __future__ import annotations

from integrations.contract import Directory, SystemDown
from integrations.jira.client import Client, JiraSettings
from integrations.jira.people import JiraPeople
from integrations.jira.reading import NAME, flag, listed, text
from integrations.jira.tickets import JiraTickets
from integrations.rest import NotThere

_FILLED = frozenset({"summary", "description"})


class Jira:
    """Nothing is connected until it is asked something."""

    def __init__(self, settings: JiraSettings, directory: Directory) -> None:
        """:raises NotConfigured:"""
        self._client = Client(settings)
        self.tickets = JiraTickets(self._client, JiraPeople(self._client, directory))

    async def check(self) -> str:
        """:raises ConnectorError: with what to do"""
        settings = self._client.settings
        try:
            desk = await self._client.desk("servicedesk", settings.service_desk)
        except NotThere:
            raise SystemDown(
                f"JIRA_SERVICE_DESK: {NAME} shows {settings.account} no service desk {settings.service_desk}"
            ) from None
        for_others = await self._check_type("JIRA_REQUEST_TYPE", settings.request_type)
        if settings.equipment_request_type:
            await self._check_type("JIRA_EQUIPMENT_REQUEST_TYPE", settings.equipment_request_type)
        await self._client.platform(
            "2", "search", "jql", jql=f"project = {text(desk, 'projectId')}", maxResults=1
        )
        own = "" if for_others else "; tickets are its own, because it may raise none on behalf of others"
        return f"{NAME}: {text(desk, 'projectName')} ({text(desk, 'projectKey')}), as {settings.account}{own}"

    async def _check_type(self, setting: str, request_type: str) -> bool:
        """Whether requests of it can be raised on behalf of others."""
        try:
            asked = await self._client.desk(
                "servicedesk", self._client.settings.service_desk, "requesttype", request_type, "field"
            )
        except NotThere:
            raise SystemDown(f"{setting}: this service desk has no request type {request_type}") from None
        fields = listed(asked, "requestTypeFields")
        names = {text(each, "fieldId") for each in fields}
        needed = {text(each, "fieldId") for each in fields if flag(each, "required")}
        if missing := sorted(_FILLED - names):
            raise SystemDown(f"{setting}: request type {request_type} has no {', '.join(missing)}; add it")
        if more := sorted(needed - _FILLED):
            raise SystemDown(
                f"{setting}: request type {request_type} needs more than a summary and a description:"
                f" make {', '.join(more)} optional, or take another type"
            )
        return asked.get("canRaiseOnBehalfOf") is not False

    async def close(self) -> None:
        await self._client.close()
