"""`deskhand company`: what happens at the embedded company past the desk. Its log-in page, its help desk."""

from __future__ import annotations

import asyncio
import getpass
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager

from bot.audit.query import plain
from bot.settings import Settings
from bot.settings.paths import Paths
from bot.wrong import Wrong
from integrations.company import Company
from integrations.work import UnknownTicket


def login(settings: Settings, args: Namespace) -> int:
    with _company(settings) as company:
        password = args.password if args.password is not None else getpass.getpass("Password: ")
        outcome = company.login(args.name, password)
    print(outcome.value)
    return 0 if outcome.value in ("ok", "must_change") else 1


def tickets(settings: Settings, args: Namespace) -> int:
    """The open ones, or all of one."""
    with _company(settings) as company:
        for line in asyncio.run(_ticket(company, args.key) if args.key else _tickets(company)):
            print(line)
    return 0


def answer(settings: Settings, args: Namespace) -> int:
    """As a person at the help desk."""
    with _company(settings) as company:
        asyncio.run(_answer(company, args))
    print(f"written on {args.key}" + (", and closed" if args.close else ""))
    return 0


async def _tickets(company: Company) -> list[str]:
    found = await company.help_desk.open_tickets()
    return [f"{each.key}  {each.status}  {plain(each.title)}" for each in found] or ["no open ticket"]


async def _ticket(company: Company, key: str) -> list[str]:
    try:
        ticket, body = await company.tickets.ticket(key), await company.help_desk.body(key)
        said = await company.tickets.comments(key)
    except UnknownTicket as error:
        raise Wrong(f"there is no ticket {key}") from error
    lines = [f"{ticket.key}  {ticket.status}  {plain(ticket.title)}", *map(plain, body.splitlines())]
    for each in said:
        rows = [f"  {plain(row)}" for row in each.text.splitlines()]
        lines += [f"{each.at:%H:%M} {plain(each.author)}:", *rows]
    return lines


async def _answer(company: Company, args: Namespace) -> None:
    try:
        await company.help_desk.write(args.key, args.name, args.text, internal=args.internal)
        if args.close:
            await company.help_desk.close(args.key)
    except UnknownTicket as error:
        raise Wrong(f"there is no ticket {args.key}") from error


@contextmanager
def _company(settings: Settings) -> Iterator[Company]:
    """:raises Wrong: it is not what is served"""
    if settings.ldap_url or settings.entra:
        raise Wrong("a real directory is set: the embedded company is not what is served")
    with closing(Company.open(Paths(settings.data).company, settings.company_seed)) as company:
        yield company
