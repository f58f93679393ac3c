"""Where a look-up goes: an address with places for values, and whether it may be gone to.

A value can neither leave its place in path or query nor change the host, and a host that is allowed is spoken
to only where its name leads to public addresses, or where the file says that it is a private one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

_PLACE = re.compile(r"\{([^{}]*)\}")
_ME = frozenset({"me.id", "me.mail", "me.account"})  # the person who asks; nobody can set these
_ALLOWED = re.compile(r"[A-Za-z0-9._~:/?&=%+,;@!$'()*{}-]+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TemplateError(Exception):
    """The address cannot be used; says why."""


class Template:
    """``https://orders.example.com/v1/orders/{order}?customer={me.id}``"""

    def __init__(self, url: str, hosts: frozenset[str], slots: frozenset[str], *, private: bool) -> None:
        """:raises TemplateError:"""
        self._url = url
        if not _ALLOWED.fullmatch(url):
            raise TemplateError("has characters that no address has")
        parts = urlsplit(url)
        if set("{}@") & set(parts.scheme + parts.netloc):
            raise TemplateError("has a place for a value, a user or a password before the path")
        self.host = (parts.hostname or "").lower()
        try:
            self.port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise TemplateError("has no port that is one") from error
        if self.host not in hosts:
            raise TemplateError(f"goes to {self.host or 'no host'}, which is none of its hosts")
        plain = parts.scheme == "http" and private and self.host in _LOOPBACK
        if parts.scheme != "https" and not plain:
            raise TemplateError("has to begin with https://")
        if not parts.path.startswith("/"):
            raise TemplateError("needs a path")
        self.places = _places(url, slots)

    def filled(self, values: Mapping[str, str]) -> str:
        """:raises TemplateError: a value that would not stay in its place"""
        for name in self.places:
            value = values.get(name, "")
            if not value or value in (".", "..") or not value.isprintable():
                raise TemplateError(f"{name} cannot be put into an address")
        return _PLACE.sub(lambda found: quote(values[found[1]], safe=""), self._url)


def _places(url: str, slots: frozenset[str]) -> frozenset[str]:
    found = _PLACE.findall(url)
    if not url.count("{") == url.count("}") == len(found):
        raise TemplateError("has a brace that is no place for a value")
    if unknown := sorted(set(found) - slots - _ME):
        raise TemplateError(f"has a place for {', '.join(unknown)}, which is no slot")
    if unused := sorted(slots - set(found)):
        raise TemplateError(f"has no place for {', '.join(unused)}")
    return frozenset(found)


def public(address: Address) -> bool:
    """Whether an address is somebody's on the internet, whatever it is wrapped in."""
    inner = _unwrapped(address)
    site_local = isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local
    return inner.is_global and not site_local and _host(inner)


def inside(address: Address) -> bool:
    """Whether an address can be one of a company's own network: never link-local, where clouds keep their
    keys."""
    inner = _unwrapped(address)
    return not inner.is_link_local and (_host(inner) or inner.is_loopback)


def _host(address: Address) -> bool:
    return not address.is_multicast and not address.is_reserved and not address.is_unspecified


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
