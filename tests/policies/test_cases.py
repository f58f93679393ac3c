from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cedarpy
import pytest

from policies.check import Case, Result, load_cases, mutants, run_case, run_cases
from policies.decide import Policies, PolicyError, Rule, read
from tests.policies.company import FOLDER, SHIPPED

CAST, CASES = load_cases(FOLDER / "cases")
SOURCES, SCHEMA = read(FOLDER)


@pytest.mark.parametrize("result", run_cases(SHIPPED, FOLDER / "cases"), ids=lambda r: r.case.name)
def test_every_case_comes_out_as_written(result: Result) -> None:
    assert result.ok, str(result)


def test_every_rule_makes_a_decision_in_a_case() -> None:
    made = {id for case in CASES for id in case.rules}
    assert set(SHIPPED.rules) <= made


def in_order(rule: Rule) -> list[Case]:
    """The cases that name the rule first: one of them turns red in most."""
    return sorted(CASES, key=lambda case: rule.id not in case.rules)


@pytest.mark.parametrize(
    ("rule", "change", "changed"),
    [pytest.param(*mutant, id=f"{mutant[0].id} {mutant[1]}") for mutant in mutants(SOURCES, SCHEMA)],
)
def test_no_rule_can_be_removed_turned_round_or_negated_unnoticed(
    rule: Rule, change: str, changed: Policies
) -> None:
    # By the outcome alone: that the rule is no longer named does not count.
    moved = any(not run_case(changed, CAST, case).right for case in in_order(rule))
    assert moved, f"{rule.id} {change}: no case turns red"


def smaller(node: Any) -> Iterator[Any]:
    """The expression with one part of it left out, or one number moved by one."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("&&", "||"):
                yield value["left"]
                yield value["right"]
            if key == "Value" and isinstance(value, bool):
                yield {**node, key: not value}
            elif key == "Value" and isinstance(value, int):
                yield from ({**node, key: value + step} for step in (-1, 1))
            else:
                yield from ({**node, key: part} for part in smaller(value))
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for place, value in enumerate(node):
            if len(node) > 1:
                yield [*node[:place], *node[place + 1 :]]
            yield from ([*node[:place], part, *node[place + 1 :]] for part in smaller(value))


def fine_changes(rule: Rule) -> Iterator[dict[str, Any]]:
    for part in ("action", "conditions"):
        yield from ({**rule.body, part: less} for less in smaller(rule.body[part]))
    if rule.body["conditions"]:
        yield {**rule.body, "conditions": []}
    if rule.body["principal"]["op"] != "All":
        yield {**rule.body, "principal": {"op": "All"}}
    if rule.effect == "permit" and "approve" not in json.dumps(rule.body["action"]):
        for name in {"stages", "quorum", "needs"} & set(rule.body["annotations"]):
            notes = {key: value for key, value in rule.body["annotations"].items() if key != name}
            yield {**rule.body, "annotations": notes}


def printed(rule: Rule, body: Mapping[str, Any]) -> str:
    bodies = [body if other is rule else other.body for other in SHIPPED_RULES if other.file == rule.file]
    policies = {f"policy{number}": body for number, body in enumerate(bodies)}
    return str(
        cedarpy.policies_from_json_str(
            json.dumps({"templates": {}, "staticPolicies": policies, "templateLinks": []})
        )
    )


SHIPPED_RULES = list(SHIPPED.rules.values())


@pytest.mark.parametrize("rule", SHIPPED_RULES, ids=lambda rule: rule.id)
def test_no_part_of_a_condition_can_go_unnoticed(rule: Rule) -> None:
    unnoticed = []
    for body in fine_changes(rule):
        text = printed(rule, body)
        try:
            changed = Policies({**SOURCES, rule.file: text}, SCHEMA)
        except PolicyError:
            continue  # noticed when it is loaded
        if all(run_case(changed, CAST, case).ok for case in in_order(rule)):
            unnoticed.append(json.dumps(body["conditions"] or body["action"]))
    assert unnoticed == []
