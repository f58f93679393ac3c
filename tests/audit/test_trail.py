"""Appending: what is written, what is refused, and that the tables only grow."""

from __future__ import annotations

import multiprocessing
import sqlite3
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.audit.query import Filter, find
from bot.audit.trail import Event, NotRecordable, append
from bot.audit.verify import verify
from integrations.contract import Secret
from tests.audit.made_up import START, engine


def event(**fields):
    whole: dict[str, Any] = {"at": START, "kind": "request.moved", "actor": "p-ana"} | fields
    return Event(**whole)


def test_events_are_numbered_from_one_and_read_back_as_they_were(desk):
    first = event(data={"from": "confirming", "to": "approving", "policies": ["self-only"], "deep": {"n": 1}})
    with desk.engine.begin() as conn:
        assert [append(conn, first), append(conn, event(actor="p-bo"))] == [1, 2]
        assert find(conn, Filter())[0].event == first


def test_an_event_whose_transaction_is_taken_back_never_was(desk):
    with desk.engine.connect() as conn:
        append(conn, event())
        conn.rollback()
    with desk.engine.begin() as conn:
        assert append(conn, event()) == 1
    assert verify(desk.path).whole


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"password": Secret("correct horse")}, "Secret"),
        ({"deep": [{"x": Secret("correct horse")}]}, "Secret"),
        ({Secret("correct horse"): 1}, "not JSON"),
        ({"hours": Decimal("7.5")}, "Decimal"),
        ({"at": START}, "datetime"),
        ({"raw": b"\0"}, "bytes"),
        ({"share": float("nan")}, "not JSON"),
    ],
)
def test_what_is_no_json_is_refused_and_never_quoted(desk, data, says):
    with pytest.raises(NotRecordable, match=says) as refused, desk.engine.begin() as conn:
        append(conn, event(data=data))
    assert "correct horse" not in str(refused.value)


def test_a_time_that_is_not_utc_is_refused(desk):
    local = timezone(timedelta(hours=1))
    for at in (datetime(2026, 11, 22, 12), datetime(2026, 11, 22, 12, tzinfo=local)):  # noqa: DTZ001
        with pytest.raises(NotRecordable, match="UTC"), desk.engine.begin() as conn:
            append(conn, event(at=at))


@pytest.mark.parametrize("field", ["kind", "request", "actor", "service", "outcome", "action", "subject"])
def test_control_characters_in_a_field_are_refused_by_its_name(desk, field):
    for junk in ("a\0b", "a\nb", "\u202eb"):
        with pytest.raises(NotRecordable, match=field), desk.engine.begin() as conn:
            append(conn, event(**{field: junk}))


def test_a_read_only_mapping_is_as_good_as_a_dict(desk):
    with desk.engine.begin() as conn:
        append(conn, event(data=MappingProxyType({"slots": MappingProxyType({"resource": "figma"})})))
        assert find(conn, Filter())[0].event.data == {"slots": {"resource": "figma"}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
printable = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(st.text(st.characters(exclude_categories=())), json_values), actor=printable)
def test_whatever_json_is_recorded_comes_back_and_verifies(desk, data, actor):
    with desk.engine.begin() as conn:
        seq = append(conn, event(data=data, actor=actor, subject=actor[::-1]))
        read = find(conn, Filter(person=actor))[-1]
    assert (read.seq, read.event.data, read.event.actor) == (seq, data, actor)
    assert verify(desk.path).whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET outcome = 'refused' WHERE seq = 1",
        "UPDATE audit_events SET seq = 99 WHERE seq = 7",
        "DELETE FROM audit_events WHERE seq = 7",
        "DELETE FROM audit_events",
        "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events WHERE seq = 3",
        "INSERT INTO audit_events SELECT 9, at, kind, request, actor, service, outcome, action, subject,"
        " words, body, hash FROM audit_events WHERE seq = 3",
        "UPDATE audit_head SET seq = 3",
        "UPDATE audit_head SET hash = zeroblob(32)",
        "DELETE FROM audit_head",
        "INSERT OR REPLACE INTO audit_head VALUES (1, 0, zeroblob(32))",
        "UPDATE words SET sealed = x'00'",
        "DELETE FROM words",
        "INSERT OR REPLACE INTO words SELECT * FROM words WHERE id = 1",
        "UPDATE person_keys SET wrapped = x'00'",
        "INSERT OR REPLACE INTO person_keys SELECT * FROM person_keys",
    ],
)
def test_the_tables_only_grow(desk, statement):
    desk.request(1)
    before = everything(desk)
    with pytest.raises(sa.exc.IntegrityError), desk.engine.begin() as conn:
        conn.exec_driver_sql(statement)
    assert everything(desk) == before


def everything(desk):
    with desk.engine.begin() as conn:
        tables = ("audit_events", "audit_head", "words", "person_keys")
        return [conn.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]


def test_four_processes_append_at_once_without_gap_or_break(desk):
    desk.engine.dispose()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_many, args=(desk.path, f"p-{n}", 60)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    report = verify(desk.path)
    assert (report.whole, report.events) == (True, 240)
    with sqlite3.connect(desk.path) as db:
        assert dict(db.execute("SELECT actor, count(*) FROM audit_events GROUP BY actor")) == {
            f"p-{n}": 60 for n in range(4)
        }
    db.close()


def append_many(path, actor, count):
    opened = engine(path, synchronous="OFF")
    for number in range(count):
        with opened.begin() as conn:
            append(conn, event(actor=actor, data={"number": number}))
    opened.dispose()
