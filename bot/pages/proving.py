"""Asking for a proof: what the pages have in common that have to know who is there."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from bot.pages.page import Browser, away, code_form, sign_in_link
from bot.procedures.proofs import AUTHENTICATOR, SIGN_IN, NoProof, Proofs, Purpose
from bot.store.proofs import Proof

TRY_AGAIN = "Please try again on this page."


class Proving:
    def __init__(self, proofs: Proofs, *, base: str, provider: str) -> None:
        """:param base: the address that browsers use for us
        :param provider: what people call it; empty: there is none"""
        self.proofs = proofs
        self.provider = provider
        self._base = base

    def browser(self, request: Request) -> Browser:
        return Browser(request, self._base)

    def held(self, purpose: Purpose, browser: Browser) -> Proof | None:
        return self.proofs.held(purpose.what, browser.id)

    async def leave(self, purpose: Purpose, browser: Browser) -> Response:
        """To the provider. :raises NoProof:"""
        return browser.keep(away(await self.proofs.begin(purpose, browser.id)))

    async def code(self, purpose: Purpose, browser: Browser, form: Mapping[str, str]) -> Response:
        """A code of the person's app was typed: on with the page. :raises NoProof:"""
        if not browser.sent(form):
            raise NoProof(TRY_AGAIN)
        await self.proofs.by_code(purpose, form["app"], browser.id)
        return browser.keep(away(purpose.back))

    def offers(self, purpose: Purpose, browser: Browser, ways: tuple[str, ...], more: str = "") -> str:
        """The ways there are, one under the other. :param more: another one, as markup"""
        found = []
        if SIGN_IN in ways:
            found.append(sign_in_link(f"{purpose.back}/sign-in", self.provider))
        if AUTHENTICATOR in ways:
            label = "Code of your authenticator app"
            found.append(code_form(browser, "app", label, hint="Or one of your recovery codes."))
        if more:
            found.append(more)
        return "".join(found[:1] + [f'<div class="or">{each}</div>' for each in found[1:]])
