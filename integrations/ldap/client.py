"""One lasting, verified connection to a directory, in a thread of its own.

TLS always, certificate and host name checked, never anonymous, a time limit on everything, referrals not
followed. The connection is made anew where it broke: a read is asked once more, a write is never sent twice.
Source of the traps: ldap3 2.9.1 verifies no certificate and waits for ever unless it is told otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from ldap3 import (
    BASE,
    MODIFY_ADD,
    MODIFY_DELETE,
    MODIFY_REPLACE,
    NONE,
    SAFE_SYNC,
    SUBTREE,
    Connection,
    Server,
    Tls,
)
from ldap3.core.exceptions import LDAPException, LDAPInvalidServerError
from ldap3.extend.standard.modifyPassword import ModifyPassword
from ldap3.protocol.microsoft import security_descriptor_control

from integrations.contract import OutcomeUnknown, SystemDown
from integrations.ldap.errors import NO_SUCH_OBJECT, SUCCESS, code_of, error_of

T = TypeVar("T")
Entry = Mapping[str, Any]  # "dn", and each attribute as a list of bytes
Result = Mapping[str, Any]

CONNECT_S, ANSWER_S = 3, 5  # whole seconds: ldap3 packs them into a socket option
PAGE = 500  # entries of one answer
_FAILURES, _PAUSE_S = 3, 5.0  # after so many failed connections in a row, nothing is tried for so long
_IDLE_S = 20.0  # a connection idle for longer is asked something harmless before a write

ADD, DELETE, REPLACE = MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE
_DACL = 4  # the discretionary access control list
_AD_CAPABILITY = "1.2.840.113556.1.4.800"  # LDAP_CAP_ACTIVE_DIRECTORY_OID


class Flavour(StrEnum):
    ACTIVE_DIRECTORY = "Active Directory"
    OPENLDAP = "OpenLDAP"


class NotConfigured(Exception):
    """A setting has to be mended; names it."""


@dataclass(frozen=True, slots=True)
class LdapSettings:
    url: str  # ldaps://host, or ldap://host for StartTLS
    bind_dn: str
    password: str
    people_base: str
    groups_base: str
    ca_file: Path | None = None
    protected: tuple[str, ...] = ()  # ids or names of groups whose members are out of reach
    on_leave: str = ""  # id or name of the group of those who are away
    names: Mapping[str, str] | None = None  # name that the rules use -> id of the group
    time_zone: str = "UTC"

    def __repr__(self) -> str:
        return f"LdapSettings({self.url}, {self.bind_dn})"


class Client:
    """Use it from one event loop. Every call raises named errors of the contract and nothing else."""

    def __init__(self, settings: LdapSettings, vet: Callable[[Session], None] | None = None) -> None:
        """:param vet: looks at each new connection before it is used, and raises where it must not be
        :raises NotConfigured:"""
        self._vet = vet
        self.settings = settings
        _server(settings)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ldap")
        self._connection: Connection | None = None
        self._used = 0.0
        self._failures = 0
        self._not_before = 0.0
        self._flavour: Flavour | None = None

    async def run(self, work: Callable[[Session], T]) -> T:
        """Do this in the connection's thread, from beginning to end without others in between."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def run_now(self, work: Callable[[Session], T]) -> T:
        """The same for a command, which has no loop to keep free."""
        return self._thread.submit(self._run, work).result()

    def close(self) -> None:
        self._thread.submit(self._drop).result()
        self._thread.shutdown()

    def _run(self, work: Callable[[Session], T]) -> T:
        return work(Session(self))

    def connection(self) -> Connection:
        """The open connection, or a new one. :raises SystemDown:, :raises PermissionRefused:"""
        if self._connection is None:
            if (pause := self._not_before - time.monotonic()) > 0:
                raise SystemDown(f"the directory did not answer; it is asked again in {pause:.0f} s")
            try:
                self._connection = self._open()
            except SystemDown:
                self._failures += 1
                if self._failures >= _FAILURES:
                    self._not_before = time.monotonic() + _PAUSE_S
                raise
            self._failures = 0
            self._vetted()
        return self._connection

    def _vetted(self) -> None:
        if self._vet is None:
            return
        try:
            self._vet(Session(self))
        except Exception:
            self._drop()
            raise

    def live(self) -> Connection:
        """For a write: one that is known to be alive, so that a stale one leaves nothing in doubt."""
        connection = self.connection()
        if time.monotonic() - self._used < _IDLE_S:
            return connection
        try:
            connection.search("", "(objectClass=*)", BASE, attributes=["supportedLDAPVersion"])
        except LDAPException:
            self._drop()
            return self.connection()
        return connection

    def used(self) -> None:
        self._used = time.monotonic()

    @property
    def flavour(self) -> Flavour:
        assert self._flavour is not None, "known once connected"
        return self._flavour

    def drop(self) -> None:
        self._drop()

    def _open(self) -> Connection:
        settings = self.settings
        server = _server(settings)  # a new one: ldap3 remembers an address that failed, and tries it no more
        connection = Connection(
            server,
            user=settings.bind_dn,
            password=settings.password,
            client_strategy=SAFE_SYNC,
            auto_referrals=False,
            receive_timeout=ANSWER_S,
            raise_exceptions=False,
            check_names=False,
        )
        try:
            connection.open()
            if not server.ssl and not connection.start_tls():
                raise SystemDown("LDAP_URL: StartTLS is refused, and nothing is sent in the clear")
            _, result, *_ = connection.bind()
            if code_of(result) != SUCCESS:
                raise error_of(result, "log-in")
            self._flavour = _flavour(connection)
        except (LDAPException, OSError) as error:
            _close(connection)
            raise SystemDown(f"LDAP_URL {settings.url}: {_reason(error)}") from error
        except Exception:
            _close(connection)
            raise
        self.used()
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)


