"""Who is let in through Slack: eight kinds of account on six surfaces, and whose account is whose."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from integrations.contract import Status, UnknownPerson
from tests.house import MONDAY, Clock
from tests.servers.slack.server import texts
from tests.servers.slack.state import User
from tests.slack_house import MODES, Work, user_id, work

KINDS = (
    "member",
    "guest",
    "single-channel guest",
    "bot",
    "stranger",
    "deactivated",
    "other workspace",
    "unconfirmed mail",
)
SURFACES = ("direct message", "mention", "button", "command", "form", "home")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Work]:
    async with work(tmp_path / "data", clock=Clock.at(MONDAY)) as running:
        yield running
        assert not running.house.events("inbound.failed"), "a fault of ours"


class TestKindsAndSurfaces:
    @pytest.mark.parametrize("mode", MODES)
    async def test_of_all_only_a_member_gets_through(self, tmp_path: Path, mode: str) -> None:
        """48 cells: what each kind of account gets done on each surface."""
        async with work(tmp_path / "data", mode, clock=Clock.at(MONDAY)) as desk:
            await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
            served = {
                (kind, surface): await self._gets_through(desk, kind, surface)
                for kind in KINDS
                for surface in SURFACES
            }
            let_in = {cell for cell, through in served.items() if through}
            assert let_in == {("member", surface) for surface in SURFACES}
            assert len(served) == 48
            assert not [e for e in desk.slack.errors if "given up" in e], "Slack is not left retrying"

    async def _gets_through(self, desk: Work, kind: str, surface: str) -> bool:
        user = desk.slack.state.users[user_id("luis")]
        user.kind = kind
        await desk.slack.changes(user.id)
        desk.slack.state.homes.pop(user.id, None)
        before = await self._traces(desk, user)
        other = {"user_team": user.team, "source_team": user.team, "team": user.team}
        strange = other if kind in ("stranger", "other workspace") else {}
        bot = {"bot_id": "B0OTHER"} if kind == "bot" else {}
        match surface:
            case "direct message":
                await desk.says("luis", "how many vacation days do I have left?", **strange, **bot)
            case "mention":
                general = desk.slack.add_channel("general", user.id)
                words = "how many vacation days do I have left?"
                await desk.mentions("luis", general, words, **strange, **bot)
            case "command":
                await desk.command("luis", "how many vacation days do I have left?")
            case "home":
                await desk.opens_home("luis")
            case "button":
                await desk.press("luis", "Approve", where=desk.approvals)
            case "form":
                shown = desk.slack.posted(desk.approvals)[-1]
                desk.slack.state.modals[user.id] = [_form_of(shown)]
                await desk.submits("luis", {})
        user.kind = "member"
        await desk.slack.changes(user.id)
        return await self._traces(desk, user) != before

    async def _traces(self, desk: Work, user: User) -> tuple[int, int, int]:
        """What the desk did for them: answers given, presses judged, pages with something on them."""
        person = await desk.house.id("luis")
        events = [e for e in desk.house.events() if person in (e["actor"], e["subject"])]
        page = texts(desk.slack.state.homes.get(user.id, {}))
        return (
            len([e for e in events if e["kind"].startswith("lookup.")]),
            len([e for e in events if e["kind"] == "press.refused"]),
            page.count("Your open requests"),
        )

    async def test_somebody_refused_hears_only_that(self, desk: Work) -> None:
        desk.slack.state.users[user_id("luis")].kind = "guest"
        await desk.says("luis", "how many vacation days do I have left?")
        assert desk.told("luis") == "I only help people of this company."
        assert await desk.opens_home("luis") == "I only help people of this company."
        events = desk.house.events("sender.refused")
        assert [event["data"]["why"] for event in events] == ["a guest", "a guest"]

    async def test_a_channel_shared_with_another_company_is_not_answered(self, desk: Work) -> None:
        shared = desk.slack.add_channel("with-them", user_id("ana"), shared=True)
        before = len(desk.house.events())
        await desk.mentions("ana", shared, "show my requests", is_ext_shared_channel=True)
        assert not desk.slack.posted(shared)
        assert len(desk.house.events()) == before

    async def test_a_press_believes_nothing_that_was_read_before(self, desk: Work) -> None:
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        desk.slack.state.users[user_id("bo")].kind = "guest"  # and Slack did not tell
        await desk.press("bo", "Approve")
        assert not await desk.house.has("ana", "warehouse-readers")
        assert desk.told("bo") == "I only help people of this company."


def _form_of(message: Any) -> dict[str, Any]:
    """A form that would approve, as if this person had been shown one."""
    handle = next(e["value"] for b in message["blocks"] if b["type"] == "actions" for e in b["elements"])
    kept = {"handle": handle, "conversation": "C1", "direct": False, "message": "", "overview": False}
    block = {
        "type": "input",
        "block_id": "reason",
        "label": {"type": "plain_text", "text": "Reason"},
        "element": {"type": "plain_text_input", "action_id": "value"},
    }
    return {
        "id": "V1",
        "type": "modal",
        "callback_id": "deskhand-form",
        "private_metadata": json.dumps(kept),
        "blocks": [block],
    }


class TestWhoseAccount:
    async def test_the_first_message_links_by_confirmed_mail_and_it_is_recorded(self, desk: Work) -> None:
        await desk.says("ana", "show my requests")
        (event,) = desk.house.events("person.linked")
        assert event["subject"] == await desk.house.id("ana")
        assert event["data"] == {"account": user_id("ana"), "by": "mail"}
        await desk.says("ana", "show my requests")
        assert len(desk.house.events("person.linked")) == 1

    async def test_a_changed_mail_or_name_changes_nothing(self, desk: Work) -> None:
        await desk.says("ana", "show my requests")
        account = desk.slack.state.users[user_id("ana")]
        account.mail = desk.slack.state.users[user_id("bo")].mail
        account.name = "The CEO"
        await desk.slack.changes(account.id)
        await desk.says("ana", "how many vacation days do I have left?")
        assert "96.5" in desk.last("ana"), "still Ana's own balance"
        assert len(desk.house.events("person.linked")) == 1

    async def test_a_mail_that_is_given_to_somebody_else_inherits_nothing(self, desk: Work) -> None:
        await desk.says("ana", "show my requests")
        mail = desk.slack.state.users[user_id("ana")].mail
        desk.slack.state.users[user_id("ana")].kind = "deactivated"
        new = desk.slack.add_user(mail, "Another Ana")
        await desk.slack.says(new.id, "how many vacation days do I have left?")
        await desk.house.quiet()
        assert not desk.slack.dm(new.id)
        assert "Ask the help desk to link it" in texts_of(desk, new.id)
        assert desk.house.events("sender.refused")[-1]["data"]["why"].endswith("was linked before")

    async def test_two_accounts_that_write_at_once_with_one_mail_are_one_person_once(
        self, desk: Work
    ) -> None:
        mail = desk.slack.state.users[user_id("luis")].mail
        twin = desk.slack.add_user(mail, "Luis Twin")
        await asyncio.gather(
            desk.slack.says(twin.id, "show my requests"), desk.slack.says(user_id("luis"), "show my requests")
        )
        await desk.house.quiet()
        assert len(desk.house.events("person.linked")) == 1

    async def test_mail_that_nobody_in_the_directory_has_links_nobody(self, desk: Work) -> None:
        stranger = desk.slack.add_user("who@elsewhere.example", "Who Ever")
        await desk.slack.says(stranger.id, "unlock my account")
        await desk.house.quiet()
        assert "Ask the help desk to link it" in texts_of(desk, stranger.id)

    async def test_an_admin_links_by_hand_and_ends_links(self, desk: Work) -> None:
        people, directory = desk.house.app.office.people, desk.house.app.company.directory
        luis = await directory.by_account("luis")
        other = desk.slack.add_user("private@elsewhere.example", "Luis at home")
        await people.link("slack", other.id, luis, "os:root")
        await desk.slack.says(other.id, "show my requests")
        await desk.house.quiet()
        assert desk.slack.dm(other.id), "served as Luis"
        assert await people.unlink("slack", luis, "os:root")
        await desk.slack.says(other.id, "show my requests")
        await desk.says("luis", "show my requests")
        assert "Ask the help desk to link it" in texts_of(desk, other.id)
        assert "Ask the help desk to link it" in desk.told("luis"), "an ended link is not made again by mail"
        kinds = [event["kind"] for event in desk.house.events("person.")]
        assert kinds == ["person.linked", "person.unlinked"]

    async def test_one_person_with_two_accounts_does_not_approve_their_own(self, desk: Work) -> None:
        await desk.asks("bo", "I need access to the data warehouse for 2 weeks")
        await desk.press("bo", "Approve", where=desk.approvals)
        assert not await desk.house.has("bo", "warehouse-readers")
        home = await desk.house.inbound("bo", "x")  # the same person on the web desk
        assert (await desk.house.app.office.people.identify(home)).id == home.account

    async def test_somebody_who_left_is_a_stranger_from_that_moment(self, desk: Work) -> None:
        await desk.says("ana", "show my requests")
        await desk.house.hr.set_status(await desk.house.id("ana"), Status.LEFT)
        seen = len(desk.slack.dm(user_id("ana")))
        await desk.says("ana", "show my requests")
        assert len(desk.slack.dm(user_id("ana"))) == seen

    async def test_a_directory_that_does_not_know_them_any_more(
        self, desk: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await desk.says("ana", "show my requests")

        async def nobody(_: str) -> Any:
            raise UnknownPerson

        monkeypatch.setattr(desk.house.app.office.people, "_directory", type("D", (), {"person": nobody}))
        await desk.says("ana", "show my requests")
        assert "I only help people of this company." in desk.told("ana")


def texts_of(desk: Work, user: str) -> str:
    return "\n".join(str(each.get("text")) for each in desk.slack.ephemerals(user))
