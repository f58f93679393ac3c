"""What the classifier sees of a message: words, pieces of words, and what the words are about.

One code path for training and for the running desk. Three families of features, each of unit
length on its own, so that a long message is not all letters:

    w  words and pairs of words, with names, numbers, dates and references replaced by their sort
    c  pieces of three to five letters inside a word: they survive misspelling
    k  concepts ("forgot", "can't remember" and "lost" are one), each together with whom the message
       is about and how it is said: "reset" said of a colleague, denied, or told as done already, is
       no wish to reset mine
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from rapidfuzz import process
from rapidfuzz.distance import OSA

MARK = "\ue000"  # stands in a message where the name of a catalogue entry stood
LIMIT = 2000  # characters of a message that are looked at; bounds the time of every pattern below
_LONGEST_WORD = 30
_MOST_REPAIRS = 6  # misspelt words looked up in one message


def listed(words: str) -> frozenset[str]:
    """The words of a list written as one string."""
    return frozenset(words.split())


# Each word belongs to one concept at most. A star stands for any ending.
_CONCEPTS = {
    "PASSWORD": "password* passwort* pw pwd passwd passcode passphrase credential*",
    "FORGET": "forgot* forget* forgotten remember* blanked recall vergessen misplaced",
    "RESET": "reset* renew* regenerate reinitialize",
    "CHANGE": "change* changing update* replace* switch* transfer* move* moved",
    "NEW": "new fresh another temporary temp initial",
    "EXPIRE": "expir* outdated stale lapsed",
    "ACCOUNT": "account* acc acct user userid profile username konto",
    "LOCK": "locked lock lockout locks locking lockouts gesperrt frozen",
    "BLOCK": "blocked block suspended shut",
    "UNLOCK": "unlock* unblock* unfreeze unlocking reactivate reenable",
    "ATTEMPT": "attempt* tries tried times mistyped typed entered failed failures often",
    "WRONG": "wrong incorrect invalid rejected rejects refused accepted accept mistake",
    "LOGIN": "login log logon signin sign logging signing logins",
    "ACCESS": "access accesses permission* rights right licence* license* seat* entitlement* privilege* "
    "role membership",
    "GRANT": "grant* add provision* assign* invite activate enable give gimme get request* arrange approve*",
    "GIVEBACK": "revoke* return* remove* removed relinquish surrender withdraw release drop deprovision "
    "terminate "
    "handing hand giving",
    "END": "end ends ended ending stop stopped done finished finish over wrapping wrapped completed",
    "CANCEL": "cancel* abort retract",
    "NOMORE": "anymore nolonger",
    "NEED": "need* require* want* like wanna ned",
    "USE": "use* using used",
    "VACATION": "vacation* holiday* pto leave vaca urlaub timeoff daysoff annual sick fto",
    "DAYS": "day days hours hour weeks",
    "LEFT": "left remaining remain balance* accrued available banked outstanding",
    "COUNT": "howmany howmuch",
    "TAKEN": "taken took carry carried",
    "STATUS": "status update news progress pending approved open history state waiting heard queue",
    "REQUESTS": "request requests ticket tickets",
    "MFA": "mfa twofactor authenticator* otp passkey* duo yubikey* multifactor totp fido",
    "CODE": "code codes token tokens push sms verification fob prompt",
    "PHONE": "phone* mobile iphone* smartphone* cell cellphone handset android device",
    "KEY": "key keys",
    "LOST": "lost lose stolen broke broken died wiped gone misplaced dead lost",
    "ME": "my mine myself me i im ive id ill",
    "WE": "we our ours us",
    "PRONOUN": "his her hers him she he their they them himself herself themselves",
    "SOMEONE": "someone somebody anyone anybody else nobody",
    "OTHER": "his her him she he their them they hers someone somebody else colleague* coworker* boss "
    "ceo cfo cto "
    "customer* client* everyone everybody team's peer",
    "TEAM": "report reports team subordinate* intern employee's apprentice assistant direct",
    "PEOPLE": "people employees employee staff hires hire contractors contractor interns starters "
    "managers users "
    "trainees newcomers one company everyone part-timers parttimers",
    "MANAGER": "manager manage supervisor lead head",
    "RULES": "policy policies rule rules allowed handbook process procedure guideline* mandatory "
    "usually normally "
    "typically per average generally legally legal entitled",
    "HOWTO": "how",
    "IF": "if when suppose hypothetically whenever should theory general normal curious wondering wonder",
    "WHY": "why",
    "WHO": "who whose",
    "WHATIS": "what whats which",
    "WHERE": "where wheres",
    "DOES": "does do did is are can could would will should may",
    "CANT": "cant wont doesnt isnt unable without havent hasnt",
    "DONT": "dont not no never didnt shouldnt nevermind",
    "THANKS": "thanks thank thx ty cheers",
    "PAST": "yesterday already was were had managed remembered found",
    "WORKS": "works worked solved fixed sorted fine good back",
    "FORTHING": "laptop laptops monitor mouse keyboard headset badge door printer desk room building "
    "garage parking "
    "locker office projector chair screen elevator wifi charger",
    "MONEY": "salary salaries expense expenses payslip paid pay invoice budget cost costs reimbursement "
    "price money "
    "refund travel earn earns",
}
# Written in two words or ten ways: made one word before anything else looks. Linear patterns only.
_JOINED = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        ("[\u2019`\u00b4]", "'"),
        (r"\b(can)(?:'t|not| not)\b", "cant"),
        (r"\bwon't\b", "wont"),
        (r"\b(do|does|did|is|are|was|have|has|had|should|would|could)(?:n't| not)\b", r"\1nt"),
        (r"\bi'(m|ve|d|ll)\b", r"i\1"),
        (r"\b(what|where|who|how|it|that|there)'s\b", r"\1s"),
        (r"\bpass[ -](words?|codes?|phrases?)\b", r"pass\1"),
        (r"\b(?:log|sign)(?:ged|ging)?[ -](?:in|on)(?:to)?\b", "login"),
        (r"\block(ed|ing)?[ -]out\b", r"lock\1 out"),
        (r"\b(?:2|two)[ -]?(?:fa|factors?|step)\b", "twofactor"),
        (r"\b(?:second|multi)[ -]factors?\b", "twofactor"),
        (r"\b(?:any more|any longer|anymor)\b", "anymore"),
        (r"\bno longer\b", "nolonger"),
        (r"\bhow many\b", "howmany"),
        (r"\bhow much\b", "howmuch"),
        (r"\btime[ -]off\b", "timeoff"),
        (r"\bdays?[ -]off\b", "daysoff"),
        (r"\b(give|gave|giving|hand|handing|take|taking)(?: it| them| this)? back\b", r"\1 giveback"),
    )
)
_SORTS = re.compile(
    r"(?P<url>https?://\S{1,300})"
    r"|(?P<mention><@[^>\s]{1,80}>|(?<!\S)@[\w.-]{1,60})"
    r"|(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5})"
    r"|(?P<ref>\br-[0-9a-z]{4,8}\b)"
    r"|(?P<number>\d[\d.,:/-]{0,30})"
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|[_\ue000][a-z]*|[?!]")
_DATES = listed(
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri january february march "
    "april june july "
    "august september october november december jan feb mar apr jun jul aug sep sept oct nov dec summer "
    "spring autumn "
    "winter easter christmas tomorrow tonight week weeks weekend month months fortnight quarter"
)
_QUESTION_STARTS = listed(
    "how what whats which who why when where wheres is are do does did can could would will may am was has "
    "have "
    "howmany howmuch whose should"
)


def _concepts() -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    whole: dict[str, str] = {}
    starts: list[tuple[str, str]] = []
    for concept, words in _CONCEPTS.items():
        for word in words.split():
            if word.endswith("*"):
                starts.append((word[:-1], concept))
            else:
                whole[word] = concept
    return whole, tuple(starts)


_WHOLE, _STARTS = _concepts()
# What a misspelt word may have been meant to be: only words that carry a meaning here.
_REPAIRS = tuple(sorted({w for w in (*_WHOLE, *(s for s, _ in _STARTS)) if len(w) >= 5}))


@lru_cache(maxsize=4096)
def concept_of(word: str) -> str | None:
    """The concept a word stands for."""
    if word in _WHOLE:
        return _WHOLE[word]
    return next((concept for start, concept in _STARTS if word.startswith(start)), None)


@lru_cache(maxsize=4096)
def _repaired(word: str) -> str:
    """The word a misspelt one was probably meant to be, or the word itself."""
    furthest = 2 if len(word) >= 8 else 1
    found = process.extractOne(word, _REPAIRS, scorer=OSA.distance, score_cutoff=furthest)
    return str(found[0]) if found else word


@lru_cache(maxsize=4096)
def _pieces(word: str) -> tuple[str, ...]:
    padded = f"<{word}>"
    return tuple({"c" + padded[i : i + n] for n in (3, 4, 5) for i in range(len(padded) - n + 1)})


def clean(text: str) -> str:
    """What a person would read: no control, format or odd-width characters, at most ``LIMIT`` long."""
    text = unicodedata.normalize("NFKC", text[:LIMIT])[:LIMIT]
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c.isspace() else c
        for c in text
        if c.isspace() or c == MARK or unicodedata.category(c)[0] != "C"
    )


def words_of(text: str) -> list[str]:
    """The message as lower-case words, with names of sorts (``_mail``, ``_number``) for what varies."""
    text = clean(text).lower()
    for pattern, word in _JOINED:
        text = pattern.sub(word, text)
    text = _SORTS.sub(lambda found: f" _{found.lastgroup} ", text)
    return [word[:_LONGEST_WORD] for word in _WORD.findall(text)]


class Features:
    """Features of messages, given the words that are known and the names that people have."""

    def __init__(self, known: frozenset[str], names: frozenset[str]) -> None:
        self._known = known
        self._names = names

    def of(self, text: str) -> tuple[list[str], list[str], list[str]]:
        """The features of each family; a feature stands once, however often it was seen."""
        words = words_of(text)
        sorts, concepts = self._read(words)
        return (
            list(dict.fromkeys(_word_features(sorts))),
            list({piece for word in set(words) if word.isalpha() for piece in _pieces(word)}),
            list(dict.fromkeys(_concept_features(words, concepts))),
        )

    def _read(self, words: list[str]) -> tuple[list[str], list[str]]:
        sorts: list[str] = []
        concepts: list[str] = []
        repairs = 0
        for word in words:
            bare = word[:-2] if word.endswith("'s") else word
            if word in "?!" or word[0] in "_" + MARK:
                sort, concept = ("_app", "APP") if word[0] == MARK else (word, word)
            elif bare in self._names:
                sort, concept = ("_names" if bare is not word else "_name"), "NAME"
            elif word in _DATES:
                sort, concept = "_date", "DATE"
            else:
                if word not in self._known and len(word) >= 5 and repairs < _MOST_REPAIRS:
                    repairs += 1
                    word = _repaired(word)
                sort = word if word in self._known else bare if bare in self._known else "_x"
                concept = concept_of(word) or concept_of(bare) or ("X" if sort == "_x" else "")
            sorts.append(sort)
            if concept:
                concepts.append(concept)
        return sorts, concepts


def _word_features(sorts: list[str]) -> Iterator[str]:
    line = ["^", *sorts, "$"]
    for word in sorts:
        yield "w" + word
    for one, two in pairwise(line):
        yield f"w{one} {two}"
    for one, two, three in zip(line, line[1:], line[2:], strict=False):
        yield f"w{one} {two} {three}"


_WHO = {
    "ME": "m", "WE": "w", "NAME": "n", "_mail": "n", "_mention": "n", "OTHER": "o", "TEAM": "t",
    "PEOPLE": "g", "PRONOUN": "p", "SOMEONE": "s", "APP": "a",
}  # fmt: skip
_HOW = {
    "DONT": "n", "CANT": "c", "THANKS": "d", "PAST": "d", "WORKS": "d", "IF": "i", "RULES": "r", "WHO": "r",
    "WHY": "r", "NOMORE": "l",
}  # fmt: skip


def _concept_features(words: list[str], concepts: list[str]) -> Iterator[str]:
    who = "".join(sorted({_WHO[concept] for concept in concepts if concept in _WHO}))
    asks = {"q"} if "?" in words or (words and words[0] in _QUESTION_STARTS) else set()
    how = "".join(sorted({_HOW[concept] for concept in concepts if concept in _HOW} | asks))
    yield f"k{who}/{how}"
    for concept in sorted(set(concepts)):
        yield f"k{who}|{concept}"
        yield f"k|{how}|{concept}"
        yield f"k{who}|{how}|{concept}"
