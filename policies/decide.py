"""The decision: may this person request it, may it proceed, may that person approve it.

Pure: everything a rule can look at is handed in, nothing is read but the rules themselves, once.
An answer counts only when Cedar says Allow without a single error over facts that fit the schema:
a forbid that errors is skipped by Cedar, which would let the request through.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cedarpy

STAGES = ("manager", "owner", "budget")  # the order in which people are asked
PROOFS = ("sign-in", "authenticator", "spoken")  # of who somebody is, the strongest first
PEOPLE = "people"  # who may be asked for an exception; nobody where a forbid does not say so
SCHEMA = "schema.cedarschema"
MINUTES_PER_DAY = 24 * 60

# What stands in ``Decision.policies`` where no rule decided.
DEFAULT_DENY = "default-deny"  # nothing forbids it, and nothing permits it
FACTS_REFUSED = "facts-refused"  # the facts do not fit the schema, or a rule failed over them

FACTS_REFUSED_WHY = "Something in the records could not be checked against the rules, so nothing is done."
NO_PERMIT_WHY = "No rule allows this."


@dataclass(frozen=True, slots=True)
class Who:
    """A person as the rules see them."""

    id: str
    kind: str  # employee, contractor or service
    status: str  # active, on_leave, disabled or left
    privileged: bool
    managers: tuple[str, ...]  # ids, nearest first
    department: str
    groups: frozenset[str]  # ids, nested ones too
    frozen: bool  # somebody said that a request in this name was not theirs
    provable: bool = False  # can prove again who they are
    quarantined: bool = False  # how they sign in changed lately
    until: str = ""  # when that is over, in words


@dataclass(frozen=True, slots=True)
class What:
    """A catalogue entry as the rules see it."""

    key: str
    sensitivity: str  # low, medium or critical
    owner: str  # id of a person
    max_days: int


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, by whom and for whom."""

    action: str
    requester: Who
    subject: Who
    resource: What | None = None
    minutes: int | None = None  # how long a timed grant lasts at most; the rules see days, rounded up
    amount_cents: int | None = None
    currency: str = ""  # of the amount, ISO 4217
    kind: str = ""  # of what it is: "Sick", "laptop"
    budget: tuple[str, ...] = ()  # ids of those who may decide on the money


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer that carries its reason."""

    allowed: bool
    phase: str  # request, proceed, approve or administer
    policies: tuple[str, ...]  # ids of the rules that made it, or one of the two markers above
    why: tuple[str, ...]  # for the person; where nothing permits: what the permits of this action ask for
    stages: tuple[str, ...]  # who has to approve, in order; only on an allowed request
    quorum: int  # how many different people have to approve
    needs: tuple[str, ...]  # what an approver has to attest: "spoke", "verified"
    version: str  # hash of all rules and the schema
    proof: tuple[str, ...] = ()  # by which the requester may prove who they are, before they see a credential
    errors: tuple[str, ...] = ()  # for the log: what did not fit; never for a person


class PolicyError(Exception):
    """The rules cannot be used; names the file and the policy."""

    def __init__(self, file: str, policy: str, message: str) -> None:
        super().__init__(f"{file}{f', policy {policy}' if policy else ''}: {message}")
        self.file, self.policy, self.message = file, policy, message


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy and what its annotations say."""

    id: str
    file: str
    effect: str  # permit or forbid
    why: str
    why_approver: str  # the same, where it is an approver who reads it; empty: ``why``
    stages: tuple[str, ...]  # on a request: who approves; on an approval: the stages it serves
    quorum: int
    needs: tuple[str, ...]
    proof: tuple[str, ...]
    exceptions: tuple[str, ...]  # on a forbid: who may be asked for one
    body: Mapping[str, Any] = field(repr=False, compare=False)  # Cedar's own JSON form


