"""OpenLDAP with the people of the embedded company, cast for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integrations.ldap import Ldap, LdapSettings
from tests.contracts.world import Cast, Connector
from tests.servers import slapd
from tests.servers.certificates import Certificates
from tests.servers.company_ldif import ON_LEAVE, entry_uuid
from tests.servers.slapd import Slapd


def person(account: str) -> str:
    return entry_uuid(account)


def group(group_id: str) -> str:
    return entry_uuid(f"group.{group_id}")


CAST = Cast(
    employee=person("ana"),
    employee_mail="ana.ruiz@alderfinch.example",
    employee_account="ana",
    employee_name="Ana Ruiz",
    employee_first_name="Ana",
    chain=(person("bo"), person("mei"), person("grace")),
    report_of_employees_manager=person("luis"),
    without_manager=person("wanda"),
    loop=(person("nils"), person("tove")),
    own_manager=person("ivo"),
    ambiguous_name="Sam",
    ambiguous=frozenset({person("sam.okoye"), person("sam.rivera")}),
    contractor=person("viktor"),
    on_leave=person("elif"),
    locked=person("luis"),
    disabled=person("ben"),
    left=person("gil"),
    privileged_by_nesting=person("ida"),
    nobody="00000000-0000-4000-8000-000000000000",
    group=group("figma-editors"),
    group_name="figma-editors",
    outer_group=group("engineering"),
    inner_group=group("platform-team"),
    looped_groups=(group("book-club"), group("board-games")),
    no_group="00000000-0000-4000-8000-000000000001",
)
READ_ONLY = "access to attrs=userPassword by anonymous auth by * none\naccess to * by users read by * none"


def template(folder: Path) -> Path:
    certificates = Certificates.make(folder / "tls")
    slapd.template(folder / "made", certificates)
    return folder


def settings_of(server: Slapd, **more: object) -> LdapSettings:
    given: dict[str, object] = {
        "url": server.url,
        "bind_dn": server.bind_dn,
        "password": server.password,
        "people_base": server.people_base,
        "groups_base": server.groups_base,
        "ca_file": server.ca_file,
        "protected": (group("protected"),),
        "on_leave": group(ON_LEAVE),
    }
    return LdapSettings(**{**given, **more})  # type: ignore[arg-type]  # named by the caller


@contextmanager
def serving(template_: Path, folder: Path) -> Iterator[Slapd]:
    """A server on a copy of the template, in this folder."""
    tls = template_ / "tls"
    certificates = Certificates(tls / "ca.pem", tls / "cert.pem", tls / "key.pem")
    folder.mkdir(exist_ok=True)
    with slapd.running(Slapd(template_ / "made", certificates), folder) as server:
        yield server


@contextmanager
def made(template_: Path, folder: Path) -> Iterator[Connector]:
    """A server of one's own, on a copy of the template."""
    with serving(template_, folder) as server:
        ldap = Ldap(settings_of(server))

        @contextmanager
        def down() -> Iterator[None]:
            with server.stopped():
                yield
            ldap.client._not_before = 0.0  # the next test does not wait for the breaker

        @contextmanager
        def refusing() -> Iterator[None]:
            with server.with_acl(READ_ONLY):
                yield

        try:
            yield Connector(
                cast=CAST,
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
