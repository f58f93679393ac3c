"""What the pages of Deskhand have in common: their look, their headers, forms, and the browser that is there.

No script, no file from elsewhere, nothing kept by a browser or a proxy on the way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.store.database import StorageDown
from integrations.contract import ConnectorError

log = structlog.get_logger()

_BODY_BYTES = 4_096
_FIELDS = 10
_VALUE_CHARS = 600
_AGE_S = 24 * 3600

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--paper:#f6f6f4;--card:#fff;--line:#d9d9d4;--accent:#4a49c4}
@media(prefers-color-scheme:dark){
:root{--ink:#ececea;--paper:#161719;--card:#202225;--line:#3a3c40;--accent:#9d9bf5}
}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;
background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{width:min(28rem,100%);padding:1.75rem;background:var(--card);
border:1px solid var(--line);border-radius:14px}
h1{font-size:1.25rem;margin:0 0 .5rem}p{margin:0 0 1rem}
label{display:block;font-weight:600;margin-bottom:.35rem}
input{width:100%;font:600 1.5rem/1.4 ui-monospace,monospace;letter-spacing:.35em;text-align:center;
padding:.5rem;border:1px solid var(--line);border-radius:8px;background:transparent;color:inherit}
button{margin-top:1rem;width:100%;padding:.7rem;border:0;border-radius:8px;background:var(--accent);color:#fff;
font:600 1rem system-ui,sans-serif;cursor:pointer}
@media(prefers-color-scheme:dark){button{color:#101318}}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
code{display:block;font:600 1.25rem/1.6 ui-monospace,monospace;padding:.75rem;border:1px dashed var(--line);
border-radius:8px;text-align:center;overflow-wrap:anywhere;user-select:all}
.wrong{color:#b3261e;font-weight:600}@media(prefers-color-scheme:dark){.wrong{color:#ff9c94}}
small{opacity:.75}
a.go{display:block;margin-top:1rem;padding:.7rem;border-radius:8px;background:var(--accent);color:#fff;
font-weight:600;text-align:center;text-decoration:none}
@media(prefers-color-scheme:dark){a.go{color:#101318}}
button.plain{background:transparent;color:inherit;border:1px solid var(--line)}
dl{margin:0 0 1rem;border-top:1px solid var(--line)}dl div{padding:.5rem 0;border-bottom:1px solid var(--line)}
dt{font-size:.85rem;opacity:.75}dd{margin:0;overflow-wrap:anywhere}
blockquote{margin:0 0 1rem;padding:.25rem .75rem;border-left:3px solid var(--line);overflow-wrap:anywhere}
input.words{font:inherit;letter-spacing:0;text-align:left}label.tick{display:flex;gap:.5rem;font-weight:400}
label.tick input{width:auto}.or{margin:1.25rem 0 0;padding-top:1rem;border-top:1px solid var(--line)}
ul.codes{columns:2;list-style:none;padding:.75rem;border:1px dashed var(--line);border-radius:8px;
font:600 1rem/1.8 ui-monospace,monospace}img.qr{display:block;width:14rem;margin:0 auto 1rem;background:#fff;
border-radius:8px}.digest{font:.85rem ui-monospace,monospace;overflow-wrap:anywhere}
"""

_POLICY = (
    "default-src 'none'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class StrictTransport:
    """ASGI middleware: browsers never come back in the clear (RFC 6797)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["strict-transport-security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, strict)


class Browser:
    """Who is there, as far as a random cookie can tell: proofs are good in the browser that gave them."""

    def __init__(self, request: Request, base: str) -> None:
        """:param base: the address that browsers use for us"""
        self._secure = base.startswith("https://")
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(base))
        self._request = request
        known = request.cookies.get(self._name, "")
        self._new = not (len(known) == 43 and known.isascii())
        self.id = secrets.token_urlsafe(32) if self._new else known

    @property
    def csrf(self) -> str:
        """For the forms of this browser."""
        return hmac.new(self.id.encode(), b"form", hashlib.sha256).hexdigest()

    def sent(self, form: Mapping[str, str]) -> bool:
        """Whether a form came from one of our pages in this browser."""
        origin = self._request.headers.get("origin", "")
        ours = not origin or origin.lower() in (self._origin.lower(), self._own_origin())
        return (
            not self._new and ours and hmac.compare_digest(form.get("csrf", "").encode(), self.csrf.encode())
        )

    def keep(self, response: Response) -> Response:
        """The answer with the cookie, where the browser has none yet. Lax: it has to come along when the
        provider sends the browser back."""
        if self._new:
            response.set_cookie(
                self._name,
                self.id,
                max_age=_AGE_S,
                path="/",
                secure=self._secure,
                httponly=True,
                samesite="lax",
            )
        return response

    @property
    def _name(self) -> str:
        # Cookies know no ports: two desks on one machine must not overwrite each other's.
        return "__Host-deskhand-proof" if self._secure else f"deskhand_proof_{self._request.url.port or 80}"

    def _own_origin(self) -> str:
        """On loopback the page may have been opened by another name of this machine."""
        return "" if self._secure else f"http://{self._request.headers.get('host', '')}".lower()


async def form_of(request: Request) -> dict[str, str]:
    """The fields that were sent; none where it is no form of ours."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES:
            return {}
    if body.count(b"&") >= _FIELDS:
        return {}
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_FIELDS)
    return {name: values[0][:_VALUE_CHARS] for name, values in fields.items()}


def page(content: str, status: int = 200, *, onward: str = "") -> Response:
    """:param onward: a page of ours that the browser opens next by itself"""
    refresh = f'<meta http-equiv="refresh" content="0;url={escape(onward)}">' if onward else ""
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Deskhand</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">{refresh}'
        f"<style>{_STYLE}</style><main>{content}</main></html>"
    )
    return HTMLResponse(html, status, headers=HEADERS)


def away(url: str) -> Response:
    """To another page, which is not to learn where the browser was."""
    return RedirectResponse(url, 303, headers=HEADERS)


def told(title: str, words: str, status: int = 200) -> Response:
    """A page that only says something."""
    return page(f"<h1>{escape(title)}</h1><p>{escape(words)}</p>", status)


async def failed(request: Request, error: Exception) -> Response:
    """A system or our own storage is down: nothing was done. Or a fault of ours: then nobody can say."""
    log.error("page.failed", path=request.url.path.split("/")[1], error=type(error).__name__)
    words = "I cannot do this right now, and nothing was done. Please try again in a minute."
    if not isinstance(error, ConnectorError | StorageDown):
        words = "Something broke on our side. Look in your messages how things stand before you try again."
    return told("Not now", words, 503)


def wrong(words: str) -> str:
    """An error above a form."""
    return f'<p class="wrong" role="alert">{escape(words)}</p>' if words else ""


def sign_in_link(url: str, name: str) -> str:
    return f'<a class="go" href="{escape(url)}" rel="nofollow">Sign in with {escape(name)}</a>'


def code_form(browser: Browser, name: str, label: str, *, hint: str = "", button: str = "Continue") -> str:
    """One field for a code."""
    return (
        f'<form method="post" autocomplete="off"><input type="hidden" name="csrf" value="{browser.csrf}">'
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" maxlength="14" autocapitalize="off" spellcheck="false" required>'
        f"<small>{escape(hint)}</small><button>{escape(button)}</button></form>"
    )
