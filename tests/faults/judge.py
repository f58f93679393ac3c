"""The verdict on a data folder, from its files alone.

What took effect is read from the company's own write log, which knows nothing of our tables.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.audit.checkpoint import CheckpointFile, public_key
from bot.audit.verify import verify
from bot.chat.inbound import Inbound, InboundKind
from bot.settings.paths import Paths
from bot.store.keys import KeyFile
from tests.house import company_template

_DID = frozenset({"executing", "done", "active", "revoking", "ended", "undone", "stuck"})
_MOVING = frozenset({"executing", "revoking"})


@dataclass
class Verdict:
    """What is wrong, in words; nothing where all is well."""

    requests: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unaudited: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)  # missing, stale or delivered twice
    secrets: list[str] = field(default_factory=list)  # sealed credentials that outlived their time
    damaged: list[str] = field(default_factory=list)  # files that fail SQLite's own check

    KINDS = ("lost", "doubled", "unaudited", "stuck", "cards", "secrets", "damaged")

    @property
    def good(self) -> bool:
        return not any(getattr(self, kind) for kind in self.KINDS)

    def add(self, other: Verdict) -> None:
        self.requests += other.requests
        for kind in self.KINDS:
            getattr(self, kind).extend(getattr(other, kind))

    def lines(self) -> list[str]:
        return [f"{kind}: {what}" for kind in self.KINDS for what in getattr(self, kind)]


@dataclass(frozen=True, slots=True)
class _Effect:
    at: str
    op: str
    kind: str
    person: str
    group: str | None

    @property
    def ref(self) -> str:
        return self.op.partition(":")[0]

    @property
    def step(self) -> str:
        return self.op.split(":")[1] if ":" in self.op else ""

    @property
    def undo(self) -> bool:
        return self.op.endswith(":undo")


def judge(data: Path, acknowledged: Iterable[Inbound]) -> Verdict:
    paths, verdict = Paths(data), Verdict()
    desk, company, web = (sqlite3.connect(p) for p in (paths.database, paths.company, paths.web))
    try:
        for name, file in (("desk", desk), ("company", company), ("web", web)):
            if (found := file.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                verdict.damaged.append(f"{name}: {found}")
        requests = {
            row[0]: row
            for row in desk.execute("SELECT ref, state, version, action, body, ends_at FROM requests")
        }
        events = _events(desk)
        effects = [
            _Effect(*row)
            for row in company.execute(
                "SELECT at, op, kind, person_id, group_id FROM write_log WHERE changed ORDER BY id"
            )
        ]
        answers = [effect for effect in effects if effect.ref == "in"]
        effects = [effect for effect in effects if effect.ref != "in"]
        verdict.requests = len(requests)
        _answered(desk, web, acknowledged, events, verdict)
        _ended(desk, requests, verdict)
        _done_once(desk, requests, effects, verdict)
        _taken_back(company, verdict)
        _on_record(requests, events, effects, verdict)
        _answers(answers, events, verdict)
        _cards(web, verdict)
        verdict.secrets += [
            f"{ref} still holds a sealed credential" for (ref,) in desk.execute("SELECT ref FROM sealed")
        ]
    finally:
        for file in (desk, company, web):
            file.close()
    report = verify(paths.database, CheckpointFile(paths.checkpoints), public_key(KeyFile.open(paths.key)))
    if not report.whole:
        verdict.unaudited.append(f"the trail is broken: {report.first_break}")
    return verdict


def _events(desk: sqlite3.Connection) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in desk.execute("SELECT body FROM audit_events ORDER BY seq")]


def _answered(
    desk: sqlite3.Connection,
    web: sqlite3.Connection,
    acknowledged: Iterable[Inbound],
    events: list[dict[str, Any]],
    verdict: Verdict,
) -> None:
    """Each message that was acknowledged became one request, or got one answer."""
    openings = [each["data"].get("inbound") for each in events if each["kind"] == "request.opened"]
    opened = Counter(filter(None, openings))  # a part of another request has none
    verdict.doubled += [
        f"inbound {name} opened {count} requests" for name, count in opened.items() if count > 1
    ]
    replied = {
        row[0].rpartition(":")[0] for row in web.execute("SELECT key FROM message WHERE key LIKE 'bot:in:%'")
    }
    for inbound in acknowledged:
        said = inbound.id in opened or f"bot:{inbound.key}" in replied
        if inbound.kind is InboundKind.MESSAGE and not said:
            verdict.lost.append(f"message {inbound.id} was acknowledged, and nothing came of it")
    for (name,) in desk.execute("SELECT id FROM inbox WHERE body IS NOT NULL"):
        verdict.lost.append(f"inbound {name} waits for ever")


def _ended(desk: sqlite3.Connection, requests: dict[str, Any], verdict: Verdict) -> None:
    """Nothing is left half-way that only the desk itself could go on with."""
    now = datetime.now(UTC).isoformat()
    for ref, state, _, action, text, ends_at in requests.values():
        body = json.loads(text)
        if state == "stuck" or state in _MOVING:
            verdict.stuck.append(f"{ref} {action} is {state}: {body.get('alarm', '')}")
        elif state == "active" and ends_at and ends_at < now:
            verdict.lost.append(f"{ref} ended at {ends_at} and runs on")
        elif state == "approving" and body.get("stage", 0) >= len(body.get("stages", ())):
            verdict.lost.append(f"{ref} has everybody's yes and is not executed")
        elif state == "undone":
            verdict.lost.append(f"{ref} {action} was undone, and nothing was wrong with the company")
    for ref, stage, verdicts in desk.execute(
        "SELECT ref, stage, count(*) FROM approvals GROUP BY ref, stage HAVING count(*) > 1"
    ):
        verdict.doubled.append(f"{ref} was decided {verdicts} times as {stage}")


def _done_once(
    desk: sqlite3.Connection, requests: dict[str, Any], effects: list[_Effect], verdict: Verdict
) -> None:
    counted = Counter(effect.op for effect in effects)
    for op, count in counted.items():
        verdict.doubled += [f"{op} took effect {count} times"] * (count > 1)
    for effect in effects:
        state = requests[effect.ref][1] if effect.ref in requests else "no request"
        if state not in _DID:
            verdict.doubled.append(f"{effect.op} took effect, and its request is {state}")
    own = {effect.ref for effect in effects if not effect.undo}
    handed = {json.loads(row[0]).get("data", {}).get("handed_to") for row in desk.execute(
        "SELECT body FROM audit_events WHERE kind = 'request.ended'")}  # fmt: skip
    done = desk.execute(  # what these two do is done by other requests, each judged by itself
        "SELECT DISTINCT ref FROM steps WHERE state IN ('done', 'undone')"
        " AND name <> 'end_grant' AND name NOT LIKE 'part\\_%' ESCAPE '\\'"
    )
    opened = Counter(row[0] for row in desk.execute(
        "SELECT json_extract(body, '$.part_of') || action || coalesce(resource, '') FROM requests"
        " WHERE json_extract(body, '$.part_of') IS NOT NULL"))  # fmt: skip
    verdict.doubled += [
        f"part {part} was opened {count} times" for part, count in opened.items() if count > 1
    ]
    for (ref,) in done:
        if ref not in own and ref not in handed:
            verdict.lost.append(f"{ref} is recorded as done, and nothing took effect")
    recorded = {row[0] for row in desk.execute("SELECT DISTINCT ref FROM steps")}
    for ref, state, *_ in requests.values():
        if state in ("done", "active", "ended") and ref not in recorded:
            verdict.lost.append(f"{ref} is {state}, and no step of it was begun")


def _taken_back(company: sqlite3.Connection, verdict: Verdict) -> None:
    """All grants are over by now: everybody is in the groups they were in at first."""
    template = sqlite3.connect(company_template())
    try:
        query = "SELECT person_id, group_id FROM membership"
        before, after = set(template.execute(query)), set(company.execute(query))
    finally:
        template.close()
    verdict.lost += [f"{person} is still in {group}" for person, group in sorted(after - before)]
    verdict.doubled += [f"{person} was taken out of {group}" for person, group in sorted(before - after)]


def _on_record(
    requests: dict[str, Any], events: list[dict[str, Any]], effects: list[_Effect], verdict: Verdict
) -> None:
    moves: dict[str, list[dict[str, Any]]] = {}
    begun: dict[tuple[str, str], str] = {}
    revoking: dict[str, str] = {}
    for event in events:
        ref, data = event["request"], event["data"]
        if "to" in data:
            moves.setdefault(ref, []).append(data)
            if data["to"] == "revoking":
                revoking.setdefault(ref, event["at"])
        if event["kind"] == "step.begun":
            begun.setdefault((ref, data["step"]), event["at"])
        if event["kind"] == "hand_off.begun":
            begun.setdefault((ref, data["hand_off"].split(":")[1]), event["at"])
    for ref, state, version, *_ in requests.values():
        verdict.unaudited += _chain(ref, state, version, moves.get(ref, []))
    for ref in moves.keys() - requests.keys():
        verdict.unaudited.append(f"{ref} is on record, and there is no such request")
    for effect in effects:
        known = revoking.get(effect.ref) if effect.undo else begun.get((effect.ref, effect.step))
        if known is None or _moment(known) > _moment(effect.at):
            verdict.unaudited.append(f"{effect.op} took effect before it was on record")


def _answers(effects: list[_Effect], events: list[dict[str, Any]], verdict: Verdict) -> None:
    """What people answered on a ticket: each once, by the inbound it came in, and on record before."""
    said = {
        event["data"]["inbound"]: event["at"] for event in events[::-1] if event["kind"] == "ticket.answered"
    }
    for op, count in Counter(effect.op for effect in effects).items():
        verdict.doubled += [f"{op} was written {count} times"] * (count > 1)
    for effect in effects:
        at = said.get(effect.op.rpartition(":")[2])
        if at is None or _moment(at) > _moment(effect.at):
            verdict.unaudited.append(f"{effect.op} was written before it was on record")


def _chain(ref: str, state: str, version: int, moves: list[dict[str, Any]]) -> list[str]:
    """One event a version, each from where the last one led."""
    if len(moves) != version + 1:
        return [f"{ref} is at version {version}, and {len(moves)} moves are on record"]
    at = moves[0]["to"]
    for move in moves[1:]:
        if move["from"] != at:
            return [f"{ref} went on from {move['from']}, and was {at}"]
        at = move["to"]
    return [] if at == state else [f"{ref} is {state}, and {at} on record"]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _cards(web: sqlite3.Connection, verdict: Verdict) -> None:
    for key, count in web.execute(
        "SELECT key, count(*) FROM message WHERE key LIKE 'bot:%' GROUP BY key HAVING count(*) > 1"
    ):
        verdict.cards.append(f"{key} was delivered {count} times")
