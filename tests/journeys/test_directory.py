"""The desk on a real OpenLDAP server: what it does is proved by the server itself."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.procedures.request import State
from integrations.contract import PermissionRefused, Secret
from integrations.ldap import Ldap
from integrations.ldap.check import TooPowerful
from tests.contracts import ad_world, ldap_world
from tests.house import MONDAY, Clock, House, house
from tests.servers import company_ldif
from tests.servers import samba as samba_server
from tests.servers.company_ldif import GROUPS, PASSWORD, entry_uuid, group_dn
from tests.servers.proxy import Proxy
from tests.servers.samba import Samba
from tests.servers.slapd import Slapd

GOOD = Secret("Quiet-Harbour-Lantern-42")


class OpenLdap:
    """What the desk is told of the server, and what the server says by itself."""

    person_dn, group_dn = staticmethod(company_ldif.person_dn), staticmethod(company_ldif.group_dn)

    def __init__(self, server: Slapd) -> None:
        self.server = server

    def id(self, name: str) -> str:
        return entry_uuid(name)

    def effects(self, dn: str, attribute: str) -> int | None:
        return self.server.effects(dn, attribute)


class ActiveDirectory:
    person_dn, group_dn = staticmethod(samba_server.person_dn), staticmethod(samba_server.group_dn)

    def __init__(self, server: Samba) -> None:
        self.server = server

    def id(self, name: str) -> str:
        return samba_server.ids(self.server.url, self.server.ca_file)[name]

    def effects(self, dn: str, attribute: str) -> int | None:
        return None  # it keeps no log that we could count in


Place = OpenLdap | ActiveDirectory


@pytest.fixture(scope="module")
def loaded(slapd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ldap_world.template(tmp_path_factory.mktemp("openldap"))


@pytest.fixture
def server(loaded: Path, tmp_path: Path) -> Iterator[Slapd]:
    with ldap_world.serving(loaded, tmp_path / "slapd") as running:
        yield running


@pytest.fixture(params=["openldap", "active-directory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "openldap":
        yield OpenLdap(request.getfixturevalue("server"))
        return
    request.getfixturevalue("samba")
    with samba_server.running(samba_server.template()) as running:
        yield ActiveDirectory(running)


def settings_of(place: Place) -> dict[str, Any]:
    names = ",".join(f"{name}={place.id('group.' + name)}" for name in GROUPS)
    return {
        "ldap_url": place.server.url,
        "ldap_bind_dn": place.server.bind_dn,
        "ldap_password": place.server.password,
        "ldap_people_base": place.server.people_base,
        "ldap_groups_base": place.server.groups_base,
        "ldap_ca_file": place.server.ca_file,
        "ldap_groups": names,
        "ldap_protected": "protected",
        "ldap_on_leave": place.id("group.on-leave"),
    }


@asynccontextmanager
async def desk_on(place: Place, data: Path, **more: Any) -> AsyncIterator[House]:
    async with house(data, clock=Clock.at(MONDAY), **{**settings_of(place), **more}) as running:
        yield running


async def test_a_password_is_reset_and_the_server_takes_the_new_one_alone(
    place: Place, tmp_path: Path
) -> None:
    server = place.server
    async with desk_on(place, tmp_path / "data") as desk:
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
        assert place.effects(place.person_dn("ana"), "userPassword") in (1, None)


async def test_timed_access_appears_and_disappears_in_the_directory(place: Place, tmp_path: Path) -> None:
    async with desk_on(place, tmp_path / "data") as desk:
        await desk.asks("ana", "I need access to figma for two weeks")
        assert desk.state() is State.ACTIVE
        assert await desk.has("ana", "figma-editors")
        desk.clock.forward(days=14, minutes=1)
        await desk.settle()
        assert not await desk.has("ana", "figma-editors")
        assert desk.state() is State.ENDED
        assert place.effects(place.group_dn("figma-editors"), "member") in (2, None)


async def test_a_nested_group_decides_and_a_manager_comes_from_the_directory(
    place: Place, tmp_path: Path
) -> None:
    async with desk_on(place, tmp_path / "data") as desk:
        await desk.asks("ana", "I need access to the production database (read) for 3 days")
        await desk.press("bo", "Approve")
        await desk.press("nadia", "Approve")
        assert await desk.has("ana", "prod-db-read")
        ida = await desk.app.system.directory.by_account("ida")
        assert ida.privileged, "through a group inside a group inside the protected one"
        await desk.says("ida", "I forgot my password")
        assert desk.requests(State.REFUSED), "by the rules"
        assert place.effects(place.person_dn("ida"), "userPassword") in (0, None)
        assert place.server.can_log_in("ida", PASSWORD)


def deskhand(place: Place, data: Path, *words: str, **more: str) -> str:
    """The command, as an admin runs it."""
    given = {name.upper(): str(value) for name, value in settings_of(place).items()}
    given["LDAP_PROTECTED_GROUPS"] = given.pop("LDAP_PROTECTED")
    given["LDAP_ON_LEAVE_GROUP"] = given.pop("LDAP_ON_LEAVE")
    env = {**os.environ, **given, **more, "DESKHAND_DATA": str(data)}
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], env=env, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_doctor_says_what_the_service_account_may_and_may_not(place: Place, tmp_path: Path) -> None:
    said = deskhand(place, tmp_path / "data", "doctor")
    assert "ok    directory" in said
    assert "changes no protected group" in said
    assert "may change the members of all 28 groups of the catalogue, and of no protected one" in said
    assert re.search(r"ok    its reach +could reset \d+ of \d+ people, and none of \d+ protected", said), said
    assert place.server.password not in said
    more = {"LDAP_GROUPS": settings_of(place)["ldap_groups"].replace("figma-editors=", "figma-old=")}
    assert "MEND" in deskhand(place, tmp_path / "data", "doctor", **more)


def test_groups_that_look_requestable_are_suggested_and_no_other(place: Place, tmp_path: Path) -> None:
    said = deskhand(place, tmp_path / "data", "catalogue", "suggest")
    entries = {each["name"]: each for each in yaml.safe_load(said)["resources"]}
    assert entries["figma-editors"]["group"] == place.id("group.figma-editors")
    assert entries["figma-editors"]["lets"] == "Figma editors"
    assert not {"protected", "domain-admins", "tier-0-admins", "Domain Admins", "Administrators"} & set(
        entries
    )


async def test_there_is_no_time_off_and_it_is_said_so(server: Slapd, tmp_path: Path) -> None:
    async with desk_on(OpenLdap(server), tmp_path / "data") as desk:
        await desk.says("ana", "how many vacation days do I have left?")
        assert "no time-off policy on record" in (await desk.card("ana")).text


async def test_a_reply_that_is_lost_ends_in_the_true_state_or_stuck_and_never_twice(
    server: Slapd, tmp_path: Path
) -> None:
    with Proxy.before(server.port) as proxy:
        async with desk_on(
            OpenLdap(server), tmp_path / "data", ldap_url=f"ldaps://localhost:{proxy.port}"
        ) as desk:
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
    async with desk_on(OpenLdap(server), tmp_path / "data") as desk:
        desk.ids["ana"] = await_id
        await desk.says("ana", "I need access to figma for two weeks")
        assert "I cannot check your request right now" in await desk.heard("ana")
        server.start()
        desk.app.system.client._not_before = 0.0  # type: ignore[attr-defined]
        await desk.asks("ana", "I need access to figma for two weeks")
        assert await desk.has("ana", "figma-editors")


class TestTheAdministratorOfAnActiveDirectory:
    @pytest.fixture
    def controller(self, samba: Path) -> Iterator[Samba]:
        with samba_server.running(samba_server.template()) as running:
            yield running

    async def test_is_refused_by_connector_and_independently_by_the_server(
        self, controller: Samba, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ldap = Ldap(ad_world.settings_of(controller))
        ids = samba_server.ids(controller.url, controller.ca_file)
        boss = await ldap.directory.person(ids["Administrator"])
        assert boss.privileged, "by being in a built-in group, whatever is configured"
        with pytest.raises(PermissionRefused, match="own admins"):
            await ldap.accounts.reset(boss.id, GOOD, op="op-1")
        monkeypatch.setattr("integrations.ldap.directory.Look.is_privileged", lambda *_: False)
        with pytest.raises(PermissionRefused, match="no right"):
            await ldap.accounts.reset(boss.id, GOOD, op="op-2")
        administrator = controller.administrator()
        assert administrator.bound, "with the old password"
        administrator.unbind()
        ldap.close()

    async def test_a_right_over_one_of_them_is_found_without_using_it(self, controller: Samba) -> None:
        ldap = Ldap(ad_world.settings_of(controller))
        before = await ldap.reach()
        assert before.exposed == ()
        assert before.resettable > 30
        samba_server.delegate(controller, samba_server.person_dn("ida"))
        ldap.client.run_now(lambda session: ldap.client.drop())
        after = await ldap.reach()
        assert after.exposed == (samba_server.person_dn("ida"),)
        assert controller.can_log_in("ida", PASSWORD), "nobody's password was touched"
        ldap.close()

    async def test_asked_by_themselves_the_rules_refuse(self, controller: Samba, tmp_path: Path) -> None:
        async with desk_on(ActiveDirectory(controller), tmp_path / "data") as desk:
            await desk.says("Administrator", "I forgot my password")
            assert [request.state for request in desk.requests()] == [State.REFUSED]

    async def test_is_no_service_account(self, controller: Samba) -> None:
        as_admin = {"bind_dn": samba_server.ADMINISTRATOR, "password": samba_server.ADMIN_PASSWORD}
        ldap = Ldap(ad_world.settings_of(controller, **as_admin))
        with pytest.raises(TooPowerful, match="LDAP_BIND_DN"):
            await ldap.directory.by_account("ana")
        ldap.close()

    async def test_somebody_made_an_admin_a_moment_ago_is_out_of_reach(self, controller: Samba) -> None:
        ldap = Ldap(ad_world.settings_of(controller))
        ids = samba_server.ids(controller.url, controller.ca_file)
        assert not (await ldap.directory.person(ids["ana"])).privileged
        admin = controller.administrator()
        members = {"member": [("MODIFY_ADD", [samba_server.person_dn("ana")])]}
        admin.modify(f"CN=Domain Admins,CN=Users,{samba_server.DOMAIN}", members)
        admin.unbind()
        assert (await ldap.directory.person(ids["ana"])).privileged
        with pytest.raises(PermissionRefused):
            await ldap.accounts.reset(ids["ana"], GOOD, op="op-1")
        ldap.close()
