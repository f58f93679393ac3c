"""What each card of a request says: pure functions of the stored state.

No card holds what a person wrote anywhere but in a quote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.chat.card import Button, Card, CheckInput, ChoiceInput, Fact, Link, Option, Quote, TextInput, Tone
from bot.chat.clean import plain
from bot.procedures import say
from bot.procedures.ledger import Approval
from bot.procedures.request import CANCELLABLE, Pick, Request, Seat, State
from bot.store.handles import Choice, Handles, Meaning
from bot.store.sealed import Sealed

_QUOTE_CHARS = 600
_LONG_CHARS = 2_000  # of an answer that tells a matter
BUTTONS = 5  # more options than this become a list to choose from

WHY = "why"  # the field of what they say to their wish for an exception
WRITTEN = "written"  # the field of an answer in the person's own words

# What can be asked of an approver, as the rules call it: one they tick, one they cannot say themselves.
SPOKE, VERIFIED = "spoke", "verified"
ATTEST = {SPOKE: "I spoke to {name} in person or called a number I know, and it is them asking"}

SPOKEN = "spoken"  # the proof that a manager reads out
_HOW_SPOKEN = " and type the six digits that {manager} reads out to you by voice."
_HOW_SHOWN = " and show there that it is you."

_WHY = (
    TextInput(
        name=WHY,
        label="What people at the help desk should know, if you ask for an exception",
        required=False,
        multiline=True,
        max_length=_LONG_CHARS,
    ),
)
_TONES = {
    State.CONFIRMING: Tone.PRIMARY,
    State.APPROVING: Tone.WAIT,
    State.EXECUTING: Tone.WAIT,
    State.DONE: Tone.GOOD,
    State.ACTIVE: Tone.GOOD,
    State.REVOKING: Tone.WAIT,
    State.REFUSED: Tone.DANGER,
    State.DENIED: Tone.DANGER,
    State.UNDONE: Tone.WARN,
    State.STUCK: Tone.WARN,
    State.EXPIRED: Tone.WARN,
}
_STAGES = {"budget": "For the budget"}
_STATUS = {
    State.CONFIRMING: "Waiting for your yes",
    State.EXECUTING: "Working on it",
    State.DONE: "Done",
    State.REVOKING: "Ending",
    State.ENDED: "Ended",
    State.REFUSED: "Refused",
    State.CANCELLED: "Cancelled",
    State.DENIED: "Denied",
    State.EXPIRED: "Expired",
    State.UNDONE: "Not done",
    State.STUCK: "A person is looking at it",
}


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the cards of one request are made of."""

    request: Request
    title: str  # of its action
    approvals: list[Approval] = field(default_factory=list)
    sealed: Sealed | None = None
    code: str | None = None
    words: str = ""  # of the requester
    reasons: dict[str, str] = field(default_factory=dict)  # person -> the reason they gave
    url: str = ""  # where the reveal page is
    credential: str = "password"  # what people call what it shows
    shown_by: tuple[str, ...] = (SPOKEN,)  # what the reveal page takes as a proof
    signs_in: bool = False  # people can sign in
    enrolled: frozenset[str] = frozenset()  # of those asked to decide, who have an authenticator
    excusable: bool = False  # people at the help desk may be asked for an exception
    exception: str = ""  # what they have it under, where they were

    def on_page(self, seat: Seat | None) -> bool:
        """Whether this copy's approval is given on a page, after a proof; ``seat`` None: the channel's."""
        if VERIFIED not in self.request.needs:
            return False
        if seat:
            return self.signs_in or seat.person in self.enrolled
        return self.signs_in or bool(self.enrolled)


def status(story: Story) -> str:
    request = story.request
    if request.state is State.APPROVING:
        stage = request.waits_for
        if stage is None:
            starts = request.shown.starts_at if request.shown else None
            return f"Starts {say.moment(starts, request.zone)}" if starts else "Working on it"
        return (
            f"Waiting for {say.names([request.name(seat.person) for seat in request.seats.get(stage, ())])}"
        )
    if request.state is State.ACTIVE and request.ends_at:
        return f"Active until {say.moment(request.ends_at, request.zone)}"
    return _STATUS.get(request.state, "")


