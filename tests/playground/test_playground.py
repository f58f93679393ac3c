"""The journeys of the desk in Microsoft's local playground: a client of Teams that we did not write.

Run by ``make playground``; its pictures go to ``.cache/playground``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.browser.support import chromium, find, text_of, until
from tests.command import ROOT, Deskhand
from tests.conftest import Browser
from tests.playground.client import Person, playground

pytestmark = [pytest.mark.playground, pytest.mark.timeout(300)]

PICTURES = ROOT / ".cache" / "playground"
PEOPLE = {
    "ana": ("Ana Ruiz", "ana.ruiz@alderfinch.example"),
    "bo": ("Bo Lind", "bo.lind@alderfinch.example"),
    "nadia": ("Nadia Okafor", "nadia.okafor@alderfinch.example"),
    "luis": ("Luis Moreno", "luis.moreno@alderfinch.example"),
}


@dataclass
class Office:
    desk: Deskhand
    chrome: Chrome
    people: dict[str, Person]

    def picture(self, who: str, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.people[who].picture(PICTURES / f"{name}.png")


@pytest.fixture
def office(browser: Browser, tmp_path: Path) -> Iterator[Office]:
    desk = Deskhand(tmp_path / "data", {"TEAMS_PLAYGROUND": "yes"})
    with ExitStack() as stack:
        url = stack.enter_context(desk.serving())
        chrome = stack.enter_context(chromium(browser, tmp_path / "profile", width=1300, height=1000))
        people = {}
        for account, (name, mail) in PEOPLE.items():
            place = playground(tmp_path / account, f"{url}/api/messages", name, account, mail)
            people[account] = Person(chrome, name, stack.enter_context(place))
        yield Office(desk, chrome, people)


def test_a_critical_resource_from_the_wish_to_the_access(office: Office) -> None:
    ana, bo, nadia = (office.people[name] for name in ("ana", "bo", "nadia"))
    ana.sees("Hello, I am Deskhand")
    ana.says("I need access to the production database (read) for 3 days")
    ana.sees("Give Ana Ruiz access to Production database (read) for 3 days")
    office.picture("ana", "1-confirm")
    ana.press("Yes, do it")
    ana.sees("Waiting for Bo Lind")
    bo.sees("Ana Ruiz wrote:")
    bo.writes("For the incident **today**")
    office.picture("bo", "2-approve")
    bo.press("Approve")
    bo.sees("Approved by Bo Lind")
    nadia.sees("Request of Ana Ruiz")
    nadia.press("Approve")
    ana.sees("Ana Ruiz has access to Production database (read).")
    ana.sees("Active until")
    assert "For the incident **today**" in ana.text, "as it was written"
    office.picture("ana", "3-done")
    assert "grant_access" in office.desk.says("audit", "list", "--person", PEOPLE["ana"][1])
    office.desk.says("audit", "verify")


def test_a_password_reset_with_the_spoken_code(office: Office) -> None:
    ana, bo = office.people["ana"], office.people["bo"]
    ana.says("I forgot my password")
    ana.press("Yes, do it")
    bo.sees("I spoke to Ana Ruiz in person")
    bo.press("Approve")
    bo.sees("Tick this first")
    office.picture("bo", "4-tick-first")
    bo.ticks()
    bo.press("Approve")
    bo.sees("Code to read out")
    code = re.search(r"\b(\d{3}) (\d{3})\b", bo.text)
    assert code
    ana.sees("Show my new password")
    assert code[0] not in ana.text
    link = ana.link("Show my new password")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/reveal/[\w-]+", link)
    office.chrome.switch_to.new_window("tab")
    office.chrome.get(link)
    find(office.chrome, "input").send_keys(code[1] + code[2] + "\n")
    until(office.chrome, lambda: "assword" in text_of(office.chrome))
    office.chrome.save_screenshot(str(PICTURES / "4b-revealed.png"))


def test_luis_unlocks_himself_and_a_missing_slot_is_asked_with_its_error(office: Office) -> None:
    luis = office.people["luis"]
    luis.says("I'm locked out")
    luis.sees("Luis Moreno")
    office.picture("luis", "5-unlock")
    luis.says("I need access to figma")
    luis.sees("Use these words")
    luis.writes("a purple elephant")
    luis.press("Use these words")
    luis.sees('Write it like "2 weeks"')
    office.picture("luis", "6-error-at-the-field")
    luis.press("2 weeks")
    luis.sees("Give Luis Moreno access to Figma for 2 weeks")


def test_commands_of_admins_and_who_is_refused(office: Office) -> None:
    ana = office.people["ana"]
    ana.says("how many vacation days do I have left?")
    ana.sees("You have 96.5 hours of vacation left.")
    ana.says("audit since 7d")
    ana.sees("Refused")
    ana.says("reset the CEO's password")
    office.picture("ana", "7-refused")
