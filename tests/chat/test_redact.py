"""What looks like a password, a code or a token is cut out; ordinary requests come through word for word."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.redact import REMOVED, redact

# Built from parts, so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".dBjftJeZ4CVPmB92K27uhbUJU1p1r"
GITHUB = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
SLACK = "xoxb-" + "2401823-48120-aBcDeFgHiJkL"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
OPENAI = "sk-" + "proj4Tq9ZkWm2Xc8Vb1Ln6Rp3"
GOOGLE = "AIza" + "SyD4f5G6h7J8k9L0q1W2e3R4t5Y6u7I8o9P"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA " + "PRIVATE KEY-----"

# (what is written, the secret that must not survive)
SECRETS = [
    ("my password is Hunter2!", "Hunter2"),
    ("My password is sunshine.", "sunshine"),
    ("my password is hunter2, can you unlock me?", "hunter2"),
    ("my password was Winter2025 and the new one is Spring2026!", "Spring2026"),
    ("my password was Winter2025 and the new one is Spring2026!", "Winter2025"),
    ("pwd: x", " x"),
    ("pwd:x", "x"),
    ("pwd=Tr0ub4dor&3", "Tr0ub4dor"),
    ("password: correct-horse-battery", "horse"),
    ("Password : Qwerty12", "Qwerty12"),
    ("PASSWORD = LETMEIN", "LETMEIN"),
    ("pass: opensesame", "opensesame"),
    ("pw: geheim99", "geheim99"),
    ("passwort lautet Sommer2026", "Sommer2026"),
    ("mein Passwort ist Katze!7", "Katze"),
    ("Kennwort: Regenbogen", "Regenbogen"),
    ("mi contraseña es Gato123", "Gato123"),
    ("mon mot de passe est Soleil75", "Soleil75"),
    ("minha senha é Praia2024", "Praia2024"),
    ("mijn wachtwoord is Fiets!88", "Fiets"),
    ("мой пароль: Zima2025", "Zima2025"),
    ('my password is "blue giraffe"', "giraffe"),
    ("my password is 'let me in'", "let me in"),
    ("the password for staging is Hunter2!", "Hunter2"),
    ("password for the wifi: Gu3st-Net", "Gu3st"),
    ("please change my password to Summer2024!", "Summer2024"),
    ("set the password to 'orange7'", "orange7"),
    ("reset my password to Welcome1", "Welcome1"),
    ("password hunter2", "hunter2"),
    ("I use the password P@ssw0rd everywhere", "P@ssw0rd"),
    ("Hunter2! is my password", "Hunter2"),
    ("I typed S3cret99 as my password", "S3cret99"),
    ("password is now Blue42Sky", "Blue42Sky"),
    ("my password is Hunter2 or Hunter3", "Hunter3"),
    ("it says my password: Hunter2! is wrong", "Hunter2"),
    ("passphrase: velvet-otter-lamp", "otter"),
    ("my passcode is 4821", "4821"),
    ("password 12345678", "12345678"),
    ("password?? I think Tr0ub4dor&3 maybe", "Tr0ub4dor"),
    ("credentials ana.ruiz / Hunter22", "Hunter22"),
    ("creds: ana:Hunter2x", "Hunter2x"),
    ("login with ana.ruiz and Hunter2!", "Hunter2"),
    ("code 123456", "123456"),
    ("my code is 482 913", "482 913"),
    ("the code: 482-913", "482-913"),
    ("verification code: G-482913", "482913"),
    ("OTP 847291", "847291"),
    ("otp=847291", "847291"),
    ("2fa 739201", "739201"),
    ("MFA code is 739201", "739201"),
    ("my PIN is 4821", "4821"),
    ("pin: 0042", "0042"),
    ("the authenticator shows 482 913", "482 913"),
    ("I got a text message saying code 55120", "55120"),
    ("482913 is my verification code", "482913"),
    ("482913", "482913"),
    ("482 913", "482 913"),
    ("my backup code is 8K2J-9QXM", "8K2J"),
    ("recovery key: 482913-123456-998877-112233-445566-778899-101010-202020", "998877"),
    ("Authorization: Bearer abc123def456ghi789", "abc123def456"),
    ("bearer dGhpcyBpcyBhIHRva2Vu.x1", "dGhpcy"),
    ("Basic YW5hOkh1bnRlcjI9PQ==", "YW5hOk"),
    (f"key {AWS} stopped working", AWS),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrX"),
    (f"here is the token {JWT}", "dBjftJ"),
    (f"my github token {GITHUB} please", GITHUB),
    (SLACK, SLACK),
    (f"stripe {STRIPE}", STRIPE),
    (f"OPENAI_API_KEY={OPENAI}", OPENAI),
    (GOOGLE, GOOGLE),
    (f"my key:\n{PEM}\nthanks", "MIIEow"),
    (PEM[:60], "MIIEow"),
    ("postgres://app:s3cretpw@db.internal/app", "s3cretpw"),
    ("https://example.com/cb?token=abc123xyz&x=1", "abc123xyz"),
    ("api key: 9f8e7d6c5b4a", "9f8e7d"),
    ("the client secret is q8W~7fGh2kLm", "q8W~7f"),
    ("token=9f8e7d6c5b4a3210", "9f8e7d"),
    ("DB_PASSWORD=changeit", "changeit"),
    ('{"user": "ana", "password": "tulips"}', "tulips"),
    ("my\u00a0password is Hunter2!", "Hunter2"),
    ("MY PASSWORD IS HUNTER2", "HUNTER2"),
    ("hash $2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUV0123456789ab", "abcdefghij"),
    ("old password: Herbst23 new password: Winter24", "Winter24"),
    ("my passwords are Hunter2! and Swordfish9", "Swordfish9"),
]

ORDINARY = [
    "reset my password",
    "I forgot my password",
    "my password expired yesterday",
    "I need 1Password",
    "password reset for the staging database please",
    "My password is expired",
    "my password is not working",
    "my password is wrong",
    "my password isn't accepted",
    "my password is too short",
    "my password is about to expire",
    "my password is no longer accepted since Monday",
    "my password was changed by someone else",
    "the password was reset but I still can't log in",
    "password: reset please",
    "Subject: Password: forgotten",
    "Password: I forgot it",
    "password reset",
    "reset password for ana.ruiz@example.com",
    "please reset the password of bo.lind@example.com",
    "I changed my password on 2026-11-20",
    "My password expires in 14 days",
    "password expires in 3 days, what do I do?",
    "my password will expire 11/30",
    "I need the password for the guest wifi",
    "Who can tell me the password to Figma?",
    "how long must a password be?",
    "what is the password policy?",
    "does the password need 12 characters?",
    "My password is the same as before and it fails",
    "Can you set my password to never expire?",
    "please reset my password to something new",
    "I want to change my password to a longer one",
    "I'd like access to the password manager",
    "I need access to 1Password for two weeks",
    "give me LastPass or Bitwarden",
    "my password manager is locked",
    "I'm locked out of my account",
    "unlock my account please",
    "unlock account for Bo Lind",
    "reset my MFA",
    "I lost my phone with the authenticator",
    "my authenticator app is gone",
    "I don't get the verification code",
    "the code is not arriving",
    "I never received a code",
    "error code 500 when I open Jira",
    "it shows error code 0x80070005",
    "status code 404 on the wiki",
    "my zip code is 94107",
    "cost center code 4410",
    "country code 49",
    "we need a code review before the code freeze",
    "exit code 137 in the pipeline",
    "I need GitHub code owners access",
    "pin this message please",
    "I need a token for the badge printer",
    "my hardware token is lost",
    "the token expired",
    "I need an API key for the weather service",
    "where do I find my API key?",
    "the secret to good onboarding is patience",
    "I need Figma for two weeks",
    "access to Salesforce until 2026-12-31",
    "How many vacation days have I left?",
    "what are my open requests?",
    "cancel REQ-1042",
    "I need access to the customer database because of ticket SUP-48213",
    "vacation from Dec 24-31",
    "book 3 days off from 24.12.2026 to 31.12.2026",
    "my extension is 48213, call me",
    "call me at +1 415 555 0100",
    "room 4711, second floor",
    "my employee number is 104822",
    "invoice 20261122 needs approval",
    "https://wiki.example.com/How-to-reset-your-password",
    "see https://example.com/docs/password-reset?step=2",
    "login fails with error 53003",
    "I can't log in to my laptop",
    "my login is ana.ruiz@example.com",
    "username: ana.ruiz",
    "Passwort vergessen",
    "mein Passwort ist abgelaufen",
    "bitte mein Passwort zurücksetzen",
    "olvidé mi contraseña",
    "mon mot de passe est expiré",
    "Windows 11 does not accept my password since Tuesday",
    "my password is correct but it says locked",
    "the new one is broken",
    "the old laptop was slow",
    "commit 1d56fd1 broke the build",
    "I pass: tomorrow works too",
    "Bearer of bad news: the printer is down again",
    "basic understanding of networking needed",
    "the door code changed, who has the new one?",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_secret_does_not_survive(text: str, secret: str) -> None:
    shown, removed = redact(text)
    assert removed
    assert REMOVED in shown
    assert secret not in shown


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_request_comes_through_word_for_word(text: str) -> None:
    assert redact(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("my password is hunter2, can you unlock me?", f"my password is {REMOVED}, can you unlock me?"),
        ('my password is "blue giraffe" and I\'m locked out', f"my password is {REMOVED} and I'm locked out"),
        ("postgres://app:s3cretpw@db.internal/app", f"postgres://app:{REMOVED}@db.internal/app"),
        ("hi, code 123456. Thanks!", f"hi, code {REMOVED}. Thanks!"),
    ],
)
def test_only_the_secret_is_cut_out(text: str, left: str) -> None:
    assert redact(text)[0] == left


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_cutting_twice_changes_nothing_more(text: str, secret: str) -> None:
    once, _ = redact(text)
    assert redact(once) == (once, False)


def test_the_quick_look_lets_nothing_through_that_the_search_would_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [text for text, _ in SECRETS] + [text.upper() for text, _ in SECRETS] + ORDINARY
    quick = [redact(text) for text in texts]
    monkeypatch.setattr("bot.chat.redact._HINTS", ("",))
    monkeypatch.setattr("bot.chat.redact._SHAPED", re.compile(""))
    assert [redact(text) for text in texts] == quick


@given(st.text(max_size=300))
def test_any_text_is_taken_without_an_error(text: str) -> None:
    shown, removed = redact(text)
    assert removed == (shown != text)


@pytest.mark.parametrize(
    "piece",
    ["password ", "a1B2 ", "code 1", "eyJaaaaaaa.", "x:/@", "A", "aA1", "[removed] or ", "login ", '"'],
)
def test_the_time_is_linear_in_the_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        began = time.process_time()
        redact(text)
        return time.process_time() - began

    short, long = (min(seconds(length) for _ in range(3)) for length in (16_000, 64_000))
    assert long < max(short, 0.005) * 4 * 3  # quadratic would be 4 * 4 and more
