"""The key file: made once, closed to others, one key a purpose."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.store.keys import Box, KeyFile, KeyFileError, Unsealable, public_key_from, public_key_text


def test_the_first_opening_makes_a_key_that_stays(tmp_path):
    path = tmp_path / "keys" / "master.key"
    made = KeyFile.open(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(path.read_bytes()) == 32
    assert KeyFile.open(path).derive("x") == made.derive("x")
    assert list(path.parent.iterdir()) == [path]


def test_all_who_start_at_once_have_the_same_key(tmp_path):
    path = tmp_path / "keys" / "master.key"
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lambda _: KeyFile.open(path).derive("x"), range(64)))
    assert len(set(keys)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_key_file_others_may_use_is_refused_with_the_command_that_mends_it(tmp_path, mode):
    path = tmp_path / "master.key"
    KeyFile.open(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"chmod 600 {path}"):
        KeyFile.open(path)
    path.chmod(0o600)
    KeyFile.open(path)


def test_half_a_key_is_refused_and_not_replaced(tmp_path):
    path = tmp_path / "master.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="backup"):
        KeyFile.open(path)
    assert path.read_bytes() == b"short"


def test_what_is_sealed_opens_only_with_its_key_purpose_and_context(tmp_path):
    keys = KeyFile.open(tmp_path / "master.key")
    sealed = keys.box("credentials").seal(b"s3cret", b"R-7Q2M")
    assert keys.box("credentials").unseal(sealed, b"R-7Q2M") == b"s3cret"
    for box, context in (
        (keys.box("words"), b"R-7Q2M"),
        (keys.box("credentials"), b"R-0000"),
        (Box(bytes(32)), b""),
    ):
        with pytest.raises(Unsealable):
            box.unseal(sealed, context)


def test_any_changed_byte_is_noticed(tmp_path):
    box = KeyFile.open(tmp_path / "master.key").box("credentials")
    sealed = box.seal(b"s3cret", b"")
    for place in range(len(sealed)):
        with pytest.raises(Unsealable):
            box.unseal(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], b"")
        with pytest.raises(Unsealable):
            box.unseal(sealed[:place], b"")


def test_keys_are_never_printed(tmp_path):
    keys = KeyFile.open(tmp_path / "master.key")
    shown = f"{keys!r} {keys.box('x')!r}"
    assert "=b'" not in shown
    assert "key=" not in shown


def test_the_public_key_travels_as_text(tmp_path):
    key = KeyFile.open(tmp_path / "master.key").signer("x").public_key()
    assert public_key_from(public_key_text(key) + "\n") == key
    with pytest.raises(KeyFileError, match="64"):
        public_key_from("no key")
