"""Which entries of the catalogue, and which people, a message names.

Looked at only when the action is known: "reset my password" has no business with 1Password.
Where two entries come close the answer is a list to pick from, never the likelier of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from bot.intent.features import MARK, clean, listed
from policies.catalogue import Catalogue, Resource

MOST = 8  # entries offered to pick from
_MOST_WORDS = 120  # of a message
_WORD = re.compile(r"[^\W_]+")
# Parts of names that are no sign of one entry by themselves.
_WEAK = listed(
    "a an and the of for to in on at by or my me i it is with from work home access account rights admin "
    "write read team "
    "shared all new use need want get give have please app tool system company employee employees travel "
    "customer "
    "tickets ticket editor seat boards board user users network"
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a message names of the catalogue: at most one of the two is set."""

    key: str | None = None
    close: tuple[tuple[str, str], ...] = ()  # key and name of each that comes close


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One way to name an entry."""

    words: tuple[str, ...]
    joined: str  # "salesforce": found in "sales force" too
    resource: Resource


@dataclass(frozen=True, slots=True)
class _Hit:
    first: int
    end: int
    spelling: _Spelling


class Resources:
    """The catalogue, made ready for looking names up in messages."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._spellings = tuple(
            _Spelling(words, "".join(words), resource)
            for resource in catalogue
            for written in (resource.name, *resource.aliases, resource.key)
            if (words := tuple(_words(written)))
        )
        self._by_joined: dict[str, list[_Spelling]] = {}
        for spelling in self._spellings:
            self._by_joined.setdefault(spelling.joined, []).append(spelling)
        self._longest = max((len(spelling.words) for spelling in self._spellings), default=0) + 1

    def named(self, text: str, *, common: frozenset[str] = frozenset()) -> Named:
        """The entry that ``text`` names, or those that come close.

        :param common: words that are no misspelt name, whatever they look like
        """
        words = _words(text)[:_MOST_WORDS]
        exact = self._exact(words)
        if exact:
            wider = self._wider(exact, frozenset(words)) or self._longer(exact, words, common)
            return _one_or_close([*wider, *(hit.spelling.resource for hit in exact)])
        if fuzzy := self._misspelt(words, common):
            return _one_or_close(fuzzy)
        parts = self._in_part(frozenset(words) - _WEAK)
        return Named(close=_labels(parts))

    def all_named(self, text: str) -> tuple[str, ...]:
        """Keys of every entry named in full, in the order of the message."""
        hits = self._exact(_words(text)[:_MOST_WORDS])
        return tuple(dict.fromkeys(hit.spelling.resource.key for hit in hits))

    @property
    def words(self) -> frozenset[str]:
        """Every word in the name of an entry."""
        return frozenset(word for spelling in self._spellings for word in spelling.words)

    def masked(self, text: str) -> str:
        """The message with every full name replaced by one mark, for the classifier: it should see
        that something of the catalogue is named, and not what."""
        return self.marked(clean(text).replace(MARK, " "), lambda _name: MARK)

    def marked(self, text: str, mark: Callable[[str], str]) -> str:
        """The message with every full name replaced by what stands for it, the last one first."""
        places = [(found.start(), found.end()) for found in _WORD.finditer(text)]
        words = [text[start:end].lower() for start, end in places][:_MOST_WORDS]
        for first, end in sorted({(hit.first, hit.end) for hit in self._exact(words)}, reverse=True):
            start, after = places[first][0], places[end - 1][1]
            text = text[:start] + mark(text[start:after]) + text[after:]
        return text

    def _exact(self, words: Sequence[str]) -> list[_Hit]:
        """Full names, the longest at each place; a name inside a longer one is not another name."""
        hits: list[_Hit] = []
        at = 0
        while at < len(words):
            for size in range(min(self._longest, len(words) - at), 0, -1):
                if found := self._by_joined.get("".join(words[at : at + size])):
                    hits += [_Hit(at, at + size, spelling) for spelling in found]
                    at += size
                    break
            else:
                at += 1
        return hits

    def _wider(self, hits: Iterable[_Hit], said: frozenset[str]) -> list[Resource]:
        """ "write access to the staging database" names that database, and comes close to the other."""
        wider = []
        for hit in hits:
            inner = frozenset(hit.spelling.words)
            for spelling in self._spellings:
                words = frozenset(spelling.words)
                if spelling.resource is not hit.spelling.resource and inner < words and words <= said:
                    wider.append(spelling.resource)
        return wider

    def _longer(self, hits: Iterable[_Hit], words: Sequence[str], common: frozenset[str]) -> list[Resource]:
        """ "salesforce sandbx" may be the sandbox."""
        begun = tuple({hit.spelling.joined for hit in hits})
        longer = [
            spelling
            for spelling in self._spellings
            if spelling.joined not in begun and spelling.joined.startswith(begun)
        ]
        return self._misspelt(words, common, longer) if longer else []

    def _misspelt(
        self, words: Sequence[str], common: frozenset[str], among: Sequence[_Spelling] | None = None
    ) -> list[Resource]:
        found: list[tuple[int, Resource]] = []
        plain = common | _WEAK
        windows = {
            "".join(words[at : at + size])
            for size in range(1, self._longest + 1)
            for at in range(len(words) - size + 1)
            if any(len(word) > 2 and word not in plain for word in words[at : at + size])
        }
        for spelling in self._spellings if among is None else among:
            length = len(spelling.joined)
            if length < 4:
                continue
            furthest = 1 if length < 9 else 2
            near = (
                OSA.distance(spelling.joined, window, score_cutoff=furthest)
                for window in windows
                if abs(len(window) - length) <= furthest
                and window not in common
                # "staging" is no misspelt "staging db", it is a part of it
                and not (window.startswith(spelling.joined) or spelling.joined.startswith(window))
            )
            distance = min(near, default=furthest + 1)
            if distance <= furthest:
                found.append((distance, spelling.resource))
        best = min((distance for distance, _ in found), default=0)
        return [resource for distance, resource in found if distance == best]

    def _in_part(self, said: frozenset[str]) -> list[Resource]:
        """ "staging": whatever has the word in a name; most words first."""
        parts = [(len(said & set(spelling.words)), spelling.resource) for spelling in self._spellings]
        most = max((count for count, _ in parts), default=0)
        return [resource for count, resource in parts if count == most] if most else []


