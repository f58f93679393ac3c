"""End an access that the sender holds, before its time."""

from __future__ import annotations

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
    "I don't need {app} anymore",
    "I don't need access to {app} any more",
    "i dont need {app} anymore",
    "dont need {app} any longer, thx",
    "no longer need {app}",
    "I no longer need access to {app}",
    "I no longer require {app}",
    "no need for {app} anymore",
    "done with {app}",
    "I'm done with {app}",
    "I'm done with {app}, you can have it back",
    "I am finished with {app}, please remove my access",
    "finished in {app}, please take my access away",
    "finished my work in {app}",
    "give back {app}",
    "giving back {app}",
    "I want to give back my access to {app}",
    "I'd like to give {app} back",
    "i want to give my {app} license back",
    "give back my access",
    "give back access",
    "return {app}",
    "return my {app} license",
    "returning my {app} access",
    "I'd like to return my access to {app} early",
    "hand back {app}",
    "handing back my {app} access, project is over",
    "hand my {app} rights back",
    "remove my access to {app}",
    "remove me from {app}",
    "please remove me from {app}",
    "please remove my {app} access",
    "can you remove my access to {app}?",
    "could you take me off {app}?",
    "take me off {app}",
    "take me out of {app}",
    "take away my {app} access",
    "take my {app} permissions away please",
    "revoke my access to {app}",
    "revoke my {app} access",
    "please revoke {app} for me",
    "revoke {app}",
    "end my access to {app}",
    "end my {app} access now",
    "end my access early",
    "please end {app} for me, I finished early",
    "terminate my access to {app}",
    "stop my access to {app}",
    "cancel my access to {app}",
    "cancel my {app} license",
    "cancel my {app} seat",
    "drop my {app} access",
    "you can drop me from {app}",
    "withdraw my access to {app}",
    "surrender my {app} access",
    "relinquish my access to {app}",
    "I'd like to relinquish {app}",
    "release my {app} license",
    "release my seat in {app}",
    "free up my {app} license",
    "you can free my {app} seat",
    "somebody else can have my {app} license",
    "someone else can have my {app} seat, I don't use it",
    "I never use {app}, take it away",
    "I'm not using {app}",
    "I'm not using {app} anymore, remove it",
    "i don't use {app} any more",
    "I haven't used {app} in months, please remove my access",
    "I stopped using {app}",
    "turn off my {app} access",
    "disable my {app} access",
    "disable {app} for me",
    "deactivate my {app} license",
    "switch off {app} for me",
    "deprovision me from {app}",
    "unsubscribe me from {app}",
    "delete my access to {app}",
    "delete me from {app}",
    "get me out of {app}",
    "get rid of my {app} access",
    "I want out of {app}",
    "I still have access to {app} but shouldn't",
    "I still have access to {app} and don't need it",
    "I shouldn't have access to {app} any more, please remove it",
    "I have more access than I need, take {app} away",
    "I changed teams, please remove my access to {app}",
    "I moved to marketing and don't need {app} anymore",
    "I switched projects, so {app} is not needed any longer",
    "the project is over, I can give {app} back",
    "The project is finished, so my access to {app} can go.",
    "the audit is done, please remove {app} again",
    "migration finished, {app} can be removed from my account",
    "my access to {app} can be removed",
    "my access to {app} is not needed anymore",
    "my {app} access isn't required any longer",
    "{app} is no longer needed",
    "{app} not needed anymore",
    "{app} can be taken away from me",
    "{app} back please, I mean you can have it back",
    "{app}: remove me",
    "{app}: done, please revoke",
    "wrapping up, please revoke my {app} access",
    "Hi, I finished earlier than planned. Could you please end my access to {app}? Thank you!",
    "Hello, I would like to hand in my {app} license as I don't need it any more.",
    "Dear IT team, kindly remove my permissions for {app}.",
    "Good afternoon, please be so kind as to revoke my access to {app} as the project has ended.",
    "Why do I still have {app}?? I told you to remove it",
    "get {app} off my account already",
    "how do I give back my access to {app}?",
    "how do I return a license I don't need",
    "how can I give up my {app} access",
    "can I give back {app} early?",
    "can I return my {app} access before it ends?",
    "is there a way to end my {app} access today instead of next week",
    "I dont ned {app} anymor",
    "remov my acces to {app}",
    "revok my {app} acces",
    "giv back {app}",
    "so we wrapped up the {app} thing with {person} yesterday and I don't think I should be in there any "
    "longer, "
    "can you take me out",
    "finished with the thing {person} gave me access for, you can take {app} back",
    "you can take {app} back",
    "you can have {app} back",
    "you can take my access back",
    "take back my {app} access",
    "please take back {app}",
    "I was given {app} for a project that never happened, remove it",
    "I got {app} by mistake, please remove",
    "I don't want {app} any more",
    "don't want {app}, take it back",
    "I'd rather not have {app} any longer, it's a risk",
    "for security I'd like my {app} admin rights removed",
    "remove my admin rights on {app}",
    "remove write access to {app} from my account",
    "I need {app} removed from my account",
    "I need my access to {app} removed",
    "please close my {app} access",
    "close my {app} account, I'm finished",
    "ready to give up {app}",
    "ok to revoke {ref}",
    "give back {ref}",
    "end {ref}",
    "revoke {ref} please",
    "end the access I got with {ref}",
    "I'm leaving the project, take away my access",
    "please remove all the access I don't need anymore",
    "I [don't|do not|no longer] [need|use|want|require] [{app}|access to {app}|my {app} access|my {app} "
    "license] [any more|anymore|any longer|]",
    "[remove|take|drop|delete] me [from|off|out of] {app}",
    "[remove|revoke|end|cancel|drop|terminate|close|delete] my [access to {app}|{app} access|{app} "
    "license|{app} seat|{app} permissions]",
    "[take|get] [{app}|{app} access] [off my account|away from me|off me]",
    "[revoke|return|give back|hand back|release|drop] {app}",
    "I [want|would like|wish|am ready] to [give back|return|hand back|give up|release|drop] {app}",
    "[ready|happy|time|okay] to give up {app}",
    "I'm [done|finished|through] with {app}",
    "I'm not [using|working in|working with] {app} [any more|anymore|any longer|these days]",
    "[please|pls|can you|could you] [remove|revoke|end|take away|cancel] my [{app} access|access to "
    "{app}|{app} rights]",
    "{app} [isn't needed|is no longer needed|not needed|can go|can be removed|is not required] [any "
    "more|now|for me|]",
    "I [still have|shouldn't have|got by mistake] [{app}|access to {app}], [remove it|please revoke|take "
    "it away|don't need it]",
    "how [do|can] I [give back|return|give up|get rid of] my {app} [access|license]",
    "[the project|the audit|my assignment|the migration|the campaign] is [over|done|finished|complete], "
    "[remove my {app} access|you can take {app} back|{app} can go]",
    "you can [have|take] [{app}|my {app} license|my {app} access] [back|away]",
    "[I'm leaving|I left|I moved out of] the [project|team], [{app} can go|please remove {app}|I don't "
    "need {app}]",
    "[end|revoke|give back|terminate|stop] {ref}",
    "is there a way to [end|stop|return] my {app} access [today|early|now] [|instead of {span}]",
    "get me out of {app}",
    "[deactivate|disable|switch off|turn off] my {app} [access|license|account]",
)


