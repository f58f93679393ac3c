"""Look-ups in a real OpenLDAP server: through the connector, beside bare ldap3 asking the same questions."""

from __future__ import annotations

import asyncio
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ldap3 import NONE, SAFE_SYNC, Connection, Server, Tls
from ldap3.utils.conv import escape_filter_chars

from bench.figure import Figure, percentile, say
from integrations.ldap import Ldap
from integrations.ldap.client import Client, Session
from integrations.ldap.entries import OpenLdap
from tests.contracts import ldap_world
from tests.servers.slapd import Slapd

MAIL = "ana.ruiz@alderfinch.example"
BAR = 0.8  # of bare ldap3


async def main(quick: bool) -> None:
    rounds, count = (3, 200) if quick else (7, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        made = ldap_world.template(Path(folder) / "made")
        with ldap_world.serving(made, Path(folder) / "run") as server:
            await _compare(server, rounds, count)


async def _compare(server: Slapd, rounds: int, count: int) -> None:
    settings = ldap_world.settings_of(server)
    ldap, schema = Ldap(settings), OpenLdap()
    bare = _bare(server)
    wanted = f"(&{schema.people}(mail={escape_filter_chars(MAIL)}))"

    def ours(session: Session) -> None:
        assert session.search(settings.people_base, wanted, schema.attributes)

    def theirs() -> None:
        found = bare.search(settings.people_base, wanted, attributes=list(schema.attributes))
        assert found[2]

    one, other, whole, times = [], [], [], list[float]()
    await ldap.directory.by_mail(MAIL)
    for _ in range(rounds):  # in turn, so that both meet the same weather
        other.append(_rate(theirs, count))
        rate, took = await _rate_of(ldap.client, ours, count)
        one.append(rate)
        times += took
        begun = time.perf_counter()
        for _ in range(count // 10):
            await ldap.directory.by_mail(MAIL)
        whole.append(count // 10 / (time.perf_counter() - begun))
    ldap.close()
    bare.unbind()
    mine, base = statistics.median(one), statistics.median(other)
    note = f"p50 {statistics.median(times) * 1e3:.2f} ms, p99 {percentile(times, 0.99) * 1e3:.2f} ms"
    say(Figure("OpenLDAP: one search through the connector", mine, "/s", more_is_better=True, note=note))
    say(Figure("the same search by bare ldap3", base, "/s", more_is_better=True))
    say(Figure("connector, in shares of bare ldap3", mine / base, "x", bar=BAR, more_is_better=True))
    note = "with manager, protected groups and leave, all read afresh"
    say(Figure("a person by mail, whole", statistics.median(whole), "/s", more_is_better=True, note=note))


def _bare(server: Slapd) -> Connection:
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(server.ca_file))
    at = Server(server.url, tls=tls, get_info=NONE)
    return Connection(at, server.bind_dn, server.password, client_strategy=SAFE_SYNC, auto_bind=True)


def _rate(ask: Callable[[], None], count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        ask()
    return count / (time.perf_counter() - begun)


async def _rate_of(client: Client, ask: Callable[[Session], None], count: int) -> tuple[float, list[float]]:
    took, begun = [], time.perf_counter()
    for _ in range(count):
        at = time.perf_counter()
        await client.run(ask)
        took.append(time.perf_counter() - at)
    return count / (time.perf_counter() - begun), took


if __name__ == "__main__":
    asyncio.run(main("--quick" in sys.argv))
