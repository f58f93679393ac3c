"""The product as people meet it: a served desk, a browser, several windows, and the command line after it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from bot.settings.paths import Paths
from integrations.company import Company
from integrations.contract import AccountState
from tests.browser.people import Person
from tests.browser.support import Found, chromium, console_errors, find, phone, text_of, until, wait_for_text
from tests.command import Deskhand

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = "I need to read the production database for 1 minute to look at an incident"
MINUTE_S = 60

T = TypeVar("T")


class House:
    """A served desk on a fresh folder, and one browser."""

    def __init__(self, desk: Deskhand, url: str, chrome: Chrome) -> None:
        self.desk = desk
        self.url = url
        self.chrome = chrome

    def person(self, name: str) -> Person:
        return Person.arrives(self.chrome, self.url, name)

    def company(self, ask: Callable[[Company], Awaitable[T]]) -> T:
        """Look into the company's own file, past the desk."""

        async def asked() -> T:
            company = Company.open(Paths(self.desk.data).company)
            try:
                return await ask(company)
            finally:
                company.close()

        return asyncio.run(asked())

    def holds(self, account: str, group: str) -> bool:
        async def held(company: Company) -> bool:
            return await company.groups.has(group, (await company.directory.by_account(account)).id)

        return self.company(held)

    def account(self, account: str) -> AccountState:
        async def state(company: Company) -> AccountState:
            return await company.accounts.state((await company.directory.by_account(account)).id)

        return self.company(state)

    def login(self, account: str, password: str) -> str:
        return self.desk.run("company", "login", account, "--password", password).out.strip()


