"""Passwords at the company: argon2id hashes and the rule for new ones.

One cost for everybody, the first passwords included: 19 MiB and two passes, the least that OWASP
names for argon2id, about 20 ms on one core. Hashing the whole company at creation takes under a
second on two cores; a guess at a stolen file costs an attacker the same 20 ms.
"""

from __future__ import annotations

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from integrations.contract import PasswordRefused

LONGEST = 128  # characters; a hash of a megabyte would be a way to keep us busy

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)  # memory in KiB


def hashed(password: str) -> str:
    return _HASHER.hash(password)


def matches(password_hash: str, password: str) -> bool:
    if len(password) > LONGEST or not _encodable(password):
        return False
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def require_good(password: str, account: str, shortest: int, old: str | None = None) -> None:
    """:raises PasswordRefused: saying which rule it breaks, never the password itself"""
    if not shortest <= len(password) <= LONGEST:
        raise PasswordRefused(f"a password has {shortest} to {LONGEST} characters")
    if not password.isprintable():
        raise PasswordRefused("a password has no control characters")
    if account.lower() in password.lower():
        raise PasswordRefused("a password does not contain the account name")
    if password == old:
        raise PasswordRefused("the new password is the old one")


def _encodable(password: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in password)