class EndGrant:
    """End the earlier request: it takes back what it gave, and only that."""

    name = "end_grant"
    no_undo = "Access that was given back is asked for anew, with everybody's approval."

    async def look(self, run: Run) -> Seen:
        return {"state": await run.world.requests.state_of(run.params["grant"])}

    def needless(self, seen: Seen) -> bool:
        return bool(seen["state"] == "ended")

    async def do(self, run: Run) -> None:
        await run.world.requests.end(run.params["grant"], run.subject.id)

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        return await run.world.requests.state_of(run.params["grant"]) == "ended"

    async def undo(self, run: Run, seen: Seen) -> None:
        """See ``no_undo``."""


class GiveBackAccess(Procedure):
    name = "give_back_access"
    title = "Give access back"
    phrases = PHRASES
    slots = (Slot("grant", SlotKind.GRANT, "Which access do you want to give back?"),)

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        running = await world.requests.grants_of(sender.id)
        grant = next((each for each in running if each.ref == params["grant"]), None)
        if grant is None:
            raise Impossible("This access has ended already.")
        resource = world.catalogue.get(grant.resource)
        name = resource.name if resource else grant.resource
        until = say.moment(grant.ends_at, subject.time_zone) if grant.ends_at else "no fixed end"
        return Preview(
            sentence=f"Take {name} back from {subject.name} now",
            done=f"{subject.name} no longer has {name} through {grant.ref}.",
            facts=(
                Fact(label="Access", value=name),
                Fact(label="Would end", value=until),
                Fact(label="Given with", value=grant.ref),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (EndGrant(),)


ACTION = GiveBackAccess()
