"""What must hold for every connector, whatever system stands behind it.

A new connector brings a ``Connector`` (ports, cast, ways to break it) and one line in conftest.py.
"""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.contract import (
    AccountDisabled,
    AmbiguousName,
    ConnectorError,
    Kind,
    PasswordRefused,
    PermissionRefused,
    Secret,
    Status,
    SystemDown,
    UnknownGroup,
    UnknownPerson,
)
from tests.contracts.world import Connector

GOOD = Secret("Quiet-Harbour-Lantern-42")
_WORD = re.compile(r"[^\W_]+")

# One connector serves all examples of a test: they only read.
reading = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LOOKALIKES = {
    "a": "аａⱥ", "e": "еｅ", "i": "іｉ", "o": "оｏο", "r": "ｒг", "u": "ｕυ", "n": "ｎո", "z": "ｚ",
    ".": "．․", "@": "＠", "k": "\u212a", "s": "ſѕ",
}  # fmt: skip
HOSTILE = [
    "", " ", "%", "_", "*", "ana%", "%ana%", "an_", "' OR 1=1 --", '" OR ""="', "*)(uid=*", "\\2a", "\x00",
    "ana\x00", "ana\n", " ana", "ana ", "\u202eana", "ana\u200b", "a\u00adna", "\ud800", "ana\udfff",
    "a" * 1_000_000, "é" * 1_000_000, "%" * 1_000_000, "ana " * 250_000, "${jndi:ldap://x}",
    "'; DROP TABLE person",
]  # fmt: skip
hostile_text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(),
    st.text(alphabet=st.characters(codec=None)),
    st.text("%_'\"\\*()\x00 ana"),
)


def disguised(text: str) -> st.SearchStrategy[str]:
    """The text, with at least one letter replaced by one that looks like it."""
    places = [place for place, letter in enumerate(text) if letter.lower() in LOOKALIKES]
    return st.lists(st.sampled_from(places), min_size=1, unique=True).flatmap(
        lambda chosen: st.tuples(
            *(
                st.sampled_from(LOOKALIKES[letter.lower()]) if place in chosen else st.just(letter)
                for place, letter in enumerate(text)
            )
        ).map("".join)
    )


# --- Looking people up ------------------------------------------------------------------------


async def test_a_person_is_the_same_by_id_mail_account_and_name(connector: Connector) -> None:
    cast = connector.cast
    person = await connector.directory.person(cast.employee)
    assert (person.id, person.mail, person.account, person.name) == (
        cast.employee, cast.employee_mail, cast.employee_account, cast.employee_name,
    )  # fmt: skip
    assert (person.kind, person.status, person.present) == (Kind.EMPLOYEE, Status.ACTIVE, True)
    assert person.manager_id == cast.chain[0]
    assert not person.privileged
    assert await connector.directory.by_mail(cast.employee_mail) == person
    assert await connector.directory.by_account(cast.employee_account) == person
    assert await connector.directory.by_name(cast.employee_name) == person


async def test_upper_and_lower_case_are_alike_in_mail_account_and_name(connector: Connector) -> None:
    cast = connector.cast
    assert (await connector.directory.by_mail(cast.employee_mail.upper())).id == cast.employee
    assert (await connector.directory.by_account(cast.employee_account.upper())).id == cast.employee
    assert (await connector.directory.by_name(cast.employee_name.upper())).id == cast.employee


async def test_a_first_name_finds_its_only_bearer(connector: Connector) -> None:
    found = await connector.directory.by_name(connector.cast.employee_first_name)
    assert found.id == connector.cast.employee


async def test_an_ambiguous_name_is_an_error_that_carries_the_candidates(connector: Connector) -> None:
    with pytest.raises(AmbiguousName) as caught:
        await connector.directory.by_name(connector.cast.ambiguous_name)
    assert {person.id for person in caught.value.candidates} == connector.cast.ambiguous


