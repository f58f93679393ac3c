"""A back office with the equipment and expenses of the embedded company, on real sockets and over https.

It answers what docs/backoffice.md describes, as a company's own system would: with what stands in ``items``,
``owners`` and ``expenses``, which a test may bend as it likes, or with exactly the bytes of ``raw``.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from integrations.company.company import SEED
from integrations.company.seed_files import Seed
from tests.servers.https import HttpsServer

TOKEN = "s3cr3t-of-the-back-office"

Body = dict[str, Any]


@dataclass
class Fault:
    """What goes wrong with the next calls: an HTTP status, "cut" in the midst of the answer, "drip" without
    an end, or "packed" although nobody asked for that."""

    kind: str
    times: int = 1
    retry_after: str = ""


@dataclass
class Call:
    path: str
    query: Mapping[str, str]
    authorized: bool


class FakeBackoffice(HttpsServer):
    """``with FakeBackoffice.running() as office``. People are known by their ids in the company."""

    def __init__(self) -> None:
        super().__init__()
        seed = Seed.read(SEED)
        ids = {person.account: person.id for person in seed.people}
        mails = {person.account: person.mail for person in seed.people}
        budgets = seed.equipment.budgets
        self.items: list[Body] = [
            {"id": each.key, **each.model_dump(mode="json", exclude={"key"})} for each in seed.equipment.items
        ]
        self.owners: dict[str, Any] = {
            person.id: mails[budgets[person.department]] if person.department in budgets else None
            for person in seed.people
        }
        self.expenses: dict[str, list[Body]] = {
            person_id: [
                each.model_dump(mode="json", exclude={"account"})
                for each in seed.expenses
                if ids[each.account] == person_id
            ]
            for person_id in ids.values()
        }
        self.answers_of: str | None = None  # what an answer about an employee says whose it is
        self.raw: dict[str, bytes] = {}  # "equipment", "budget" or "expenses" -> the very answer
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.base = "/purchasing/v1"

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}{self.base}"

    def fail(self, kind: str, *, times: int = 1, retry_after: str = "") -> None:
        self.faults.append(Fault(kind, times, retry_after))

    def _routes(self) -> list[BaseRoute]:
        return [Route("/{path:path}", self._serve)]

    async def _serve(self, request: Request) -> Response:
        authorized = request.headers.get("authorization") == f"Bearer {TOKEN}"
        # Undecoded: what an id contains is one part of the path here too.
        path = request.scope["raw_path"].decode().partition("?")[0]
        self.calls.append(Call(path, dict(request.query_params), authorized))
        fault = self._fault()
        if fault and fault.kind == "cut":
            return StreamingResponse(_cut(), headers={"content-length": "1000"})
        if fault and fault.kind == "drip":
            return StreamingResponse(_drip(), media_type="application/json")
        if fault and fault.kind == "packed":
            return Response(gzip.compress(b'{"items": []}'), headers={"content-encoding": "gzip"})
        if fault:
            headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
            return JSONResponse({"error": "busy"}, int(fault.kind), headers)
        if not authorized:
            return JSONResponse({"error": "no such token"}, 401)
        return self._answer(path.removeprefix(self.base).strip("/").split("/"))

    def _fault(self) -> Fault | None:
        if not self.faults:
            return None
        fault = self.faults[0]
        fault.times -= 1
        if fault.times <= 0:
            self.faults.remove(fault)
        return fault

    def _answer(self, path: list[str]) -> Response:
        said: Body
        match path:
            case ["equipment"]:
                said = {"items": self.items}
            case ["employees", person, "budget"] if person in self.owners:
                said = {"owner": self.owners[person]}
            case ["employees", person, "expenses"] if person in self.expenses:
                said = {"expenses": self.expenses[person]}
            case _:
                return JSONResponse({"error": "no such thing"}, 404)
        if self.answers_of is not None and path[0] == "employees":
            said["employee"] = self.answers_of
        body = self.raw.get(path[-1], json.dumps(said).encode())
        return Response(body, media_type="application/json")


async def _cut() -> AsyncIterator[bytes]:
    yield b'{"items": ['


async def _drip() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.1)
