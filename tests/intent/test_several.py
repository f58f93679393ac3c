"""Several things in one message: which of them belong together, and which time is whose."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.actions import discover
from bot.intent.classify import Classifier
from bot.intent.understand import Understander
from policies.catalogue import Catalogue

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday
FRIDAY = {"until": "2026-11-27T22:59:00+00:00"}
TWO_WEEKS = {"minutes": 20160}
SLOTS = discover()["grant_several"].slots


@pytest.fixture(scope="module")
def company(classifier: Classifier) -> Understander:
    """With the catalogue of the made-up company, whose names come close to each other."""
    return Understander(classifier, Catalogue.load(Path("policies/catalogue.yaml")))


def wished(company: Understander, text: str) -> list[dict[str, object]]:
    found = company.several(text, SLOTS, now=NOW, time_zone="Europe/Madrid")
    return list(found["wishes"].value) if found else []


def general(company: Understander, text: str) -> object:
    return company.several(text, SLOTS, now=NOW, time_zone="Europe/Madrid")["span"].value


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("I need Figma, Jira and the staging database until Friday", ["figma", "jira", "staging-database"]),
        ("access to Miro + Confluence & VPN please", ["miro", "confluence", "vpn"]),
        ("Figma as well as Jira for a week", ["figma", "jira"]),
        ("I need Figma and I also need Jira for a week", ["figma", "jira"]),
        ("I need Salesforce and the Salesforce sandbox", ["salesforce", "salesforce-sandbox"]),
        ("github and github admin for 2 days", ["github", "github-admin"]),
        ("I need Jria, Fgima and the wiki", ["jira", "figma", "confluence"]),
        ("I need Figma and Jira because GitHub is down", ["figma", "jira"]),
        ("I need Figma and Jira for the launch in May", ["figma", "jira"]),
        ("GitHub, Figma, Jira and the issue tracker", ["github", "figma", "jira"]),
        ("I joined the design group, so I need Figma and Jira", ["figma", "jira"]),
        ("1Password: Engineering vault and Figma for a week", ["vault-engineering", "figma"]),
    ],
)
def test_what_stands_in_one_enumeration_is_wished_for(
    company: Understander, text: str, keys: list[str]
) -> None:
    assert [each.get("resource") for each in wished(company, text)][: len(keys)] == keys
    assert len(wished(company, text)) == len(keys)


@pytest.mark.parametrize(
    "text",
    [
        "I need access to Figma",
        "I need GitHub Enterprise",
        "access to Figma because Jira is down",
        "I need Figma, not Jira",
        "I need Figma and I don't need Jira anymore",
        "Figma or Jira",
        "Figma and the design files",  # the same thing twice
        "I need Figma and Jira is down",
        "my vpn and jira are broken",
        "unlock my account and give me figma until Friday",
        "I need Figma and a week of rest",
        "",
    ],
)
def test_one_thing_is_not_several(company: Understander, text: str) -> None:
    assert wished(company, text) == []


def test_a_thing_is_a_thing_though_its_name_is_a_month_elsewhere(
    classifier: Classifier, tmp_path: Path
) -> None:
    thing = (
        "{{key: {0}, name: {0}, lets: x, system: company, group: g, owner: o@x.example, sensitivity: low,"
        " max_days: 30}}"
    )
    lines = [f"  - {thing.format(name)}" for name in ("mars", "figma", "miro")]
    path = tmp_path / "catalogue.yaml"
    path.write_text("\n".join(("resources:", *lines)))
    found = wished(
        Understander(classifier, Catalogue.load(path)), "J'ai besoin de Mars, Figma, Miro jusqu'à vendredi"
    )
    assert [each["resource"] for each in found] == ["mars", "figma", "miro"]


def test_one_time_is_that_of_all(company: Understander) -> None:
    for text in ("I need Figma and Jira until Friday", "until Friday I need Figma and Jira"):
        assert general(company, text) == FRIDAY
        assert not [each for each in wished(company, text) if "span" in each]


def test_each_takes_the_time_that_follows_it_next(company: Understander) -> None:
    text = "Figma until Friday and Jira for two weeks"
    assert wished(company, text) == [{"resource": "figma", "span": FRIDAY}, {"resource": "jira"}]
    assert general(company, text) == TWO_WEEKS
    text = "I need Figma and Miro until Friday, and Jira for two weeks"
    assert [each.get("span") for each in wished(company, text)] == [FRIDAY, FRIDAY, None]


@pytest.mark.parametrize(
    "text",
    [
        "Figma until Friday and Jira",  # that one as well?
        "for two weeks Figma and Jira until Friday",
        "Figma and Jira",
        "Figma and Jira until yesterday",
    ],
)
def test_a_time_that_is_not_clear_is_asked_for(company: Understander, text: str) -> None:
    assert general(company, text) is None


def test_what_is_ambiguous_or_unknown_is_kept_as_such(company: Understander) -> None:
    first, second = wished(company, "I need the database and Figma for a week")
    assert "staging-database" in first["close"]  # type: ignore[operator]
    assert second == {"resource": "figma"}
    assert wished(company, "I need Figma, Foobarix and Jira")[1] == {"close": []}
