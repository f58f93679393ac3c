"""The proxy on the way out, as the environment names it.

aiohttp would look it up itself (``trust_env``), at every single call and in threads: two hops a message.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def env_proxy(url: str) -> str | None:
    """By HTTPS_PROXY, HTTP_PROXY and NO_PROXY; None: straight there."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)
