"""Whatever is done to the trail after a checkpoint is found."""

from __future__ import annotations

import sqlite3
from random import Random

import pytest

from bot.audit.chain import BrokenTrail
from bot.audit.checkpoint import public_key, signing_key
from bot.audit.verify import verify
from bot.store.keys import KeyFile
from tests.audit.tamper import (
    WAYS,
    campaign,
    columns_and_body,
    cut,
    empty,
    forge_everything,
    forge_without_one,
    rehash,
    tampered,
)


@pytest.fixture
def busy(desk):
    for number in range(4):
        desk.request(number)
        desk.checkpoint()
    desk.engine.dispose()
    return desk


def test_random_tamperings_are_all_found(busy, tmp_path):
    tried, found = campaign(busy, tmp_path, 400, seed=20261122)
    assert found == tried
    assert len(tried) == len(WAYS)


def test_the_untouched_trail_is_whole(busy):
    report = verify(busy.path, busy.checkpoints, public_key(busy.keys))
    assert report.whole
    assert (report.events, report.checkpoints, report.covered) == (28, 4, 28)


def test_only_a_checkpoint_shows_that_everything_was_computed_anew(busy, tmp_path):
    with sqlite3.connect(busy.path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    for way in (forge_everything, forge_without_one, empty):
        tampered(busy.path, tmp_path / "forged.db", Random(1), way)
        assert verify(tmp_path / "forged.db").whole, "made to fit: by itself it looks whole"
        assert not verify(tmp_path / "forged.db", busy.checkpoints, public_key(busy.keys)).whole


def test_the_first_break_is_named(busy):
    with sqlite3.connect(busy.path) as db:
        db.execute("DROP TRIGGER audit_events_update")
        swap = "CAST(replace(CAST(body AS TEXT), 'p-eve', 'p-ana') AS BLOB)"
        db.execute(f"UPDATE audit_events SET body = {swap} WHERE seq IN (11, 18)")
    db.close()
    broken = verify(busy.path).first_break
    assert broken is not None
    assert broken.seq == 11
    assert "changed" in broken.what


def test_a_forged_checkpoint_line_is_found(busy):
    path = busy.checkpoints.path
    genuine = path.read_text()
    key = public_key(busy.keys)
    for forged in (genuine.replace('"seq": 14', '"seq": 15'), genuine + "{}\n", genuine.replace("a", "b", 1)):
        path.write_text(forged)
        assert not verify(busy.path, busy.checkpoints, key).whole


def test_a_line_that_fits_the_trail_but_was_signed_by_nobody_here_is_found(busy, tmp_path):
    """Else a forger would note their own trail, and all would fit."""
    other = signing_key(KeyFile.open(tmp_path / "other.key"))
    last = busy.checkpoints.newest()
    busy.checkpoints.path.write_text(last.signed(other).line())
    broken = verify(busy.path, busy.checkpoints, public_key(busy.keys)).first_break
    assert broken is not None
    assert "not signed with this desk's key" in broken.what
    with pytest.raises(BrokenTrail, match="not signed"):
        busy.checkpoint()


def test_a_line_cut_short_by_a_crash_is_passed_over_and_then_mended(busy):
    path = busy.checkpoints.path
    path.write_text(path.read_text() + '{"seq": 29, "ha')
    key = public_key(busy.keys)
    assert verify(busy.path, busy.checkpoints, key).whole
    busy.request(9)
    assert busy.checkpoint().seq == 35
    report = verify(busy.path, busy.checkpoints, key)
    assert (report.whole, report.checkpoints) == (True, 5)


def test_nothing_new_makes_no_new_line(busy):
    assert busy.checkpoint().seq == 28
    assert len(busy.checkpoints.path.read_text().splitlines()) == 4


def test_what_was_changed_since_the_last_checkpoint_is_not_signed(busy):
    busy.request(5)
    with sqlite3.connect(busy.path) as db:
        db.execute("DROP TRIGGER audit_events_update")
        columns_and_body(db, 30, "actor", "p-eve")
    db.close()
    with pytest.raises(BrokenTrail, match="event 30"):
        busy.checkpoint()


def test_an_old_backup_is_noticed_at_the_next_checkpoint(busy):
    with sqlite3.connect(busy.path) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("DELETE FROM audit_events WHERE seq > 20")
        rehash(db)
    db.close()
    with pytest.raises(BrokenTrail, match="before its last checkpoint at 28"):
        busy.checkpoint()


def test_events_after_the_last_checkpoint_are_said_to_be_uncovered(busy):
    busy.request(5)
    report = verify(busy.path, busy.checkpoints, public_key(busy.keys))
    assert report.whole
    assert any("events 29 to 35" in said for said in report.lines())


def test_columns_that_json_escapes_verify_like_any_other(desk):
    desk.request(1, person='O"Brien \\ Zoë')
    assert verify(desk.path).whole


def test_the_tail_cannot_be_cut_even_with_a_fitting_head(busy, tmp_path):
    for seed in range(20):
        tampered(busy.path, tmp_path / "cut.db", Random(seed), cut)
        assert not verify(tmp_path / "cut.db", busy.checkpoints, public_key(busy.keys)).whole
