"""The reveal page, where a new credential is shown once.

The link alone opens nothing: the page asks for a proof of who is there. Which ones are taken, the rules say.
"""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.pages.page import Browser, away, code_form, form_of, page, sign_in_link, told, wrong
from bot.procedures.cards import SPOKEN
from bot.procedures.proofs import AUTHENTICATOR, SIGN_IN, NoProof, Proofs
from bot.procedures.reveal import GONE, Refused, Reveals, Waiting

_SPOKEN = """<p>Your manager has a six-digit code on the card where they approved this.
Have them read it out to you by voice; nobody needs it in writing.</p>
<form method="post" autocomplete="off"><label for="code">Code</label>
<input id="code" name="code" inputmode="numeric" pattern="[0-9 ]{6,7}" maxlength="7" required>
<button>Show it once</button></form>"""

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


def reveal_pages(reveals: Reveals, proofs: Proofs, *, base: str, provider: str) -> Mount:
    pages = _Pages(reveals, proofs, base, provider)
    routes = [
        Route("/{token:str}", pages.ask, methods=["GET"]),
        Route("/{token:str}", pages.show, methods=["POST"]),
        Route("/{token:str}/sign-in", pages.sign_in, methods=["GET"]),
    ]
    return Mount("/reveal", routes=routes)


class _Pages:
    def __init__(self, reveals: Reveals, proofs: Proofs, base: str, provider: str) -> None:
        self._reveals, self._proofs = reveals, proofs
        self._base, self._provider = base, provider

    async def ask(self, request: Request) -> Response:
        waiting = self._reveals.waiting(request.path_params["token"])
        browser = Browser(request, self._base)
        return self._asked(waiting, browser) if waiting else _gone()

    async def sign_in(self, request: Request) -> Response:
        waiting = self._reveals.waiting(request.path_params["token"])
        if waiting is None or SIGN_IN not in waiting.ways:
            return _gone()
        browser = Browser(request, self._base)
        try:
            return browser.keep(away(await self._proofs.begin(waiting.purpose, browser.id)))
        except NoProof as error:
            return self._asked(waiting, browser, str(error), 503)

    async def show(self, request: Request) -> Response:
        token, browser = request.path_params["token"], Browser(request, self._base)
        form = await form_of(request)
        waiting = self._reveals.waiting(token)
        if waiting is None:
            return _gone()
        if "app" in form and AUTHENTICATOR in waiting.ways:
            return await self._by_app(waiting, browser, form)
        if "code" not in form and not browser.sent(form):
            return self._asked(waiting, browser, "Please try again on this page.", 403)
        answer = await self._reveals.show(token, code=form.get("code", "")[:16], browser=browser.id)
        if not isinstance(answer, Refused):
            return self._shown(answer.value)
        if answer.tries == 0:
            return told("Nothing to show", answer.why, 410)
        return self._asked(waiting, browser, answer.why, 403)

    async def _by_app(self, waiting: Waiting, browser: Browser, form: dict[str, str]) -> Response:
        if not browser.sent(form):
            return self._asked(waiting, browser, "Please try again on this page.", 403)
        try:
            await self._proofs.by_code(waiting.purpose, form["app"], browser.id)
        except NoProof as error:
            return self._asked(waiting, browser, str(error), 403)
        return self._asked(waiting, browser)

    def _asked(self, waiting: Waiting, browser: Browser, problem: str = "", status: int = 200) -> Response:
        what = self._reveals.credential
        if self._proofs.held(waiting.purpose.what, browser.id):
            return browser.keep(page(_READY.format(what=what, csrf=browser.csrf), status))
        parts = [f"<h1>Your new {escape(what)}</h1>", wrong(problem)]
        ways: list[str] = []
        if SIGN_IN in waiting.ways:
            lead = "<p>First show that it is you: sign in, even if you have done so today.</p>"
            link = sign_in_link(f"{waiting.purpose.back}/sign-in", self._provider)
            ways.append(lead + link)
        if AUTHENTICATOR in waiting.ways:
            label = "Code of your authenticator app"
            ways.append(code_form(browser, "app", label, hint="Or one of your recovery codes."))
        if SPOKEN in waiting.ways:
            ways.append(_SPOKEN)
        if not ways:
            ways.append("<p>Nothing here can show that it is you. Please call the help desk.</p>")
        parts.append(ways[0])
        parts += [f'<div class="or">{each}</div>' for each in ways[1:]]
        return browser.keep(page("".join(parts), status))

    def _shown(self, secret: str) -> Response:
        what = self._reveals.credential
        return page(_SHOWN.format(what=what, how=_HOW[what], secret=escape(secret)))


def _gone() -> Response:
    return told("Nothing to show", GONE.why, 410)