async def test_nobody_is_an_error_by_every_way_of_looking(connector: Connector) -> None:
    nobody = connector.cast.nobody
    calls = [
        connector.directory.person(nobody),
        connector.directory.by_mail("nobody@nowhere.example"),
        connector.directory.by_account("nobody-at-all"),
        connector.directory.by_name("Nobody Atall"),
        connector.directory.managers(nobody),
        connector.directory.reports(nobody),
        connector.directory.groups_of(nobody),
        connector.groups.has(connector.cast.group, nobody),
        connector.groups.add(connector.cast.group, nobody, op="op-1"),
        connector.groups.remove(connector.cast.group, nobody, op="op-2"),
        connector.accounts.state(nobody),
        connector.accounts.reset(nobody, GOOD, op="op-3"),
        connector.accounts.unlock(nobody, op="op-4"),
    ]
    for call in calls:
        with pytest.raises(UnknownPerson):
            await call


async def test_half_a_mail_or_account_finds_nobody(connector: Connector) -> None:
    cast = connector.cast
    for typed in (cast.employee_mail[:-1], cast.employee_mail.partition("@")[0] + "@"):
        with pytest.raises(UnknownPerson):
            await connector.directory.by_mail(typed)
    with pytest.raises(UnknownPerson):
        await connector.directory.by_account(cast.employee_account[:-1])


async def test_search_finds_by_the_beginning_of_a_word(connector: Connector) -> None:
    cast = connector.cast
    first, last = cast.employee_name.split()
    for text in (first[:2], last[:3], cast.employee_name, cast.employee_mail, cast.employee_account):
        assert cast.employee in [person.id for person in await connector.directory.search(text)], text
    inside = last[1:]
    assert cast.employee not in [person.id for person in await connector.directory.search(inside)]


async def test_search_returns_no_more_than_asked_for(connector: Connector) -> None:
    assert len(await connector.directory.search(connector.cast.ambiguous_name, limit=1)) == 1
    assert await connector.directory.search(connector.cast.ambiguous_name, limit=0) == []


async def test_an_empty_search_finds_everybody(connector: Connector) -> None:
    everybody = {person.id for person in await connector.directory.search("", limit=100)}
    assert {connector.cast.employee, connector.cast.privileged_by_nesting} <= everybody
    assert await connector.directory.search("   ") == []


async def test_the_directory_says_who_is_what(connector: Connector) -> None:
    cast, person = connector.cast, connector.directory.person
    assert (await person(cast.contractor)).kind is Kind.CONTRACTOR
    assert (await person(cast.on_leave)).status is Status.ON_LEAVE
    assert (await person(cast.on_leave)).present
    assert (await person(cast.disabled)).status is Status.DISABLED
    assert (await person(cast.left)).status is Status.LEFT
    assert not (await person(cast.left)).present


async def test_who_is_in_a_protected_group_at_any_depth_is_privileged_by_every_look_up(
    connector: Connector,
) -> None:
    admin = await connector.directory.person(connector.cast.privileged_by_nesting)
    assert admin.privileged
    assert (await connector.directory.by_mail(admin.mail)).privileged
    assert (await connector.directory.by_name(admin.name)).privileged
    assert all(one.privileged for one in await connector.directory.search(admin.mail))


# --- Hostile text -----------------------------------------------------------------------------


@reading
@given(text=hostile_text)
async def test_hostile_text_finds_nobody_or_exactly_who_was_typed(connector: Connector, text: str) -> None:
    directory = connector.directory
    for look_up, field in ((directory.by_mail, "mail"), (directory.by_account, "account")):
        try:
            person = await look_up(text)
        except UnknownPerson:
            continue
        assert getattr(person, field).lower() == text.lower()
        assert text.isascii()


@reading
@given(text=hostile_text)
async def test_hostile_ids_raise_nothing_but_named_errors(connector: Connector, text: str) -> None:
    directory, groups, accounts = connector.directory, connector.groups, connector.accounts
    for call in (
        directory.person(text), directory.managers(text), directory.reports(text), directory.groups_of(text),
        groups.group(text), groups.members(text), groups.has(text, connector.cast.employee),
        groups.has(connector.cast.group, text), accounts.state(text),
    ):  # fmt: skip
        with pytest.raises((UnknownPerson, UnknownGroup)):
            await call


