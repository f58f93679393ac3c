"""The desk on a real OpenLDAP server: what it does is proved by the server itself."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bot.chat.inbound import Ack
from bot.procedures.request import State
from tests.contracts import ldap_world
from tests.house import MONDAY, Clock, House, house
from tests.servers import slapd as servers
from tests.servers.certificates import Certificates
from tests.servers.company_ldif import GROUPS, PASSWORD, group_dn, person_dn
from tests.servers.proxy import Proxy
from tests.servers.slapd import Slapd


@pytest.fixture(scope="module")
def loaded(slapd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ldap_world.template(tmp_path_factory.mktemp("openldap"))


@asynccontextmanager
async def desk_on(server: Slapd, data: Path, **more: Any) -> AsyncIterator[House]:
    names = ",".join(f"{name}={ldap_world.group(name)}" for name in GROUPS)
    settings = {
        "ldap_url": server.url,
        "ldap_bind_dn": server.bind_dn,
        "ldap_password": server.password,
        "ldap_people_base": server.people_base,
        "ldap_groups_base": server.groups_base,
        "ldap_ca_file": server.ca_file,
        "ldap_groups": names,
        "ldap_protected": "protected",
        "ldap_on_leave": ldap_world.group("on-leave"),
    }
    async with house(data, clock=Clock.at(MONDAY), **{**settings, **more}) as running:
        receive = running.app.desk.receive

        async def patiently(*args: Any, **kwargs: Any) -> Ack:
            """A directory may take longer than an Ack waits."""
            ack = await receive(*args, **kwargs)
            await running.app.desk.finish()
            return ack

        with mock.patch.object(running.app.desk, "receive", patiently):
            yield running


@pytest.fixture
def server(loaded: Path, tmp_path: Path):
    tls = loaded / "tls"
    certificates = Certificates(tls / "ca.pem", tls / "cert.pem", tls / "key.pem")
    (tmp_path / "slapd").mkdir()
    with servers.running(Slapd(loaded / "made", certificates), tmp_path / "slapd") as running:
        yield running


async def test_a_password_is_reset_and_the_server_takes_the_new_one_alone(
    server: Slapd, tmp_path: Path
) -> None:
    async with desk_on(server, tmp_path / "data") as desk:
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve", {"spoke": "yes"})
        link, code = await desk.link("ana"), await desk.code("bo")
        async with desk.browser() as browser:
            page = await browser.post(link, data={"code": code})
        new = html.unescape(page.text.partition("<code>")[2].partition("</code>")[0])
        assert server.can_log_in("ana", new)
        assert not server.can_log_in("ana", PASSWORD)
        state = await desk.app.system.accounts.state(await desk.id("ana"))
        assert state.must_change
        assert server.effects(person_dn("ana"), "userPassword") == 1


async def test_timed_access_appears_and_disappears_in_the_directory(server: Slapd, tmp_path: Path) -> None:
    async with desk_on(server, tmp_path / "data") as desk:
        await desk.asks("ana", "I need access to figma for two weeks")
        assert desk.state() is State.ACTIVE
        assert await desk.has("ana", "figma-editors")
        desk.clock.forward(days=14, minutes=1)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors")
        assert desk.state() is State.ENDED
        assert server.effects(group_dn("figma-editors"), "member") == 2


async def test_a_nested_group_decides_and_a_manager_comes_from_the_directory(
    server: Slapd, tmp_path: Path
) -> None:
    async with desk_on(server, tmp_path / "data") as desk:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        await desk.press("bo", "Approve")
        await desk.press("nadia", "Approve")
        assert await desk.has("ana", "prod-db-read")
        ida = await desk.app.system.directory.by_account("ida")
        assert ida.privileged, "through a group inside a group inside the protected one"
        await desk.says("ida", "I forgot my password")
        assert desk.requests(State.REFUSED), "by the rules"
        assert server.effects(person_dn("ida"), "userPassword") == 0


async def test_there_is_no_time_off_and_it_is_said_so(server: Slapd, tmp_path: Path) -> None:
    async with desk_on(server, tmp_path / "data") as desk:
        await desk.says("ana", "how many vacation days do I have left?")
        assert "no time-off policy on record" in (await desk.card("ana")).text


async def test_a_reply_that_is_lost_ends_in_the_true_state_or_stuck_and_never_twice(
    server: Slapd, tmp_path: Path
) -> None:
    with Proxy.before(server.port) as proxy:
        async with desk_on(server, tmp_path / "data", ldap_url=f"ldaps://localhost:{proxy.port}") as desk:
            await desk.says("ana", "I need access to figma for two weeks")
            ldap: Any = desk.app.system
            modify = ldap.client._open

            def opened() -> Any:
                connection = modify()
                real = connection.modify

                def losing(dn: str, changes: Any) -> Any:
                    if dn == group_dn("figma-editors") and "MODIFY_ADD" in str(changes):
                        proxy.trouble = "lost reply"
                    return real(dn, changes)

                connection.modify = losing
                return connection

            ldap.client.drop()
            ldap.client._open = opened
            await desk.press("ana", "Yes, do it")
            proxy.trouble = ""
            ldap.client._open = modify
            ldap.client.drop()
            ldap.client._not_before = 0.0
            for _ in range(3):
                desk.clock.forward(minutes=1)
                await desk.app.engine.sweep()
            assert desk.state() in (State.ACTIVE, State.STUCK)
            assert server.effects(group_dn("figma-editors"), "member") == 1
            assert await desk.has("ana", "figma-editors")


async def test_a_directory_that_is_down_is_said_and_the_desk_starts_all_the_same(
    server: Slapd, tmp_path: Path
) -> None:
    await_id = ldap_world.person("ana")
    server.stop()
    async with desk_on(server, tmp_path / "data") as desk:
        desk.ids["ana"] = await_id
        await desk.says("ana", "I need access to figma for two weeks")
        assert "I cannot check your request right now" in await desk.heard("ana")
        server.start()
        desk.app.system.client._not_before = 0.0  # type: ignore[attr-defined]
        await desk.asks("ana", "I need access to figma for two weeks")
        assert await desk.has("ana", "figma-editors")
