"""What an admin does on the machine itself: look into the trail, test the rules, freeze, resolve.

These commands work beside a running desk: they open the same files, write with the same audited
functions, and leave a job where the desk has to follow up.
"""

from __future__ import annotations

import asyncio
import getpass
import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml
from sqlalchemy import Connection

from bot.app import App, actions_of, assemble, classifier_of, now
from bot.audit import export as exporting
from bot.audit.checkpoint import CheckpointFile, public_key
from bot.audit.query import Filter, ago, find, line
from bot.audit.story import show
from bot.audit.trail import Event, append
from bot.audit.verify import verify
from bot.chat.slack.manifest import manifest
from bot.chat.teams import package as teams_app
from bot.commands import resting
from bot.intent import evaluate as evaluation
from bot.intent.understand import Understander
from bot.people import find_person
from bot.procedures.action import SlotKind
from bot.procedures.enrolment import Enrolments
from bot.procedures.request import IllegalMove, Shown
from bot.settings import Settings
from bot.settings.paths import Paths
from bot.store import quarantine
from bot.store.keys import KeyFile
from bot.systems import open_system
from bot.wrong import Wrong
from integrations.contract import AmbiguousName, Directory, Person, UnknownPerson
from policies import check as checking
from policies.catalogue import Catalogue
from policies.decide import Policies

_SERVICE = "terminal"
_FORMATS: dict[str, exporting.Format] = {".jsonl": "jsonl", ".csv": "csv"}


def actor() -> str:
    """Who works at this machine, as the trail names them."""
    return f"os:{getpass.getuser()}"


def since(text: str) -> datetime:
    """:raises Wrong:"""
    try:
        return ago(text, now())
    except ValueError as error:
        raise Wrong(str(error)) from error