class Policies:
    """The loaded rules. Nothing of a decision stays behind, so one instance serves everybody."""

    def __init__(self, sources: Mapping[str, str], schema: str) -> None:
        """:raises PolicyError: the first thing that is wrong with the texts"""
        rules, errors = parse(sources, schema)
        if errors:
            raise errors[0]
        self.rules = {rule.id: rule for rule in rules}
        self.version = _version({**sources, SCHEMA: schema})
        self._schema = cedarpy.Schema.from_str(schema)
        self._set = cedarpy.PolicySet.from_str("\n".join(sources[name] for name in sorted(sources)))
        self._offers = cedarpy.PolicySet.from_json_str(_offers(rules))
        self.groups = frozenset(_groups(rules))  # ids of the groups that any rule names
        # By action; never longer than the actions of the schema.
        self._offered: dict[str, tuple[Rule, ...]] = {}

    @classmethod
    def load(cls, folder: Path) -> Policies:
        """:raises PolicyError: naming the file and the policy"""
        return cls(*read(folder))

    def may_request(self, ask: Ask, *, now: datetime) -> Decision:
        """May the requester ask for this at all, and who would have to approve?"""
        return self._ask("request", ask, ask.requester, _clock(now))

    def may_proceed(self, ask: Ask, *, now: datetime) -> Decision:
        """May it be done without anybody's approval?"""
        return self._ask("proceed", ask, ask.requester, _clock(now))

    def may_approve(
        self, ask: Ask, approver: Who, *, stage: str, fallback: bool, attested: frozenset[str], now: datetime
    ) -> Decision:
        """May this person approve it at this stage?

        ``fallback``: nobody of the stage's own set is eligible, so the stand-ins may. To see who
        could approve before anything was attested, hand in the request's ``needs`` as attested.
        """
        context = _clock(now) | _press(stage, fallback, attested)
        return self._ask("approve", ask, approver, context, stage)

    def may_administer(self, who: Who, what: str) -> Decision:
        """May this person use an admin command: "audit", "freeze", "resolve", ...?"""
        desk = {"uid": {"type": "Desk", "id": "desk"}, "attrs": {}, "parents": []}
        entities = [desk, self._person(who)]
        return _dated(self._decide("administer", "administer", who, entities, {"what": what}), [who])

    def excusable(self, policies: Sequence[str]) -> bool:
        """Whether people may be asked for an exception from what these, as a decision names them, said no to:
        nothing permits it, or only what forbids it where a person may think otherwise."""
        return bool(policies) and all(
            each == DEFAULT_DENY or (each in self.rules and PEOPLE in self.rules[each].exceptions)
            for each in policies
        )

    def permits(self, action: str) -> tuple[Rule, ...]:
        """The permits of an action such as "request:grant_access", whatever their conditions."""
        if action not in self._offered:
            phase = action.partition(":")[0]
            query = {
                "principal": {"type": "Person", "id": "anybody"},
                "action": {"type": "Action", "id": action},
                "resource": {"type": "Desk" if phase == "administer" else "Request", "id": "anything"},
                "context": _ANY_CONTEXT.get(phase, _ANY_CONTEXT["request"]),
            }
            answer = cedarpy.is_authorized(query, self._offers, "[]", schema=self._schema)
            if answer.decision is cedarpy.Decision.NoDecision:
                return ()  # not an action of the schema
            ids = set(answer.diagnostics.id_annotations_by_reason.values())
            self._offered[action] = tuple(rule for rule in self.rules.values() if rule.id in ids)
        return self._offered[action]

    def _ask(
        self, phase: str, ask: Ask, principal: Who, context: dict[str, Any], stage: str = ""
    ) -> Decision:
        people = [principal]
        people += [who for who in (ask.requester, ask.subject) if who not in people]
        entities = [_request(ask), *map(self._person, people)]
        decision = self._decide(phase, f"{phase}:{ask.action}", principal, entities, context, stage)
        return _dated(decision, people)

    def _decide(
        self,
        phase: str,
        action: str,
        principal: Who,
        entities: list[dict[str, Any]],
        context: dict[str, Any],
        stage: str = "",
    ) -> Decision:
        query = {
            "principal": {"type": "Person", "id": principal.id},
            "action": {"type": "Action", "id": action},
            "resource": entities[0]["uid"],
            "context": context,
        }
        if any(not entity["uid"]["id"] for entity in entities):
            return self._refused(phase, ("an id is empty",))
        facts = json.dumps(entities)
        answer = cedarpy.is_authorized(query, self._set, facts, schema=self._schema)
        if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
            errors = tuple(text.replace(facts, "the facts") for text in answer.diagnostics.errors)
            return self._refused(phase, errors)
        made_it = set(answer.diagnostics.id_annotations_by_reason.values())
        by = tuple(rule for rule in self.rules.values() if rule.id in made_it)
        if not by:
            offered = [rule for rule in self.permits(action) if not stage or stage in rule.stages]
            return self._decision(False, phase, offered, (DEFAULT_DENY,))
        return self._decision(answer.allowed, phase, by, tuple(rule.id for rule in by))

    def _decision(self, allowed: bool, phase: str, by: Sequence[Rule], ids: tuple[str, ...]) -> Decision:
        approving = phase == "approve"
        why = dict.fromkeys((rule.why_approver if approving else "") or rule.why for rule in by)
        asks = by if allowed and phase == "request" else ()
        stages = {stage for rule in asks for stage in rule.stages}
        return Decision(
            allowed=allowed,
            phase=phase,
            policies=ids,
            why=tuple(why) or (NO_PERMIT_WHY,),
            stages=tuple(stage for stage in STAGES if stage in stages),
            quorum=max((rule.quorum for rule in asks if rule.stages), default=0),
            needs=tuple(sorted({need for rule in asks for need in rule.needs})),
            version=self.version,
            proof=_common([rule.proof for rule in asks if rule.proof]),
        )

    def _refused(self, phase: str, errors: tuple[str, ...]) -> Decision:
        marker, why = (FACTS_REFUSED,), (FACTS_REFUSED_WHY,)
        return Decision(False, phase, marker, why, (), 0, (), self.version, errors=errors)

    def _person(self, who: Who) -> dict[str, Any]:
        attributes: dict[str, Any] = {
            "kind": {"type": "Kind", "id": who.kind},
            "status": {"type": "Status", "id": who.status},
            "privileged": who.privileged,
            "frozen": who.frozen,
            "quarantined": who.quarantined,
            "provable": who.provable,
            "department": who.department,
            "managers": [{"type": "Person", "id": id} for id in who.managers],
        }
        if who.managers:
            attributes["manager"] = attributes["managers"][0]
        # Only groups a rule speaks of: somebody may be in hundreds.
        parents = [{"type": "Group", "id": id} for id in sorted(who.groups & self.groups)]
        return {"uid": {"type": "Person", "id": who.id}, "attrs": attributes, "parents": parents}


