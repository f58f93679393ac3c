"""Entra on a bad day: throttled, late, silent, refused; and an app that may do too much."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from integrations.contract import (
    AccountDisabled,
    Kind,
    OutcomeUnknown,
    PasswordRefused,
    PermissionRefused,
    Secret,
    SystemDown,
    UnknownGroup,
)
from integrations.entra import Entra, NotConfigured
from integrations.entra.client import TooPowerful
from integrations.entra.rights import NEEDED, granted
from integrations.entra.token import LoginRefused
from tests.contracts.entra_world import CAST, settings_of
from tests.servers.certificates import Certificates
from tests.servers.entra.graph import FakeGraph, group_id, person_id, principal

GOOD = Secret("Quiet-Harbour-Lantern-42")
FIGMA, ANA, VIKTOR = group_id("figma-editors"), person_id("ana"), person_id("viktor")


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with FakeGraph.running() as running:
        yield running


@pytest.fixture
def entra(graph: FakeGraph) -> Iterator[Entra]:
    made = Entra(settings_of(graph))
    yield made
    made.close()


class TestThrottlingAndLosses:
    async def test_a_read_waits_as_long_as_it_is_told(self, graph: FakeGraph, entra: Entra) -> None:
        await entra.directory.person(ANA)
        graph.fail("GET", "429", retry_after="1")
        begun = time.monotonic()
        assert (await entra.directory.person(ANA)).name == "Ana Ruiz"
        assert time.monotonic() - begun >= 1.0

    @pytest.mark.parametrize("status", ["500", "502", "503", "504"])
    async def test_a_read_is_asked_again_where_graph_stumbles(
        self, graph: FakeGraph, entra: Entra, status: str
    ) -> None:
        graph.fail("GET", status, times=2)
        assert (await entra.directory.person(ANA)).name == "Ana Ruiz"

    async def test_a_long_wait_is_a_system_that_is_down(self, graph: FakeGraph, entra: Entra) -> None:
        graph.fail("GET", "429", retry_after="600")
        with pytest.raises(SystemDown):
            await entra.directory.person(ANA)

    async def test_a_write_that_was_throttled_did_nothing_and_is_sent_again(
        self, graph: FakeGraph, entra: Entra
    ) -> None:
        graph.fail("POST", "429", retry_after="1")
        assert await entra.groups.add(FIGMA, ANA, op="1") is True

    @pytest.mark.parametrize("kind", ["500", "502", "504", "cut after"])
    async def test_a_write_without_an_answer_is_unknown_and_sent_once(
        self, graph: FakeGraph, entra: Entra, kind: str
    ) -> None:
        graph.fail("POST", kind)
        with pytest.raises(OutcomeUnknown):
            await entra.groups.add(FIGMA, ANA, op="1")
        assert len([call for call in graph.calls if call.method == "POST"]) == 1

    async def test_a_change_is_done_when_it_is_shown(self, graph: FakeGraph, entra: Entra) -> None:
        graph.lag_s = 1.2
        begun = time.monotonic()
        assert await entra.groups.add(FIGMA, ANA, op="1") is True
        assert await entra.groups.has(FIGMA, ANA)
        await entra.accounts.reset(ANA, GOOD, op="2")
        assert time.monotonic() - begun >= 2.4
        assert await entra.groups.remove(FIGMA, ANA, op="3") is True
        assert not await entra.groups.has(FIGMA, ANA)

    async def test_one_that_is_not_shown_in_time_is_unknown(self, graph: FakeGraph) -> None:
        impatient = Entra(settings_of(graph, patience_s=0.5))
        graph.lag_s = 30
        for call in (
            impatient.groups.add(FIGMA, ANA, op="1"),
            impatient.accounts.reset(VIKTOR, GOOD, op="2"),
        ):
            with pytest.raises(OutcomeUnknown, match="does not show it"):
                await call
        impatient.close()

    async def test_a_next_page_elsewhere_is_not_followed(
        self, graph: FakeGraph, entra: Entra, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with FakeGraph.running() as evil:
            page = {"value": [], "@odata.nextLink": f"{evil.graph_url}/users"}
            monkeypatch.setattr(graph, "_page", lambda *_: page)
            with pytest.raises(SystemDown, match="elsewhere"):
                await entra.directory.search("")
            assert not evil.calls


class TestCredentials:
    async def test_after_a_reset_open_sessions_end(self, graph: FakeGraph, entra: Entra) -> None:
        await entra.accounts.reset(ANA, GOOD, op="1")
        assert graph.can_log_in(principal("ana"), GOOD.value)
        assert graph.tenant.revoked == [ANA]

    async def test_sessions_that_cannot_be_ended_leave_it_unknown(
        self, graph: FakeGraph, entra: Entra
    ) -> None:
        graph.fail("POST", "500")
        with pytest.raises(OutcomeUnknown, match="open sessions may go on"):
            await entra.accounts.reset(ANA, GOOD, op="1")

    async def test_a_password_that_comes_from_on_premises_is_refused_with_the_reason_and_a_pass_is_not(
        self, graph: FakeGraph, entra: Entra
    ) -> None:
        graph.tenant.users[ANA]["onPremisesSyncEnabled"] = True
        with pytest.raises(PermissionRefused, match="company's own Active Directory"):
            await entra.accounts.reset(ANA, GOOD, op="1")
        assert not [call for call in graph.calls if call.method == "PATCH"]
        assert entra.passes
        assert graph.sign_in_with_pass("ana", (await entra.passes.issue(ANA, op="2")).value)

    async def test_a_pass_is_for_one_sign_in_as_short_as_allowed_and_voids_the_earlier(
        self, graph: FakeGraph, entra: Entra
    ) -> None:
        assert entra.passes
        first = await entra.passes.issue(ANA, op="1")
        second = await entra.passes.issue(ANA, op="2")
        (held,) = graph.tenant.passes[ANA]
        assert (held["isUsableOnce"], held["lifetimeInMinutes"]) == (True, 60)
        assert await entra.passes.waiting(ANA) == {held["id"]}
        assert not graph.sign_in_with_pass("ana", first.value)
        assert graph.sign_in_with_pass("ana", second.value)
        assert not graph.sign_in_with_pass("ana", second.value)
        assert await entra.passes.waiting(ANA) == frozenset()
        assert graph.tenant.revoked == [ANA, ANA]
        assert first.value not in repr(first) + str(first)

    async def test_where_the_policy_takes_ten_minutes_it_is_ten(self, graph: FakeGraph, entra: Entra) -> None:
        graph.pass_minutes = (10, 480)
        assert entra.passes
        await entra.passes.issue(ANA, op="1")
        assert graph.tenant.passes[ANA][0]["lifetimeInMinutes"] == 10

    async def test_a_tenant_that_allows_no_passes_says_so(self, graph: FakeGraph, entra: Entra) -> None:
        graph.passes_allowed = False
        assert entra.passes
        with pytest.raises(PermissionRefused, match="policy allows no pass"):
            await entra.passes.issue(ANA, op="1")

    async def test_nobody_privileged_or_gone_gets_a_pass(self, entra: Entra) -> None:
        assert entra.passes
        with pytest.raises(PermissionRefused):
            await entra.passes.issue(CAST.privileged_by_nesting, op="1")
        for gone in (CAST.disabled, CAST.left):
            with pytest.raises(AccountDisabled):
                await entra.passes.issue(gone, op="1")

    async def test_a_weak_password_names_no_password(self, entra: Entra) -> None:
        with pytest.raises(PasswordRefused) as refused:
            await entra.accounts.reset(ANA, Secret("weakling"), op="1")
        assert "weakling" not in str(refused.value)


class TestWhoIsOutOfReach:
    async def test_whoever_holds_a_directory_role(self, graph: FakeGraph, entra: Entra) -> None:
        graph.tenant.roles["11111111-0000-4000-8000-000000000001"] = [ANA]
        assert (await entra.directory.person(ANA)).privileged
        assert all(p.privileged for p in await entra.directory.search("") if p.id == ANA)
        with pytest.raises(PermissionRefused):
            await entra.accounts.reset(ANA, GOOD, op="1")

    async def test_whoever_is_in_a_group_that_can_hold_one(self, graph: FakeGraph, entra: Entra) -> None:
        graph.tenant.groups[FIGMA]["isAssignableToRole"] = True
        graph.tenant.members[FIGMA].append(ANA)
        assert (await entra.directory.person(ANA)).privileged
        assert {p.id for p in await entra.directory.search("", limit=100) if p.privileged} >= {ANA}

    async def test_a_protected_group_that_is_not_there_is_an_error_not_nobody(self, graph: FakeGraph) -> None:
        for name in ("admins", CAST.no_group):  # no id at all, and one of a group that was deleted
            careless = Entra(settings_of(graph, protected=(name,)))
            for call in (careless.directory.person(ANA), careless.accounts.reset(ANA, GOOD, op="1")):
                with pytest.raises(UnknownGroup):
                    await call
            careless.close()

    async def test_a_guest_is_no_employee(self, graph: FakeGraph, entra: Entra) -> None:
        graph.tenant.users[ANA]["userType"] = "Guest"
        assert (await entra.directory.person(ANA)).kind is Kind.CONTRACTOR


class TestTheApp:
    @pytest.mark.parametrize("power", ["RoleManagement.ReadWrite.Directory", "User.ReadWrite.All"])
    async def test_one_that_could_make_itself_an_administrator_is_not_used(
        self, graph: FakeGraph, entra: Entra, power: str
    ) -> None:
        graph.login.roles = [*NEEDED, power]
        for call in (entra.check(), entra.directory.person(ANA), entra.groups.add(FIGMA, ANA, op="1")):
            with pytest.raises(TooPowerful, match=power):
                await call
        assert not graph.calls, "Graph was asked for nothing"

    async def test_what_only_the_other_credential_needs_is_not_missed(self, graph: FakeGraph) -> None:
        graph.login.roles = [each for each in NEEDED if not each.startswith("User-PasswordProfile")]
        by_pass, by_password = Entra(settings_of(graph)), Entra(settings_of(graph, passes=False))
        assert await by_pass.missing() == []
        assert await by_password.missing() == ["User-PasswordProfile.ReadWrite.All"]
        by_pass.close()
        by_password.close()

    async def test_what_it_lacks_is_named(self, graph: FakeGraph, entra: Entra) -> None:
        assert await entra.missing() == []
        assert graph.login.roles
        graph.login.roles.remove("GroupMember.ReadWrite.All")
        graph.login.revoke()
        await entra.check()
        assert await entra.missing() == ["GroupMember.ReadWrite.All"]

    async def test_a_token_that_does_not_say_is_no_reason_to_stop(
        self, graph: FakeGraph, entra: Entra
    ) -> None:
        graph.login.roles = None
        assert await entra.missing() is None
        assert (await entra.directory.person(ANA)).name == "Ana Ruiz"

    @pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "a.e30.c", "a.W10.c", "a.eyJyb2xlcyI6MX0.c"])
    def test_any_token_is_read_without_harm(self, token: str) -> None:
        assert granted(token) is None

    async def test_one_token_serves_many_calls_and_a_refused_one_is_replaced(
        self, graph: FakeGraph, entra: Entra
    ) -> None:
        await entra.directory.person(ANA)
        await entra.directory.person(VIKTOR)
        assert graph.login.logins == ["secret"]
        graph.login.revoke()
        await entra.directory.person(ANA)
        assert graph.login.logins == ["secret", "secret"]

    async def test_a_certificate_is_preferred(self, graph: FakeGraph, tmp_path: Path) -> None:
        made = trustme.CA().issue_cert("deskhand", key_type=trustme.KeyType.RSA)
        graph.login.certificate = made.cert_chain_pems[0].bytes().decode()
        both = tmp_path / "app.pem"
        both.write_bytes(made.private_key_and_cert_chain_pem.bytes())
        entra = Entra(settings_of(graph, certificate=both))
        await entra.directory.person(ANA)
        assert graph.login.logins == ["certificate"]
        entra.close()

    async def test_a_wrong_secret_is_named_and_not_shown(self, graph: FakeGraph) -> None:
        entra = Entra(settings_of(graph, secret="wr0ng~secret"))
        with pytest.raises(LoginRefused) as refused:
            await entra.directory.person(ANA)
        assert "invalid_client" in str(refused.value)
        assert "wr0ng" not in str(refused.value) + repr(entra.client.settings)
        entra.close()

    async def test_a_stranger_with_a_certificate_of_their_own_gets_no_token(
        self, graph: FakeGraph, tmp_path: Path
    ) -> None:
        other = Certificates.make(tmp_path / "other")
        entra = Entra(settings_of(graph, ca_file=other.ca_file))
        with pytest.raises(SystemDown):
            await entra.directory.person(ANA)
        assert not graph.calls
        assert not graph.login.logins
        entra.close()

    def test_without_a_proof_of_who_it_is_it_does_not_start(self, graph: FakeGraph) -> None:
        with pytest.raises(NotConfigured, match="ENTRA_CERTIFICATE_FILE"):
            Entra(settings_of(graph, secret=""))


class TestSuggestions:
    async def test_groups_that_are_ours_to_change_and_say_what_they_are_for(
        self, graph: FakeGraph, entra: Entra
    ) -> None:
        graph.tenant.owners[FIGMA] = [person_id("bo")]
        graph.tenant.groups[group_id("engineering")]["groupTypes"] = ["DynamicMembership"]
        graph.tenant.groups[group_id("platform-team")]["onPremisesSyncEnabled"] = True
        found = {each.group: each for each in await entra.suggestions()}
        assert found[FIGMA].owner == "bo.lind@alderfinch.example"
        assert not {group_id("engineering"), group_id("platform-team"), group_id("protected")} & set(found)
