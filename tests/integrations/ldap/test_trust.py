"""Whom the connector trusts, and whom it is: certificates, names, rights, and servers that misbehave."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integrations.contract import (
    AmbiguousName,
    OutcomeUnknown,
    PermissionRefused,
    Secret,
    SystemDown,
    UnknownGroup,
    UnknownPerson,
)
from integrations.ldap import Ldap, NotConfigured
from integrations.ldap.check import TooPowerful
from integrations.ldap.errors import error_of
from tests.contracts.ldap_world import READ_ONLY, group, person, settings_of
from tests.servers.certificates import Certificates
from tests.servers.company_ldif import PASSWORD, group_dn, person_dn
from tests.servers.proxy import Proxy
from tests.servers.slapd import ROOT, ROOT_PASSWORD, Slapd

GOOD = Secret("Quiet-Harbour-Lantern-42")


@contextmanager
def connected(server: Slapd, **settings: Any) -> Iterator[Ldap]:
    ldap = Ldap(settings_of(server, **settings))
    try:
        yield ldap
    finally:
        ldap.close()


class TestTheServer:
    async def test_another_authority_s_certificate_is_refused(self, server: Slapd, tmp_path: Path) -> None:
        other = Certificates.make(tmp_path / "other")
        with connected(server, ca_file=other.ca_file) as ldap, pytest.raises(SystemDown, match="certificate"):
            await ldap.directory.person(person("ana"))

    # ldap3 leaves the socket of a refused name to the collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    async def test_a_certificate_for_another_host_is_refused(self, server: Slapd, tmp_path: Path) -> None:
        other = Certificates.make(tmp_path / "other", "ldap.elsewhere.example")
        server.stop()
        server.certificates = other
        server.start()
        with connected(server, ca_file=other.ca_file) as ldap, pytest.raises(SystemDown):
            await ldap.directory.person(person("ana"))
        gc.collect()

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"url": "http://localhost"}, "LDAP_URL"),
            ({"url": "localhost:636"}, "LDAP_URL"),
            ({"bind_dn": ""}, "LDAP_BIND_DN"),
            ({"bind_dn": " "}, "LDAP_BIND_DN"),
            ({"password": ""}, "LDAP_PASSWORD"),
            ({"people_base": ""}, "LDAP_PEOPLE_BASE"),
            ({"ca_file": Path("/nowhere/ca.pem")}, "LDAP_CA_FILE"),
        ],
    )
    def test_nobody_binds_in_the_clear_or_as_nobody(
        self, server: Slapd, wrong: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(NotConfigured, match=named):
            Ldap(settings_of(server, **wrong))

    async def test_an_ldap_address_means_starttls_with_the_same_trust(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        plain = f"ldap://localhost:{server.plain_port}"
        with connected(server, url=plain) as ldap:
            assert (await ldap.directory.person(person("ana"))).name == "Ana Ruiz"
            assert ldap.client.connection().tls_started
        other = Certificates.make(tmp_path / "other")
        with connected(server, url=plain, ca_file=other.ca_file) as ldap, pytest.raises(SystemDown):
            await ldap.directory.person(person("ana"))
        with Proxy.before(server.port) as silent_about_tls:
            silent_about_tls.trouble = "refuse"
            clear = f"ldap://localhost:{silent_about_tls.port}"
            with connected(server, url=clear) as ldap, pytest.raises(SystemDown):
                await ldap.directory.person(person("ana"))

    async def test_a_wrong_password_names_the_setting(self, server: Slapd) -> None:
        with (
            connected(server, password="wrong") as ldap,
            pytest.raises(PermissionRefused, match="LDAP_PASSWORD"),
        ):
            await ldap.check()

    async def test_an_administrator_is_refused_as_a_service_account(self, server: Slapd) -> None:
        with (
            connected(server, bind_dn=ROOT, password=ROOT_PASSWORD) as ldap,
            pytest.raises(TooPowerful, match="LDAP_BIND_DN"),
        ):
            await ldap.directory.person(person("ana"))
        assert server.effects(group_dn("protected"), "member") == 0, "asked without changing anything"

    async def test_a_protected_group_that_is_not_there_protects_nobody_so_nothing_is_done(
        self, server: Slapd
    ) -> None:
        with connected(server, protected=(group("gone"),)) as ldap, pytest.raises(UnknownGroup):
            await ldap.accounts.reset(person("ana"), GOOD, op="op-1")


class TestPrivileged:
    async def test_the_connector_and_independently_the_server_refuse_an_administrator(
        self, server: Slapd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with connected(server) as ldap:
            with pytest.raises(PermissionRefused, match="own admins"):
                await ldap.accounts.reset(person("ida"), GOOD, op="op-1")
            monkeypatch.setattr("integrations.ldap.directory.Look.is_privileged", lambda *_: False)
            with pytest.raises(PermissionRefused, match="no right"):
                await ldap.accounts.reset(person("ida"), GOOD, op="op-2")
        assert server.can_log_in("ida", PASSWORD)

    async def test_somebody_who_became_one_a_moment_ago_is_out_of_reach(self, server: Slapd) -> None:
        with connected(server) as ldap:
            root = server.root()
            root.modify(group_dn("tier-0-admins"), {"member": [("MODIFY_ADD", [person_dn("ana")])]})
            root.unbind()
            assert (await ldap.directory.person(person("ana"))).privileged
            with pytest.raises(PermissionRefused):
                await ldap.accounts.reset(person("ana"), GOOD, op="op-1")


class TestRights:
    @pytest.mark.parametrize(
        ("dn", "attribute", "value"),
        [
            (group_dn("protected"), "member", person_dn("ana")),
            (group_dn("domain-admins"), "member", person_dn("ana")),
            (group_dn("helpdesk-admins"), "member", person_dn("ana")),
            (group_dn("figma-editors"), "cn", "another-name"),
            (group_dn("figma-editors"), "description", "mine"),
            (person_dn("ana"), "mail", "ceo@alderfinch.example"),
            (person_dn("ana"), "manager", person_dn("ana")),
            (person_dn("ana"), "employeeType", "administrator"),
            (person_dn("ida"), "userPassword", "Quiet-Harbour-Lantern-42"),
            (person_dn("grace"), "userPassword", "Quiet-Harbour-Lantern-42"),
            (person_dn("ida"), "pwdReset", "TRUE"),
            ("cn=default,ou=policies,dc=alderfinch,dc=example", "pwdMinLength", "1"),
            ("uid=svc-deskhand,ou=services,dc=alderfinch,dc=example", "userPassword", "Quiet-Harbour-42x"),
        ],
    )
    def test_what_the_account_should_not_do_the_server_refuses(
        self, server: Slapd, dn: str, attribute: str, value: str
    ) -> None:
        service = server.bind(server.bind_dn, server.password)
        _, result, *_ = service.modify(dn, {attribute: [("MODIFY_REPLACE", [value])]})
        assert result["description"] == "insufficientAccessRights"
        assert server.effects(dn, attribute) == 0
        service.unbind()

    def test_it_neither_adds_nor_removes_entries(self, server: Slapd) -> None:
        service = server.bind(server.bind_dn, server.password)
        assert service.delete(person_dn("ana"))[1]["description"] == "insufficientAccessRights"
        added = service.add(person_dn("evil"), "inetOrgPerson", {"sn": "e", "cn": "e"})
        assert added[1]["description"] == "insufficientAccessRights"
        service.unbind()


class TestBadDays:
    async def test_a_write_whose_reply_is_lost_is_not_sent_again(self, server: Slapd) -> None:
        with Proxy.before(server.port) as proxy, connected(server, url=_via(proxy)) as ldap:
            await ldap.directory.person(person("ana"))

            def work(session: Any) -> Any:
                proxy.trouble = "lost reply"
                return session.modify(
                    group_dn("figma-editors"), {"member": [("MODIFY_ADD", [person_dn("ana")])]}
                )

            with pytest.raises(OutcomeUnknown):
                await ldap.client.run(work)
            proxy.trouble = ""
            assert await ldap.groups.has(group("figma-editors"), person("ana"))
            assert server.effects(group_dn("figma-editors"), "member") == 1

    async def test_a_server_that_never_answers_is_down_within_seconds(self, server: Slapd) -> None:
        with Proxy.before(server.port) as proxy, connected(server, url=_via(proxy)) as ldap:
            await ldap.directory.person(person("ana"))
            proxy.trouble = "silent"
            begun = time.monotonic()
            with pytest.raises(SystemDown):
                await ldap.directory.person(person("ana"))
            assert time.monotonic() - begun < 20

    async def test_a_late_answer_is_an_answer(self, server: Slapd) -> None:
        with Proxy.before(server.port) as proxy, connected(server, url=_via(proxy)) as ldap:
            await ldap.directory.groups_of(person("wanda"))
            proxy.trouble = "late"
            assert (await ldap.directory.by_account("wanda")).name == "Wanda Price"

    async def test_a_connection_that_broke_is_made_anew_for_a_read(self, server: Slapd) -> None:
        with Proxy.before(server.port) as proxy, connected(server, url=_via(proxy)) as ldap:
            for _ in range(3):
                assert (await ldap.directory.person(person("ana"))).name == "Ana Ruiz"
                proxy.cut()

    async def test_after_three_failures_nothing_is_tried_for_a_while(self, server: Slapd) -> None:
        with Proxy.before(server.port) as proxy, connected(server, url=_via(proxy)) as ldap:
            proxy.trouble = "refuse"
            for _ in range(3):
                with pytest.raises(SystemDown):
                    await ldap.directory.person(person("ana"))
            begun = time.monotonic()
            with pytest.raises(SystemDown, match="asked again in"):
                await ldap.directory.person(person("ana"))
            assert time.monotonic() - begun < 0.5

    async def test_revoked_rights_are_named_and_nothing_is_changed(self, server: Slapd) -> None:
        with connected(server) as ldap:
            await ldap.directory.person(person("ana"))
            with server.with_acl(READ_ONLY), pytest.raises(PermissionRefused):
                await ldap.groups.add(group("figma-editors"), person("ana"), op="op-1")
            assert server.effects(group_dn("figma-editors"), "member") == 0


class TestOtherServers:
    async def test_a_read_only_replica_is_named_and_nothing_is_changed(self, server: Slapd) -> None:
        with connected(server) as ldap:
            with server.with_more("readonly on"), pytest.raises(PermissionRefused, match="read-only"):
                await ldap.groups.add(group("figma-editors"), person("ana"), op="op-1")
            assert server.effects(group_dn("figma-editors"), "member") == 0

    async def test_a_referral_is_not_followed_with_our_password(self, server: Slapd) -> None:
        """A name that the server refers elsewhere for: it is said, and nobody else is asked."""
        root = server.root()
        away = "ou=away,ou=groups,dc=alderfinch,dc=example"
        with socket.create_server(("127.0.0.1", 0)) as elsewhere:
            elsewhere.settimeout(0.5)
            url = f"ldap://127.0.0.1:{elsewhere.getsockname()[1]}/{away}"
            added = root.add(away, ["referral", "extensibleObject"], {"ou": "away", "ref": url})
            assert added[1]["result"] == 0, added[1]
            root.unbind()
            with connected(server) as ldap:
                changes = {"member": [("MODIFY_ADD", [person_dn("ana")])]}
                result = await ldap.client.run(lambda session: session.modify(f"cn=x,{away}", changes))
                assert isinstance(error_of(result, "change"), SystemDown)
                assert (await ldap.directory.person(person("ana"))).name == "Ana Ruiz"
            with pytest.raises(TimeoutError):
                elsewhere.accept()


class TestHostileText:
    async def test_five_thousand_strings_find_nobody_but_an_exact_match(self, server: Slapd) -> None:
        with connected(server) as ldap:
            one, groups = ldap.directory, ldap.groups
            look_ups = (one.by_mail, one.by_account, one.person, one.by_name, groups.group)
            found = 0
            for at, text in enumerate(_strings(5_000)):
                try:
                    someone: Any = await look_ups[at // 50 % len(look_ups)](text)
                except (UnknownPerson, UnknownGroup, AmbiguousName):
                    continue
                found += 1
                known = (someone.mail, someone.account, someone.id, *someone.name.split())
                assert text.strip().lower() in [each.lower() for each in known]
            assert found > 0, "exact matches among them are found"
            for text in _strings(100):
                assert len(await ldap.directory.search(text, limit=3)) <= 3


def _via(proxy: Proxy) -> str:
    return f"ldaps://localhost:{proxy.port}"


def _strings(count: int) -> Iterator[str]:
    """Made of what filters, names and directories act on."""
    parts = ["*", "(", ")", "\\", "\0", "|", "&", "!", "=", "ana", "ida", "*)(uid=*", "\\2a", ")(cn=*", "%"]
    parts += ["ａna", "аna", "\u200b", " ", "\n", "\ud800", "'", "ana.ruiz@alderfinch.example", person("ana")]
    for number in range(count):
        one, two, three = number % len(parts), number // len(parts) % len(parts), number // len(parts) ** 2
        yield parts[one] if number < len(parts) else parts[one] + parts[two] + parts[three % len(parts)]