class Session:
    """What is done in one go with the connection. Reads are repeated once, writes never."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.settings = client.settings

    @property
    def flavour(self) -> Flavour:
        self._client.connection()
        return self._client.flavour

    def search(
        self, base: str, filter_: str, attributes: Sequence[str], *, scope: str = SUBTREE, limit: int = 0
    ) -> list[Entry]:
        """Every entry that fits, page by page; none where the base is not there.
        :param limit: no more than so many, 0: all"""
        found: list[Entry] = []
        cookie: bytes | None = None
        while True:
            page, cookie = self._page(base, filter_, attributes, scope, cookie)
            found += page
            if not cookie or (limit and len(found) >= limit):
                return found[:limit] if limit else found

    def entry(self, dn: str, attributes: Sequence[str], filter_: str = "(objectClass=*)") -> Entry | None:
        """The entry at this name, where it fits the filter."""
        found, _ = self._page(dn, filter_, attributes, BASE, None)
        return found[0] if found else None

    def modify(self, dn: str, changes: Mapping[str, Sequence[tuple[str, Sequence[Any]]]]) -> Result:
        """One atomic change. The result is the server's, success or not.
        :raises OutcomeUnknown: it was sent and not answered"""
        with self._writing(f"change of {dn}") as connection:
            result: Result = connection.modify(dn, dict(changes))[1]
        return result

    def modify_password(self, dn: str, password: str) -> Result:
        """RFC 3062. The server hashes it."""
        with self._writing(f"password of {dn}") as connection:
            asked = ModifyPassword(connection, dn, None, password)
            asked.send()
        result: Result = asked.result
        return result

    def who_am_i(self) -> str:
        """RFC 4532: the authorisation identity of the service account."""
        return str(self._reading(lambda connection: connection.extend.standard.who_am_i()) or "")

    def _page(
        self, base: str, filter_: str, attributes: Sequence[str], scope: str, cookie: bytes | None
    ) -> tuple[list[Entry], bytes | None]:
        paged: dict[str, Any] = {"paged_size": PAGE, "paged_cookie": cookie} if scope == SUBTREE else {}

        if (
            "nTSecurityDescriptor" in attributes
        ):  # without naming the list alone, the server asks for more rights
            paged["controls"] = security_descriptor_control(sdflags=_DACL)

        def ask(connection: Connection) -> tuple[Result, list[Any]]:
            _, result, response, _ = connection.search(
                base, filter_, scope, attributes=list(attributes), time_limit=ANSWER_S, **paged
            )
            return result, response or []

        result, response = self._reading(ask)
        if code_of(result) == NO_SUCH_OBJECT:
            return [], None
        if code_of(result) != SUCCESS:
            raise error_of(result, "search")
        entries: list[Entry] = [
            {"dn": each["dn"], **{name.lower(): values for name, values in each["raw_attributes"].items()}}
            for each in response
            if each["type"] == "searchResEntry"
        ]
        control = (result.get("controls") or {}).get("1.2.840.113556.1.4.319") or {}
        return entries, (control.get("value") or {}).get("cookie") or None

    def _reading(self, ask: Callable[[Connection], T]) -> T:
        for last in (False, True):
            connection = self._client.connection()
            try:
                answer = ask(connection)
            except (LDAPException, OSError) as error:
                self._client.drop()
                if last:
                    raise SystemDown(f"the directory does not answer: {_reason(error)}") from error
            else:
                self._client.used()
                return answer
        raise AssertionError("the second attempt returns or raises")

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        connection = self._client.live()
        try:
            yield connection
        except (LDAPException, OSError) as error:
            self._client.drop()
            raise OutcomeUnknown(f"{what} was sent and not answered: {_reason(error)}") from error
        self._client.used()


def _server(settings: LdapSettings) -> Server:
    scheme, separator, host = settings.url.partition("://")
    if scheme not in ("ldaps", "ldap") or not separator or not host.strip("/"):
        raise NotConfigured("LDAP_URL: takes ldaps://HOST, or ldap://HOST for StartTLS")
    if not (settings.bind_dn.strip() and settings.password):
        raise NotConfigured("LDAP_BIND_DN, LDAP_PASSWORD: both are needed; nobody is served anonymously")
    if not (settings.people_base.strip() and settings.groups_base.strip()):
        raise NotConfigured("LDAP_PEOPLE_BASE, LDAP_GROUPS_BASE: where people and groups are")
    if settings.ca_file and not settings.ca_file.is_file():
        raise NotConfigured(f"LDAP_CA_FILE: there is no file {settings.ca_file}")
    tls = Tls(
        validate=ssl.CERT_REQUIRED,
        version=ssl.PROTOCOL_TLS_CLIENT,
        ca_certs_file=str(settings.ca_file) if settings.ca_file else None,
    )
    try:
        return Server(
            settings.url, tls=tls, get_info=NONE, connect_timeout=CONNECT_S, allowed_referral_hosts=[]
        )
    except LDAPInvalidServerError as error:
        raise NotConfigured(f"LDAP_URL: {error}") from error


def _flavour(connection: Connection) -> Flavour:
    """From what the server says of itself. What is neither is served as neither."""
    names = ["supportedCapabilities", "vendorName", "structuralObjectClass", "supportedExtension"]
    _, result, response, _ = connection.search("", "(objectClass=*)", BASE, attributes=names)
    if code_of(result) != SUCCESS or not response:
        raise SystemDown("the server does not say what it is (rootDSE cannot be read)")
    said = {name.lower(): values for name, values in response[0]["raw_attributes"].items()}
    if _AD_CAPABILITY.encode() in said.get("supportedcapabilities", ()):
        return Flavour.ACTIVE_DIRECTORY
    if b"OpenLDAProotDSE" in said.get("structuralobjectclass", ()):
        return Flavour.OPENLDAP
    raise SystemDown("LDAP_URL: this is neither Active Directory nor OpenLDAP; Deskhand knows no other")


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"


def _close(connection: Connection) -> None:
    with contextlib.suppress(LDAPException, OSError):  # it may be broken already
        connection.strategy.close()
    if connection.socket is not None:  # left open where the handshake failed
        connection.socket.close()
