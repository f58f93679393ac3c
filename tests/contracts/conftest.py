"""The systems that the connector suite runs against: one entry each in ``CONNECTORS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from integrations.company import Company
from tests.contracts import ad_world, company_world, entra_world, ldap_world
from tests.contracts.world import Connector

# name -> (make a template once, make a fresh system from it)
Template = Callable[[Path], Path]
Make = Callable[[Path, Path], AbstractContextManager[Connector]]


def _company_template(folder: Path) -> Path:
    path = folder / "template.db"
    Company.open(path).close()
    return path


CONNECTORS: dict[str, tuple[Template, Make]] = {
    "company": (_company_template, company_world.made),
    "openldap": (ldap_world.template, ldap_world.made),
    "active-directory": (ad_world.template, ad_world.made),
    "entra": (entra_world.template, entra_world.made),
}

SERVERS = {
    "openldap": "slapd",
    "active-directory": "samba",
}  # the fixture that says whether its server is there


@pytest.fixture(scope="session", params=sorted(CONNECTORS))
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Make]:
    if request.param in SERVERS:
        request.getfixturevalue(SERVERS[request.param])
    template, make = CONNECTORS[request.param]
    return template(tmp_path_factory.mktemp(request.param)), make


@pytest.fixture
def connector(system: tuple[Path, Make], tmp_path: Path) -> Iterator[Connector]:
    template, make = system
    with make(template, tmp_path) as fresh:
        yield fresh


@pytest.fixture
def locked(connector: Connector) -> str:
    if connector.cast.locked is None:
        pytest.skip("a lock-out of this system shows nowhere")
    return connector.cast.locked