def audit_list(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        wanted = Filter(
            person=house.person(args.person).id if args.person else "",
            action=args.action or "",
            outcome=args.outcome or "",
            kind=args.kind or "",
            request=args.request or "",
            since=since(args.since) if args.since else None,
        )
        with house.app.office.database.read() as conn:
            entries = find(conn, wanted, limit=args.limit)
        for entry in entries:
            print(line(entry, house.name_of))
        print(f"{len(entries)} events")
    return 0


def audit_show(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        event = Event(
            at=now(), kind="audit.read", actor=actor(), service=_SERVICE, data={"request": args.request}
        )
        with house.app.office.database.read() as conn:
            told = show(conn, args.request, name_of=house.name_of, words=house.app.office.words)
        if not told:
            raise Wrong(f"there is no request {args.request}")
        house.write(lambda conn: append(conn, event))
        print("\n".join(told))
    return 0


def audit_verify(settings: Settings, args: Namespace) -> int:
    paths = Paths(settings.data)
    if not paths.database.exists():
        raise Wrong(f"there is no trail yet in {paths.data}")
    report = verify(paths.database, CheckpointFile(paths.checkpoints), public_key(KeyFile.open(paths.key)))
    print("\n".join(report.lines()))
    return 0 if report.whole else 1


def audit_export(settings: Settings, args: Namespace) -> int:
    file = Path(args.file)
    if file.suffix not in _FORMATS:
        raise Wrong(f"{file.name}: name a file that ends in .jsonl or .csv")
    if not file.absolute().parent.is_dir():
        raise Wrong(f"there is no folder {file.parent}")
    wanted = Filter(since=since(args.since) if args.since else None)
    with _house(settings) as house:
        paths = Paths(settings.data)
        data = {"file": file.name, "words": args.words}
        event = Event(at=now(), kind="audit.exported", actor=actor(), service=_SERVICE, data=data)
        house.write(lambda conn: append(conn, event))
        try:
            proof = exporting.export(
                paths.database,
                file,
                house.app.keys,
                now(),
                wanted=wanted,
                format=_FORMATS[file.suffix],
                with_words=args.words,
                checkpoints=CheckpointFile(paths.checkpoints),
            )
        except OSError as error:
            raise Wrong(f"{file} cannot be written: {error.strerror}") from error
        print(f"{proof.rows} events to {file}")
        print(f"proof in {exporting.proof_of(file).name}")
    return 0


def policy_check(settings: Settings, args: Namespace) -> int:
    problems = checking.check(settings.policies, actions_of(settings).ruled())
    print("\n".join(map(str, problems)) or "The policies can be used.")
    return 1 if problems else 0


def policy_test(settings: Settings, args: Namespace) -> int:
    policies = Policies.load(settings.policies)
    results = checking.run_cases(policies, settings.policies / "cases")
    wrong = [result for result in results if not result.ok]
    for result in wrong:
        print(f"{result.case.file}: {result.case.name}: {'; '.join(result.wrong)}")
    unnoticed = [] if wrong else checking.survivors(settings.policies)
    for change in unnoticed:
        print(f"no case notices: {change}")
    print(f"{len(results) - len(wrong)} passed, {len(wrong)} failed, {len(unnoticed)} changes unnoticed")
    return 1 if wrong or unnoticed else 0


def policy_explain(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        print("\n".join(house.loop.run(house.explain(args))))
    return 0


def freeze(settings: Settings, args: Namespace, *, on: bool) -> int:
    with _house(settings) as house:
        person = house.person(args.person).id
        changed = house.loop.run(house.app.engine.freeze(person, actor(), _SERVICE, on=on))
        state = "frozen" if on else "not frozen"
        print(f"{house.name_of(person)} is {'now' if changed else 'already'} {state}.")
    return 0


def resolve(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        house.app.office.jobs.connect()
        try:
            request = house.loop.run(
                house.app.engine.resolve(args.request, actor(), _SERVICE, happened=args.happened)
            )
        except KeyError as error:
            raise Wrong(f"there is no request {args.request}") from error
        except IllegalMove as error:
            raise Wrong(f"only a stuck request is resolved: {error}") from error
        print(f"{request.ref} is {request.state.value}.")
    return 0


def people_list(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        links = house.app.office.people.links()
        for each in links:
            by = "by confirmed mail" if each.by == "mail" else f"by {each.by}"
            print(f"{each.platform:<8} {each.account:<24} {house.name_of(each.person)}  {each.at[:16]}  {by}")
        print(f"{len(links)} accounts linked")
    return 0


def people_link(settings: Settings, args: Namespace) -> int:
    """Also before the platform is connected: its accounts are known by their ids alone."""
    with _house(settings) as house:
        person = house.person(args.person)
        account = args.account.lower() if args.platform == "teams" else args.account
        house.loop.run(house.app.office.people.link(args.platform, account, person, actor()))
        print(f"{args.platform} {args.account} is {person.name}.")
    return 0


def people_unlink(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        person = house.person(args.person)
        ended = house.loop.run(house.app.office.people.unlink(args.platform, person, actor()))
        print(f"{person.name} {'is no longer' if ended else 'was not'} linked on {args.platform}.")
    return 0


def people_quarantine(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        length = settings.quarantine
        with house.app.office.database.read() as conn:
            changes = quarantine.since(conn, now() - length)
        for each in changes:
            print(f"{house.name_of(each.person)}: {resting(each, length, 'UTC')}")
        print(f"{len(changes)} people in quarantine")
    return 0


def people_release(settings: Settings, args: Namespace) -> int:
    with _house(settings) as house:
        person = house.person(args.person)
        released = house.loop.run(house.app.engine.release(person.id, actor(), _SERVICE))
        print(f"{person.name} {'is released' if released else 'was in no quarantine'}.")
    return 0


def people_forget_authenticator(settings: Settings, args: Namespace) -> int:
    """For whoever lost phone and recovery codes, once somebody has seen them in person."""
    with _house(settings) as house:
        person = house.person(args.person)
        enrolments = Enrolments(house.app.office)
        removed = house.loop.run(enrolments.remove(person.id, by=actor(), service=_SERVICE))
        print(f"{person.name} {'has no authenticator any more' if removed else 'had none'}.")
    return 0


def catalogue_suggest(settings: Settings, args: Namespace) -> int:
    """Entries to edit and to put into catalogue.yaml."""
    system = open_system(settings)
    try:
        if not hasattr(system, "suggestions"):
            raise Wrong("LDAP_URL or ENTRA_TENANT_ID is not set: only a real directory has groups to suggest")
        found = asyncio.run(system.suggestions())
    finally:
        system.close()
    entries = [
        {
            "key": each.key,
            "name": each.name,
            "aliases": [],
            "lets": each.description,
            "system": "entra" if settings.entra else "ldap",
            "group": each.group,
            "owner": each.owner or "WHO ANSWERS FOR IT?",
            "sensitivity": "medium",
            "max_days": 90,
        }
        for each in found
    ]
    print(yaml.safe_dump({"resources": entries}, sort_keys=False, allow_unicode=True))
    print(
        f"# {len(entries)} groups. Check each: what it lets one do, who answers for it, how sensitive it is."
    )
    return 0


def slack_manifest(settings: Settings, args: Namespace) -> int:
    """:raises Wrong:"""
    if args.public_url and not args.public_url.startswith("https://"):
        raise Wrong("--public-url takes an https address: Slack posts to no other")
    print(json.dumps(manifest(args.public_url), indent=2))
    return 0


def teams_package(settings: Settings, args: Namespace) -> int:
    """:raises Wrong:"""
    if not settings.teams_app_id:
        raise Wrong("TEAMS_APP_ID is not set: the package names the bot registration")
    website = args.website or settings.public_url
    if not website.startswith("https://"):
        raise Wrong("--website takes an https address: Teams shows it beside the app")
    made = teams_app.manifest(settings.teams_app_id.lower(), args.company, website)
    file = Path(args.file)
    try:
        file.write_bytes(teams_app.package(made))
    except OSError as error:
        raise Wrong(f"{file} cannot be written: {error.strerror}") from error
    print(f"{file}: upload it in Teams (Apps, Manage your apps, Upload an app), or in the admin center")
    return 0


def evaluate(settings: Settings, args: Namespace) -> int:
    understander = Understander(classifier_of(settings), Catalogue.load(settings.policies / "catalogue.yaml"))
    found = evaluation.figures(evaluation.read(Path(args.file)), understander.classify)
    print(evaluation.report(found))
    print(evaluation.table(found))
    return 0


@dataclass(frozen=True, slots=True)
class _House:
    """The assembled house without its jobs: a guest beside a running desk."""

    app: App
    loop: asyncio.Runner

    def write(self, work: Callable[[Connection], object]) -> None:
        self.loop.run(self.app.office.database.write(work))

    def person(self, text: str) -> Person:
        """By mail, log-in name, id or full name. :raises Wrong:"""
        return self.loop.run(whom(self.app.office.ports.directory, text))

    def name_of(self, person_id: str) -> str:
        try:
            return self.loop.run(self.app.office.ports.directory.person(person_id)).name
        except UnknownPerson:
            return person_id

    async def explain(self, args: Namespace) -> list[str]:
        """What the rules say of an action for a person, and who could approve it."""
        office, gate = self.app.office, self.app.engine.gate
        directory = office.ports.directory
        asker = await whom(directory, args.who)
        subject = await whom(directory, args.for_) if args.for_ else asker
        if args.action not in office.registry:
            raise Wrong(f"there is no action {args.action}; there are {', '.join(office.registry.actions)}")
        if args.resource and args.resource not in office.catalogue:
            raise Wrong(f"the catalogue has no {args.resource}")
        asks_for = {slot.kind for slot in office.registry[args.action].slots if slot.required}
        if SlotKind.RESOURCE in asks_for and not args.resource:
            raise Wrong(
                f"{args.action} is about a resource: add --resource KEY, of {_keys(office.catalogue)}"
            )
        if SlotKind.SPAN in asks_for and not args.days:
            raise Wrong(f"{args.action} is for a time: add --days NUMBER")
        shown = Shown(
            minutes=args.days * 24 * 60 if args.days else None,
            amount_cents=int(args.amount * 100) if args.amount is not None else None,
            currency="EUR",
            kind=args.kind,
        )
        ruled = office.registry[args.action].policy or args.action
        ask = await gate.ask(ruled, asker.id, subject.id, resource=args.resource, shown=shown)
        near = [
            *await directory.managers(subject.id),
            *await office.ports.groups.members(office.settings.fallback),
        ]
        if args.resource:
            near.append(await directory.by_mail(office.catalogue[args.resource].owner))
        if args.amount is not None:
            near += await gate.budget_line(subject.id)
        candidates = [
            (each.name, await gate.who(each.id)) for each in {each.id: each for each in near}.values()
        ]
        return [str(each) for each in checking.explain(office.policies, ask, candidates, now=now())]


def _keys(catalogue: Catalogue) -> str:
    return ", ".join(resource.key for resource in catalogue)


async def whom(directory: Directory, text: str) -> Person:
    """:raises Wrong:"""
    try:
        return await find_person(directory, text)
    except UnknownPerson as error:
        raise Wrong(f"nobody is called {text}") from error
    except AmbiguousName as several:
        names = ", ".join(f"{each.name} ({each.mail})" for each in several.candidates)
        raise Wrong(f"{text} could be {names}: write the mail address") from several


@contextmanager
def _house(settings: Settings) -> Iterator[_House]:
    with asyncio.Runner() as loop:
        app = assemble(settings)
        try:
            yield _House(app, loop)
        finally:
            app.office.database.close()
            loop.run(app.systems.close())
            loop.run(app.web.close())
