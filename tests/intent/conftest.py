from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.intent.classify import Classifier
from bot.intent.understand import Understander
from bot.procedures.action import Slot, SlotKind
from policies.catalogue import Catalogue

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # a Tuesday
RESOURCE = Slot("resource", SlotKind.RESOURCE, "What do you need?")
SPAN = Slot("span", SlotKind.SPAN, "For how long?")
REPORT = Slot("report", SlotKind.REPORT, "Who?")
GRANT = Slot("grant", SlotKind.GRANT, "Which one?")
SLOTS: dict[str, tuple[Slot, ...]] = {
    "reset_password": (),
    "unlock_account": (),
    "unlock_for_report": (REPORT,),
    "grant_access": (RESOURCE, SPAN),
    "give_back_access": (GRANT,),
    "pto_balance": (REPORT,),
    "my_requests": (),
    "reset_mfa": (),
}

CATALOGUE = """
resources:
  - {key: figma, name: Figma, aliases: [figma editor, design files], GROUP}
  - {key: staging-database, name: Staging database, aliases: [staging db], GROUP}
  - {key: staging-database-write, name: Staging database (write), aliases: [staging db write], GROUP}
  - {key: salesforce, name: Salesforce, aliases: [crm], GROUP}
  - {key: salesforce-sandbox, name: Salesforce sandbox, aliases: [crm sandbox], GROUP}
  - {key: vault-engineering, name: "1Password: Engineering vault", aliases: [engineering vault], GROUP}
  - {key: vault-finance, name: "1Password: Finance vault", aliases: [finance vault], GROUP}
  - {key: payroll-reports, name: Payroll reports, aliases: [payroll], GROUP}
""".replace("GROUP", "lets: x, system: company, group: g, owner: o@x.example, sensitivity: low, max_days: 30")


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory) -> Catalogue:
    path: Path = tmp_path_factory.mktemp("catalogue") / "catalogue.yaml"
    path.write_text(CATALOGUE)
    return Catalogue.load(path)


@pytest.fixture(scope="session")
def understander(classifier, catalogue) -> Understander:
    return Understander(classifier, catalogue)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def slots_of() -> dict[str, tuple[Slot, ...]]:
    return SLOTS


@pytest.fixture
def slot() -> dict[str, Slot]:
    return {each.name: each for each in (RESOURCE, SPAN, REPORT, GRANT)}


@pytest.fixture
def propose(understander):
    return lambda text: understander.propose(text, now=NOW, time_zone="Europe/Berlin", slots_of=SLOTS)


@pytest.fixture
def fill(understander):
    return lambda slot, text: understander.fill(slot, text, now=NOW, time_zone="Europe/Berlin")
