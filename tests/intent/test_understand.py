"""What people write becomes a proposal with typed slots, and nothing hostile becomes anything."""

import random
import socket
import time

import pytest

from bot.actions import discover
from bot.intent.classify import Classifier
from bot.intent.understand import Understander
from bot.procedures.action import Slot

NO_ACTION = (
    "reset the CEO's password",
    "how many vacation days do new hires get?",
    "hello",
    "I need a haircut",
)


@pytest.mark.parametrize(
    ("text", "action", "slots"),
    [
        ("I need figma for two weeks", "grant_access", {"resource": "figma", "span": {"minutes": 20160}}),
        ("reset my password", "reset_password", {}),
        (  # not sure enough by its words alone, but the very thing is named
            "I need payroll reports for 3 days",
            "grant_access",
            {"resource": "payroll-reports", "span": {"minutes": 4320}},
        ),
        ("my account is locked", "unlock_account", {}),
        ("unlock Luis please", "unlock_for_report", {"report": "Luis"}),
        ("give back figma", "give_back_access", {"grant": "figma"}),
        ("how many vacation days do I have left?", "pto_balance", {}),
        ("cancel my request", "my_requests", {}),
        ("new phone, can't get my codes any more", "reset_mfa", {}),
    ],
)
def test_a_wish_is_understood_with_its_slots(propose, text, action, slots):
    proposal = propose(text)
    assert proposal.action == action
    assert proposal.source == "local"
    assert {name: said.value or said.text for name, said in proposal.slots.items()} == slots


@pytest.mark.parametrize("text", NO_ACTION)
def test_what_asks_for_no_action_becomes_none(propose, text):
    assert propose(text).action is None


def test_a_question_is_told_from_a_wish(propose):
    assert propose("how many vacation days do new hires get?").question
    assert not propose("hello").question


def test_an_action_that_is_not_there_is_never_proposed(understander, now):
    one: dict[str, tuple[Slot, ...]] = {"my_requests": ()}
    proposal = understander.propose("reset my password", now=now, time_zone="UTC", slots_of=one)
    assert proposal.action is None
    assert {name for name, _ in proposal.ranking} == {"my_requests", "none"}


def test_a_chosen_action_is_read_for_its_slots_only(understander, now, slots_of):
    proposal = understander.propose(
        "figma until friday", now=now, time_zone="UTC", slots_of=slots_of, only="grant_access"
    )
    assert proposal.action == "grant_access"
    assert proposal.slots["resource"].value == "figma"


def test_an_answer_fills_the_slot_that_was_asked_for(fill, slot):
    assert fill(slot["span"], "until friday").value == {"until": "2026-11-27T22:59:00+00:00"}
    assert fill(slot["span"], "friday").value == {"until": "2026-11-27T22:59:00+00:00"}
    assert fill(slot["span"], "until yesterday").problem
    assert fill(slot["resource"], "figma").value == "figma"
    assert len(fill(slot["resource"], "staging").candidates) == 2
    assert fill(slot["grant"], "r-7q2m9k").value == "R-7Q2M9K"
    assert fill(slot["report"], "Luis").text == "Luis"
    assert not fill(slot["resource"], "what?")


def test_the_ranking_is_a_probability(classifier):
    chances = [chance for _, chance in classifier.classify("I forgot my password").ranking]
    assert sum(chances) == pytest.approx(1)
    assert chances == sorted(chances, reverse=True)


HOSTILE = {
    "a megabyte": "unlock my account " * 60_000,
    "a megabyte without a space": "a" * 1_000_000,
    "digits": "1" * 100_000,
    "dots": "1." * 50_000,
    "mails": "a@a." * 50_000,
    "dashes": "-" * 100_000,
    "mentions": "<@" * 50_000,
    "links": "http://" * 20_000,
    "apostrophes": "'s" * 50_000,
    "durations": "1 day and " * 10_000,
    "fillers": "about " * 10_000,
    "controls": "".join(map(chr, range(32))) * 100,
    "bidi": "\u202e\u2066reset my password\u2069" * 100,
    "zero width": "re\u200bset my pass\u200dword",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 500,
    "surrogates": "\ud800\udfff unlock",
    "combining": "a" + "\u0301" * 100_000,
    "expanding": "\ufdfa" * 10_000,
    "private use": "\ue000" * 1000,
    "markup": "<script>alert(1)</script>{{7*7}}${jndi:ldap://x}",
    "nothing": "",
    "blank": " \n\t ",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_read_quickly_and_breaks_nothing(propose, fill, slot, text):
    started = time.process_time()
    propose(text)
    for each in slot.values():
        fill(each, text)
    assert time.process_time() - started < 2  # a catastrophic pattern takes minutes


def test_random_text_never_breaks_it(propose):
    chance = random.Random(7)
    for _ in range(300):
        propose("".join(chr(chance.randrange(chance.choice((128, 0x11000)))) for _ in range(60)))


def test_a_zero_width_character_hides_nothing(propose):
    assert propose("re\u200bset my pass\u200bword").action == "reset_password"


def test_nothing_is_asked_of_the_network(catalogue, now, slots_of, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    understander = Understander(Classifier.load(), catalogue)
    understander.propose("I need figma", now=now, time_zone="UTC", slots_of=slots_of)


@pytest.mark.parametrize(
    "text",
    [
        "open a ticket: I forgot my password",
        "Please raise an incident, figma is down",
        "log a ticket, I am locked out",
    ],
)
def test_a_message_that_begins_by_asking_for_a_ticket_asks_for_one(classifier, catalogue, now, text):
    action = discover()["open_ticket"]
    understander = Understander(classifier, catalogue, leads={action.name: action.lead})
    slots_of = {action.name: action.slots, "reset_password": (), "unlock_account": ()}
    proposal = understander.propose(text, now=now, time_zone="UTC", slots_of=slots_of)
    assert proposal.action == "open_ticket"
