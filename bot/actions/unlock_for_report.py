"""A manager asks to unlock the account of somebody who reports to them."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Impossible, Params, Preview, Procedure, Slot, SlotKind, Step, World
from bot.procedures.steps import Unlock
from integrations.contract import Person

# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = (
    "unlock {person}'s account",
    "unlock {person}",
    "unlock {person} please",
    "please unlock {person}",
    "unlock {mail}",
    "unlock {mention}",
    "please unlock {mention} 's account",
    "can you unlock {mention}? locked out",
    "can you unlock {person}'s account?",
    "could you please unlock the account of {person}",
    "account of {person} is locked",
    "{person} is locked out",
    "{person} is locked out, can you help?",
    "{person}'s account is locked",
    "{person}s account got locked",
    "{person} has locked himself out",
    "{person} locked herself out again",
    "{person} got locked out this morning and can't work",
    "{person} locked their account",
    "{person} can't log in, account locked",
    "{person} can't get in, says locked",
    "{mail} is locked out",
    "{mail} locked",
    "{mention} is locked out",
    "{mention} is blocked, too many attempts, please unlock",
    "{mention} can't log in, the account is locked. I'm the manager.",
    "my direct report is locked out",
    "my direct report {person} is locked out",
    "my report {person} has been locked out of the account",
    "one of my reports is locked out",
    "one of my people is locked out",
    "one of my guys locked his account",
    "one of my team members is locked out",
    "someone on my team is locked out",
    "somebody in my team locked their account, can you unlock it",
    "a member of my team can't log in because the account is locked",
    "my team member {person} is locked out",
    "my employee {person} locked the account",
    "an employee of mine is locked out",
    "my new hire {person} is locked out on the first day",
    "my new starter has locked herself out",
    "my intern is locked out",
    "my intern locked himself out",
    "my working student {person} is locked out, please unlock",
    "my assistant locked her account",
    "my designer is locked out of her account",
    "my developer {person} is locked out",
    "the apprentice in my team is locked out",
    "I need to unlock one of my reports",
    "I want to unlock the account of one of my people",
    "unlock an account for my report",
    "unlock account for {person}",
    "unlock for {person}",
    "unlock for my report",
    "unlock someone on my team",
    "unlock my report's account",
    "unlock my team member",
    "unlock my employee's account",
    "unlock my intern",
    "account unlock for {mail}",
    "account unlock for {person} please",
    "request an unlock for {person} who reports to me",
    "on behalf of {person}: please unlock the account",
    "on behalf of my report {person}, the account is locked",
    "asking for {person} who can't write to you: account is locked out",
    "{person} can't message you as she's locked out. Please unlock her.",
    "{person} called me, he's locked out and has a customer meeting",
    "{person} just called, locked out of the laptop, can you unlock",
    "{person} texted me that her account is locked",
    "{person} from my team typed the wrong password too many times",
    "{person} entered a wrong password too often and is blocked now",
    "{person} is blocked after too many failed attempts",
    "too many failed logins for {person}, please unlock",
    "{person} in my team is blocked",
    "{person} who works for me is locked out",
    "{person}, who reports to me, needs an unlock",
    "I'm {person}'s manager. The account is locked, please unlock.",
    "as manager of {person} I'd like the account unlocked",
    "I manage {person} and they're locked out",
    "Hi, {person} who reports to me is locked out of the account. Could you unlock it? Many thanks!",
    "Good morning, my colleague {person}, who is in my team, is locked out since this morning.",
    "Dear help desk, the account of my employee {person} seems to be locked. Kindly unlock it.",
    "WHY is {person} locked out again?? unlock now please, we have a deadline",
    "this is the second time this week that {person} is locked out, please unlock",
    "pls unlok {person}",
    "unlcok {person} acount",
    "{person} loked out",
    "{person} is lockd out pls help him",
    "can u unlock {person}, acct locked",
    "unblock {person}",
    "unblock {person}'s account please",
    "unblock {mail} please",
    "{person}'s login is blocked",
    "{person}'s user is frozen, please release it",
    "release the lock on {person}'s account",
    "lift {person}'s lockout",
    "lockout for {person}",
    "please get {person} back in, the account is locked",
    "let {person} back in, locked out",
    "get {person} unlocked please",
    "need {person} unlocked asap",
    "I need {person}'s account unlocked before noon",
    "can we get {person} unlocked?",
    "is {person}'s account locked? if yes please unlock",
    "how do I unlock {person}'s account? she reports to me",
    "how can I unlock somebody in my team",
    "how do i unlock an account for one of my direct reports",
    "can I unlock my report's account?",
    "he's locked out, {person} I mean, can you unlock him",
    "she is locked out - {mail} - please help her",
    "help my report, she is locked out",
    "the new guy on my team is locked out",
    "the new colleague on my team, {person}, locked the account on day one",
    "so {person} came to my desk and says the laptop tells him his account is locked, he tried the "
    "password like "
    "six times, can you open it for him",
    "not me, {person}: locked out",
    "it's not for me, it's for {person}, the account needs an unlock",
    "for {person}: unlock account",
    "{person} forgot to turn off caps lock and is now locked out",
    "{person}'s phone had the old password and locked her account",
    "{person}'s account has been locked since the password change",
    "my team's {person} can't sign in, it's locked",
    "my subordinate can't log in, locked account",
    "a direct report of mine is locked out of windows",
    "unlock his account: {person}",
    "unlock her account please, {person}",
    "please unlock {person} and tell me when it's done",
    "my guy {person} is shut out of his account",
    "two failed... well five failed attempts and {person} is out. unlock?",
    "[please|pls|can you|could you|kindly] [unlock|unblock|release] {person}[|'s account|'s login|'s user]",
    "{person} [is|got|has been|seems|was] locked out [again|of the account|this morning|of the "
    "laptop|since monday|]",
    "{person}'s [account|login|user] [is|got|has been|seems|was] [locked|blocked|frozen|locked out]",
    "my [report|direct report|team member|employee|intern|trainee|analyst|engineer|new hire] [is|got|has "
    "been] [locked out|blocked]",
    "my [report|direct report|team member|employee|intern] {person} [is locked out|locked the "
    "account|can't log in, locked|needs an unlock]",
    "[someone|somebody|a person|one person|a developer|an analyst] [on|in|from] my team [is|got] locked out",
    "one of my [reports|people|engineers|analysts|team members|developers|folks] [is|got] locked out",
    "{person} [typed|entered|mistyped] [the wrong|a wrong|the] password too [often|many times]",
    "{person} [can't log in|can't sign in|can't get in|cannot work], [the account is locked|locked|it's "
    "locked|locked out]",
    "[too many|several] failed [attempts|logins] [for|by|from] {person}",
    "[unlock|unblock] [{mail}|{mention}]",
    "[{mail}|{mention}] [is locked out|got locked|locked the account|needs an unlock|is blocked]",
    "[can we|can you|could we] get {person} [unlocked|back in|unblocked]",
    "I'm {person}'s [manager|boss|supervisor|lead], please [unlock|unblock] the account",
    "I need [{person}|my report|my team member] unlocked [now|please|asap|today]",
    "a [lockout|lock] for {person}",
    "[not me|not for me], [{person}|my report {person}]: [locked out|unlock please|account locked]",
    "[he|she|they] [works for me|reports to me|is on my team] and is locked out[: {person}|, {person}]",
    "how [do|can] I unlock [my report|someone on my team|{person}|my employee|one of my people]",
    "help {person} [get back in|with the lockout], [account is locked|locked out]",
)


class UnlockForReport(Procedure):
    name = "unlock_for_report"
    title = "Unlock somebody who reports to me"
    phrases = PHRASES
    slots = (Slot("report", SlotKind.REPORT, "Whose account shall I unlock?"),)

    async def subject(self, world: World, sender: Person, params: Params) -> Person:
        return await world.directory.person(params["report"])

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        if subject.manager_id == sender.id:  # what state somebody else's account is in is not theirs to know
            state = await world.accounts.state(subject.id)
            if state.disabled:
                raise Impossible(
                    f"The account of {subject.name} is disabled, not locked. Please call the help desk."
                )
            if not state.locked:
                raise Impossible(f"The account of {subject.name} is not locked.")
        return Preview(
            sentence=f"Unlock the account of {subject.name}",
            done=f"The account of {subject.name} is not locked.",
            facts=(
                Fact(label="Account", value=f"{subject.name} ({subject.account})"),
                Fact(label="Asked by", value=f"{sender.name}, their manager"),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (Unlock(),)


ACTION = UnlockForReport()
