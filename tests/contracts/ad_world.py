"""Active Directory (Samba) with the people of the embedded company, cast for the contract suite."""

from __future__ import annotations

import atexit
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from integrations.contract import ConnectorError, UnknownGroup, UnknownPerson
from integrations.ldap import Ldap, LdapSettings
from tests.contracts.world import Cast, Connector
from tests.servers import samba
from tests.servers.company_ldif import ON_LEAVE
from tests.servers.samba import Samba


def template(folder: Path) -> Path:
    """The controller is provisioned once for all runs, in the project's cache."""
    samba.template()
    return folder


def settings_of(server: Samba, **more: object) -> LdapSettings:
    ids = samba.ids(server.url, server.ca_file)
    given: dict[str, object] = {
        "url": server.url,
        "bind_dn": server.bind_dn,
        "password": server.password,
        "people_base": server.people_base,
        "groups_base": server.groups_base,
        "ca_file": server.ca_file,
        "protected": (ids["group.protected"],),
        "on_leave": ids[f"group.{ON_LEAVE}"],
    }
    return LdapSettings(**{**given, **more})  # type: ignore[arg-type]  # named by the caller


def cast(ids: dict[str, str]) -> Cast:
    return Cast(
        employee=ids["ana"],
        employee_mail="ana.ruiz@alderfinch.example",
        employee_account="ana",
        employee_name="Ana Ruiz",
        employee_first_name="Ana",
        chain=(ids["bo"], ids["mei"], ids["grace"]),
        report_of_employees_manager=ids["luis"],
        without_manager=ids["wanda"],
        loop=(ids["nils"], ids["tove"]),
        own_manager=ids["ivo"],
        ambiguous_name="Sam",
        ambiguous=frozenset({ids["sam.okoye"], ids["sam.rivera"]}),
        contractor=ids["viktor"],
        on_leave=ids["elif"],
        locked=ids["luis"],
        disabled=ids["ben"],
        left=ids["gil"],
        privileged_by_nesting=ids["ida"],
        nobody="00000000-0000-4000-8000-000000000000",
        group=ids["group.figma-editors"],
        group_name="figma-editors",
        outer_group=ids["group.engineering"],
        inner_group=ids["group.platform-team"],
        looped_groups=(ids["group.book-club"], ids["group.board-games"]),
        no_group="00000000-0000-4000-8000-000000000001",
    )


class _Controllers:
    """One controller serves test after test of this process, as long as none of them changes it."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._server: Samba | None = None
        atexit.register(self.discard)

    def clean(self) -> Samba:
        if self._server is None:
            self._server = self._stack.enter_context(samba.running(samba.template()))
        return self._server

    def discard(self) -> None:
        self._server = None
        self._stack.close()


_CONTROLLERS = _Controllers()


@contextmanager
def made(template_: Path, folder: Path) -> Iterator[Connector]:
    """A domain controller on which nobody has changed anything yet."""
    server = _CONTROLLERS.clean()
    ldap = Ldap(settings_of(server))
    touched: list[str] = []

    def noting(method: Callable[..., Awaitable[Any]]) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                done = await method(*args, **kwargs)
            except (UnknownGroup, UnknownPerson):
                raise  # nothing was sent
            except ConnectorError:
                touched.append(method.__name__)
                raise
            touched.append(method.__name__)
            return done

        return call

    @contextmanager
    def down() -> Iterator[None]:
        touched.append("down")
        with server.stopped():
            yield
        ldap.client._not_before = 0.0  # the next test does not wait for the breaker

    @contextmanager
    def refusing() -> Iterator[None]:
        touched.append("refusing")
        with server.without_rights():
            ldap.client.run_now(lambda session: ldap.client.drop())  # rights are those of the log-in
            yield
        ldap.client.run_now(lambda session: ldap.client.drop())

    for port, names in ((ldap.groups, ("add", "remove")), (ldap.accounts, ("reset", "unlock"))):
        for name in names:
            setattr(port, name, noting(getattr(port, name)))
    try:
        yield Connector(
            cast=cast(samba.ids(server.url, server.ca_file)),
            directory=ldap.directory,
            groups=ldap.groups,
            accounts=ldap.accounts,
            check=ldap,
            can_log_in=server.can_log_in,
            down=down,
            refusing=refusing,
        )
    finally:
        ldap.close()
        if touched:
            _CONTROLLERS.discard()