@reading
@given(text=hostile_text)
async def test_hostile_names_raise_nothing_but_named_errors(connector: Connector, text: str) -> None:
    assert len(await connector.directory.search(text)) <= 10
    try:
        person = await connector.directory.by_name(text)
    except (UnknownPerson, AmbiguousName):
        return
    assert set(_WORD.findall(text.lower())) <= set(_WORD.findall(person.name.lower()))


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
async def test_hostile_text_in_a_write_changes_nothing(connector: Connector, text: str) -> None:
    before = {person.id for person in await connector.groups.members(connector.cast.group)}
    for call in (
        connector.groups.add(connector.cast.group, text, op="op-1"),
        connector.groups.remove(text, connector.cast.employee, op="op-2"),
        connector.accounts.reset(text, GOOD, op="op-3"),
        connector.accounts.unlock(text, op="op-4"),
    ):
        with pytest.raises((UnknownPerson, UnknownGroup)):
            await call
    assert {person.id for person in await connector.groups.members(connector.cast.group)} == before


@reading
@given(data=st.data())
async def test_letters_that_look_alike_find_nobody(connector: Connector, data: st.DataObject) -> None:
    cast = connector.cast
    for look_up, text in (
        (connector.directory.by_mail, cast.employee_mail),
        (connector.directory.by_account, cast.employee_account),
        (connector.directory.by_name, cast.employee_name),
        (connector.directory.by_name, cast.employee_first_name),
    ):
        with pytest.raises(UnknownPerson):
            await look_up(data.draw(disguised(text)))


# --- Managers and reports ---------------------------------------------------------------------


async def test_the_chain_of_managers_goes_up_to_the_top_nearest_first(connector: Connector) -> None:
    chain = await connector.directory.managers(connector.cast.employee)
    assert [person.id for person in chain] == list(connector.cast.chain)
    assert chain[-1].manager_id is None


async def test_the_chain_is_empty_for_who_has_no_manager(connector: Connector) -> None:
    assert await connector.directory.managers(connector.cast.without_manager) == []


async def test_the_chain_ends_before_a_repetition(connector: Connector) -> None:
    one, other = connector.cast.loop
    assert [person.id for person in await connector.directory.managers(one)] == [other]
    assert [person.id for person in await connector.directory.managers(other)] == [one]


async def test_who_is_their_own_manager_has_neither_manager_nor_report_in_themselves(
    connector: Connector,
) -> None:
    own = connector.cast.own_manager
    if own is None:
        return  # the system cannot hold such a mistake
    assert await connector.directory.managers(own) == []
    assert own not in [person.id for person in await connector.directory.reports(own)]


async def test_reports_are_those_whose_manager_one_is(connector: Connector) -> None:
    manager = connector.cast.chain[0]
    reports = await connector.directory.reports(manager)
    assert {connector.cast.employee, connector.cast.report_of_employees_manager} <= {
        one.id for one in reports
    }
    assert all(one.manager_id == manager for one in reports)
    assert await connector.directory.reports(connector.cast.employee) == []


# --- Groups -----------------------------------------------------------------------------------


async def test_a_group_is_found_by_its_id(connector: Connector) -> None:
    group = await connector.groups.group(connector.cast.group)
    assert (group.id, group.name) == (connector.cast.group, connector.cast.group_name)


async def test_an_unknown_group_is_an_error_by_every_call(connector: Connector) -> None:
    no_group, employee = connector.cast.no_group, connector.cast.employee
    for call in (
        connector.groups.group(no_group),
        connector.groups.members(no_group),
        connector.groups.has(no_group, employee),
        connector.groups.add(no_group, employee, op="op-1"),
        connector.groups.remove(no_group, employee, op="op-2"),
    ):
        with pytest.raises(UnknownGroup):
            await call


async def test_membership_counts_through_groups_in_groups(connector: Connector) -> None:
    cast = connector.cast
    assert {cast.outer_group, cast.inner_group} <= await connector.directory.groups_of(cast.employee)
    assert cast.employee in {person.id for person in await connector.groups.members(cast.outer_group)}
    assert cast.employee in {person.id for person in await connector.groups.members(cast.inner_group)}


