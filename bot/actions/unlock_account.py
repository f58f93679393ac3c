"""Unlock the sender's own account."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Impossible, Params, Preview, Procedure, Step, World
from bot.procedures.steps import Unlock
from integrations.contract import Person

# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = (
    "unlock my account",
    "please unlock my account",
    "my account is locked",
    "account locked",
    "acount locked pls help",
    "my acc is lockd",
    "I'm locked out",
    "im locked out",
    "I am locked out of my account",
    "I locked myself out",
    "locked myself out again, sorry",
    "I've locked myself out of my laptop",
    "locked out!!",
    "locked out, help",
    "can you unlock me?",
    "unlock me please",
    "Could you please unlock my user account? Thank you.",
    "Hello, would you mind unlocking my account?",
    "it says my account has been locked due to too many failed attempts",
    "too many failed login attempts",
    "too many attempts, now it's blocked",
    "I entered the wrong password too many times and now I'm locked out",
    "typed my password wrong five times",
    "typed the wrong password three times and now nothing works",
    "I mistyped my password too often, account blocked",
    "my account got blocked after wrong passwords",
    "my account is blocked",
    "my login is blocked",
    "my user is blocked, please unblock",
    "unblock my account",
    "unblock me pls",
    "Unfreeze my account",
    "my account is frozen",
    "account disabled after too many tries, please unlock",
    "windows says the referenced account is currently locked out and may not be logged on to",
    "the message says: 'The referenced account is currently locked out'",
    "Account lockout",
    "lockout",
    "I have an account lockout",
    "got a lockout this morning, please release my account",
    "release my account",
    "please lift the lock on my account",
    "remove the lock from my account",
    "take the lock off my account",
    "my account was locked overnight for no reason",
    "why is my account locked? please open it again",
    "why am I locked out???",
    "why does it keep locking me out, unlock it now",
    "It locked me out AGAIN. Fix it.",
    "third time this week i'm locked out. this is a joke",
    "seriously, locked out again, can somebody just unlock me",
    "I know my password but the account is locked",
    "I remember my password, it's just locked, please unlock",
    "password is fine but my account is locked",
    "I don't need a new password, just unlock my account",
    "my phone kept trying the old password and locked my account",
    "Changed my password yesterday and my phone locked me out with the old one",
    "my tablet still has the old password and it keeps locking my account",
    "after the password change my account keeps getting locked",
    "caps lock was on and now I'm locked out",
    "capslock... account locked... sorry",
    "my cat walked over the keyboard and now I'm locked out",
    "my kids played with my laptop and now the account is locked",
    "Hi, it's {person}. I am locked out of my account and have a customer call in ten minutes.",
    "{person} here, locked out",
    "This is {person} from finance, my account is locked, please unlock it asap.",
    "Dear help desk, my account seems to be locked. I would be grateful if you could unlock it.",
    "Good morning, unfortunately I locked my account. Can you please help?",
    "so I came back from lunch, typed my password, it said wrong, I typed again, and again, and now it "
    "says the "
    "account is locked out, please can you open it",
    "can't log in, account is locked",
    "can't log on, it says locked",
    "I can't log in because I'm locked out",
    "can't sign in - says my account is locked",
    "cannot login, locked",
    "cant get in, its locked me out",
    "it wont let me log in, says locked",
    "login locked",
    "log in blocked for 30 minutes, can you speed that up? account locked",
    "do I have to wait until the lock is over or can you unlock me",
    "how do I unlock my account?",
    "how can I get my account unlocked",
    "is there a way to unlock my account myself",
    "I need my account unlocked",
    "need an unlock",
    "need unlock asap",
    "account unlock request",
    "requesting an unlock of my account",
    "user account unlock please",
    "unlock my user",
    "unlock my login",
    "unlock my AD account",
    "unlock my windows account",
    "my AD account is locked out",
    "my domain account is locked",
    "please unlock my computer account, I can't work",
    "I can't work, my account is locked since 8",
    "locked out of my computer",
    "locked out of my laptop",
    "locked out of windows",
    "locked out of my pc after too many tries",
    "locked out of email",
    "I'm locked out of everything",
    "system locked me out",
    "the system has locked me out",
    "it has locked me out of the system",
    "I got kicked out and locked, please unlock",
    "got myself locked out, my bad",
    "guess who's locked out again",
    "think I'm locked out",
    "I think my account is locked",
    "I believe that I have been locked out",
    "looks like my account got locked",
    "seems my account is locked, can you check and unlock?",
    "am I locked out? please unlock me if so",
    "is my account locked?",
    "check if my account is locked please",
    "pls unlok my acount",
    "unlcok my account",
    "acccount is loked",
    "my accout is bloked",
    "loced out",
    "locked otu of my account",
    "unlock account",
    "unlock",
    "account unlock",
    "locked",
    "my account needs unlocking",
    "can someone unlock my account",
    "could somebody from IT unlock my account quickly?",
    "would love to work today, but my account is locked 😅",
    "🔒 locked out, please help",
    "please reactivate my account, I typed the wrong password too often",
    "too many wrong tries on the vpn, now the account is locked",
    "VPN login failed too often, my account is locked now",
    "maximum number of login attempts exceeded",
    "exceeded the maximum number of tries, now I'm stuck outside",
    "used up all my login attempts",
    "ran out of attempts and I'm shut out",
    "I'm shut out of my account",
    "it shut me out after the fifth try",
    "konto gesperrt",
    "please unlock it, my account i mean",
    "hi sorry to bother you again but my account is locked once more, could you unlock it when you get a "
    "chance? ty",
    "[please|pls|kindly|can you|could you] [unlock|unblock|release|unfreeze|reopen] my "
    "[account|login|user|profile]",
    "my [account|login|user|profile|windows account] [is|got|has been|seems|was] "
    "[locked|blocked|frozen|locked out|suspended]",
    "I [got|am|was|have been|keep getting] locked out [again|this morning|of my account|of the system|of "
    "windows|of my pc]",
    "I [locked|blocked] [myself out|my account|my own account|my user] [again|by "
    "mistake|accidentally|somehow]",
    "[too many|five|several|a few too many] [wrong|failed|bad|incorrect] "
    "[attempts|tries|passwords|logins], [I'm locked out|account locked|now it's locked|can't get in any "
    "more]",
    "it [says|tells me|shows] [account locked|I'm locked out|my account is locked|too many attempts]",
    "[how|where] [do|can] I [unlock|unblock|get back into] my [account|login]",
    "I [mistyped|misspelled|fat-fingered|typed wrong] my password [too often|too many times|three "
    "times|a few times] and [got locked out|it locked me out|the account is locked]",
    "[my kids|my son|my cat|my toddler|a colleague] [played with my laptop|hit the keys|typed nonsense] "
    "and [now I'm locked out|locked my account|it's locked now]",
    "[unlock|unblock] me [please|again|pls|now|asap]",
    "[locked|lockd|lokced] out [of my account|again|since this morning|help|!!]",
    "[guess who|yours truly|me again,] [is|got] locked out",
    "it's [me|{person}], I [am|got] locked out",
    "{person} here, [I'm locked out|my account is locked|locked out again]",
    "my password is [right|correct|fine] but the account is [locked|blocked]",
    "[it kicked me out|I got kicked out] and [now says locked|the account is locked|won't let me back "
    "in, locked]",
    "account [locked|is locked|lockout|got locked] [please help|help|what now|sorry]",
    "I'm [locked|shut|frozen] out [since|after] [this morning|lunch|the weekend|the update]",
    "I just need [an unlock|my account unlocked|to be unlocked], [not a new password|the password is "
    "fine|nothing else]",
)


class UnlockAccount(Procedure):
    name = "unlock_account"
    title = "Unlock my account"
    phrases = PHRASES

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        state = await world.accounts.state(subject.id)
        if state.disabled:
            raise Impossible("Your account is disabled, not locked. Please call the help desk.")
        if not state.locked:
            raise Impossible(
                "Your account is not locked. If you cannot log in, the password may be wrong:"
                ' write "reset my password".'
            )
        return Preview(
            sentence=f"Unlock the account of {subject.name}",
            done=f"The account of {subject.name} is not locked.",
            facts=(Fact(label="Account", value=f"{subject.name} ({subject.account})"),),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (Unlock(),)


ACTION = UnlockAccount()
