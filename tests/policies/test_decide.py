from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.decide import DEFAULT_DENY, FACTS_REFUSED, SCHEMA, Ask, Policies, PolicyError, read
from tests.policies.company import ANA, FOLDER, MIA, NOON, PAYROLL, SHIPPED, WIKI, payroll, person

SOURCES, SCHEMA_TEXT = read(FOLDER)


def with_rules(text: str) -> Policies:
    return Policies({**SOURCES, "zz.cedar": text}, SCHEMA_TEXT)


def test_an_allowed_request_says_who_approves_and_by_which_rule() -> None:
    decision = SHIPPED.may_request(payroll(ANA), now=NOON)
    assert decision.allowed
    assert decision.policies == ("access.critical",)
    assert decision.stages == ("manager", "owner")
    assert decision.quorum == 2
    assert decision.version == SHIPPED.version


def test_where_nothing_permits_the_person_reads_what_the_permits_ask_for() -> None:
    decision = SHIPPED.may_request(Ask("unlock_for_report", ANA, ANA), now=NOON)
    assert decision.policies == (DEFAULT_DENY,)
    assert decision.why == ("Managers can unlock the accounts of the people who report to them directly.",)


def test_a_denied_approver_reads_only_what_this_stage_asks_for() -> None:
    decision = SHIPPED.may_approve(
        payroll(ANA), MIA, stage="owner", fallback=False, attested=frozenset(), now=NOON
    )
    assert "The owner of the resource can approve." in decision.why
    assert "The managers of the person it is about can approve." not in decision.why


def test_an_approver_reads_a_refusal_in_words_meant_for_approvers() -> None:
    paused = replace(ANA, frozen=True)
    asked = SHIPPED.may_request(payroll(paused), now=NOON)
    pressed = SHIPPED.may_approve(
        payroll(paused), MIA, stage="manager", fallback=False, attested=frozenset(), now=NOON
    )
    assert asked.why[0].startswith("Your requests are paused")
    assert pressed.why == ("Requests of this person are paused until the help desk has spoken to them.",)


def test_several_permits_unite_their_stages_in_one_order_and_take_the_largest_quorum() -> None:
    policies = with_rules(
        '@id("x.budget") @why("x") @stages("budget,manager") @quorum("3") @needs("spoke") '
        'permit (principal, action == Action::"request:grant_access", resource);'
    )
    decision = policies.may_request(payroll(ANA), now=NOON)
    assert decision.policies == ("access.critical", "x.budget")
    assert decision.stages == ("manager", "owner", "budget")
    assert decision.quorum == 3
    assert decision.needs == ("spoke", "verified")


def test_a_refused_request_names_no_stages() -> None:
    decision = SHIPPED.may_request(payroll(replace(ANA, status="left")), now=NOON)
    assert (decision.allowed, decision.stages, decision.quorum, decision.needs) == (False, (), 0, ())


def test_a_rule_that_fails_refuses_even_where_cedar_itself_would_allow() -> None:
    # The sum overflows: Cedar skips the forbid and answers Allow.
    policies = with_rules(
        '@id("x.fails") @why("x") forbid (principal, action in Action::"request", resource) '
        "when { resource has amountCents && resource.amountCents + 9223372036854775807 < 0 };"
    )
    ask = replace(payroll(ANA), amount_cents=1)
    assert policies.may_request(payroll(ANA), now=NOON).allowed
    decision = policies.may_request(ask, now=NOON)
    assert not decision.allowed
    assert decision.policies == (FACTS_REFUSED,)
    assert decision.errors


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(payroll(replace(ANA, kind="intern")), id="a kind that is not known"),
        pytest.param(payroll(replace(ANA, status="")), id="no status"),
        pytest.param(payroll(replace(ANA, id="")), id="no id"),
        pytest.param(payroll(ANA, minutes=2**80), id="a number that does not fit"),
        pytest.param(Ask("drop_tables", ANA, ANA), id="an action that is not known"),
        pytest.param(Ask('x"', ANA, ANA), id="an action that breaks out of its quotes"),
        pytest.param(Ask("request", ANA, ANA), id="a family of actions"),
        pytest.param(
            Ask("grant_access", ANA, replace(ANA, groups=frozenset({"protected"})), WIKI, 60),
            id="two tales of one person",
        ),
        pytest.param(
            Ask("grant_access", ANA, ANA, replace(WIKI, sensitivity="none"), 60), id="no known sensitivity"
        ),
    ],
)
def test_facts_that_do_not_fit_refuse_and_say_so_in_the_log_alone(ask: Ask) -> None:
    for decision in (
        SHIPPED.may_request(ask, now=NOON),
        SHIPPED.may_proceed(ask, now=NOON),
        SHIPPED.may_approve(ask, MIA, stage="manager", fallback=False, attested=frozenset(), now=NOON),
    ):
        assert not decision.allowed
        assert decision.policies == (FACTS_REFUSED,)
        assert decision.errors
        assert not any(error in why for error in decision.errors for why in decision.why)


@pytest.mark.parametrize(("stage", "attested"), [("boss", set()), ("", set()), ("manager", {"swore"})])
def test_an_approval_of_no_known_kind_is_refused(stage: str, attested: set[str]) -> None:
    decision = SHIPPED.may_approve(
        payroll(ANA), MIA, stage=stage, fallback=False, attested=frozenset(attested), now=NOON
    )
    assert decision.policies == (FACTS_REFUSED,)


def test_ids_are_data_whatever_stands_in_them() -> None:
    odd = 'a"] }, permit(principal,action,resource);\n\u202e\x00'
    ask = payroll(person(odd, 'm"\n'))
    assert SHIPPED.may_request(ask, now=NOON).allowed
    boss = person('m"\n')
    assert SHIPPED.may_approve(
        ask, boss, stage="manager", fallback=False, attested=frozenset(), now=NOON
    ).allowed


