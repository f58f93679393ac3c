"""Passwords, one-time codes and tokens, cut out of what people write before anybody keeps it.

A request about a password ("reset my password", "my password is expired") must come through unchanged,
so a word after "password is" counts as a secret only when it looks like one or is not ordinary language.
Every pattern is bounded: the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

REMOVED = "[removed]"

# What a secret is called. Bare "pass" and "pw" are too common to stand without ":" or "is".
_LOGIN_WORDS = (
    r"(?:pass[ -]?phrases?|pass[ -]?words?|passwords?|passwd|pass[ -]?wort|passwort|passwörter"
    r"|passcodes?|pwds?"
    r"|pw|psw|kenn?wort|contraseñas?|contrasenas?|clave|mots? de passe|mdp|senhas?|palavra-passe"
    r"|wachtwoord"
    r"|lösenord|adgangskode|passord|salasana|has[łl]o|heslo|jelsz[óo]|parola(?: d'ordine)?|parol|пароль"
    r"|パスワード|密码|密碼|비밀번호)"
)
_KEY_WORDS = (
    r"(?:api[ _-]?keys?|access[ _-]?(?:keys?|tokens?)|secret[ _-]?(?:access[ _-]?)?keys?"
    r"|client[ _-]?secrets?"
    r"|(?:recovery|backup|licen[sc]e|bitlocker|activation|encryption|private|ssh)[ _-]?keys?"
    r"|(?:auth|refresh|session|personal access)[ _-]?tokens?|session[ _-]?id|\bpat\b|tokens?|secrets?"
    r"|api-?schlüssel)"
)
_CODE_WORDS = (
    r"(?:(?:one[ -]?time|verification|security|sign[ -]?in|log[ -]?in|auth(?:entication|enticator)?"
    r"|confirmation|recovery|backup|mfa|2fa|sms|otp|access|door|unlock|pin|my|the|bestätigungs"
    r"|sicherheits"
    r"|einmal)[ -]?(?:code|kode|pin)s?|otps?|totp|pins?|pin[ -]?codes?|mfa|2fa|tan|codes?|código|codigo"
    r"|code pin|codice)"
)
_IS = (
    r"(?:is|was|are|equals|ist|lautet|lautete|war|heißt|heisst|es|era|est|était|è|é|är|er|on|to be"
    r"|should be"
    r"|is now|was set to|is set to|is still|has been set to)"
)
_QUOTED = (
    r"\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|`[^`\n]{1,200}`|“[^”\n]{1,200}”|„[^“”\n]{1,200}[“”]"
    r"|«[^»\n]{1,200}»"
)
_VALUE = rf"(?P<value>{_QUOTED}|[^\s\"“„«`]\S{{0,399}})"

# Words that follow "password is" or "password:" in an ordinary sentence.
_ORDINARY = frozenset(
    re.findall(
        r"\S+",
        """
        a about accepted again ago all already also always an and another any anymore asked asking at
        available back bad banned because been before being blank blocked broken but by can cannot can't
        case changed changing compromised correct could currently dead default denied did different
        disabled do does doesn't done don't due e.g either email empty enough error even ever expire
        expired expires expiring expiry failed failing fails fine for forgot forgotten from gone good
        got had hard has have having he help here how i i'd i'll i'm i've if ignored in incorrect
        invalid is isn't it it's its just kaputt kept known last leaked locked long lost me might
        missing must my n/a need needed needs never new no none not nothing now ok okay old on once one
        only or our out outdated over page part please pls policy policies possibly probably protected
        really refused rejected required reset resets resetting right rotated safe same saved secure
        sent set she short should shown since so some somehow something soon still stolen stored strong
        stuck such synced than that that's the their them then there they this through to today tomorrow
        too unavailable unknown unlock unlocked until up urgent used valid very want wants was weak well
        we what what's when where which who why will with won't working works would wrong yes yesterday
        yet you your yours zero change update request recovery manager field box prompt screen form link
        rules rule requirements generator managers vault portal tool sync support ticket question
        questions question. reset-link access account for: button only months month weeks week days day
        hours hour minutes times time characters character letters digits long abgelaufen vergessen
        gesperrt falsch weg nicht leider seit zu zurücksetzen bitte ungültig neu alt kaputt geändert
        noch mehr schon ich mein das der die ein eine wurde läuft caducada caducado olvidada olvidado
        incorrecta incorrecto expirada expirado bloqueada no ya que muy vencida expiré expirée oublié
        oubliée incorrect pas bloqué bloquée plus perdu trop scaduta sbagliata dimenticata scaduto
        esquecida errada verlopen vergeten onjuist lastpass bitwarden 1password keepass keepassxc
        dashlane okta office365 o365 m365 microsoft365 windows10 windows11 figma github gitlab jira
        slack salesforce vpn wifi laptop phone database staging production server sso ldap entra
        """,
    )
)

_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# Dates, times, ticket numbers, versions, sizes, ordinals and amounts are no passwords.
_PLAIN_FIGURE = re.compile(
    r"(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[:.]\d{2}(?:[ap]m)?|\d{1,2}[ap]m|[A-Z]{2,8}-\d{1,6}"
    r"|#\d+|v?\d+(?:\.\d+)+"
    r"|\d+(?:st|nd|rd|th|x|h|d|k|m|min|hrs?|days?|weeks?|months?|%|%\S{0,3})|[$€£]\d[\d.,]*|\d{1,3})",
    re.IGNORECASE,
)
_CLOSING = ".,;:?)]}>…\"'”"


def redact(text: str) -> tuple[str, bool]:
    """``text`` with every secret replaced by "[removed]", and whether there was one."""
    seen = text
    if _SHAPED.search(seen):
        for pattern in _SHAPES:
            seen = pattern.sub(_keep_prefix, seen)
    folded = seen.casefold()
    if any(hint in folded for hint in _HINTS):
        seen = _cut_what_is_said(seen)
    return seen, seen != text


def _cut_what_is_said(text: str) -> str:
    for pattern, is_secret in _SAID:
        text = pattern.sub(_cutter(is_secret), text)
    if _ABOUT_SECRETS.search(text):
        text = _MIXED_WORD.sub(lambda found: REMOVED if _four_kinds(found.group()) else found.group(), text)
    return _OR_ANOTHER.sub(_cutter(_looks_secret), text)


def _keep_prefix(found: re.Match[str]) -> str:
    return (found.groupdict().get("before") or "") + REMOVED


def _cutter(is_secret: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    def cut(found: re.Match[str]) -> str:
        value = found.group("value")
        bare = value.rstrip(_CLOSING) or value
        quoted = re.fullmatch(rf"(?:{_QUOTED})[.,;:?!)]*", value)
        inside = re.sub(r"^[\"'`“„«]|[\"'`”“»]?[.,;:?!)]*$", "", value) if quoted else bare
        if value.startswith(REMOVED) or not is_secret(inside):
            return found.group()
        start, end = found.span("value")
        kept = found.group()[end - found.start() :]
        return (
            found.group()[: start - found.start()]
            + REMOVED
            + (value[len(bare) :] if not quoted else "")
            + kept
        )

    return cut


def _looks_secret(word: str) -> bool:
    """Digits among letters, a sign inside a word, or letters of changing case: nobody writes so by chance."""
    word = word.strip("\"'`“”")
    if (
        len(word) < 4
        or _ordinary(word)
        or _MAIL.fullmatch(word)
        or "://" in word
        or _PLAIN_FIGURE.fullmatch(word)
    ):
        return False
    letters = any(c.isalpha() for c in word)
    digits = any(c.isdigit() for c in word)
    if digits:
        return letters or len(re.sub(r"\D", "", word)) >= 4
    signs = re.search(r"\w[!@#$%^&*+=?~|\\<>]\w|[@#$%^&*+=~!]{1,}$|^[!@#$%^&*]\w", word) is not None
    return (letters and signs) or re.search(r"[a-z][A-Z][a-z]*[A-Z]?[a-z]", word) is not None


def _not_ordinary(word: str) -> bool:
    """After ":" or "is": anything that is no ordinary word, no address and no date."""
    if not word or _ordinary(word) or _MAIL.fullmatch(word) or "://" in word:
        return False
    return not _PLAIN_FIGURE.fullmatch(word) or (len(word) >= 4 and word.isdigit())


def _ordinary(word: str) -> bool:
    low = word.lower().strip("\"'`“”.,;:?!()").replace("\u2019", "'")
    return (
        low in _ORDINARY
        or low == ""
        or any(part in _ORDINARY for part in _SPLIT.split(low)[:1] if part != low)
    )


def _code_like(word: str) -> bool:
    return (
        re.fullmatch(
            r"[A-Za-z0-9]{0,5}-?\d[\d -]{2,10}\d|(?=\S*\d)[A-Z0-9]{3,8}(?:-[A-Z0-9]{3,8}){0,5}", word
        )
        is not None
    )


def _four_kinds(word: str) -> bool:
    core = word.rstrip(".,;:?!)")
    if len(core) < 6 or _MAIL.fullmatch(core) or "://" in core:
        return False
    kinds = (r"[a-z]", r"[A-Z]", r"\d", r"[!@#$%^&*+=?~]")
    return all(re.search(kind, core) for kind in kinds)


# Most messages are about no secret at all: without one of these they are not searched any further, which
# takes 5 us instead of 150. Every pattern below needs one of them.
_SHAPED = re.compile(r"\S{12}|\d{3}|://|=|\$|-----")
_HINTS = (
    *(
        "pass",
        "pwd",
        "pw",
        "psw",
        "wort",
        "contrase",
        "clave",
        "mot de",
        "mots de",
        "mdp",
        "senha",
        "palavra",
    ),
    *("wachtw", "lösen", "adgangs", "salasana", "haslo", "hasło", "heslo", "jelsz", "parol", "парол"),
    *(
        "パスワ",
        "密",
        "비밀",
        "key",
        "token",
        "secret",
        "schlüssel",
        "session",
        "pat ",
        "pat:",
        "pat=",
        "pat-",
    ),
    *("code", "kode", "pin", "otp", "tan", "2fa", "mfa", "códig", "codig", "codic", "cred", "log", "user"),
    *("account", "old", "new", "other", "second", "first", "temp", "current", "previous", "auth", "okta"),
    *("duo", "text", "sms", "phone", "[removed]"),
)
_SPLIT = re.compile(r"[/,\u2013\u2014]|\.(?=\w)")
_MIXED_WORD = re.compile(r"\S{6,200}")
_ABOUT_SECRETS = re.compile(rf"{_LOGIN_WORDS}|\bcredentials?\b|\bcreds\b|\blog ?in\b", re.IGNORECASE)
_OR_ANOTHER = re.compile(
    rf"\[removed\][.,!]?\s+(?:or|oder|and|then|und|,|/)\s+(?:maybe\s+|perhaps\s+)?{_VALUE}", re.IGNORECASE
)

# Shapes that are secrets wherever they stand.
_SHAPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        r"\beyJ[\w-]{6,4000}\.[\w-]{6,4000}\.?[\w-]{0,4000}",
        r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,20}\b",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{16,255}|github_pat_\w{16,255}|glpat-[\w-]{16,100}"
        r"|xox[a-z]-[\w-]{8,250}|xapp-[\w-]{8,250})",
        r"\b(?:[sr]k_(?:live|test)_\w{8,200}|sk-[\w-]{16,250}|AIza[\w-]{30,60}|ya29\.[\w-]{10,500}"
        r"|npm_\w{20,80})",
        r"\b(?:pypi-[\w-]{16,300}|hf_\w{16,100}|dop_v1_\w{16,100}|SG\.[\w-]{10,80}\.[\w-]{10,80}"
        r"|shpat_\w{16,80})",
        r"(?i:(?P<before>\b(?:bearer|basic)\s+))(?=[\w.~+/-]{0,400}[\d=+/._])[\w.~+/-]{12,4000}={0,2}",
        r"(?P<before>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,100}:)[^\s/@]{1,200}(?=@)",
        r"(?i:(?P<before>[?&](?:access_token|token|password|passwd|pwd|secret|api_?key|key|sig"
        r"|signature|code)=))[^\s&#]{3,2000}",
        r"\b(?=[A-Za-z0-9+/]{0,400}[A-Z])(?=[A-Za-z0-9+/]{0,400}[a-z])(?="
        r"(?:[A-Za-z+/]{0,80}\d){3})[A-Za-z0-9+/]{32,4000}={0,2}",
        r"\bG-\d{6}\b",
        r"\b(?:\d{6}-){7}\d{6}\b",
        r"\A\s*(?:\d{6}|\d{3}[ -]\d{3})\s*[.!]?\s*\Z",
        r"\$(?:2[aby]|argon2id?|6|5|1)\$[\w./$=,+-]{20,300}",
    )
)

# What makes "code 4711" something else than a one-time code.
_OTHER_CODE = "".join(
    f"(?<!{word})"
    for word in (
        *("error ", "status ", "exit ", "http ", "return ", "response ", "result ", "source ", "qr ", "bar"),
        *("zip ", "postal ", "post ", "area ", "country ", "dial ", "dialing ", "airport ", "building "),
        *(
            "cost ",
            "centre ",
            "center ",
            "project ",
            "product ",
            "charge ",
            "billing ",
            "hs ",
            "tax ",
            "sort ",
        ),
        *("promo ", "discount ", "currency ", "stop ", "job ", "event ", "booking ", "department "),
    )
)

_AFTER_KEY = r"(?:\s{0,3}\([^)\n]{0,40}\))?"
_FOR_WHAT = (
    r"(?:\s+(?:for|to|of|on|in|at|für|para|pour|per|from|with|and|hint)(?:"
    r"\s+[\w./@'-]{1,60}){1,5}?)?"
)


def _said(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# A name for a secret, then what stands for it, and the test that its value must pass.
_SAID: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    # password: x   pwd = x   pass: x   password -> x
    (
        _said(
            rf"(?<![\w-])(?:{_LOGIN_WORDS}|pass){_AFTER_KEY}\s{{0,3}}(?::=|[:=\uff1a]|->|→"
            rf"|=>)\s{{0,3}}{_VALUE}"
        ),
        _not_ordinary,
    ),
    # my password is x   das Passwort lautet x
    (
        _said(
            rf"(?<![\w-])(?:{_LOGIN_WORDS}|my pass){_AFTER_KEY}(?:\s+(?:now|currently|jetzt))?"
            rf"\s+{_IS}(?:\s*[:=])?\s+"
            rf"(?:(?:just|literally|simply|still|now|always|this)(?:\s*:)?\s+)?{_VALUE}"
        ),
        _not_ordinary,
    ),
    # password for the VPN is x, password for staging: x
    (_said(rf"(?<![\w-])(?:{_LOGIN_WORDS}){_FOR_WHAT}\s*(?:\s{_IS}\s|[:=])\s*{_VALUE}"), _looks_secret),
    # change my password to x
    (
        _said(
            rf"\b(?:change|set|reset|update|make|switch|put|changed|updated|ändere"
            rf"|setze)\b[^.\n]{{0,40}}?{_LOGIN_WORDS}"
            rf"[^.\n:=]{{0,30}}?\s(?:to|auf|as|be|a|en|into)(?:\s*:)?\s+{_VALUE}"
        ),
        _looks_secret,
    ),
    # password Hunter2, passwords Hunter2
    (
        _said(
            rf"(?<![\w-]){_LOGIN_WORDS}[,?]?\s+(?:like\s+|with\s+|using\s+|i think"
            rf"\s+)?{_VALUE}"
        ),
        _looks_secret,
    ),
    # the old one was x; the new one is x
    (
        _said(
            rf"\b(?:old|new|other|second|first|temporary|temp|current|previous)(?: one)?\s*"
            rf"(?:\s{_IS}|[:=])\s*{_VALUE}"
        ),
        _looks_secret,
    ),
    # x is my password
    (
        _said(
            rf"(?<!\S)(?P<value>\S{{4,200}})\s+(?:is|was|ist|war)\s+(?:my|the|her|his|our|mein|das)"
            rf"\s+(?:\w{{1,20}}\s+)?{_LOGIN_WORDS}"
        ),
        _looks_secret,
    ),
    (
        _said(
            rf"(?<!\S)(?P<value>\S{{4,200}})\s+(?:as|for) (?:my|the|a) "
            rf"(?:new )?{_LOGIN_WORDS}"
        ),
        _looks_secret,
    ),
    # log in with ana / Hunter2!   creds: ana:Hunter2
    (
        _said(
            rf"\b(?:creds?|credentials|log ?in|user(?:name)?|account)\b[^\n]{{0,20}}?(?:\s{_IS}\s"
            rf"|[:=]|\swith\s|\s)\s*"
            rf"[\w.@-]{{2,60}}(?:\s?[:/|]\s?|\s+and\s+){_VALUE}"
        ),
        _looks_secret,
    ),
    # code 123456   PIN is 4821   otp: 123 456
    (
        _said(
            rf"(?<![\w-]){_OTHER_CODE}(?:{_CODE_WORDS})(?:\s+(?:from|on|in|for|of|by|via|off)(?:"
            rf"\s+[\w'-]{{1,20}}){{1,4}}?)?\s{{0,3}}"
            rf"(?:(?:{_IS}|says|shows|reads|number|nr|no\.?|here|you want"
            rf"|i got)\s{{1,3}})?[:=#]?\s{{0,3}}[\"'`“]?"
            r"(?P<value>\d{3}[ -]\d{3,4}(?!\d)|\d{2} \d{2} \d{2}(?!\d)|\d{4}[ -]\d{4}(?!\d)"
            r"|\d{4,10}(?!\d|[.,]\d|%)|"
            r"[A-Z]-\d{4,8}|(?=[A-Z-]{0,10}\d)[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){1,6})"
        ),
        _code_like,
    ),
    # authenticator shows 482 913
    (
        _said(
            r"\b(?:authenticator|okta verify|duo|google auth\w*|text message|sms|texted|texts?"
            r"|phone)\b[^\n\d]{0,30}?\b"
            r"(?:says?|shows?|sent|reads?|gave|gives|displays?|code|me|is|:)\s*(?:me\s+)?:?\s*"
            r"(?P<value>\d{3}[ -]\d{3}(?!\d)|\d{6,8}(?!\d))"
        ),
        _code_like,
    ),
    # 123456 is my verification code
    (
        _said(
            rf"(?<![\w.-])(?P<value>\d{{3}}[ -]\d{{3}}|\d{{4,8}})\s+(?:is|was|ist)\s+(?:my|the|your"
            rf"|what|mein|der)\s+"
            rf"(?:\w{{1,20}}\s+){{0,2}}?(?:{_CODE_WORDS}|{_LOGIN_WORDS})"
        ),
        _code_like,
    ),
    # api key = x   token: x   the client secret is x
    (
        _said(
            rf"(?<![\w-])(?:{_KEY_WORDS})(?:\s+(?:for|to|of)(?:\s+[\w.-]{{1,40}}){{1,4}}?)?\s{{0,3}}"
            rf"(?:\s{_IS}\s|[:=]|->)\s{{0,3}}{_VALUE}"
        ),
        _looks_secret,
    ),
    (
        _said(rf"(?<![\w-])(?:{_KEY_WORDS})\s+(?P<value>(?=\S*\d)(?=\S*[A-Za-z])[\w./+=-]{{8,400}})"),
        _looks_secret,
    ),
    # environment lines: DB_PASSWORD=x, "password": "x"
    (
        _said(
            rf"\b\w{{0,40}}(?:_|-)(?:password|passwd|pwd|pass|secret|token"
            rf"|key)\b[\"']?\s{{0,3}}[:=]\s{{0,3}}{_VALUE}"
        ),
        _not_ordinary,
    ),
    (
        _said(
            rf"[\"'](?:password|passwd|pwd|pass|secret|token"
            rf"|api_?key)[\"']\s{{0,3}}[:=]\s{{0,3}}{_VALUE}"
        ),
        _not_ordinary,
    ),
)
