"""What admins ask of the desk in a chat: audit, show, pending, freeze, unfreeze.

    audit [@person] [action] [since 7d] [outcome]     show REQ     pending
    freeze REQ|person     unfreeze person     quarantine     release person     help

Each is put to the rules ("administer") at every use, a further page included, answered to the admin
alone, and recorded.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.audit.query import Filter, ago, find, line
from bot.audit.story import show
from bot.audit.trail import Event, append
from bot.chat.card import Button, Card, Fact, Quote, Tone
from bot.chat.clean import plain
from bot.chat.inbound import Inbound
from bot.chat.platform import PlatformDown, Unreachable
from bot.people import find_person
from bot.procedures import ledger, say
from bot.procedures.engine import Engine
from bot.procedures.gate import recorded
from bot.procedures.office import Office
from bot.procedures.request import Request, State
from bot.store import quarantine
from bot.store.handles import Choice, Handles, Meaning
from integrations.contract import AmbiguousName, Person, UnknownPerson

PAGE = 10  # events of one answer
_PENDING = 20  # requests of one answer
_OUTCOMES = ("ok", "refused", "failed", "unknown")
_REF = re.compile(r"R-[0-9A-Z]{4,10}", re.IGNORECASE)
_QUOTE_CHARS = 2_500  # of a story, in one block
_BLOCKS = 8

HELP = (
    "Write what you need in your own words, here or to me directly."
    " For the help desk's admins:\n"
    "audit [@person] [action] [since 7d] [outcome]: what happened, newest first\n"
    "show REQ: the whole story of a request\n"
    "pending: what waits for a decision or for a person\n"
    "freeze REQ or person: stop everything in their name\n"
    "unfreeze person: let it go on\n"
    "quarantine: whose way to sign in changed lately\n"
    "release person: from that, once you have spoken to them\n"
    "For everybody: notify me in teams, slack, the web desk, here, or where I write; set up my authenticator"
)


class _Unclear(Exception):
    """The command cannot be read; says what to write."""


class Commands:
    def __init__(self, office: Office, engine: Engine) -> None:
        self._office = office
        self._engine = engine
        self._known: Mapping[str, Callable[[Person, Inbound, list[str]], Awaitable[list[Card]]]] = {
            "audit": self._audit,
            "show": self._show,
            "pending": self._pending,
            "freeze": self._freeze,
            "unfreeze": self._unfreeze,
            "quarantine": self._quarantine,
            "release": self._release,
        }

    def means(self, text: str) -> bool:
        """Whether these words are a command: the first one is, and what follows reads like one."""
        first, *rest = text.split() or ["help"]
        name = first.lower()
        if name in ("help", "pending", "quarantine"):
            return not rest
        return name in self._known and (name != "show" or bool(rest and _REF.fullmatch(rest[0])))

    def typed(self, text: str) -> bool:
        """Whether a message is a command, of which each word can be nothing else: "freeze my account" is
        a wish, "freeze @ana" is none."""
        if not self.means(text):
            return False
        name, *rest = text.split()
        if name.lower() == "audit":
            since = [at + 1 for at, word in enumerate(rest) if word == "since"]
            return all(at in since or self._said_of(word) for at, word in enumerate(rest))
        about = name.lower() in ("freeze", "unfreeze", "release")
        return not about or (len(rest) == 1 and _whom(rest[0]))

    def _said_of(self, word: str) -> bool:
        return word in ("since", "outcome", *_OUTCOMES) or word in self._office.registry or _whom(word)

    async def run(self, admin: Person, inbound: Inbound) -> list[Card]:
        text = await self._office.people.named(inbound.platform, inbound.text)
        name, _, rest = text.strip().partition(" ")
        name = name.lower() or "help"
        if name == "help":
            return [Card(title="How to ask", text=HELP)]
        if refused := await self._refused(admin, name, inbound):
            return [refused]
        try:
            return await self._known[name](admin, inbound, _words(rest))
        except _Unclear as why:
            return [Card(title=name.capitalize(), text=str(why), tone=Tone.WARN)]

    async def page(self, admin: Person, meaning: Meaning, inbound: Inbound) -> list[Card]:
        """An older page of the trail."""
        if refused := await self._refused(admin, "audit", inbound):
            return [refused]
        wanted: dict[str, Any] = {key: str(value) for key, value in meaning.detail["wanted"].items()}
        if "since" in wanted:
            wanted["since"] = datetime.fromisoformat(wanted["since"])
        before = int(meaning.detail["before"])
        return [await self._listed(admin, inbound, Filter(**wanted), before=before)]

    async def _refused(self, admin: Person, name: str, inbound: Inbound) -> Card | None:
        decision = self._office.policies.may_administer(await self._engine.gate.who(admin.id), name)
        if decision.allowed:
            return None
        await self._record(admin, inbound, "admin.refused", {"command": name, "decision": recorded(decision)})
        return Card(title=name.capitalize(), text=" ".join(decision.why), tone=Tone.DANGER, status="Refused")

    async def _audit(self, admin: Person, inbound: Inbound, words: list[str]) -> list[Card]:
        wanted: dict[str, Any] = {}
        rest = iter(words)
        for word in rest:
            if word == "since":
                try:
                    wanted["since"] = ago(next(rest, ""), self._office.clock())
                except ValueError as error:
                    raise _Unclear(str(error)) from error
            elif word in _OUTCOMES:
                wanted["outcome"] = word
            elif word in self._office.registry:
                wanted["action"] = word
            elif _REF.fullmatch(word):
                wanted["request"] = word.upper()
            elif word != "outcome":
                wanted["person"] = (await self._person(word)).id
        return [await self._listed(admin, inbound, Filter(**wanted))]

    async def _listed(
        self, admin: Person, inbound: Inbound, wanted: Filter, before: int | None = None
    ) -> Card:
        with self._office.database.read() as conn:
            entries = find(conn, wanted, before=before, limit=PAGE + 1)
            handles = Handles.of(conn, inbound.key)
        shown = entries[-PAGE:]
        await self._record(admin, inbound, "audit.read", {"filter": wanted.asked()})
        names = await self._names({e.event.actor for e in shown} | {e.event.subject for e in shown})
        buttons: tuple[Button, ...] = ()
        if len(entries) > PAGE:
            detail = {"wanted": _kept(wanted), "before": shown[0].seq}
            handle = handles.mint(Meaning(inbound.key, Choice.AUDIT, admin.id, detail=detail))
            await self._office.database.write(handles.keep)
            buttons = (Button(label="Older", handle=handle, sends_inputs=False),)
        told = "\n".join(plain(line(each, names), 300) for each in reversed(shown))
        return Card(
            title="Audit", text=told or "Nothing fits.", buttons=buttons, footer=_asked(wanted, names)
        )

    async def _show(self, admin: Person, inbound: Inbound, words: list[str]) -> list[Card]:
        ref = words[0].upper()
        with self._office.database.read() as conn:
            entries = find(conn, Filter(request=ref), limit=None)
        names = await self._names({e.event.actor for e in entries} | {e.event.subject for e in entries})
        with self._office.database.read() as conn:
            told = show(conn, ref, name_of=names, words=self._office.words)
        if not told:
            raise _Unclear(f"There is no request {ref}.")
        await self._record(admin, inbound, "audit.read", {"request": ref})
        blocks = _blocks(told)
        quotes = tuple(
            Quote(label=f"Part {at}" if at > 1 else "Record", text=text) for at, text in enumerate(blocks, 1)
        )
        return [Card(title=ref, quotes=quotes[:_BLOCKS], footer=f"deskhand audit show {ref}")]

    async def _pending(self, admin: Person, inbound: Inbound, words: list[str]) -> list[Card]:
        with self._office.database.read() as conn:
            waiting = ledger.oldest(conn, State.APPROVING, _PENDING + 1)
            stuck = ledger.oldest(conn, State.STUCK, _PENDING)
        await self._record(admin, inbound, "pending.read", {})
        facts = [
            Fact(
                label=each.ref, value=plain(_state(each, admin.time_zone) + await self._unreached(each), 400)
            )
            for each in [*stuck, *waiting[:_PENDING]]
        ]
        more = "" if len(waiting) <= _PENDING else f"The oldest {_PENDING}; there are more."
        text = "" if facts else "Nothing waits for anybody."
        return [Card(title="Pending", text=text, facts=tuple(facts), footer=more)]

    async def _unreached(self, request: Request) -> str:
        """Who is to decide and reads none of the chats."""
        lost = [
            request.name(seat.person)
            for seat in request.seats.get(request.waits_for or "", ())
            if not await self._reached(seat.person)
        ]
        return f" Not reached in any chat: {say.names(lost)}." if lost else ""

    async def _reached(self, person: str) -> bool:
        """A chat that does not answer now says nothing of them."""
        people = self._office.people
        try:
            async for platform, account in people.ways(person):
                with contextlib.suppress(Unreachable):
                    await self._office.platforms[platform].direct(account)
                    return people.reads(person, platform)
        except PlatformDown:
            return True
        return False

    async def _freeze(self, admin: Person, inbound: Inbound, words: list[str]) -> list[Card]:
        if len(words) == 1 and _REF.fullmatch(words[0]):
            request = self._engine.find(words[0].upper())
            if request is None:
                raise _Unclear(f"There is no request {words[0].upper()}.")
            people = [request.requester, *({request.subject} - {request.requester})]
        else:
            people = [(await self._person(" ".join(words))).id]
        return [await self._set_frozen(admin, inbound, each, on=True) for each in people]

    async def _unfreeze(self, admin: Person, inbound: Inbound, words: list[str]) -> list[Card]:
        person = await self._person(" ".join(words))
        return [await self._set_frozen(admin, inbound, person.id, on=False)]

    async def _quarantine(self, admin: Person, inbound: Inbound, words: list[str]) -> list[Card]:
        since = self._office.clock() - self._office.settings.quarantine
        with self._office.database.read() as conn:
            changes = quarantine.since(conn, since)
        await self._record(admin, inbound, "quarantine.read", {})
        names = await self._names({each.person for each in changes})
        facts = [
            Fact(
                label=names(each.person),
                value=resting(each, self._office.settings.quarantine, admin.time_zone),
            )
            for each in changes[-_PENDING:]
        ]
        more = "" if len(changes) <= _PENDING else f"The latest {_PENDING}; there are more."
        return [
            Card(
                title="Quarantine",
                text="" if facts else "Nobody is in it.",
                facts=tuple(facts),
                footer=more,
            )
        ]

    async def _release(self, admin: Person, inbound: Inbound, words: list[str]) -> list[Card]:
        person = await self._person(" ".join(words))
        done = await self._engine.release(person.id, admin.id, inbound.platform)
        text = f"{person.name} {'is released' if done else 'was in no quarantine'}."
        return [Card(title=person.name, text=text, tone=Tone.GOOD)]

    async def _set_frozen(self, admin: Person, inbound: Inbound, person: str, *, on: bool) -> Card:
        changed = await self._engine.freeze(person, admin.id, inbound.platform, on=on)
        names = await self._names({person})
        now = "now" if changed else "already"
        state = "frozen: nothing in their name goes on" if on else "not frozen"
        return Card(
            title=names(person),
            text=f"{names(person)} is {now} {state}.",
            tone=Tone.WARN if on else Tone.GOOD,
        )

    async def _person(self, text: str) -> Person:
        if not text:
            raise _Unclear("Name somebody: @mention, mail address, log-in name or full name.")
        try:
            return await find_person(self._office.ports.directory, text.lstrip("@"))
        except UnknownPerson as error:
            actions = ", ".join(self._office.registry.actions)
            raise _Unclear(
                f"{plain(text, 80)!r} is nobody in the directory, and no action ({actions})"
                f" or outcome ({', '.join(_OUTCOMES)})."
            ) from error
        except AmbiguousName as several:
            names = ", ".join(f"{each.name} ({each.mail})" for each in several.candidates)
            raise _Unclear(f"{plain(text, 80)} could be {names}. Write the mail address.") from several

    async def _names(self, ids: set[str]) -> Callable[[str], str]:
        """What to call each of them; who is not in the directory any more keeps the id."""
        names: dict[str, str] = {}
        for each in ids - {""}:
            try:
                names[each] = plain((await self._office.ports.directory.person(each)).name, 80)
            except UnknownPerson:
                continue
        return lambda person: names.get(person, person)

    async def _record(self, admin: Person, inbound: Inbound, kind: str, data: dict[str, Any]) -> None:
        refused = kind == "admin.refused"
        event = Event(
            at=self._office.clock(),
            kind=kind,
            actor=admin.id,
            service=inbound.platform,
            outcome="refused" if refused else "ok",
            data=data,
        )

        def work(conn: Connection) -> None:
            append(conn, event)

        await self._office.database.write(work)


_CHANGED = {"credential": "a new credential", "link": "a new link", "authenticator": "a new authenticator"}


def resting(change: quarantine.Change, length: timedelta, zone: str) -> str:
    """Why somebody is in quarantine, and until when."""
    return f"{_CHANGED.get(change.why, change.why)}, until {say.moment(change.at + length, zone)}"


def _whom(word: str) -> bool:
    return bool(_REF.fullmatch(word)) or "@" in word


def _words(text: str) -> list[str]:
    """Split at spaces; what stands in quotation marks stays together."""
    try:
        return shlex.split(text.replace("“", '"').replace("”", '"'))
    except ValueError:  # a lone quotation mark, as in O'Neill
        return text.split()


def _kept(wanted: Filter) -> dict[str, str]:
    """The filter as a handle remembers it."""
    since = {"since": wanted.since.isoformat()} if wanted.since else {}
    return {key: value for key, value in wanted.asked().items() if key != "since"} | since


def _asked(wanted: Filter, names: Callable[[str], str]) -> str:
    said = {**wanted.asked(), **({"person": names(wanted.person)} if wanted.person else {})}
    return ", ".join(f"{key}: {value}" for key, value in said.items())


def _blocks(lines: list[str]) -> list[str]:
    """The lines in pieces that fit, cut between lines."""
    blocks = [""]
    for each in lines:
        if len(blocks[-1]) + len(each) > _QUOTE_CHARS:
            blocks.append("")
        blocks[-1] += plain(each, _QUOTE_CHARS - 1) + "\n"
    return [each.strip("\n") for each in blocks]


def _state(request: Request, zone: str) -> str:
    what = request.shown.sentence if request.shown else request.action
    if request.state is State.STUCK:
        return f"{what}. Stuck: nobody knows whether it was done."
    stage = request.waits_for
    seats = request.seats.get(stage or "", ())
    whom = say.names([request.name(seat.person) for seat in seats]) if stage else "its start"
    return f"{what}. Waits for {whom} since {say.moment(request.moved_at, zone)}."
