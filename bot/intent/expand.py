"""Phrases become training messages: braces are filled in, and the hurry of real people is added.

A phrase may hold these, so that no name of a product or a person becomes a mark of one action:

    {app}      something one can have access to; now and then the mark that stands for a catalogue match
    {person}   a first name, or a full one
    {mail}     a mail address
    {mention}  a chat mention
    {span}     how long, or when: "for two weeks", "until Friday"
    {month}    a month or a season
    {ref}      the reference of a request: "R-7Q2M9K"
    {other}    somebody whom the sender does not manage: "the CEO", "my colleague"
    {group}    people in general: "new hires"
    {thing}    what no desk of accounts can give: "monitor"
    [a|b|]     one of these; the phrase then makes twice as many messages

All choices come from a generator seeded with the phrase itself, so training again gives the same.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

from bot.intent.features import MARK


class Phrase(NamedTuple):
    text: str
    language: str = "en"  # of the folder it stands in


APPS = (
    "Figma", "GitHub", "Salesforce", "Jira", "Confluence", "Slack", "Zoom", "Notion", "Miro", "Tableau",
    "Looker",
    "Power BI", "SAP", "Workday", "NetSuite", "Snowflake", "BigQuery", "Datadog", "Grafana", "PagerDuty",
    "Sentry",
    "GitLab", "Jenkins", "AWS", "the AWS console", "Azure", "Kubernetes", "the staging cluster", "HubSpot",
    "Zendesk",
    "Intercom", "Adobe Creative Cloud", "Photoshop", "Illustrator", "InDesign", "Sketch", "AutoCAD",
    "SolidWorks",
    "Matlab", "the finance share", "the marketing drive", "the HR folder", "the production database",
    "prod db",
    "the staging database", "the reporting database", "the data warehouse", "the analytics dashboards",
    "Mixpanel",
    "Amplitude", "Google Analytics", "the ad manager", "Mailchimp", "DocuSign", "Dropbox", "the shared drive",
    "SharePoint", "the intranet editor", "the billing system", "the payroll tool", "Stripe", "the CRM",
    "the ERP",
    "the vpn", "the wiki", "Airtable", "Asana", "Trello", "monday.com", "Okta admin", "the admin console",
    "Vault",
    "the log server", "Kibana", "Splunk", "the test environment", "the source code", "the web shop repo",
    "npm org",
    "LinkedIn Recruiter", "Greenhouse", "Lever", "Canva", "Loom", "Zapier", "Postman", "JetBrains", "Copilot",
    "1Password", "Bitwarden", "the contract archive", "legal documents", "Personio", "DATEV", "Concur",
    "Visio",
    "MS Project", "the mailing list tool", "Terraform Cloud", "CircleCI", "the Android console",
    "App Store Connect",
    "the customer data lake", "the support inbox", "the board deck folder", "the press kit", "quicksight",
    "dbt",
)  # fmt: skip
FIRST = (
    "Luis", "Ana", "Maria", "John", "Priya", "Wei", "Fatima", "Omar", "Chloe", "Lukas", "Sofia", "Ben",
    "Tom", "Emma",
    "Noah", "Aisha", "Kenji", "Yuki", "Olga", "Ivan", "Pedro", "Carla", "Nina", "Marek", "Ewa", "Sven",
    "Ingrid", "Lars",
    "Pierre", "Julie", "Marco", "Giulia", "Ahmed", "Leila", "Ravi", "Anjali", "Chen", "Ling", "Kim",
    "Min-jun", "Jack",
    "Grace", "Daniel", "Laura", "Peter", "Anna", "Michael", "Sarah", "David", "Lisa", "James", "Mary",
    "Robert", "Linda",
    "Kofi", "Ama", "Thabo", "Zanele", "Mateus", "Beatriz", "Jonas", "Hanna", "Felix", "Mia", "Oscar",
    "Ella", "Sam",
    "Alex", "Chris", "Pat", "Robin", "Dana", "Eva", "Paul", "Greta", "Tim", "Jan", "Hugo", "Zoe", "Max",
    "Dave", "Kate",
)  # fmt: skip
LAST = (
    "Ortega", "Ruiz", "Smith", "Patel", "Wang", "Khan", "Haddad", "Dubois", "Weber", "Rossi", "Tanaka",
    "Petrov", "Silva",
    "Novak", "Larsen", "Moreau", "Bianchi", "Hassan", "Iyer", "Chen", "Park", "Jones", "Miller", "Garcia",
    "Mensah",
    "Nkosi", "Schmidt", "Fischer", "Nguyen", "O'Brien", "Johansson", "Kowalski", "Meyer", "Brown", "Davis",
    "Lopez",
)  # fmt: skip
SPANS = (
    "for two weeks", "for 2 weeks", "for a week", "for a day", "for 3 days", "for one month", "for a month",
    "2w",
    "until Friday", "until tomorrow", "till end of month", "till Monday", "through December 31",
    "until 5pm", "today",
    "tomorrow", "this week", "next week", "for an hour", "for two hours", "for 90 minutes",
    "over the weekend",
    "from Monday to Wednesday", "Dec 24-31", "from 3 May to 10 May", "next month",
    "until the end of the week",
    "for the rest of the week", "for today", "for the day", "until June 30", "until 2026-03-31", "by Friday",
    "for the next 10 days", "this afternoon", "for a couple of days", "for six weeks", "until next Thursday",
    "for the quarter", "til wednesday", "for a fortnight", "on Friday", "between Christmas and New Year",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November",
    "December", "summer", "spring", "autumn", "winter", "easter", "Christmas", "next month",
)  # fmt: skip
OTHERS = (
    "the CEO", "the CFO", "my boss", "my manager", "my colleague", "a colleague", "a customer",
    "the customer", "a client",
    "my coworker", "a friend", "my wife", "my husband", "the new guy", "our supplier", "the admin",
    "the administrator",
    "my manager's manager", "somebody", "a contractor", "my neighbour", "the guy in sales",
    "the head of finance",
    "our partner", "an external consultant", "another team", "the intern of another team", "my team lead",
    "my director",
)  # fmt: skip
GROUPS = (
    "new hires", "contractors", "employees", "people", "interns", "part-timers", "managers", "we",
    "new employees",
    "external people", "trainees", "working students", "teams", "people in sales", "freelancers",
    "new joiners", "folks",
    "developers", "all of us", "consultants", "temps", "expats", "new starters", "people on probation",
)  # fmt: skip
THINGS = (
    "monitor", "laptop", "headset", "mouse", "keyboard", "chair", "desk", "badge", "phone case", "charger",
    "webcam",
    "docking station", "printer", "parking spot", "locker", "key for the office", "visitor pass",
    "business card", "screen",
    "usb cable", "microphone", "lamp", "whiteboard", "company car", "company phone", "notebook",
    "projector", "tablet",
)  # fmt: skip
DOMAINS = ("example.com", "acme.io", "corp.example", "firma.de", "company.org")

# Said around any message, whatever it wants: half of a training set without these would take
# "please" for a wish and "thanks" for the end of one.
_BEFORE = (
    "hi", "Hi,", "hello,", "hey,", "Hey there,", "hi team,", "Hello IT,", "good morning,", "morning!",
    "hi deskhand,",
    "sorry to bother you,", "quick question:", "question:", "so", "ok so", "um,", "Hi there!", "hey bot",
    "please",
    "I hope you're well.", "Hope you had a good weekend.", "it's been a crazy week.",
    "Another one of those days...",
    "I just got back from lunch.", "I'm in a hurry.", "I don't know if this is the right place but",
    "URGENT:",
    "sorry, me again.", "I'm working from home today.", "I have a meeting in ten minutes.",
    "not sure who to ask,",
    "@deskhand", "one more thing:", "Dear all,", "I am at a customer right now.",
    "we talked about this earlier,",
)  # fmt: skip
_STORIES = (
    "I started the day with a coffee and everything looked fine until I opened my laptop.",
    "We have a big launch this week and I'm under a lot of pressure.",
    "I already asked in the team channel but nobody answered.",
    "My colleague told me that you can help with this kind of thing.",
    "I'm sitting at the customer's office and the wifi here is not great.",
    "I tried it twice yesterday evening and again this morning.",
    "It was all working before the weekend.",
    "I've just come back from a long leave and have hundreds of mails.",
    "My manager {person} is on a plane so I can't ask.",
    "I know you get this a lot, so sorry in advance.",
    "I'm not very technical so please bear with me.",
    "The audit is next week and everybody is nervous.",
    "I called the hotline and was on hold for twenty minutes.",
    "It's my second week here and I'm still finding my way around.",
    "There was a fire drill and I had to leave my desk.",
    "I'm writing from my phone so excuse the typos.",
    "I have to hand in something by noon.",
    "{person} from the other team had the same thing last month.",
    "I read the wiki page but did not understand it.",
    "If this is the wrong place just point me to the right one.",
    "It would really save my day.",
    "I don't want to make a fuss about it.",
    "We are short of people this week because of the flu.",
    "The office move made everything a bit chaotic.",
)
_AFTER = (
    "thanks", "Thanks!", "thank you", "please", "pls", "thx", "ty!", "Thanks in advance.", "Best regards",
    "cheers",
    "many thanks!", "asap", "asap please",
    "it's urgent", "today if possible.", "no rush", "🙏", "!!", "...",
    "?",
    "I have a call in a few minutes.", "Let me know if you need anything else.", "Kind regards, {person}",
    "- {person}",
    "when you have a minute", "my manager is waiting.", "sorry!", "😅", "this is really annoying",
    "have a nice day",
    "appreciate it", "Greetings from Lisbon", "sent from my phone", "right now", "again",
)  # fmt: skip

# The same in other languages, shorter: before and after a message.
_AROUND = {
    "en": (_BEFORE, _AFTER),
    "de": (
        ("Hallo,", "hi", "Guten Morgen,", "Moin", "Servus,", "bitte", "kurze Frage:", "Grüezi,",
         "Liebes IT-Team,"),
        ("danke", "Danke!", "bitte", "Vielen Dank im Voraus", "LG", "Mfg", "eilt!", "danke dir",
         "Grüße aus Wien"),
    ),
    "fr": (
        ("Bonjour,", "salut", "Bonsoir,", "Coucou,", "svp", "petite question :", "Hello,",
         "Bonjour à tous,"),
        ("merci", "Merci d'avance !", "svp", "s'il vous plaît", "cordialement", "c'est urgent", "stp",
         "bonne journée"),
    ),
    "es": (
        ("Hola,", "buenas", "Buenos días,", "Buenas tardes,", "por favor", "una consulta:", "hola equipo,",
         "disculpa,"),
        ("gracias", "¡Gracias!", "por favor", "porfa", "saludos", "es urgente", "mil gracias",
         "quedo atento"),
    ),
    "pt": (
        ("Olá,", "oi", "Bom dia,", "Boa tarde,", "por favor", "uma dúvida:", "oi pessoal,", "desculpa,"),
        ("obrigado", "Obrigada!", "por favor", "pfv", "abraço", "é urgente", "valeu", "fico no aguardo"),
    ),
}  # fmt: skip

_LISTS = {"month": MONTHS, "other": OTHERS, "group": GROUPS, "thing": THINGS}
_BRACE = re.compile(r"\{(app|person|mail|mention|span|month|ref|other|group|thing)\}")
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_REF_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NEIGHBOURS = {
    "a": "sq", "e": "wr", "i": "uo", "o": "ip", "u": "yi", "s": "ad", "t": "ry", "n": "bm",
    "r": "et", "c": "xv",
    "l": "k", "m": "n", "p": "o", "d": "sf", "w": "qe", "k": "jl", "v": "cb", "g": "fh", "h": "gj",
    "b": "vn", "y": "tu",
}  # fmt: skip


def messages(phrase: Phrase, variants: int) -> list[str]:
    """The phrase as ``variants`` different messages: the first plain, the others noisier."""
    chance = random.Random(phrase.text)
    variants *= 2 if variants > 1 and _CHOICE.search(phrase.text) else 1
    made = [fill(phrase.text, chance)]
    while len(made) < variants:
        made.append(_hurried(fill(phrase.text, chance), chance, phrase.language))
    return made


def fill(phrase: str, chance: random.Random) -> str:
    """The phrase with every choice made and every brace filled."""
    phrase = _CHOICE.sub(lambda choice: chance.choice(choice[1].split("|")), phrase)
    return _BRACE.sub(lambda brace: _one(brace[1], chance), phrase)


def _one(kind: str, chance: random.Random) -> str:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    if kind == "app":
        app = chance.choice(APPS)
        return MARK if chance.random() < 0.4 else chance.choice((app, app, app.lower()))
    if kind == "person":
        return chance.choice((first, first, f"{first} {last}", first.lower(), f"{first} {last[0]}."))
    if kind == "mail":
        local = chance.choice((f"{first}.{last}", f"{first[0]}{last}", first)).lower().replace("'", "")
        return f"{local}@{chance.choice(DOMAINS)}"
    if kind == "mention":
        return chance.choice((f"<@U{chance.randrange(10**8):08d}>", f"@{first.lower()}", f"@{first} {last}"))
    if kind == "span":
        span = chance.choice(SPANS)
        return chance.choice((span, span.lower()))
    if kind in _LISTS:
        return chance.choice(_LISTS[kind])
    return "R-" + "".join(chance.choice(_REF_LETTERS) for _ in range(6))


def _hurried(text: str, chance: random.Random, language: str) -> str:
    before, after = _AROUND.get(language, ((), ()))
    if before and chance.random() < 0.35:
        text = f"{chance.choice(before)} {text}"
    if language == "en":
        if chance.random() < 0.15:
            text = f"{fill(chance.choice(_STORIES), chance)} {text}"
        if chance.random() < 0.1:
            text = f"{text}. {fill(chance.choice(_STORIES), chance)}"
    if after and chance.random() < 0.35:
        text = f"{text} {fill(chance.choice(after), chance)}"
    if chance.random() < 0.3:
        text = _typo(text, chance)
    form = chance.random()
    if form < 0.3:
        return text.lower().rstrip("?.!")
    if form < 0.33:
        return text.upper()
    return text[:1].upper() + text[1:] if form < 0.6 else text


def _typo(text: str, chance: random.Random) -> str:
    places = [i for i in range(1, len(text) - 1) if text[i - 1 : i + 2].isalpha()]
    if not places:
        return text
    at, what = chance.choice(places), chance.randrange(4)
    if what == 0:
        return text[:at] + text[at + 1 :]
    if what == 1:
        return text[:at] + text[at] + text[at:]
    if what == 2:
        return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
    near = _NEIGHBOURS.get(text[at].lower())
    return text[:at] + chance.choice(near) + text[at + 1 :] if near else text
