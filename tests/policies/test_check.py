from __future__ import annotations

import re
import shutil
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from policies.check import CaseError, check, explain, load_cases, run_cases, survivors
from policies.decide import Ask, Policies
from tests.policies.company import ACTIONS, ANA, FOLDER, MIA, NOON, SHIPPED, WIKI, payroll, person


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the rules that ship, to break."""
    return Path(
        shutil.copytree(FOLDER, tmp_path / "policies", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    )


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def found(folder: Path, actions: tuple[str, ...] = ACTIONS) -> str:
    return "\n".join(map(str, check(folder, actions)))


def test_the_rules_that_ship_have_no_problem() -> None:
    assert check(FOLDER, ACTIONS) == []


def test_the_three_groups_of_the_desk_exist_in_the_company_that_ships() -> None:
    groups = (FOLDER.parent / "integrations/company/seed/groups.yaml").read_text()
    for id in ("helpdesk-admins", "helpdesk-approvers", "protected"):
        assert f"id: {id}," in groups


def test_every_fault_of_the_texts_is_named_at_once(folder: Path) -> None:
    (folder / "extra.cedar").write_text(
        "permit (principal, action, resource);\n"
        '@id("access.low") @why("x") permit (principal, action, resource) when { context.ammount > 3 };\n'
    )
    problems = found(folder)
    for expected in ("has no @id", "has no @why", "the same @id stands in access.cedar", "ammount"):
        assert expected in problems


def test_a_rule_without_a_case_is_refused(folder: Path) -> None:
    (folder / "extra.cedar").write_text(
        '@id("extra.sundays") @why("Not on Sundays.") forbid (principal, action, resource)\n'
        'when { action == Action::"request:reset_password" && context has weekday && context.weekday == 7 };'
    )
    assert "extra.cedar, policy extra.sundays: no case shows it at work" in found(folder)


def test_a_case_that_comes_out_otherwise_is_a_problem(folder: Path) -> None:
    edit(folder / "access.cedar", "resource.days <= 30", "resource.days <= 31")
    assert "deny/access.yaml: a contractor for 31 days: expected deny, got allow" in found(folder)


def test_an_action_the_rules_do_not_know_is_refused(folder: Path) -> None:
    assert "action order_pizza: nobody can ever ask for it" in found(folder, (*ACTIONS, "order_pizza"))


def test_an_action_is_declined_by_a_forbid_without_conditions_only(folder: Path) -> None:
    edit(
        folder / "credentials.cedar",
        'action in Action::"reset_mfa", resource);',
        'action in Action::"reset_mfa", resource) when { !resource.subject.privileged };',
    )
    assert "action reset_mfa: nobody can ever ask for it" in found(folder)


def test_a_stage_at_which_nobody_could_approve_is_refused(folder: Path) -> None:
    edit(folder / "access.cedar", '@stages("manager,owner")', '@stages("manager,owner,budget")')
    assert (
        "policy access.critical: no case in cases/approve shows anybody approving it at the stage budget"
        in (found(folder))
    )


def test_an_action_that_lost_the_approvers_of_a_stage_is_refused(folder: Path) -> None:
    edit(folder / "approvals.cedar", "resource.subject.managers.contains(principal)", "false")
    problems = found(folder)
    assert "policy access.critical: no case in cases/approve" in problems
    assert "policy credentials.reset-own" not in problems  # somebody can still stand in


def test_a_need_that_no_rule_insists_on_is_refused(folder: Path) -> None:
    edit(folder / "access.cedar", '@stages("manager")\n', '@stages("manager")\n@needs("spoke")\n')
    assert "policy access.medium: needs 'spoke', yet it can be approved at manager without that" in found(
        folder
    )


def test_a_request_that_leads_nowhere_is_refused(folder: Path) -> None:
    edit(folder / "access.cedar", '@stages("manager")\n', "")
    assert "policy access.medium: has no @stages and does not let it proceed" in found(folder)


def test_a_permit_to_approve_says_which_stages_it_serves(folder: Path) -> None:
    edit(folder / "approvals.cedar", '@stages("owner")\n', "")
    assert "policy approvals.owner: permits approvals and has no @stages" in found(folder)


def test_faults_of_the_catalogue_are_named(folder: Path) -> None:
    catalogue = folder / "catalogue.yaml"
    catalogue.write_text("resources: [{key: figma}]")
    assert "catalogue.yaml" in found(folder)
    entry = (
        "name: X, lets: x, system: company, group: same, owner: o@x.example, sensitivity: low, max_days: 3"
    )
    catalogue.write_text(f"resources: [{{key: a, {entry}}}, {{key: b, {entry}}}]")
    assert "a and b grant the same group" in found(folder)
    catalogue.unlink()
    assert "catalogue.yaml" in found(folder)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("{name: x, who: nobody, action: my_requests, rules: [x]}", "'nobody' is not in cast.yaml"),
        ("{name: x, who: ana, action: grant_access, resource: gold, rules: [x]}", "'gold' is not in"),
        ("{name: x, who: ana, rules: [x]}", "an action or a command"),
        ("{name: x, who: ana, action: my_requests, rules: []}", "rules"),
        ("{name: x, who: ana, action: my_requests, rule: [x]}", "rule"),
        (
            "{name: x, who: ana, action: my_requests, approver: mia, rules: [x]}",
            "belong to cases in approve/",
        ),
        ("nonsense", "extra.yaml"),
    ],
)
def test_a_case_that_says_nothing_is_refused_by_name(folder: Path, case: str, message: str) -> None:
    (folder / "cases/deny/extra.yaml").write_text(f"- {case}\n")
    with pytest.raises(CaseError, match=r"extra\.yaml") as refused:
        load_cases(folder / "cases")
    assert message in str(refused.value)
    assert message in found(folder)


def test_a_red_case_says_what_was_expected_and_what_came(folder: Path) -> None:
    edit(folder / "access.cedar", '@quorum("2")', '@quorum("1")')
    red = [result for result in run_cases(Policies.load(folder), folder / "cases") if not result.ok]
    assert {result.case.file for result in red} == {"allow/access.yaml"}
    assert "quorum: expected 2, got 1" in str(red[0])
    assert str(red[0]).startswith("RED allow/access.yaml: critical access")


def test_a_rule_whose_loss_no_case_notices_is_named(folder: Path) -> None:
    edit(
        folder / "admin.cedar",
        "// The commands",
        '@id("admin.twice") @why("x") permit (principal in Group::"helpdesk-admins", '
        'action == Action::"administer", resource);\n// The commands',
    )
    assert "admin.twice removed" in survivors(folder)


CANDIDATES = [
    ("Ana Ruiz", ANA),
    ("Mia Chen", MIA),
    ("Otto Berg", person("otto", "vera")),
    ("Sue Park", person("sue", "vera", groups=frozenset({"helpdesk-approvers"}))),
]


def explained(ask: Ask) -> list[str]:
    return [f"{line.topic}: {line.text}" for line in explain(SHIPPED, ask, CANDIDATES, now=NOON)]


def test_an_explanation_names_the_rules_the_reason_and_who_could_approve() -> None:
    lines = explained(payroll(ANA))
    assert lines[:3] == [
        "request: allow",
        "rule: access.critical (access.cedar)",
        "why: Critical access is granted when your manager and then the owner of the resource approve.",
    ]
    assert "manager: Mia Chen" in lines
    assert "owner: Otto Berg" in lines
    assert "quorum: 2 different people" in lines


def test_an_explanation_says_where_somebody_stands_in_and_where_nobody_can() -> None:
    assert "manager: Sue Park, standing in because nobody else is eligible" in explained(
        payroll(replace(ANA, managers=()))
    )
    alone = explain(SHIPPED, payroll(replace(ANA, managers=())), CANDIDATES[:1], now=NOON)
    assert ("manager", "nobody: this would be refused") in [(line.topic, line.text) for line in alone]


def test_an_explanation_of_a_refusal_ends_with_the_reason() -> None:
    lines = explained(payroll(replace(ANA, kind="contractor")))
    assert lines[0] == "request: deny"
    assert "rule: access.contractors-not-critical (access.cedar)" in lines
    assert not any(line.startswith("manager") for line in lines)


def test_an_explanation_of_what_proceeds_and_of_what_needs_a_talk() -> None:
    assert "proceed: without approval" in explained(Ask("grant_access", ANA, ANA, WIKI, 60))
    assert "needs: the approver attests: spoke" in explained(Ask("reset_password", ANA, ANA))


def test_an_explanation_shows_facts_that_do_not_fit() -> None:
    assert any(line.startswith("error: ") for line in explained(payroll(replace(ANA, kind="intern"))))


def test_the_example_in_the_manual_works_as_it_stands(folder: Path) -> None:
    manual = (FOLDER.parent / "docs/policies.md").read_text()
    rule, case = (
        textwrap.dedent(block)
        for block in re.findall(r"^   ```(?:cedar|yaml)\n(.*?)^   ```", manual, re.DOTALL | re.MULTILINE)
    )
    for file, text in (("access.cedar", rule), ("cases/deny/access.yaml", case)):
        (folder / file).write_text((folder / file).read_text() + "\n" + text)
    assert check(folder, ACTIONS) == []
    assert survivors(folder) == []
