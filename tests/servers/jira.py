"""Jira Service Management in the cloud with people of the embedded company, on real sockets and over https.

It answers what Jira documents, in pages and in Jira's own types; refuses what Jira refuses; and finds a new
request as late as it is told to. Helpers do what they do through the methods that the embedded company's
``HelpDesk`` has too.
Sources: https://developer.atlassian.com/cloud/jira/service-desk/rest/, .../cloud/jira/platform/rest/v2/
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from integrations.work import Ticket, UnknownTicket
from tests.servers.company_ldif import PEOPLE
from tests.servers.https import HttpsServer

ACCOUNT, TOKEN = "deskhand@alderfinch.example", "ATATT3xFfGF0-of-the-service-account"
SERVICE_DESK, REQUEST_TYPE, EQUIPMENT_TYPE = "4", "11", "12"
PROJECT_ID, PROJECT_KEY = "10010", "IT"

_CATEGORIES = {
    "Waiting for support": "INDETERMINATE",
    "Open": "NEW",
    "Waiting for customer": "INDETERMINATE",
    "Resolved": "DONE",
    "Closed": "DONE",
}
_PAGE = 3  # things, however many are asked for
_ZONE = timezone(timedelta(hours=7))  # of the service account; times are written in it
_JQL = re.compile(r'project = (\d+)(?: AND created >= "-(\d+)m" ORDER BY created DESC)?')
_ACTIVE = re.compile(
    r"!\S[^!\n]*!|\[[^\]\n]+\]|\{[a-zA-Z][^}\n]*\}|\{\{[^}\n]+\}\}|^h[1-6]\.|^bq\.", re.MULTILINE
)

Body = dict[str, Any]


@dataclass
class Fault:
    """What goes wrong with the next calls: an HTTP status, or "cut after" the work was done."""

    method: str  # "*": any; "WRITE": what changes something
    kind: str
    times: int = 1
    retry_after: str = ""


@dataclass
class Call:
    method: str
    path: str
    status: int
    query: Mapping[str, str]
    body: Any = None


@dataclass
class Remark:
    id: int
    author: str
    body: Any
    at: datetime
    public: bool
    properties: list[Body] = field(default_factory=list)


@dataclass
class Issue:
    number: int
    service_desk: str
    request_type: str
    summary: str
    description: str
    reporter: str  # account id; empty: the service account
    created: datetime
    status: str = "Waiting for support"
    moved: datetime = field(default_factory=lambda: datetime.now(UTC))
    remarks: list[Remark] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{PROJECT_KEY if self.service_desk == SERVICE_DESK else 'HR'}-{self.number}"


@dataclass
class User:
    account_id: str
    mail: str
    name: str
    active: bool = True


def shown(markup: str) -> str:
    """What a helper sees: markup that does something stands in ``<< >>``; in {noformat} none does."""
    seen, rest = "", markup.replace("\r\n", "\n")
    while rest:
        before, begins, rest = _around(rest)
        seen += _ACTIVE.sub(lambda found: f"<<{found[0]}>>", before)
        if begins:
            block, ends, rest = _around(rest)
            seen += block if ends else f"<<no end>>{block}"
    # A mention tells somebody, wherever it stands.
    return re.sub(r"\[~[^\]]*\]", "<<mention>>", seen).replace("\u200b", "")


def _around(text: str) -> tuple[str, str, str]:
    at = re.search(r"\{noformat(:[^}]*)?\}", text, re.IGNORECASE)
    return (text[: at.start()], at[0], text[at.end() :]) if at else (text, "", "")


class FakeJira(HttpsServer):
    """``with FakeJira.running() as jira``."""

    def __init__(self) -> None:
        super().__init__()
        self.issues: list[Issue] = []
        self.customers = [User(f"qm:{p.account}", p.mail, p.name) for p in PEOPLE.values() if p.mail]
        self.users: list[User] = []
        self.fields: list[Body] = [_field("summary", required=True), _field("description")]
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.bent: Body = {}  # field -> what stands there instead, in every answer; None takes it out
        self.read_only = False  # the account has no right to change anything
        self.index_lag_s = 0.0  # until the search finds a new request
        self.old_accounts: set[str] = set()  # who has an account and is no customer of the service desk
        self._remarks = 10_000

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def fail(self, method: str, kind: str, *, times: int = 1, retry_after: str = "") -> None:
        self.faults.append(Fault(method, kind, times, retry_after))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.read_only = True
        try:
            yield
        finally:
            self.read_only = False

    def writes(self) -> list[Call]:
        return [c for c in self.calls if c.method == "POST" and not c.path.endswith("/comment/list")]

    # What helpers do

    async def open_tickets(self) -> list[Ticket]:
        """The oldest first."""
        return [
            Ticket(key=each.key, title=each.summary, status=each.status, open=True, moved_at=each.moved)
            for each in self.issues
            if _CATEGORIES[each.status] != "DONE"
        ]

    async def write(self, key: str, author: str, text: str, *, internal: bool = False) -> None:
        self.say(self.find(key), author, text, public=not internal)

    async def set_status(self, key: str, status: str) -> None:
        assert status in _CATEGORIES
        found = self.find(key)
        found.status, found.moved = status, datetime.now(UTC)

    async def close(self, key: str) -> None:
        await self.set_status(key, "Closed")

    def find(self, key: str) -> Issue:
        for issue in self.issues:
            if issue.key == key:
                return issue
        raise UnknownTicket("no such request")

    def say(
        self, issue: Issue, author: str, body: Any, *, public: bool, properties: Sequence[Body] = ()
    ) -> Remark:
        self._remarks += 1
        said = body.replace("\n", "\r\n") if isinstance(body, str) else body
        remark = Remark(self._remarks, author, said, datetime.now(UTC), public, list(properties))
        issue.remarks.append(remark)
        return remark

    def raised(self, summary: str, description: str, *, service_desk: str = SERVICE_DESK) -> Issue:
        """By somebody, in the portal."""
        issue = Issue(
            len(self.issues) + 1, service_desk, REQUEST_TYPE, summary, description, "qm:x", datetime.now(UTC)
        )
        self.issues.append(issue)
        return issue

    # The server

    def _routes(self) -> list[BaseRoute]:
        return [Route("/{path:path}", self._serve, methods=["GET", "POST"])]

    async def _serve(self, request: Request) -> Response:
        path = request.url.path.strip("/")
        body = await request.json() if await request.body() else None
        writes = request.method == "POST" and not path.endswith("/comment/list")
        fault = self._fault(request.method, writes=writes)
        if fault and fault.kind.isdigit():
            headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
            status, said = int(fault.kind), {"errorMessage": "busy"}
        else:
            headers = {}
            status, said = self._answer(request, path.split("/"), body)
        self.calls.append(Call(request.method, path, status, dict(request.query_params), body))
        if fault and fault.kind == "cut after":
            return _cut()
        return JSONResponse(_bend(said, self.bent) if status < 300 else said, status, headers)

    def _fault(self, method: str, *, writes: bool) -> Fault | None:
        for fault in self.faults:
            if fault.method in (method, "*") or (writes and fault.method == "WRITE"):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def _answer(self, request: Request, path: list[str], body: Any) -> tuple[int, Any]:
        pair = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return 401, {"message": "Client must be authenticated to access this resource."}
        try:
            match path:
                case ["rest", "servicedeskapi", *rest]:
                    return self._desk(request, rest, body)
                case ["rest", "api", version, *rest]:
                    return self._platform(request, version, rest, body)
        except UnknownTicket:
            pass
        return 404, {"errorMessage": "The request you have provided does not exist."}

    def _desk(self, request: Request, path: list[str], body: Any) -> tuple[int, Any]:
        query = request.query_params
        match request.method, path:
            case "GET", ["servicedesk", desk] if desk == SERVICE_DESK:
                named = {"projectId": PROJECT_ID, "projectName": "IT Help", "projectKey": PROJECT_KEY}
                return 200, {"id": SERVICE_DESK, **named}
            case "GET", ["servicedesk", _, "requesttype", kind, "field"] if kind in (
                REQUEST_TYPE,
                EQUIPMENT_TYPE,
            ):
                rights = {"canRaiseOnBehalfOf": not self.read_only, "canAddRequestParticipants": True}
                return 200, {"requestTypeFields": self.fields, **rights}
            case "GET", ["servicedesk", _, "customer"]:
                if request.headers.get("x-experimentalapi") != "opt-in":
                    return 412, {"errorMessage": "This API is experimental."}
                return 200, _paged(query, [_user(each) for each in _matching(self.customers, query["query"])])
            case "POST", ["request"]:
                return self._raise(body)
            case "GET", ["request", key]:
                return 200, self._request(self.find(key))
            case "GET", ["request", key, "comment"]:
                wanted = (query.get("public") != "false", query.get("internal") != "false")
                remarks = [r for r in self.find(key).remarks if wanted[0 if r.public else 1]]
                return 200, _paged(query, [_remark(each) for each in remarks])
        return 404, {"errorMessage": "no such resource"}

    def _platform(self, request: Request, version: str, path: list[str], body: Any) -> tuple[int, Any]:
        query = request.query_params
        match request.method, version, path:
            case "GET", "3", ["user", "search"]:
                return 200, [_user(each) for each in _matching(self.users, query["query"])]
            case "GET", "2", ["search", "jql"]:
                return self._search(query)
            case "GET", "2", ["issue", key]:
                status = self.find(key).status
                category = {"key": "done" if _CATEGORIES[status] == "DONE" else "indeterminate"}
                return 200, {"key": key, "fields": {"status": {"name": status, "statusCategory": category}}}
            case "POST", "2", ["issue", key, "comment"]:
                return self._comment(self.find(key), body)
            case "POST", "2", ["comment", "list"]:
                assert query["expand"] == "properties"
                assert len(body["ids"]) <= 1000
                said = [r for issue in self.issues for r in issue.remarks if r.id in body["ids"]]
                values = [{"id": str(r.id), "properties": r.properties} for r in said]
                return 200, {"isLast": True, "startAt": 0, "total": len(values), "values": values}
        return 404, {"errorMessages": ["no such resource"]}

    def _raise(self, body: Body) -> tuple[int, Any]:
        if self.read_only:
            return 403, {"errorMessage": "You do not have permission to raise this request."}
        given, reporter = body["requestFieldValues"], body.get("raiseOnBehalfOf", "")
        summary, description = given["summary"], given["description"]
        if not summary.strip() or "\n" in summary or len(summary) > 255:
            return 400, {"errorMessage": "Summary: one line of at most 255 characters."}
        if len(description.encode("utf-16-le")) // 2 > 32_767:
            return 400, {"errorMessage": "Description: too long."}
        known = {each.account_id for each in (*self.customers, *self.users)} - self.old_accounts
        if reporter and reporter not in known:
            return 400, {"errorMessage": "The customer does not exist in this service desk."}
        issue = Issue(
            number=len(self.issues) + 1,
            service_desk=body["serviceDeskId"],
            request_type=body["requestTypeId"],
            summary=summary,
            description=description.replace("\n", "\r\n"),
            reporter=reporter,
            created=datetime.now(UTC),
        )
        self.issues.append(issue)
        return 201, self._request(issue)

    def _comment(self, issue: Issue, body: Body) -> tuple[int, Any]:
        if self.read_only:
            return 403, {"errorMessages": ["You do not have the permission to comment on this issue."]}
        properties = body.get("properties", [])
        kept = {each["key"]: each["value"] for each in properties}
        public = not kept.get("sd.public.comment", {}).get("internal", False)
        remark = self.say(issue, "Deskhand", body["body"], public=public, properties=properties)
        return 201, {"id": str(remark.id), "body": remark.body, "jsdPublic": public}

    def _search(self, query: Mapping[str, str]) -> tuple[int, Any]:
        asked = _JQL.fullmatch(query["jql"])
        if asked is None or asked[1] != PROJECT_ID:
            return 400, {"errorMessages": ["Error in the JQL Query"]}
        now = time.time()
        since = now - 60 * int(asked[2] or 10**6)
        found = [
            each
            for each in reversed(self.issues)
            if since <= each.created.timestamp() <= now - self.index_lag_s
            and each.service_desk == SERVICE_DESK
        ]
        begin = int(query.get("nextPageToken", "t0")[1:])
        page = [{"key": each.key, "fields": {"description": each.description or None}} for each in found]
        said: Body = {"issues": page[begin : begin + _PAGE]}
        if begin + _PAGE < len(found):
            said["nextPageToken"] = f"t{begin + _PAGE}"
        return 200, said

    def _request(self, issue: Issue) -> Body:
        return {
            "issueId": str(10_000 + issue.number),
            "issueKey": issue.key,
            "requestTypeId": issue.request_type,
            "serviceDeskId": issue.service_desk,
            "createdDate": _date(issue.created),
            "reporter": {"accountId": issue.reporter or "deskhand", "active": True},
            "requestFieldValues": [
                {"fieldId": "summary", "label": "What is it about?", "value": issue.summary},
                {"fieldId": "description", "label": "Tell us more", "value": issue.description},
            ],
            "currentStatus": {
                "status": issue.status,
                "statusCategory": _CATEGORIES[issue.status],
                "statusDate": _date(issue.moved),
            },
            "_links": {"web": f"{self.url}/servicedesk/customer/portal/{issue.service_desk}/{issue.key}"},
        }


def _date(at: datetime) -> Body:
    there = at.astimezone(_ZONE)
    return {
        "iso8601": there.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "jira": there.strftime("%Y-%m-%dT%H:%M:%S.%f%z"),
        "friendly": "Today",
        "epochMillis": int(at.timestamp() * 1000),
    }


def _remark(remark: Remark) -> Body:
    author = {"accountId": "x", "displayName": remark.author, "active": True}
    return {
        "id": str(remark.id),
        "body": remark.body,
        "public": remark.public,
        "author": author,
        "created": _date(remark.at),
    }


def _user(user: User) -> Body:
    said = {"accountId": user.account_id, "displayName": user.name, "active": user.active}
    return {**said, "emailAddress": user.mail} if user.mail else said  # people can hide theirs


def _matching(users: Sequence[User], text: str) -> list[User]:
    """Jira finds by any beginning of a name or address, and one that is hidden by all of it."""
    return [
        each
        for each in users
        if each.mail.lower().startswith(text.partition("@")[0].lower()) or text.lower() in each.name.lower()
    ]


def _paged(query: Mapping[str, str], items: list[Body]) -> Body:
    begin = int(query.get("start", "0"))
    page = items[begin : begin + _PAGE]
    last = begin + _PAGE >= len(items)
    return {"size": len(page), "start": begin, "limit": _PAGE, "isLastPage": last, "values": page}


def _field(name: str, *, required: bool = False) -> Body:
    return {"fieldId": name, "name": name.title(), "required": required, "visible": True}


def _bend(said: Any, bent: Mapping[str, Any]) -> Any:
    if isinstance(said, list):
        return [_bend(each, bent) for each in said]
    if not isinstance(said, dict):
        return said
    kept = {name: value for name, value in said.items() if bent.get(name, value) is not None}
    return {name: bent[name] if name in bent else _bend(value, bent) for name, value in kept.items()}


def _cut() -> Response:
    """Less than was announced, and the connection closes."""

    async def little() -> AsyncIterator[bytes]:
        yield b"{"

    return StreamingResponse(little(), headers={"content-length": "1000"}, media_type="application/json")