@pytest.fixture(scope="module")
def house(browser: Found, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    desk = Deskhand(tmp_path_factory.mktemp("desk") / "data")
    profile = tmp_path_factory.mktemp("profile") / "empty"
    with desk.serving() as url, chromium(browser, profile) as chrome:
        yield House(desk, url, chrome)


@pytest.fixture(autouse=True)
def _nothing_went_wrong_in_a_page(house: House) -> Iterator[None]:
    yield
    assert console_errors(house.chrome) == []
    for handle in house.chrome.window_handles[1:]:
        house.chrome.switch_to.window(handle)
        house.chrome.close()
    house.chrome.switch_to.window(house.chrome.window_handles[0])
    house.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def reference(person: Person) -> str:
    return re.findall(r"R-[0-9A-Z]{6}", person.all_that_is_said())[-1]


@pytest.mark.timeout(300)
def test_ana_gets_critical_access_through_manager_and_owner_until_its_time_is_over(house: House) -> None:
    ana, bo, nadia = (house.person(name) for name in ("Ana Ruiz", "Bo Lind", "Nadia Okafor"))
    ana.says(WORDS)
    ana.chooses_if_asked("Production database (read)", or_sees="Waiting for your yes")
    ana.sees("Give Ana Ruiz access to Production database (read) for 1 minute")
    ana.presses("Yes, do it")
    ana.sees("Waiting for Bo Lind")

    bo.sees("Request of Ana Ruiz")
    bo.sees("Read customer records in the production database.")
    bo.sees(WORDS)
    assert "Request of Ana Ruiz" not in nadia.all_that_is_said()
    assert not house.holds("ana", "prod-db-read")
    bo.presses("Approve")
    bo.sees("Approved by Bo Lind")
    ana.sees("Waiting for Nadia Okafor")
    assert not house.holds("ana", "prod-db-read")

    nadia.sees("You answer for Production database (read).")
    nadia.presses("Approve")
    ana.sees("Ana Ruiz has access to Production database (read)")
    assert ana.pill("Get access").startswith("Active until")
    assert house.holds("ana", "prod-db-read")

    ref = reference(ana)
    story = house.desk.says("audit", "show", ref)
    for words in (WORDS, "Ana Ruiz", "Bo Lind", "Nadia Okafor", "access.critical", "step join_group"):
        assert words in story
    assert house.desk.says("audit", "verify").startswith("whole")

    until(ana.looks(), lambda: ana.pill("Get access") == "Ended", MINUTE_S + 40)
    assert not house.holds("ana", "prod-db-read")
    bo_saw, nadia_saw = bo.all_that_is_said(), nadia.all_that_is_said()
    assert "Approved by Bo Lind" in bo_saw
    assert "Approved by Nadia Okafor" in nadia_saw
    assert "ended" in house.desk.says("audit", "show", ref)
    assert house.desk.says("audit", "verify").startswith("whole")


def test_a_new_password_needs_a_talk_a_code_read_out_and_is_shown_once(house: House) -> None:
    before = house.account("ana")
    ana, bo = house.person("Ana Ruiz"), house.person("Bo Lind")
    ana.says("I forgot my password")
    ana.sees("Set a new password for Ana Ruiz")
    ana.presses("Yes, do it")
    ana.sees("Waiting for Bo Lind")

    bo.sees("I spoke to Ana Ruiz in person")
    bo.presses("Approve")
    bo.sees("Please choose.")
    assert house.account("ana") == before
    bo.ticks()
    bo.presses("Approve")
    code = bo.fact("Code to read out to Ana Ruiz")
    assert re.fullmatch(r"\d{3} \d{3}", code)

    ana.sees("Your new password is ready.")
    assert code not in ana.all_that_is_said()
    link = find(ana.looks(), "a[href*='/reveal/']")
    address = str(link.get_attribute("href"))
    link.click()
    page = house.chrome
    until(page, lambda: len(page.window_handles) > 3)
    page.switch_to.window(page.window_handles[-1])
    wait_for_text(page, "six-digit code")
    wrong = "111111" if code != "111 111" else "222222"
    find(page, "#code").send_keys(wrong, Keys.ENTER)
    wait_for_text(page, "That is not the code.")
    find(page, "#code").send_keys(code, Keys.ENTER)
    wait_for_text(page, "it is shown this once")
    password = text_of(page, "code")
    assert len(password) >= 12

    assert house.login("ana", password) == "must_change"
    assert house.login("ana", "welcome-ana") == "wrong"
    page.get(address)
    wait_for_text(page, "Nothing to show")
    assert password not in page.page_source
    ana.sees("Your new password was shown.")
    for person in (ana, bo):
        assert password not in person.all_that_is_said()
    told = house.desk.says("audit", "show", reference(ana))
    assert password not in told
    assert code.replace(" ", "") not in told


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Sam Okoye", "reset the CEO's password"),
        ("Yuki Sato", "please set a new password for Grace Alder"),
        ("Olga Petrova", "reset password of grace"),
    ],
)
def test_the_ceo_s_password_is_out_of_reach(house: House, name: str, words: str) -> None:
    before = house.account("grace")
    asker, grace = house.person(name), house.person("Grace Alder")
    asker.says(words)
    until(house.chrome, lambda: asker.looks().find_elements(By.CSS_SELECTOR, "#messages article"))
    if asker.buttons("Reset my password"):  # what it says under "Did you mean one of these?"
        asker.presses("Reset my password")
        asker.sees(f"Set a new password for {name}")
    assert "Grace" not in asker.all_that_is_said().replace(words, "")
    assert house.account("grace") == before
    assert grace.all_that_is_said() == ""
    assert house.desk.says("audit", "list", "--person", "grace").strip() == "0 events"
    if asker.buttons("Cancel"):
        asker.presses("Cancel")
        asker.sees("Cancelled")


def test_somebody_locked_out_lets_themselves_in_again(house: House) -> None:
    assert house.login("luis", "welcome-luis") == "locked"
    luis = house.person("Luis Moreno")
    luis.says("I'm locked out")
    luis.sees("Unlock the account of Luis Moreno")
    luis.presses("Yes, do it")
    luis.sees("The account of Luis Moreno is not locked.")
    assert house.login("luis", "welcome-luis") == "ok"


