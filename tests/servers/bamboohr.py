"""BambooHR with the people of the embedded company, on real sockets and over https.

It answers what BambooHR documents, in its own mixture of text and numbers, and refuses what it refuses, with
the reason in a header. What goes wrong is said with ``fail``; ``bent`` puts odd values into answers.
Sources: https://documentation.bamboohr.com/reference/get-time-off-balance, .../list-time-off-requests,
.../create-time-off-request, .../update-time-off-request-status, .../get-employees-directory
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from integrations.company.company import SEED
from integrations.company.seed_files import Seed, SeedPolicy
from integrations.contract import Kind, Status
from tests.servers.https import HttpsServer

COMPANY, KEY = "alderfinch", "bhr-4f1c-key-of-the-service-user"

Body = dict[str, Any]
_SEED = Seed.read(SEED)
_TYPES = {  # name, unit -> id
    ("Vacation", "hours"): 78,
    ("Sick", "hours"): 79,
    ("Vacation", "days"): 80,
    ("Sick", "days"): 81,
}
_COUNT = ("requested", "approved")


@dataclass
class Fault:
    """What goes wrong with the next calls: an HTTP status, or "cut after" the work was done."""

    method: str  # or "*"
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
class Employee:
    id: int
    mail: str | None
    name: str
    status: str  # "Active", "Inactive"
    plans: dict[int, Plan] = field(default_factory=dict)  # by time-off type


@dataclass
class Plan:
    name: str
    available: Decimal
    used: Decimal
    policy: SeedPolicy


@dataclass
class Asked:
    """A time-off request."""

    id: int
    employee: int
    type: int
    start: date
    end: date
    amounts: dict[date, Decimal]
    status: str
    notes: Body


class FakeBambooHr(HttpsServer):
    """``with FakeBambooHr.running() as bamboo``."""

    def __init__(self) -> None:
        super().__init__()
        self.today = datetime.now(UTC).date()
        self.employees = _employees()
        self.requests: list[Asked] = []
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.bent: Body = {}  # field -> what stands there instead, in every answer; ... takes it out
        self.says_id = "body"  # what the answer to a new request tells: "body", "location" or nothing
        self.read_only = False  # the key may change nothing
        self.directory_shared = True

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/api/gateway.php"

    def fail(self, method: str, kind: str, *, times: int = 1, retry_after: str = "") -> None:
        self.faults.append(Fault(method, kind, times, retry_after))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.read_only = True
        try:
            yield
        finally:
            self.read_only = False

    def employee(self, mail: str) -> Employee:
        return next(each for each in self.employees if (each.mail or "").lower() == mail)

    def writes(self) -> list[Call]:
        return [each for each in self.calls if each.method == "PUT"]

    def ask(self, mail: str, kind: int, amounts: Mapping[date, str], status: str = "requested") -> Asked:
        """What somebody enters in BambooHR itself."""
        days = {day: Decimal(amount) for day, amount in amounts.items()}
        employee = self.employee(mail).id
        return self._add(employee, kind, min(days), max(days), days, status, {})

    # The server

    def _routes(self) -> list[BaseRoute]:
        path = f"/api/gateway.php/{COMPANY}/v1/{{path:path}}"
        return [Route(path, self._serve, methods=["GET", "PUT"])]

    async def _serve(self, request: Request) -> Response:
        path = request.path_params["path"]
        body = await request.json() if await request.body() else None
        fault = self._fault(request.method)
        said: Any = None
        headers: dict[str, str] = {}
        if fault and fault.kind.isdigit():
            status = int(fault.kind)
            headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
        else:
            try:
                status, said, headers = self._answer(request, path.split("/"), body)
            except Refusal as refusal:
                status, headers = refusal.status, {"x-bamboohr-error-message": refusal.why}
        self.calls.append(Call(request.method, path, status, dict(request.query_params), body))
        if fault and fault.kind == "cut after":
            return _cut()
        if said is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(_bend(said, self.bent), status, headers)

    def _fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method in (method, "*"):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def _answer(self, request: Request, path: list[str], body: Any) -> tuple[int, Any, dict[str, str]]:
        pair = base64.b64encode(f"{KEY}:x".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            raise Refusal(401, "Invalid API key")
        if request.method == "PUT" and self.read_only:
            raise Refusal(403, "You do not have permission to do this")
        match request.method, path:
            case "GET", ["meta", "time_off", "types"]:
                kinds = [{"id": str(i), "name": name, "units": unit} for (name, unit), i in _TYPES.items()]
                return 200, {"timeOffTypes": kinds, "defaultHours": [{"name": "Monday", "amount": "8"}]}, {}
            case "GET", ["employees", "directory"]:
                return 200, self._directory(), {}
            case "GET", ["employees", employee]:
                return 200, self._shown(self._find(employee), request.query_params["fields"]), {}
            case "GET", ["employees", employee, "time_off", "calculator"]:
                return 200, self._estimates(self._find(employee), request.query_params), {}
            case "GET", ["time_off", "requests"]:
                return 200, [_request(each) for each in self._listed(request.query_params)], {}
            case "PUT", ["employees", employee, "time_off", "request"]:
                return self._create(self._find(employee), body)
            case "PUT", ["time_off", "requests", number, "status"]:
                return self._decide(number, body)
        raise Refusal(404, "no such resource")

    # people

    def _find(self, number: str) -> Employee:
        for each in self.employees:
            if str(each.id) == number:
                return each
        raise Refusal(404, "Employee not found")

    def _directory(self) -> Body:
        if not self.directory_shared:
            raise Refusal(403, "The company directory is not shared")
        return {
            "fields": [{"id": "displayName", "type": "text", "name": "Display name"}],
            "employees": [
                {"id": str(each.id), "displayName": each.name, "workEmail": each.mail, "photoUploaded": False}
                for each in self.employees
                if each.status == "Active"
            ],
        }

    def _shown(self, employee: Employee, fields: str) -> Body:
        known = {"workEmail": employee.mail, "status": employee.status, "displayName": employee.name}
        return {"id": str(employee.id), **{name: known[name] for name in fields.split(",") if name in known}}

    # time off

    def _estimates(self, employee: Employee, query: Mapping[str, str]) -> list[Body]:
        on = date.fromisoformat(query["end"])
        places = Decimal(1).scaleb(-int(query.get("precision", 2)))
        return [
            {
                "timeOffType": str(kind),
                "name": plan.name,
                "units": plan.policy.unit,
                "balance": str(self._left(employee.id, kind, plan, on).quantize(places)),
                "end": on.isoformat(),
                "policyType": "accruing",
                "usedYearToDate": str(
                    (plan.used + self._taken(employee.id, kind, self.today)).quantize(places)
                ),
            }
            for kind, plan in employee.plans.items()
        ]

    def _left(self, employee: int, kind: int, plan: Plan, on: date) -> Decimal:
        months = (on.year - self.today.year) * 12 + on.month - self.today.month
        gained = min(plan.policy.cap, plan.available + plan.policy.monthly * months)
        return max(plan.available, gained) - self._taken(employee, kind, on)

    def _taken(self, employee: int, kind: int, until: date) -> Decimal:
        """Requests that nobody decided yet take nothing."""
        approved = [each for each in self.requests if each.status == "approved"]
        mine = [each for each in approved if (each.employee, each.type) == (employee, kind)]
        days = [pair for each in mine for pair in each.amounts.items()]
        return sum((amount for day, amount in days if self.today < day <= until), Decimal(0))

    def _listed(self, query: Mapping[str, str]) -> list[Asked]:
        first, last = date.fromisoformat(query["start"]), date.fromisoformat(query["end"])
        found = [each for each in self.requests if each.start <= last and each.end >= first]
        if "employeeId" in query:
            found = [each for each in found if str(each.employee) == query["employeeId"]]
        if "id" in query:
            found = [each for each in found if str(each.id) == query["id"]]
        if "status" in query:
            found = [each for each in found if each.status in query["status"].split(",")]
        return found

    def _create(self, employee: Employee, body: Body) -> tuple[int, Any, dict[str, str]]:
        kind = body["timeOffTypeId"]
        start, end = date.fromisoformat(body["start"]), date.fromisoformat(body["end"])
        amounts = {date.fromisoformat(each["ymd"]): Decimal(str(each["amount"])) for each in body["dates"]}
        plan = employee.plans.get(kind)
        if plan is None:
            raise Refusal(400, "Invalid time off type")
        for each in self.requests:
            if (
                each.employee == employee.id
                and each.status in _COUNT
                and each.start <= end >= start <= each.end
            ):
                raise Refusal(409, "You already have time off requested for these days")
        if self._left(employee.id, kind, plan, end) < sum(amounts.values()):
            raise Refusal(400, "The requested amount exceeds the balance")
        notes = {each["from"]: each["note"] for each in body["notes"]}
        made = self._add(employee.id, kind, start, end, amounts, body["status"], notes)
        headers = {"location": f"{self.url}/v1/time_off/requests/{made.id}"} if self.says_id else {}
        return 201, _request(made) if self.says_id == "body" else None, headers

    def _decide(self, number: str, body: Body) -> tuple[int, Any, dict[str, str]]:
        found = [each for each in self.requests if str(each.id) == number]
        if not found:
            raise Refusal(404, "Time off request not found")
        if found[0].status not in _COUNT:
            raise Refusal(409, f"The request is {found[0].status}")
        if found[0].status == "approved" and found[0].start <= self.today:
            raise Refusal(409, "A request that has started cannot be canceled")
        found[0].status = body["status"]
        found[0].notes["manager"] = body.get("note", "")
        return 200, None, {}

    def _add(
        self,
        employee: int,
        kind: int,
        start: date,
        end: date,
        amounts: dict[date, Decimal],
        status: str,
        notes: Body,
    ) -> Asked:
        made = Asked(1000 + len(self.requests), employee, kind, start, end, amounts, status, notes)
        self.requests.append(made)
        return made


class Refusal(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def _employees() -> list[Employee]:
    people = [person for person in _SEED.people if person.kind is not Kind.SERVICE]
    return [
        Employee(
            id=100 + number,
            mail=person.mail.title() if number % 2 else person.mail,  # HR writes Ana.Ruiz@Alderfinch.Example
            name=person.name,
            status="Inactive" if person.status in (Status.LEFT, Status.DISABLED) else "Active",
            plans={
                _TYPES[name, plan.policies[name].unit]: Plan(name, available, used, plan.policies[name])
                for plan in _SEED.plans
                for name, (available, used) in plan.balances.get(person.account, {}).items()
            },
        )
        for number, person in enumerate(people)
    ]


def _request(asked: Asked) -> Body:
    """Numbers are text here and numbers there; what is empty is a list."""
    name, unit = next(known for known, number in _TYPES.items() if number == asked.type)
    total = sum(asked.amounts.values(), Decimal(0))
    return {
        "id": str(asked.id) if asked.id % 2 else asked.id,
        "employeeId": str(asked.employee),
        "status": {
            "lastChanged": "2026-11-02",
            "lastChangedByUserId": "2369",
            "status": asked.status,
        },
        "name": "in words",
        "start": asked.start.isoformat(),
        "end": asked.end.isoformat(),
        "created": "0000-00-00",
        "type": {"id": str(asked.type), "name": name, "icon": "palm-trees"},
        "amount": {"unit": unit, "amount": str(total) if asked.id % 2 else float(total)},
        "actions": {"view": True, "edit": True, "cancel": True, "approve": False, "deny": False},
        "dates": {
            day.isoformat(): str(amount) if asked.id % 2 else float(amount)
            for day, amount in asked.amounts.items()
        }
        or [],
        "notes": asked.notes or [],
    }


def _bend(said: Any, bent: Body) -> Any:
    if isinstance(said, list):
        return [_bend(each, bent) for each in said]
    if not isinstance(said, dict):
        return said
    kept = {name: value for name, value in said.items() if bent.get(name) is not ...}
    return {name: bent[name] if name in bent else _bend(value, bent) for name, value in kept.items()}


def _cut() -> Response:
    """The answer breaks off in its middle."""

    async def nothing() -> Any:
        for _ in ():
            yield b""

    return StreamingResponse(nothing(), 200, {"content-length": "1000"})
