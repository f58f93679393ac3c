"""The composition root: the only module that names every platform, connector and store."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from bot.actions import discover
from bot.audit import tables as audit_tables
from bot.audit.checkpoint import CheckpointFile, checkpoint
from bot.audit.words import WordStore
from bot.chat.places import Places
from bot.chat.platform import Platform, Receive
from bot.chat.web.guard import check_host
from bot.chat.web.identity import Choice
from bot.chat.web.listen import web_app
from bot.chat.web.send import WebPlatform
from bot.chat.web.serve import WebServer, web_server
from bot.desk import Desk
from bot.durable import Jobs
from bot.intent.classify import Classifier
from bot.intent.understand import Understander
from bot.people import People
from bot.procedures.action import Registry
from bot.procedures.engine import Engine
from bot.procedures.office import Office, Ports
from bot.procedures.reveal import Reveals
from bot.reveal import reveal_app
from bot.settings import Settings
from bot.settings.part import listed
from bot.store.database import Database
from bot.store.inbox import Inbox, forget
from bot.store.keys import KeyFile
from bot.store.lock import DataLock
from bot.store.migrations import people, places, spine
from bot.store.places import StoredPlaces
from bot.store.sealed import Seals
from integrations.company import Company
from integrations.contract import (
    Accounts,
    Balance,
    Directory,
    Groups,
    Passes,
    Person,
    SystemDown,
    TimeOff,
    UnknownPerson,
)
from policies.catalogue import Catalogue
from policies.check import check
from policies.decide import Policies

log = structlog.get_logger()

MIGRATIONS = (spine, audit_tables.create, people, places)  # numbered by place: only ever add at the end

_UNDER_WAY = timedelta(seconds=15)  # what came in lately is being handled
_SWEEP_S = 30.0  # late grants, finished jobs, old event ids, a checkpoint of the trail
_REMEMBER_EVENTS = timedelta(days=2)  # ids of events that a platform might deliver again


class CannotStart(Exception):
    """A setting or a file has to be mended first; says which and how."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things lie in the data folder."""

    data: Path

    @property
    def database(self) -> Path:
        return self.data / "deskhand.db"

    @property
    def company(self) -> Path:
        return self.data / "company.db"

    @property
    def web(self) -> Path:
        return self.data / "web.db"

    @property
    def key(self) -> Path:
        return self.data / "keys" / "master.key"

    @property
    def checkpoints(self) -> Path:
        return self.data / "audit-checkpoints.jsonl"


class System(Protocol):
    """The directory of record: the embedded company, or a real one."""

    @property
    def directory(self) -> Directory: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def passes(self) -> Passes | None: ...
    async def check(self) -> str: ...
    def close(self) -> None: ...


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
    system: System
    web: WebPlatform
    keys: KeyFile
    asgi: Starlette
    ready: asyncio.Event
    chats: tuple[Chat, ...] = ()  # beside the web desk

    @property
    def company(self) -> Company:
        """The embedded one, where that is what is served."""
        assert isinstance(self.system, Company), "a real directory is configured"
        return self.system

    def server(self) -> WebServer:
        return web_server(self.asgi, self.web.live, host=self.settings.host, port=self.settings.port)


def now() -> datetime:
    return datetime.now(UTC)


def open_system(settings: Settings) -> System:
    """:raises ConnectorError:, :raises CannotStart:"""
    if settings.ldap_url:
        return _ldap(settings)
    if settings.entra:
        return _entra(settings)
    return Company.open(Paths(settings.data).company, settings.company_seed)


def _ldap(settings: Settings) -> System:
    ldap = importlib.import_module("integrations.ldap")  # only where it is configured
    try:
        system: System = ldap.Ldap(
            ldap.LdapSettings(
                url=settings.ldap_url,
                bind_dn=settings.ldap_bind_dn,
                password=settings.ldap_password,
                people_base=settings.ldap_people_base,
                groups_base=settings.ldap_groups_base,
                ca_file=settings.ldap_ca_file,
                protected=listed(settings.ldap_protected),
                on_leave=settings.ldap_on_leave,
                names=settings.ldap_group_names,
                time_zone=settings.ldap_time_zone,
            )
        )
    except ldap.NotConfigured as error:
        raise CannotStart(str(error)) from error
    return system


def _entra(settings: Settings) -> System:
    entra = importlib.import_module("integrations.entra")  # likewise
    try:
        system: System = entra.Entra(
            entra.EntraSettings(
                tenant=settings.entra_tenant_id,
                app_id=settings.entra_app_id,
                secret=settings.entra_app_secret,
                certificate=settings.entra_certificate_file,
                protected=listed(settings.entra_protected),
                on_leave=settings.entra_on_leave,
                names=settings.entra_group_names,
                time_zone=settings.entra_time_zone,
                passes=settings.entra_credential == "pass",
                graph_url=settings.entra_graph_url,
                login_url=settings.entra_login_url,
                ca_file=settings.entra_ca_file,
            )
        )
    except entra.NotConfigured as error:
        raise CannotStart(str(error)) from error
    return system


class _NoTimeOff:
    """Where no system keeps time off, nobody has any balance to be told."""

    async def balances(self, person_id: str, on: date) -> list[Balance]:
        return []


