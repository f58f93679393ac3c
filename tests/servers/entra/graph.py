"""Microsoft Graph with the people of the embedded company, on real sockets and over https.

It answers what Graph documents, in pages, with only the fields that were selected; refuses what Graph
refuses; and shows a change as late as it is told to.
Sources: https://learn.microsoft.com/graph/api/resources/users, .../groups-overview, .../graph/errors
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import ssl
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web

from integrations.contract import Kind, Status
from integrations.entra.rights import NEEDED
from tests.servers.certificates import Certificates
from tests.servers.company_ldif import GROUPS, ON_LEAVE, PASSWORD, PEOPLE, entry_uuid
from tests.servers.entra.login import Login
from tests.servers.thread import InThread

APP_ID = "7e0c9b1a-52f1-4d0e-8a43-6a6b0f6f9c11"
TENANT = "2b2c2d2e-3333-4444-5555-66666666666f"
SECRET = "s3cr3t~of-the-graph-app"
SCOPE = "https://graph.microsoft.com/.default"

_PAGE = 7  # objects, however many are asked for
_KINDS = {Kind.CONTRACTOR: "Contractor", Kind.SERVICE: "Service", Kind.EMPLOYEE: "Employee"}
_FILTER = re.compile(r"(mail|userPrincipalName|onPremisesImmutableId) eq '((?:[^']|'')*)'")
_TERM = re.compile(r'"(displayName|mail|userPrincipalName):((?:[^"\\]|\\.)*)"')
_WORDS = re.compile(r"[ .@_'’-]+")

Body = dict[str, Any]


@dataclass
class Fault:
    """What goes wrong with the next calls: an HTTP status, "cut before", "cut after" or "hang"."""

    method: str  # or "*"
    kind: str
    times: int = 1
    retry_after: str = ""


@dataclass
class Call:
    method: str
    path: str
    status: int
    body: Any = None


@dataclass
class _Late:
    """A value that shows only after a while."""

    before: Any
    at: float


@dataclass
class Tenant:
    users: dict[str, Body] = field(default_factory=dict)
    deleted: dict[str, Body] = field(default_factory=dict)
    groups: dict[str, Body] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)  # group -> ids of people and groups
    managers: dict[str, str] = field(default_factory=dict)
    owners: dict[str, list[str]] = field(default_factory=dict)  # group -> people
    passwords: dict[str, str] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)  # role -> people
    passes: dict[str, list[Body]] = field(default_factory=dict)  # person -> theirs, the newest last
    revoked: list[str] = field(default_factory=list)  # whose sessions were ended


def person_id(account: str) -> str:
    return entry_uuid(account)


def group_id(name: str) -> str:
    return entry_uuid(f"group.{name}")


def anchor_of(object_guid: str) -> str:
    """What joins somebody of Entra to their entry in Active Directory: its objectGUID, as Entra writes it."""
    return base64.b64encode(UUID(object_guid).bytes_le).decode()


def _signs_in(tenant: Tenant) -> dict[str, Body]:
    """Log-in name -> what an ID token says of them."""
    return {
        account: {
            "sub": secrets.token_urlsafe(20),  # another one for each app
            "oid": user_id,
            "tid": TENANT,
            "preferred_username": tenant.users[user_id]["userPrincipalName"],
        }
        for account, user_id in ((account, person_id(account)) for account in PEOPLE)
        if user_id in tenant.users
    }


def principal(account: str) -> str:
    """A log-in name of Entra; here another one than the mail address."""
    return f"{account}@alderfinch.onmicrosoft.example"


class FakeGraph(InThread):
    """``with FakeGraph.running() as graph``."""

    def __init__(self) -> None:
        super().__init__()
        self.tenant = _company()
        self.login = Login(
            APP_ID, TENANT, SCOPE, SECRET, host=lambda: self.login_url, people=_signs_in(self.tenant)
        )
        self.login.roles = list(NEEDED)
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.down = False
        self.read_only = False  # the app has no right to change anything
        self.lag_s = 0.0  # how long a change is not shown
        self.pass_minutes = (60, 480)  # shortest and longest that the policy allows
        self.passes_allowed = True
        self.port = 0
        self._late: dict[tuple[str, str], _Late] = {}
        self._folder = tempfile.TemporaryDirectory()
        self.certificates = Certificates.make(Path(self._folder.name))

    @property
    def graph_url(self) -> str:
        return f"https://localhost:{self.port}/v1.0"

    @property
    def login_url(self) -> str:
        return f"https://localhost:{self.port}"

    def fail(self, method: str, kind: str, *, times: int = 1, retry_after: str = "") -> None:
        self.faults.append(Fault(method, kind, times, retry_after))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.down = True
        try:
            yield
        finally:
            self.down = False

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.read_only = True
        try:
            yield
        finally:
            self.read_only = False

    def can_log_in(self, account: str, password: str) -> bool:
        found = next((u for u in self.tenant.users.values() if u["userPrincipalName"] == account), None)
        return bool(found and found["accountEnabled"] and self.tenant.passwords[found["id"]] == password)

    async def _open(self) -> None:
        app = web.Application(client_max_size=2**20)
        app.add_routes(self.login.routes())
        app.router.add_route("*", "/v1.0/{path:.*}", self._serve)
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(self.certificates.cert_file, self.certificates.key_file)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=trust)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def _close(self) -> None:
        await self._runner.cleanup()
        await asyncio.sleep(0.05)  # TLS says goodbye in further rounds of the loop
        self._folder.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        body = await request.json() if request.can_read_body else None
        fault = self._fault(request.method)
        if self.down or (fault and fault.kind == "cut before"):
            return _cut(request)
        if fault and fault.kind == "hang":
            await asyncio.sleep(60)
        if fault and fault.kind.isdigit():
            headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
            self.calls.append(Call(request.method, path, int(fault.kind), body))
            return web.json_response({"error": {"code": "busy"}}, status=int(fault.kind), headers=headers)
        try:
            status, said = self._answer(request, path.split("/"), body)
        except _Refusal as refusal:
            status, said = refusal.status, {"error": {"code": refusal.code, "message": "in words"}}
        self.calls.append(Call(request.method, path, status, body))
        if fault and fault.kind == "cut after":
            return _cut(request)
        return web.Response(status=204) if status == 204 else web.json_response(said, status=status)

    def _fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method in (method, "*"):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def _answer(  # noqa: C901  a table of addresses
        self, request: web.Request, path: list[str], body: Any
    ) -> tuple[int, Body]:
        if not self.login.knows(request.headers.get("authorization", "")):
            raise _Refusal(401, "InvalidAuthenticationToken")
        if request.method != "GET" and self.read_only:
            raise _Refusal(403, "Authorization_RequestDenied")
        match request.method, path:
            case "GET", ["users"]:
                return 200, self._users(request)
            case "GET", ["users", key]:
                return 200, self._shown(self._user(key), request.query)
            case "GET", ["users", key, "memberOf"]:
                return 200, self._page(request, self._above(self._user(key)["id"], deep=False))
            case "GET", ["users", key, "transitiveMemberOf"]:
                return 200, self._page(request, self._above(self._user(key)["id"], deep=True))
            case "GET", ["users", key, "directReports", "microsoft.graph.user"]:
                me = self._user(key)["id"]
                below = [self.tenant.users[p] for p, m in self.tenant.managers.items() if m == me]
                return 200, self._page(request, [self._shown(each, request.query) for each in below])
            case "GET", ["directory", "deletedItems", key]:
                if key not in self.tenant.deleted:
                    raise _Refusal(404, "Request_ResourceNotFound")
                return 200, self.tenant.deleted[key]
            case "GET", ["directoryRoles"]:
                return 200, self._page(request, [{"id": role} for role in self.tenant.roles])
            case "GET", ["directoryRoles", role, "members"]:
                return 200, self._page(request, [{"id": each} for each in self.tenant.roles.get(role, [])])
            case "GET", ["groups"]:
                return 200, self._groups(request)
            case "GET", ["groups", key]:
                return 200, _selected(self._group(key), request.query)
            case "GET", ["groups", key, "owners", "microsoft.graph.user"]:
                owners = self.tenant.owners.get(self._group(key)["id"], [])
                return 200, self._page(request, [self._shown(self._user(o), request.query) for o in owners])
            case "GET", ["groups", key, "transitiveMembers", "microsoft.graph.user"]:
                inside = self._inside(self._group(key)["id"])
                return 200, self._page(request, [self._shown(each, request.query) for each in inside])
            case "POST", ["groups", key, "members", "$ref"]:
                return self._add(self._group(key)["id"], str(body.get("@odata.id", "")))
            case "DELETE", ["groups", key, "members", person, "$ref"]:
                return self._remove(self._group(key)["id"], person)
            case "PATCH", ["users", key]:
                return self._set_password(self._user(key), body)
            case "GET", ["users", key, "authentication", "temporaryAccessPassMethods"]:
                held = self.tenant.passes.get(self._user(key)["id"], [])
                shown = [{k: v for k, v in each.items() if k != "temporaryAccessPass"} for each in held]
                return 200, self._page(request, shown)
            case "POST", ["users", key, "authentication", "temporaryAccessPassMethods"]:
                return self._issue(self._user(key)["id"], body or {})
            case "DELETE", ["users", key, "authentication", "temporaryAccessPassMethods", method]:
                return self._void(self._user(key)["id"], method)
            case "POST", ["users", key, "revokeSignInSessions"]:
                self.tenant.revoked.append(self._user(key)["id"])
                return 200, {"value": True}
        raise _Refusal(400, "Request_BadRequest")

    # people

    def _users(self, request: web.Request) -> Body:
        people = list(self.tenant.users.values())
        if wanted := request.query.get("$filter"):
            found = _FILTER.fullmatch(wanted)
            if found is None:
                raise _Refusal(400, "Request_UnsupportedQuery")
            name, value = found[1], found[2].replace("''", "'").lower()
            people = [each for each in people if str(each.get(name) or "").lower() == value]
        if asked := request.query.get("$search"):
            if request.headers.get("consistencylevel") != "eventual" or request.query.get("$count") != "true":
                raise _Refusal(400, "Request_UnsupportedQuery")
            people = [each for each in people if _matches(each, asked)]
        return self._page(request, [self._shown(each, request.query) for each in people])

    def _user(self, key: str) -> Body:
        by_name = (each for each in self.tenant.users.values() if each["userPrincipalName"] == key)
        found = self.tenant.users.get(key) or next(by_name, None)
        if found is None:
            raise _Refusal(404, "Request_ResourceNotFound")
        return found

    def _shown(self, user: Body, query: Mapping[str, str]) -> Body:
        said = dict(user)
        late = self._late.get((user["id"], "password"))
        if late and time.monotonic() < late.at:
            said |= late.before
        said = _selected(said, query)
        above = self.tenant.managers.get(user["id"])
        if "manager" in query.get("$expand", "") and above:
            said["manager"] = {"@odata.type": "#microsoft.graph.user", "id": above}
        return said

    def _set_password(self, user: Body, body: Any) -> tuple[int, Body]:
        profile = body.get("passwordProfile") or {}
        password = str(profile.get("password", ""))
        kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
        classes = sum(any(map(kind, password)) for kind in kinds)
        if not 8 <= len(password) <= 256 or classes < 3:
            raise _Refusal(400, "Request_BadRequest")
        before = {name: user[name] for name in ("lastPasswordChangeDateTime", "passwordProfile")}
        self._late[user["id"], "password"] = _Late(before, time.monotonic() + self.lag_s)
        self.tenant.passwords[user["id"]] = password
        force = profile.get("forceChangePasswordNextSignIn") is True
        user["passwordProfile"] = {"password": None, "forceChangePasswordNextSignIn": force}
        user["lastPasswordChangeDateTime"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return 204, {}

    # passes

    def _issue(self, person: str, body: Body) -> tuple[int, Body]:
        """One that can be used, and no second beside it."""
        minutes = body.get("lifetimeInMinutes", self.pass_minutes[0])
        allowed = self.pass_minutes[0] <= minutes <= self.pass_minutes[1]
        if (
            not self.passes_allowed
            or not allowed
            or any(p["isUsable"] for p in self.tenant.passes.get(person, []))
        ):
            raise _Refusal(400, "badRequest")
        made = {
            "id": str(uuid4()),
            "temporaryAccessPass": secrets.token_urlsafe(9),
            "isUsable": True,
            "isUsableOnce": body.get("isUsableOnce") is True,
            "lifetimeInMinutes": minutes,
            "createdDateTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        self.tenant.passes.setdefault(person, []).append(made)
        return 201, made

    def _void(self, person: str, method: str) -> tuple[int, Body]:
        held = self.tenant.passes.get(person, [])
        if method not in [each["id"] for each in held]:
            raise _Refusal(404, "itemNotFound")
        self.tenant.passes[person] = [each for each in held if each["id"] != method]
        return 204, {}

    def sign_in_with_pass(self, account: str, value: str) -> bool:
        """As the person does at Microsoft; a pass for one sign-in is used up by it."""
        held = self.tenant.passes.get(person_id(account), [])
        for each in held:
            if each["isUsable"] and each["temporaryAccessPass"] == value:
                each["isUsable"] = not each["isUsableOnce"]
                return True
        return False

    # groups

    def _groups(self, request: web.Request) -> Body:
        groups = list(self.tenant.groups.values())
        if request.query.get("$filter") == "isAssignableToRole eq true":
            groups = [each for each in groups if each.get("isAssignableToRole")]
        elif "$filter" in request.query:
            raise _Refusal(400, "Request_UnsupportedQuery")
        return self._page(request, [_selected(each, request.query) for each in groups])

    def _group(self, key: str) -> Body:
        if key not in self.tenant.groups:
            raise _Refusal(404, "Request_ResourceNotFound")
        return self.tenant.groups[key]

    def _members(self, group: str) -> list[str]:
        late = self._late.get((group, "members"))
        return late.before if late and time.monotonic() < late.at else self.tenant.members.get(group, [])

    def _above(self, one: str, *, deep: bool) -> list[Body]:
        found: dict[str, Body] = {}
        level = [one]
        while level:
            groups = [g for g in self.tenant.groups if set(self._members(g)) & set(level) and g not in found]
            found |= {g: {"@odata.type": "#microsoft.graph.group", **self.tenant.groups[g]} for g in groups}
            level = groups if deep else []
        roles = [role for role, people in self.tenant.roles.items() if one in people]
        return [*found.values(), *({"@odata.type": "#microsoft.graph.directoryRole", "id": r} for r in roles)]

    def _inside(self, group: str) -> list[Body]:
        met, waiting, found = {group}, [*self._members(group)], dict[str, Body]()
        while waiting:
            one = waiting.pop()
            if one in self.tenant.users:
                found[one] = self.tenant.users[one]
            elif one not in met:
                met.add(one)
                waiting += self._members(one)
        return list(found.values())

    def _add(self, group: str, link: str) -> tuple[int, Body]:
        base, _, person = link.rpartition("/directoryObjects/")
        if base != self.graph_url or person not in self.tenant.users:
            raise _Refusal(400, "Request_BadRequest")
        if person in self.tenant.members[group]:
            raise _Refusal(400, "Request_BadRequest")  # "One or more added object references already exist"
        self._changed(group)
        self.tenant.members[group].append(person)
        return 204, {}

    def _remove(self, group: str, person: str) -> tuple[int, Body]:
        if person not in self.tenant.members[group]:
            raise _Refusal(404, "Request_ResourceNotFound")
        self._changed(group)
        self.tenant.members[group].remove(person)
        return 204, {}

    def _changed(self, group: str) -> None:
        before = list(self._members(group))
        self._late[group, "members"] = _Late(before, time.monotonic() + self.lag_s)

    def _page(self, request: web.Request, items: list[Body]) -> Body:
        begin = int(request.query.get("$skiptoken", "0"))
        said: Body = {"value": items[begin : begin + _PAGE]}
        if begin + _PAGE < len(items):
            url = request.url.with_scheme("https").update_query({"$skiptoken": str(begin + _PAGE)})
            said["@odata.nextLink"] = str(url)
        return said


class _Refusal(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _selected(item: Body, query: Mapping[str, str]) -> Body:
    """Without $select Graph leaves out what is rarely wanted, passwordProfile among it."""
    wanted = query.get("$select", "id,displayName,mail,userPrincipalName,jobTitle").split(",")
    return {name: item.get(name) for name in wanted if name in item} | {"id": item["id"]}


def _matches(user: Body, asked: str) -> bool:
    """Every bracket has a term with which a word of its field begins."""
    return all(
        any(_begins(str(user.get(name) or ""), text) for name, text in _TERM.findall(part))
        for part in asked.split(" AND ")
    )


def _begins(value: str, text: str) -> bool:
    plain = text.replace('\\"', '"').replace("\\\\", "\\").lower()
    return value.lower().startswith(plain) or any(w.startswith(plain) for w in _WORDS.split(value.lower()))


def _company() -> Tenant:
    tenant = Tenant()
    for person in PEOPLE.values():
        user: Body = {
            "id": person_id(person.account),
            "displayName": person.name,
            "mail": person.mail,
            "userPrincipalName": principal(person.account),
            "jobTitle": person.title or None,
            "department": person.department or None,
            "accountEnabled": person.status not in (Status.DISABLED, Status.LEFT),
            "userType": "Member",
            "employeeType": _KINDS[person.kind],
            "onPremisesSyncEnabled": None,
            "lastPasswordChangeDateTime": "2026-01-01T12:00:00Z",
            "passwordProfile": {"password": None, "forceChangePasswordNextSignIn": person.must_change},
        }
        if person.status is Status.LEFT:
            tenant.deleted[user["id"]] = {"@odata.type": "#microsoft.graph.user", **user}
            continue
        tenant.users[user["id"]] = user
        tenant.passwords[user["id"]] = PASSWORD
        if person.manager and person.manager != person.account:
            tenant.managers[user["id"]] = person_id(person.manager)
        if person.privileged:
            tenant.roles.setdefault(entry_uuid("role.administrator"), []).append(user["id"])
    _fill(tenant, ((group.id, group.name, group.people, group.groups) for group in GROUPS.values()))
    away = [person.account for person in PEOPLE.values() if person.status is Status.ON_LEAVE]
    _fill(tenant, [(ON_LEAVE, "On leave", away, ())])
    return tenant


def _fill(tenant: Tenant, groups: Iterable[tuple[str, str, Iterable[str], Iterable[str]]]) -> None:
    for name, about, people, inner in groups:
        group: Body = {
            "id": group_id(name),
            "displayName": name,
            "description": about,
            "isAssignableToRole": None,
        }
        tenant.groups[group["id"]] = group
        inside = [person_id(each) for each in people if person_id(each) in tenant.users]
        tenant.members[group_id(name)] = [*inside, *map(group_id, inner)]
