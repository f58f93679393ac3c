"""What people wrote: sealed, bound to the chain, and gone for good when shredded."""

from __future__ import annotations

import pytest

from bot.audit.query import Filter, find
from bot.audit.shred import shred, wipe
from bot.audit.verify import verify
from bot.audit.words import WordsChanged, WordStore
from bot.store.keys import KeyFile

CANARY = "canary-7f3a9d21e5"


def on_disk(desk) -> bytes:
    return b"".join(path.read_bytes() for path in desk.path.parent.glob(desk.path.name + "*"))


def test_words_are_read_back_and_stand_nowhere_in_the_clear(desk):
    desk.request(1, text=f"my cat is called {CANARY}")
    with desk.engine.begin() as conn:
        assert desk.words.read(conn, 1) == f"my cat is called {CANARY}"
    assert CANARY.encode() not in on_disk(desk)


@pytest.mark.parametrize("text", ["", "naïve 🐈", "half a pair \ud83d", "\0\x1b[2J", "x" * 1_000_000])
def test_any_text_comes_back(desk, text):
    with desk.engine.begin() as conn:
        assert desk.words.read(conn, desk.words.record(conn, "p-ana", text).id) == text


def test_the_same_text_twice_leaves_no_trace_of_being_the_same(desk):
    with desk.engine.begin() as conn:
        one, two = (desk.words.record(conn, "p-ana", "yes") for _ in range(2))
    assert one.commitment != two.commitment
    assert one.digest != two.digest


def test_shredded_words_are_unreadable_the_others_stay_and_the_chain_holds(desk):
    desk.request(1, text="please unlock me")
    with desk.engine.begin() as conn:
        assert shred(conn, "p-ana", by="p-ida", at=desk.tick()) == 1
        assert desk.words.read(conn, 1) is None
        assert desk.words.read(conn, 2) == "fine with me"
        told = find(conn, Filter(kind="words"))
    assert [(e.event.actor, e.event.subject) for e in told] == [("p-ida", "p-ana")]
    assert verify(desk.path).whole


def test_a_person_who_writes_again_gets_a_new_key_and_the_old_words_stay_gone(desk):
    desk.request(1)
    with desk.engine.begin() as conn:
        shred(conn, "p-ana", by="p-ida", at=desk.tick())
    desk.request(2, text="hello again")
    with desk.engine.begin() as conn:
        assert [desk.words.read(conn, number) for number in (1, 3)] == [None, "hello again"]
    assert verify(desk.path).whole


def test_after_wiping_the_key_is_in_no_file(desk):
    desk.request(1)
    with desk.engine.begin() as conn:
        wrapped = conn.exec_driver_sql("SELECT wrapped FROM person_keys WHERE person = 'p-ana'").scalar_one()
    assert wrapped in on_disk(desk)
    with desk.engine.begin() as conn:
        shred(conn, "p-ana", by="p-ida", at=desk.tick())
    assert wrapped in on_disk(desk), "the desk keeps the database open: the log still holds the key"
    assert wipe(desk.path)
    assert wrapped not in on_disk(desk)


def test_words_put_in_the_place_of_others_are_noticed_when_read(desk):
    desk.request(1)
    with desk.engine.begin() as conn:
        for table in ("words", "person_keys"):
            conn.exec_driver_sql(f"DROP TRIGGER {table}_update")
        conn.exec_driver_sql("UPDATE words SET sealed = (SELECT sealed FROM words WHERE id = 2) WHERE id = 1")
        with pytest.raises(WordsChanged):
            desk.words.read(conn, 1)


def test_without_the_key_file_nothing_can_be_read(desk, tmp_path):
    desk.request(1)
    other = WordStore(KeyFile.open(tmp_path / "other" / "master.key"))
    with desk.engine.begin() as conn, pytest.raises(WordsChanged, match="another key"):
        other.read(conn, 1)
