"""Makes the pictures of README.md and docs/: `.venv/bin/python -m scripts.screenshots`.

Serves the desk on a folder of its own, plays a request through in two browser windows, once in light and
once in dark, and writes docs/images/*.webp. `make test` installs what it needs.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from selenium.webdriver import Chrome, Keys

from scripts.browser import find_chromium, find_driver
from tests.browser.people import Person
from tests.browser.support import chromium, find, prefer, until, wait_for_text
from tests.command import Deskhand
from tests.conftest import Browser

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
MOST_BYTES = 200_000  # a picture
SCALE = 1.2  # device pixels a CSS pixel: sharp, and light enough to load at once

WORDS = "I need to read the production database until Friday to look at an incident"

# Pictures side by side, pixel by pixel, each under the name of whoever looks at it; the ground shows through.
_SIDE_BY_SIDE = """<!doctype html><meta charset="utf-8"><style>
body{margin:0;padding:18px;display:flex;gap:30px;justify-content:center;align-items:flex-start;background:transparent;
font:600 22px/1 system-ui,sans-serif;color:%(ink)s}
figure{margin:0}figcaption{margin:0 0 14px;text-align:center}
img{display:block;border-radius:18px;box-shadow:0 0 0 2px %(line)s}</style>%(figures)s"""
_SCROLL = """
document.activeElement.blur();
const cards = [...document.querySelectorAll("#messages article")];
cards.findLast((card) => card.innerText.includes(arguments[0]))?.scrollIntoView({ block: "end" });
document.getElementById("scroll")?.scrollBy(0, 16);
"""
_ENCODE = """
const done = arguments[1], picture = new Image();
picture.onload = () => {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  done(canvas.toDataURL("image/webp", 0.92));
};
picture.src = "data:image/png;base64," + arguments[0];
"""
_COLOURS = {"light": ("#3a3a44", "#d5d5de"), "dark": ("#c9c9d4", "#3c3c48")}


def main() -> int:
    found, driver = find_chromium(), find_driver()
    if not found or not driver:
        print("Chromium and chromedriver are needed: `make test` installs them or says how", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        with tempfile.TemporaryDirectory() as folder:
            desk = Deskhand(Path(folder) / "data", {"DESKHAND_LOG_LEVEL": "warning"})
            with (
                desk.serving() as url,
                chromium(Browser(found, driver), Path(folder) / "profile") as chrome,
            ):
                Pictures(chrome, url, scheme, Path(folder)).take()
    return _weigh()


class Pictures:
    def __init__(self, chrome: Chrome, url: str, scheme: str, folder: Path) -> None:
        self.chrome = chrome
        self.url = url
        self.scheme = scheme
        self.folder = folder

    def take(self) -> None:
        ana, bo, nadia = (
            Person.arrives(self.chrome, self.url, n) for n in ("Ana Ruiz", "Bo Lind", "Nadia Okafor")
        )
        ana.says(WORDS)
        ana.chooses_if_asked("Production database (read)", or_sees="Waiting for your yes")
        ana.sees("Waiting for your yes")
        asked = self.shot(ana, 640, 800)
        ana.presses("Yes, do it")
        ana.sees("Waiting for Bo Lind")
        bo.sees("Request of Ana Ruiz")
        decided = self.shot(bo, 640, 800)
        self.side_by_side("request", 640, {"Ana asks": asked, "Bo, her manager, decides": decided})

        bo.presses("Approve")
        nadia.sees("You answer for")
        on_phone = self.shot(nadia, 360, 740)
        nadia.presses("Approve")
        ana.sees("Ana Ruiz has access to")
        done = self.shot(ana, 360, 740)
        self.side_by_side(
            "phone", 360, {"Nadia, the owner, on her phone": on_phone, "Ana, a moment later": done}
        )
        self.passwords(ana, bo)
        self.chrome.get(self.url)
        wait_for_text(self.chrome, "Grace Alder")
        self.save("choose", self.png(960, 640))

    def passwords(self, ana: Person, bo: Person) -> None:
        ana.says("I forgot my password")
        ana.presses("Yes, do it")
        bo.sees("I spoke to Ana Ruiz")
        bo.ticks()
        bo.presses("Approve")
        code = bo.fact("Code to read out")
        card = self.shot(bo, 640, 730, down_to="Code to read out")
        ana.sees("Your new password is ready.")
        find(ana.looks(), "a[href*='/reveal/']").click()
        until(self.chrome, lambda: "/reveal/" in self._newest().current_url)
        wait_for_text(self.chrome, "Show it once")
        find(self.chrome, "#code").send_keys(code)
        page = self.png(640, 730)
        find(self.chrome, "#code").send_keys(Keys.ENTER)
        wait_for_text(self.chrome, "it is shown this once")
        self.side_by_side("password", 640, {"Bo reads the code out": card, "Ana types it in": page})

    def shot(self, person: Person, width: int, height: int, *, down_to: str = "") -> bytes:
        person.looks()
        return self.png(width, height, down_to=down_to)

    def png(self, width: int, height: int, *, down_to: str = "") -> bytes:
        """What the present window shows at this size in CSS pixels, down to the last card with this."""
        prefer(self.chrome, color_scheme=self.scheme, reduced_motion="reduce")
        self._size(width, height)
        self.chrome.execute_script(_SCROLL, down_to)
        self.chrome.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        return self.chrome.get_screenshot_as_png()

    def side_by_side(self, name: str, width: int, pictures: dict[str, bytes]) -> None:
        ink, line = _COLOURS[self.scheme]
        figures = "".join(
            f"<figure><figcaption>{escape(caption)}</figcaption>"
            f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}"></figure>'
            for caption, png in pictures.items()
        )
        page = self.folder / f"{name}.html"
        page.write_text(_SIDE_BY_SIDE % {"ink": ink, "line": line, "figures": figures}, encoding="utf-8")
        with self._own_window():
            self.chrome.get(page.as_uri())
            clear = {"color": {"r": 0, "g": 0, "b": 0, "a": 0}}
            self.chrome.execute_cdp_cmd("Emulation.setDefaultBackgroundColorOverride", clear)
            across = int(2 * width * SCALE) + 66
            self._size(across, 100, scale=1)
            until(
                self.chrome,
                lambda: self.chrome.execute_script("return [...document.images].every((i) => i.complete)"),
            )
            height = self.chrome.execute_script("return document.body.getBoundingClientRect().height")
            self._size(across, int(height), scale=1)
            self.save(name, self.chrome.get_screenshot_as_png())

    def save(self, name: str, png: bytes) -> None:
        with self._own_window():
            (IMAGES / f"{name}-{self.scheme}.webp").write_bytes(webp(self.chrome, png))

    @contextmanager
    def _own_window(self) -> Iterator[None]:
        before = self.chrome.current_window_handle
        self.chrome.switch_to.new_window("window")
        yield
        self.chrome.close()
        self.chrome.switch_to.window(before)

    def _newest(self) -> Chrome:
        self.chrome.switch_to.window(self.chrome.window_handles[-1])
        return self.chrome

    def _size(self, width: int, height: int, *, scale: float = SCALE) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def webp(chrome: Chrome, png: bytes) -> bytes:
    """The same picture at half the weight, by the browser itself. In a window of its own: a page may
    forbid it."""
    encoded = chrome.execute_async_script(_ENCODE, base64.b64encode(png).decode())
    return base64.b64decode(encoded.partition(",")[2])


def _weigh() -> int:
    """1 where a picture is too heavy for a page."""
    heavy = 0
    for image in sorted(IMAGES.glob("*.webp")):
        size = image.stat().st_size
        heavy += size > MOST_BYTES
        print(f"{size / 1000:7.0f} kB  {image.name}{'  TOO HEAVY' if size > MOST_BYTES else ''}")
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
