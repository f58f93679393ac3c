"""Reset the sender's own password."""

from __future__ import annotations

from bot.chat.card import Fact
from bot.procedures.action import Impossible, Params, Preview, Procedure, Run, Seen, Step, World
from integrations.contract import Person

# What people write when they want this. ``bot/intent/expand.py`` says what the braces stand for.
# After a change: ``deskhand train``.
PHRASES: tuple[str, ...] = (
    "reset my password",
    "password reset",
    "password reset please",
    "pw reset pls",
    "I forgot my password",
    "forgot my pasword again",
    "i forgott my passwrod, sorry",
    "forgot password",
    "new password please",
    "I need a new password",
    "can you reset my password?",
    "Could you please reset my password for me?",
    "Hi, could you help me with resetting my password? Thanks a lot!",
    "please reset my windows password",
    "can't remember my password",
    "cant remember my pw after the holidays",
    "I was on vacation for three weeks and now I can't remember my password for the life of me",
    "my password expired",
    "my password has expired and I can't set a new one",
    "it says my password is expired, what now",
    "Windows tells me my password has expired. Please help.",
    "my password doesn't work anymore",
    "my password isn't working",
    "password not accepted",
    "the login keeps saying wrong password",
    "it keeps telling me the password is incorrect and I'm sure it's right, please give me a new one",
    "invalid credentials when I log in, need to reset",
    "I changed my password on friday and now I don't remember what I changed it to",
    "I changed my password yesterday and already forgot it",
    "lost my password",
    "misplaced my password, can I get another one",
    "I've forgotten my login password",
    "blanked on my password",
    "My mind went blank, what was my password... can you set a new one",
    "I need to change my password",
    "change my password",
    "want to change my password because somebody may have seen it",
    "I think someone knows my password, please change it",
    "i typed my password into a phishing page, reset it right now!!!",
    "I clicked on a phishing link and entered my password, I need it changed immediately",
    "I believe my password got leaked, need a new one asap",
    "my password has been compromised",
    "how do I reset my password?",
    "how can i change my password",
    "where do I reset my password",
    "is there a way to reset my own password?",
    "reset pw",
    "pwd reset",
    "passwd reset",
    "resset my passwort",
    "pasword reset plz",
    "need pasword resett",
    "i need my password reset before my 10am meeting",
    "Good morning, I'd like my password to be reset please.",
    "Dear IT, I regret to say that I have forgotten my password. Would you be so kind as to reset it?",
    "This is ridiculous, third time this month. RESET MY PASSWORD",
    "ugh. password. again. reset it please",
    "why does this stupid password never work?? just give me a new one",
    "for gods sake just reset my password",
    "I am new here and my first password doesn't work",
    "first day, the initial password I got isn't accepted",
    "my temporary password ran out before I could use it",
    "the temp password you sent me expired",
    "I can't log in, forgot my password",
    "can't sign in because I don't know my password any more",
    "can't get into my laptop, I don't know the password anymore",
    "I can't log into my computer, think I need a new password",
    "computer won't take my password",
    "my pc doesn't accept my password since this morning",
    "It does not let me in with my password. Can you reset?",
    "the system won't accept my old password and I never got a new one",
    "I got the mail that my password will expire tomorrow, please help me to renew it",
    "password renewal please",
    "renew my password",
    "please send me a new password",
    "can I get a temporary password",
    "could i have a fresh password",
    "generate a new password for my account",
    "set a new password for me",
    "set me up with a new login password",
    "my login credentials don't work, please reset them",
    "forgot my credentials",
    "reset my credentials please",
    "reset my login",
    "need a reset of my login password please",
    "I need help with my password",
    "help with password",
    "password problem",
    "problems with my password, it doesn't like it",
    "trouble with my password",
    "something is wrong with my password",
    "my password's gone, head like a sieve, sorry!",
    "embarrassing, but I don't remember my password",
    "don't know my password",
    "i dont know my pasword anymore can u help",
    "no clue what my password is",
    "Back from parental leave and of course my password is forgotten. What do I do?",
    "hey, back after two months of sick leave, password is dead, can you help",
    "Hello, this is {person} from accounting, I have forgotten my password and need it today for the "
    "closing.",
    "{person} here. Please reset my password.",
    "so I was trying to log in this morning and it kept rejecting my password, and I tried like four "
    "times and "
    "now I'm afraid to try again, can someone just reset it",
    "Hi team, I know you are busy, but whenever you have a minute: my password needs a reset.",
    "I wrote my password on a sticky note and the cleaner threw it out, need a new one",
    "my kid changed my password on my laptop and I can't guess it",
    "need to reset my active directory password",
    "AD password reset for my account",
    "domain password reset please",
    "my network password needs resetting",
    "the password for my work account is not working, reset please",
    "email password reset",
    "forgot the password to my work email",
    "I can't get in my mail, forgot my password",
    "My password was rejected five times. Reset it please.",
    "Outlook keeps asking me for my password and rejects it",
    "it wont take my password",
    "wrong password every time",
    "says incorrect password",
    "says username or password incorrect",
    "my old password is not valid anymore",
    "passwort vergessen",
    "passwords hate me, new one please",
    "may I please have my password reset",
    "would it be possible to get my password reset today?",
    "I'd appreciate a password reset",
    "requesting a password reset",
    "request: password reset for my own account",
    "please help me regain my login, i don't have the password anymore",
    "Please initiate a password reset for me.",
    "I accidentally saved over my password in the password manager and don't know it any more",
    "lost all my saved passwords incl. the one for my account, need a reset",
    "my new laptop wants a password I don't have",
    "Need to pick a new password, the old one is expiring",
    "update my password",
    "can we do a password reset real quick",
    "quick one: password reset",
    "hi 👋 forgot my password 🙈",
    "pls help!! presentation in 5 min and my password doesnt work",
    "[reset|change|renew|refresh] my [pw|pwd|passwd|login password|windows password|work "
    "password|network password]",
    "[can|could|would] [you|someone|anybody] [reset|change|renew] my [password|pw|login password]",
    "I [forgot|don't know|can't remember|lost|no longer know] my [password|pw|login password|credentials]",
    "my [password|pw|login password] [is not working|doesn't work|won't work|stopped working|isn't "
    "accepted|gets rejected]",
    "my [password|pw] [expired|has expired|is expired|ran out|is no longer valid]",
    "[is there a way|how is it possible|is it possible] to reset my own [password|pw]",
    "I [need|want|would like|require] a [new|fresh|temporary|different] [password|pw|login password]",
    "[please|pls|kindly] [send|give|issue|set] me a [new|temporary|fresh] [password|pw]",
    "[can we do|let's do|I'd like to do|need to do] a password reset [real quick|today|now|please]",
    "the [password|pw] I [chose|set|picked] [last week|on monday|yesterday|before my leave] is [gone "
    "from my head|forgotten|not working]",
    "I'm [back|here again] after [two weeks|a month|my leave|the holidays] and [don't know|forgot|can't "
    "recall] my [password|pw]",
    "someone [saw|knows|stole|guessed] my password, [change it|reset it|I need a new one] please",
    "I can't [log in|sign in|log on], [wrong password|password rejected|it says the password is wrong]",
    "[pasword|passwrod|paswrd|passowrd] [reset|rest|resset|restt] [plz|please|pls]",
    "[drawing a blank on|struggling with|having issues with|having trouble with] my password",
    "my password [needs|requires|is due for] [a reset|resetting|changing|an update]",
    "how [do|can|would] I [reset|change|update|recover|renew] my [password|pw|login password]",
    "[where|how] [can|do] I get a [new|temporary] password",
    "the [computer|laptop|system|portal|login screen|mail] [says|claims|insists] my password is "
    "[wrong|incorrect|invalid]",
    "recover my [password|login|credentials]",
    "I sat down after my holiday, stared at the login screen and realised I have no idea what I used to "
    "type there",
    "my memory fails me, what do I do about my login",
    "the thing I type to get into my computer, I can't recall it",
    "the sticky note with my login went missing and now I'm helpless",
    "Windows wants me to choose something new but rejects everything I try",
    "I keep getting 'the user name or password is incorrect'",
    "the password field just shakes and nothing happens",
    "I entered the right password, I swear, but it keeps refusing",
    "nothing I type as password gets accepted today",
    "every password I try is wrong",
    "tried all my usual passwords, none of them works",
    "been trying to log in for half an hour, it never accepts my password",
    "Is there someone who can set my password back to something temporary?",
    "could IT give me a one-time password so I can choose a new one",
    "I'd like to choose a new password but don't know the current one",
    "I need to set a different password, my ex knows it",
    "a stranger looked over my shoulder while I typed my password on the train, I'd better change it",
    "I think my credentials were stolen, get me new ones",
    "my password was in a data breach, please reset it",
    "security told me to change my password",
    "I got a notice that my password is about to expire",
    "the 90 days are over and my password stopped working",
    "my password died over the weekend",
    "it forced me to change my password and now I don't know what I typed",
    "I set a new password on Friday evening, and on Monday it's gone from my head",
    "after the forced password change I can't get in with the new one",
    "my new starter password doesn't let me in",
    "welcome letter says to use the initial password but it is refused",
    "my start password never arrived",
    "I'm new and nobody gave me a password",
    "can't get into my account, don't have the password",
    "can't access my account, password unknown",
    "I'm unable to log in with my password",
    "unable to sign in, credentials not recognised",
    "credentials not working",
    "login fails with my password",
    "login failed, wrong password",
    "login not working, need reset",
    "I can't login",
    "I can't log in to my computer",
    "cannot sign in to my account this morning",
    "not able to log in since I changed the password",
    "password help",
    "pw help",
    "pass reset",
    "need pw reset",
    "reset passwrd",
    "passwort reset bitte",
    "forget my password",
    "i forget password",
    "im forgetting my passwords all the time, new one pls",
    "my brain deleted my password",
    "what's my password? I can't remember",
    "what was my password again",
    "do you know my password? i forgot it",
    "please help me get a new password for logging in",
    "help me reset my password",
    "help me with a password reset",
    "help me, password forgotten",
    "I would like you to reset my password",
    "I want my password reset",
    "I want to reset my password",
    "I want to change my login password",
    "I'd like to set a new password",
    "Let's reset my password",
    "time for a new password",
    "it's time to change my password",
    "may I have a new password",
    "can u reset my pw",
    "could you sort out my password",
    "can you fix my password",
    "please fix my password, it does not work",
    "who can reset my password?",
    "who do I contact to reset my own password?",
    "what do I do if I forgot my password",
    "what should I do, I forgot my password",
    "what's the procedure to get my own password reset, I forgot mine",
    "link to reset my password?",
    "send me a password reset link",
    "I need the link to change my password",
    "sorry for the trouble, I need my password reset once more",
    "this is embarrassing but I forgot my password again",
    "apologies, password forgotten, again",
    "I'm an idiot, forgot my password",
    "guess what, forgot my password again",
)


