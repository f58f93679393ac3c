"""Makes pictures of docs/ about work: `.venv/bin/python -m scripts.work_pictures`.

Two weeks off, asked for and decided; a hand-off to a person and the answer that comes back; a laptop for
somebody who starts; a question answered with its source, and a wrong guess corrected. Once in light and once
in dark.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from scripts.browser import find_chromium, find_driver
from scripts.screenshots import Pictures
from tests.browser.people import Person
from tests.browser.support import chromium, find
from tests.command import Deskhand
from tests.conftest import Browser

SETTINGS = {"DESKHAND_LOG_LEVEL": "warning", "DESKHAND_TICKETS_POLL_S": "1"}


def main() -> int:
    found, driver = find_chromium(), find_driver()
    if not found or not driver:
        print("Chromium and chromedriver are needed: `make test` installs them or says how", file=sys.stderr)
        return 1
    for scheme in ("light", "dark"):
        with tempfile.TemporaryDirectory() as folder:
            desk = Deskhand(Path(folder) / "data", SETTINGS)
            with (
                desk.serving() as url,
                chromium(Browser(found, driver), Path(folder) / "profile") as chrome,
            ):
                _take(Pictures(chrome, url, scheme, Path(folder)), desk)
    return 0


def _take(pictures: Pictures, desk: Deskhand) -> None:
    ana, bo = (Person.arrives(pictures.chrome, pictures.url, name) for name in ("Ana Ruiz", "Bo Lind"))
    _time_off(pictures, ana, bo)
    _hand_off(pictures, ana, desk)
    _new_hire(pictures, bo)
    _understanding(pictures, Person.arrives(pictures.chrome, pictures.url, "Luis Moreno"))


def _time_off(pictures: Pictures, ana: Person, bo: Person) -> None:
    ana.says("I'd like two weeks off from the 21st")
    ana.sees("Waiting for your yes")
    asked = pictures.shot(ana, 640, 800)
    ana.presses("Yes, do it")
    bo.sees("Request of Ana Ruiz")
    decided = pictures.shot(bo, 640, 800)
    bo.presses("Approve")
    ana.sees("Done")
    pictures.side_by_side(
        "time-off", 640, {"Ana sees what will be left": asked, "Bo, her manager, decides": decided}
    )


def _hand_off(pictures: Pictures, ana: Person, desk: Deskhand) -> None:
    ana.says("the thingy on my desk does not do the thing any more")
    ana.sees("How can I help?")
    ana.says("I want to talk to a human please")
    ana.sees("They are told")
    asked = pictures.shot(ana, 640, 800)
    ana.presses("Yes, do it")
    ana.sees("A person answers you here.")
    key = re.findall(r"IT-\d+", ana.all_that_is_said())[-1]
    desk.says("company", "answer", key, "Is it the docking station, the grey box under your screen?")
    ana.sees("Is it the docking station")
    find(ana.looks(), "#messages textarea").send_keys("Yes, its lamp is off")
    answered = pictures.shot(ana, 640, 800)
    pictures.side_by_side(
        "hand-off", 640, {"Ana asks for a person": asked, "The answer comes back": answered}
    )


def _new_hire(pictures: Pictures, bo: Person) -> None:
    bo.says("Kofi Mensah starts on Monday, please set him up with a thinkpad and the usual access")
    bo.sees("Equip Kofi Mensah with a laptop")
    asked = pictures.shot(bo, 640, 800)
    bo.presses("Yes, do it")
    bo.sees("On their way")
    after = pictures.shot(bo, 640, 800)
    pictures.side_by_side("new-hire", 640, {"One yes": asked, "Each part goes its own way": after})


def _understanding(pictures: Pictures, luis: Person) -> None:
    luis.says("can I carry vacation days over into next year?")
    luis.sees("This is what I found")
    found = pictures.shot(luis, 640, 800)
    luis.says("I need Miro for two weeks")
    luis.sees("Waiting for your yes")
    luis.says("no, I meant Figma, and only for three days")
    luis.sees("access to Figma for 3 days")
    corrected = pictures.shot(luis, 640, 800)
    pictures.side_by_side(
        "understanding", 640, {"A question, with its source": found, "A wrong guess, corrected": corrected}
    )


if __name__ == "__main__":
    sys.exit(main())
