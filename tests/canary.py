"""A canary in every test that runs a desk: what secrets it made stand in no file, no log line, no message.

Passwords, passes, secrets and recovery codes of authenticators are noted as they are made, past the code that
is to keep them; when the desk has stopped, all that it left is looked through.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy as sa
import structlog

from bot.store.authenticators import Authenticators
from bot.store.sealed import Seals
from integrations.contract import Secret

_LEVELS = ("msg", "debug", "info", "warning", "error", "critical", "exception", "log", "failure", "fatal")


@dataclass
class Canary:
    secrets: set[str] = field(default_factory=set)
    logged: list[str] = field(default_factory=list)

    def absent_from(self, text: str, where: str) -> None:
        for secret in self.secrets:
            assert secret not in text, f"a secret stands in {where}"

    def absent_from_files(self, folder: Path) -> None:
        for file in folder.rglob("*") if self.secrets else ():
            if file.is_file():
                held = file.read_bytes()
                for secret in self.secrets:
                    assert secret.encode() not in held, f"a secret stands in {file.name}"


@contextmanager
def watched() -> Iterator[Canary]:
    """Notes every secret that is made, and every line that is logged, until the end."""
    canary = Canary()
    put, replace, offer, enrol = Seals.put, Seals.replace, Authenticators.offer, Authenticators.enrol
    printed = structlog.PrintLogger.msg

    def noted(secret: Secret) -> None:
        if secret.value:
            canary.secrets.add(secret.value)

    def on_put(self: Seals, conn: sa.Connection, ref: str, secret: Secret) -> None:
        noted(secret)
        put(self, conn, ref, secret)

    def on_replace(self: Seals, conn: sa.Connection, ref: str, secret: Secret) -> None:
        noted(secret)
        replace(self, conn, ref, secret)

    def on_offer(self: Authenticators, conn: sa.Connection, person: str, page: str) -> str:
        secret = offer(self, conn, person, page)
        canary.secrets.add(secret)
        return secret

    def on_enrol(
        self: Authenticators, conn: sa.Connection, person: str, page: str, code: str, now: datetime
    ) -> list[str]:
        codes = enrol(self, conn, person, page, code, now)
        canary.secrets.update(codes, (each.replace("-", "") for each in codes))
        return codes

    def on_print(self: structlog.PrintLogger, message: str) -> None:
        canary.logged.append(message)
        printed(self, message)

    levels: dict[str, Any] = {name: on_print for name in _LEVELS if hasattr(structlog.PrintLogger, name)}
    with (
        mock.patch.multiple(Seals, put=on_put, replace=on_replace),
        mock.patch.multiple(Authenticators, offer=on_offer, enrol=on_enrol),
        mock.patch.multiple(structlog.PrintLogger, **levels),
    ):
        yield canary
    canary.absent_from("\n".join(canary.logged), "the log")
