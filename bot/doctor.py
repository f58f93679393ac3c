"""`deskhand doctor`: what is configured, what answers, what is missing."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

from bot.app import App, Chat, actions_of, assemble, completion_of, load_policies
from bot.audit.checkpoint import CheckpointFile, public_key
from bot.audit.verify import verify
from bot.chat.web.guard import NotLoopback, check_host
from bot.intent.model import ModelFailed, Reason
from bot.lookups import Declared
from bot.people import find_person
from bot.procedures.proofs import CALLBACK
from bot.settings import Settings
from bot.settings.paths import Paths
from bot.store.inbox import last
from bot.store.keys import KeyFile, KeyFileError
from bot.systems import CannotStart, Systems, open_system
from integrations.contract import AmbiguousName, ConnectorError, UnknownPerson
from policies.catalogue import Catalogue

Line = tuple[str, bool, str]  # what was looked at, whether it is fine, what there is to say


def run(settings: Settings, args: Namespace) -> int:
    """Print a line a check. 1 where something has to be mended."""
    print("Settings")
    for name, value, meaning in settings.rows():
        print(f"  {name:<32} {value or '(empty)':<40} {meaning}")
    print("Checks")
    good = True
    for name, fine, said in _checks(settings, args.message):
        good = good and fine
        print(f"  {'ok  ' if fine else 'MEND'}  {name:<14} {said}")
    return 0 if good else 1


def _checks(settings: Settings, message_to: str | None) -> Iterator[Line]:
    paths = Paths(settings.data)
    yield "web desk", *_web_desk(settings)
    try:
        registry = actions_of(settings)
        policies, catalogue = load_policies(settings, registry)
        yield (
            "policies",
            True,
            f"{len(policies.rules)} rules, {len(list(catalogue))} resources, {policies.version[:12]}",
        )
        if settings.lookups:
            names = [each.name for each in registry.named() if isinstance(each, Declared)]
            yield "look-ups", bool(names), ", ".join(names) or "there are none in DESKHAND_LOOKUPS"
    except CannotStart as error:
        yield "policies", False, str(error)
    try:
        keys = KeyFile.open(paths.key)
        yield "key file", True, f"{paths.key.name}, readable by its owner only"
    except (KeyFileError, OSError) as error:
        yield "key file", False, str(error)
        return
    if paths.database.exists():
        report = verify(paths.database, CheckpointFile(paths.checkpoints), public_key(keys))
        yield "audit trail", report.whole, report.lines()[0]
    else:
        yield "audit trail", True, "not begun yet"
    yield from _system(settings)
    yield from _beside(settings)
    yield "model", *asyncio.run(_model(settings))
    if settings.slack or settings.teams:
        yield from _chats(settings, paths, message_to)


def _chats(settings: Settings, paths: Paths, message_to: str | None) -> Iterator[Line]:
    """Each connected chat service: what it says of itself, and that messages come and go."""
    app = assemble(settings)
    with asyncio.Runner() as loop:
        for chat in app.chats:
            yield from loop.run(chat.check())
            yield f"{chat.platform.name} inbound", *_inbound(app, chat.platform.name)
            if message_to:
                yield loop.run(_proof(app, chat, message_to))
        app.office.database.close()
        loop.run(app.systems.close())
        loop.run(app.web.close())


def _inbound(app: App, platform: str) -> tuple[bool, str]:
    with app.office.database.read() as conn:
        at = last(conn, platform)
    if at is None:
        return (
            False,
            "nothing came in these two days: with the desk running, write hello to Deskhand, then look again",
        )
    return True, f"the last message or press came in at {at[:16].replace('T', ' ')} UTC"


async def _proof(app: App, chat: Chat, who: str) -> Line:
    try:
        person = await find_person(app.office.ports.directory, who)
    except (AmbiguousName, UnknownPerson):
        return (
            f"{chat.platform.name} message",
            False,
            f"{who}: nobody, or several people; write the mail address",
        )
    find = partial(app.office.people.account_on, chat.platform.name, person.id)
    return await chat.prove(find, f"doctor:{uuid4().hex}")


def _web_desk(settings: Settings) -> tuple[bool, str]:
    try:
        check_host(settings.host, beyond=settings.beyond_loopback)
    except NotLoopback as error:
        return False, str(error)
    if settings.signs_in:
        return True, f"{settings.url}, behind a sign-in; redirect address {settings.url}{CALLBACK}"
    return True, f"{settings.url}, loopback only, no sign-in"


def _system(settings: Settings) -> Iterator[Line]:
    name = "directory" if settings.ldap_url or settings.entra else "company"
    try:
        system: Any = open_system(settings)
    except (CannotStart, ConnectorError) as error:
        yield name, False, f"{type(error).__name__}: {error}"
        return
    try:
        with asyncio.Runner() as loop:
            yield name, True, loop.run(system.check())
            if settings.entra:
                yield "its rights", *_permissions(loop.run(system.missing()))
            if settings.ldap_url:
                yield "its rights", *_rights(settings, system, loop)
                yield "its reach", *_reach(loop.run(system.reach()))
    except ConnectorError as error:
        yield name, False, f"{type(error).__name__}: {error}"
    finally:
        system.close()


def _beside(settings: Settings) -> list[Line]:
    """What is connected beside the directory of record, and where people sign in."""
    try:
        systems = Systems.open(settings)
    except (CannotStart, ConnectorError):
        return []  # said of the directory already
    return asyncio.run(_asked(systems))


async def _asked(systems: Systems) -> list[Line]:
    lines: list[Line] = []
    try:
        for name, system in (("entra", systems.beside), ("sign-in", systems.sign_in), *systems.work.items()):
            if system is None:
                continue
            try:
                lines.append((name, True, await system.check()))
            except ConnectorError as error:
                lines.append((name, False, f"{type(error).__name__}: {error}"))
        if systems.beside:
            lines.append(("its rights", *_permissions(await systems.beside.missing())))
    finally:
        await systems.close()
    return lines


_PONG = {
    "type": "object",
    "properties": {"works": {"type": "boolean"}},
    "required": ["works"],
    "additionalProperties": False,
}
_MENDS = {
    Reason.TIMEOUT: "no answer within DESKHAND_MODEL_DEADLINE_S",
    Reason.DOWN: "it cannot be reached, or has a fault of its own",
    Reason.DENIED: "it does not take DESKHAND_MODEL_KEY",
    Reason.UNSUPPORTED: "it does not know DESKHAND_MODEL_NAME, or cannot answer in a JSON schema",
}


async def _model(settings: Settings) -> tuple[bool, str]:
    """One harmless question, as the desk would ask it."""
    model = completion_of(settings)
    if model is None:
        return True, "none; what the local reading is not sure of is asked with buttons"
    began = time.monotonic()
    try:
        async with asyncio.timeout(settings.model_deadline.total_seconds()):
            await model.complete(
                "Answer in the schema that you are given.", '{"works": true}', _PONG, "works"
            )
    except (ModelFailed, TimeoutError) as failed:
        reason = failed.reason if isinstance(failed, ModelFailed) else Reason.TIMEOUT
        return False, f"{settings.model_name}: {_MENDS.get(reason, reason.value)} (docs/model.md)"
    finally:
        await model.close()
    return (
        True,
        f"{settings.model_name} answers, in {1000 * (time.monotonic() - began):.0f} ms; it may only propose",
    )


def _permissions(missing: list[str] | None) -> tuple[bool, str]:
    """Of the app in Entra; too many of them stop everything before this is asked."""
    if missing is None:
        return True, "the token does not say which permissions it has"
    if missing:
        return False, f"the app lacks {', '.join(missing)} (docs/entra.md)"
    return True, "all the permissions that are needed, and none that could make it an administrator"


def _rights(settings: Settings, system: Any, loop: asyncio.Runner) -> tuple[bool, str]:
    """Every group of the catalogue: found, and its members ours to change."""
    groups = [resource.group for resource in Catalogue.load(settings.policies / "catalogue.yaml")]
    may = loop.run(system.may_change(groups))
    if refused := [group for group, able in may.items() if not able]:
        return False, f"may not change the members of {', '.join(refused)} (docs/directory.md)"
    return True, f"may change the members of all {len(may)} groups of the catalogue, and of no protected one"


def _reach(reach: Any) -> tuple[bool, str]:
    """Passwords: of ordinary people, and above all of nobody else."""
    if reach.exposed:
        return False, f"could reset the password of {', '.join(reach.exposed)} (docs/directory.md)"
    said = f"could reset {reach.resettable} of {reach.people} people, and none of {reach.protected} protected"
    return reach.resettable > 0, said
