"""Which messages correct what was asked for just now, and what they say instead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.intent import corrections
from bot.intent.corrections import Correction, read
from bot.intent.understand import SlotGuess, Understander
from bot.procedures.action import Slot, SlotKind

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday
ZONE = "Europe/Madrid"

# What a correction says, and what it says it instead of.
SAYS = [
    ("no, until Monday", "until Monday", ""),
    ("No until Monday", "until Monday", ""),
    ("nope, for two weeks", "for two weeks", ""),
    ("no no, until Monday", "until Monday", ""),
    ("no - until Monday", "until Monday", ""),
    ("no. until Monday", "until Monday", ""),
    ("no wait, sorry, I meant 3 days", "3 days", ""),
    ("wait, I meant 3 days", "3 days", ""),
    ("hold on, I meant Figma", "Figma", ""),
    ("I meant Figma", "Figma", ""),
    ("i mean until the 5th", "until the 5th", ""),
    ("what I meant was Jira", "Jira", ""),
    ("oh, I meant to say Friday", "Friday", ""),
    ("I actually meant the staging database", "the staging database", ""),
    ("make it two weeks", "two weeks", ""),
    ("make that 30 days please", "30 days", ""),
    ("can you make it until Friday", "until Friday", ""),
    ("could we make it 3 days?", "3 days?", ""),
    ("please make it Wednesday", "Wednesday", ""),
    ("let's make it a week", "a week", ""),
    ("change it to Friday", "Friday", ""),
    ("change that to 2 weeks", "2 weeks", ""),
    ("change the end to Monday", "Monday", ""),
    ("change Friday to Monday", "Monday", ""),
    ("please change it from Friday to Monday", "Monday", ""),
    ("set the end to Dec 3", "Dec 3", ""),
    ("it should be until Monday", "until Monday", ""),
    ("that should read Salesforce sandbox", "Salesforce sandbox", ""),
    ("correction: until Thursday", "until Thursday", ""),
    ("typo, Figma", "Figma", ""),
    ("scratch that, Jira", "Jira", ""),
    ("on second thought, until Monday", "until Monday", ""),
    ("change of plans: next week", "next week", ""),
    ("wrong date, Dec 24-31", "Dec 24-31", ""),
    ("the wrong one, I meant Jira", "Jira", ""),
    ("that's wrong, until Monday", "until Monday", ""),
    ("only until Friday then", "until Friday", ""),
    ("just until Friday", "until Friday", ""),
    ("better until Friday", "until Friday", ""),
    ("rather until Friday", "until Friday", ""),
    ("only for 3 days", "for 3 days", ""),
    ("sorry, from Tuesday", "from Tuesday", ""),
    ("actually, until Monday", "until Monday", ""),
    ("Actually Figma", "Figma", ""),
    ("oops, Jira", "Jira", ""),
    ("my mistake, until Monday", "until Monday", ""),
    ("hmm, rather two weeks", "two weeks", ""),
    ("until Monday instead", "until Monday", ""),
    ("the thinkpad instead please", "the thinkpad", ""),
    ("actually I need it until Monday", "I need it until Monday", ""),
    ("no, I need access to Jira", "I need access to Jira", ""),
    ("actually the staging database, not prod", "the staging database", "prod"),
    ("not Tuesday, Wednesday", "Wednesday", "Tuesday"),
    ("not Tuesday but Wednesday", "Wednesday", "Tuesday"),
    ("not until Tuesday, until Wednesday", "until Wednesday", "until Tuesday"),
    ("it's not Tuesday, it's Wednesday", "Wednesday", "Tuesday"),
    ("until Monday, not Friday", "until Monday", "Friday"),
    ("until Monday not until Friday", "until Monday", "until Friday"),
    ("staging instead of prod", "staging", "prod"),
    ("Figma rather than FigJam", "Figma", "FigJam"),
    ("instead of Friday, Monday", "Monday", "Friday"),
    ("I said Tuesday, not Thursday", "Tuesday", "Thursday"),
    ("for Priya, not Luis", "for Priya", "Luis"),
]
# What is no correction.
NONE_OF_IT = [
    "I need access to Jira until Friday",
    "sorry, I need access to Jira until Friday",
    "Actually, I need a new laptop",
    "wait, can you reset my password",
    "hi, could I get figma for two weeks?",
    "Figma for two weeks",
    "no access to figma",
    "no sound in my headphones",
    "no internet since Monday",
    "no idea",
    "actually I also need Jira until Friday",
    "I need Jira too",
    "and another monitor please",
    "actually my account is locked",
    "sorry, my laptop is broken",
    "actually, is Jira down?",
    "how many days off do I have?",
    "I can log in to Jira, not Confluence",
    "it does not work",
    "I am not sure, maybe Friday",
    "not working since Tuesday",
    "my screen stays black, not even the logo shows",
    "I meant to ask about my vacation",
    "I wanted to ask for a monitor",
    "thanks",
    "yes",
    "yes, until Friday it is",
    "cancel my vacation in December",
    "change my password",
    "change my time off to January",
    "give back figma",
    "Jira",
    "reset my password",
    "for the record, the printer on floor 3 is out of paper again and nobody has come since Monday, sorry",
    "",
]
TIMES = [
    "until Monday", "until Monday please", "for two weeks", "2 weeks", "Dec 24-31", "from Tuesday to Friday",
    "Friday", "next week", "24 to 31 December",
]  # fmt: skip
GIVES_UP = [
    "cancel that", "cancel it please", "Cancel the request", "never mind", "nevermind", "nvm", "forget it",
    "forget about it", "no, forget it", "oh never mind then", "actually, cancel that", "scrap that",
    "I don't need it anymore", "drop it", "stop it", "ok, never mind", "withdraw my request",
]  # fmt: skip
KEEPS = [
    "cancel my vacation", "cancel that meeting", "stop the alarm", "I don't need Jira anymore",
    "forget me not", "never", "don't cancel it", "how do I cancel it", "leave it as it is",
    "I forgot my password",
]  # fmt: skip


@pytest.mark.parametrize(("text", "says", "instead_of"), SAYS, ids=lambda each: str(each)[:40])
def test_what_is_said_instead(text: str, says: str, instead_of: str) -> None:
    found = read(text)
    assert found is not None
    assert (found.text, found.instead_of, found.bare) == (says, instead_of, False)


@pytest.mark.parametrize("text", NONE_OF_IT, ids=lambda each: str(each)[:40])
def test_a_wish_a_complaint_or_a_question_is_no_correction(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", TIMES)
def test_a_time_alone_is_one_only_just_after_a_card(text: str) -> None:
    found = read(text)
    assert found is not None
    assert found.bare
    assert not found.strong


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("for Bob, not me", "for Bob"),
        ("not for me, for Bob", "for Bob"),
        ("not me, Bob", "Bob"),
        ("no, for Bob, not for me", "for Bob"),
    ],
)
def test_that_it_is_not_for_oneself_is_seen(text: str, says: str) -> None:
    found = read(text)
    assert found is not None
    assert (found.text, found.not_me) == (says, True)


@pytest.mark.parametrize("text", ["no", "no, not that one", "that's wrong", "wrong one", "no, that's not it"])
def test_one_that_says_nothing_is_one_all_the_same(text: str) -> None:
    found = read(text)
    assert found is not None
    assert found.strong


@pytest.mark.parametrize("text", GIVES_UP)
def test_giving_up_is_seen(text: str) -> None:
    assert corrections.gives_up(text)


@pytest.mark.parametrize("text", KEEPS)
def test_what_only_sounds_like_giving_up_is_not(text: str) -> None:
    assert not corrections.gives_up(text)


# What it makes of the value that was there

SPAN = Slot("span", SlotKind.SPAN, "")
DAYS = Slot("days", SlotKind.DAYS, "")
DECEMBER = {"first": "2026-12-21", "last": "2026-12-24"}  # Monday to Thursday
FRIDAY = {"until": "2026-11-27T22:59:00+00:00"}
LATER = {"from": "2026-12-20T23:00:00+00:00", "until": "2026-12-31T22:59:00+00:00"}


def corrected(understander: Understander, slot: Slot, text: str, present: Any) -> SlotGuess:
    found = read(text)
    assert found is not None

    def fill(slot: Slot, said: str) -> SlotGuess:
        return understander.fill(slot, said, now=NOW, time_zone=ZONE)

    return corrections.said(slot, found, present, fill, now=NOW, time_zone=ZONE)


@pytest.mark.parametrize(
    ("text", "present", "value"),
    [
        ("no, until Wednesday", FRIDAY, {"until": "2026-11-25T22:59:00+00:00"}),
        ("make it two weeks", FRIDAY, {"minutes": 20160}),
        ("not Friday, Thursday", FRIDAY, {"until": "2026-11-26T22:59:00+00:00"}),
        ("no, Thursday", FRIDAY, {"until": "2026-11-26T22:59:00+00:00"}),
        # What is not said stays.
        ("sorry, from Tuesday", FRIDAY, {"from": "2026-11-23T23:00:00+00:00", **FRIDAY}),
        ("no, from tomorrow", {"minutes": 2880},
         {"from": "2026-11-23T23:00:00+00:00", "until": "2026-11-25T22:59:00+00:00"}),
        ("no, until Jan 3", LATER, {"from": LATER["from"], "until": "2027-01-03T22:59:00+00:00"}),
        ("make it two days", LATER, {"from": LATER["from"], "until": "2026-12-22T22:59:00+00:00"}),
        ("no, from the 22nd of December", LATER,
         {"from": "2026-12-21T23:00:00+00:00", "until": LATER["until"]}),
        ("no, Dec 24-31", FRIDAY,
         {"from": "2026-12-23T23:00:00+00:00", "until": "2026-12-31T22:59:00+00:00"}),
        ("no, hasta el 3 de enero", LATER, {"from": LATER["from"], "until": "2027-01-03T22:59:00+00:00"}),
        ("not Dec 21, Dec 23", LATER, {"from": "2026-12-22T23:00:00+00:00", "until": LATER["until"]}),
    ],
)  # fmt: skip
def test_of_a_span_what_is_said_is_replaced_and_the_rest_stays(
    understander: Understander, text: str, present: Any, value: Any
) -> None:
    assert corrected(understander, SPAN, text, present).value == value


@pytest.mark.parametrize(
    ("text", "present", "value"),
    [
        ("no, until Friday", DECEMBER, {"first": "2026-12-21", "last": "2026-12-25"}),
        ("no, até sexta", DECEMBER, {"first": "2026-12-21", "last": "2026-12-25"}),
        ("only until Tuesday then", DECEMBER, {"first": "2026-12-21", "last": "2026-12-22"}),
        ("sorry, from Tuesday", DECEMBER, {"first": "2026-12-22", "last": "2026-12-24"}),
        ("not Monday, Tuesday", DECEMBER, {"first": "2026-12-22", "last": "2026-12-24"}),
        ("until Wednesday, not Thursday", DECEMBER, {"first": "2026-12-21", "last": "2026-12-23"}),
        ("wait, I meant 3 days", DECEMBER, {"first": "2026-12-21", "last": "2026-12-23"}),
        ("make it two weeks", DECEMBER, {"first": "2026-12-21", "last": "2027-01-03"}),
        ("no, Jan 11 to Jan 15", DECEMBER, {"first": "2027-01-11", "last": "2027-01-15"}),
        # A weekday alone is the one of that week, not the next to come.
        ("not Tuesday, Wednesday", {"first": "2026-12-22", "last": "2026-12-22"},
         {"first": "2026-12-23", "last": "2026-12-23"}),
        ("no, Friday", {"first": "2026-12-22", "last": "2026-12-22"},
         {"first": "2026-12-25", "last": "2026-12-25"}),
        # Half a day at an end that stayed is half a day still.
        ("no, until Wednesday", {**DECEMBER, "half_first": True},
         {"first": "2026-12-21", "last": "2026-12-23", "half_first": True}),
        ("no, until Wednesday", {**DECEMBER, "half_last": True},
         {"first": "2026-12-21", "last": "2026-12-23"}),
    ],
)  # fmt: skip
def test_of_days_off_what_is_said_is_replaced_and_the_rest_stays(
    understander: Understander, text: str, present: Any, value: Any
) -> None:
    assert corrected(understander, DAYS, text, present).value == value


@pytest.mark.parametrize(
    ("slot", "text", "present"),
    [
        (DAYS, "not Friday, Wednesday", DECEMBER),  # it neither begins nor ends on a Friday
        (DAYS, "no, until Monday", DECEMBER),  # the day on which it begins, or a week later
        (SPAN, "no, until yesterday", FRIDAY),
        (SPAN, "not Dec 25, Dec 23", LATER),
    ],
)
def test_what_is_not_clear_is_asked(understander: Understander, slot: Slot, text: str, present: Any) -> None:
    found = corrected(understander, slot, text, present)
    assert found.value is None
    assert found.problem


@pytest.mark.parametrize(
    ("slot", "text", "present"),
    [(SPAN, "I meant Figma", FRIDAY), (DAYS, "I meant sick leave", DECEMBER), (SPAN, "I may need", FRIDAY)],
)
def test_what_names_no_time_changes_none(
    understander: Understander, slot: Slot, text: str, present: Any
) -> None:
    found = read(text) or Correction(text)

    def fill(slot: Slot, said: str) -> SlotGuess:
        return understander.fill(slot, said, now=NOW, time_zone=ZONE)

    guess = corrections.said(slot, found, present, fill, now=NOW, time_zone=ZONE)
    assert not guess
    assert not guess.problem


def test_of_several_things_one_is_exchanged(understander: Understander) -> None:
    slot = Slot("wishes", SlotKind.RESOURCES, "")
    present = [{"resource": "figma"}, {"resource": "payroll-reports", "span": {"minutes": 60}}]
    found = corrected(understander, slot, "not payroll, Salesforce", present)
    assert found.value == [{"resource": "figma"}, {"resource": "salesforce", "span": {"minutes": 60}}]
    assert corrected(understander, slot, "not the finance vault, Salesforce", present).value is None
    assert corrected(understander, slot, "I meant Salesforce", present).value is None, "instead of which?"
