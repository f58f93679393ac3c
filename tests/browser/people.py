"""People in front of the web desk: each has a window, and says, sees and presses things in it."""

from __future__ import annotations

from dataclasses import dataclass

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.support import WAIT_SECONDS, find, text_of, until, wait_for_text

# Opened by a click as people do; pages that were loaded anew have lost the mark.
_MARK = "window.sameDocument = true"
_MARKED = "return window.sameDocument === true"


@dataclass
class Person:
    """One person's window. ``arrives`` opens it."""

    chrome: Chrome
    handle: str
    name: str

    @classmethod
    def arrives(cls, chrome: Chrome, url: str, name: str) -> Person:
        """Chooses who to be in a window of their own, with the keyboard."""
        chrome.switch_to.new_window("window")
        chrome.get(url)
        wait_for_text(chrome, name, "#people")
        find(chrome, "#search").send_keys(name, Keys.ENTER)
        wait_for_text(chrome, name, "#whoami")
        until(chrome, lambda: find(chrome, "#words").is_displayed())
        chrome.execute_script(_MARK)
        return cls(chrome, chrome.current_window_handle, name)

    def looks(self) -> Chrome:
        """Turn to this window."""
        self.chrome.switch_to.window(self.handle)
        return self.chrome

    def says(self, words: str) -> None:
        find(self.looks(), "#words").send_keys(words, Keys.ENTER)

    def sees(self, words: str, seconds: float = WAIT_SECONDS) -> None:
        """These words come up by themselves: the page is the one that was opened."""
        chrome = self.looks()
        until(chrome, lambda: words in text_of(chrome, "#messages"), seconds)
        assert chrome.execute_script(_MARKED), "the page was loaded anew"

    def opens(self, room: str) -> None:
        """One of the rooms at the side, by its mark."""
        chrome = self.looks()
        until(chrome, lambda: _click(chrome.find_elements(By.CSS_SELECTOR, f"[data-room={room}]")))

    def all_that_is_said(self) -> str:
        return text_of(self.looks(), "#messages")

    def writes(self, words: str) -> None:
        """Into the newest field there is."""
        chrome = self.looks()
        until(chrome, lambda: chrome.find_elements(By.CSS_SELECTOR, "#messages textarea"))
        chrome.find_elements(By.CSS_SELECTOR, "#messages textarea")[-1].send_keys(words)

    def pill(self, title: str) -> str:
        """The state that the newest card of this title shows."""
        pills = self.looks().find_elements(By.XPATH, f"//article[.//h2[.='{title}']]//*[@class='pill']")
        return pills[-1].text if pills else ""

    def presses(self, label: str) -> None:
        """The newest button of this label."""
        until(self.looks(), lambda: _click(self.buttons(label)))

    def buttons(self, label: str) -> list[WebElement]:
        xpath = f'//*[@id="messages"]//button[normalize-space(.)="{label}" and not(@disabled)]'
        return self.looks().find_elements(By.XPATH, xpath)

    def chooses_if_asked(self, label: str, or_sees: str) -> None:
        """A picker comes where several come close, and none where one does."""
        chrome = self.looks()
        until(chrome, lambda: self.buttons(label) or or_sees in self.all_that_is_said())
        if self.buttons(label):
            self.presses(label)

    def ticks(self) -> None:
        """The newest box there is to tick."""
        chrome = self.looks()
        until(chrome, lambda: _click(chrome.find_elements(By.CSS_SELECTOR, "[type=checkbox]")))

    def fact(self, label: str) -> str:
        """What the newest card with this fact says."""
        xpath = f"//*[@id='messages']//dt[starts-with(., '{label}')]/following-sibling::dd"
        chrome = self.looks()
        shown = until(
            chrome, lambda: [text for found in chrome.find_elements(By.XPATH, xpath) if (text := found.text)]
        )
        return shown[-1]


def _click(found: list[WebElement]) -> bool:
    """The last of them, if there is one."""
    for each in found[-1:]:
        each.click()
    return bool(found)