def _one_or_close(resources: Iterable[Resource]) -> Named:
    different = _labels(resources)
    return Named(key=different[0][0]) if len(different) == 1 else Named(close=different)


def _labels(resources: Iterable[Resource]) -> tuple[tuple[str, str], ...]:
    return tuple({resource.key: (resource.key, resource.name) for resource in resources}.values())[:MOST]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(clean(text))]


# People

_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_MENTION = re.compile(r"<@([^>\s|]{1,80})(?:\|[^>]{0,80})?>|(?<!\S)@([\w.-]{1,60})")
_NAME_WORD = re.compile(r"[^\W\d_]+(?:[-'\u2019][^\W\d_]{2,})*")
_POSSESSIVE = re.compile(r"['\u2019](?:s\b|(?!\w))")
_BEFORE_A_NAME = listed(
    "unlock unblock for of release report member employee does has is get let help named called"
)
_AFTER_A_NAME = listed("is has locked got can't cannot cant in from who typed entered have")
_NO_NAMES = listed(
    "i me my mine you your he she him her his it its we us our they them their this that these those the a "
    "an and or but so "
    "please pls hi hello hey dear good morning afternoon evening thanks thank kind regards monday tuesday "
    "wednesday thursday "
    "friday saturday sunday january february march april june july august september october november "
    "december today "
    "tomorrow pto hr it ad vpn mfa id ok asap urgent someone somebody anyone everybody colleague boss "
    "manager direct "
    "account password team left days day vacation holiday leave balance how many much"
)


def person_named(text: str, *, common: frozenset[str], names: frozenset[str]) -> str:
    """The mail, mention or name of another person as it was written, or nothing.

    Who that is, and whether the sender may ask about them, is for the directory and the gate.

    :param common: words that are no names
    :param names: words that are names even in small letters
    """
    text = clean(text)
    if mail := _MAIL.search(text):
        return mail[0]
    if mention := _MENTION.search(text):
        return mention[1] or "@" + mention[2]
    runs = list(_runs(text, common, names))
    return max(runs, key=len, default="")[:80]


def names_in(text: str, *, common: frozenset[str], names: frozenset[str]) -> list[str]:
    """Every stretch of words that may be somebody's name, as it was written, the longest first."""
    return sorted(set(_runs(clean(text), common, names)), key=len, reverse=True)


def _runs(text: str, common: frozenset[str], names: frozenset[str]) -> Iterator[str]:
    """Stretches of words that may be a name."""
    text = _POSSESSIVE.sub(" . ", text)  # "Luis's account": the name ends there
    words = list(_NAME_WORD.finditer(text))
    run: list[str] = []
    for at, found in enumerate(words):
        word = found[0]
        low = word.lower()
        beside = bool(run) or _beside_a_name(words, at)
        capital = word[0].isupper() and (len(word) == 1 or not word.isupper())
        plain = low in common or low in _NO_NAMES
        # An unknown small word counts only where a name is due: "unlock luis", "locked out" is no Locked.
        fits = low not in _NO_NAMES and (low in names or (capital and not plain) or (beside and not plain))
        adjoins = not run or not text[words[at - 1].end() : found.start()].strip()
        if fits and adjoins and len(run) < 4:
            run.append(word)
            continue
        if run:
            yield " ".join(run)
        run = [word] if fits else []
    if run:
        yield " ".join(run)


def _beside_a_name(words: Sequence[re.Match[str]], at: int) -> bool:
    before = words[at - 1][0].lower() if at else ""
    after = words[at + 1][0].lower() if at + 1 < len(words) else ""
    return before in _BEFORE_A_NAME or (at == 0 and after in _AFTER_A_NAME)
