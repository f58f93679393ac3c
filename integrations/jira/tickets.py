"""Tickets are requests of one service desk.

How our own work is told again:

- A request keeps no id of an operation, so its description ends with a block of its own that says it, with a
  proof that only we can make. People's words are in the block before. The search finds it, some seconds late.
- A comment keeps the operation as a property beside its text (``deskhand.op``). Comments are read from
  Jira's database, not from the index of its search, so there it can be told at once.

What the person may read is what Service Management lists as public.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.contract import OutcomeUnknown, Person, SystemDown
from integrations.jira.client import Client
from integrations.jira.markup import blocks, literal, one_line, plain
from integrations.jira.people import JiraPeople
from integrations.jira.reading import NAME, flag, listed, number, part, text, unreadable, when
from integrations.rest import NotThere, Refused
from integrations.work import TICKET_KEY, Comment, NewTicket, Ticket, UnknownTicket

INDEX_LAG_S = 60  # what was opened is found by then
PROPERTY = "deskhand.op"
_PUBLIC = {"key": "sd.public.comment", "value": {"internal": False}}
_KEY = re.compile(TICKET_KEY)
_SLACK_MIN = 5  # between Jira's clock and ours
_AGAIN_MIN = 60  # an operation that opens again within this finds what it opened
_TITLE = 255  # characters of a summary
_SEARCHED = 50  # pages
_IDS = 100  # comments asked for at once
_REMEMBERED = 10_000  # keys
_SOMEBODY = "Somebody"


class JiraTickets:
    """The port ``Tickets``."""

    name = NAME

    def __init__(self, client: Client, people: JiraPeople) -> None:
        self._client = client
        self.place = f"{client.settings.url} {client.settings.service_desk}"
        self._people = people
        self._project = ""  # the id of the service desk's; it never changes
        self._ours: set[str] = set()  # keys that were seen to be of this service desk

    async def open(self, new: NewTicket, *, op: str) -> Ticket:
        person, account = await self._people.who(new.person_id)
        if key := await self._found(op, _AGAIN_MIN):
            return await self.ticket(key)
        answer = await self._raise(new, op, person, account)
        try:
            return await self._ticket(answer)
        except SystemDown as error:
            raise OutcomeUnknown(f"{error}, and that was of a write") from None

    async def opened(self, op: str, since: datetime) -> Ticket | None:
        age = datetime.now(UTC) - since
        if key := await self._found(op, max(0, int(age.total_seconds() // 60)) + 1 + _SLACK_MIN):
            return await self.ticket(key)
        if age.total_seconds() < INDEX_LAG_S:
            raise SystemDown(f"{NAME}: it cannot be told yet whether the ticket was opened")
        return None

    async def ticket(self, key: str) -> Ticket:
        answer = await self._asked(key)
        desk = text(answer, "serviceDeskId")
        if desk != self._client.settings.service_desk:
            raise UnknownTicket("no ticket has this key")
        return await self._ticket(answer)

    async def comments(self, key: str) -> list[Comment]:
        await self._ours_only(key)
        said = [each for each in await self._said(key, internal=False) if each.get("public") is True]
        ops = await self._ops([number(each, "id") for each in said])
        made = [_comment(each, ours=number(each, "id") in ops) for each in said]
        return sorted(made, key=lambda comment: (comment.at, int(comment.id)))

    async def comment(self, key: str, text: str, *, op: str) -> None:
        await self._ours_only(key)
        ids = [number(each, "id") for each in await self._said(key, internal=True)]
        if op in (await self._ops(ids)).values():
            return
        properties = [{"key": PROPERTY, "value": {"op": op}}, _PUBLIC]
        try:
            await self._client.say(key, {"body": literal(text), "properties": properties})
        except NotThere:
            raise UnknownTicket("no ticket has this key") from None

    # Opening

    async def _raise(self, new: NewTicket, op: str, person: Person, account: str) -> Any:
        try:
            return await self._client.raise_request(self._request(new, op, person, account))
        except Refused:  # who has an account need not be a customer of this service desk
            if not account:
                raise
        return await self._client.raise_request(self._request(new, op, person, ""))

    def _request(self, new: NewTicket, op: str, person: Person, account: str) -> Mapping[str, Any]:
        settings = self._client.settings
        kind = settings.equipment_request_type if new.kind == "equipment" else ""
        body = new.body if account else f"For {person.name} <{person.mail}>\n\n{new.body}"
        request: dict[str, Any] = {
            "serviceDeskId": settings.service_desk,
            "requestTypeId": kind or settings.request_type,
            "requestFieldValues": {
                "summary": one_line(new.title, _TITLE),
                "description": f"{literal(body)}\n\n{literal(self._mark(op))}",
            },
        }
        if account:
            request["raiseOnBehalfOf"] = account
        return request

    def _mark(self, op: str) -> str:
        """What nobody else can write: whoever files a request in the portal knows no key of ours."""
        proof = hmac.new(self._client.settings.token.encode(), op.encode(), hashlib.sha256).hexdigest()
        return f"Reference: {op} {proof[:24]}"

    async def _found(self, op: str, minutes: int) -> str:
        """The key of the request that this operation opened in the last minutes; empty: none is found.

        Minutes back from now, because a time of day would be read in the account's time zone.
        """
        project = self._project = self._project or await self._project_id()
        query = f'project = {project} AND created >= "-{minutes}m" ORDER BY created DESC'
        following: dict[str, str] = {}
        for _ in range(_SEARCHED):
            page = await self._client.platform(
                "2", "search", "jql", jql=query, fields="description", maxResults=100, **following
            )
            for issue in listed(page, "issues"):
                if _marked(issue, self._mark(op)):
                    return text(issue, "key")
            if page.get("nextPageToken") is None:  # a short page is not the last one
                return ""
            following = {"nextPageToken": text(page, "nextPageToken")}
        raise SystemDown(f"{NAME}: too many requests to look through")

    async def _project_id(self) -> str:
        try:
            desk = await self._client.desk("servicedesk", self._client.settings.service_desk)
        except NotThere:
            raise SystemDown(f"{NAME}: has no service desk of the number in JIRA_SERVICE_DESK") from None
        return str(number(desk, "projectId"))

    # Reading

    async def _asked(self, key: str) -> Any:
        if not _KEY.fullmatch(key):
            raise UnknownTicket("no ticket has this key")
        try:
            return await self._client.desk("request", key)
        except NotThere:
            raise UnknownTicket("no ticket has this key") from None

    async def _ours_only(self, key: str) -> None:
        """:raises UnknownTicket: also for one of another service desk"""
        if key not in self._ours:
            await self.ticket(key)

    async def _ticket(self, answer: Any) -> Ticket:
        key, status = text(answer, "issueKey"), part(answer, "currentStatus")
        if not _KEY.fullmatch(key):
            raise unreadable("issueKey")
        moved = status if status.get("statusDate") else answer
        ticket = Ticket(
            key=key,
            title=one_line(_title(answer), _TITLE),
            status=one_line(text(status, "status"), _TITLE),
            open=await self._is_open(key, status),
            url=_address(answer),
            moved_at=when(moved, "statusDate" if moved is status else "createdDate"),
        )
        if len(self._ours) >= _REMEMBERED:
            self._ours.clear()
        self._ours.add(key)
        return ticket

    async def _is_open(self, key: str, status: Mapping[str, Any]) -> bool:
        if status.get("statusCategory") is not None:
            return text(status, "statusCategory").upper() != "DONE"
        issue = await self._client.platform("2", "issue", key, fields="status")
        category = part(part(part(issue, "fields"), "status"), "statusCategory")
        return text(category, "key").lower() != "done"

    async def _said(self, key: str, *, internal: bool) -> list[Mapping[str, Any]]:
        try:
            return await self._client.desk_all(
                "request", key, "comment", public="true", internal="true" if internal else "false"
            )
        except NotThere:
            raise UnknownTicket("no ticket has this key") from None

    async def _ops(self, ids: Sequence[int]) -> dict[int, str]:
        """Of the comments that we wrote: id -> operation."""
        found: dict[int, str] = {}
        for begin in range(0, len(ids), _IDS):
            answer = await self._client.comments_by_id(list(ids[begin : begin + _IDS]))
            if not flag(answer, "isLast"):
                raise unreadable("isLast")
            for each in listed(answer, "values"):
                op = _op(each)
                if op is not None:
                    found[number(each, "id")] = op
        return found


def _marked(issue: Mapping[str, Any], mark: str) -> bool:
    described = part(issue, "fields").get("description")
    if described is None:
        return False
    if not isinstance(described, str):
        raise unreadable("description")
    return mark in (block.strip() for block in blocks(described)[1:])  # the first is people's own


def _title(answer: Mapping[str, Any]) -> str:
    if isinstance(answer.get("summary"), str):
        return text(answer, "summary")
    for each in listed(answer, "requestFieldValues"):
        if each.get("fieldId") == "summary":
            return text(each, "value")
    raise unreadable("summary")


def _address(answer: Mapping[str, Any]) -> str:
    found = part(answer, "_links").get("web")
    return found if isinstance(found, str) and found.startswith("https://") and found.isprintable() else ""


def _op(comment: Mapping[str, Any]) -> str | None:
    if comment.get("properties") is None:
        return None
    for each in listed(comment, "properties"):
        if each.get("key") == PROPERTY:
            return text(part(each, "value"), "op")
    return None


def _comment(said: Mapping[str, Any], *, ours: bool) -> Comment:
    name = part(said, "author").get("displayName")
    return Comment(
        id=str(number(said, "id")),
        author=(one_line(name, 200) if isinstance(name, str) else "") or _SOMEBODY,
        text=plain(said.get("body"), "body"),
        at=when(said, "created"),
        ours=ours,
    )
