"""The page on which somebody sets up their authenticator app, and sees their recovery codes once."""

from __future__ import annotations

from html import escape

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.pages.page import Browser, away, code_form, form_of, page, told, wrong
from bot.pages.proving import TRY_AGAIN, Proving
from bot.procedures.enrolment import Enrolling, Enrolments
from bot.procedures.proofs import AUTHENTICATOR, SIGN_IN, NoProof

_OFFER = """<h1>Set up your authenticator</h1>{wrong}
<p>Read this picture with your authenticator app, or type the secret into it.</p>
<img class="qr" alt="QR code for the authenticator app" src="{picture}"><code>{secret}</code>"""

_HAVE = """<h1>You have an authenticator</h1>{wrong}<p>Since {since}; {left} recovery codes are left. To set up
another one in its place, show first that it is you.</p>"""

_FIRST = """<h1>Set up your authenticator</h1>{wrong}<p>First show that it is you.</p>"""

_REPLACE = """<h1>Another authenticator</h1>{wrong}<p>The one you have, and its recovery codes, end now; then you set
up the other one.</p><form method="post"><input type="hidden" name="csrf" value="{csrf}">
<button name="replace" value="yes">End it and go on</button></form>"""

_CODES = """<h1>Your recovery codes</h1><p>Keep them where your phone is not: each one is good once, in place of a code of
the app. They are shown this once.</p><ul class="codes">{codes}</ul><p><small>For a day from now you can ask for nothing
risky and approve nothing.</small></p>"""


def authenticator_pages(enrolments: Enrolments, proving: Proving) -> Mount:
    pages = _Pages(enrolments, proving)
    routes = [
        Route("/{handle:str}", pages.look, methods=["GET"]),
        Route("/{handle:str}", pages.enrol, methods=["POST"]),
        Route("/{handle:str}/sign-in", pages.sign_in, methods=["GET"]),
    ]
    return Mount("/authenticator", routes=routes)


class _Pages:
    def __init__(self, enrolments: Enrolments, proving: Proving) -> None:
        self._enrolments, self._proving = enrolments, proving

    async def look(self, request: Request) -> Response:
        found = self._enrolments.open(request.path_params["handle"])
        return await self._page(found, self._proving.browser(request)) if found else _over()

    async def sign_in(self, request: Request) -> Response:
        found = self._enrolments.open(request.path_params["handle"])
        if found is None:
            return _over()
        browser = self._proving.browser(request)
        try:
            return await self._proving.leave(found.purpose, browser)
        except NoProof as error:
            return await self._page(found, browser, str(error), 503)

    async def enrol(self, request: Request) -> Response:
        found = self._enrolments.open(request.path_params["handle"])
        if found is None:
            return _over()
        browser, form = self._proving.browser(request), await form_of(request)
        try:
            if "app" in form:  # of the one they have, which is to be replaced
                return await self._proving.code(found.purpose, browser, form)
            if not browser.sent(form):
                raise NoProof(TRY_AGAIN)
            if not self._proved(found, browser):
                raise NoProof("Please show first that it is you.")
        except NoProof as error:
            return await self._page(found, browser, str(error), 403)
        if found.since:  # it goes before another one is offered
            if form.get("replace") == "yes":
                await self._enrolments.remove(found.person, by=found.person)
            return browser.keep(away(found.purpose.back))
        codes = await self._enrolments.enrol(found, form.get("code", ""))
        if not codes:
            not_it = "That is not the present code. Wait for the next one, and type that."
            return await self._page(found, browser, not_it, 403)
        await self._proving.proofs.spend(found.purpose.what, browser.id)
        return page(_CODES.format(codes="".join(f"<li>{escape(each)}</li>" for each in codes)))

    def _proved(self, found: Enrolling, browser: Browser) -> bool:
        """Where there is neither a provider nor an earlier authenticator, the link has to do; the person is
        told, and rests a day."""
        needed = bool(self._proving.provider or found.since)
        return not needed or self._proving.held(found.purpose, browser) is not None

    async def _page(
        self, found: Enrolling, browser: Browser, problem: str = "", status: int = 200
    ) -> Response:
        if self._proved(found, browser) and found.since:
            return browser.keep(page(_REPLACE.format(wrong=wrong(problem), csrf=browser.csrf), status))
        if self._proved(found, browser):
            secret, address = await self._enrolments.offer(found)
            picture = segno.make(address, error="m").svg_data_uri(scale=5, border=3)
            offered = _OFFER.format(wrong=wrong(problem), picture=escape(picture), secret=_spaced(secret))
            form = code_form(browser, "code", "The code it shows now", button="Set it up")
            return browser.keep(page(offered + form, status))
        ways = (
            *((SIGN_IN,) if self._proving.provider else ()),
            *((AUTHENTICATOR,) if found.since else ()),
        )
        since = f"{found.since:%d %b %Y}" if found.since else ""
        lead = _HAVE if found.since else _FIRST
        asked = lead.format(wrong=wrong(problem), since=since, left=found.left)
        return browser.keep(page(asked + self._proving.offers(found.purpose, browser, ways), status))


def _spaced(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _over() -> Response:
    words = 'This link is not valid any more. Write "set up my authenticator", and you get a new one.'
    return told("Nothing to set up", words, 410)
