"""Say how much time off is left: the sender's own, or that of somebody who reports to them."""

from __future__ import annotations

from bot.chat.card import Card, Fact
from bot.procedures.action import Lookup, Params, Slot, SlotKind, World
from integrations.contract import Balance, Person

# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = (
    "how many vacation days do I have left?",
    "how many days do I have left",
    "how many days off do I have left this year",
    "how much vacation do I have left?",
    "how much pto do i have",
    "how much PTO do I have left?",
    "how much holiday have I got left",
    "how much annual leave do I have remaining?",
    "how much time off do I still have?",
    "how many holidays do I have left",
    "how many leave days are left for me",
    "how many days of leave have I got",
    "how many vacation hours do I have",
    "how many hours of pto do I have banked",
    "how many sick days do I have left?",
    "how many personal days have I left",
    "how many days can I still take",
    "how many days can I take off before the end of the year",
    "how many days off can I still take?",
    "how many vacation days have I used",
    "how many days have I taken this year",
    "how much leave have I taken so far?",
    "how much time off have I used up",
    "how much vacation did I use this year",
    "what's my pto balance",
    "what is my PTO balance?",
    "whats my vacation balance",
    "what's my leave balance?",
    "what's my holiday balance",
    "what is my remaining annual leave",
    "what's left of my vacation",
    "what do I have left in vacation days",
    "what's my remaining vacation",
    "my pto balance",
    "my pto",
    "my vacation days",
    "my holiday balance please",
    "my remaining days",
    "my leave balance",
    "my days off left",
    "my time off",
    "pto balance",
    "pto balance please",
    "pto?",
    "vacation balance",
    "vacation days left",
    "vacation days left?",
    "leave balance",
    "holiday balance",
    "holidays left?",
    "remaining vacation",
    "remaining holidays please",
    "remaining pto",
    "remaining days off",
    "days off left",
    "time off balance",
    "annual leave balance",
    "annual leave remaining",
    "check my pto",
    "check my vacation balance please",
    "check my leave balance",
    "show my pto balance",
    "show me my remaining vacation days",
    "show me my time off",
    "show my leave",
    "tell me my vacation balance",
    "tell me how many days I have left",
    "can you tell me how many vacation days I have left?",
    "can you check how much vacation I have left",
    "can you look up my vacation days",
    "could you please tell me my current leave balance?",
    "could you check how many days off I still have? thanks",
    "do I have any vacation left?",
    "do I have any days left",
    "do I still have vacation days",
    "do I have enough days for two weeks off in august?",
    "do I have enough pto to take next week off",
    "do i have enough vacation for a trip {span}",
    "have I got any holiday left?",
    "have I got enough leave to take all of december off",
    "am I out of vacation days?",
    "is there any vacation left for me",
    "are there any days left on my account",
    "I want to know how many vacation days I have",
    "I'd like to know my vacation balance",
    "I would like to know how much holiday I have left please",
    "I need to know how many days off I have left",
    "I'm planning a trip, how many days do I have left?",
    "planning my summer holiday, what's my balance",
    "my wife wants to book a trip {span}, how many days do I still have?",
    "thinking of taking some time off in {month}, how much do I have",
    "before I book flights: how many vacation days are left?",
    "trying to figure out whether I can take december off, what's my balance",
    "Good morning, could you please let me know how many days of annual leave I have left this year? Kind "
    "regards",
    "Hi, quick question: how many vacation days do I have left?",
    "hey how much vaca do i have",
    "vaca days left",
    "how many vacation dayz i got left",
    "how many vacaton days do i have",
    "hom many days do i have lef",
    "how much pto i got",
    "wats my pto balence",
    "vaction balance",
    "holliday balance",
    "remaning vacation days",
    "anual leave left",
    "how many days off",
    "how many days left",
    "how long can I still go on vacation this year",
    "when you get a chance, my time off balance please",
    "nobody can tell me how many days I have left, can you?",
    "HR never answers, how many vacation days do I have???",
    "I've asked three times now, what is my vacation balance!",
    "so my partner and I are thinking about going away over easter, maybe longer, and I honestly lost "
    "track of what "
    "I took already, how many days would I have left",
    "I lost track of my vacation days",
    "I lost count, how many days off have I left",
    "did I use up all my vacation?",
    "did I use all my days",
    "how much of my vacation is left",
    "how much of my leave is left over from last year",
    "how many carried over days do I have",
    "how many days did I carry over from last year",
    "how many days will I have left after {month}",
    "how much comp time do I have",
    "how many overtime hours do I have left to take off",
    "my flex time balance",
    "do I have time off left",
    "accrued vacation for me?",
    "how much vacation have I accrued",
    "how much pto have I accrued so far",
    "my accrued leave",
    "current vacation balance of mine",
    "how many vacation days does {person} have left?",
    "how many days does {person} have left",
    "how much pto does {person} have",
    "how much holiday has {person} got left",
    "{person}'s pto balance",
    "{person}'s vacation balance please",
    "pto balance of {person}",
    "vacation balance of my report {person}",
    "vacation days of {person} who reports to me",
    "leave balance for {mail}",
    "leave balance for {mention}",
    "what's {person}'s remaining leave? she's on my team",
    "what's the pto balance of my direct report {person}",
    "check the vacation days of my report {person}",
    "does {person} have enough days left to take two weeks off?",
    "does {person} on my team have vacation left",
    "how many days off does my report {person} still have",
    "how many vacation days do my reports have",
    "vacation balance of my team member {person}",
    "{person} wants two weeks in {month}, how many days does he have left?",
    "{person} asked me for time off, how much is left on her account",
    "I need {person}'s vacation balance, I'm the manager",
    "show me how much time off {person} has left",
    "wie viel urlaub habe ich noch",
    "how [many|much] [vacation days|days off|pto|holiday|leave|time off|vacation|annual leave|holidays] "
    "do I [have|still have|have left|got left]",
    "how [many|much] [days|vacation days|leave|pto|time off] [have I|did I] "
    "[left|used|taken|got|take|use] [this year|so far|]",
    "[what's|what is|tell me|show me|check|give me] my [pto|vacation|leave|holiday|time off] "
    "[balance|days|allowance|total]",
    "my [pto|vacation|leave|holiday|remaining vacation|remaining leave|annual leave] "
    "[balance|days|please|allowance]",
    "[remaining|current|available] [vacation|pto|leave|holidays|time off] [days|balance|please|]",
    "do I [have|still have] [any|enough] [vacation|pto|leave|days off|holiday] [left|for next week|for "
    "{month}|to take {month} off|remaining]",
    "have I got [enough|any] [leave|holiday|vacation|days] [left|for a trip in {month}|to take {month} off]",
    "how long can I [still go on vacation|be away|take off] this year",
    "how [many|much] [days|pto|vacation|leave] [does|has] {person} [have|have left|got left|still have]",
    "{person}'s [pto|vacation|leave|holiday] [balance|days left|days]",
    "I need [{person}'s|my report {person}'s] [vacation|leave|pto] balance",
    "[show|list] my [leave|pto|vacation|time off|absences]",
    "I [want|need|would like] to [know|check|see] [how much vacation I have|my pto balance|how many days "
    "I have left|what leave I have left]",
    "am I [out of|running low on] [vacation|pto|days off|leave]",
    "[vacation|pto|leave|holiday] [balance|days left|remaining|left]",
    "I'm [planning|thinking about|dreaming of] [a trip|time off|a holiday|two weeks off] in {month}, "
    "[how many days do I have|do I have enough days|what's my balance]",
    "[could|can] I [afford|take] [two weeks|a week|a few days] off [in {month}|{span}] [with what I have "
    "left|or is my balance too low|, how many days have I got]",
)


class PtoBalance(Lookup):
    name = "pto_balance"
    title = "How much time off is left"
    phrases = PHRASES
    slots = (Slot("person", SlotKind.REPORT, "Whose time off do you want to see?", required=False),)

    async def subject(self, world: World, sender: Person, params: Params) -> Person:
        return await world.directory.person(params["person"]) if "person" in params else sender

    async def answer(self, world: World, sender: Person, subject: Person, params: Params) -> list[Card]:
        today = world.now.date()
        balances = await world.time_off.balances(subject.id, today)
        whose = "You have" if subject.id == sender.id else f"{subject.name} has"
        if not balances:
            return [Card(title=self.title, text=f"{whose} no time-off policy on record. HR can tell why.")]
        first = balances[0]
        return [
            Card(
                title=self.title,
                text=f"{whose} {_amount(first)} of {first.policy.lower()} left.",
                facts=tuple(
                    Fact(label=each.policy, value=f"{_amount(each)} left, {each.used.normalize():f} used")
                    for each in balances
                ),
                footer=f"As of {today:%d %b %Y}",
            )
        ]


def _amount(balance: Balance) -> str:
    return f"{balance.available.normalize():f} {balance.unit}"


ACTION = PtoBalance()
