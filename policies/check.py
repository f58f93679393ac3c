"""Whether the rules hold together: what is wrong with them, what their cases show, why a decision fell.

A case is a small story with its outcome. A rule without one is refused: nobody would notice it go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import cedarpy
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policies.catalogue import Catalogue, CatalogueError
from policies.decide import (
    MINUTES_PER_DAY,
    Ask,
    Decision,
    Policies,
    PolicyError,
    Rule,
    What,
    Who,
    parse,
    read,
)

CATALOGUE = "catalogue.yaml"
CAST = "cast.yaml"
FOLDERS = ("allow", "approve", "deny")


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason not to start with these rules."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Approval(_Strict):
    """Who would have to approve, as a case expects it."""

    stages: tuple[str, ...]
    quorum: int = 1
    needs: tuple[str, ...] = ()


class Case(_Strict):
    """One story with its outcome; docs/policies.md shows how to write one."""

    name: str
    who: str
    action: str = ""
    command: str = ""  # an admin command, instead of an action
    about: str = ""  # empty: the one who asks
    resource: str = ""
    days: int | None = None
    minutes: int | None = None
    amount_cents: int | None = None
    currency: str = "EUR"
    kind: str = ""
    budget: tuple[str, ...] = ()  # who may decide on the money
    approver: str = ""
    stage: str = ""
    stands_in: bool = False
    attested: frozenset[str] = frozenset()
    at: datetime = datetime(2026, 1, 14, 10, tzinfo=UTC)
    expect: Literal["allow", "deny", ""] = ""  # for an approver; elsewhere the folder says it
    then: Literal["proceeds", ""] | Approval = ""  # after an allowed request
    rules: frozenset[str] = Field(min_length=1)  # exactly those that make the decision
    file: str = ""


class Actor(_Strict):
    kind: str = "employee"
    status: str = "active"
    privileged: bool = False
    manager: str = ""
    department: str = ""
    groups: frozenset[str] = frozenset()
    frozen: bool = False
    quarantined: bool = False
    provable: bool = False


class Prop(_Strict):
    sensitivity: str
    owner: str
    max_days: int


class Cast(_Strict):
    """The people and resources that the cases speak of."""

    people: dict[str, Actor]
    resources: dict[str, Prop]

    def who(self, name: str) -> Who:
        actor, line = self.people[name], list[str]()
        above = actor.manager
        while above and above != name and above not in line:  # ends at the top, or before a repetition
            line.append(above)
            above = self.people[above].manager
        return Who(
            id=name,
            kind=actor.kind,
            status=actor.status,
            privileged=actor.privileged,
            managers=tuple(line),
            department=actor.department,
            groups=actor.groups,
            frozen=actor.frozen,
            quarantined=actor.quarantined,
            provable=actor.provable,
        )

    def ask(self, case: Case) -> Ask:
        prop = self.resources[case.resource] if case.resource else None
        return Ask(
            action=case.action,
            requester=self.who(case.who),
            subject=self.who(case.about or case.who),
            resource=What(case.resource, prop.sensitivity, prop.owner, prop.max_days) if prop else None,
            minutes=case.days * MINUTES_PER_DAY if case.days is not None else case.minutes,
            amount_cents=case.amount_cents,
            currency=case.currency if case.amount_cents is not None else "",
            kind=case.kind,
            budget=case.budget,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case. ``right`` is the outcome alone, whichever rule it came from."""

    case: Case
    decisions: tuple[Decision, ...]  # the one the case is about first
    wrong: tuple[str, ...]  # in words; empty: as expected
    right: bool

    @property
    def ok(self) -> bool:
        return not self.wrong

    def __str__(self) -> str:
        head = f"{'ok ' if self.ok else 'RED'} {self.case.file}: {self.case.name}"
        return "\n".join([head, *(f"      {line}" for line in self.wrong)])


class CaseError(Exception):
    """The cases cannot be read; names the file and the case."""


