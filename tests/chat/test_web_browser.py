"""The web desk in a real browser: two windows side by side, no mouse, a phone, the dark, hostile words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from bot.chat.card import Card
from tests.browser.support import (
    Found,
    chromium,
    console_errors,
    find,
    phone,
    prefer,
    text_of,
    until,
    wait_for_text,
)
from tests.chat.stub import HOSTILE, Running, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def window(browser: Found, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(browser, tmp_path_factory.mktemp("profile") / "empty") as chrome:
        yield chrome


@pytest.fixture(autouse=True)
def _clean_window(window: Chrome) -> Iterator[None]:
    """Nothing may go wrong in the page, and the next test finds one window as it was."""
    console_errors(window)
    yield
    assert console_errors(window) == []
    for handle in window.window_handles[1:]:
        window.switch_to.window(handle)
        window.close()
    window.switch_to.window(window.window_handles[0])
    window.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    prefer(window)
    window.get("about:blank")


def be(window: Chrome, web: Running, name: str) -> None:
    """Chooses this person with the keyboard alone."""
    window.get(web.url)
    wait_for_text(window, "Ana Ruiz", "#people")
    window.switch_to.active_element.send_keys(name, Keys.ENTER)
    wait_for_text(window, name, "#whoami")
    until(window, lambda: window.switch_to.active_element.get_attribute("id") == "words")


def say(window: Chrome, words: str) -> None:
    find(window, "#words").send_keys(words, Keys.ENTER)


def in_new_window(window: Chrome, web: Running, name: str) -> str:
    window.switch_to.new_window("window")
    be(window, web, name)
    return window.current_window_handle


def focus(window: Chrome, *, until_it_says: str, steps: int = 40) -> Any:
    """Tab by tab to the element with these words."""
    for _ in range(steps):
        element = window.switch_to.active_element
        if until_it_says in (element.accessible_name or ""):
            return element
        element.send_keys(Keys.TAB)
    pytest.fail(f"no way to {until_it_says!r} by keyboard")


def test_two_windows_play_a_request_through_live(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    employee = window.current_window_handle
    manager = in_new_window(window, web, "Bo Lind")
    window.switch_to.window(employee)
    say(window, "I need Figma for two weeks")
    wait_for_text(window, "Please confirm", "#messages")
    find(window, "#messages .tone-primary").click()
    wait_for_text(window, "Waiting for Bo Lind", "#messages")
    window.switch_to.window(manager)
    until(window, lambda: window.title == "(1) Deskhand")
    find(window, "[data-room=approvals]").click()
    wait_for_text(window, "Needs your decision", "#messages")
    until(window, lambda: window.title == "Approvals · Deskhand")
    find(window, "textarea[name=reason]").send_keys("For the launch")
    find(window, "#messages .tone-good").click()
    wait_for_text(window, "For the launch", "#messages blockquote")
    window.switch_to.window(employee)
    wait_for_text(window, "You are in.", "#messages")
    assert text_of(window, "#messages .pill") == "Done"


def test_the_same_person_in_two_windows_sees_the_same(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    first = window.current_window_handle
    in_new_window(window, web, "Ana Ruiz")
    say(window, "hello from the second")
    wait_for_text(window, "You said: hello from the second", "#messages")
    window.switch_to.window(first)
    wait_for_text(window, "You said: hello from the second", "#messages")
    assert len(window.find_elements(By.CSS_SELECTOR, "#messages .message")) == 2


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_words_are_shown_and_never_run(window: Chrome, web: Running, number: int) -> None:
    be(window, web, "Ana Ruiz")
    say(window, f"hostile {number}")
    article = find(window, "#messages article")
    assert window.execute_script("return window.pwned") is None
    inside = "return [...arguments[0].querySelectorAll('*')].map((node) => node.localName)"
    assert not set(window.execute_script(inside, article)) & {
        "script",
        "img",
        "svg",
        "b",
        "a",
        "iframe",
        "style",
    }
    assert window.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    for visible in HOSTILE[number][:60].split("\n"):
        if visible.isascii() and visible.isprintable():
            assert visible in article.find_element(By.CSS_SELECTOR, ".card-text").text


def test_markup_in_ones_own_words_stays_words(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    say(window, "<img src=x onerror='window.pwned=1'>")
    wait_for_text(window, "You said: <img src=x onerror='window.pwned=1'>", "#messages")
    assert window.execute_script("return window.pwned") is None


def test_everything_can_be_done_by_keyboard(window: Chrome, web: Running) -> None:
    be(window, web, "Bo Lind")
    say(window, "form")
    wait_for_text(window, "A few details", "#messages")
    window.execute_script("document.activeElement.blur()")
    focus(window, until_it_says="Viewer").send_keys(Keys.ARROW_DOWN)
    focus(window, until_it_says="Why").send_keys("because")
    assert window.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    focus(window, until_it_says="Send").send_keys(Keys.SPACE)
    wait_for_text(window, "The form is in.", "#messages")
    assert window.execute_script("return document.activeElement.matches('.card')")
    fields = web.desk.came_in[-1].fields
    assert fields == {"level": "edit", "reason": "because"}
    focus(window, until_it_says="Approvals").send_keys(Keys.ENTER)
    wait_for_text(window, "Nothing waits for a decision")


def test_what_is_wrong_is_said_beside_the_field_and_read_out_with_it(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    say(window, "form")
    find(window, "#messages .tone-primary").click()
    wait_for_text(window, "Please choose.")
    find(window, "input[type=radio]").click()
    why = find(window, "input[name=reason]")
    why.send_keys("no idea", Keys.ENTER)
    wait_for_text(window, "Please say why in the word: because.")
    why = find(window, "input[name=reason]")
    described = why.get_attribute("aria-describedby")
    assert find(window, f"#{described}").text == "Please say why in the word: because."
    assert why.get_attribute("value") == "no idea"
    assert window.switch_to.active_element == why


def test_enter_in_a_reason_approves_nothing(window: Chrome, web: Running) -> None:
    from_stub = web.send("dm:ana", _one_line_approval(), "one")
    be_with_messages(window, web, "Ana Ruiz")
    find(window, "input[name=reason]").send_keys("maybe", Keys.ENTER)
    say(window, "hello")
    wait_for_text(window, "You said: hello", "#messages")
    assert [inbound.handle for inbound in web.desk.came_in] == [""]
    assert from_stub.message_id


def test_a_double_click_is_one_press(window: Chrome, web: Running) -> None:
    web.desk.slow = 0.3
    be(window, web, "Ana Ruiz")
    say(window, "I need Figma")
    button = find(window, "#messages .tone-primary")
    window.execute_script("arguments[0].click(); arguments[0].click()", button)
    until(window, lambda: not find(window, "#messages .tone-primary").is_enabled())
    wait_for_text(window, "Waiting for Bo Lind", "#messages")
    assert [inbound.handle for inbound in web.desk.came_in].count("confirm:1") == 1


def test_a_lost_connection_is_shown_and_what_was_written_goes_out_later(
    window: Chrome, browser: Found, tmp_path: Path
) -> None:
    with serving(tmp_path) as web:
        be(window, web, "Ana Ruiz")
        port = web.port
    wait_for_text(window, "Reconnecting")
    say(window, "are you there?")
    wait_for_text(window, "Not sent yet")
    with serving(tmp_path, port=port) as web:
        wait_for_text(window, "You said: are you there?", "#messages")
        until(window, lambda: not find(window, "#banner").is_displayed())
        web.send("dm:ana", _one_line_approval(), "after")
        wait_for_text(window, "One line", "#messages")
        assert len([inbound for inbound in web.desk.came_in if inbound.text]) == 1
        window.get_log("browser")


def test_a_message_of_a_megabyte_gets_a_kind_word_and_is_not_lost(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    window.execute_script("document.getElementById('words').value = 'x'.repeat(1e6)")
    say(window, "")
    wait_for_text(window, "Please keep it under 4,000 characters", "#composer-error")
    assert len(str(find(window, "#words").get_property("value"))) == 1_000_000


def test_notices_are_for_ones_own_eyes(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    say(window, "whisper")
    wait_for_text(window, "Only for you", "#messages")
    say(window, "my password is Hunter2!")
    wait_for_text(window, "looked like a password", "#messages")
    assert "Hunter2" not in text_of(window, "#messages .mine:last-of-type .bubble")
    say(window, "silence")
    until(window, lambda: find(window, "#working").is_displayed())


def test_new_messages_are_read_out(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    say(window, "hello")
    wait_for_text(window, "Deskhand: You said: hello", "#announce")
    assert find(window, "#announce").get_attribute("aria-live") == "polite"


def test_a_suggestion_asks_for_what_it_says(window: Chrome, web: Running) -> None:
    be(window, web, "Ana Ruiz")
    find(window, ".chip:nth-child(1)").click()
    until(window, lambda: web.desk.came_in)
    assert web.desk.came_in[0].text == "I'm locked out"
    until(window, lambda: not find(window, "#empty").is_displayed())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(window: Chrome, web: Running, scheme: str) -> None:
    phone(window, width=360)
    prefer(window, color_scheme=scheme, reduced_motion="reduce")
    sideways = "return document.documentElement.scrollWidth > innerWidth || innerWidth !== 360"
    be(window, web, "Eve Nakamura")
    assert not window.execute_script(sideways)
    for words in ("form", "I need Figma", f"hostile {len(HOSTILE) - 1}", "W" * 300):
        say(window, words)
        until(window, lambda: len(web.desk.came_in) and "article" in window.page_source)
        assert not window.execute_script(sideways)
    find(window, "[data-room=approvals]").click()
    assert not window.execute_script(sideways)
    window.get(web.url)
    wait_for_text(window, "Ana Ruiz")
    assert not window.execute_script(sideways)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(window: Chrome, web: Running, scheme: str) -> None:
    prefer(window, color_scheme=scheme, reduced_motion="reduce")
    be(window, web, "Ana Ruiz")
    for words in ("form", "I need Figma", "whisper"):
        say(window, words)
    wait_for_text(window, "Only for you", "#messages")
    find(window, "#messages article:has(select) .tone-primary").click()
    wait_for_text(window, "Please choose.")
    weak = window.execute_script(CONTRAST)
    assert weak == []


def be_with_messages(window: Chrome, web: Running, name: str) -> None:
    be(window, web, name)
    find(window, "#messages article")


def _one_line_approval() -> Any:
    from_card = {
        "title": "One line",
        "inputs": [{"kind": "text", "name": "reason", "label": "Reason", "required": False}],
        "buttons": [{"label": "Approve", "handle": "approve:1", "tone": "good"}],
    }
    return Card.model_validate(from_card)


# WCAG AA: 4.5 to 1 between the colour of each text and the nearest ground behind it.
CONTRAST = """
const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
function ground(node) {
  for (; node; node = node.parentElement) {
    const colour = parts(getComputedStyle(node).backgroundColor);
    if (colour.length === 3 || colour[3] > 0.99) return colour;
  }
  return [255, 255, 255];
}
const weak = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.data?.trim());
  if (!own || !node.checkVisibility()) continue;
  if (node.closest(".sr-only, .skip, option, noscript")) continue;
  const [a, b] = [light(parts(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) weak.push(`${node.className}: ${node.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
}
return weak;
"""
