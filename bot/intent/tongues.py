"""What German, Spanish, French and Portuguese say of times. Data for ``abroad``; each word is a pattern.

The order counts: of two phrases the longer stands first. What says that a time is another than it looks
("jeden Freitag", "vor Freitag", "el viernes pasado") stands among the limits, or becomes an English one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_DAY = "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_NO_NTH = rf"(?! ?(?:{_MONTH}|de |\d|[:/.h-]|[a-zéû]{{3,4}}\b\.?))"


@dataclass(frozen=True)
class Tongue:
    said: str  # words that tell the language, and are not English ones
    weekdays: str  # from Monday
    months: str
    numbers: str  # one to twelve, and thirty
    units: str  # one and several: minutes, hours, days, weeks, months, years
    limits: str  # where one of them is left, nothing is read
    phrases: Mapping[str, str]
    ranges: Sequence[tuple[str, str]]  # what opens one, and what joins its ends
    roles: Mapping[str, str]  # what introduces a time, by the English word for it
    article: str
    both: str  # "and" between two days
    no: str
    short: str  # months, as they are written after a day
    of: str = ""  # between a day and its month
    after: Mapping[str, str] = field(default_factory=dict)  # when days, months and units are English


GERMAN = Tongue(
    said="ich kommenden wir der das ende und ist für fuer bis brauche bräuchte bitte mein meine meinen mit "
    "ein eine einen zum zur auf kann können mir nicht von vom ab heute morgen übermorgen woche wochen "
    "tage tagen monat monate zugang zugriff urlaub frei noch seit nächste nächsten diese",
    weekdays="montag dienstag mittwoch donnerstag freitag samstag|sonnabend sonntag",
    months="januar|jänner februar märz|maerz april mai juni juli august september oktober november dezember",
    numbers="ein(?:e[rmns]?)? zwei drei vier fünf|fuenf sechs sieben acht neun zehn elf zwölf|zwoelf dreißig",
    units="minute minuten stunde stunden tag tagen? woche wochen monat monaten? jahr jahren?",
    limits="jede[nrsm]? alle[nrs]? außer ausser ohne oder vor nach bis vom anfang ende mitte abends? "
    "nachts? nacht früh (?:vor)?letzte[nrms]? vergangene[nrms]? vorige[nrms]? über?nächste[nrms]? "
    "erste[nrms]? zweite[nrms]? dritte[nrms]? um gegen etwa ungefähr circa bzw wieder stock etage "
    "\\w+tags zwanzig vierzig fünfzig sechzig siebzig achtzig neunzig hundert \\w*monats zurück "
    "halbe[nrs]?",
    phrases={
        r"(?:guten|schönen|god|goede) morgen": "good morning",
        r"^(?:\W|moin)*morgen(?= ?[!,.]| (?:zusammen|team|leute|alle|lieb)\w*)": "good morning",
        r"guten tag": "good day",
        r"(?:am|jeden|diesen) morgen": "früh",
        r"heute (?:morgen|früh)": "today morning",
        r"heute nachmittag": "today afternoon",
        r"morgen (?:früh|vormittag)": "tomorrow morning",
        r"morgen nachmittag": "tomorrow afternoon",
        r"übermorgen": "day after tomorrow",
        r"vorgestern|gestern": "yesterday",
        r"morgen": "tomorrow",
        r"heute": "today",
        r"bis zum wochenende": "bis friday",
        r"(?:am|dieses|das) wochenende": "this weekend",
        r"ende (?:des|dieses) monats|monatsende": "end of the month",
        r"ende (?:der|dieser) woche": "end of the week",
        r"ende (?:des|dieses) jahres|jahresende": "end of the year",
        r"(?:nächste|kommende)[rn]? woche": "next week",
        r"(?:nächste|kommende)[rn]? monat": "next month",
        r"diese[rn]? woche": "this week",
        r"diese[mns]? monat": "this month",
        r"dieses jahr": "this year",
        r"(?:letzte|vergangene|vorige)[rn]? woche": "last week",
        r"(?:letzte|vergangene|vorige)[rn]? monat": "last month",
        r"vierzehn tagen?": "two weeks",
        r"(?:einen? )?halbe[rn]? tag": "half a day",
        r"(bis|ab) (\d{1,2})(?: uhr|h)": r"\1 \2:00",
        r"(bis|ab) (\d{1,2})[:.](\d\d)(?: uhr|h)": r"\1 \2:\3",
        r"(?:um )?(\d{1,2})[:.](\d\d) uhr": r"at \1:\2",
        r"(?:um )?(\d{1,2}) uhr(?! \d)": r"at \1:00",
        r"mittag": "noon",
        r"vormittags?": "morning",
        r"nachmittags?": "afternoon",
    },
    ranges=(("vo[mn]|ab", "bis"), ("zwischen", "und|and")),
    roles={
        "until": "bis(?: einschließlich| inklusive)?",
        "from": "ab|beginnend",
        "since": "seit",
        "on": "am|an",
        "for": "für|fuer",
        "in": "in|innerhalb von|vor|seit|nach|schon",
    },
    article="zum|zur|dem|den|der|die|das|am|nur",
    both="und",
    no=r"nicht|kein\w*",
    short="jan feb mär|mrz apr mai jun jul aug sept? okt nov dez",
    after={
        rf"kommende[nrms]? ({_DAY})": r"coming \1",
        rf"({_DAY}) (?:in )?der (next|last) week": r"\1 \2 week",
        rf"nächste[nrms]? ({_DAY})": r"next \1",
        rf"diese[nrms]? ({_DAY})": r"this \1",
        rf"(\d{{1,2}})\.? und (?:(?:am|den|dem) )?(\d{{1,2}})\.? ({_MONTH})": r"\1 and \2 \3",
        r"(\d{1,2})\., (\d{1,2})": r"\1, \2",
        rf"({_DAY}),? (?:den|dem) (\d{{1,2}})": r"\1 \2",
        rf"(\d{{1,2}})\.? ({_MONTH})": r"\1 \2",
        r"vo[mn] (\d{1,2}\.\d{1,2}\.)": r"from \1",
        r"(vo[mn]) (\d{1,2})\. bis": r"\1 \2 bis",
        r"(ab|am|zum|bis|dem|den) (\d{1,2})\.(?! ?\d| und)": r"\1 the \2th",
    },
)
SPANISH = Tongue(
    said="yo el los las una unos necesito quiero hasta desde mis es está y con del en que hoy mañana "
    "acceso semana semanas día dias días mes meses vacaciones próximo próxima durante tengo puedo "
    "por para",
    weekdays="lunes martes mi[eé]rcoles jueves viernes s[aá]bado domingo",
    months="enero febrero marzo abril mayo junio julio agosto sep?tiembre octubre noviembre diciembre",
    numbers="una?|uno dos tres cuatro cinco seis siete ocho nueve diez once doce treinta",
    units="minuto minutos hora horas d[ií]a d[ií]as semana semanas mes meses años? años",
    limits="cada tod[oa]s? excepto menos salvo sin o u antes despu[eé]s principios? mediados final "
    "finales fin noche tarde pasad[oa]s? [uú]ltim[oa]s? siguientes? pr[oó]xim[oa]s? santo "
    "segund[oa] primer[oa]? medi[oa] viene hasta carnaval veint\\w+ cuarenta cincuenta sesenta "
    "setenta ochenta noventa cien(?:to)? piso vuelvo volver[ée] regreso mitad",
    phrases={
        r"buen(?:os d[ií]as|as tardes|as noches)": "good day",
        r"pasado mañana": "day after tomorrow",
        r"(?:anteayer|ayer)": "yesterday",
        r"(?:por|de|en|a) la mañana|media mañana|esta mañana": "morning",
        r"(?:por|de|en) la tarde": "afternoon",
        r"ma[ñn]ana": "tomorrow",
        r"hoy": "today",
        r"hasta el fin de semana": "hasta friday",
        r"(?:el |este |próximo ){0,3}fin de semana": "this weekend",
        r"(?:el )?fin(?:al|ales)? de(?:l| este)? mes": "end of the month",
        r"(?:el )?fin(?:al|ales)? de(?:l| este)? año": "end of the year",
        r"(?:el )?final de(?: la| esta) semana": "end of the week",
        r"(?:la )?(?:pr[oó]xima semana|semana (?:que viene|pr[oó]xima))": "next week",
        r"(?:el )?(?:pr[oó]ximo mes|mes (?:que viene|pr[oó]ximo))": "next month",
        r"esta semana": "this week",
        r"este mes": "this month",
        r"este año": "this year",
        r"(?:la )?semana pasada": "last week",
        r"(?:el )?mes pasado": "last month",
        r"quince d[ií]as": "two weeks",
        r"medi[oa] (?:d[ií]a|jornada)": "half a day",
        r"hasta las? (\d{1,2}:\d\d)": r"hasta \1",
        r"hasta las? (\d{1,2}) ?h?(?![:.]\d)": r"hasta \1:00",
        r"a las? (\d{1,2}:\d\d)": r"at \1",
        r"a las? (\d{1,2}) ?h?(?![:.]\d)": r"at \1:00",
        r"mediod[ií]a": "noon",
        r"medianoche": "midnight",
    },
    ranges=(("del?|desde", "al?|hasta"), ("entre", "y")),
    roles={
        "until": "hasta",
        "from": "desde|a partir del?",
        "on": "el|este",
        "for": "por|durante|para",
        "in": "en|dentro de|hace|llevo|llevamos",
    },
    article="el|la|d[ií]a|solo|sólo",
    both="y",
    no="no|ni|tampoco",
    short="ene feb mar abr may jun jul ago sept? oct nov dic",
    of="del?",
    after={
        rf"pr[oó]ximo ({_DAY})": r"coming \1",
        rf"({_DAY}) (?:que viene|pr[oó]ximo)": r"coming \1",
        rf"({_DAY}) (?:de(?: la)? )?(next|last) week": r"\1 \2 week",
        rf"(?:los d[ií]as )?(\d{{1,2}}) y (?:el )?(\d{{1,2}})(?: de)? ({_MONTH})": r"\1 and \2 \3",
        rf"(noon|morning|afternoon) (?:del?|de la) ({_DAY}|today|tomorrow)": r"\1 of \2",
        rf"el(?: d[ií]a)? (\d{{1,2}}){_NO_NTH}": r"the \1th",
    },
)
FRENCH = Tongue(
    said="je le les des une un pour jusqu ma mes et que dans du au il y besoin bonjour svp merci à "
    "accès semaine semaines jour jours mois demain congé congés prochain prochaine pendant vous "
    "puis la j qu suis voudrais peux compte bloqué équipe avant dès mot aujourd hui",
    weekdays="lundi mardi mercredi jeudi vendredi samedi dimanche",
    months="janvier f[ée]vrier mars avril mai juin juillet ao[uû]t septembre octobre novembre d[ée]cembre",
    numbers="une? deux trois quatre cinq six sept huit neuf dix onze douze trente",
    units="minute minutes heure heures jour jours semaine semaines mois mois an ans|années",
    limits="chaque tous toutes sauf hormis sans ou avant apr[eè]s d[ée]but fin milieu soir matin nuit "
    "derni[eè]re?s? prochaine?s? suivante?s? seconde? premi[eè]re?s? pâques gras [ée]tage rue vers "
    "environ jusqu quinzaine cent vingt quarante cinquante soixante quatre-vingts? ann[ée]e "
    "huitaine demie? retour reviens rentre",
    phrases={
        r"mises? à jour": "update",
        r"(?:l'|cet )?apr[eè]s-midi": "afternoon",
        r"apr[eè]s[ -]demain": "day after tomorrow",
        r"(?:avant-)?hier": "yesterday",
        r"demain matin": "tomorrow morning",
        r"ce matin": "this morning",
        r"demain": "tomorrow",
        r"d'aujourd'hui": "de today",
        r"aujourd'hui": "today",
        r"jusqu'au week-?end": "jusqu'à friday",
        r"(?:le |ce )?week-?end(?: prochain)?": "this weekend",
        r"(?:la )?fin (?:du|de ce) mois(?! prochain)": "end of the month",
        r"(?:la )?fin de (?:la|cette) semaine(?! prochaine)": "end of the week",
        r"(?:la )?fin de l'ann[ée]e(?! prochaine)": "end of the year",
        r"(?:la )?semaine prochaine": "next week",
        r"(?:le )?mois prochain": "next month",
        r"cette semaine": "this week",
        r"ce mois(?:-ci)?": "this month",
        r"cette ann[ée]e": "this year",
        r"(?:la )?semaine derni[eè]re": "last week",
        r"(?:le )?mois dernier": "last month",
        r"quinze jours": "two weeks",
        r"(?:une )?demi[ -]journ[ée]e": "half a day",
        r"de (\d{1,2}) ?(?:h|heures) à (\d{1,2}) ?(?:h|heures?)": r"de \1:00 à \2:00",
        r"jusqu'à (\d{1,2}) ?(?:h|heures?) ?(\d\d)": r"jusqu'à \1:\2",
        r"jusqu'à (\d{1,2}) ?(?:h|heures?)": r"jusqu'à \1:00",
        r"à (\d{1,2}) ?(?:h|heures?) ?(\d\d)": r"at \1:\2",
        r"à (\d{1,2}) ?(?:h|heures?)": r"at \1:00",
        r"midi": "noon",
        r"minuit": "midnight",
        r"1er": "1",
        r"mon": "my",
    },
    ranges=(("du|de", "au|à"), ("entre", "et")),
    roles={
        "until": "jusqu'(?:[àa]|au|en)",
        "by": "d'ici(?: à| au)?",
        "from": "à partir d[eu]|à compter d[eu]|dès",
        "since": "depuis",
        "on": "le|ce",
        "for": "pour|pendant|durant",
        "in": "dans|sous|il y a|depuis|en|d'ici|(?:ça )?fait|voil[àa]",
    },
    article="le|la|au|à|les|seulement",
    both="et",
    no="pas|ni|non",
    short="janv?|jan f[ée]vr?|fev mar avr mai juin juil? ao[uû] sept? oct nov d[ée]c",
    after={
        rf"({_DAY}|today|tomorrow) (\d{{1,2}}) ?h ?(\d\d)": r"\1 at \2:\3",
        rf"({_DAY}|today|tomorrow) (\d{{1,2}}) ?h(?:eures?)?": r"\1 at \2:00",
        rf"({_DAY}) prochain": r"coming \1",
        rf"({_DAY}) de (next|last) week": r"\1 \2 week",
        rf"(\d{{1,2}}) et (?:le )?(\d{{1,2}}) ({_MONTH})": r"\1 and \2 \3",
        rf"(le|jusqu'au) (\d{{1,2}}){_NO_NTH}": r"\1 the \2th",
    },
)
# "Sexta" alone is Friday, and "sexta vez" the sixth time.
_FEIRA = (
    r"(?:\Wfeira|(?=\W*$|\s*[,.;!?]|\s+(?:a|ao|à|às|as|até|de|da|por|pela|pelo|que|passada|para|pra|e|ou|não|dia|at|"
    r"afternoon|morning|preciso|obrigad[oa]|folga|\d+)\b))"
)
PORTUGUESE = Tongue(
    said="eu os uma um preciso quero até ate desde para meu minha meus é está em da das que hoje amanhã "
    "acesso semana semanas dia dias mês mes meses férias próximo próxima durante não por gostaria "
    "ao",
    weekdays=rf"segunda{_FEIRA} ter[çc]a{_FEIRA} quarta{_FEIRA} quinta{_FEIRA} sexta{_FEIRA} "
    "s[aá]bado domingo",
    months="janeiro fevereiro mar[çc]o abril maio junho julho agosto setembro outubro novembro dezembro",
    numbers="uma? dois|duas tr[êe]s quatro cinco seis sete oito nove dez onze doze trinta",
    units="minuto minutos hora horas dia dias semana semanas m[êe]s meses anos? anos",
    limits="cada tod[oa]s? exceto menos salvo sem ou antes depois ap[óo]s in[íi]cio come[çc]o meados fim "
    "final noite tarde manhã passad[oa]s? [úu]ltim[oa]s? seguintes? pr[óo]xim[oa]s? santa? "
    "primeir[oa] carnaval às vem até vinte quarenta cinquenta sessenta setenta oitenta noventa cem "
    "cento meio meia andar volto volta retorno metade",
    phrases={
        r"bom dia|boa (?:tarde|noite)": "good day",
        r"depois de amanh[ãa]": "day after tomorrow",
        r"(?:anteontem|ontem)": "yesterday",
        r"(?:de|pela|da) manhã": "morning",
        r"(?:de|à|pela|da) tarde": "afternoon",
        r"amanh[ãa]": "tomorrow",
        r"hoje": "today",
        r"at[ée] o fim[ -]de[ -]semana": "até friday",
        r"(?:n?[oe]ste |no |o |próximo ){0,3}fim[ -]de[ -]semana": "this weekend",
        r"(?:o )?(?:fim|final) d[oe](?:ste)? m[êe]s": "end of the month",
        r"(?:o )?(?:fim|final) d[oe](?:ste)? ano": "end of the year",
        r"(?:o )?(?:fim|final) d(?:a|esta) semana": "end of the week",
        r"(?:n?a )?(?:pr[óo]xima semana|semana que vem)": "next week",
        r"(?:n?o )?(?:pr[óo]ximo m[êe]s|m[êe]s que vem)": "next month",
        r"n?(?:esta|essa) semana": "this week",
        r"n?(?:este|esse) m[êe]s": "this month",
        r"n?(?:este|esse) ano": "this year",
        r"(?:na )?semana passada": "last week",
        r"(?:no )?m[êe]s passado": "last month",
        r"quinze dias": "two weeks",
        r"meio[ -]per[ií]odo": "half a day",
        r"at[ée] [àa]s (\d{1,2}:\d\d)": r"até \1",
        r"at[ée] [àa]s (\d{1,2}) ?h?(?![:.]\d)": r"até \1:00",
        r"[àa]s (\d{1,2}:\d\d)": r"at \1",
        r"[àa]s (\d{1,2}) ?h?(?![:.]\d)": r"at \1:00",
        r"meio dia de": "half a day of",
        r"meio[ -]dia": "noon",
        r"meia[ -]noite": "midnight",
    },
    ranges=(("d[eoa]|desde", "a|ao|à|at[ée]"), ("entre", "e")),
    roles={
        "until": "at[ée]",
        "from": "a partir d[eoa]|desde",
        "on": "n[ao]|nest[ae]|em",
        "for": "por|durante|para",
        "in": "em|daqui a|dentro de|h[áa]|faz|tem",
    },
    article="[oa]|ao|à|dia|só",
    both="e",
    no="não|nao|nem",
    short="jan fev mar abr mai jun jul ago set out nov dez",
    of="de",
    after={
        rf"pr[óo]xim[ao] ({_DAY})": r"coming \1",
        rf"({_DAY}) que vem": r"coming \1",
        rf"({_DAY}) (?:d[ae] )?(next|last) week": r"\1 \2 week",
        rf"(\d{{1,2}}) e (?:o )?(?:dia )?(\d{{1,2}})(?: de)? ({_MONTH})": r"\1 and \2 \3",
        rf"(noon|morning|afternoon) d[eoa] ({_DAY}|today|tomorrow)": r"\1 of \2",
        rf"(?:o )?dia (\d{{1,2}}){_NO_NTH}": r"the \1th",
    },
)
TONGUES = (GERMAN, SPANISH, FRENCH, PORTUGUESE)
