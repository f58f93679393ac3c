"""Times said in German, Spanish, French and Portuguese: what each says, and that nothing else is touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest

from bot.intent import days_off, spans
from bot.intent.abroad import in_english

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # a Tuesday
FRIDAY = {"until": "2026-11-27T22:59:00+00:00"}
FRIDAY_WEEK = {"until": "2026-12-04T22:59:00+00:00"}
MONTH = {"until": "2026-11-30T22:59:00+00:00"}
TWO_WEEKS = {"minutes": 20160}
FOUR_DAYS = {"first": "2026-12-21", "last": "2026-12-24"}
NEXT_WEEK = {"first": "2026-11-30", "last": "2026-12-06"}
THREE_DAYS = {"first": "2026-11-30", "last": "2026-12-02"}
WHOLE_FRIDAY = {"first": "2026-11-27", "last": "2026-11-27"}
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
        ("bis zum Wochenende", FRIDAY),
        ("jusqu'au week-end", FRIDAY),
        ("hasta el viernes 4 de diciembre", FRIDAY_WEEK),
        ("bis Freitag, 4.12.", FRIDAY_WEEK),
        ("jusqu'à vendredi de la semaine prochaine", FRIDAY_WEEK),
        ("até a sexta da próxima semana", FRIDAY_WEEK),
        ("jusqu'au 28 déc.", {"until": "2026-12-28T22:59:00+00:00"}),
        ("hasta el 28 dic", {"until": "2026-12-28T22:59:00+00:00"}),
        ("bis zum 28. Dez.", {"until": "2026-12-28T22:59:00+00:00"}),
        ("hasta el viernes a las 5 de la tarde", {"until": "2026-11-27T16:00:00+00:00"}),
        ("hasta las 17:30", {"until": "2026-11-24T16:30:00+00:00"}),
        ("zwei Wochen und drei Tage", {"minutes": 24480}),
        ("1,5 Wochen", {"minutes": 15120}),
        ("2 semanas", TWO_WEEKS),  # Spanish and Portuguese say the same
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
        # since, ago, after, every
        "seit zwei Wochen kann ich mich nicht anmelden",
        "ich habe vor zwei Wochen gefragt",
        "hace dos semanas que no puedo entrar",
        "il y a deux semaines",
        "après deux semaines d'absence",
        "toutes les deux semaines",
        "há duas semanas que não consigo entrar",
        "cada 90 días",
        "alle 90 Tage",
        # of a number that is not known whole, or of two
        "vingt-deux jours",
        "vingt et un jours",
        "treinta y un días",
        "vinte e dois dias",
        "hundert zwei Tage",
        "zwei bis drei Wochen",
        "de dos a tres semanas",
        "deux ou trois semaines",
        "1 bis 2 Wochen",
        # another end than the words begin with
        "jusqu'à la fin du mois prochain",
        "hasta fin de mes que viene",
        "até o fim do ano que vem",
        "bis Ende nächster Woche",
        "jusqu'au 28 du mois prochain",
        "bis zum 28. nächsten Monats",
        "deux semaines et demie",
        "llevo dos semanas esperando",
        "ça fait deux semaines que j'attends",
        # not until then, but until another day
        "nicht bis Freitag sondern bis Montag",
        "não até sexta, até segunda",
        "pas deux semaines, trois semaines",
        # goodbye
        "Necesito Figma. Gracias, hasta mañana",
        "Besoin de Figma. Merci, à demain",
        "Danke und bis Freitag!",
        # a time of day of which nobody said which day
        "jusqu'à demain 8h du matin",
        "até 18h",
        "avant 18h",
        # no time at all
        "Guten Morgen, ich brauche Figma",
        "Morgen! Ich brauche Zugang zu Figma",
        "perdi na sexta vez que tentei",
        "preciso da segunda via do meu crachá",
        "llevo media mañana mirando la pantalla",
    ],
)
def test_what_says_no_length_and_no_end_is_asked_for(text: str) -> None:
    assert span(text) is None
    assert span(text, answer=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "ich brauche jeden Freitag frei",
        "freitags frei bitte",
        "jeden zweiten Freitag",
        "todos los viernes",
        "le 5 de chaque mois",
        "vor Freitag bitte",
        "antes del viernes",
        "après vendredi",
        "übernächsten Freitag frei",
        "el pasado lunes estuve enfermo",
        "el último viernes de diciembre",
        "lundi en huit",
        "Freitag letzter Woche war ich krank",
        "el fin de semana pasado",
        "no fim de semana passado estive doente",
        "próxima semana exceto sexta folga",
        "sexta ou segunda folga",
        "congé la semaine du 14 décembre",
        "Woche vom 14. Dezember frei",
        "21./22. Dezember frei bitte",
        "vom 3. auf den 4. Dezember frei",
        "am Morgen des 24. Dezember frei",
        "vendredi soir congé",
        "Freitag abend frei",
        "viernes santo libre",
        "lundi de pâques congé",
        "d'ici vendredi congé",
        "je voudrais poser mon congé",
        "em segunda mão",
        "au 1er étage",
        "jeden Freitag ab 4.12. frei",
        "vor dem 14.12. bitte frei",
        "kein Urlaub am Freitag",
        "el viernes no puedo",
        "quiero los viernes libres",
        "vuelvo el lunes",
        "ich komme am Montag zurück",
        "Freitag in zwei Wochen frei",
        "minha segunda tela quebrou",
        "mon compte est bloqué",
        "7./8.12. frei bitte",
        "el 28 del mes pasado",
        "Ferie dal 3 al 5 marzo",  # a language that nobody here reads
        "No sábado, por favor",  # Spanish or Portuguese: the opposite of each other
    ],
)
def test_what_is_another_day_than_it_looks_is_asked_for(text: str) -> None:
    assert days(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("congés du 3 au 7 décembre", {"first": "2026-12-03", "last": "2026-12-07"}),
        ("Urlaub von 21. bis 24. Dezember", FOUR_DAYS),
        ("vom 24.12. bis 3.1. bitte", {"first": "2026-12-24", "last": "2027-01-03"}),
        ("3, 4 et 5 décembre congé", {"first": "2026-12-03", "last": "2026-12-05"}),
        ("frei am 3. und 4. Dezember", {"first": "2026-12-03", "last": "2026-12-04"}),
        ("los días 1 y 2 de diciembre", {"first": "2026-12-01", "last": "2026-12-02"}),
        ("vendredi après-midi congé", {**WHOLE_FRIDAY, "half_first": True}),
        ("Freitag Nachmittag frei", {**WHOLE_FRIDAY, "half_first": True}),
        ("du 24/12 au 31/12 congé", {"first": "2026-12-24", "last": "2026-12-31"}),
        ("férias 18 a 20 de dezembro", {"first": "2026-12-18", "last": "2026-12-20"}),
        ("7., 8. und 9. Dezember frei", {"first": "2026-12-07", "last": "2026-12-09"}),
        ("du lundi 7 au vendredi 11 décembre congé", {"first": "2026-12-07", "last": "2026-12-11"}),
        ("mardi prochain congé", {"first": "2026-12-01", "last": "2026-12-01"}),  # said on a Tuesday
        ("congé d'aujourd'hui à vendredi", {"first": "2026-11-24", "last": "2026-11-27"}),
        ("Montag nächster Woche frei", {"first": "2026-11-30", "last": "2026-11-30"}),
        ("j'ai besoin de lundi et vendredi", days_off.ONE),
    ],
)
def test_two_days_and_half_ones(text: str, value: object) -> None:
    assert days(text) == value


@pytest.mark.parametrize(
    "text", ["9 am 3 august", "AI, mars", "mon 24 dec", "do me a favor", "mit access", "once"]
)
def test_short_english_is_english(text: str) -> None:
    assert in_english(text) == text


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


@pytest.mark.parametrize(
    "text",
    [
        "el " * 700,
        "ich bis 1 " * 200,
        "de 1 a " * 300,
        "vom 1. bis " * 200,
        "fin " * 500,
        " " * 2_000 + "ich",
    ],
)
def test_a_hostile_message_costs_little_more_than_another_of_its_length(text: str) -> None:
    in_english("ich bin da")  # the patterns are made at the first use
    began = process_time()
    in_english(text)
    assert process_time() - began < 0.5, "measured: 0.02"
