"""Times said in German, Spanish, French or Portuguese, as the English grammar reads them.

Only times are put into English, and only what is certain: "bis Freitag" is "until friday"; what is not
known stays as it is, and is asked for. "Nächsten Freitag" is as open as "next Friday" and becomes that; what
plainly means the coming one ("el próximo viernes", "vendredi prochain") becomes the day alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache

_CHARS = 2_000
_WORD = re.compile(r"[^\W\d_]+")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirty".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTHS = "january february march april may june july august september october november december".split()
_UNITS = "minute minutes hour hours day days week weeks month months year years".split()
_DAY = rf"(?:{'|'.join(_WEEKDAYS)})"
_MONTH = rf"(?:{'|'.join(_MONTHS)})"
_UNIT = rf"(?:{'|'.join(_UNITS)})\b"
_DATE = rf"\d{{1,2}}\b(?! ?{_UNIT})(?: {_MONTH})?(?: \d{{4}}\b)?"
_TIME = (
    rf"(?:(?:last |next |this )?{_DAY}(?: {_DATE})?|\d{{1,2}}:\d\d|the \d{{1,2}}th|{_DATE}|today|tomorrow)"
)
_STRETCH = r"(?:end of|next (?:week|month|year)|this (?:week|month|weekend)|noon|midnight)"
_NUMBER = rf"\d{{1,3}}|{'|'.join(_NUMBERS)}"
_COUNTED = rf"(?:(?:{_NUMBER}) {_UNIT}|half a day)"

_ENGLISH = frozenset(
    "i the to my is are and of need until till from please have has not you your it this that with for what "
    "how when can could would access off next last an six once sept minute minutes hour hours week weeks day "
    "days month months friday monday".split()
)


_REMEMBERED = 2_048  # words, and which language they are of


@dataclass(frozen=True)
class _Language:
    """``said`` are words that no English message has; a role is what introduces a time."""

    said: str
    weekdays: str
    months: str
    numbers: str
    units: str
    phrases: Mapping[str, str]
    roles: Mapping[str, str]
    article: str
    of: str = ""
    after: Mapping[str, str] = field(default_factory=dict)  # when days and months are English

    @cached_property
    def speaks(self) -> Callable[[str], re.Match[str] | None]:
        """Whether a word is of this language, as far as it is known here."""
        words = " ".join((self.said, self.weekdays, self.months, self.numbers, self.units)).split()
        return re.compile("|".join(words)).fullmatch


_GERMAN = _Language(
    said="ich wir der das ende und ist für fuer bis brauche bräuchte bitte mein meine meinen mit ein eine "
    "einen zum zur auf kann können mir nicht von vom ab heute morgen übermorgen woche wochen tage tagen "
    "monat monate zugang zugriff urlaub frei noch seit nächste nächsten diese",
    weekdays="montags? dienstags? mittwochs? donnerstags? freitags? samstags?|sonnabends? sonntags?",
    months="januar|jänner februar märz|maerz april mai juni juli august september oktober november dezember",
    numbers="einen?|eine[rmns]? zwei drei vier fünf|fuenf sechs sieben acht neun zehn elf zwölf|zwoelf "
    "dreißig",
    units="minute minuten stunde stunden tag tagen? woche wochen monat monaten? jahr jahren?",
    phrases={
        r"(?:guten|am|jeden) morgen": "good morning",
        r"heute (?:morgen|früh)": "today morning",
        r"morgen früh": "tomorrow morning",
        r"übermorgen": "day after tomorrow",
        r"vorgestern|gestern": "yesterday",
        r"morgen": "tomorrow",
        r"heute": "today",
        r"(?:am|übers|über das|dieses|das|zum) wochenende": "this weekend",
        r"ende des monats|monatsende": "end of the month",
        r"ende der woche": "end of the week",
        r"ende des jahres|jahresende": "end of the year",
        r"(?:nächste|kommende)[rn]? woche": "next week",
        r"(?:nächste|kommende)[rn]? monat": "next month",
        r"diese[rn]? woche": "this week",
        r"diese[mns]? monat": "this month",
        r"(?:letzte|vergangene|vorige)[rn]? woche": "last week",
        r"(?:letzte|vergangene|vorige)[rn]? monat": "last month",
        r"vierzehn tagen?": "two weeks",
        r"(?:einen? )?halbe[rn]? tag": "half a day",
        r"(\d{1,2})[:.](\d\d) uhr": r"\1:\2",
        r"(\d{1,2}) uhr": r"\1:00",
        r"mittag": "noon",
        r"vormittags?": "morning",
        r"nachmittags?": "afternoon",
    },
    roles={
        "until": "bis(?: einschließlich| inklusive)?",
        "to": "bis|und",
        "between": "vom?|zwischen|ab",
        "from": "ab|beginnend",
        "for": "für|fuer",
        "on": "am|an",
        "in": "in|innerhalb von|vor|seit|nach",
        "since": "seit",
    },
    article="zum|zur|dem|den|der|die|das|am|nur",
    after={
        rf"kommende[nrms]? ({_DAY})": r"\1",
        rf"nächste[nrms]? ({_DAY})": r"next \1",
        rf"diese[nrms]? ({_DAY})": r"this \1",
        rf"(?:letzte|vergangene|vorige)[nrms]? ({_DAY})": r"last \1",
        rf"(\d{{1,2}})\.? ({_MONTH})": r"\1 \2",
        r"vom (\d{1,2})\. bis": r"vom \1 bis",
        r"(ab|am|zum|bis|dem|den) (\d{1,2})\.(?!\d| ?\d)": r"\1 the \2th",
    },
)
_SPANISH = _Language(
    said="yo el los las una unos por favor necesito quiero hasta desde para mi mis es está y con del que hoy "
    "mañana acceso semana semanas día dias días mes meses vacaciones próximo próxima durante tengo puedo",
    weekdays="lunes martes mi[eé]rcoles jueves viernes s[aá]bado domingo",
    months="enero febrero marzo abril mayo junio julio agosto sep?tiembre octubre noviembre diciembre",
    numbers="una?|uno dos tres cuatro cinco seis siete ocho nueve diez once doce treinta",
    units="minuto minutos hora horas d[ií]a d[ií]as semana semanas mes meses año años",
    phrases={
        r"pasado mañana": "day after tomorrow",
        r"(?:anteayer|ayer)": "yesterday",
        r"(?:por|de|en) la mañana|media mañana": "morning",
        r"(?:por|de|en) la tarde": "afternoon",
        r"mañana": "tomorrow",
        r"hoy": "today",
        r"(?:el |este |próximo ){0,3}fin de semana": "this weekend",
        r"(?:el )?fin(?:al|ales)? de(?: este)? mes": "end of the month",
        r"(?:el )?fin(?:al|ales)? de año": "end of the year",
        r"(?:el )?final de(?: la|esta) semana": "end of the week",
        r"(?:la )?(?:pr[oó]xima semana|semana (?:que viene|pr[oó]xima))": "next week",
        r"(?:el )?(?:pr[oó]ximo mes|mes (?:que viene|pr[oó]ximo))": "next month",
        r"esta semana": "this week",
        r"este mes": "this month",
        r"(?:la )?semana pasada": "last week",
        r"(?:el )?mes pasado": "last month",
        r"quince d[ií]as": "two weeks",
        r"medi[oa] (?:d[ií]a|jornada)": "half a day",
        r"mediod[ií]a": "noon",
        r"medianoche": "midnight",
    },
    roles={
        "until": "hasta",
        "to": "al?|hasta|y",
        "between": "del?|desde|entre",
        "from": "desde|a partir del?",
        "for": "por|durante|para",
        "on": "el|este",
        "in": "en|dentro de|hace",
    },
    article="el|la|los|las|d[ií]a|solo|sólo",
    of="del?",
    after={
        rf"pr[oó]ximo ({_DAY})": r"\1",
        rf"({_DAY}) (?:que viene|pr[oó]ximo)": r"\1",
        rf"({_DAY}) pasado": r"last \1",
        r"el(?: d[ií]a)? (\d{1,2})\b(?! ?(?:de |\d|[:/]))": r"the \1th",
    },
)
_FRENCH = _Language(
    said="je le les des une un pour jusqu mon ma mes et est pas que dans du au il y besoin ai bonjour svp "
    "merci à accès semaine semaines jour jours mois demain congé congés prochain prochaine pendant vous puis",
    weekdays="lundi mardi mercredi jeudi vendredi samedi dimanche",
    months="janvier f[ée]vrier mars avril mai juin juillet ao[uû]t septembre octobre novembre d[ée]cembre",
    numbers="une? deux trois quatre cinq six sept huit neuf dix onze douze trente",
    units="minute minutes heure heures jour jours semaine semaines mois mois an ann?s|années",
    phrases={
        r"apr[eè]s[ -]demain": "day after tomorrow",
        r"(?:avant-)?hier": "yesterday",
        r"demain": "tomorrow",
        r"aujourd'hui": "today",
        r"(?:le |ce )?week-?end(?: prochain)?": "this weekend",
        r"(?:la )?fin du mois": "end of the month",
        r"(?:la )?fin de (?:la|cette) semaine": "end of the week",
        r"(?:la )?fin de l'année": "end of the year",
        r"(?:la )?semaine prochaine": "next week",
        r"(?:le )?mois prochain": "next month",
        r"cette semaine": "this week",
        r"ce mois(?:-ci)?": "this month",
        r"(?:la )?semaine derni[eè]re": "last week",
        r"(?:le )?mois dernier": "last month",
        r"quinze jours": "two weeks",
        r"(?:une )?demi[ -]journ[ée]e": "half a day",
        r"de (\d{1,2}) ?(?:h|heures?) à": r"de \1:00 à",
        r"(jusqu'à|à) (\d{1,2}) ?(?:h|heures?) ?(\d\d)": r"\1 \2:\3",
        r"(jusqu'à|à) (\d{1,2}) ?(?:h|heures?)": r"\1 \2:00",
        r"midi": "noon",
        r"minuit": "midnight",
        r"(?:apr[eè]s-midi)": "afternoon",
        r"1er": "1",
    },
    roles={
        "until": "jusqu'(?:à|au|en)|d'ici(?: à| au)?",
        "to": "au|à|et",
        "between": "du|de|entre",
        "from": "à partir d[eu]|à compter d[eu]|dès",
        "for": "pour|pendant|durant",
        "on": "le|ce",
        "in": "dans|sous|il y a|depuis|en",
        "since": "depuis",
    },
    article="le|la|au|à|les|seulement",
    after={
        rf"({_TIME}) (?:à )?(\d{{1,2}}) ?h(?:eures?)?": r"\1 \2:00",
        rf"({_DAY}) prochain": r"\1",
        rf"({_DAY}) dernier": r"last \1",
        rf"(?:le|au) (\d{{1,2}})\b(?! ?(?:{_MONTH}|\d|[:/h]|{_UNIT}))": r"the \1th",
    },
)
# "Sexta" alone is Friday, and "sexta vez" the sixth time.
_FEIRA = r"(?:\Wfeira|(?!\W(?:vez\b|(?!passada|para|pela)[^\W\d_]{4})))"
_PORTUGUESE = _Language(
    said="eu os uma um preciso quero até ate desde para meu minha meus é está e com do da dos que hoje "
    "amanhã acesso semana semanas dia dias mês mes meses férias próximo próxima durante não por favor "
    "gostaria",
    weekdays=rf"segunda{_FEIRA} ter[çc]a{_FEIRA} quarta{_FEIRA} quinta{_FEIRA} sexta{_FEIRA} "
    "s[aá]bado domingo",
    months="janeiro fevereiro mar[çc]o abril maio junho julho agosto setembro outubro novembro dezembro",
    numbers="uma? dois|duas tr[êe]s quatro cinco seis sete oito nove dez onze doze trinta",
    units="minuto minutos hora horas dia dias semana semanas m[êe]s meses ano anos",
    phrases={
        r"depois de amanhã": "day after tomorrow",
        r"(?:anteontem|ontem)": "yesterday",
        r"(?:de|pela|da) manhã": "morning",
        r"(?:de|à|pela|da) tarde": "afternoon",
        r"amanhã": "tomorrow",
        r"hoje": "today",
        r"(?:n?[oe]ste |no |o |próximo ){0,3}fim[ -]de[ -]semana": "this weekend",
        r"(?:o )?(?:fim|final) d[oe](?:ste)? m[êe]s": "end of the month",
        r"(?:o )?(?:fim|final) d[oe](?:ste)? ano": "end of the year",
        r"(?:o )?(?:fim|final) d(?:a|esta) semana": "end of the week",
        r"(?:n?a )?(?:pr[óo]xima semana|semana que vem)": "next week",
        r"(?:n?o )?(?:pr[óo]ximo m[êe]s|m[êe]s que vem)": "next month",
        r"n?(?:esta|essa) semana": "this week",
        r"n?(?:este|esse) m[êe]s": "this month",
        r"(?:na )?semana passada": "last week",
        r"(?:no )?m[êe]s passado": "last month",
        r"quinze dias": "two weeks",
        r"meio[ -]per[ií]odo": "half a day",
        r"meio dia de": "half a day of",
        r"meio[ -]dia": "noon",
        r"meia[ -]noite": "midnight",
    },
    roles={
        "until": "at[ée]",
        "to": "a|ao|à|at[ée]|e",
        "between": "d[eoa]|desde|entre",
        "from": "a partir d[eoa]|desde",
        "for": "por|durante|para",
        "on": "n[ao]|nest[ae]|em",
        "in": "em|daqui a|dentro de|h[áa]|faz",
    },
    article="[oa]|ao|à|dia|só",
    of="de",
    after={
        rf"pr[óo]xim[ao] ({_DAY})": r"\1",
        rf"({_DAY}) que vem": r"\1",
        rf"({_DAY}) passad[ao]": r"last \1",
        rf"(?:o )?dia (\d{{1,2}})\b(?! ?(?:de |{_MONTH}|\d|[:/]))": r"the \1th",
    },
)
_LANGUAGES = (_GERMAN, _SPANISH, _FRENCH, _PORTUGUESE)


@lru_cache(maxsize=_REMEMBERED)
def _speaking(word: str) -> tuple[int, ...]:
    """The languages that a word may be of."""
    return tuple(at for at, each in enumerate(_LANGUAGES) if each.speaks(word))


@lru_cache(maxsize=2)  # one message is read for several slots
def in_english(text: str) -> str:
    """``text``, in small letters, with its times in English; unchanged where it is English, or unclear."""
    head, tail = text[:_CHARS], text[_CHARS:]
    words = set(_WORD.findall(head))
    speaking = [language for word in words for language in _speaking(word)]
    hits, language = max((speaking.count(at), at) for at in range(len(_LANGUAGES)))
    if hits <= len(words & _ENGLISH):
        return text
    for pattern, english in _rules(language):
        head = pattern.sub(english, head)
    return head + tail


def _rules_of(language: _Language) -> Iterator[tuple[str, str]]:
    """Each pattern and what English says: first whole phrases, then words, then what introduces them."""
    yield from language.phrases.items()
    units = language.units.split()
    for word, number in zip(language.numbers.split(), _NUMBERS, strict=True):
        yield rf"(?:{word}) ({'|'.join(units)})", rf"{number} \1"
    for words, names in ((language.weekdays, _WEEKDAYS), (language.months, _MONTHS)):
        yield from zip(words.split(), names, strict=True)
    for word, unit in zip(units, _UNITS, strict=True):
        yield rf"({_NUMBER}) (?:{word})", rf"\1 {unit}"
    if language.of:
        yield rf"(\d{{1,2}}) {language.of} ({_MONTH})", r"\1 \2"
        yield rf"({_MONTH}) {language.of} (\d{{4}})", r"\1 \2"
    yield from language.after.items()
    roles, article = language.roles, rf"(?: (?:{language.article})){{0,2}}"
    yield rf"(?:{roles['between']}){article} ({_TIME}) (?:{roles['to']}){article} ({_TIME})", r"from \1 to \2"
    for role in ("until", "from", "since", "on"):
        if role in roles:
            yield rf"(?:{roles[role]}){article} ({_TIME}|{_STRETCH})", rf"{role} \1"
    yield rf"(?:{roles['for']}){article} ({_COUNTED})", r"for \1"
    yield rf"(?:{roles['in']}) ({_COUNTED})", r"in \1"


@cache
def _rules(at: int) -> tuple[tuple[re.Pattern[str], str], ...]:
    rules = _rules_of(_LANGUAGES[at])
    return tuple((re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"), english) for pattern, english in rules)
