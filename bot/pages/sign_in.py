"""Coming back from the provider; signing in to the web desk; saying whose chat account this is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.pages.page import Browser, away, form_of, page, told, wrong
from bot.pages.proving import Proving
from bot.procedures.linking import Linking, Offer
from bot.procedures.proofs import CALLBACK, SIGN_IN, NoProof, Purpose
from integrations.contract import Person

DESK = "desk"  # what a sign-in to the web desk is for

# Opens the web desk's own session for this person, on this answer.
OpenDesk = Callable[[Request, Person], Awaitable[Response]]

_ASK = """<h1>Say whose account this is</h1>{wrong}
<p>Somebody wrote to Deskhand from the {platform} account <strong>{account}</strong>, and got this page's address.
If that was you, sign in: from then on whatever this account asks for counts as asked by you.</p>
<p><strong>If somebody sent you this link, close this page.</strong> They would act in your name.</p>{link}"""

_SURE = """<h1>Is this account yours?</h1>
<dl><div><dt>You signed in as</dt><dd>{name}</dd></div><div><dt>Account in {platform}</dt><dd>{account}</dd></div></dl>
<p>Go on only if you wrote to Deskhand from this account a moment ago. For a day after it, this account can ask for
nothing risky and approve nothing.</p>
<form method="post"><input type="hidden" name="csrf" value="{csrf}"><button>Yes, it is mine</button></form>"""


def sign_in_pages(linking: Linking, proving: Proving, open_desk: OpenDesk) -> list[Mount]:
    pages = _Pages(linking, proving, open_desk)
    return [
        Mount(
            "/sign-in",
            routes=[
                Route(CALLBACK.removeprefix("/sign-in"), pages.back, methods=["GET"]),
                Route("/desk", pages.desk, methods=["GET"]),
            ],
        ),
        Mount(
            "/link",
            routes=[
                Route("/{handle:str}", pages.ask, methods=["GET"]),
                Route("/{handle:str}", pages.link, methods=["POST"]),
                Route("/{handle:str}/sign-in", pages.sign_in, methods=["GET"]),
            ],
        ),
    ]


class _Pages:
    def __init__(self, linking: Linking, proving: Proving, open_desk: OpenDesk) -> None:
        self._linking, self._proving, self._open_desk = linking, proving, open_desk

    async def desk(self, request: Request) -> Response:
        return await self._leave(
            Purpose(what=DESK, back="/desk", fresh=False), self._proving.browser(request)
        )

    async def back(self, request: Request) -> Response:
        browser = self._proving.browser(request)
        answer = dict(request.query_params)
        try:
            purpose, person = await self._proving.proofs.finish(answer, browser.id)
        except NoProof as error:
            return told("That did not work", str(error), 403)
        if purpose.what != DESK:
            return away(purpose.back)
        await self._proving.proofs.spend(DESK, browser.id)
        return await self._open_desk(request, person)

    async def ask(self, request: Request) -> Response:
        offer = self._linking.open(request.path_params["handle"])
        if offer is None:
            return _over()
        browser = self._proving.browser(request)
        proof = self._proving.held(offer.purpose, browser)
        if proof is None:
            return self._asked(offer, browser)
        name = await self._linking.name(proof.person)
        sure = _SURE.format(
            name=escape(name),
            platform=escape(offer.platform.capitalize()),
            account=escape(offer.account),
            csrf=browser.csrf,
        )
        return browser.keep(page(sure))

    async def sign_in(self, request: Request) -> Response:
        offer = self._linking.open(request.path_params["handle"])
        return await self._leave(offer.purpose, self._proving.browser(request)) if offer else _over()

    async def link(self, request: Request) -> Response:
        offer = self._linking.open(request.path_params["handle"])
        if offer is None:
            return _over()
        browser, form = self._proving.browser(request), await form_of(request)
        proof = self._proving.held(offer.purpose, browser)
        if proof is None or not browser.sent(form):
            return self._asked(offer, browser, "Please sign in again.", 403)
        await self._proving.proofs.spend(offer.purpose.what, browser.id)
        linked, words = await self._linking.link(offer, proof.person)
        return told("Done" if linked else "Not linked", words, 200 if linked else 409)

    async def _leave(self, purpose: Purpose, browser: Browser) -> Response:
        try:
            return await self._proving.leave(purpose, browser)
        except NoProof as error:
            return told("Not now", str(error), 503)

    def _asked(self, offer: Offer, browser: Browser, problem: str = "", status: int = 200) -> Response:
        asked = _ASK.format(
            wrong=wrong(problem),
            platform=escape(offer.platform.capitalize()),
            account=escape(offer.account),
            link=self._proving.offers(offer.purpose, browser, (SIGN_IN,)),
        )
        return browser.keep(page(asked, status))


def _over() -> Response:
    words = "This link is not valid any more. Write to Deskhand again, and it sends a new one."
    return told("Nothing to link", words, 410)
