"""The master key: one file outside the database, and everything that is sealed or signed with it.

No purpose uses the master key itself. Each derives its own (HKDF-SHA256), so that what is sealed
for one purpose opens under no other.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
_FORMAT = b"\x01"  # first byte of everything sealed: AES-256-GCM, nonce, ciphertext and tag


class KeyFileError(Exception):
    """The key file cannot be used; the message names it and says what to do."""


class Unsealable(Exception):
    """Not sealed with this key for this purpose and context, or changed since."""


@dataclass(frozen=True, slots=True)
class Box:
    """Seals bytes with one key; ``aad`` is the context they are bound to, and is not kept inside."""

    key: bytes = field(repr=False)

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _FORMAT + nonce + AESGCM(self.key).encrypt(nonce, plaintext, aad)

    def unseal(self, sealed: bytes, aad: bytes) -> bytes:
        """:raises Unsealable: wrong key, purpose or context, or the bytes were changed"""
        start = len(_FORMAT) + NONCE_BYTES
        if not sealed.startswith(_FORMAT) or len(sealed) < start + 16:  # 16: the tag
            raise Unsealable("these bytes were not sealed here: unknown format")
        try:
            return AESGCM(self.key).decrypt(sealed[len(_FORMAT) : start], sealed[start:], aad)
        except InvalidTag:
            raise Unsealable(
                "these bytes were sealed with another key or context, or changed since"
            ) from None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The opened key file."""

    path: Path
    _master: bytes = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> KeyFile:
        """Read the key; the first call on a path creates it, readable by its owner only.

        :raises KeyFileError: others may read the file, or it holds no key
        """
        if not path.exists():
            _create(path)
        return cls(path, _read(path))

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only this key and this purpose give."""
        kdf = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=b"deskhand:" + purpose.encode())
        return kdf.derive(self._master)

    def box(self, purpose: str) -> Box:
        return Box(self.derive(purpose))

    def signer(self, purpose: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.derive("ed25519:" + purpose))


def public_key_text(key: Ed25519PublicKey) -> str:
    """The public key as 64 hexadecimal digits, to be given to whoever verifies elsewhere."""
    return key.public_bytes_raw().hex()


def public_key_from(text: str) -> Ed25519PublicKey:
    """:raises KeyFileError: not 64 hexadecimal digits"""
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError:
        raise KeyFileError("a public key is written as 64 hexadecimal digits") from None


def _create(path: Path) -> None:
    """Written in full beside its place and then linked there: nobody ever reads half a key, and of
    two processes that start together one wins and both use the same key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode  # of the file that is read, not of the path a moment ago
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{path} is no regular file; the key file must be one")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileError(
                f"{path} may be read by others (mode {stat.S_IMODE(mode):04o}); "
                f"close it with: chmod 600 {path}"
            )
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise KeyFileError(
            f"{path} does not hold a key of {KEY_BYTES} bytes; put the right file back from your backup. "
            "A new key cannot read what the old one sealed"
        )
    return key
