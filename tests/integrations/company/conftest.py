"""A fresh company for each test, copied from one that is made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.company import Company


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("company") / "template.db"
    Company.open(path).close()
    return path


@pytest.fixture
def company(template: Path, tmp_path: Path) -> Iterator[Company]:
    path = tmp_path / "company.db"
    shutil.copy(template, path)
    company = Company.open(path)
    yield company
    company.close()