def read(folder: Path) -> tuple[dict[str, str], str]:
    """The texts of a folder of rules, by file name, and its schema.

    :raises PolicyError: for what cannot be read
    """
    try:
        sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.cedar"))}
        schema = (folder / SCHEMA).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(str(folder), "", f"cannot be read: {error}") from error
    if not sources:
        raise PolicyError(str(folder), "", "holds no .cedar file, so nothing would ever be allowed")
    return sources, schema


def parse(sources: Mapping[str, str], schema: str) -> tuple[list[Rule], list[PolicyError]]:
    """Every rule, and everything that is wrong with the texts."""
    rules: list[Rule] = []
    errors: list[PolicyError] = []
    try:
        known = cedarpy.Schema.from_str(schema)
    except ValueError as error:
        return [], [PolicyError(SCHEMA, "", str(error))]
    for file in sorted(sources):
        try:
            found = json.loads(cedarpy.policies_to_json_str(sources[file]))
        except ValueError as error:
            errors.append(PolicyError(file, "", str(error)))
            continue
        if found["templates"]:
            errors.append(PolicyError(file, "", "templates (?principal, ?resource) are not used here"))
        errors += _schema_errors(file, sources[file], known, found["staticPolicies"])
        # Cedar names them by place: policy0, policy1, ...
        for name in sorted(found["staticPolicies"], key=lambda name: int(name.removeprefix("policy"))):
            body = found["staticPolicies"][name]
            rules.append(_rule(file, name, body))
            errors += _annotation_errors(rules[-1], body.get("annotations", {}), rules[:-1])
    return rules, errors


def _rule(file: str, name: str, body: Mapping[str, Any]) -> Rule:
    notes: dict[str, str] = body.get("annotations", {})
    quorum = notes.get("quorum", "1")
    return Rule(
        id=notes.get("id") or name,
        file=file,
        effect=body["effect"],
        why=notes.get("why") or "",
        why_approver=notes.get("why_approver") or "",
        stages=_listed(notes.get("stages")),
        quorum=int(quorum) if quorum.isdecimal() else 1,
        needs=_listed(notes.get("needs")),
        proof=_listed(notes.get("proof")),
        exceptions=_listed(notes.get("exceptions")),
        body=body,
    )


