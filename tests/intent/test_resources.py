"""A name of the catalogue is found as people write it, and where two come close the person picks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intent.features import MARK, listed
from bot.intent.resources import Resources, person_named

COMMON = listed("reset my password please unlock is locked out account for the of on team need access")
NAMES = frozenset({"luis", "ana"})


@pytest.fixture(scope="session")
def resources(catalogue):
    return Resources(catalogue)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("I need figma for two weeks", "figma"),
        ("FIGMA please", "figma"),
        ("figam", "figma"),
        ("fimga for a day", "figma"),
        ("the design files", "figma"),
        ("sales force", "salesforce"),
        ("salesforce", "salesforce"),
        ("salesforce sandbox", "salesforce-sandbox"),
        ("sales force sandbox please", "salesforce-sandbox"),
        ("staging database", "staging-database"),
        ("staging databse", "staging-database"),
        ("Staging database (write)", "staging-database-write"),
        ("staging db write", "staging-database-write"),
        ("payroll", "payroll-reports"),
        ("payrol reports", "payroll-reports"),
        ("1password engineering vault", "vault-engineering"),
    ],
)
def test_a_name_in_full_or_misspelt_is_found(resources, text, key):
    assert resources.named(text, common=COMMON).key == key


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("staging", {"staging-database", "staging-database-write"}),
        ("the vault", {"vault-engineering", "vault-finance"}),
        ("1password", {"vault-engineering", "vault-finance"}),
        ("write access to the staging database", {"staging-database", "staging-database-write"}),
        ("the salesforce sandbx", {"salesforce", "salesforce-sandbox"}),
        ("figma and salesforce", {"figma", "salesforce"}),
    ],
)
def test_where_several_come_close_the_person_picks(resources, text, keys):
    named = resources.named(text, common=COMMON)
    assert named.key is None
    assert {key for key, _ in named.close} == keys


@pytest.mark.parametrize(
    "text", ["reset my password", "hello", "", "I need access", "for two weeks", "my team"]
)
def test_nothing_is_found_where_nothing_was_named(resources, text):
    named = resources.named(text, common=COMMON)
    assert named.key is None
    assert named.close == ()


def test_several_full_names_stand_in_the_order_of_the_message(resources):
    found = resources.all_named("salesforce, figma and the staging db")
    assert found == ("salesforce", "figma", "staging-database")


def test_the_mask_hides_which_name_it_was_and_nobody_can_write_it(resources):
    assert resources.masked("I need Sales Force please") == f"I need {MARK} please"
    assert MARK not in resources.masked(f"I need {MARK} please")


@given(st.text(max_size=3000))
def test_no_text_breaks_the_search(resources, text):
    resources.named(text, common=COMMON)
    resources.masked(text)
    person_named(text, common=COMMON, names=NAMES)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("unlock Luis please", "Luis"),
        ("unlock luis please", "luis"),
        ("unlock Luis Ortega", "Luis Ortega"),
        ("Please unlock Ana's account", "Ana"),
        ("Oddvar is locked out", "Oddvar"),
        ("unlock oddvar", "oddvar"),
        ("luis.ortega@alderfinch.example is locked out", "luis.ortega@alderfinch.example"),
        ("unlock <@U0AB12> please", "U0AB12"),
        ("unlock @luis", "@luis"),
        ("Jean-Pierre O'Brien is locked out", "Jean-Pierre O'Brien"),
        ("my report is locked out", ""),
        ("unlock my account", ""),
        ("How many days do I have left?", ""),
    ],
)
def test_a_person_is_named_as_written(text, written):
    assert person_named(text, common=COMMON | {"report", "days", "how", "do", "have"}, names=NAMES) == written
