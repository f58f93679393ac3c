"""One person in Active Directory and in Entra: two accounts, one unchanging id between them."""

from __future__ import annotations

import html
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.procedures.proofs import CALLBACK
from bot.procedures.request import State
from bot.settings import Settings
from tests.house import MONDAY, Clock, House, house
from tests.journeys.test_directory import ActiveDirectory
from tests.journeys.test_directory import settings_of as of_ad
from tests.journeys.test_entra import settings_of as of_entra
from tests.servers import samba as samba_server
from tests.servers.company_ldif import PASSWORD
from tests.servers.entra.graph import FakeGraph, anchor_of, group_id, person_id
from tests.servers.samba import Samba
from tests.sign_in_house import Visitor

PEOPLE = ("ana", "bo", "nadia", "mei")


@pytest.fixture
def ad(samba: None) -> Iterator[Samba]:
    with samba_server.running(samba_server.template()) as running:
        yield running


@pytest.fixture
def graph(ad: Samba) -> Iterator[FakeGraph]:
    """Everybody but Luis was synchronised."""
    ids = samba_server.ids(ad.url, ad.ca_file)
    with FakeGraph.running() as running:
        for account in PEOPLE:
            user = running.tenant.users[person_id(account)]
            user |= {"onPremisesImmutableId": anchor_of(ids[account]), "onPremisesSyncEnabled": True}
        yield running


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """Figma is a group of Entra, all else stays in Active Directory."""
    folder = tmp_path / "policies"
    shutil.copytree(Settings().policies, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    file = folder / "catalogue.yaml"
    catalogue = yaml.safe_load(file.read_text())
    (figma,) = [each for each in catalogue["resources"] if each["key"] == "figma"]
    figma |= {"system": "entra", "group": group_id("figma-editors")}
    file.write_text(yaml.safe_dump(catalogue, allow_unicode=True))
    return folder


@pytest.fixture
async def desk(ad: Samba, graph: FakeGraph, policies: Path, tmp_path: Path) -> AsyncIterator[House]:
    settings: dict[str, Any] = {
        **of_ad(ActiveDirectory(ad)),
        **of_entra(graph),
        "policies": policies,
        "entra_sign_in": True,
    }
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), **settings) as running:
        graph.login.idp.redirects = {running.app.settings.url + CALLBACK}
        yield running
        assert not running.events("inbound.failed"), "a fault of ours"


async def test_the_same_person_acts_in_both(desk: House, ad: Samba, graph: FakeGraph) -> None:
    assert await desk.id("ana") != person_id("ana"), "two accounts, two ids"
    figma = graph.tenant.members[group_id("figma-editors")]
    await desk.asks("ana", "I need figma for two weeks")
    assert desk.state() is State.ACTIVE
    assert person_id("ana") in figma, "given in Entra, decided on Active Directory"
    desk.clock.forward(days=14, minutes=1)
    await desk.settle()
    assert person_id("ana") not in graph.tenant.members[group_id("figma-editors")]
    await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
    await desk.press("bo", "Approve")
    assert await desk.has("ana", "warehouse-readers"), "and in Active Directory what is there"

    await desk.asks("ana", "I forgot my password")
    await desk.press("bo", "Approve", {"spoke": "yes"})
    (made,) = graph.tenant.passes[person_id("ana")]
    assert graph.tenant.revoked == [person_id("ana")]
    assert ad.can_log_in("ana", PASSWORD), "a pass leaves the password as it is"
    url = await desk.link("ana")
    async with Visitor.of(desk, graph.login) as visitor:
        page = await visitor.signs_in("ana", url)
        assert "It is you" in page.text
        shown = await visitor.sends(url, page)
    value = html.unescape(shown.text.partition("<code>")[2].partition("</code>")[0])
    assert value == made["temporaryAccessPass"]
    assert desk.events("credential.shown")[0]["data"]["proved_by"] == "sign-in"


async def test_a_manager_signs_in_at_microsoft_and_approves_as_the_one_of_the_directory(
    desk: House, graph: FakeGraph
) -> None:
    await desk.asks("ana", "I need access to production deploy for 1 day")
    url = await desk.link("bo")
    async with Visitor.of(desk, graph.login) as visitor:
        refused = await visitor.signs_in("luis", url)
        assert refused.status_code == 403, "an account of Entra that was not synchronised is nobody here"
        page = await visitor.signs_in("bo", url)
        await visitor.sends(url, page, answer="approve")
    (approved,) = desk.events("request.approved")
    assert approved["actor"] == await desk.id("bo")
    assert approved["data"]["attested"] == ["verified"]


async def test_who_is_not_in_entra_gets_nothing_there(desk: House, graph: FakeGraph) -> None:
    await desk.asks("luis", "I need figma for two weeks")
    assert desk.state() is State.UNDONE
    assert person_id("luis") not in graph.tenant.members[group_id("figma-editors")]


async def test_a_new_password_of_the_directory_ends_the_sessions_in_entra(
    ad: Samba, graph: FakeGraph, policies: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        **of_ad(ActiveDirectory(ad)),
        **of_entra(graph),
        "policies": policies,
        "entra_credential": "password",
    }
    async with house(tmp_path / "data", clock=Clock.at(MONDAY), **settings) as desk:
        await desk.asks("ana", "I forgot my password")
        await desk.press("bo", "Approve", {"spoke": "yes"})
        async with desk.browser() as browser:
            page = await browser.post(await desk.link("ana"), data={"code": await desk.code("bo")})
        new = html.unescape(page.text.partition("<code>")[2].partition("</code>")[0])
        assert ad.can_log_in("ana", new)
        assert graph.tenant.revoked == [person_id("ana")]
