"""Who is let in through Teams: kinds of account on every surface, and whose account is whose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.chat.teams.identity import Members
from integrations.contract import Status
from tests.house import MONDAY, Clock
from tests.servers.teams.server import card_of, texts
from tests.servers.teams.state import ELSEWHERE, TENANT
from tests.teams_house import Team, object_id, team

KINDS = ("member", "guest", "federated", "anonymous", "bot", "not in the room", "other tenant", "lookalike")
SURFACES = ("personal chat", "mention", "button", "form", "command")
ASKED = "how many vacation days do I have left?"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Team]:
    async with team(tmp_path / "data", clock=Clock.at(MONDAY)) as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"


class TestKindsAndSurfaces:
    async def test_of_all_only_a_member_gets_through(self, desk: Team) -> None:
        """40 cells: what each kind of account gets done on each surface."""
        await desk.asks("ana", "I forgot my password")
        served = {
            (kind, surface): await self._gets_through(desk, kind, surface)
            for kind in KINDS
            for surface in SURFACES
        }
        assert {cell for cell, through in served.items() if through} == {("member", s) for s in SURFACES}
        assert len(served) == 40

    async def _gets_through(self, desk: Team, kind: str, surface: str) -> bool:
        user = desk.user("luis")
        room = desk.teams.state.personal(user)
        user.kind = kind
        more: dict[str, Any] = {}
        if kind == "bot":
            more["from"] = {"id": "28:another", "name": user.name, "aadObjectId": user.aad}
        if kind == "lookalike":  # the name and Teams id of Luis, and an object id that is nobody's
            more["from"] = {"id": user.id, "name": user.name, "aadObjectId": ELSEWHERE}
        if kind in ("federated", "other tenant"):  # what Microsoft says of them differs, not the body
            more["channelData"] = {"tenant": {"id": "11111111-2222-3333-4444-555555555555"}}
            more["conversation"] = {"id": room.id, "conversationType": "personal"}
        rooms = {room.id, desk.approvals.id} if kind == "not in the room" else set()
        for each in rooms:
            desk.teams.state.rooms[each].members.discard(user.aad)
        desk.house.app.office.platforms["teams"].members._known.clear()  # type: ignore[attr-defined]
        before = await self._traces(desk)
        await self._do(desk, surface, more)
        for each in rooms:
            desk.teams.state.rooms[each].members.add(user.aad)
        user.kind = "member"
        return await self._traces(desk) != before

    async def _do(self, desk: Team, surface: str, more: dict[str, Any]) -> None:
        match surface:
            case "personal chat":
                await desk.says("luis", ASKED, **more)
            case "mention":
                general = desk.teams.add_channel("general", object_id("luis"))
                if "conversation" in more or desk.user("luis").kind == "not in the room":
                    general.members.discard(object_id("luis"))
                await desk.mentions(
                    "luis", general, ASKED, **{k: v for k, v in more.items() if k != "conversation"}
                )
            case "command":
                await desk.says("luis", "pending", **more)
            case "button":
                await desk.press("luis", "Deny", where=desk.approvals, **more)
            case "form":
                await desk.press("luis", "Approve", {"spoke": "yes"}, where=desk.approvals, **more)

    async def _traces(self, desk: Team) -> int:
        """What the desk did for them: answers given, presses judged, commands refused by the rules."""
        person = await desk.house.id("luis")
        events = [e for e in desk.house.events() if person in (e["actor"], e["subject"])]
        return len([e for e in events if e["kind"].startswith(("lookup.", "press.refused", "admin.refused"))])

    async def test_somebody_refused_hears_only_that(self, desk: Team) -> None:
        desk.user("luis").kind = "guest"
        await desk.says("luis", ASKED)
        assert [each["text"] for each in desk.teams.dm(object_id("luis"))] == [
            "I only help people of this company."
        ]
        assert desk.house.events("sender.refused")[-1]["data"]["why"] == "a guest"

    async def test_a_press_believes_nothing_that_was_read_before(self, desk: Team) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        await desk.says("bo", "show my requests")
        desk.user("bo").kind = "guest"
        answer = await desk.press("bo", "Approve")
        assert not await desk.house.has("ana", "warehouse-readers")
        assert answer.body["value"] == "I only help people of this company.", "and no card is shown"

    async def test_whoever_holds_a_token_still_cannot_be_somebody_who_is_not_there(self, desk: Team) -> None:
        """A body is not signed: a sender in it that Microsoft does not confirm is nobody."""
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        room = desk.teams.state.personal(desk.user("ana"))
        forged = {"id": desk.user("bo").id, "name": "Bo Lind", "aadObjectId": object_id("ana")}
        shown = desk.teams.seen(object_id("bo"), desk.approvals)[-1]
        await desk.press("ana", "Approve", where=desk.approvals, message=shown, **{"from": forged})
        assert not await desk.house.has("ana", "warehouse-readers")
        assert room.messages


class TestWhoseAccount:
    async def test_the_first_message_links_by_mail_and_it_is_recorded(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        (event,) = desk.house.events("person.linked")
        assert event["subject"] == await desk.house.id("ana")
        assert event["data"] == {"account": object_id("ana"), "by": "mail"}

    async def test_a_changed_mail_or_name_changes_nothing(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        desk.user("ana").mail, desk.user("ana").name = desk.user("bo").mail, "The CEO"
        desk.house.app.office.platforms["teams"].members._known.clear()  # type: ignore[attr-defined]
        await desk.says("ana", ASKED)
        assert "96.5" in desk.last("ana"), "still Ana's own balance"
        assert len(desk.house.events("person.linked")) == 1

    async def test_a_mail_that_is_given_to_somebody_else_inherits_nothing(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        new = desk.teams.add_user(desk.user("ana").mail, "Another Ana")
        await desk.teams.says(new.aad, ASKED)
        await desk.house.quiet()
        assert "Ask the help desk to link it" in str(desk.teams.dm(new.aad))
        assert desk.house.events("sender.refused")[-1]["data"]["why"].endswith("was linked before")

    async def test_an_address_that_two_members_have_finds_neither(self, desk: Team) -> None:
        twin = desk.teams.add_user(desk.user("bo").mail, "Bo Twin")
        desk.approvals.members.add(twin.aad)
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert not desk.teams.dm(object_id("bo"))
        assert not desk.teams.dm(twin.aad)
        assert "Request of Ana Ruiz" in desk.sees("bo", desk.approvals), "the channel has it"

    async def test_a_guest_with_an_employees_address_hides_nobody(self, desk: Team) -> None:
        guest = desk.teams.add_user(desk.user("bo").mail, "Bo Guest", kind="guest")
        desk.approvals.members.add(guest.aad)
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        assert "Request of Ana Ruiz" in desk.sees("bo")
        assert not desk.teams.dm(guest.aad)

    async def test_two_that_write_at_once_with_one_mail_are_one_person_once(self, desk: Team) -> None:
        twin = desk.teams.add_user(desk.user("luis").mail, "Luis Twin")
        await asyncio.gather(
            desk.teams.says(twin.aad, "show my requests"),
            desk.teams.says(object_id("luis"), "show my requests"),
        )
        await desk.house.quiet()
        assert len(desk.house.events("person.linked")) == 1

    async def test_an_admin_links_by_hand_and_ends_links(self, desk: Team) -> None:
        people, directory = desk.house.app.office.people, desk.house.app.company.directory
        luis = await directory.by_account("luis")
        other = desk.teams.add_user("private@elsewhere.example", "Luis at home")
        await people.link("teams", other.aad, luis, "os:root")
        await desk.teams.says(other.aad, "show my requests")
        await desk.house.quiet()
        assert "My requests and access" in texts(card_of(desk.teams.dm(other.aad)[-1])), "served as Luis"
        assert await people.unlink("teams", luis, "os:root")
        await desk.says("luis", "show my requests")
        assert "Ask the help desk to link it" in desk.sees("luis"), "an ended link is not made again by mail"

    async def test_somebody_who_left_is_a_stranger_from_that_moment(self, desk: Team) -> None:
        await desk.says("ana", "show my requests")
        await desk.house.hr.set_status(await desk.house.id("ana"), Status.LEFT)
        await desk.says("ana", ASKED)
        assert "96.5" not in desk.sees("ana")


class TestWhereEntraIsTheDirectory:
    """The object id is the person: nothing has to be linked by an address."""

    def members(self, directory: str) -> Members:
        api: Any = None  # nothing is asked
        return Members(api, frozenset({TENANT}), None, lenient=False, directory=directory)

    def test_a_members_object_id_is_their_person(self) -> None:
        said = {"id": "29:x", "aadObjectId": "A-1", "tenantId": TENANT, "email": "ana@x.example"}
        assert self.members(TENANT)._account_of(said).person == "a-1"
        assert self.members("")._account_of(said).person == ""
        assert self.members("99999999-2222-3333-4444-555555555555")._account_of(said).person == ""

    def test_of_a_guest_it_is_said_and_they_stay_refused(self) -> None:
        guest = {"id": "29:x", "aadObjectId": "a-1", "tenantId": TENANT, "userRole": "guest"}
        assert self.members(TENANT)._account_of(guest).refused == "a guest"
