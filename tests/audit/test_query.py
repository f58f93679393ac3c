"""Finding events again, and telling the story of a request."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.audit.query import Filter, find, line
from bot.audit.shred import shred
from bot.audit.story import show
from bot.audit.trail import Event, append
from tests.audit.made_up import START

NAMES = {"p-ana": "Ana Ruiz", "p-bo": "Bo Lind", "p-eve": "Eve Stone", "p-ida": "Ida Berg"}


@pytest.fixture
def conn(desk):
    desk.request(1)
    desk.request(2, person="p-ida")
    with desk.engine.begin() as conn:
        yield conn


@pytest.mark.parametrize(
    ("wanted", "seqs"),
    [
        (Filter(), range(1, 15)),
        (Filter(person="p-ana"), range(1, 8)),
        (Filter(person="p-bo"), (5, 12)),
        (Filter(outcome="refused"), (4, 11)),
        (Filter(kind="press"), (4, 11)),
        (Filter(kind="request"), (1, 2, 3, 5, 7, 8, 9, 10, 12, 14)),
        (Filter(kind="request.approved"), (5, 12)),
        (Filter(kind="pre"), ()),
        (Filter(request="R-0002"), range(8, 15)),
        (Filter(request="R-0002", person="p-bo"), (12,)),
        (Filter(action="grant_access", kind="step"), (6, 13)),
        (Filter(action="reset_password"), ()),
        (Filter(since=START + timedelta(seconds=14), until=START + timedelta(seconds=28)), (2, 3)),
        (Filter(person="' OR 1=1 --"), ()),
    ],
)
def test_filters(conn, wanted, seqs):
    assert [entry.seq for entry in find(conn, wanted)] == list(seqs)


def test_pages_go_back_from_the_newest_and_each_reads_downward(conn):
    last = find(conn, Filter(), limit=5)
    assert [e.seq for e in last] == [10, 11, 12, 13, 14]
    assert [e.seq for e in find(conn, Filter(), limit=5, before=last[0].seq)] == [5, 6, 7, 8, 9]


def test_lines_read_as_sentences(conn):
    lines = [line(entry, NAMES.__getitem__) for entry in find(conn, Filter(request="R-0001"))]
    opened = "Ana Ruiz  asked for  grant_access  R-0001  to: collecting, understood: local 0.97"
    assert lines[0] == f"2026-11-22 12:00  {opened}"
    assert lines[3] == (
        "2026-11-22 12:00  Eve Stone  pressed in vain  grant_access  for Ana Ruiz  R-0001"
        "  why: This card is not yours to answer.  [refused]"
    )
    assert lines[6].endswith("Deskhand  did  grant_access  for Ana Ruiz  R-0001  executing -> done")


def test_the_story_of_a_request(desk, conn):
    assert show(
        conn, "R-0001", name_of=NAMES.__getitem__, words=desk.words, zone=ZoneInfo("Europe/Madrid")
    ) == [
        "R-0001  grant_access, asked by Ana Ruiz",
        "",
        "Sunday 22 November 2026 (CET)",
        "13:00:07  Ana Ruiz  asked for  grant_access  to: collecting, understood: local 0.97 (web)",
        "          > I need figma for two weeks",
        "13:00:14  Ana Ruiz  was shown  grant_access  collecting -> confirming",
        "          rules on request: allowed by medium (set a1)",
        "13:00:21  Ana Ruiz  said yes to  grant_access  confirming -> approving",
        "13:00:28  Eve Stone  pressed in vain  grant_access  for Ana Ruiz"
        "  why: This card is not yours to answer.  [refused]",
        "13:00:35  Bo Lind  approved  grant_access  for Ana Ruiz  stage: manager",
        "          > fine with me",
        "13:00:42  step join_group: done (company)",
        "13:00:49  Deskhand  did  grant_access  for Ana Ruiz  executing -> done",
        "          rules on approve as manager by Bo Lind: allowed by chain",
    ]


def test_a_story_says_what_it_does_not_show(desk, conn):
    assert "          > (wrote something; not shown here)" in show(conn, "R-0001", name_of=str)
    shred(conn, "p-ana", by="p-ida", at=desk.tick())
    told = show(conn, "R-0001", name_of=str, words=desk.words)
    assert "          > (these words were shredded)" in told
    assert "          > fine with me" in told


def test_an_unknown_request_has_no_story(conn):
    assert show(conn, "R-9999", name_of=str) == []


def test_words_cannot_write_to_the_terminal_or_pretend_to_be_a_line_of_the_story(desk, conn):
    written = desk.words.record(conn, "p-ana", "hi\n13:00:00  Bo Lind  pressed  approve\x1b[2J\u202e")
    event = Event(at=START, kind="request.opened", actor="p-ana", request="R-3", data={"note": "a\nb\x1b"})
    append(conn, event, words=written)
    told = show(conn, "R-3", name_of=str, words=desk.words)
    assert told[3].endswith("note: a\\u000ab\\u001b")
    assert told[4:] == ["          > hi", "          > 13:00:00  Bo Lind  pressed  approve\\u001b[2J\\u202e"]
