"""Times said in German, Spanish, French and Portuguese: what each says, and that nothing else is touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.intent import days_off, spans
from bot.intent.abroad import in_english

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # a Tuesday
FRIDAY = {"until": "2026-11-27T22:59:00+00:00"}
MONTH = {"until": "2026-11-30T22:59:00+00:00"}
TWO_WEEKS = {"minutes": 20160}
FOUR_DAYS = {"first": "2026-12-21", "last": "2026-12-24"}
NEXT_WEEK = {"first": "2026-11-30", "last": "2026-12-06"}
THREE_DAYS = {"first": "2026-11-30", "last": "2026-12-02"}
EVE = {"first": "2026-12-24", "last": "2026-12-24"}


def span(text: str, *, answer: bool = False) -> object:
    found = spans.find(text, now=NOW, time_zone="Europe/Berlin", answer=answer)
    return found and (found.value or found.problem)


def days(text: str) -> object:
    found = days_off.find(text, now=NOW, time_zone="Europe/Berlin")
    return found and (found.value or found.problem)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Ich brauche Figma bis Freitag", FRIDAY),
        ("Necesito Figma hasta el viernes", FRIDAY),
        ("hasta el próximo viernes", FRIDAY),
        ("J'ai besoin de Figma jusqu'à vendredi", FRIDAY),
        ("Preciso do Figma até sexta-feira", FRIDAY),
        ("ich brauche zugang zu jira für zwei wochen", TWO_WEEKS),
        ("14 Tage", TWO_WEEKS),
        ("necesito acceso a la base de datos durante dos semanas", TWO_WEEKS),
        ("por quince días", TWO_WEEKS),
        ("accès pour deux semaines s'il vous plaît", TWO_WEEKS),
        ("preciso de acesso por duas semanas", TWO_WEEKS),
        ("bis Ende des Monats", MONTH),
        ("hasta fin de mes", MONTH),
        ("jusqu'à la fin du mois", MONTH),
        ("até o fim do mês", MONTH),
        ("bis morgen 17 Uhr", {"until": "2026-11-25T16:00:00+00:00"}),
        ("jusqu'à demain 17h", {"until": "2026-11-25T16:00:00+00:00"}),
        ("jusqu'à 17h30 aujourd'hui", {"until": "2026-11-24T16:30:00+00:00"}),
        ("bis nächsten Freitag", {"until": "2026-12-04T22:59:00+00:00"}),
        ("bis kommenden Freitag", FRIDAY),
    ],
)
def test_how_long(text: str, value: object) -> None:
    assert span(text) == value


@pytest.mark.parametrize("text", ["Freitag", "viernes", "vendredi", "sexta"])
def test_a_day_alone_as_the_answer(text: str) -> None:
    assert span(text, answer=True) == FRIDAY


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Kann ich vom 21. bis 24. Dezember frei haben?", FOUR_DAYS),
        ("quiero vacaciones del 21 al 24 de diciembre", FOUR_DAYS),
        ("je voudrais des congés du 21 au 24 décembre", FOUR_DAYS),
        ("quero férias de 21 a 24 de dezembro", FOUR_DAYS),
        ("ich möchte nächste Woche frei", NEXT_WEEK),
        ("quiero vacaciones la semana que viene", NEXT_WEEK),
        ("je prends la semaine prochaine", NEXT_WEEK),
        ("férias na próxima semana", NEXT_WEEK),
        ("Urlaub ab Montag für drei Tage", THREE_DAYS),
        ("vacaciones de lunes a miércoles por favor", THREE_DAYS),
        ("congé du lundi au mercredi", THREE_DAYS),
        ("quero férias de segunda a quarta", THREE_DAYS),
        ("am 24. Dezember frei bitte", EVE),
        ("quiero el 24 de diciembre libre", EVE),
        ("le 24 décembre svp, congé", EVE),
        ("quero folga no dia 24 de dezembro", EVE),
        ("Freitagnachmittag hätte ich gern frei", None),  # one word that is not known: asked for
        ("übermorgen frei bitte", {"first": "2026-11-26", "last": "2026-11-26"}),
    ],
)
def test_which_days(text: str, value: object) -> None:
    assert days(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "seit zwei Wochen kann ich mich nicht anmelden",
        "ich habe vor zwei Wochen gefragt",
        "hace dos semanas que no puedo entrar",
        "il y a deux semaines",
        "depuis lundi je ne peux pas me connecter",
        "há duas semanas que não consigo entrar",
        "Guten Morgen, ich brauche Figma",
        "perdi na sexta vez que tentei",
        "llevo media mañana mirando la pantalla",
    ],
)
def test_what_is_no_end_is_none(text: str) -> None:
    assert span(text) is None


def test_english_is_never_touched() -> None:
    mixed = "je suis malade aujourd'hui, sick today"  # stands among the English phrases
    lines = [
        line
        for file in Path("bot/actions/phrases/en").glob("*.txt")
        for line in file.read_text().splitlines()
    ]
    held_back = Path("tests/intent/heldback.jsonl").read_text().splitlines()
    lines += [json.loads(line)["text"] for line in held_back]
    assert len(lines) > 15_000
    changed = [line for line in (each.strip().lower() for each in lines) if in_english(line) != line]
    assert changed == [mixed]


def test_a_hostile_message_is_read_in_no_time_and_what_is_far_down_is_not_read() -> None:
    for text in ("el " * 5_000, "ich bis 1 " * 2_000, "de 1 a " * 3_000, "vom 1. bis " * 2_000):
        assert len(in_english(text)) <= 2 * len(text)
    assert in_english("ich brauche das " * 200 + "bis freitag").endswith("bis freitag")