def test_this_was_not_me_stops_everything_in_the_name_until_an_admin_lifts_it(house: House) -> None:
    kofi, bo, felix = (house.person(name) for name in ("Kofi Mensah", "Bo Lind", "Felix Braun"))
    kofi.says("reset my password")
    kofi.presses("Yes, do it")
    bo.sees("I spoke to Kofi Mensah")
    bo.ticks()
    bo.presses("Approve")
    kofi.sees("Your password was reset")
    kofi.presses("This wasn't me")
    felix.sees("needs a person")
    kofi.says("I need Figma for two weeks")
    kofi.sees("Your requests are paused")
    assert not house.holds("kofi", "figma-editors")
    assert "now not frozen" in house.desk.says("unfreeze", "kofi")
    kofi.says("I need Miro for two weeks")
    kofi.presses("Yes, do it")
    kofi.sees("Kofi Mensah has access to Miro")


def test_an_approval_needs_no_mouse(house: House) -> None:
    sam, bo = house.person("Sam Okoye"), house.person("Bo Lind")
    sam.says("I need GitHub for two weeks")
    sam.sees("Give Sam Okoye access to GitHub")
    walk(sam, to="Yes, do it").send_keys(Keys.ENTER)
    bo.sees("Request of Sam Okoye")
    bo.looks().execute_script("document.activeElement.blur()")
    walk(bo, to="Reason").send_keys("For the launch")
    walk(bo, to="Approve").send_keys(Keys.SPACE)
    bo.sees("Approved by Bo Lind")
    sam.sees("Sam Okoye has access to GitHub")
    sam.sees("For the launch")
    assert house.holds("sam.okoye", "github-write")


def test_on_a_phone_a_request_is_played_through_without_scrolling_sideways(house: House) -> None:
    leo, dario = house.person("Leo Fontana"), house.person("Dario Conti")
    for person in (leo, dario):
        person.looks()
        phone(house.chrome)
    leo.says("I need the data warehouse for three days")
    leo.sees("Give Leo Fontana access to Data warehouse for 3 days")
    fits(leo)
    leo.presses("Yes, do it")
    leo.sees("Waiting for Dario Conti")
    dario.sees("Request of Leo Fontana")
    fits(dario)
    dario.presses("Approve")
    leo.sees("Leo Fontana has access to Data warehouse")
    fits(leo)
    assert house.holds("leo", "warehouse-readers")


def walk(person: Person, *, to: str) -> WebElement:
    """Tab by tab to the control of this name."""
    chrome = person.looks()
    for _ in range(60):
        element = chrome.switch_to.active_element
        if (element.accessible_name or "").startswith(to):
            return element
        element.send_keys(Keys.TAB)
    pytest.fail(f"no way to {to!r} by keyboard")


def fits(person: Person) -> None:
    """Nothing stands outside the phone, and what is to be pressed is as large as a finger."""
    chrome = person.looks()
    assert chrome.execute_script(
        "return document.documentElement.scrollWidth <= innerWidth && innerWidth === 360"
    )
    for button in chrome.find_elements(By.CSS_SELECTOR, "#messages button"):
        assert button.size["height"] >= 36, button.text


@pytest.mark.timeout(300)
def test_two_weeks_off_from_words_to_an_entered_request_with_the_balance_after_it(house: House) -> None:
    ana, bo = (house.person(name) for name in ("Ana Ruiz", "Bo Lind"))
    ana.says("I'd like two weeks off from the 21st")
    ana.sees("Waiting for your yes")
    takes, left = ana.fact("Takes"), ana.fact("Left after it")
    assert "working days" in takes
    assert "hours, on" in left
    ana.presses("Yes, do it")
    ana.sees("Waiting for Bo Lind")
    bo.sees("Request of Ana Ruiz")
    assert bo.fact("Left after it") == left, "the manager sees the same"
    bo.presses("Approve")
    ana.sees(f"Ana Ruiz has {takes.split()[0]} days of vacation")

    async def hours(company: Company) -> list[str]:
        person = (await company.directory.by_account("ana")).id
        today = datetime.now(UTC).date()
        booked = await company.time_off.booked(person, today, today + timedelta(days=90))
        return [f"{each.amount.normalize():f}" for each in booked]

    assert [f"({each} hours)" for each in house.company(hours)] == [takes[takes.index("(") :]]