class SetNewPassword:
    """Set the sealed password. ``password_set_at`` moves with it, so a crash leaves no doubt."""

    name = "set_password"
    no_undo = "The old password is not known to anybody; a wrong reset is ended by the next one."

    async def look(self, run: Run) -> Seen:
        state = await run.world.accounts.state(run.subject.id)
        return {"password_set_at": state.password_set_at.isoformat() if state.password_set_at else None}

    def needless(self, seen: Seen) -> bool:
        return False

    async def do(self, run: Run) -> None:
        assert run.secret is not None, "the credential is sealed before the step runs"
        await run.world.accounts.reset(run.subject.id, run.secret, op=run.op)

    async def happened(self, run: Run, seen: Seen) -> bool | None:
        state = await run.world.accounts.state(run.subject.id)
        moved = state.password_set_at.isoformat() if state.password_set_at else None
        return moved != seen["password_set_at"] and state.must_change

    async def undo(self, run: Run, seen: Seen) -> None:
        """See ``no_undo``."""


class ResetPassword(Procedure):
    name = "reset_password"
    title = "Reset my password"
    phrases = PHRASES
    makes_secret = True
    tells = True

    async def preview(self, world: World, sender: Person, subject: Person, params: Params) -> Preview:
        state = await world.accounts.state(subject.id)
        if state.disabled:
            raise Impossible(
                "Your account is disabled, so its password cannot be reset. Please call the help desk."
            )
        return Preview(
            sentence=f"Set a new password for {subject.name}, to be changed at the next log-in",
            done=f"{subject.name} has a new password, to be changed at the next log-in.",
            facts=(
                Fact(label="Account", value=f"{subject.name} ({subject.account})"),
                Fact(
                    label="How you get it",
                    value="On a page that opens with a code your manager reads out to you",
                ),
            ),
        )

    def steps(self, params: Params) -> tuple[Step, ...]:
        return (SetNewPassword(),)


ACTION = ResetPassword()
