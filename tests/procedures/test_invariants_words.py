"""Invariants 7, 8, 9, 10 and 12 of the design: what words can do, and where they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.chat.card import Card
from bot.intent.understand import Proposal, SlotGuess, Understander
from bot.procedures.action import Lookup, Procedure, SlotKind
from bot.procedures.request import State
from integrations.contract import PasswordRefused
from tests.house import MONDAY, Clock, House, house

RESET = "I forgot my password, please reset it"


class TestWhatAModelSaysIsAProposal:
    """7. What a model says becomes a Proposal with an action of the list and typed slots, never an
    identity, an approver, a target outside the catalogue or a tool call."""

    @pytest.mark.parametrize(
        "said",
        [
            Proposal("grant_access", 1.0, "model", {"resource": SlotGuess(value="domain-admins")}),
            Proposal("grant_access", 1.0, "model", {"resource": SlotGuess(candidates=(("root", "Root"),))}),
            Proposal("grant_access", 1.0, "model", {"resource": SlotGuess(value={"group": "protected"})}),
            Proposal("grant_access", 1.0, "model", {"group": SlotGuess(value="protected")}),
            *(
                Proposal("grant_access", 1.0, "model", {"resource": SlotGuess(value="figma"), "span": span})
                for span in map(
                    SlotGuess,
                    (
                        True,
                        -5,
                        "1 week",
                        {"minutes": -5},
                        {"minutes": "7"},
                        {"minutes": 10**12},
                        {"until": "x"},
                        {"until": "2026-12-24T00:00:00"},
                        {"from": "2026-12-24T00:00:00+00:00"},
                        [],
                        {},
                    ),
                )
            ),
            Proposal(
                "reset_password", 1.0, "model", {"subject": SlotGuess(value="p-1001", text="Grace Alder")}
            ),
            Proposal("reset_password", 1.0, "model", {"requester": SlotGuess(value="p-1001")}),
            Proposal("unlock_account", 1.0, "model", {"person": SlotGuess(value="p-1021")}),
            Proposal("unlock_for_report", 1.0, "model", {"report": SlotGuess(value="p-1021")}),
            Proposal("pto_balance", 1.0, "model", {"person": SlotGuess(value="p-1010")}),
            Proposal("give_back_access", 1.0, "model", {"grant": SlotGuess(value="R-222222")}),
        ],
        ids=lambda said: f"{said.action}:{'+'.join(said.slots)}",
    )
    async def test_a_model_that_lies_gets_nothing_but_a_question_or_a_refusal(
        self, desk: House, monkeypatch: pytest.MonkeyPatch, said: Proposal
    ) -> None:
        """Ana is nobody's manager and holds nothing."""
        monkeypatch.setattr(Understander, "propose", lambda *_args, **_kwargs: said)
        await desk.says("ana", "whatever")
        for button in [
            b for card in await desk.cards("ana") for b in card.buttons if b.label == "Yes, do it"
        ]:
            await desk.press_handle("ana", button.handle)
        ana = await desk.id("ana")
        assert not await desk.effects()
        assert all(request.subject == ana or request.state is State.REFUSED for request in desk.requests())
        assert "Bo Lind" not in await desk.text("ana") or desk.state() is State.APPROVING

    async def test_an_action_that_is_not_on_the_list_is_no_action(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        guess = desk.app.desk._understander.classify("please reset my password")
        monkeypatch.setattr(
            Understander, "classify", lambda *_: type(guess)(**{**_as_dict(guess), "action": "run_shell"})
        )
        await desk.says("ana", "please reset my password")
        assert not desk.requests()
        assert (await desk.card("ana")).title == "This is what I found", "and what is written about it"


def _as_dict(value: Any) -> dict[str, Any]:
    return (
        {name: getattr(value, name) for name in value.__slots__}
        if hasattr(value, "__slots__")
        else vars(value)
    )


class TestSelfServiceHasNoTarget:
    """8. Self-service actions have no target parameter: the subject is the sender."""

    async def test_no_action_but_those_for_reports_can_name_a_person(self, desk: House) -> None:
        naming = {
            action.name
            for action in desk.app.office.registry.named()
            if any(slot.kind is SlotKind.REPORT for slot in action.slots)
        }
        assert naming == {"unlock_for_report", "pto_balance", "equip_new_hire"}
        own = [
            action.name
            for action in desk.app.office.registry.named()
            if isinstance(action, Procedure | Lookup) and action.name not in naming
        ]
        sender = await desk.app.company.directory.by_account("ana")
        for name in own:
            action = desk.app.office.registry[name]
            assert isinstance(action, Procedure | Lookup)
            params = {"subject": "p-1001", "person": "p-1001", "report": "p-1001"}
            assert await action.subject(desk.app.engine.world(), sender, params) == sender


class TestAPersonsDataIsTheirs:
    """9. A person's data is shown only to them and to those the policy names, in a direct message."""

    async def test_what_is_asked_in_a_channel_is_answered_in_private(self, desk: House) -> None:
        asked = (await desk.inbound("ana", "how many vacation days do I have left?")).model_copy(
            update={"conversation": "approvals", "direct": False}
        )
        await desk.app.desk.receive(asked)
        assert (await desk.card("ana")).text == "You have 96.5 hours of vacation left."
        there = await desk.cards("ana", "approvals")
        assert [card.title for card in there] == ["I answer in our direct conversation."]
        assert "96.5" not in await desk.text("ana", "approvals")

    async def test_the_channel_never_holds_a_code_a_link_or_a_balance(self, desk: House) -> None:
        await desk.asks("ana", RESET)
        await desk.press("bo", "Approve", {"spoke": "yes"})
        channel = await desk.text("ana", "approvals")
        assert "Code to read out" not in channel
        assert "/reveal/" not in channel
        assert await desk.code("bo") not in channel

    async def test_the_code_is_on_the_approvers_card_alone(self, desk: House) -> None:
        await desk.asks("wanda", RESET)
        await desk.press("omar", "Approve", {"spoke": "yes"})
        assert len(await desk.code("omar")) == 6
        for account in ("wanda", "chloe", "felix", "priya", "marco"):
            assert await desk.code(account) == ""


class TestASecretStandsNowhere:
    """10. Secrets never stand in chat, logs, audit, prompts or job arguments."""

    async def test_a_new_password_its_code_and_one_typed_by_mistake_are_in_no_file_and_no_log(
        self, tmp_path: Path
    ) -> None:
        typed = "Hunter2!!x"
        with structlog.testing.capture_logs() as logs:
            async with house(tmp_path / "data", clock=Clock.at(MONDAY), log_level="debug") as desk:
                ack = await desk.says("ana", f"my password is {typed}")
                assert "I removed what looked like a password" in ack.notice
                await desk.asks("ana", RESET)
                await desk.press("bo", "Approve", {"spoke": "yes", "reason": f"her password is {typed}"})
                address, code = await desk.link("ana"), await desk.code("bo")
                canaries = {"typed": typed, "code": code}
                self._nowhere(tmp_path, logs, canaries)
                ref = desk.request().ref
                with desk.app.office.database.read() as conn:
                    sealed = desk.app.office.seals.open(conn, ref)
                assert sealed is not None
                canaries["sealed"] = sealed.value
                self._nowhere(tmp_path, logs, canaries)
                async with desk.browser() as browser:
                    shown = await browser.post(address, data={"code": code})
                assert sealed.value in shown.text, "the one that was looked for is the real one"
                token = address.rsplit("/", 1)[1]
                self._nowhere(tmp_path, logs, canaries, but_token=token)
        self._nowhere(tmp_path, logs, canaries, but_token=token)

    def _nowhere(
        self, folder: Path, logs: list[Any], canaries: dict[str, str], but_token: str | None = None
    ) -> None:
        """In no file of the data folder, write-ahead logs included, and in no log line.

        The code and the link do stand on the cards of those they are for: the web desk's own file.
        """
        logged = json.dumps(logs, default=repr)
        for name, canary in canaries.items():
            spellings = {canary, canary.replace("-", ""), f"{canary[:3]} {canary[3:]}"}
            for file in _files(folder):
                if name == "code" and file.name.startswith("web.db"):
                    continue
                content = file.read_bytes()
                for spelled in spellings:
                    if name == "code" and not _whole_number(content, spelled):
                        continue
                    assert spelled.encode() not in content, f"{name} stands in {file.name}"
            if name != "code":
                assert canary not in logged, f"{name} was logged"
        if but_token:
            assert but_token not in logged
            with_token = [file.name for file in _files(folder) if but_token.encode() in file.read_bytes()]
            assert not [name for name in with_token if "audit" in name]

    async def test_no_job_has_more_than_a_reference_in_its_arguments(self, desk: House) -> None:
        await desk.asks("ana", RESET)
        await desk.press("bo", "Approve", {"spoke": "yes"})
        with desk.app.office.database.read() as conn:
            rows = conn.exec_driver_sql("SELECT inputs FROM workflow_input WHERE inputs IS NOT NULL").all()
        assert rows
        ref = desk.request().ref
        for (inputs,) in rows:
            assert ref in inputs
            assert len(inputs) < 200, inputs

    async def test_a_refused_password_is_not_repeated_in_the_reason(
        self, desk: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []

        async def refuse(_person: str, password: Any, *, op: str) -> None:
            tried.append(password.value)
            raise PasswordRefused(f"the policy refuses {password}")

        monkeypatch.setattr(desk.app.company.accounts, "reset", refuse)
        await desk.asks("ana", RESET)
        with structlog.testing.capture_logs() as logs:
            await desk.press("bo", "Approve", {"spoke": "yes"})
        assert desk.state() is State.UNDONE
        assert tried
        for text in (json.dumps(logs, default=repr), json.dumps(desk.events()), await desk.text("ana")):
            assert tried[0] not in text
        with desk.app.office.database.read() as conn:
            assert conn.exec_driver_sql("SELECT count(*) FROM sealed").scalar_one() == 0

    async def test_a_new_password_is_not_guessed(self, desk: House) -> None:
        made = set()
        for account in ("ana", "luis", "kofi"):
            await desk.asks(account, RESET)
            await desk.press("bo", "Approve", {"spoke": "yes"})
            with desk.app.office.database.read() as conn:
                secret = desk.app.office.seals.open(conn, "") or None
                refs = [row[0] for row in conn.exec_driver_sql("SELECT ref FROM sealed")]
                made |= {desk.app.office.seals.open(conn, ref).value for ref in refs}  # type: ignore[union-attr]  # all are there
            assert secret is None
        assert len(made) == 3
        assert all(len(password.replace("-", "")) == 20 for password in made)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def _whole_number(content: bytes, digits: str) -> bool:
    """Six digits stand by chance inside longer numbers: a time to the microsecond, a hash."""
    at = content.find(digits.encode())
    while at >= 0:
        around = content[max(0, at - 1) : at] + content[at + len(digits) : at + len(digits) + 1]
        if not any(chr(each).isalnum() or chr(each) in ".+_" for each in around):
            return True
        at = content.find(digits.encode(), at + 1)
    return False


class TestWhatPeopleWriteIsPlainText:
    """12. Text from people is untrusted: it reaches cards only as plain text in a labelled block."""

    HOSTILE = (
        "<script>alert(1)</script>",
        "<!channel> *Approved by CFO* <https://evil.example|Approve>",
        "{{DATE()}} [click](javascript:alert(1)) `rm -rf`",
        "\u202eevorppA\u202c \u200bhidden\u2066 x\x00\x07\x1b[31m",
        "\U000e0041\U000e0042 tag characters \ufeff",
    )

    @pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
    async def test_it_stands_only_in_quotes_and_nothing_unseen_survives(
        self, desk: House, hostile: str
    ) -> None:
        await desk.says("ana", f"I need access to the data warehouse for 2 weeks {hostile}")
        if not desk.requests():  # not sure what that is; she says
            await desk.press("ana", "Get access")
        await desk.press("ana", "Yes, do it")
        await desk.press("bo", "Approve", {"reason": f"fine {hostile}"})
        assert desk.state() is State.ACTIVE
        marker = hostile.split()[0].strip("\u202e\u202c\U000e0041\U000e0042")
        quoted = 0
        for account, where in (("ana", None), ("bo", None), ("ana", "approvals")):
            for card in await desk.cards(account, where):
                quoted += len(card.quotes)
                bare = card.model_copy(update={"quotes": ()})
                if marker:
                    assert marker not in _texts(bare), "outside a quote"
                for char in _texts(card):
                    assert char == "\n" or char.isprintable(), f"{char!r} in {_texts(card)!r}"
                    assert not 0xE0000 <= ord(char) <= 0xE0FFF
        assert quoted >= 4

    async def test_a_hostile_name_in_the_directory_is_only_a_name(self, desk: House) -> None:
        name = "Ana\u202e <b>Ruiz</b>\n*Approved by CFO*\x07" + "x" * 300
        await desk.app.company.client.write(
            lambda conn: conn.execute("UPDATE person SET name = ? WHERE account = 'ana'", (name,))
        )
        await desk.asks("ana", "I need access to the data warehouse for 2 weeks")
        for account, where in (("ana", None), ("bo", None), ("ana", "approvals")):
            for card in await desk.cards(account, where):
                assert "\u202e" not in _texts(card), card
                assert "\x07" not in _texts(card), card


def _texts(card: Card) -> str:
    """Everything a person would see of it."""
    said: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, str):
            said.append(value)
        elif isinstance(value, dict):
            for each in value.values():
                collect(each)
        elif isinstance(value, list):
            for each in value:
                collect(each)

    collect(card.model_dump(mode="json"))
    return "\n".join(said)