@pytest.mark.timeout(300)
def test_a_hand_off_to_a_person_and_the_answer_coming_back(house: House) -> None:
    ana = house.person("Ana Ruiz")
    ana.says("the thingy on my desk does not do the thing any more")
    ana.sees("How can I help?")
    ana.says("I want to talk to a human please")
    ana.sees("They are told")
    ana.presses("Yes, do it")
    ana.sees("A person answers you here.")
    key = re.findall(r"IT-\d+", ana.all_that_is_said())[-1]
    assert "the thingy on my desk does not do the thing any more" in house.desk.says(
        "company", "tickets", key
    )

    house.desk.says("company", "answer", key, "Is it the docking station?", "--as", "Chloe Dubois")
    ana.sees("Chloe Dubois wrote", seconds=40)
    ana.sees("Is it the docking station?")
    ana.writes("Yes, its lamp is off")
    ana.presses("Send")
    until(ana.looks(), lambda: "Yes, its lamp is off" in house.desk.says("company", "tickets", key))
    house.desk.says("company", "answer", key, "A new one is on your desk", "--close")
    ana.sees(f"{key} is closed", seconds=40)


@pytest.mark.timeout(300)
def test_a_laptop_of_300_eur_and_one_of_3000_take_different_ways(house: House) -> None:
    sam, bo, mei = (house.person(name) for name in ("Sam Okoye", "Bo Lind", "Mei Tanaka"))
    sam.says("please order me a chromebook")
    sam.sees("Order Chromebook for Sam Okoye, 300.00 EUR")
    sam.presses("Yes, do it")
    sam.sees("Chromebook for Sam Okoye is on order.")
    sam.says("I need a macbook pro")
    sam.sees("Order MacBook Pro 16 for Sam Okoye, 3,000.00 EUR")
    sam.presses("Yes, do it")
    sam.sees("Waiting for Bo Lind")
    bo.presses("Approve")
    mei.sees("You answer for the budget that pays for Sam Okoye.")
    mei.presses("Approve")
    sam.sees("MacBook Pro 16 for Sam Okoye is on order.")


@pytest.mark.timeout(300)
def test_an_exception_is_answered_in_the_help_desk_s_room(house: House) -> None:
    viktor, marco, ana = (house.person(name) for name in ("Viktor Novak", "Marco Bellini", "Ana Ruiz"))
    assert "Help desk" not in rooms(ana), "the room is the helpers'"
    viktor.says("I need access to figma for 31 days")
    viktor.writes("My project runs for 31 days")
    viktor.presses("Ask the help desk for an exception")
    viktor.sees("Your wish for an exception")
    viktor.sees("Waits for a helper")

    until(marco.looks(), lambda: re.search(r"Help desk \d", rooms(marco)))  # others wait there too
    marco.opens("help-desk")
    marco.sees("My project runs for 31 days")
    marco.sees("I need access to figma for 31 days")
    marco.presses("Taken by me")
    viktor.sees("Marco Bellini has it")
    marco.writes("Thirty days now, ask me again then")
    marco.presses("Answer")
    viktor.sees("Thirty days now, ask me again then")
    viktor.writes("Fine, thank you")
    viktor.presses("Send")
    marco.sees("Fine, thank you")
    marco.presses("Done")
    viktor.sees("is done")
    assert not house.holds("viktor", "figma-editors"), "no answer of a helper gives access"


def test_two_wishes_in_one_message_are_one_after_the_other(house: House) -> None:
    yuki = house.person("Yuki Sato")
    yuki.says("How many vacation days have I left? And I need Figma for two weeks.")
    yuki.sees("One thing at a time")
    yuki.sees("And I need Figma for two weeks.")
    assert not house.holds("yuki", "figma-editors")
    yuki.presses("Get access")
    yuki.sees("Give Yuki Sato access to Figma for 2 weeks")


def rooms(person: Person) -> str:
    """The names of the rooms this person may read, with what is unread in each."""
    return " ".join(text_of(person.looks(), "#conversations").split())
