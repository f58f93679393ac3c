"""Which employee of BambooHR somebody of the directory is: the one active with exactly their work mail.

The employee directory is big, so it is read once and remembered. Whom it names is asked for again each time:
a mail may have gone to somebody else since, and who left is nobody here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from integrations.bamboohr.client import Client
from integrations.bamboohr.read import Json, identity, listed
from integrations.contract import Directory, PermissionRefused, UnknownPerson
from integrations.rest import NotThere
from integrations.text import exact

_FRESH_S = 60.0  # the employee directory is not read again sooner because somebody is not in it
_HIDDEN = "BambooHR does not show {field}: the user of BAMBOOHR_API_KEY has to see it of everybody"


class People:
    """Use it from one event loop."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self._client = client
        self._directory = directory
        self._ids: Mapping[str, frozenset[str]] = {}  # mail -> employees who have it
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def employee(self, person_id: str) -> str:
        """Their id in BambooHR. :raises UnknownPerson: nobody there, or several, or one who left"""
        mail = await self._mail(person_id)
        before = self._ids
        found = await self._checked(mail)
        if found is None:
            await self._read(time.monotonic() - _FRESH_S)
            if self._ids is not before:
                found = await self._checked(mail)
        if found is None:
            raise UnknownPerson("nobody in BambooHR is active with this person's work mail, or several are")
        return found

    async def count(self) -> int:
        """Who is in the employee directory, read afresh."""
        await self._read(time.monotonic())
        return sum(map(len, self._ids.values()))

    async def _mail(self, person_id: str) -> str:
        """:raises UnknownPerson: also where the mail is not this person's alone"""
        person = await self._directory.person(person_id)
        mail = exact(person.mail)
        if mail is None or not person.present:
            raise UnknownPerson("this person has left, or has no work mail")
        if (await self._directory.by_mail(mail)).id != person.id:
            raise UnknownPerson("this person's work mail is somebody else's too")
        return mail

    async def _checked(self, mail: str) -> str | None:
        """The one whom the employee directory names, asked for again."""
        named = self._ids.get(mail, frozenset())
        if len(named) != 1:
            return None
        (employee,) = named
        return employee if await self._is_theirs(employee, mail) else None

    async def _is_theirs(self, employee: str, mail: str) -> bool:
        """Active, and this is their mail now."""
        try:
            found = await self._client.get("employees", employee, fields="workEmail,status")
        except NotThere:
            return False
        if not isinstance(found, Mapping) or identity(found, "id") != employee:
            return False
        for field in ("workEmail", "status"):
            if field not in found:
                raise PermissionRefused(_HIDDEN.format(field=field))
        status = found["status"]
        return isinstance(status, str) and status.lower() == "active" and _mail_of(found) == mail

    async def _read(self, since: float) -> None:
        """Read the employee directory, unless somebody did since then."""
        async with self._reading:
            if self._read_at >= since:
                return
            begun = time.monotonic()
            try:
                employees = listed(await self._client.get("employees", "directory"), "employees")
            except NotThere:  # how an empty one is said
                employees = []
            if employees and not any("workEmail" in each for each in employees):
                raise PermissionRefused(_HIDDEN.format(field="workEmail in the employee directory"))
            ids: dict[str, frozenset[str]] = {}
            for each in employees:
                if mail := _mail_of(each):
                    ids[mail] = ids.get(mail, frozenset()) | {identity(each, "id")}
            self._ids, self._read_at = ids, begun


def _mail_of(employee: Json) -> str | None:
    mail = employee.get("workEmail")
    return exact(mail.strip()) if isinstance(mail, str) else None