def test_a_group_that_no_rule_names_changes_nothing_and_is_not_looked_at() -> None:
    many = replace(ANA, groups=frozenset(f"group-{n}" for n in range(5000)))
    assert SHIPPED.may_request(payroll(many), now=NOON).allowed


def test_rules_may_look_at_the_hour_and_the_weekday_in_utc() -> None:
    policies = with_rules(
        '@id("x.nights") @why("x") forbid (principal, action == Action::"request:grant_access", resource) '
        "when { context.hour >= 20 || context.weekday > 5 };"
    )
    wednesday, night, sunday = (
        datetime(2026, 1, d, h, tzinfo=UTC) for d, h in ((14, 12), (14, 20), (18, 12))
    )
    answers = [policies.may_request(payroll(ANA), now=at).allowed for at in (wednesday, night, sunday)]
    assert answers == [True, False, False]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        SHIPPED.may_request(payroll(ANA), now=datetime(2026, 1, 14))  # noqa: DTZ001 - the point of the test


def test_the_version_moves_with_any_letter_of_the_rules_or_the_schema() -> None:
    assert Policies(dict(reversed(SOURCES.items())), SCHEMA_TEXT).version == SHIPPED.version
    assert Policies(SOURCES, SCHEMA_TEXT + "\n").version != SHIPPED.version
    assert with_rules("// nothing").version != SHIPPED.version
    moved = {**SOURCES, "admin.cedar": SOURCES["admin.cedar"].replace("cannot use", "may not use")}
    assert Policies(moved, SCHEMA_TEXT).version != SHIPPED.version


PERMIT = "permit (principal, action, resource)"


@pytest.mark.parametrize(
    ("text", "policy", "message"),
    [
        (f'@why("x") {PERMIT};', "policy0", "no @id"),
        (f'@id("x") {PERMIT};', "x", "no @why"),
        (f'@id("x") @why(" ") {PERMIT};', "x", "no @why"),
        (f'@id("access.low") @why("x") {PERMIT};', "access.low", "the same @id stands in access.cedar"),
        (f'@id("default-deny") @why("x") {PERMIT};', "default-deny", "marker"),
        (f'@id("x") @why("x") @stages("manger") {PERMIT};', "x", "'manger'"),
        (f'@id("x") @why("x") @quorum("two") {PERMIT};', "x", "@quorum"),
        (f'@id("x") @why("x") @quorum("0") {PERMIT};', "x", "@quorum"),
        (f'@id("x") @why("x") @stage("manager") {PERMIT};', "x", "@stage is not known"),
        (f'@id("x") @why("x") {PERMIT} when {{ principal.kindd == Kind::"service" }};', "x", "kindd"),
        (f'@id("x") @why("x") {PERMIT} when {{ principal.kind == Kind::"servant" }};', "x", "servant"),
        ('@id("x") @why("x") permit (principal in Group::"helpdesk", action, resource);', "x", "helpdesk"),
        ('@id("x") @why("x") permit (principal, action == Action::"reqest", resource);', "x", "reqest"),
        ('@id("x") @why("x") permit (principal == ?principal, action, resource);', "", "templates"),
        ("permit (principal", "", "unexpected"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_file_and_its_name(text: str, policy: str, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        with_rules(text)
    assert refused.value.file == "zz.cedar"
    assert refused.value.policy == policy
    assert message in str(refused.value)


def test_a_faulty_schema_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=SCHEMA):
        Policies(SOURCES, "entity {")
    with pytest.raises(PolicyError, match=str(tmp_path)):
        Policies.load(tmp_path)
    (tmp_path / SCHEMA).write_text(SCHEMA_TEXT)
    with pytest.raises(PolicyError, match="nothing would ever be allowed"):
        Policies.load(tmp_path)


def test_the_longest_duration_is_counted_in_begun_days() -> None:
    day = 24 * 60
    answers = [
        SHIPPED.may_request(payroll(ANA, m), now=NOON).allowed for m in (14 * day, 14 * day + 1, 0, -1)
    ]
    assert answers == [True, False, False, False]


def test_an_owner_is_known_by_id_alone() -> None:
    ask = Ask("grant_access", ANA, ANA, replace(PAYROLL, owner="nobody"), 60)
    otto = person("otto", "vera")
    assert not SHIPPED.may_approve(
        ask, otto, stage="owner", fallback=False, attested=frozenset(), now=NOON
    ).allowed


def test_people_are_asked_for_an_exception_only_where_no_rule_keeps_somebody_safe() -> None:
    assert SHIPPED.excusable((DEFAULT_DENY,)), "nothing forbids it"
    assert SHIPPED.excusable(("access.within-the-limit", "access.contractors-not-critical"))
    assert not SHIPPED.excusable(("access.within-the-limit", "people.frozen-nothing")), "one is enough"
    assert not SHIPPED.excusable((FACTS_REFUSED,))
    assert not SHIPPED.excusable(("a rule that is not there any more",))
    assert not SHIPPED.excusable(())
    safety = ("people.", "credentials.", "own-data.", "approvals.", "admin.")
    assert not [id_ for id_, rule in SHIPPED.rules.items() if rule.exceptions and id_.startswith(safety)]


def test_an_exception_that_nobody_could_be_asked_for_is_a_wrong_rule() -> None:
    with pytest.raises(PolicyError, match="@exceptions names 'everybody'; there are people"):
        with_rules('@id("x") @why("No.") @exceptions("everybody") forbid (principal, action, resource);')