def _time_off(system: System) -> TimeOff:
    return system.time_off if isinstance(system, Company) else _NoTimeOff()


def _chats(settings: Settings) -> tuple[Chat, ...]:
    """Those that are configured; only their SDKs are imported: all of them would cost a second and 100 MB."""
    chats: list[Chat] = []
    if settings.slack:
        chats.append(importlib.import_module("bot.chat.slack.connect").Slack(settings))
    if settings.teams:
        chats.append(importlib.import_module("bot.chat.teams.connect").Teams(settings))
    return tuple(chats)


def load_policies(settings: Settings, registry: Registry) -> tuple[Policies, Catalogue]:
    """:raises CannotStart: with everything that is wrong with the rules"""
    if problems := check(settings.policies, registry.actions):
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise CannotStart(f"The policies cannot be used; `deskhand policy check` says the same:\n{listed}")
    policies = Policies.load(settings.policies)
    for name, group in (("ADMINS", settings.admins), ("FALLBACK_APPROVERS", settings.fallback)):
        if group not in policies.groups:
            raise CannotStart(f"DESKHAND_{name}: no rule speaks of the group {group!r}, so nobody could act")
    return policies, Catalogue.load(settings.policies / "catalogue.yaml")


def assemble(settings: Settings, clock: Callable[[], datetime] = now) -> App:
    """Open every file and put the parts together. Nothing runs yet.

    :raises CannotStart:, :raises StorageDown:, :raises KeyFileError:, :raises NotLoopback:
    """
    check_host(settings.host)
    paths = Paths(settings.data)
    registry = discover()
    policies, catalogue = load_policies(settings, registry)
    keys = KeyFile.open(paths.key)
    database = Database.open(paths.database, MIGRATIONS)
    system = open_system(settings)
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
        policies=policies,
        catalogue=catalogue,
        registry=registry,
        ports=Ports(system.directory, system.groups, system.accounts, _time_off(system), system.passes),
        people=People(system.directory, database, platforms, clock),
        platforms=platforms,
        clock=clock,
    )
    engine = Engine(office)
    desk = Desk(office, engine, Understander(Classifier.load(), catalogue), Inbox(keys))
    ready = asyncio.Event()
    roster = _Roster(system.directory, catalogue, settings)
    for chat in chats:
        chat.attach(desk.receive, ready.is_set, StoredPlaces(database, chat.platform.name))
    asgi = Starlette(
        routes=[
            *(route for chat in chats for route in chat.routes()),
            Mount("/reveal", reveal_app(Reveals(office, engine))),
            Mount("/", web_app(web, desk.receive, roster, ready.is_set)),
        ]
    )
    return App(settings, office, engine, desk, system, web, keys, asgi, ready, chats)


@asynccontextmanager
async def running(settings: Settings, clock: Callable[[], datetime] = now) -> AsyncIterator[App]:
    """The whole desk, alive: jobs launched, what a crash left behind replayed.

    :raises AlreadyRunning: another process owns the data folder
    """
    lock = DataLock(settings.data)
    lock.take()
    try:
        app = assemble(settings, clock)
        await _look_at(app.system)
        await app.office.jobs.launch()
        keeper = asyncio.create_task(_keep_house(app))
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
            app.system.close()
            await app.web.close()
    finally:
        lock.release()


async def _look_at(system: System) -> None:
    """Down is a bad day, and everything is looked at anew when it is back.
    :raises ConnectorError: it is wrong for good"""
    try:
        log.info("system.ready", said=await system.check())
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
            await _checkpoint(app)
        except Exception:  # it is tried again at the next round, and seen in the log
            log.exception("housekeeping.failed")
        await asyncio.sleep(_SWEEP_S)


async def _checkpoint(app: App) -> None:
    paths = Paths(app.settings.data)
    file = CheckpointFile(paths.checkpoints)
    await asyncio.to_thread(checkpoint, paths.database, file, app.keys, app.office.clock())


class _Roster:
    """Who one can be on the web desk: everybody who is with the company."""

    def __init__(self, directory: Directory, catalogue: Catalogue, settings: Settings) -> None:
        self._directory = directory
        self._owners = {resource.owner.casefold() for resource in catalogue}
        self._deciders = {settings.fallback, settings.admins}

    async def choices(self) -> Sequence[Choice]:
        people = await self._directory.search("", limit=1000)
        present = sorted(
            (person for person in people if person.present), key=lambda p: (p.department, p.name)
        )
        return [_choice(person, approvals=False) for person in present]

    async def choice(self, account: str) -> Choice | None:
        try:
            person = await self._directory.person(account)
        except UnknownPerson:
            return None
        return _choice(person, approvals=await self._decides(person)) if person.present else None

    async def _decides(self, person: Person) -> bool:
        """Whether this person could ever have to decide: only they read the approvals channel."""
        if person.mail.casefold() in self._owners or await self._directory.reports(person.id):
            return True
        return bool(self._deciders & await self._directory.groups_of(person.id))


def _choice(person: Person, *, approvals: bool) -> Choice:
    return Choice(person.id, person.name, person.title, person.department, approvals)