async def test_has_asks_for_direct_membership_only(connector: Connector) -> None:
    cast = connector.cast
    assert await connector.groups.has(cast.inner_group, cast.employee)
    assert not await connector.groups.has(cast.outer_group, cast.employee)


async def test_groups_that_contain_each_other_do_not_hang(connector: Connector) -> None:
    if connector.cast.looped_groups is None:
        return  # the system cannot hold such a mistake
    one, other = connector.cast.looped_groups
    async with asyncio.timeout(5):
        members = await connector.groups.members(one)
        assert {person.id for person in members} == {p.id for p in await connector.groups.members(other)}
        assert {one, other} <= await connector.directory.groups_of(members[0].id)


async def test_adding_is_seen_at_once_and_says_whether_it_changed_anything(connector: Connector) -> None:
    group, employee = connector.cast.group, connector.cast.employee
    assert not await connector.groups.has(group, employee)
    assert await connector.groups.add(group, employee, op="op-1") is True
    assert await connector.groups.add(group, employee, op="op-1") is False
    assert await connector.groups.has(group, employee)
    assert group in await connector.directory.groups_of(employee)
    assert [person.id for person in await connector.groups.members(group)].count(employee) == 1


async def test_removing_is_seen_at_once_and_says_whether_it_changed_anything(connector: Connector) -> None:
    group, employee = connector.cast.group, connector.cast.employee
    await connector.groups.add(group, employee, op="op-1")
    assert await connector.groups.remove(group, employee, op="op-2") is True
    assert await connector.groups.remove(group, employee, op="op-2") is False
    assert not await connector.groups.has(group, employee)
    assert group not in await connector.directory.groups_of(employee)


async def test_of_many_adding_at_once_exactly_one_made_the_change(connector: Connector) -> None:
    group, employee = connector.cast.group, connector.cast.employee
    changed = await asyncio.gather(
        *(connector.groups.add(group, employee, op=f"op-{number}") for number in range(20))
    )
    assert changed.count(True) == 1


async def test_adding_directly_somebody_who_is_in_through_a_group_is_a_change(connector: Connector) -> None:
    outer, employee = connector.cast.outer_group, connector.cast.employee
    assert await connector.groups.add(outer, employee, op="op-1") is True
    assert await connector.groups.remove(outer, employee, op="op-2") is True
    assert outer in await connector.directory.groups_of(employee)


# --- Accounts ---------------------------------------------------------------------------------


async def test_an_ordinary_account_is_open(connector: Connector) -> None:
    state = await connector.accounts.state(connector.cast.employee)
    assert not state.locked
    assert not state.disabled
    assert state.password_set_at is not None
    assert state.password_set_at.tzinfo is not None


async def test_after_a_reset_the_new_password_opens_and_must_be_changed(connector: Connector) -> None:
    cast = connector.cast
    before = (await connector.accounts.state(cast.employee)).password_set_at
    await connector.accounts.reset(cast.employee, GOOD, op="op-1")
    after = await connector.accounts.state(cast.employee)
    assert connector.can_log_in(cast.employee_account, GOOD.value)
    assert after.must_change
    assert before is not None
    assert after.password_set_at is not None
    assert after.password_set_at > before


async def test_a_reset_unlocks(connector: Connector, locked: str) -> None:
    await connector.accounts.reset(locked, GOOD, op="op-1")
    assert not (await connector.accounts.state(locked)).locked


async def test_the_same_reset_can_be_applied_again_after_a_crash(connector: Connector) -> None:
    cast = connector.cast
    await connector.accounts.reset(cast.employee, GOOD, op="op-1")
    first = (await connector.accounts.state(cast.employee)).password_set_at
    await connector.accounts.reset(cast.employee, GOOD, op="op-1")
    second = (await connector.accounts.state(cast.employee)).password_set_at
    assert connector.can_log_in(cast.employee_account, GOOD.value)
    assert first is not None
    assert second is not None
    assert second > first


async def test_a_weak_password_is_refused_and_changes_nothing(connector: Connector) -> None:
    before = await connector.accounts.state(connector.cast.employee)
    for weak in ("", "short"):
        with pytest.raises(PasswordRefused) as caught:
            await connector.accounts.reset(connector.cast.employee, Secret(weak), op="op-1")
        assert not weak or weak not in str(caught.value)
    assert await connector.accounts.state(connector.cast.employee) == before


