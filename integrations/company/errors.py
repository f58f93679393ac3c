"""What SQLite says, in the words of the contract.

Everything SQLite can refuse before the commit certainly changed nothing. At the commit itself one
answer is open: an input/output error may come after the last frame reached the write-ahead log, and
the next recovery of the file would then find the change. That one is ``OutcomeUnknown``.
"""

from __future__ import annotations

import sqlite3

from integrations.contract import ConnectorError, OutcomeUnknown, PermissionRefused, SystemDown

_PRIMARY = 0xFF  # the low byte of an extended result code

_DOWN = {
    sqlite3.SQLITE_BUSY: "the company file is locked by another process; try again in a moment",
    sqlite3.SQLITE_LOCKED: "the company file is locked; try again in a moment",
    sqlite3.SQLITE_FULL: "the disk of the company file is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk of the company file fails; look at the system log",
    sqlite3.SQLITE_CANTOPEN: "the company file cannot be opened; does its folder exist, may we read it?",
    sqlite3.SQLITE_CORRUPT: "the company file is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the company file is not a database; is the path right?",
}
_REFUSED = {
    sqlite3.SQLITE_READONLY: "the company file is read-only for us; give the service the right to write it",
    sqlite3.SQLITE_PERM: "the company file may not be used by us; give the service the right to it",
    sqlite3.SQLITE_AUTH: "the company file refuses this statement to us",
}
# Codes after which a commit certainly did not happen: SQLite refused it before its last write.
_COMMIT_CERTAIN = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CONSTRAINT,
}


def code_of(error: sqlite3.Error) -> int:
    """The primary result code; 0 where the driver itself refused, as on a closed connection."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & _PRIMARY


def is_busy(error: sqlite3.Error) -> bool:
    return code_of(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def named(error: sqlite3.Error) -> ConnectorError:
    """The error of a read, or of a write before its commit: nothing was changed."""
    code = code_of(error)
    if code in _REFUSED:
        return PermissionRefused(_REFUSED[code])
    return SystemDown(_DOWN.get(code, f"the company file does not answer: {error}"))


def named_at_commit(error: sqlite3.Error) -> ConnectorError:
    """The error of a commit."""
    if code_of(error) in _COMMIT_CERTAIN:
        return named(error)
    return OutcomeUnknown(f"the company file failed while the change was being committed: {error}")
