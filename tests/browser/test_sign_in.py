"""Signing in as people do it: their company's own log-in page, a real browser, a served desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from bot.procedures.proofs import CALLBACK
from tests.browser.people import Person
from tests.browser.support import Found, chromium, console_errors, find, text_of, until, wait_for_text
from tests.command import Deskhand
from tests.servers.openid import CLIENT_ID, CLIENT_SECRET, PASSWORD, FakeOpenId

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = "I need access to production deploy for 1 day"


class House:
    """A served desk beside a provider, and one browser that people use in turn."""

    def __init__(self, desk: Deskhand, url: str, idp: FakeOpenId, chrome: Chrome) -> None:
        self.desk, self.url, self.idp, self.chrome = desk, url, idp, chrome

    def at_the_provider(self, account: str) -> None:
        """The log-in page that came up."""
        find(self.chrome, "#name").clear()
        find(self.chrome, "#name").send_keys(account)
        find(self.chrome, "#pw").send_keys(PASSWORD)
        find(self.chrome, "#go").click()

    def person(self, account: str, name: str) -> Person:
        """Another person sits down: nothing of the one before is left in the browser."""
        chrome = self.chrome
        chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
        chrome.switch_to.new_window("window")
        chrome.get(self.url)
        find(chrome, "a.button").click()
        self.at_the_provider(account)
        wait_for_text(chrome, name, "#whoami")
        until(chrome, lambda: find(chrome, "#words").is_displayed())
        chrome.execute_script("window.sameDocument = true")
        return Person(chrome, chrome.current_window_handle, name)

    def opens(self, person: Person, label: str) -> None:
        """The page behind a link of a card."""
        chrome = person.looks()
        before = set(chrome.window_handles)
        until(chrome, lambda: chrome.find_elements(By.PARTIAL_LINK_TEXT, label))[-1].click()
        (page,) = until(chrome, lambda: set(chrome.window_handles) - before)
        chrome.switch_to.window(page)

    def page(self) -> str:
        return text_of(self.chrome, "main")


@pytest.fixture(scope="module")
def house(browser: Found, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with FakeOpenId.running() as idp:
        settings = {
            "OIDC_ISSUER": idp.issuer,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_NAME": "Alder & Finch",
            "OIDC_CA_FILE": str(idp.certificates.ca_file),
            "DESKHAND_QUARANTINE_S": "0.001",  # people are linked by their mail as they sign in first
        }
        desk = Deskhand(tmp_path_factory.mktemp("desk") / "data", settings)
        profile = tmp_path_factory.mktemp("profile") / "empty"
        with desk.serving() as url, chromium(browser, profile) as chrome:
            idp.idp.redirects = {url.rstrip("/") + CALLBACK}
            yield House(desk, url, idp, chrome)


@pytest.mark.timeout(300)
def test_a_critical_approval_takes_a_sign_in_and_so_does_a_new_password(house: House) -> None:
    ana = house.person("ana", "Ana Ruiz")
    assert "Switch" not in text_of(house.chrome, "#whoami")
    ana.says(WORDS)
    ana.presses("Yes, do it")
    ana.sees("Waiting for Bo Lind")

    bo = house.person("bo", "Bo Lind")
    bo.sees("Request of Ana Ruiz")
    assert not bo.buttons("Approve")
    house.opens(bo, "Review and approve")
    wait_for_text(house.chrome, "A decision is asked of you", "main")
    assert "Ana" not in house.page()
    find(house.chrome, "a.go").click()
    assert find(house.chrome, "#name").get_attribute("value") == "bo", "the provider knows who is expected"
    house.at_the_provider("bo")
    wait_for_text(house.chrome, "Request of Ana Ruiz", "main")
    assert "Digest" in house.page()
    find(house.chrome, "button[value=approve]").click()
    wait_for_text(house.chrome, "Thank you, noted.", "main")
    bo.sees("Approved by Bo Lind")

    ana = house.person("ana", "Ana Ruiz")
    ana.says("I forgot my password")
    ana.presses("Yes, do it")
    bo = house.person("bo", "Bo Lind")
    bo.sees("I spoke to Ana Ruiz")
    bo.ticks()
    bo.presses("Approve")
    ana = house.person("ana", "Ana Ruiz")
    house.opens(ana, "Show my new password")
    find(house.chrome, "a.go").click()
    house.at_the_provider("ana")
    wait_for_text(house.chrome, "It is you.", "main")
    find(house.chrome, "button").click()
    wait_for_text(house.chrome, "Log in with it now", "main")
    password = text_of(house.chrome, "code")
    login = house.desk.run("company", "login", "ana", "--password", password).out.strip()
    assert login == "must_change"
    assert password not in house.desk.says("audit", "list")

    ana.looks().find_element(By.CSS_SELECTOR, "button.whoami-action").click()
    wait_for_text(house.chrome, "Sign in", "main")
    assert console_errors(house.chrome) == []
