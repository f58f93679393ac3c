from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts import ldap_world
from tests.servers.slapd import Slapd


@pytest.fixture(scope="session")
def loaded(slapd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ldap_world.template(tmp_path_factory.mktemp("openldap"))


@pytest.fixture
def server(loaded: Path, tmp_path: Path) -> Iterator[Slapd]:
    """A directory with everybody in it, running."""
    with ldap_world.serving(loaded, tmp_path / "slapd") as running:
        yield running
