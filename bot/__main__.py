"""The `deskhand` command."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path

import structlog

from bot import admin, company, doctor, terminal
from bot.app import serve
from bot.audit.chain import BrokenTrail
from bot.chat.platform import ChatWrong
from bot.chat.web.guard import NotLoopback, check_host
from bot.intent.classify import WeightsError
from bot.intent.evaluate import MessagesError, read
from bot.people import SIGN_IN
from bot.settings import SettingError, Settings
from bot.settings.paths import Paths
from bot.store.database import StorageDown
from bot.store.keys import KeyFileError
from bot.store.lock import AlreadyRunning
from bot.systems import CannotStart
from bot.wrong import Wrong
from integrations.contract import ConnectorError

_MOST_EUR = 10**9

Command = Callable[[Settings, argparse.Namespace], int]

# What a person can mend, said in a line; anything else is a fault of ours and shows its trace.
_MENDABLE = (
    Wrong,
    AlreadyRunning,
    BrokenTrail,
    CannotStart,
    ChatWrong,
    ConnectorError,
    KeyFileError,
    MessagesError,
    NotLoopback,
    SettingError,
    StorageDown,
    WeightsError,
)


def main(argv: Sequence[str] | None = None) -> int:
    os.umask(0o077)  # whatever is written here is for whoever runs it alone
    args = _parser().parse_args(argv)
    command: Command = args.command
    try:
        settings = Settings.read()
        _log(settings)
        return command(settings, args)
    except _MENDABLE as error:
        print(f"deskhand: {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(f"deskhand: {error.filename}: this user may not use it; see DESKHAND_DATA", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(settings: Settings, args: argparse.Namespace) -> int:
    check_host(settings.host, beyond=settings.beyond_loopback)
    print(f"Deskhand on {settings.url}   (Ctrl-C ends it)", flush=True)
    asyncio.run(serve(settings))
    return 0


def _ask(settings: Settings, args: argparse.Namespace) -> int:
    return terminal.run(settings, args.who, " ".join(args.words))


def _train(settings: Settings, args: argparse.Namespace) -> int:
    try:
        learning = importlib.import_module("bot.learning")  # by name: it needs numpy and scipy, we do not
    except ModuleNotFoundError as missing:
        raise Wrong(f"training needs {missing.name}, which `make test` installs") from missing
    if args.also is None:
        learning.main()
    else:
        settings.data.mkdir(parents=True, exist_ok=True)
        learning.main(read(Path(args.also)), Paths(settings.data).weights)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deskhand", description="The help desk that acts.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "serve", _serve, "serve the web desk (what `make run` does)")

    ask = _add(commands, "ask", _ask, "talk to the desk in this terminal")
    ask.add_argument("--as", dest="who", required=True, metavar="WHO", help="mail, log-in name or id")
    ask.add_argument("words", nargs="*", help='what you want: "I need figma for two weeks"')

    _audit(commands)
    _policy(commands)

    _company(commands)
    _people(commands)
    catalogue = commands.add_parser("catalogue", help="what one can ask for").add_subparsers(required=True)
    _add(catalogue, "suggest", admin.catalogue_suggest, "groups of the directory as entries to edit")
    slack = commands.add_parser("slack", help="the Slack app").add_subparsers(required=True)
    made = _add(slack, "manifest", admin.slack_manifest, "the app's manifest, to paste into Slack")
    made.add_argument("--public-url", metavar="URL", help="for signed HTTP instead of Socket Mode")

    teams = commands.add_parser("teams", help="the Teams app").add_subparsers(required=True)
    zipped = _add(teams, "package", admin.teams_package, "write the app package, to upload into Teams")
    zipped.add_argument("--file", default="deskhand-teams.zip", help="default: deskhand-teams.zip")
    zipped.add_argument("--company", default="Your company", metavar="NAME", help="who gives people this app")
    zipped.add_argument(
        "--website", metavar="URL", help="about it and its privacy; default: DESKHAND_PUBLIC_URL"
    )

    for name, on in (("freeze", True), ("unfreeze", False)):
        one = _add(commands, name, partial(admin.freeze, on=on), f"{name} all requests of a person")
        one.add_argument("person", help="mail, log-in name, id or full name")

    resolve = _add(commands, "resolve", admin.resolve, "end a stuck request by what you found")
    resolve.add_argument("request", help="reference: R-7Q2MXB")
    found = resolve.add_mutually_exclusive_group(required=True)
    found.add_argument("--happened", action="store_true", dest="happened")
    found.add_argument("--not-happened", action="store_false", dest="happened")

    doc = _add(commands, "doctor", doctor.run, "what is configured, what answers, what is missing")
    doc.add_argument(
        "--message", metavar="WHO", help="also send this person a direct message, and read it back"
    )
    train = _add(commands, "train", _train, "learn the phrases of bot/actions/phrases anew")
    train.add_argument(
        "--also", metavar="FILE", help="your own phrases, JSON lines: the weights go into the data folder"
    )
    judge = _add(commands, "eval", admin.evaluate, "measure understanding on a file of messages")
    judge.add_argument("file", help='JSON lines: {"text", "intent", "accepted"}')
    return parser


def _audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser("audit", help="the audit trail").add_subparsers(required=True)
    listed = _add(audit, "list", admin.audit_list, "events, the newest last")
    listed.add_argument("--person", help="as actor or subject: mail, log-in name, id or full name")
    listed.add_argument("--action")
    listed.add_argument("--outcome", choices=("ok", "refused", "failed", "unknown"))
    listed.add_argument("--kind", help="request.approved, or request for all of them")
    listed.add_argument("--request", help="reference: R-7Q2MXB")
    listed.add_argument("--since", help="7d, 3h, 30m, 2w, or a date")
    listed.add_argument("--limit", type=int, default=50)
    shown = _add(audit, "show", admin.audit_show, "the whole story of one request")
    shown.add_argument("request", help="reference: R-7Q2MXB")
    _add(audit, "verify", admin.audit_verify, "prove that nothing was changed")
    exported = _add(audit, "export", admin.audit_export, "write events to a file, with a proof beside it")
    exported.add_argument("file", help="ending in .jsonl or .csv")
    exported.add_argument("--request", help="reference: R-7Q2MXB")
    exported.add_argument("--since", help="7d, 3h, 30m, 2w, or a date")
    exported.add_argument("--words", action="store_true", help="with what people wrote, in the clear")


def _people(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    people = commands.add_parser("people", help="whose chat account is whose").add_subparsers(required=True)
    _add(people, "list", admin.people_list, "every link")
    linked = _add(people, "link", admin.people_link, "say whose account this is")
    ended = _add(people, "unlink", admin.people_unlink, "end a link; only link makes a new one")
    for one in (linked, ended):
        one.add_argument("platform", choices=("slack", "teams", SIGN_IN))
    linked.add_argument("account", help="the id of the account there: U0123456789, Entra's object id, or sub")
    _add(people, "quarantine", admin.people_quarantine, "whose way to sign in changed lately")
    released = _add(people, "release", admin.people_release, "from that, once you have spoken to them")
    lost = _add(
        people, "forget-authenticator", admin.people_forget_authenticator, "of somebody who lost theirs"
    )
    for one in (linked, ended, released, lost):
        one.add_argument("person", help="mail, log-in name, id or full name")


def _company(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parts = commands.add_parser("company", help="the embedded company").add_subparsers(required=True)
    login = _add(parts, "login", company.login, "try a password, as its log-in page would")
    login.add_argument("name", help="log-in name")
    login.add_argument("--password", help="instead of being asked for it")
    tickets = _add(parts, "tickets", company.tickets, "open tickets, as its help desk sees them")
    tickets.add_argument("key", nargs="?", help="one of them, whole: IT-1")
    answer = _add(parts, "answer", company.answer, "write on a ticket, as somebody at its help desk")
    answer.add_argument("key", help="IT-1")
    answer.add_argument("text")
    answer.add_argument("--as", dest="name", default="Chloe Dubois", metavar="NAME", help="who writes")
    answer.add_argument("--internal", action="store_true", help="for the help desk alone")
    answer.add_argument("--close", action="store_true", help="and close it")


def _policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    policy = commands.add_parser("policy", help="the rules").add_subparsers(required=True)
    _add(policy, "check", admin.policy_check, "everything that speaks against starting with these rules")
    _add(policy, "test", admin.policy_test, "run the cases, and find what none of them would notice")
    explain = _add(policy, "explain", admin.policy_explain, "which rules decide, why, and who could approve")
    explain.add_argument("--as", dest="who", required=True, metavar="WHO")
    explain.add_argument("action", help="grant_access, reset_password, ...")
    explain.add_argument("--for", dest="for_", metavar="WHO", help="the subject, where it is not the sender")
    explain.add_argument("--resource", help="key of the catalogue")
    explain.add_argument("--days", type=int)
    explain.add_argument("--amount", type=_euros, metavar="EUR", help="what it costs")
    explain.add_argument("--kind", default="", help='of what it is: "laptop", "Sick"')


def _euros(text: str) -> Decimal:
    """:raises ArgumentTypeError: which argparse shows"""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not (amount.is_finite() and 0 <= amount <= _MOST_EUR):
        raise argparse.ArgumentTypeError(f"{text!r} is no amount, like 300 or 1450.00")
    return amount


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, command: Command, what: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what)
    parser.set_defaults(command=command)
    return parser


def _log(settings: Settings) -> None:
    level = logging.getLevelNamesMapping().get(settings.log_level.upper())
    if level is None:
        raise SettingError("DESKHAND_LOG_LEVEL: takes debug, info, warning or error")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            # Plain: a traceback that shows local variables shows what people wrote, and secrets.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    sys.exit(main())
