"""What a helper is told of one hand-off: the same for its ticket and for its card in the channel.

It is made of what was stored when it was handed over, so it can be told while systems are down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.chat.card import Fact, Quote
from bot.chat.clean import plain
from bot.procedures import context, ledger
from bot.procedures.ledger import Journal
from bot.procedures.office import Office
from bot.procedures.refusals import NO_APPROVER, refusal
from bot.procedures.request import Request, State
from bot.store.hand_offs import HandOff, Kind

_BLOCK_CHARS = 2_500  # of one quote
_BLOCKS = 3  # of a long context, the newest

_EXCEPTION = (
    "The rules said no, so I do not do this, whatever is answered here. Whether there is an exception, and"
    " who makes it, is people's to say."
)
_STUCK = (
    "Nobody knows whether this was done, and nothing is tried again blindly. Look in the system itself. Then"
    " an admin says what is true there: `deskhand resolve {ref} --happened` goes on as if I had seen it done,"
    " `deskhand resolve {ref} --not-happened` goes on as if it had not been. Both are recorded."
)
_STEPS = {"begun": "begun, never answered", "unknown": "sent, no answer that can be trusted"}


@dataclass(frozen=True, slots=True)
class Briefing:
    name: str  # of the person
    title: str  # one line
    text: str
    facts: tuple[Fact, ...]
    quotes: tuple[Quote, ...]


def briefing(conn: Connection, office: Office, hand_off: HandOff) -> Briefing:
    request = ledger.load(conn, hand_off.ref)
    assert request is not None, "what is handed over belongs to a request"
    name = request.name(hand_off.person)
    what = request.shown.sentence if request.shown else office.registry[request.action].title
    return Briefing(
        name=name,
        title=_title(hand_off.kind, name, what, request.ref),
        text=_text(hand_off.kind, request.ref),
        facts=tuple(_facts(conn, office, hand_off, request, what)),
        quotes=tuple(_quotes(conn, office, hand_off, request, name)),
    )


def as_text(told: Briefing, who: str) -> str:
    """For a ticket. People's words stand in quotation marks, under whose they are.

    :param who: who asks, as the directory has them
    """
    parts = [who, *filter(None, [told.text]), "\n".join(f"{fact.label}: {fact.value}" for fact in told.facts)]
    parts += [f'{quote.label}:\n"{quote.text}"' for quote in told.quotes]
    return "\n\n".join(parts)


def _title(kind: Kind, name: str, what: str, ref: str) -> str:
    match kind:
        case Kind.EXCEPTION:
            return f"{name} asks for an exception: {what}"
        case Kind.STUCK:
            return f"{ref} is stuck: {what}"
        case Kind.PERSON:
            return f"{name} wants to talk to a person"
    return f"{name} needs something"


def _text(kind: Kind, ref: str) -> str:
    match kind:
        case Kind.EXCEPTION:
            return _EXCEPTION
        case Kind.STUCK:
            return _STUCK.format(ref=ref)
    return ""


def _facts(
    conn: Connection, office: Office, hand_off: HandOff, request: Request, what: str
) -> Iterator[Fact]:
    yield Fact(label="About", value=request.name(hand_off.person))
    if request.subject not in (hand_off.person, ""):
        yield Fact(label="For", value=request.name(request.subject))
    yield Fact(label="Request", value=f"{request.ref}, {office.registry[request.action].title}")
    if hand_off.kind is not Kind.PERSON:
        yield Fact(label="What was asked", value=plain(what, 300))
        yield from request.shown.facts if request.shown else ()
    if hand_off.kind is Kind.EXCEPTION:
        yield from _said_no(conn, office, request)
    if hand_off.kind is Kind.STUCK:
        yield from _steps(ledger.journal(conn, request.ref), request)


def _said_no(conn: Connection, office: Office, request: Request) -> Iterator[Fact]:
    """Each rule with its reason, as the person read it."""
    no = refusal(conn, office, request)
    for rule in no.rules if no else ():
        known = office.policies.rules.get(rule)
        why = known.why if known else request.outcome
        yield Fact(label="Said no" if rule != NO_APPROVER else "Missing", value=f"{rule}: {plain(why, 400)}")


def _steps(journal: dict[str, Journal], request: Request) -> Iterator[Fact]:
    """How far it got, what was there before each step, and what is unknown."""
    for name, step in journal.items():
        seen = ", ".join(f"{key}: {value}" for key, value in step.seen.items()) or "nothing"
        state = _STEPS.get(step.state, step.state)
        yield Fact(label=f"Step {name}", value=plain(f"{state}. Seen before it: {seen}", 400))
    if request.state is State.STUCK and request.alarm:
        yield Fact(label="Unknown", value=plain(request.alarm, 500))


def _quotes(
    conn: Connection, office: Office, hand_off: HandOff, request: Request, name: str
) -> Iterator[Quote]:
    if request.words is not None:
        yield from _blocks(
            f"{name} wrote", [context.words(conn, office, request.words, context.MATTER_CHARS)]
        )
    if hand_off.words is not None and hand_off.words != request.words:
        wrote = context.words(conn, office, hand_off.words, context.MATTER_CHARS)
        yield from _blocks(f"{name} wrote to you", [wrote])
    said = context.said_lately(conn, office, hand_off.person, until=hand_off.opened_at)
    yield from _blocks("Said here lately", list(said))
    under_way = context.requests_now(conn, office, hand_off.person, but=request.ref)
    yield from _blocks("Requests under way", list(under_way))


def _blocks(label: str, lines: Sequence[str]) -> Iterator[Quote]:
    """What fits into blocks of a card; where that is not all, the newest."""
    blocks = [""]
    for each in "\n".join(lines).splitlines():
        for at in range(0, max(1, len(each)), _BLOCK_CHARS - 1):
            piece = each[at : at + _BLOCK_CHARS - 1]
            if len(blocks[-1]) + len(piece) >= _BLOCK_CHARS:
                blocks.append("")
            blocks[-1] += f"{piece}\n"
    kept = [each.strip("\n") for each in blocks[-_BLOCKS:] if each.strip()]
    for at, block in enumerate(kept, start=1):
        part = (
            f" ({at} of {len(kept)}{', the newest' if len(blocks) > _BLOCKS else ''})"
            if len(kept) > 1
            else ""
        )
        yield Quote(label=f"{label}{part}", text=block)
