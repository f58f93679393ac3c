"""An exported file proves itself with the public key alone."""

from __future__ import annotations

import csv
import json
import sqlite3
import stat
from random import Random

import pytest

from bot.audit.chain import BrokenTrail
from bot.audit.checkpoint import public_key
from bot.audit.export import BadExport, export, proof_of, verify_export
from bot.audit.query import Filter
from bot.audit.shred import shred
from bot.store.keys import KeyFile

HOSTILE = '=HYPERLINK("http://x","y")\r\n"; half a pair \ud83d'


@pytest.fixture
def out(desk, tmp_path):
    desk.request(1, text=HOSTILE)
    desk.request(2, person="p-ida", text="-1+1 '")
    return tmp_path / "audit.out"


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
@pytest.mark.parametrize("wanted", [None, Filter(kind="press"), Filter(person="p-nobody")])
@pytest.mark.parametrize("with_words", [True, False])
def test_an_export_verifies_with_the_public_key_only(desk, out, format_, wanted, with_words):
    made = export(
        desk.path, out, desk.keys, desk.tick(), wanted=wanted, format=format_, with_words=with_words,
        checkpoints=desk.checkpoints,
    )  # fmt: skip
    assert verify_export(out, public_key(desk.keys)) == made
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_words_are_exported_only_when_asked_for(desk, out):
    for with_words in (False, True):
        export(desk.path, out, desk.keys, desk.tick(), with_words=with_words)
        texts = [json.loads(row)["words"] for row in out.read_text().splitlines()]
        assert (HOSTILE in texts, "fine with me" in texts) == (with_words, with_words)


def test_a_spreadsheet_finds_no_formula(desk, out):
    export(desk.path, out, desk.keys, desk.tick(), format="csv", with_words=True)
    with out.open(newline="", errors="surrogatepass") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any(cell.startswith("'=HYPER") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_shredded_words_are_said_to_be_shredded(desk, out):
    with desk.engine.begin() as conn:
        shred(conn, "p-ana", by="p-ida", at=desk.tick())
    export(desk.path, out, desk.keys, desk.tick(), with_words=True)
    assert json.loads(out.read_text().splitlines()[0])["words"] == "(shredded)"
    verify_export(out, public_key(desk.keys))


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_any_changed_byte_of_file_or_proof_is_found(desk, out, format_):
    export(desk.path, out, desk.keys, desk.tick(), format=format_, with_words=True)
    rnd, key = Random(7), public_key(desk.keys)
    for path in (out, proof_of(out)):
        genuine = path.read_bytes()
        for _ in range(60):
            place = rnd.randrange(len(genuine))
            path.write_bytes(genuine[:place] + bytes([genuine[place] ^ 1]) + genuine[place + 1 :])
            if path == out or json_differs(genuine, path.read_bytes()):
                with pytest.raises(BadExport):
                    verify_export(out, key)
        path.write_bytes(genuine)
    verify_export(out, key)


def json_differs(one: bytes, two: bytes) -> bool:
    try:
        return json.loads(one) != json.loads(two)
    except ValueError:
        return True


def test_another_key_did_not_sign_it(desk, out, tmp_path):
    export(desk.path, out, desk.keys, desk.tick())
    other = KeyFile.open(tmp_path / "other.key")
    with pytest.raises(BadExport, match="not signed with this key"):
        verify_export(out, public_key(other))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_events SET outcome = 'ok' WHERE seq = 4",
        "DELETE FROM audit_events WHERE seq = 3",
        "UPDATE words SET sealed = x'00' WHERE id = 1",
    ],
)
def test_a_broken_trail_is_not_signed_for(desk, out, change):
    with sqlite3.connect(desk.path) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(change)
    db.close()
    with pytest.raises(BrokenTrail):
        export(desk.path, out, desk.keys, desk.tick())
    assert not proof_of(out).exists()
