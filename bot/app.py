"""The composition root: the only module that names every platform, connector and store."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from bot.actions import discover
from bot.audit import tables as audit_tables
from bot.audit.checkpoint import CheckpointFile, checkpoint
from bot.audit.words import WordStore
from bot.chat.places import Places
from bot.chat.platform import Platform, Receive
from bot.chat.web.door import Door, SignedIn
from bot.chat.web.guard import check_host
from bot.chat.web.identity import Choice
from bot.chat.web.listen import web_app
from bot.chat.web.send import WebPlatform
from bot.chat.web.serve import WebServer, web_server
from bot.desk import Desk
from bot.durable import Jobs
from bot.intent.classify import NONE, WEIGHTS, Classifier, WeightsError
from bot.intent.model import Completion, Limits, Model
from bot.intent.understand import Understander
from bot.lookups import Declared, declared
from bot.pages.approve import approve_pages
from bot.pages.authenticator import authenticator_pages
from bot.pages.page import StrictTransport, failed, page
from bot.pages.proving import Proving
from bot.pages.reveal import reveal_pages
from bot.pages.sign_in import sign_in_pages
from bot.people import People
from bot.procedures.action import Registry
from bot.procedures.days import Calendars
from bot.procedures.decisions import Decisions
from bot.procedures.engine import Engine
from bot.procedures.enrolment import Enrolments
from bot.procedures.help_desk import HelpDeskThreads
from bot.procedures.linking import Linking
from bot.procedures.office import Office
from bot.procedures.proofs import Proofs
from bot.procedures.reveal import Reveals
from bot.settings import Settings
from bot.settings.paths import Paths
from bot.store.authenticators import Authenticators
from bot.store.database import Database, StorageDown
from bot.store.inbox import Inbox, forget
from bot.store.keys import KeyFile
from bot.store.lock import DataLock
from bot.store.migrations import hand_offs, model_calls, people, places, proofs, spine, threads
from bot.store.places import StoredPlaces
from bot.store.proofs import SignIns
from bot.store.proofs import forget as forget_proofs
from bot.store.sealed import Seals
from bot.systems import CannotStart, System, Systems
from integrations.company import Company
from integrations.contract import ConnectorError, Directory, Person, SystemDown, UnknownPerson
from integrations.declared import DeclaredError
from policies.catalogue import Catalogue
from policies.check import check
from policies.decide import Policies

log = structlog.get_logger()

MIGRATIONS = (
    spine,
    audit_tables.create,
    people,
    places,
    proofs,
    threads,
    model_calls,
    hand_offs,
)  # numbered by place: only ever add at the end

_UNDER_WAY = timedelta(seconds=15)  # what came in lately is being handled
_SWEEP_S = 30.0  # late grants, finished jobs, old event ids, a checkpoint of the trail
_REMEMBER_EVENTS = timedelta(days=2)  # ids of events that a platform might deliver again


class Chat(Protocol):
    """A chat service beside the web desk: its platform, and what lets its messages in."""

    @property
    def platform(self) -> Platform: ...
    def attach(self, receive: Receive, ready: Callable[[], bool], places: Places) -> None: ...
    def routes(self) -> list[BaseRoute]: ...
    async def check(self) -> list[tuple[str, bool, str]]: ...
    async def prove(self, find: Callable[[], Awaitable[str | None]], key: str) -> tuple[str, bool, str]: ...
    async def start(self) -> None: ...
    async def listen(self) -> None: ...
    async def stop(self) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class App:
    """The assembled house, serving or not."""

    settings: Settings
    office: Office
    engine: Engine
    desk: Desk
    systems: Systems
    web: WebPlatform
    keys: KeyFile
    asgi: Starlette
    ready: asyncio.Event
    chats: tuple[Chat, ...] = ()  # beside the web desk
    model: Model | None = None

    @property
    def system(self) -> System:
        """The directory of record."""
        return self.systems.record

    @property
    def company(self) -> Company:
        """The embedded one, where that is what is served."""
        assert isinstance(self.system, Company), "a real directory is configured"
        return self.system

    def server(self) -> WebServer:
        return web_server(
            self.asgi,
            self.web.live,
            host=self.settings.host,
            port=self.settings.port,
            beyond=self.settings.beyond_loopback,
            cert=self.settings.tls_cert,
            key=self.settings.tls_key,
        )


def now() -> datetime:
    return datetime.now(UTC)


def _chats(settings: Settings) -> tuple[Chat, ...]:
    """Those that are configured; only their SDKs are imported: all of them would cost a second and 100 MB."""
    chats: list[Chat] = []
    if settings.slack:
        chats.append(importlib.import_module("bot.chat.slack.connect").Slack(settings))
    if settings.teams:
        chats.append(importlib.import_module("bot.chat.teams.connect").Teams(settings))
    return tuple(chats)


def completion_of(settings: Settings) -> Completion | None:
    """The language model that is configured. Imported only then: its package takes 0.7 s and 20 MB."""
    if not settings.model:
        return None
    endpoint: Completion = importlib.import_module("bot.intent.endpoint").Endpoint(
        key=settings.model_key,
        name=settings.model_name,
        url=settings.model_url,
        api_version=settings.model_api_version,
        ca_file=settings.model_ca_file,
        deadline=settings.model_deadline,
    )
    return endpoint


def actions_of(settings: Settings) -> Registry:
    """What employees can ask: one file each, and the look-ups declared on this machine.

    :raises CannotStart: a look-up cannot be used
    """
    built_in = discover().actions
    try:
        more = declared(settings.lookups, settings.lookups_ca_file)
    except DeclaredError as error:
        raise CannotStart(f"DESKHAND_LOOKUPS: {error}") from error
    if twice := sorted(set(built_in) & set(more)):
        raise CannotStart(f"DESKHAND_LOOKUPS: {', '.join(twice)}: there is an action of that name already")
    return Registry({**built_in, **more})


def classifier_of(settings: Settings) -> Classifier:
    """With the weights that were trained on this machine, where there are any.

    :raises CannotStart: they were trained for another release
    """
    own = Paths(settings.data).weights
    path = own if own.exists() else WEIGHTS
    try:
        classifier = Classifier.load(path)
    except WeightsError as error:
        raise CannotStart(str(error)) from error
    if set(classifier.weights.classes) != {*(action.name for action in discover().named()), NONE}:
        raise CannotStart(f"{path}: these are not this release's actions. Train again: docs/understanding.md")
    return classifier


def load_policies(settings: Settings, registry: Registry) -> tuple[Policies, Catalogue]:
    """:raises CannotStart: with everything that is wrong with the rules"""
    if problems := check(settings.policies, registry.ruled()):
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise CannotStart(f"The policies cannot be used; `deskhand policy check` says the same:\n{listed}")
    policies = Policies.load(settings.policies)
    if not settings.signs_in and any(rule.proof == ("sign-in",) for rule in policies.rules.values()):
        raise CannotStart("A rule takes a sign-in as its only @proof, and there is none: see docs/sign-in.md")
    for name, group in (("ADMINS", settings.admins), ("FALLBACK_APPROVERS", settings.fallback)):
        if group not in policies.groups:
            raise CannotStart(f"DESKHAND_{name}: no rule speaks of the group {group!r}, so nobody could act")
    return policies, Catalogue.load(settings.policies / "catalogue.yaml")


def assemble(
    settings: Settings, clock: Callable[[], datetime] = now, completion: Completion | None = None
) -> App:
    """Open every file and put the parts together. Nothing runs yet.

    :param completion: a language model other than the one that is configured
    :raises CannotStart:, :raises StorageDown:, :raises KeyFileError:, :raises NotLoopback:
    """
    check_host(settings.host, beyond=settings.beyond_loopback)
    paths = Paths(settings.data)
    registry = actions_of(settings)
    policies, catalogue = load_policies(settings, registry)
    keys = KeyFile.open(paths.key)
    database = Database.open(paths.database, MIGRATIONS)
    systems = Systems.open(settings)
    system = systems.record
    web = WebPlatform(paths.web)
    platforms: dict[str, Platform] = {web.name: web}
    chats = _chats(settings)
    platforms |= {chat.platform.name: chat.platform for chat in chats}
    office = Office(
        settings=settings,
        database=database,
        jobs=Jobs(paths.database, database.engine),
        words=WordStore(keys),
        seals=Seals(keys),
        sign_ins=SignIns(keys),
        authenticators=Authenticators(keys),
        policies=policies,
        catalogue=catalogue,
        registry=registry,
        ports=systems.ports(),
        people=People(system.directory, database, platforms, clock, link_by_mail=settings.link_by_mail),
        platforms=platforms,
        clock=clock,
        calendars=_calendars(settings, clock),
        sign_in=systems.sign_in,
    )
    engine = Engine(office)
    phrases = {each.name: each.phrases for each in registry.named() if isinstance(each, Declared)}
    leads = {each.name: each.lead for each in registry.named() if each.lead}
    understander = Understander(classifier_of(settings), catalogue, phrases, leads)
    model = _model(completion or completion_of(settings), office)
    desk = Desk(office, engine, understander, Inbox(keys), model)
    ready = asyncio.Event()
    roster = _Roster(system.directory, catalogue, settings, engine.helping.helps)
    for chat in chats:
        chat.attach(desk.receive, ready.is_set, StoredPlaces(database, chat.platform.name))
    sign_in = systems.sign_in
    door = Door(settings.url, sign_in.name, settings.session_idle) if sign_in else None
    asgi = Starlette(
        routes=[
            *(route for chat in chats for route in chat.routes()),
            *_pages(office, engine, web, door),
            Mount("/", web_app(web, desk.receive, roster, ready.is_set, door)),
        ],
        middleware=[Middleware(StrictTransport)] if settings.url.startswith("https://") else [],
        exception_handlers={ConnectorError: failed, StorageDown: failed, Exception: failed},
    )
    return App(settings, office, engine, desk, systems, web, keys, asgi, ready, chats, model)


def _model(completion: Completion | None, office: Office) -> Model | None:
    if completion is None:
        return None
    settings = office.settings
    limits = Limits(settings.model_deadline, settings.model_daily_per_person, settings.model_daily)
    return Model(completion, office.database, office.clock, limits)


def _calendars(settings: Settings, clock: Callable[[], datetime]) -> Calendars:
    """:raises CannotStart:"""
    try:
        return Calendars(settings.holidays, clock)
    except ValueError as error:
        raise CannotStart(f"DESKHAND_HOLIDAYS: {error}") from error


def _pages(office: Office, engine: Engine, web: WebPlatform, door: Door | None) -> list[BaseRoute]:
    """Those that a link on a card opens."""
    proving = Proving(Proofs(office), base=office.settings.url, provider=door.provider if door else "")
    routes: list[BaseRoute] = [
        reveal_pages(Reveals(office, engine), proving),
        approve_pages(Decisions(office, engine), proving),
        authenticator_pages(Enrolments(office), proving),
    ]
    if door:
        sessions = SignedIn(web.messages, door)

        async def open_desk(request: Request, person: Person) -> Response:
            # The cookie is sent only along with what our own page opens, so the page opens the desk.
            return await sessions.open(request, page("<p>One moment…</p>", onward="/desk"), person.id)

        routes += sign_in_pages(Linking(office), proving, open_desk)
    return routes


@asynccontextmanager
async def running(
    settings: Settings, clock: Callable[[], datetime] = now, completion: Completion | None = None
) -> AsyncIterator[App]:
    """The whole desk, alive: jobs launched, what a crash left behind replayed.

    :param completion: a language model other than the one that is configured
    :raises AlreadyRunning: another process owns the data folder
    """
    lock = DataLock(settings.data)
    lock.take()
    try:
        app = assemble(settings, clock, completion)
        await _look_at(app.systems)
        await app.office.jobs.launch()
        keepers = [asyncio.create_task(_keep_house(app))]
        if app.engine.help_desk:
            keepers.append(asyncio.create_task(_keep_listening(app, app.engine.help_desk)))
        try:
            for chat in app.chats:
                await chat.start()
            replayed = await app.desk.replay()
            app.ready.set()
            for chat in app.chats:
                await chat.listen()
            log.info("desk.ready", url=settings.url, replayed=replayed)
            yield app
        finally:
            app.ready.clear()
            for chat in app.chats:
                await chat.stop()
            for keeper in keepers:
                keeper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeper
            await app.desk.finish()
            await app.engine.finish()
            await app.office.jobs.stop()
            for chat in app.chats:
                await chat.close()
            await _checkpoint(app)
            app.office.database.close()
            await app.systems.close()
            await app.web.close()
            if app.model:
                await app.model.close()
    finally:
        lock.release()


async def _look_at(systems: Systems) -> None:
    """Down is a bad day, and everything is looked at anew when it is back.
    :raises ConnectorError: it is wrong for good"""
    try:
        log.info("system.ready", said=await systems.check())
    except SystemDown as error:
        log.warning("system.down", reason=str(error))


async def serve(settings: Settings) -> None:
    """Run until told to stop."""
    async with running(settings) as app:
        await app.server().serve()


async def _keep_house(app: App) -> None:
    """What has to be done now and then, whatever else happens."""
    while True:
        try:
            await app.engine.sweep()
            await app.desk.replay(older_than=_UNDER_WAY)
            await app.office.jobs.sweep()
            await app.office.database.write(partial(forget, before=app.office.clock() - _REMEMBER_EVENTS))
            await app.office.database.write(partial(forget_proofs, now=app.office.clock()))
            await _checkpoint(app)
        except Exception:  # it is tried again at the next round, and seen in the log
            log.exception("housekeeping.failed")
        await asyncio.sleep(_SWEEP_S)


async def _keep_listening(app: App, help_desk: HelpDeskThreads) -> None:
    """What helpers say on tickets is passed on."""
    while True:
        try:
            await help_desk.look()
        except Exception:  # it is tried again at the next round, and seen in the log
            log.exception("tickets.failed")
        await asyncio.sleep(app.settings.tickets_poll.total_seconds())


async def _checkpoint(app: App) -> None:
    paths = Paths(app.settings.data)
    file = CheckpointFile(paths.checkpoints)
    await asyncio.to_thread(checkpoint, paths.database, file, app.keys, app.office.clock())


class _Roster:
    """Who one can be on the web desk: everybody who is with the company."""

    def __init__(
        self,
        directory: Directory,
        catalogue: Catalogue,
        settings: Settings,
        helps: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._directory = directory
        self._helps = helps
        self._owners = {resource.owner.casefold() for resource in catalogue}
        self._deciders = {settings.fallback, settings.admins}

    async def choices(self) -> Sequence[Choice]:
        people = await self._directory.search("", limit=1000)
        present = sorted(
            (person for person in people if person.present), key=lambda p: (p.department, p.name)
        )
        return [_choice(person) for person in present]

    async def choice(self, account: str) -> Choice | None:
        try:
            person = await self._directory.person(account)
        except UnknownPerson:
            return None
        if not person.present:
            return None
        return _choice(person, approvals=await self._decides(person), helps=await self._helps(person.id))

    async def _decides(self, person: Person) -> bool:
        """Whether this person could ever have to decide: only they read the approvals channel."""
        if person.mail.casefold() in self._owners or await self._directory.reports(person.id):
            return True
        return bool(self._deciders & await self._directory.groups_of(person.id))


def _choice(person: Person, *, approvals: bool = False, helps: bool = False) -> Choice:
    return Choice(person.id, person.name, person.title, person.department, approvals, helps)
