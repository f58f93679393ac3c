"""The desk on Microsoft Entra: access for a time, a pass shown once, and nobody out of reach reached."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.procedures.request import State
from tests.house import MONDAY, Clock, House, house
from tests.servers.company_ldif import GROUPS, ON_LEAVE, PASSWORD
from tests.servers.entra.graph import APP_ID, SECRET, TENANT, FakeGraph, group_id, person_id, principal

PEOPLE = ("ana", "bo", "nadia", "luis", "ida", "grace")


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with FakeGraph.running() as running:
        yield running


def settings_of(graph: FakeGraph) -> dict[str, Any]:
    return {
        "entra_tenant_id": TENANT.upper(),  # as some pages of Microsoft's show ids
        "entra_app_id": APP_ID.upper(),
        "entra_app_secret": SECRET,
        "entra_groups": ",".join(f"{name}={group_id(name)}" for name in GROUPS),
        "entra_protected": "protected",
        "entra_on_leave": group_id(ON_LEAVE),
        "entra_graph_url": graph.graph_url,
        "entra_login_url": graph.login_url,
        "entra_ca_file": graph.certificates.ca_file,
    }


@pytest.fixture
async def desk(graph: FakeGraph, tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), **settings_of(graph)) as running:
        running.ids |= {account: person_id(account) for account in PEOPLE}
        yield running
        assert not running.events("inbound.failed"), "a fault of ours"


async def shown(desk: House) -> str:
    """The pass or password, from the page."""
    link, code = await desk.link("ana"), await desk.code("bo")
    async with desk.browser() as browser:
        page = await browser.post(link, data={"code": code})
    assert page.status_code == 200
    return html.unescape(page.text.partition("<code>")[2].partition("</code>")[0])


async def test_access_is_given_and_ends(graph: FakeGraph, desk: House) -> None:
    await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
    await desk.press("bo", "Approve")
    assert person_id("ana") in graph.tenant.members[group_id("warehouse-readers")]
    desk.clock.forward(days=14, minutes=1)
    await desk.settle()
    assert person_id("ana") not in graph.tenant.members[group_id("warehouse-readers")]
    assert desk.state() is State.ENDED


async def test_a_pass_is_shown_once_and_stands_nowhere_else(
    graph: FakeGraph, desk: House, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await desk.says("ana", "I forgot my password")
    assert "Give Ana Ruiz a pass for one sign-in, and end their open sessions" in await desk.heard("ana")
    await desk.press("ana", "Yes, do it")
    await desk.press("bo", "Approve", {"spoke": "yes"})
    assert "Show my new pass" in await desk.text("ana")
    (made,) = graph.tenant.passes[person_id("ana")]
    value = made["temporaryAccessPass"]
    assert value not in await desk.text("ana") + await desk.text("bo") + await desk.text("bo", "approvals")
    assert await shown(desk) == value
    assert graph.sign_in_with_pass("ana", value)
    assert graph.can_log_in(principal("ana"), PASSWORD), "the password is as it was"
    assert graph.tenant.revoked == [person_id("ana")]
    said = capfd.readouterr()
    assert value not in said.out + said.err
    assert [
        path for path in tmp_path.rglob("*") if path.is_file() and value.encode() in path.read_bytes()
    ] == []


async def test_where_passwords_are_wanted_it_is_a_password(graph: FakeGraph, tmp_path: Path) -> None:
    settings = {**settings_of(graph), "entra_credential": "password"}
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), **settings) as desk:
        desk.ids |= {account: person_id(account) for account in PEOPLE}
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve", {"spoke": "yes"})
        new = await shown(desk)
        assert graph.can_log_in(principal("ana"), new)
        assert not graph.tenant.passes


async def test_a_pass_that_was_made_and_not_sealed_before_a_crash_is_void(
    graph: FakeGraph, desk: House
) -> None:
    await desk.asks("ana", "I forgot my password")
    with pytest.MonkeyPatch.context() as crash:

        async def die(*_: Any) -> None:
            raise RuntimeError("killed here")

        crash.setattr("bot.procedures.vault.SealedVault.keep", die)
        await desk.press("bo", "Approve", {"spoke": "yes"})
    (lost,) = graph.tenant.passes[person_id("ana")]
    assert desk.state() is State.EXECUTING
    await desk.settle()
    assert desk.state() is State.DONE
    value = await shown(desk)
    assert value != lost["temporaryAccessPass"]
    assert not graph.sign_in_with_pass("ana", lost["temporaryAccessPass"])
    assert graph.sign_in_with_pass("ana", value)


async def test_a_lost_answer_to_the_wish_for_a_pass_leaves_one_pass_that_works(
    graph: FakeGraph, desk: House
) -> None:
    await desk.asks("ana", "I forgot my password")
    graph.fail("POST", "cut after")
    await desk.press("bo", "Approve", {"spoke": "yes"})
    assert desk.state() is State.DONE
    assert graph.sign_in_with_pass("ana", await shown(desk))


async def test_nobody_gives_the_ceo_a_pass(graph: FakeGraph, desk: House) -> None:
    graph.tenant.roles["11111111-0000-4000-8000-000000000001"] = [person_id("grace")]
    await desk.says("grace", "I forgot my password")
    assert not graph.tenant.passes
    assert not [call for call in graph.calls if call.method in ("POST", "PATCH")]


async def test_somebody_who_is_deleted_is_a_stranger_from_that_moment(graph: FakeGraph, desk: House) -> None:
    await desk.says("ana", "show my requests")
    seen = len(await desk.cards("ana"))
    graph.tenant.deleted[person_id("ana")] = {
        "@odata.type": "#microsoft.graph.user",
        **graph.tenant.users.pop(person_id("ana")),
    }
    await desk.says("ana", "show my requests")
    assert len(await desk.cards("ana")) == seen
    assert desk.events("sender.refused")[-1]["data"]["why"] == "not active in the directory"


async def test_graph_down_is_a_bad_day_and_no_more(graph: FakeGraph, desk: House) -> None:
    with graph.stopped():
        await desk.says("ana", "I need access to figma for two weeks")
    assert "I cannot check your request right now" in await desk.heard("ana") or not await desk.cards("ana")
    await desk.says("ana", "I need access to figma for two weeks")
    await desk.press("ana", "Yes, do it")
    assert person_id("ana") in graph.tenant.members[group_id("figma-editors")]
