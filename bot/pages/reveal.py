"""The reveal page, where a new credential is shown once.

The link alone opens nothing: the page asks for a proof of who is there. Which ones are taken, the rules say.
"""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.pages.page import Browser, form_of, page, told, wrong
from bot.pages.proving import TRY_AGAIN, Proving
from bot.procedures.cards import SPOKEN
from bot.procedures.proofs import AUTHENTICATOR, SIGN_IN, NoProof
from bot.procedures.reveal import GONE, Refused, Reveals, Waiting

_SPOKEN = """<p>Your manager has a six-digit code on the card where they approved this.
Have them read it out to you by voice; nobody needs it in writing.</p>
<form method="post" autocomplete="off"><label for="code">Code</label>
<input id="code" name="code" inputmode="numeric" pattern="[0-9 ]{6,7}" maxlength="7" required>
<button>Show it once</button></form>"""

_FIRST = "<p>First show that it is you.</p>"
_NO_WAY = "<p>Nothing here can show it. Please call the help desk.</p>"

_READY = """<h1>Your new {what}</h1><p>It is you. The {what} is shown once; have the place ready where you
need it.</p><form method="post"><input type="hidden" name="csrf" value="{csrf}"><button>Show it once</button></form>"""

_SHOWN = """<h1>Your new {what}</h1>
<p>{how}</p>
<code>{secret}</code>
<p><small>Close this page when you are done. It was destroyed here the moment you saw it.</small></p>"""

_HOW = {
    "password": "Log in with it now: it is shown this once, and you choose your own right after.",
    "pass": "Sign in with it now, instead of your password: it is shown this once and good for one sign-in.",
}


def reveal_pages(reveals: Reveals, proving: Proving) -> Mount:
    pages = _Pages(reveals, proving)
    routes = [
        Route("/{token:str}", pages.ask, methods=["GET"]),
        Route("/{token:str}", pages.show, methods=["POST"]),
        Route("/{token:str}/sign-in", pages.sign_in, methods=["GET"]),
    ]
    return Mount("/reveal", routes=routes)


class _Pages:
    def __init__(self, reveals: Reveals, proving: Proving) -> None:
        self._reveals, self._proving = reveals, proving

    async def ask(self, request: Request) -> Response:
        waiting = self._reveals.waiting(request.path_params["token"])
        return self._asked(waiting, self._proving.browser(request)) if waiting else _gone()

    async def sign_in(self, request: Request) -> Response:
        waiting = self._reveals.waiting(request.path_params["token"])
        if waiting is None or SIGN_IN not in waiting.ways:
            return _gone()
        browser = self._proving.browser(request)
        try:
            return await self._proving.leave(waiting.purpose, browser)
        except NoProof as error:
            return self._asked(waiting, browser, str(error), 503)

    async def show(self, request: Request) -> Response:
        token, browser = request.path_params["token"], self._proving.browser(request)
        form = await form_of(request)
        waiting = self._reveals.waiting(token)
        if waiting is None:
            return _gone()
        try:
            if "app" in form and AUTHENTICATOR in waiting.ways:
                return await self._proving.code(waiting.purpose, browser, form)
            if "code" not in form and not browser.sent(form):
                raise NoProof(TRY_AGAIN)
        except NoProof as error:
            return self._asked(waiting, browser, str(error), 403)
        answer = await self._reveals.show(token, code=form.get("code", "")[:16], browser=browser.id)
        if not isinstance(answer, Refused):
            return self._shown(answer.value)
        if answer.tries == 0:
            return told("Nothing to show", answer.why, 410)
        return self._asked(waiting, browser, answer.why, 403)

    def _asked(self, waiting: Waiting, browser: Browser, problem: str = "", status: int = 200) -> Response:
        what = self._reveals.credential
        if self._proving.held(waiting.purpose, browser):
            return browser.keep(page(_READY.format(what=what, csrf=browser.csrf), status))
        spoken = _SPOKEN if SPOKEN in waiting.ways else ""
        ways = self._proving.offers(waiting.purpose, browser, waiting.ways, spoken) or _NO_WAY
        return browser.keep(page(f"<h1>Your new {what}</h1>{wrong(problem)}{_FIRST}{ways}", status))

    def _shown(self, secret: str) -> Response:
        what = self._reveals.credential
        return page(_SHOWN.format(what=what, how=_HOW[what], secret=escape(secret)))


def _gone() -> Response:
    return told("Nothing to show", GONE.why, 410)