def question(story: Story, handles: Handles, *, written: bool = False) -> Card:
    """The slot that is put to the requester now; ``written``: only the place for their own words."""
    request = story.request
    pick = request.pick
    assert pick is not None, "a question is asked for a slot"
    mark = pick_mark(request)

    def pressed(detail: dict[str, object]) -> str:
        return handles.mint(Meaning(request.ref, Choice.PICK, request.requester, mark, detail))

    inputs, buttons = ([], []) if written else _options(pick, pressed)
    if pick.written:
        label = "Or in your own words" if pick.options else "In your own words"
        inputs.append(
            TextInput(
                name=WRITTEN, label=label, multiline=pick.long, max_length=_LONG_CHARS if pick.long else 100
            )
        )
        buttons.append(Button(label="Use these words", handle=pressed({"written": True})))
    return Card(
        title=story.title,
        text=pick.note,
        tone=Tone.PRIMARY,
        inputs=tuple(inputs),
        buttons=(*buttons, _cancel(request, handles)),
        footer=request.ref,
    )


def _options(
    pick: Pick, pressed: Callable[[dict[str, object]], str]
) -> tuple[list[ChoiceInput | TextInput], list[Button]]:
    """A few as buttons, more as a list to choose from."""
    if len(pick.options) <= BUTTONS:
        return [], [
            Button(label=plain(label, 60), handle=pressed({"option": at}), sends_inputs=False)
            for at, (_, label) in enumerate(pick.options)
        ]
    options = tuple(
        Option(value=str(at), label=plain(label, 75)) for at, (_, label) in enumerate(pick.options)
    )
    choice = ChoiceInput(name="option", label="Choose one", options=options)
    return [choice], [Button(label="Continue", handle=pressed({}), tone=Tone.PRIMARY)]


def answered(story: Story, slot: str) -> Card:
    """A question that was answered, or is void."""
    request = story.request
    text = "No longer needed."
    if slot in request.params:
        text = f"You chose: {request.answers[slot]}." if slot in request.answers else "Thank you."
    return Card(title=story.title, text=text, footer=request.ref)


def main(story: Story, handles: Handles) -> Card:
    """The requester's own card, from the confirm question to the receipt."""
    request = story.request
    shown = request.shown
    facts = shown.facts if shown else ()
    if request.state is State.APPROVING and request.waits_for:
        facts = (*facts, *_stages(request, story.approvals))
    if request.remark and request.state is State.CONFIRMING:
        facts = (*facts, Fact(label="Not changed", value=request.remark))
    if story.exception:
        facts = (*facts, Fact(label="Exception", value=f"The help desk was asked, under {story.exception}"))
    return Card(
        title=story.title,
        text=request.outcome or (shown.sentence if shown else ""),
        tone=_TONES.get(request.state, Tone.PLAIN),
        status=status(story),
        facts=facts,
        quotes=_wrote("You wrote", story.words),
        inputs=_WHY if story.excusable else (),
        buttons=(*_own_buttons(request, handles), *_exception(story, handles)),
        footer=_footer(request),
    )


def changed(story: Story, handles: Handles) -> Card:
    """An earlier card of a request that its requester changed since: theirs, or an approver's."""
    request = story.request
    return Card(
        title=story.title,
        text="You changed this. What counts stands on a newer card.",
        status="Changed",
        footer=request.ref,
    )


def changed_for_approver(story: Story, handles: Handles) -> Card:
    """What an approver reads of a request that was changed since they were asked."""
    name = story.request.name(story.request.requester)
    return Card(
        title=f"Request of {name}",
        text=f"{name} changed this request, so what was decided on it counts no more."
        " Once they confirmed the new one, whoever has to decide is asked anew.",
        status=f"Changed by {name}",
        footer=story.request.ref,
    )


def own(story: Story, handles: Handles) -> Card:
    """Where a request stands, for its requester."""
    return (
        question(story, handles) if story.request.pick and not story.request.shown else main(story, handles)
    )


def news(story: Story) -> Card:
    """How it went, as a message of its own: a card that changes further up is easily missed."""
    request = story.request
    links: tuple[Link, ...] = ()
    text = request.outcome
    if story.sealed and story.sealed.expires_at:
        manager = say.names([request.name(each.person) for each in story.approvals])
        until = say.moment(story.sealed.expires_at, request.zone)
        how = _HOW_SHOWN if story.shown_by != (SPOKEN,) else _HOW_SPOKEN.format(manager=manager)
        text = (
            f"Your new {story.credential} is ready. Open the page below{how} It is shown once, until {until}."
        )
        links = (
            Link(label=f"Show my new {story.credential}", url=f"{story.url}/reveal/{story.sealed.token}"),
        )
    return Card(
        title=story.title,
        text=text,
        tone=_TONES.get(request.state, Tone.PLAIN),
        status=status(story),
        quotes=tuple(
            Quote(label=f"{request.name(person)} wrote", text=plain(words, _QUOTE_CHARS))
            for person, words in story.reasons.items()
        ),
        links=links,
        footer=request.ref,
    )


