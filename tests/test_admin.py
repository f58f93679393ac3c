"""The commands of those who run the desk, on a folder in which things happened.

Each is run once as a process of its own; the rest of what it says is asked of it in this one.
"""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import sqlite3
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from bot.__main__ import main
from bot.audit.checkpoint import public_key
from bot.audit.export import BadExport, proof_of, verify_export
from bot.procedures.request import State
from bot.settings.paths import Paths
from bot.store.keys import KeyFile
from integrations.contract import OutcomeUnknown
from tests.command import ROOT, Deskhand, Ran
from tests.house import House, house
from tests.servers.model import KEY, NAME, FakeModel

MESSAGE = '{"text": "reset my password", "intent": "reset_password", "accepted": ["reset_password"]}\n'
WORDS = "I need payroll reports for 3 days"


@dataclass(frozen=True)
class Past:
    """A folder with a morning's work in it, and the requests by what became of them."""

    data: Path
    denied: str
    active: str
    stuck: str


class Here(Deskhand):
    """The same commands without the second that a process takes to start."""

    def run(self, *words: str, typed: str = "", **more: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in self.environment(**more).items():
                patch.setenv(name, value)
            try:
                code = main(words)
            except SystemExit as end:  # argparse
                code = int(end.code or 0)
            finally:
                structlog.reset_defaults()
        return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    data = tmp_path_factory.mktemp("past") / "data"
    return asyncio.run(_a_morning(data))


async def _a_morning(data: Path) -> Past:
    async with house(data) as desk:
        await desk.says("ana", WORDS)
        await desk.press("ana", "Yes, do it")
        await desk.press("bo", "Deny", {"reason": "Ask Rosa to run it for you"})
        denied = desk.request().ref
        await desk.says("ana", "I need Figma for two weeks")
        await desk.press("ana", "Yes, do it")
        await desk.until(lambda: desk.state() is State.ACTIVE)
        active = desk.request().ref
        stuck = await _an_answer_that_never_came(desk)
    return Past(data, denied, active, stuck)


async def _an_answer_that_never_came(desk: House) -> str:
    async def lost(group: str, person: str, *, op: str) -> bool:
        raise OutcomeUnknown("the line went dead")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.app.office.ports.groups, "add", lost)
        await desk.says("kofi", "I need Miro for two weeks")
        await desk.press("kofi", "Yes, do it")
        await desk.until(lambda: desk.state() is State.STUCK)
    return desk.request().ref


@pytest.fixture
def desk(past: Past) -> Deskhand:
    """For commands that look; what they add to the trail disturbs nobody."""
    return Here(past.data)


@pytest.fixture
def own(past: Past, tmp_path: Path) -> Deskhand:
    """A copy, for commands that change."""
    shutil.copytree(past.data, tmp_path / "data")
    return Here(tmp_path / "data")


def test_each_command_is_a_process_that_ends_with_0_where_all_is_well(past: Past, tmp_path: Path) -> None:
    desk = Deskhand(past.data)
    messages = tmp_path / "messages.jsonl"
    messages.write_text(MESSAGE)
    asks = ("policy", "explain", "--as", "ana", "grant_access", "--resource", "figma", "--days", "3")
    for words, said in (
        (("audit", "list"), "events"),
        (("audit", "show", past.denied), WORDS),
        (("audit", "verify"), "whole"),
        (("audit", "export", str(tmp_path / "trail.jsonl")), "proof in trail.jsonl.proof.json"),
        (("policy", "check"), "can be used"),
        (("policy", "test"), ", 0 failed"),
        (asks, "access.low"),
        (("freeze", "olga"), "Olga Petrova is now frozen."),
        (("unfreeze", "olga"), "Olga Petrova is now not frozen."),
        (("company", "login", "ana", "--password", "welcome-ana"), "ok"),
        (("eval", str(messages)), "precision"),
        (("doctor",), "Checks"),
    ):
        assert said in desk.says(*words), words


# audit


def test_list_tells_who_did_what_in_names(desk: Deskhand, past: Past) -> None:
    told = desk.says("audit", "list", "--limit", "500")
    assert f"{past.denied}" in told
    assert "Ana Ruiz" in told
    assert "Bo Lind" in told
    assert "p-1020" not in told
    assert WORDS not in told


