"""The page on which something critical is approved: after a fresh proof of who is there, with the same facts
and the same digest as on the card. A proof for one request, in one state, is none for another.
"""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.chat.card import Card, CheckInput
from bot.chat.clean import plain
from bot.chat.inbound import Inbound, InboundKind
from bot.chat.redact import redact
from bot.pages.page import Browser, form_of, page, told, wrong
from bot.pages.proving import TRY_AGAIN, Proving
from bot.procedures.decisions import Decisions, Open
from bot.procedures.proofs import AUTHENTICATOR, SIGN_IN, NoProof

_ASK = """<h1>A decision is asked of you</h1>{wrong}
<p>It is about critical access, so first show that it is you. What is asked, and by whom, comes after that.</p>"""
_OVER = (
    "This link is not valid any more: the request was decided, changed or withdrawn. Your card says which."
)


def approve_pages(decisions: Decisions, proving: Proving) -> Mount:
    pages = _Pages(decisions, proving)
    routes = [
        Route("/{handle:str}", pages.look, methods=["GET"]),
        Route("/{handle:str}", pages.decide, methods=["POST"]),
        Route("/{handle:str}/sign-in", pages.sign_in, methods=["GET"]),
    ]
    return Mount("/approve", routes=routes)


class _Pages:
    def __init__(self, decisions: Decisions, proving: Proving) -> None:
        self._decisions, self._proving = decisions, proving

    async def look(self, request: Request) -> Response:
        found = self._decisions.open(request.path_params["handle"])
        return await self._page(found, self._proving.browser(request)) if found else _over()

    async def sign_in(self, request: Request) -> Response:
        found = self._decisions.open(request.path_params["handle"])
        if found is None or SIGN_IN not in found.ways:
            return _over()
        browser = self._proving.browser(request)
        try:
            return await self._proving.leave(found.purpose, browser)
        except NoProof as error:
            return await self._page(found, browser, str(error), 503)

    async def decide(self, request: Request) -> Response:
        found = self._decisions.open(request.path_params["handle"])
        if found is None:
            return _over()
        browser, form = self._proving.browser(request), await form_of(request)
        try:
            if "app" in form and AUTHENTICATOR in found.ways:
                return await self._proving.code(found.purpose, browser, form)
            proof = self._proving.held(found.purpose, browser)
            if not browser.sent(form) or proof is None:
                raise NoProof(TRY_AGAIN if proof else "Your proof is too old. Please prove it again.")
        except NoProof as error:
            return await self._page(found, browser, str(error), 403)
        if form.get("answer") not in ("approve", "deny"):
            return await self._page(found, browser, "Press one of the two buttons.", 400)
        pressed = Inbound(
            platform="page",
            id=uuid4().hex,
            kind=InboundKind.PRESS,
            account=proof.person,
            conversation="page",
            handle=request.path_params["handle"],
            fields={name: redact(plain(value, 300))[0] for name, value in form.items() if name != "csrf"},
            at=datetime.now(UTC),
        )
        ack = await self._decisions.decide(found, proof, pressed, yes=form["answer"] == "approve")
        if ack.errors:
            return await self._page(found, browser, " ".join(ack.errors.values()), 400)
        await self._proving.proofs.spend(found.purpose.what, browser.id)
        return told("Your decision", ack.notice)

    async def _page(self, found: Open, browser: Browser, problem: str = "", status: int = 200) -> Response:
        proof = self._proving.held(found.purpose, browser)
        if proof:
            if against := await self._decisions.against(found, proof.person):
                return told("Not yours to decide", against, 403)
            card = await self._decisions.card(found, proof.person)
            return browser.keep(page(_decision(card, found, browser, problem), status))
        asked = _ASK.format(wrong=wrong(problem)) + self._proving.offers(found.purpose, browser, found.ways)
        return browser.keep(page(asked, status))


def _decision(card: Card, found: Open, browser: Browser, problem: str) -> str:
    """The approver's own card, as a page."""
    facts = "".join(
        f"<div><dt>{escape(each.label)}</dt><dd>{escape(each.value)}</dd></div>" for each in card.facts
    )
    quotes = "".join(
        f"<p>{escape(each.label)}</p><blockquote>{escape(each.text)}</blockquote>" for each in card.quotes
    )
    ticks = "".join(
        f'<label class="tick"><input type="checkbox" name="{escape(each.name)}" value="yes"> '
        f"{escape(each.label)}</label>"
        for each in card.inputs
        if isinstance(each, CheckInput)
    )
    return (
        f"<h1>{escape(card.title)}</h1>{wrong(problem)}<p>{escape(card.text)}</p><dl>{facts}</dl>{quotes}"
        f'<p class="digest">{escape(card.footer)}<br>Digest {escape(found.digest[:16])}</p>'
        f'<form method="post"><input type="hidden" name="csrf" value="{browser.csrf}">{ticks}'
        '<label for="reason">Reason (optional)</label>'
        '<input class="words" id="reason" name="reason" maxlength="300">'
        '<button name="answer" value="approve">Approve</button>'
        '<button name="answer" value="deny" class="plain">Deny</button></form>'
    )


def _over() -> Response:
    return told("Nothing to decide", _OVER, 410)