def _annotation_errors(rule: Rule, notes: Mapping[str, str], earlier: list[Rule]) -> Iterator[PolicyError]:
    known = {"id", "why", "why_approver", "stages", "quorum", "needs", "proof", "exceptions"}
    if not notes.get("id"):
        yield PolicyError(rule.file, rule.id, "has no @id")
    elif rule.id in (DEFAULT_DENY, FACTS_REFUSED):
        yield PolicyError(rule.file, rule.id, "this @id is the marker of a decision no rule made")
    elif twin := next((other for other in earlier if other.id == rule.id), None):
        yield PolicyError(rule.file, rule.id, f"the same @id stands in {twin.file}")
    if not rule.why.strip():
        yield PolicyError(rule.file, rule.id, "has no @why, the sentence a person reads")
    lists = (
        ("stages", rule.stages, STAGES),
        ("proof", rule.proof, PROOFS),
        ("exceptions", rule.exceptions, (PEOPLE,)),
    )
    for note, named, known_names in lists:
        for each in sorted(set(named) - set(known_names)):
            there = ", ".join(known_names)
            yield PolicyError(rule.file, rule.id, f"@{note} names {each!r}; there are {there}")
    quorum = notes.get("quorum", "1")
    if not quorum.isdecimal() or int(quorum) < 1:
        yield PolicyError(rule.file, rule.id, f"@quorum is {quorum!r}; it is a whole number from 1 on")
    elif int(quorum) > len(STAGES):
        yield PolicyError(
            rule.file, rule.id, f"@quorum is {quorum}, but each of {len(STAGES)} stages has one approver"
        )
    for name in sorted(set(notes) - known):
        yield PolicyError(rule.file, rule.id, f"@{name} is not known; there are @{', @'.join(sorted(known))}")


def _schema_errors(
    file: str, text: str, schema: cedarpy.Schema, found: Mapping[str, Any]
) -> Iterator[PolicyError]:
    for error in cedarpy.validate_policies(text, schema).errors:
        notes = found.get(error.policy_id, {}).get("annotations", {})
        yield PolicyError(file, notes.get("id") or error.policy_id, error.error)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _common(ways: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Of several permits, what all of them take: each asks for at least that much."""
    return tuple(way for way in PROOFS if ways and all(way in each for each in ways))


def _dated(decision: Decision, people: Sequence[Who]) -> Decision:
    """``{until}`` in a reason: when the quarantine of whom it is about is over."""
    until = next((who.until for who in people if who.until), "")
    return replace(decision, why=tuple(why.replace("{until}", until) for why in decision.why))


def _offers(rules: list[Rule]) -> str:
    """The permits with nothing left but their action."""
    anybody = {"principal": {"op": "All"}, "resource": {"op": "All"}, "conditions": []}
    permits = {rule.id: {**rule.body, **anybody} for rule in rules if rule.effect == "permit"}
    return json.dumps({"templates": {}, "staticPolicies": permits, "templateLinks": []})


def _groups(rules: list[Rule]) -> Iterator[str]:
    """Ids of the groups that any rule names."""
    todo: list[Any] = [rule.body for rule in rules]
    while todo:
        node = todo.pop()
        if isinstance(node, Mapping):
            if node.get("type") == "Group" and "id" in node:
                yield node["id"]
            todo += node.values()
        elif isinstance(node, list):
            todo += node


def _version(texts: Mapping[str, str]) -> str:
    whole = json.dumps(sorted(texts.items()), ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def _clock(now: datetime) -> dict[str, Any]:
    if now.tzinfo is None:
        raise ValueError("now has no time zone")
    utc = now.astimezone(UTC)
    return {"hour": utc.hour, "weekday": utc.isoweekday()}


def _press(stage: str, fallback: bool, attested: frozenset[str]) -> dict[str, Any]:
    words = [{"type": "Attestation", "id": word} for word in sorted(attested)]
    return {"stage": {"type": "Stage", "id": stage}, "fallback": fallback, "attested": words}


def _request(ask: Ask) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "requester": {"type": "Person", "id": ask.requester.id},
        "subject": {"type": "Person", "id": ask.subject.id},
    }
    if ask.resource is not None:
        attributes["entry"] = {
            "key": ask.resource.key,
            "sensitivity": {"type": "Sensitivity", "id": ask.resource.sensitivity},
            "owner": {"type": "Person", "id": ask.resource.owner},
            "maxDays": ask.resource.max_days,
        }
    if ask.minutes is not None:
        attributes["days"] = -(-ask.minutes // MINUTES_PER_DAY)
    if ask.amount_cents is not None:
        attributes["amountCents"] = ask.amount_cents
        attributes["currency"] = ask.currency
    if ask.kind:
        attributes["kind"] = ask.kind
    if ask.budget:
        attributes["budgetOwners"] = [{"type": "Person", "id": each} for each in ask.budget]
    return {"uid": {"type": "Request", "id": "request"}, "attrs": attributes, "parents": []}


_EPOCH = _clock(datetime(1970, 1, 1, tzinfo=UTC))
_ANY_CONTEXT: dict[str, dict[str, Any]] = {
    "request": _EPOCH,
    "approve": _EPOCH | _press(STAGES[0], False, frozenset()),
    "administer": {"what": ""},
}
