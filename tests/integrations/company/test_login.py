"""Passwords at the company are real: they open, they lock, they have to be changed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from integrations.company import Company, LoginOutcome
from integrations.contract import PasswordRefused, Secret, Status

ANA, LUIS = "p-1020", "p-1021"
GOOD = Secret("Quiet-Harbour-Lantern-42")


async def test_everybody_starts_with_their_welcome_password(company: Company) -> None:
    assert company.login("ana", "welcome-ana") is LoginOutcome.OK
    assert company.login("ANA", "welcome-ana") is LoginOutcome.OK
    assert company.login("luis", "welcome-luis") is LoginOutcome.LOCKED
    assert company.login("amara", "welcome-amara") is LoginOutcome.MUST_CHANGE
    assert company.login("ben", "welcome-ben") is LoginOutcome.DISABLED
    assert company.login("gil", "welcome-gil") is LoginOutcome.DISABLED


async def test_the_fifth_wrong_password_in_a_row_locks_and_then_the_right_one_does_not_open(
    company: Company,
) -> None:
    tries = [company.login("ana", "wrong") for _ in range(5)]
    assert tries == [LoginOutcome.WRONG] * 4 + [LoginOutcome.LOCKED]
    assert (await company.accounts.state(ANA)).locked
    assert company.login("ana", "welcome-ana") is LoginOutcome.LOCKED


async def test_a_right_password_in_between_starts_the_count_again(company: Company) -> None:
    for password in ["wrong"] * 4 + ["welcome-ana"] + ["wrong"] * 4:
        company.login("ana", password)
    assert not (await company.accounts.state(ANA)).locked


async def test_unlocking_starts_the_count_again(company: Company) -> None:
    for _ in range(5):
        company.login("ana", "wrong")
    assert await company.accounts.unlock(ANA, op="op-1")
    assert [company.login("ana", "wrong") for _ in range(4)] == [LoginOutcome.WRONG] * 4
    assert company.login("ana", "welcome-ana") is LoginOutcome.OK


async def test_guesses_made_at_the_same_time_do_not_get_past_the_limit(company: Company) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda number: company.login("ana", f"guess-{number}"), range(16)))
    assert outcomes.count(LoginOutcome.WRONG) == 4


async def test_after_a_reset_the_old_password_is_wrong_and_the_new_one_must_be_changed(
    company: Company,
) -> None:
    await company.accounts.reset(LUIS, GOOD, op="op-1")
    assert company.login("luis", "welcome-luis") is LoginOutcome.WRONG
    assert company.login("luis", GOOD.value) is LoginOutcome.MUST_CHANGE
    assert company.change_password("luis", GOOD.value, "A-Ladder-Of-Green-Glass") is LoginOutcome.OK
    assert company.login("luis", "A-Ladder-Of-Green-Glass") is LoginOutcome.OK
    assert not (await company.accounts.state(LUIS)).must_change


@pytest.mark.parametrize(
    "new", ["short", "x" * 129, "welcome-ana", "my-name-is-ANA-ruiz", "line\nbreak-in-it", ""]
)
async def test_a_bad_new_password_is_refused_without_being_repeated(company: Company, new: str) -> None:
    with pytest.raises(PasswordRefused) as caught:
        company.change_password("ana", "welcome-ana", new)
    assert not new or new not in str(caught.value)
    assert company.login("ana", "welcome-ana") is LoginOutcome.OK


async def test_a_wrong_old_password_changes_nothing_and_counts(company: Company) -> None:
    for _ in range(5):
        company.change_password("ana", "wrong", GOOD.value)
    assert company.login("ana", GOOD.value) is LoginOutcome.LOCKED


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "x" * 1_000_000, "' OR 1=1 --", "%"])
async def test_hostile_accounts_and_passwords_are_only_wrong(company: Company, text: str) -> None:
    assert company.login(text, "welcome-ana") is LoginOutcome.WRONG
    assert company.login("ana", text) is LoginOutcome.WRONG


async def test_the_file_holds_no_password_in_the_clear(company: Company) -> None:
    await company.accounts.reset(ANA, GOOD, op="op-1")
    company.login("bo", "welcome-bo")
    for path in company.client.path.parent.glob("company.db*"):
        content = path.read_bytes()
        assert GOOD.value.encode() not in content
        assert b"welcome-" not in content


async def test_the_hash_is_argon2id_at_the_cost_that_is_written_down(company: Company) -> None:
    with closing(sqlite3.connect(company.client.path)) as connection:
        hashes = {row[0] for row in connection.execute("SELECT password_hash FROM account")}
    assert len(hashes) == 43
    assert all(one.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for one in hashes)


async def test_an_account_disabled_between_two_looks_is_not_reset(company: Company) -> None:
    await company.hr.set_status(ANA, Status.DISABLED)
    assert company.login("ana", "welcome-ana") is LoginOutcome.DISABLED
    assert (await company.accounts.state(ANA)).disabled


def test_a_login_in_another_process_counts_too(company: Company) -> None:
    script = (
        "import sys; from pathlib import Path; from integrations.company import Company\n"
        "c = Company.open(Path(sys.argv[1])); print([c.login('ana', 'wrong').value for _ in range(3)][-1])"
    )
    root = Path(__file__).parents[3]
    run = [sys.executable, "-c", script, str(company.client.path)]
    assert subprocess.run(run, cwd=root, check=True, capture_output=True).stdout == b"wrong\n"
    assert [company.login("ana", "wrong") for _ in range(2)][-1] is LoginOutcome.LOCKED
