"""What no combination of people, resource and approver may ever bring about."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decide import Ask, Decision, What, Who
from tests.policies.company import ACTIONS, NOON, SHIPPED

# Hypothesis leans to what stands first: requesters are drawn from the front, those above them from the back.
IDS = ("a", "b", "c", "d")
ABOVE = ("d", "c", "b", "a")
GROUPS = ("helpdesk-admins", "helpdesk-approvers", "protected", "book-club")
CHANGES = {"reset_password", "unlock_account", "unlock_for_report", "grant_access"}

# Most people are as people mostly are; with nothing but oddities, hardly anything would ever be allowed.
plain = st.builds(
    Who,
    id=st.just(""),
    kind=st.just("employee"),
    status=st.just("active"),
    privileged=st.just(False),
    managers=st.lists(st.sampled_from(ABOVE), unique=True, max_size=3).map(tuple),
    department=st.just(""),
    groups=st.sampled_from((frozenset(), frozenset({"helpdesk-approvers"}), frozenset({"helpdesk-admins"}))),
    frozen=st.just(False),
)
odd = st.builds(
    Who,
    id=st.just(""),
    kind=st.sampled_from(("employee", "contractor", "service")),
    status=st.sampled_from(("active", "on_leave", "disabled", "left")),
    privileged=st.booleans(),
    managers=st.lists(st.sampled_from(ABOVE), unique=True, max_size=3).map(tuple),
    department=st.text(max_size=3),
    groups=st.frozensets(st.sampled_from(GROUPS), max_size=3),
    frozen=st.booleans(),
)
people = st.one_of(plain, plain, plain, odd)


@dataclass(frozen=True)
class Press:
    stage: str
    fallback: bool
    spoke: bool


Situation = tuple[Ask, Who, Press]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Four people in any relation to each other, loops and self-managers included."""
    cast = {}
    for id in IDS:
        who = draw(people)
        cast[id] = Who(
            id, who.kind, who.status, who.privileged, who.managers, who.department, who.groups, who.frozen
        )
    requester, approver = cast[draw(st.sampled_from(IDS))], cast[draw(st.sampled_from(ABOVE))]
    subject = draw(st.sampled_from((requester, requester, requester, *cast.values())))
    what = st.builds(
        What,
        key=st.just("x"),
        sensitivity=st.sampled_from(("low", "medium", "critical")),
        owner=st.sampled_from(ABOVE),
        max_days=st.integers(1, 366),
    )
    resource = draw(st.one_of(what, what, st.none()))
    minutes = draw(st.one_of(st.integers(1, 30 * 24 * 60), st.none(), st.integers(-5, 400 * 24 * 60)))
    ask = Ask(
        draw(st.sampled_from(("grant_access", "reset_password", *ACTIONS))),
        requester,
        subject,
        resource,
        minutes,
    )
    stage = draw(st.sampled_from(("manager", "owner", "budget")))
    press = Press(stage, draw(st.booleans()), spoke=draw(st.sampled_from((True, False))))
    return ask, approver, press


def decided(situation: Situation) -> tuple[Decision, Decision, Decision]:
    ask, approver, press = situation
    return (
        SHIPPED.may_request(ask, now=NOON),
        SHIPPED.may_proceed(ask, now=NOON),
        SHIPPED.may_approve(
            ask,
            approver,
            stage=press.stage,
            fallback=press.fallback,
            attested=frozenset({"spoke"} if press.spoke else ()),
            now=NOON,
        ),
    )


def out(who: Who) -> bool:
    return who.status in ("left", "disabled") or who.kind == "service" or who.frozen


def protected(who: Who) -> bool:
    return who.privileged or "protected" in who.groups


@settings(max_examples=250)
@given(situations())
def test_an_answer_names_the_rules_that_made_it(situation: Situation) -> None:
    for decision in decided(situation):
        assert decision.policies
        assert decision.why
        assert not decision.errors
        if decision.allowed:
            assert all(SHIPPED.rules[id].effect == "permit" for id in decision.policies)


@settings(max_examples=250)
@given(situations())
def test_nothing_for_leavers_service_accounts_and_the_frozen_whoever_approves(situation: Situation) -> None:
    ask = situation[0]
    if out(ask.requester) or out(ask.subject):
        assert not any(decision.allowed for decision in decided(situation))


@settings(max_examples=250)
@given(situations())
def test_protected_accounts_and_second_factors_are_out_of_reach_whoever_approves(
    situation: Situation,
) -> None:
    ask = situation[0]
    if ask.action == "reset_mfa" or (
        ask.action in CHANGES and (protected(ask.requester) or protected(ask.subject))
    ):
        assert not any(decision.allowed for decision in decided(situation))


@settings(max_examples=250)
@given(situations())
def test_somebody_else_is_reached_only_by_their_direct_manager(situation: Situation) -> None:
    ask, request = situation[0], decided(situation)[0]
    if ask.subject.id != ask.requester.id and request.allowed:
        assert ask.action in ("pto_balance", "unlock_for_report")
        assert ask.subject.managers[0] == ask.requester.id


@settings(max_examples=250)
@given(situations())
def test_what_is_asked_leads_somewhere_and_what_proceeds_was_asked(situation: Situation) -> None:
    request, proceed, _ = decided(situation)
    if request.allowed:
        assert proceed.allowed == (not request.stages)
    else:
        assert not proceed.allowed


@settings(max_examples=250)
@given(situations())
def test_a_grant_ends_in_time(situation: Situation) -> None:
    ask, request = situation[0], decided(situation)[0]
    if ask.action == "grant_access" and request.allowed:
        assert ask.resource is not None
        assert ask.minutes is not None
        longest = ask.resource.max_days
        if ask.subject.kind == "contractor":
            longest = min(longest, 30)
        assert 0 < ask.minutes <= longest * 24 * 60


@settings(max_examples=500)
@given(situations())
def test_nobody_approves_their_own_nor_those_above_them(situation: Situation) -> None:
    ask, approver, press = situation
    if not decided(situation)[2].allowed:
        return
    concerned = {ask.requester.id, ask.subject.id}
    assert approver.id not in concerned
    assert not concerned & set(approver.managers[:1])
    assert (approver.kind, approver.status, approver.frozen) == ("employee", "active", False)
    assert ask.action != "reset_password" or press.spoke
    if not (press.fallback and "helpdesk-approvers" in approver.groups):
        owns = ask.resource is not None and ask.resource.owner == approver.id
        assert approver.id in ask.subject.managers if press.stage == "manager" else owns
        assert not concerned & set(approver.managers)


@given(people, st.sampled_from(("audit", "freeze", "unfreeze", "resolve", "pending", "", "ünknown")))
def test_admin_commands_are_for_active_employees_of_the_admins_group(who: Who, what: str) -> None:
    somebody = Who("a", who.kind, who.status, who.privileged, who.managers, "", who.groups, who.frozen)
    decision = SHIPPED.may_administer(somebody, what)
    able = (who.kind, who.status, who.frozen) == ("employee", "active", False)
    assert decision.allowed == (able and "helpdesk-admins" in who.groups)
