"""The same against a real directory: the served desk is killed while it changes an OpenLDAP server.

What took effect is counted in the server's own audit log, which knows nothing of the desk.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from bot.audit.checkpoint import CheckpointFile, public_key
from bot.audit.verify import verify
from bot.settings.paths import Paths
from bot.store.keys import KeyFile
from tests.contracts import ldap_world
from tests.faults.served import Window, served
from tests.servers.company_ldif import GROUPS, entry_uuid, group_dn, person_dn
from tests.servers.slapd import Slapd

_CAST = ("ana", "yuki", "zoe", "leo", "maya", "peter", "olga", "diego")  # in none of the groups asked for
_WANTED = {
    "Miro": "miro-users",
    "Jira": "jira-users",
    "Confluence": "confluence-users",
    "Figma": "figma-editors",
}
_LONGEST_S = 0.25  # from the press to the kill
_QUIET_S = 30.0
_MOVING = ("executing", "revoking", "confirming", "approving")


@dataclass
class Outcome:
    kills: int = 0
    in_flight: int = 0
    effects: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unaudited: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        kinds = ("lost", "doubled", "unaudited", "stuck")
        return [f"{kind}: {what}" for kind in kinds for what in getattr(self, kind)]

    def summary(self) -> str:
        counts = " ".join(
            f"{kind}={len(getattr(self, kind))}" for kind in ("lost", "doubled", "unaudited", "stuck")
        )
        return f"directory: kills={self.kills} in_flight={self.in_flight} {counts} effects={self.effects}"


def sweep(kills: int, seed: int) -> Outcome:
    """Grants and their returns, one at a time, each with a kill somewhere behind its press."""
    outcome, chance = Outcome(), random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = ldap_world.template(folder / "made")
        with ldap_world.serving(made, folder / "slapd") as server:
            _Sweep(server, folder / "data", chance, outcome).run(kills)
    return outcome


class _Sweep:
    def __init__(self, server: Slapd, data: Path, chance: random.Random, outcome: Outcome) -> None:
        self._server = server
        self._data = data
        self._chance = chance
        self._outcome = outcome
        self._pairs = [(account, name) for account in _CAST for name in _WANTED]

    def run(self, kills: int) -> None:
        chance, pairs = self._chance, iter(self._chance.sample(self._pairs, len(self._pairs)))
        while self._outcome.kills < kills:
            account, resource = next(pairs)
            dn = group_dn(_WANTED[resource])
            if person_dn(account) in self._members(dn):
                continue
            before = self._server.effects(dn, "member")
            self._killed_after(account, f"I need access to {resource} for two weeks", "Yes, do it", chance)
            self._settled(account, resource, dn, before, given=True)
            if self._outcome.kills < kills:
                before = self._server.effects(dn, "member")
                self._killed_after(account, f"I don't need {resource} anymore", "Yes, do it", chance)
                self._settled(account, resource, dn, before, given=False)
        report = verify(
            Paths(self._data).database,
            CheckpointFile(Paths(self._data).checkpoints),
            public_key(KeyFile.open(Paths(self._data).key)),
        )
        if not report.whole:
            self._outcome.unaudited.append(f"the trail is broken: {report.first_break}")

    def _killed_after(self, account: str, words: str, label: str, chance: random.Random) -> None:
        """SIGKILL some moment after the press was sent."""
        with served(self._data, **self._settings()) as (process, url):
            window = Window(url, entry_uuid(account))
            window.says(words)
            button = window.button(label)
            answered = threading.Event()

            def press() -> None:
                with contextlib.suppress(httpx2.TransportError):  # it died before it answered
                    window.presses(button)
                    answered.set()

            pressing = threading.Thread(target=press)
            pressing.start()
            time.sleep(chance.uniform(0, _LONGEST_S))
            process.kill()
            self._outcome.kills += 1
            self._outcome.in_flight += not answered.is_set()
            pressing.join()

    def _settled(self, account: str, resource: str, dn: str, before: int, *, given: bool) -> None:
        """After the next start: press again where the press was lost, wait, and count."""
        with served(self._data, **self._settings()) as (_, url):
            end = time.monotonic() + _QUIET_S
            while (moving := self._requests(_MOVING)) and time.monotonic() < end:
                if any(state == "confirming" for _, state in moving):
                    with contextlib.suppress(AssertionError):
                        Window(url, entry_uuid(account)).press("Yes, do it")
                time.sleep(0.1)
        self._outcome.lost += [f"{ref} stays {state}" for ref, state in self._requests(_MOVING)]
        self._outcome.stuck += [f"{ref} is {state}" for ref, state in self._requests(("stuck",))]
        self._outcome.lost += [f"{ref} was undone" for ref, _ in self._requests(("undone",))]
        there = person_dn(account) in self._members(dn)
        if there is not given:
            self._outcome.lost.append(f"{account} is {'still' if there else 'not'} in {resource}")
        effects = self._server.effects(dn, "member") - before
        self._outcome.effects += effects
        if effects > 1:
            self._outcome.doubled.append(f"{account} and {resource}: {effects} changes")

    def _requests(self, states: tuple[str, ...]) -> list[Any]:
        places = ", ".join("?" * len(states))
        with contextlib.closing(sqlite3.connect(Paths(self._data).database)) as desk:
            return desk.execute(
                f"SELECT ref, state FROM requests WHERE state IN ({places})", states
            ).fetchall()

    def _members(self, dn: str) -> list[str]:
        root = self._server.root()
        found = root.search(dn, "(objectClass=*)", "BASE", attributes=["member"])[2]
        root.unbind()
        return [str(each) for each in found[0]["attributes"]["member"]]

    def _settings(self) -> dict[str, str]:
        server = self._server
        return {
            "LDAP_URL": server.url,
            "LDAP_BIND_DN": server.bind_dn,
            "LDAP_PASSWORD": server.password,
            "LDAP_PEOPLE_BASE": server.people_base,
            "LDAP_GROUPS_BASE": server.groups_base,
            "LDAP_CA_FILE": str(server.ca_file),
            "LDAP_GROUPS": ",".join(f"{name}={ldap_world.group(name)}" for name in GROUPS),
            "LDAP_PROTECTED_GROUPS": "protected",
            "DESKHAND_LOG_LEVEL": "error",
            "DESKHAND_QUARANTINE_S": "0.001",  # the same people come again
        }