def approval(
    story: Story, stage: str, seat: Seat | None, handles: Handles, *, reminder: bool = False
) -> Card:
    """An approver's card; ``seat`` None: the copy in the approvals channel."""
    request = story.request
    shown = request.shown
    assert shown is not None, "nothing is put to an approver that was not confirmed"
    waiting = request.waits_for == stage
    said = {each.stage: each for each in story.approvals}.get(stage)
    name = request.name(request.requester)
    facts = [Fact(label="Requester", value=name), *shown.facts]
    if shown.lets:
        facts.append(Fact(label="What it lets one do", value=shown.lets))
    if seat:
        facts.append(Fact(label="Why you", value=f"{seat.why}."))
    elif waiting:
        asked = say.names([request.name(each.person) for each in request.seats.get(stage, ())])
        facts.append(Fact(label="Asked to decide", value=f"{asked} (as {stage})"))
    if seat:
        facts += _code(story, seat.person)
    quotes = [*_wrote(f"{name} wrote", story.words)]
    if said and said.person in story.reasons:
        quotes.append(
            Quote(label=f"{request.name(said.person)} wrote", text=plain(story.reasons[said.person], 500))
        )
    return Card(
        title=f"Request of {name}",
        text=shown.sentence,
        tone=Tone.PRIMARY if waiting else _TONES.get(request.state, Tone.PLAIN),
        status=_decided(request, said) or _turn(story, waiting, reminder),
        facts=tuple(facts),
        quotes=tuple(quotes),
        inputs=_approver_inputs(request) if waiting else (),
        buttons=_approver_buttons(story, seat, handles) if waiting else (),
        links=_approver_links(story, seat, handles) if waiting else (),
        footer=_footer(request),
    )


def given(story: Story) -> Card:
    """To whom somebody else asked something for: what they have now, and through whom."""
    request = story.request
    return Card(
        title=story.title,
        text=request.outcome,
        tone=_TONES.get(request.state, Tone.PLAIN),
        status=status(story),
        facts=(Fact(label="Asked for by", value=request.name(request.requester)),),
        footer=request.ref,
    )


def told(story: Story, person: str, handles: Handles) -> Card:
    """To the subject and their manager: a new credential was given."""
    request = story.request
    own = person == request.subject
    whose = "Your" if own else f"{request.name(request.subject)}'s"
    approved = say.names([request.name(each.person) for each in story.approvals])
    when = say.moment(request.given_at, request.zone) if request.given_at else "now"
    press = Meaning(request.ref, Choice.NOT_ME, person, request.digest)
    return Card(
        title=f"{whose} password was reset",
        text=f"{when}, approved by {approved}. If {'you' if own else 'they'} did not ask for this, say so"
        " at once: it stops every request in this name and calls the admins.",
        tone=Tone.WARN,
        facts=_code(story, person),
        buttons=(
            Button(
                label="This wasn't me" if own else "This wasn't them",
                handle=handles.mint(press),
                tone=Tone.DANGER,
                sends_inputs=False,
            ),
        ),
        footer=request.ref,
    )


def _code(story: Story, person: str) -> tuple[Fact, ...]:
    """The six digits, for whoever approved, as long as the credential waits to be seen."""
    if not (story.code and story.sealed and story.sealed.expires_at and SPOKEN in story.shown_by):
        return ()
    if person not in [each.person for each in story.approvals]:
        return ()
    name = story.request.name(story.request.subject)
    return (Fact(label=f"Code to read out to {name}", value=f"{story.code[:3]} {story.code[3:]}"),)


def alarm(story: Story) -> Card:
    request = story.request
    return Card(
        title=f"{request.ref} needs a person" if request.alarm else f"{request.ref} went on",
        text=request.alarm or request.outcome,
        tone=Tone.WARN if request.alarm else Tone.PLAIN,
        facts=(
            Fact(label="Requester", value=request.name(request.requester)),
            Fact(label="Subject", value=request.name(request.subject)),
            Fact(label="Action", value=story.title),
            Fact(label="State", value=request.state.value),
        ),
        footer=f"deskhand audit show {request.ref}",
    )