async def test_unlocking_is_seen_at_once_and_says_whether_it_changed_anything(
    connector: Connector, locked: str
) -> None:
    before = await connector.accounts.state(locked)
    assert before.locked
    assert await connector.accounts.unlock(locked, op="op-1") is True
    assert await connector.accounts.unlock(locked, op="op-1") is False
    after = await connector.accounts.state(locked)
    assert not after.locked
    assert after.password_set_at == before.password_set_at  # the password is the old one


@pytest.mark.parametrize("part", ["disabled", "left"])
async def test_a_disabled_account_is_neither_reset_nor_unlocked(connector: Connector, part: str) -> None:
    person = getattr(connector.cast, part)
    before = await connector.accounts.state(person)
    assert before.disabled
    with pytest.raises(AccountDisabled):
        await connector.accounts.reset(person, GOOD, op="op-1")
    with pytest.raises(AccountDisabled):
        await connector.accounts.unlock(person, op="op-2")
    assert await connector.accounts.state(person) == before


async def test_a_privileged_account_is_refused_to_us(connector: Connector) -> None:
    admin = connector.cast.privileged_by_nesting
    before = await connector.accounts.state(admin)
    with pytest.raises(PermissionRefused):
        await connector.accounts.reset(admin, GOOD, op="op-1")
    assert await connector.accounts.state(admin) == before


# --- Bad days ---------------------------------------------------------------------------------


async def test_the_check_says_in_one_line_what_answers(connector: Connector) -> None:
    line = await connector.check.check()
    assert line
    assert "\n" not in line


async def test_a_system_that_is_down_is_a_named_error_by_every_call(connector: Connector) -> None:
    cast = connector.cast
    with connector.down():
        for call in (
            connector.directory.person(cast.employee),
            connector.directory.by_mail(cast.employee_mail),
            connector.directory.by_name(cast.employee_name),
            connector.directory.search(cast.employee_first_name),
            connector.directory.managers(cast.employee),
            connector.directory.groups_of(cast.employee),
            connector.groups.members(cast.group),
            connector.groups.has(cast.group, cast.employee),
            connector.groups.add(cast.group, cast.employee, op="op-1"),
            connector.groups.remove(cast.inner_group, cast.employee, op="op-2"),
            connector.accounts.state(cast.employee),
            connector.accounts.reset(cast.employee, GOOD, op="op-3"),
            connector.accounts.unlock(cast.locked or cast.employee, op="op-4"),
            connector.check.check(),
        ):
            with pytest.raises(SystemDown):
                await call
    assert not await connector.groups.has(cast.group, cast.employee)
    assert await connector.groups.has(cast.inner_group, cast.employee)
    if cast.locked:
        assert (await connector.accounts.state(cast.locked)).locked


async def test_a_system_that_refuses_us_is_a_named_error_and_changes_nothing(connector: Connector) -> None:
    cast = connector.cast
    somebody = cast.locked or cast.employee
    before = await connector.accounts.state(somebody)
    with connector.refusing():
        calls = [
            connector.groups.add(cast.group, cast.employee, op="op-1"),
            connector.groups.remove(cast.inner_group, cast.employee, op="op-2"),
            connector.accounts.reset(somebody, GOOD, op="op-3"),
        ]
        if cast.locked:
            calls.append(connector.accounts.unlock(cast.locked, op="op-4"))
        for call in calls:
            with pytest.raises(PermissionRefused) as caught:
                await call
            assert isinstance(caught.value, ConnectorError)
    assert not await connector.groups.has(cast.group, cast.employee)
    assert await connector.groups.has(cast.inner_group, cast.employee)
    assert await connector.accounts.state(somebody) == before


async def test_after_a_bad_day_the_system_works_again(connector: Connector) -> None:
    group, employee = connector.cast.group, connector.cast.employee
    for trouble in (connector.down, connector.refusing):
        with trouble(), pytest.raises(ConnectorError):
            await connector.groups.add(group, employee, op="op-1")
    assert await connector.groups.add(group, employee, op="op-2") is True