def test_list_filters_by_person_action_outcome_and_time(desk: Deskhand, past: Past) -> None:
    def listed(*words: str) -> list[str]:
        return desk.says("audit", "list", "--limit", "500", *words).splitlines()[:-1]

    everything = listed()
    ana = listed("--person", "ana")
    assert 0 < len(ana) < len(everything)
    assert ana == listed("--person", "Ana Ruiz")
    assert not any(past.stuck in line for line in ana)
    assert any(past.stuck in line for line in listed("--outcome", "unknown"))
    assert not any(past.denied in line for line in listed("--outcome", "unknown"))
    assert listed("--action", "reset_password") == []
    assert len(listed("--since", "1h")) == len(everything)
    assert listed("--since", "2099-01-01") == []
    assert len(desk.says("audit", "list", "--limit", "3").splitlines()) == 4


def test_list_says_what_it_does_not_understand(desk: Deskhand) -> None:
    assert "2w or 2026-11-30" in desk.refuses("audit", "list", "--since", "yesterday")
    assert "nobody is called zorro" in desk.refuses("audit", "list", "--person", "zorro")
    assert "sam.rivera@alderfinch.example" in desk.refuses("audit", "list", "--person", "sam")


def test_show_tells_a_request_from_the_first_words_to_the_end(desk: Deskhand, past: Past) -> None:
    story = desk.says("audit", "show", past.denied)
    for words in (WORDS, "Ana Ruiz", "Bo Lind", "denied", "access.critical", "Ask Rosa to run it for you"):
        assert words in story


def test_show_is_itself_in_the_trail(own: Deskhand, past: Past) -> None:
    own.says("audit", "show", past.denied)
    assert "read the trail" in own.says("audit", "list", "--limit", "1")


def test_show_of_a_request_that_never_was(desk: Deskhand) -> None:
    assert "there is no request R-222222" in desk.refuses("audit", "show", "R-222222")


def test_verify_is_green_on_what_was_written(desk: Deskhand) -> None:
    assert desk.says("audit", "verify").startswith("whole")


def test_verify_is_red_when_an_event_was_changed_behind_the_desk_s_back(own: Deskhand) -> None:
    with closing(sqlite3.connect(Paths(own.data).database)) as conn:
        for (trigger,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f"DROP TRIGGER {trigger}")
        conn.execute("UPDATE audit_events SET body = CAST(replace(body, 'approving', 'executing') AS BLOB)")
        conn.commit()
    ran = own.run("audit", "verify")
    assert ran.code == 1
    assert ran.out.startswith("BROKEN")
    assert "MEND  audit trail" in own.run("doctor").out


