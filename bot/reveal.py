"""The reveal page: its own small app, where a new credential is shown once.

The link alone opens nothing: the page asks for the six digits that only the approving manager's
card shows. No script, no file from elsewhere, nothing kept by a browser or a proxy on the way.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.procedures.reveal import GONE, Refused, Reveals

_BODY_BYTES = 2_048

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
"""

_POLICY = (
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_ASK = """<h1>Your new {what}</h1>
<p>Your manager has a six-digit code on the card where they approved this.
Have them read it out to you by voice; nobody needs it in writing.</p>{wrong}
<form method="post" autocomplete="off"><label for="code">Code</label>
<input id="code" name="code" inputmode="numeric" pattern="[0-9 ]{{6,7}}" maxlength="7" required autofocus>
<button>Show it once</button></form>"""

_SHOWN = """<h1>Your new {what}</h1>
<p>{how}</p>
<code>{secret}</code>
<p><small>Close this page when you are done. It was destroyed here the moment you saw it.</small></p>"""

_HOW = {
    "password": "Log in with it now: it is shown this once, and you choose your own right after.",
    "pass": "Sign in with it now, instead of your password: it is shown this once and good for one sign-in.",
}

_GONE = """<h1>Nothing to show</h1><p>{why}</p>"""


def reveal_app(reveals: Reveals) -> Starlette:
    """Mounted at ``/reveal``."""
    what = reveals.credential

    async def ask(request: Request) -> Response:
        if not reveals.waiting(request.path_params["token"]):
            return _page(_GONE.format(why=escape(GONE.why)), 410)
        return _page(_ASK.format(what=what, wrong=""))

    async def show(request: Request) -> Response:
        code = _code(await _body(request))
        answer = await reveals.show(request.path_params["token"], code)
        if not isinstance(answer, Refused):
            return _page(_SHOWN.format(what=what, how=_HOW[what], secret=escape(answer.value)))
        if answer.tries == 0:
            return _page(_GONE.format(why=escape(answer.why)), 410)
        return _page(
            _ASK.format(what=what, wrong=f'<p class="wrong" role="alert">{escape(answer.why)}</p>'), 403
        )

    return Starlette(
        routes=[
            Route("/{token:str}", ask, methods=["GET"]),
            Route("/{token:str}", show, methods=["POST"]),
        ]
    )


async def _body(request: Request) -> bytes:
    """At most ``_BODY_BYTES``; what is longer is no code."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES:
            return b""
    return body


def _code(body: bytes) -> str:
    fields = parse_qs(body.decode("ascii", "replace"), max_num_fields=5) if body.count(b"&") < 5 else {}
    return fields.get("code", [""])[0][:16]


def _page(content: str, status: int = 200) -> Response:
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Deskhand</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style><main>{content}</main></html>"
    )
    return HTMLResponse(html, status, headers=_HEADERS)