def load_cases(folder: Path) -> tuple[Cast, list[Case]]:
    """The cast and the cases of a folder, in the order of their files.

    :raises CaseError:
    """
    file = folder / CAST
    try:
        cast = Cast.model_validate(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        cases = []
        for file in sorted(path for part in FOLDERS for path in (folder / part).glob("*.yaml")):
            where = f"{file.parent.name}/{file.name}"
            for entry in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or ():
                cases.append(Case.model_validate({**entry, "file": where}))
    except (OSError, yaml.YAMLError, TypeError, ValidationError) as error:
        raise CaseError(f"{file}: {error}") from error
    for case in cases:
        if fault := _misfit(cast, case):
            raise CaseError(f"{case.file}, case {case.name!r}: {fault}")
    return cast, cases


def _misfit(cast: Cast, case: Case) -> str:
    """Why this case says nothing; empty where it does."""
    for name in filter(None, (case.who, case.about, case.approver, *case.budget)):
        if name not in cast.people:
            return f"{name!r} is not in {CAST}"
    if case.resource and case.resource not in cast.resources:
        return f"the resource {case.resource!r} is not in {CAST}"
    if bool(case.action) == bool(case.command):
        return "give it an action or a command"
    press = (case.approver, case.stage, case.expect)
    if not all(press) if case.file.startswith("approve/") else any(press):
        return "approver, stage and expect belong to cases in approve/, and all three to each of them"
    if case.file.startswith("allow/") and case.action and not case.then:
        return "say what follows: then: proceeds, or then: {stages: [...]}"
    return ""


def run_cases(policies: Policies, folder: Path) -> list[Result]:
    """Every case of the folder, decided.

    :raises CaseError:
    """
    cast, cases = load_cases(folder)
    return [run_case(policies, cast, case) for case in cases]


def run_case(policies: Policies, cast: Cast, case: Case) -> Result:
    if case.command:
        decision = policies.may_administer(cast.who(case.who), case.command)
        return _result(case, (decision,), case.file.startswith("allow/"), [])
    ask = cast.ask(case)
    request = policies.may_request(ask, now=case.at)
    if case.approver:
        decision = _approval(policies, cast, case, ask, case.attested)
        return _result(case, (decision, request), case.expect == "allow", [])
    proceed = policies.may_proceed(ask, now=case.at)
    if case.file.startswith("deny/"):
        aside = ["it is refused, yet it may proceed"] if proceed.allowed else []
        return _result(case, (request, proceed), False, aside)
    return _result(case, (request, proceed), True, list(_what_follows(case, request, proceed)))


def _approval(
    policies: Policies, cast: Cast, case: Case, ask: Ask, attested: frozenset[str], *, able: bool = False
) -> Decision:
    """``able``: as one who could prove who they are."""
    approver = cast.who(case.approver)
    approver = replace(approver, provable=approver.provable or able)
    return policies.may_approve(
        ask, approver, stage=case.stage, fallback=case.stands_in, attested=attested, now=case.at
    )


def _what_follows(case: Case, request: Decision, proceed: Decision) -> Iterator[str]:
    if not request.allowed:
        return
    if isinstance(case.then, Approval):
        if proceed.allowed:
            yield "it proceeds without the approval that was expected"
        for name in ("stages", "quorum", "needs"):
            got, expected = getattr(request, name), getattr(case.then, name)
            if got != expected:
                yield f"{name}: expected {expected!r}, got {got!r}"
    elif not proceed.allowed:
        yield "it does not proceed: " + " ".join(proceed.why)
    elif request.stages:
        yield f"it proceeds, yet asks for approval by {', '.join(request.stages)}"


def _result(case: Case, decisions: tuple[Decision, ...], allow: bool, wrong: list[str]) -> Result:
    decision = decisions[0]
    if decision.allowed != allow:
        wrong.insert(0, f"expected {_answer(allow)}, got {_answer(decision.allowed)}")
    right = not wrong
    if set(decision.policies) != case.rules:
        wrong.append(f"rules: expected {sorted(case.rules)}, got {sorted(decision.policies)}")
    return Result(case, decisions, tuple(wrong), right)


def _answer(allowed: bool) -> str:
    return "allow" if allowed else "deny"


def check(folder: Path, action_names: Iterable[str]) -> list[Problem]:
    """Everything that speaks against starting with these rules; empty: none."""
    problems = list(_catalogue(folder))
    try:
        sources, schema = read(folder)
        _, errors = parse(sources, schema)
        if errors:
            return problems + [_problem(error) for error in errors]
        policies = Policies(sources, schema)
        cast, cases = load_cases(folder / "cases")
    except PolicyError as error:
        return [*problems, _problem(error)]
    except CaseError as error:
        return [*problems, Problem("cases", str(error))]
    results = [run_case(policies, cast, case) for case in cases]
    problems += [Problem(r.case.file, f"{r.case.name}: {'; '.join(r.wrong)}") for r in results if not r.ok]
    problems += _without_case(policies, results)
    for name in sorted(set(action_names)):
        problems += _action(policies, cast, results, name)
    return problems


def _problem(error: PolicyError) -> Problem:
    return Problem(f"{error.file}{f', policy {error.policy}' if error.policy else ''}", error.message)


def _catalogue(folder: Path) -> Iterator[Problem]:
    try:
        catalogue = Catalogue.load(folder / CATALOGUE)
    except CatalogueError as error:
        yield Problem(CATALOGUE, str(error))
        return
    holders: dict[tuple[str, str], str] = {}
    for resource in catalogue:
        twin = holders.setdefault((resource.system, resource.group), resource.key)
        if twin != resource.key:
            yield Problem(CATALOGUE, f"{twin} and {resource.key} grant the same group: ending one ends both")


def _without_case(policies: Policies, results: Sequence[Result]) -> Iterator[Problem]:
    made = {id for result in results for id in result.decisions[0].policies}
    for rule in policies.rules.values():
        if rule.id not in made:
            yield Problem(f"{rule.file}, policy {rule.id}", "no case shows it at work: add one to cases/")


def _action(policies: Policies, cast: Cast, results: Sequence[Result], name: str) -> Iterator[Problem]:
    """What is wrong with one action: nobody can ask for it, or what is asked can never be done."""
    mine = [result for result in results if result.case.action == name]
    permits = policies.permits(f"request:{name}")
    if not permits and not _declined(policies, mine):
        yield Problem(
            f"action {name}",
            "nobody can ever ask for it: write a permit for it, or, where the desk declines it, a forbid "
            "without conditions and a case that shows it",
        )
        return
    if not any(result.decisions[0].allowed for result in mine if not result.case.approver) and permits:
        yield Problem(f"action {name}", "no case in cases/allow shows anybody getting it")
    for rule in permits:
        if not rule.stages and rule not in policies.permits(f"proceed:{name}"):
            yield Problem(f"{rule.file}, policy {rule.id}", "has no @stages and does not let it proceed")
        for stage in rule.stages:
            yield from _stage(policies, cast, mine, rule, stage)
    for rule in policies.permits(f"approve:{name}"):
        if not rule.stages:
            yield Problem(f"{rule.file}, policy {rule.id}", "permits approvals and has no @stages")


def _declined(policies: Policies, mine: Sequence[Result]) -> bool:
    rules = (policies.rules.get(id) for result in mine for id in result.decisions[0].policies)
    return any(rule and rule.effect == "forbid" and not rule.body["conditions"] for rule in rules)


def _stage(
    policies: Policies, cast: Cast, mine: Sequence[Result], rule: Rule, stage: str
) -> Iterator[Problem]:
    """A case is the proof that somebody can approve, and that what it needs is asked for."""
    witnesses = [
        result
        for result in mine
        if result.case.approver and result.case.stage == stage and result.decisions[0].allowed
        if rule.id in result.decisions[1].policies
    ]
    where = f"{rule.file}, policy {rule.id}"
    if not witnesses:
        yield Problem(where, f"no case in cases/approve shows anybody approving it at the stage {stage}")
    for need in rule.needs:
        for result in witnesses:
            without = result.case.attested - {need}
            ask = cast.ask(result.case)
            if _approval(policies, cast, result.case, ask, without, able=True).allowed:
                yield Problem(where, f"needs {need!r}, yet it can be approved at {stage} without that")
                break


def survivors(folder: Path) -> list[str]:
    """Changes to single rules that no case notices: a rule removed, turned round, or negated.

    :raises PolicyError:, :raises CaseError:
    """
    sources, schema = read(folder)
    cast, cases = load_cases(folder / "cases")
    return [
        f"{rule.id} {change}"
        for rule, change, changed in mutants(sources, schema)
        # The cases that name the rule first: one of them turns red in most.
        if all(run_case(changed, cast, c).right for c in sorted(cases, key=lambda c: rule.id not in c.rules))
    ]


def mutants(sources: Mapping[str, str], schema: str) -> Iterator[tuple[Rule, str, Policies]]:
    """The rules with one of them changed, for each rule and change that is still a valid set."""
    rules, errors = parse(sources, schema)
    if errors:
        raise errors[0]
    for rule in rules:
        for change, body in _changes(rule):
            bodies = [body if other is rule else other.body for other in rules if other.file == rule.file]
            text = _text([body for body in bodies if body is not None])
            yield rule, change, Policies({**sources, rule.file: text}, schema)


def _changes(rule: Rule) -> Iterator[tuple[str, dict[str, Any] | None]]:
    yield "removed", None
    yield "turned round", {**rule.body, "effect": "forbid" if rule.effect == "permit" else "permit"}
    if rule.body["conditions"]:
        yield "negated", {**rule.body, "conditions": [_negated(rule.body["conditions"])]}


def _negated(conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    parts = [c["body"] if c["kind"] == "when" else {"!": {"arg": c["body"]}} for c in conditions]
    whole = parts[0]
    for part in parts[1:]:
        whole = {"&&": {"left": whole, "right": part}}
    return {"kind": "unless", "body": whole}


def _text(bodies: Sequence[Mapping[str, Any]]) -> str:
    policies = {f"policy{number}": body for number, body in enumerate(bodies)}
    whole = {"templates": {}, "staticPolicies": policies, "templateLinks": []}
    return str(cedarpy.policies_from_json_str(json.dumps(whole)))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation."""

    topic: str
    text: str

    def __str__(self) -> str:
        return f"{self.topic:<9} {self.text}"


def explain(
    policies: Policies, ask: Ask, candidates: Sequence[tuple[str, Who]], *, now: datetime
) -> list[Line]:
    """Which rules decide, why, and who of the candidates, by name, could approve."""
    request = policies.may_request(ask, now=now)
    lines = [Line("request", _answer(request.allowed)), *_reasons(policies, request)]
    if request.allowed:
        proceed = policies.may_proceed(ask, now=now)
        if proceed.allowed:
            lines += [Line("proceed", "without approval"), *_reasons(policies, proceed)]
        else:
            lines.append(
                Line("proceed", f"after approval by {' and then '.join(request.stages) or 'nobody'}")
            )
            lines += [
                line
                for stage in request.stages
                for line in _who_could(policies, ask, request, stage, candidates, now)
            ]
            lines += [Line("needs", f"the approver attests: {need}") for need in request.needs]
            lines.append(Line("quorum", f"{request.quorum} different people"))
    lines.append(Line("version", request.version))
    return lines


def _reasons(policies: Policies, decision: Decision) -> Iterator[Line]:
    for id in decision.policies:
        rule = policies.rules.get(id)
        yield Line("rule", f"{id} ({rule.file})" if rule else id)
    yield from (Line("why", why) for why in decision.why)
    yield from (Line("error", error) for error in decision.errors)


def _who_could(
    policies: Policies,
    ask: Ask,
    request: Decision,
    stage: str,
    candidates: Sequence[tuple[str, Who]],
    now: datetime,
) -> Iterator[Line]:
    def able(fallback: bool) -> list[str]:
        attested = frozenset(request.needs)
        return [
            name
            for name, who in candidates
            if policies.may_approve(
                ask, who, stage=stage, fallback=fallback, attested=attested, now=now
            ).allowed
        ]

    if names := able(fallback=False):
        yield Line(stage, ", ".join(names))
    elif names := able(fallback=True):
        yield Line(stage, f"{', '.join(names)}, standing in because nobody else is eligible")
    else:
        yield Line(stage, "nobody: this would be refused")