def pick_mark(request: Request) -> str:
    """Binds a press to the very question it answers."""
    return f"{request.version}:{request.pick.slot if request.pick else ''}"


def _wrote(label: str, words: str) -> tuple[Quote, ...]:
    return (Quote(label=label, text=plain(words, _QUOTE_CHARS)),) if words else ()


def _footer(request: Request) -> str:
    open_until = request.expires_at if request.state in (State.CONFIRMING, State.APPROVING) else None
    until = f" · expires {say.moment(open_until, request.zone)}" if open_until else ""
    part = f", part of {request.part_of}" if request.part_of else ""
    return f"{request.ref}{part}{until}"


def _cancel(request: Request, handles: Handles) -> Button:
    handle = handles.mint(Meaning(request.ref, Choice.CANCEL, request.requester))
    return Button(label="Cancel", handle=handle, sends_inputs=False)


def _exception(story: Story, handles: Handles) -> tuple[Button, ...]:
    """A message to people: it lets nothing happen."""
    if not story.excusable:
        return ()
    press = Meaning(story.request.ref, Choice.EXCEPTION, story.request.requester)
    return (Button(label="Ask the help desk for an exception", handle=handles.mint(press)),)


def _own_buttons(request: Request, handles: Handles) -> tuple[Button, ...]:
    if request.state is State.CONFIRMING:
        confirm = Meaning(request.ref, Choice.CONFIRM, request.requester, request.digest)
        yes = Button(label="Yes, do it", handle=handles.mint(confirm), tone=Tone.PRIMARY, sends_inputs=False)
        return (yes, _cancel(request, handles))
    if request.state in CANCELLABLE:
        return (_cancel(request, handles),)
    if request.state is State.ACTIVE and request.requester == request.subject:
        give = Meaning(request.ref, Choice.GIVE_BACK, request.requester)
        return (Button(label="Give it back", handle=handles.mint(give), sends_inputs=False),)
    return ()


def _approver_inputs(request: Request) -> tuple[CheckInput | TextInput, ...]:
    checks = tuple(
        CheckInput(name=need, label=ATTEST[need].format(name=request.name(request.subject)), required=True)
        for need in request.needs
        if need in ATTEST
    )
    return (*checks, TextInput(name="reason", label="Reason", required=False, max_length=300))


def _approver_buttons(story: Story, seat: Seat | None, handles: Handles) -> tuple[Button, ...]:
    deny = Button(label="Deny", handle=_verdict(story.request, seat, Choice.DENY, handles), tone=Tone.DANGER)
    if story.on_page(seat):
        return (deny,)
    approve = _verdict(story.request, seat, Choice.APPROVE, handles)
    return (Button(label="Approve", handle=approve, tone=Tone.GOOD), deny)


def _approver_links(story: Story, seat: Seat | None, handles: Handles) -> tuple[Link, ...]:
    """The page where it is approved; a channel's copy leads there only where a sign-in tells who comes."""
    if not story.on_page(seat) or not (seat or story.signs_in):
        return ()
    handle = _verdict(story.request, seat, Choice.APPROVE, handles)
    return (Link(label="Review and approve", url=f"{story.url}/approve/{handle}"),)


def _verdict(request: Request, seat: Seat | None, choice: Choice, handles: Handles) -> str:
    detail = {"stage": request.waits_for}
    return handles.mint(Meaning(request.ref, choice, seat.person if seat else "", request.digest, detail))


def _turn(story: Story, waiting: bool, reminder: bool) -> str:
    if not waiting:
        return status(story)
    return "Still waiting for a decision" if reminder else "Waiting for a decision"


def _decided(request: Request, said: Approval | None) -> str:
    return f"{said.verdict.capitalize()} by {request.name(said.person)}" if said else ""


def _stages(request: Request, approvals: list[Approval]) -> tuple[Fact, ...]:
    """How far it got, in order."""
    by = {each.stage: each.person for each in approvals}
    rows = []
    for stage in request.stages:
        people = [request.name(seat.person) for seat in request.seats.get(stage, ())]
        value = (
            f"approved by {request.name(by[stage])}" if stage in by else f"waiting for {say.names(people)}"
        )
        rows.append(
            Fact(
                label=_STAGES.get(stage, f"As {stage}"),
                value=value if stage in by or people else "after that",
            )
        )
    return tuple(rows)
