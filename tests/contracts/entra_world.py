"""Microsoft Entra (a stub of Graph) with the people of the embedded company, cast for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integrations.entra import Entra, EntraSettings
from tests.contracts.world import Cast, Connector
from tests.servers.company_ldif import ON_LEAVE
from tests.servers.entra.graph import APP_ID, SECRET, TENANT, FakeGraph, group_id, person_id, principal

CAST = Cast(
    employee=person_id("ana"),
    employee_mail="ana.ruiz@alderfinch.example",
    employee_account=principal("ana"),
    employee_name="Ana Ruiz",
    employee_first_name="Ana",
    chain=(person_id("bo"), person_id("mei"), person_id("grace")),
    report_of_employees_manager=person_id("luis"),
    without_manager=person_id("wanda"),
    loop=(person_id("nils"), person_id("tove")),
    own_manager=None,
    ambiguous_name="Sam",
    ambiguous=frozenset({person_id("sam.okoye"), person_id("sam.rivera")}),
    contractor=person_id("viktor"),
    on_leave=person_id("elif"),
    locked=None,
    disabled=person_id("ben"),
    left=person_id("gil"),
    privileged_by_nesting=person_id("ida"),
    nobody="00000000-0000-4000-8000-000000000000",
    group=group_id("figma-editors"),
    group_name="figma-editors",
    outer_group=group_id("engineering"),
    inner_group=group_id("platform-team"),
    looped_groups=(group_id("book-club"), group_id("board-games")),
    no_group="00000000-0000-4000-8000-000000000001",
)


def settings_of(graph: FakeGraph, **more: object) -> EntraSettings:
    given: dict[str, object] = {
        "tenant": TENANT,
        "app_id": APP_ID,
        "secret": SECRET,
        "protected": (group_id("protected"),),
        "on_leave": group_id(ON_LEAVE),
        "graph_url": graph.graph_url,
        "login_url": graph.login_url,
        "ca_file": graph.certificates.ca_file,
        "patience_s": 5.0,
    }
    return EntraSettings(**{**given, **more})  # type: ignore[arg-type]  # named by the caller


def template(folder: Path) -> Path:
    return folder


@contextmanager
def made(template_: Path, folder: Path) -> Iterator[Connector]:
    with FakeGraph.running() as graph:
        entra = Entra(settings_of(graph))
        try:
            yield Connector(
                cast=CAST,
                directory=entra.directory,
                groups=entra.groups,
                accounts=entra.accounts,
                check=entra,
                can_log_in=graph.can_log_in,
                down=graph.stopped,
                refusing=graph.refusing,
            )
        finally:
            entra.close()