def test_verify_before_there_is_a_trail(tmp_path: Path) -> None:
    assert "there is no trail yet" in Here(tmp_path / "new").refuses("audit", "verify")


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_an_export_proves_itself_and_a_changed_one_does_not(own: Deskhand, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"trail.{kind}"
    said = own.says("audit", "export", str(file))
    assert f"events to {file}" in said
    assert proof_of(file).name in said
    key = public_key(KeyFile.open(Paths(own.data).key))
    assert verify_export(file, key).rows > 10
    assert WORDS not in file.read_text()
    file.write_text(file.read_text().replace("grant_access", "pto_balance"))
    with pytest.raises(BadExport):
        verify_export(file, key)


def test_words_leave_the_house_only_when_asked_for(own: Deskhand, tmp_path: Path) -> None:
    file = tmp_path / "with-words.jsonl"
    own.says("audit", "export", str(file), "--words")
    assert WORDS in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_an_export_goes_nowhere_it_cannot(own: Deskhand, tmp_path: Path) -> None:
    assert "there is no folder" in own.refuses("audit", "export", str(tmp_path / "no" / "trail.csv"))
    assert ".jsonl or .csv" in own.refuses("audit", "export", str(tmp_path / "trail.xlsx"))
    assert "exported" not in own.says("audit", "list", "--limit", "1")


# policy


def test_the_rules_that_ship_can_be_used_and_pass_their_cases(desk: Deskhand) -> None:
    assert "can be used" in desk.says("policy", "check")
    assert ", 0 failed" in desk.says("policy", "test")


def test_broken_rules_are_named_and_nothing_starts_with_them(own: Deskhand, tmp_path: Path) -> None:
    broken = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", broken, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    rules = broken / "access.cedar"
    rules.write_text(rules.read_text().replace('@id("access.low")', '@id("access.medium")'))
    ran = own.run("policy", "check", DESKHAND_POLICIES=str(broken))
    assert ran.code == 1
    assert "access.medium" in ran.out
    assert "access.medium" in own.refuses("serve", DESKHAND_POLICIES=str(broken))
    ran = own.run("doctor", DESKHAND_POLICIES=str(broken))
    assert ran.code == 1
    assert "MEND  policies" in ran.out


def test_a_case_that_comes_out_otherwise_turns_the_test_red(own: Deskhand, tmp_path: Path) -> None:
    broken = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", broken, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    rules = broken / "access.cedar"
    rules.write_text(rules.read_text().replace("resource.days <= 30", "resource.days <= 300"))
    ran = own.run("policy", "test", DESKHAND_POLICIES=str(broken))
    assert ran.code == 1
    assert "contractor" in ran.out


def test_explain_names_the_rule_its_reason_and_who_could_approve(desk: Deskhand) -> None:
    asks = ("policy", "explain", "--as", "ana", "grant_access", "--resource", "payroll-reports")
    told = desk.says(*asks, "--days", "7")
    assert "access.critical" in told
    assert "Bo Lind" in told
    assert "Rosa Iglesias" in told
    told = desk.says(*asks, "--days", "31")
    assert "deny" in told
    assert "access.within-the-limit" in told


def test_explain_about_somebody_else(desk: Deskhand) -> None:
    asks = ("policy", "explain", "unlock_for_report", "--for", "luis", "--as")
    assert "request   allow" in desk.says(*asks, "bo")
    assert "request   deny" in desk.says(*asks, "ana")


def test_explain_asks_for_what_is_missing(desk: Deskhand) -> None:
    asks = ("policy", "explain", "--as", "ana")
    assert "there is no action fly" in desk.refuses(*asks, "fly")
    assert "--resource" in desk.refuses(*asks, "grant_access")
    assert "--days" in desk.refuses(*asks, "grant_access", "--resource", "figma")
    assert "the catalogue has no moon" in desk.refuses(*asks, "grant_access", "--resource", "moon")


# people and requests


def test_freeze_stops_a_person_and_unfreeze_lets_them_on(own: Deskhand) -> None:
    assert own.says("freeze", "ana.ruiz@alderfinch.example") == "Ana Ruiz is now frozen.\n"
    assert own.says("freeze", "ana") == "Ana Ruiz is already frozen.\n"
    asks = ("policy", "explain", "--as", "ana", "grant_access", "--resource", "figma", "--days", "3")
    assert "people.frozen-nothing" in own.says(*asks)
    assert own.says("unfreeze", "Ana Ruiz") == "Ana Ruiz is now not frozen.\n"
    assert "request   allow" in own.says(*asks)
    assert "froze" in own.says("audit", "list", "--person", "ana")


@pytest.mark.parametrize(("found", "ends_as"), [("--happened", "active"), ("--not-happened", "undone")])
def test_a_stuck_request_is_ended_by_what_a_person_found(
    own: Deskhand, past: Past, found: str, ends_as: str
) -> None:
    assert own.says("resolve", past.stuck, found) == f"{past.stuck} is {ends_as}.\n"
    assert "resolved" in own.says("audit", "show", past.stuck)
    assert f"{past.stuck} is {ends_as}" in own.refuses("resolve", past.stuck, found)


def test_only_what_is_stuck_is_resolved(own: Deskhand, past: Past) -> None:
    assert "only a stuck request" in own.refuses("resolve", past.denied, "--happened")
    assert "there is no request R-222222" in own.refuses("resolve", "R-222222", "--happened")
    assert own.run("resolve", past.stuck).code == 2


# the machine


def test_doctor_says_what_is_configured_and_that_all_is_well(desk: Deskhand) -> None:
    told = desk.says("doctor")
    for words in ("DESKHAND_EXPIRE_AFTER_S", "ok    policies", "ok    key file", "whole", "Alder & Finch"):
        assert words in told
    assert "MEND" not in told


def test_doctor_asks_the_model_one_harmless_question(own: Deskhand) -> None:
    assert "ok    model          none;" in own.run("doctor").out
    with FakeModel.running() as fake:
        known = {
            "DESKHAND_MODEL_KEY": KEY,
            "DESKHAND_MODEL_NAME": NAME,
            "DESKHAND_MODEL_URL": fake.url,
            "DESKHAND_MODEL_DEADLINE_S": "2",
        }
        told = own.run("doctor", **known).out
        assert re.search(rf"ok    model +{NAME} answers, in \d+ ms; it may only propose", told)
        assert KEY not in told
        assert len(fake.requests) == 1
        for sort, mends in (
            ("denied", "does not take DESKHAND_MODEL_KEY"),
            ("unsupported", "does not know DESKHAND_MODEL_NAME, or cannot answer in a JSON schema"),
            ("torn", "cannot be reached"),
        ):
            fake.mode, fake.only = "garbage", sort
            ran = own.run("doctor", **known)
            assert ran.code == 1
            assert mends in ran.out
        fake.mode = "drip"
        assert "no answer within DESKHAND_MODEL_DEADLINE_S" in own.run("doctor", **known).out


def test_doctor_says_how_to_close_a_key_that_others_may_read(own: Deskhand) -> None:
    key = Paths(own.data).key
    key.chmod(0o644)
    ran = own.run("doctor")
    assert ran.code == 1
    assert f"chmod 600 {key}" in ran.out
    assert f"chmod 600 {key}" in own.refuses("serve")


def test_doctor_says_that_a_key_is_no_key(own: Deskhand) -> None:
    Paths(own.data).key.write_bytes(b"short")
    ran = own.run("doctor")
    assert ran.code == 1
    assert "from your backup" in ran.out


def test_doctor_says_what_is_wrong_with_a_seed(tmp_path: Path) -> None:
    (tmp_path / "seed").mkdir()
    ran = Here(tmp_path / "new").run("doctor", DESKHAND_COMPANY_SEED=str(tmp_path / "seed"))
    assert ran.code == 1
    assert "MEND  company" in ran.out
    assert "company.yaml" in ran.out


def test_login_answers_as_the_company_s_own_page_would(own: Deskhand) -> None:
    def login(name: str, password: str) -> tuple[int, str]:
        ran = own.run("company", "login", name, "--password", password)
        return ran.code, ran.out.strip()

    assert login("ana", "welcome-ana") == (0, "ok")
    assert login("ana", "guess") == (1, "wrong")
    assert login("luis", "welcome-luis") == (1, "locked")
    assert login("amara", "welcome-amara") == (0, "must_change")
    assert login("ben", "welcome-ben") == (1, "disabled")
    assert login("zorro", "whatever") == (1, "wrong")


def test_eval_measures_understanding_on_a_file(desk: Deskhand, tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(
        '{"text": "reset my password", "intent": "reset_password", "accepted": ["reset_password"]}\n'
    )
    assert "precision" in desk.says("eval", str(file)).lower()
    file.write_text("reset my password\n")
    assert "messages.jsonl:1" in desk.refuses("eval", str(file))
    assert "nowhere.jsonl" in desk.refuses("eval", str(tmp_path / "nowhere.jsonl"))


def test_a_setting_that_does_not_exist_is_refused_by_its_name(desk: Deskhand) -> None:
    said = desk.refuses("doctor", DESKHAND_EXPIRES="3")
    assert "DESKHAND_EXPIRES: no such setting" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DESKHAND_PORT", "eighty"),
        ("DESKHAND_EXPIRE_AFTER_S", "-1"),
        ("DESKHAND_REVEAL_FOR_S", "601"),
        ("DESKHAND_LOG_LEVEL", "loud"),
        ("DESKHAND_HOST", "0.0.0.0"),  # noqa: S104  that is what must not work
        ("DESKHAND_HOST", "192.168.1.7"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_setting_s_name(
    own: Deskhand, name: str, value: str
) -> None:
    assert name in own.refuses("serve", **{name: value})


def test_a_folder_is_served_once(own: Deskhand) -> None:
    with own.serving():
        assert "another Deskhand already serves" in own.refuses("serve")
        assert own.says("audit", "verify").startswith("whole")
