"""Give the sender access to a resource of the catalogue for a time; it ends by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.chat.card import Fact
from bot.procedures import say
from bot.procedures.action import (
    Impossible,
    Params,
    Preview,
    Procedure,
    Run,
    Seen,
    Slot,
    SlotKind,
    Step,
    World,
)
from integrations.contract import Person

# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = (
    "I need access to {app}",
    "I need {app}",
    "I need {app} {span}",
    "{app} {span}",
    "{app} access",
    "{app} access please",
    "{app} pls",
    "{app} license",
    "access to {app}",
    "access to {app} {span} please",
    "acces to {app} plz",
    "need acess {app} {span}",
    "i ned acces to {app}",
    "give me access to {app}",
    "give me {app}",
    "gimme {app} {span}",
    "grant me access to {app} {span}",
    "grant access {app}",
    "can I get access to {app}?",
    "can i have {app} {span}?",
    "could I have access to {app} {span}?",
    "May I have access to {app}, please?",
    "please give me access to {app}",
    "please add me to {app}",
    "add me to {app}",
    "add me to the {app} group {span}",
    "put me in {app}",
    "put me on {app} {span} please",
    "let me into {app}",
    "let me in to {app} {span}",
    "open {app} for me {span}",
    "enable {app} for me",
    "activate {app} for my account",
    "provision {app} for me",
    "set me up with {app}",
    "set me up in {app} {span}",
    "hook me up with {app}",
    "sign me up for {app}",
    "assign me a {app} license",
    "I need a seat in {app}",
    "I need a license for {app} {span}",
    "a {app} licence would be great {span}",
    "need permissions for {app}",
    "I'm missing permissions on {app}",
    "I don't have permission to open {app}",
    "I don't have access to {app}",
    "i dont have access to {app} but my project needs it",
    "no access to {app}",
    "access denied on {app}",
    "it says access denied when I open {app}",
    "{app} says I'm not authorized",
    "{app} tells me I have no rights, please fix",
    "I get a 403 in {app}, I need access",
    "{app} says I need to ask for permission",
    "can't open {app}, no permission",
    "can't get into {app}, I think I was never added",
    "I can't see {app}, can you add me?",
    "I can't get to {app}",
    "requesting access to {app}",
    "request access to {app} {span}",
    "I'd like to request access to {app}",
    "I would like to request {app} {span}, please.",
    "I want to use {app}",
    "I'd like to use {app} {span}",
    "I'd like to try {app} {span}",
    "I have to use {app} {span} for the audit",
    "I have to look something up in {app}, need access {span}",
    "I'm going to need {app} {span}",
    "I may need access to {app} {span}",
    "we're doing a migration and I need {app} {span}",
    "I have to fix a bug in production, need {app} {span}",
    "I'm on call {span} and need {app}",
    "on-call this week, please give me {app}",
    "I'm covering for {person} {span} and need {app}",
    "filling in for {person}, I need access to {app} {span}",
    "I'm joining the project of {person} and need {app}",
    "I joined the design team and need {app}",
    "my manager told me to get access to {app}",
    "{person} said I should ask you for {app}",
    "{person} asked me to check the numbers in {app}, but I can't get in",
    "{person} has {app}, I need the same",
    "I need the same access as {person} for {app}",
    "I need read access to {app} {span}",
    "read only access to {app} please",
    "write access to {app} {span}",
    "I need write permissions on {app} {span}",
    "admin rights on {app} {span}",
    "temporary access to {app}",
    "temporary access to {app} {span}",
    "temp access {app} {span} please",
    "short-term access to {app}, {span}",
    "{span} access to {app}",
    "{span} I need {app}",
    "{span} please give me access to {app}",
    "extend my access to {app} {span}",
    "my access to {app} ran out, I need it again {span}",
    "my {app} access expired",
    "my {app} access ended yesterday but I still need it {span}",
    "can I keep {app} {span}?",
    "I need {app} longer than planned, {span}",
    "renew my access to {app}",
    "prolong {app} {span}",
    "I used to have {app}, I need it back",
    "I lost access to {app}, please restore",
    "I no longer have access to {app}, can I get it back?",
    "Hi, could you please get me into {app} {span}? Thanks!",
    "Hello team, I would kindly ask for access to {app} {span}, my manager knows about it.",
    "Good morning! For the quarterly close I'd need access to {app} {span}.",
    "Dear IT, I would be grateful to be granted access to {app}.",
    "For the last time: I need access to {app}!!",
    "I've been waiting for days without {app}, give me access already",
    "how hard can it be to get {app}? I need it today",
    "I can't do my job without {app}. access please",
    "how do I get access to {app}?",
    "how can I get {app}",
    "how do i request {app}",
    "who do I ask for access to {app}? I need it {span}",
    "what do I have to do to get {app}",
    "where can I request {app}",
    "is it possible to get {app} {span}?",
    "any chance to get access to {app} {span}?",
    "would it be possible for me to get into {app} {span}?",
    "so the thing is that the client wants changes in the mockups and I can't edit them, because I only "
    "have view "
    "rights in {app}, could I get edit rights {span}",
    "hey 👋 {app} access {span}? 🙏",
    "i want access",
    "I need access to something",
    "access request",
    "I'd like to request access",
    "I need access to a system",
    "I need access to an application",
    "new access",
    "need software access",
    "please give me the rights to see the dashboards in {app}",
    "I need to see the reports in {app}",
    "I need to edit files in {app} {span}",
    "I need to query {app} {span}",
    "I need to deploy to {app} {span}",
    "I need to log in to {app} {span} to look at an incident",
    "I need to get into {app} {span}",
    "need to get on {app}",
    "invite me to {app}",
    "can someone invite me to {app}?",
    "share {app} with me",
    "make me an editor in {app} {span}",
    "make me a member of {app}",
    "I should be a member of {app}",
    "could you upgrade me to editor in {app} {span}",
    "unlock {app} for me {span}",
    "I need {app}, {app} and that's it",
    "need both {app} and {app} {span}",
    "give me my {app} back",
    "requesting {app}, reason: customer escalation, {span}",
    "{app} - {span} - project handover",
    "{app}?",
    "can you get me {app}",
    "would like {app}",
    "please arrange access to {app} for me",
    "my laptop is new and I don't have {app} on my account",
    "Starting monday I work on the web shop and need {app}",
    "[I need|I want|I'd like|I require|we need me to have] [access to|to use|to get into|to work in|a "
    "login for] {app}[| {span}]",
    "[give|get|grant|gimme] me [{app}|access to {app}|into {app}|a {app} license][| {span}]",
    "[can|could|may|might] I [get|have|use|try|borrow] {app}[| {span}]",
    "[can|could] you [add|invite|assign|put] me [to|on|in] {app}[| {span}]",
    "[add|invite|assign|put|enroll] me [to|on|in|into] {app}[| {span}]",
    "{app} [access|license|seat|permissions|account] [please|pls|for me|needed]",
    "{app} [please|pls|plz] [|{span}]",
    "{app}[, please| for me|] {span}",
    "{app} {span}",
    "[how|where] [do|can|would] I [get|request|obtain|apply for] [{app}|access to {app}|a {app} license]",
    "what do I [have to do|need to do] to [get|use|get into] {app}",
    "[need|require|requesting|request] {app} [{span}|access {span}|for the project|for work]",
    "I [don't have|lack|am missing|never got|still don't have] [access to|permission for|rights on|a "
    "license for] {app}",
    "[can't|cannot|unable to|not able to] [open|see|edit|get into|reach|view] {app}, [no "
    "permission|access denied|no access|please add me]",
    "[activate|enable|provision|set up|unlock|open] {app} for [me|my account|my user][| {span}]",
    "[make|set] me [a member|an editor|a user|an admin|a viewer] [of|in|on] {app}[| {span}]",
    "[extend|prolong|renew|continue] my [access to {app}|{app} access|{app} license] [{span}|please]",
    "[can|could] I keep [{app}|my {app} access] [{span}|a bit longer]",
    "my [{app} access|access to {app}] [expired|ran out|is gone|ended], [I need it again|please renew "
    "it|I still need it]",
    "I [lost|no longer have] access to {app}, [please restore|can I get it back|need it back|give it back]",
    "give me [back my {app} access|{app} back]",
    "{person} [told me|said] [to ask for|I should get|I need] {app}",
    "{person} has {app}, [I need it too|can I have it too|I need the same]",
    "[I should|I'm supposed to] [be in|have|be a member of|get] {app}",
    "[for|because of] [the audit|a customer|the migration|my project|the launch] I need {app}[| {span}]",
    "[starting|from] [monday|tomorrow|next week] I [need|will need] {app}",
    "I [start|work] on [the campaign|the redesign|the closing|an incident] and [need|have no access "
    "to|require] {app}",
    "would [like|love] [{app}|access to {app}|to have {app}][| {span}]",
    "[read|write|edit|view|admin] [access|rights|permission] [to|for|on] {app}[| {span}]",
)


class JoinGroup:
    """Make the person a member. Somebody who is one already stays one when the grant ends."""

    name = "join_group"
    no_undo = ""

    async def look(self, run: Run) -> Seen:
        return {"member": await run.world.groups.has(_group(run), run.subject.id)}

    def needless(self, seen: Seen) -> bool:
        return bool(seen["member"])

    async def do(self, run: Run) -> None:
        await run.world.groups.add(_group(run), run.subject.id, op=run.op)

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        return await run.world.groups.has(_group(run), run.subject.id)

    async def undo(self, run: Run, seen: Seen) -> None:
        await run.world.groups.remove(_group(run), run.subject.id, op=f"{run.op}:undo")


class GrantAccess(Procedure):
    name = "grant_access"
    title = "Get access"
    phrases = PHRASES
    slots = (
        Slot("resource", SlotKind.RESOURCE, "What do you need access to?"),
        Slot("span", SlotKind.SPAN, "For how long do you need it?"),
    )

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        resource = world.catalogue.get(params["resource"])
        if resource is None:
            raise Impossible("This can no longer be asked for.")
        starts, ends, minutes = _times(params["span"], world.now)
        if starts and starts <= world.now:
            starts = None
        if ends and ends <= world.now:
            raise Impossible("That time is over already. Please ask again with a later one.")
        how_long = say.length(minutes) if ends is None else f"until {say.moment(ends, subject.time_zone)}"
        begins = say.moment(starts, subject.time_zone) if starts else "As soon as it is approved"
        stop = say.moment(ends, subject.time_zone) if ends else f"{say.length(minutes)} after that, by itself"
        return Preview(
            sentence=f"Give {subject.name} access to {resource.name} {'for ' if ends is None else ''}{how_long}",
            facts=(
                Fact(label="Access", value=resource.name),
                Fact(label="Sensitivity", value=resource.sensitivity.value.capitalize()),
                Fact(label="Begins", value=begins),
                Fact(label="Ends", value=stop),
            ),
            done=f"{subject.name} has access to {resource.name}{'' if ends is None else f' {how_long}'}.",
            resource=resource,
            minutes=minutes,
            starts_at=starts,
            ends_at=ends,
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (JoinGroup(),)


def _times(span: dict[str, Any], now: datetime) -> tuple[datetime | None, datetime | None, int]:
    """Start, fixed end, and the longest it can last in minutes (from now: the rules count all of it)."""
    if "minutes" in span:
        return None, None, int(span["minutes"])
    starts = datetime.fromisoformat(span["from"]) if "from" in span else None
    ends = datetime.fromisoformat(span["until"])
    lasts = ends - max(starts or now, now)
    return starts, ends, max(1, -(-lasts // timedelta(minutes=1)))


def _group(run: Run) -> str:
    return run.world.catalogue[run.params["resource"]].group


ACTION = GrantAccess()
