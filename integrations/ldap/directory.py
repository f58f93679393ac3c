"""Who is who in the directory. Every call reads afresh; people are keyed by objectGUID or entryUUID."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from integrations.contract import AccountState, AmbiguousName, Person, Status, UnknownPerson
from integrations.ldap.client import Client, Entry, Flavour, Session
from integrations.ldap.entries import SCHEMAS, Schema, dns, number, person_of, text
from integrations.ldap.memberships import Memberships
from integrations.ldap.names import IN_CHAIN, as_uuid, begins, both, either, equals, has_word_beginning
from integrations.text import exact, folded, words

MOST = 1000  # people in one answer of a search
_CHAIN = 50  # managers above one person


class LdapDirectory:
    """The port ``Directory``."""

    def __init__(self, client: Client, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock

    async def person(self, person_id: str) -> Person:
        return await self._client.run(lambda session: self.look(session).by_id(person_id))

    async def by_mail(self, mail: str) -> Person:
        return await self._client.run(lambda session: self.look(session).by_value("mail", mail))

    async def by_account(self, account: str) -> Person:
        def work(session: Session) -> Person:
            look = self.look(session)
            return look.by_value(look.schema.account, account)

        return await self._client.run(work)

    async def by_name(self, name: str) -> Person:
        """The one with this full name; else the only one whose name has all these words."""
        return await self._client.run(lambda session: self.look(session).by_name(name))

    async def search(self, text: str, limit: int = 10) -> list[Person]:
        """Those present come first; a text with several words narrows the search."""
        return await self._client.run(lambda session: self.look(session).search(text, limit))

    async def managers(self, person_id: str) -> list[Person]:
        return await self._client.run(lambda session: self.look(session).managers(person_id))

    async def reports(self, person_id: str) -> list[Person]:
        return await self._client.run(lambda session: self.look(session).reports(person_id))

    async def groups_of(self, person_id: str) -> frozenset[str]:
        def work(session: Session) -> frozenset[str]:
            look = self.look(session)
            return look.memberships.of(look.entry(person_id)["dn"])

        return await self._client.run(work)

    def look(self, session: Session) -> Look:
        return Look(session, self._clock())


class Look:
    """Looking people up with one connection at one moment."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now
        self.schema: Schema = SCHEMAS[session.flavour]
        self.memberships = Memberships(session)

    def by_id(self, person_id: str) -> Person:
        return self._person(self.entry(person_id))

    def entry(self, person_id: str) -> Entry:
        """:raises UnknownPerson:"""
        known = as_uuid(person_id)
        found = self._find(equals(self.schema.id, self.schema.id_value(known))) if known else []
        if not found:
            raise UnknownPerson("nobody has this id")
        return found[0]

    def by_value(self, attribute: str, typed: str) -> Person:
        """Exactly this value, upper and lower case alike; what a directory folds besides is nobody."""
        wanted = exact(typed)
        found = self._find(equals(attribute, wanted)) if wanted else []
        same = [each for each in found if text(each, attribute).lower() == wanted]
        if len(same) != 1:
            raise UnknownPerson("nobody has this mail or account, or several have")
        return self._person(same[0])

    def by_name(self, typed: str) -> Person:
        wanted = words(folded(typed) or "")
        if not wanted:
            raise UnknownPerson("nobody has this name")
        found = [each for each in self._with_words(wanted) if set(wanted) <= set(self._words(each))]
        full = [each for each in found if folded(self._name(each)) == folded(typed)]
        people = [self._person(each) for each in full or found]
        if not people:
            raise UnknownPerson("nobody has this name")
        if len(people) > 1:
            raise AmbiguousName(typed, people)
        return people[0]

    def search(self, typed: str, limit: int) -> list[Person]:
        wanted = (folded(typed) or "").split()
        limit = max(0, min(limit, MOST))
        if not limit or (typed and not wanted):
            return []
        found = self._with_words(wanted) if wanted else self._find("")
        fitting = [each for each in found if all(self._begins(each, word) for word in wanted)]
        people = [
            (self.schema.status(each, self._now).value not in ("active", "on_leave"), each)
            for each in fitting
        ]
        people.sort(key=lambda each: (each[0], folded(self._name(each[1])) or "", each[1]["dn"]))
        return [self._person(each) for _, each in people[:limit]]

    def managers(self, person_id: str) -> list[Person]:
        start = self.entry(person_id)
        met, chain = {start["dn"].lower()}, list[Person]()
        step = self._manager(start)
        while step is not None and step["dn"].lower() not in met and len(chain) < _CHAIN:
            met.add(step["dn"].lower())
            chain.append(self._person(step))
            step = self._manager(step)
        return chain

    def reports(self, person_id: str) -> list[Person]:
        me = self.entry(person_id)
        found = [each for each in self._find(equals("manager", me["dn"])) if each["dn"] != me["dn"]]
        found.sort(key=lambda each: (folded(self._name(each)) or "", each["dn"]))
        return [self._person(each) for each in found]

    def people(self, entry_dns: Iterable[str]) -> list[Person]:
        """Those of these entries that are people."""
        found = [self._entry_at(dn) for dn in entry_dns]
        there = [each for each in found if each is not None]
        there.sort(key=lambda each: (folded(self._name(each)) or "", each["dn"]))
        return [self._person(each) for each in there]

    def in_chain(self, group_dn: str, rule: str) -> list[Person]:
        """Active Directory: everybody in a group, at any depth, by the server's own rule."""
        found = self._find(equals("memberOf", group_dn, rule))
        found.sort(key=lambda each: (folded(self._name(each)) or "", each["dn"]))
        return [self._person(each) for each in found]

    def protected_people(self) -> list[Entry]:
        """Everybody inside a protected group, at any depth."""
        found: dict[str, Entry] = {}
        for group_dn in self.memberships.protected_groups():
            if self._session.flavour is Flavour.ACTIVE_DIRECTORY:
                inside = self._find(equals("memberOf", group_dn, IN_CHAIN))
            else:
                group = self._session.entry(group_dn, ("member",))
                leaves = self.memberships.leaves(group) if group else []
                inside = [each for dn in leaves if (each := self._entry_at(dn))]
            found |= {each["dn"]: each for each in inside}
        return list(found.values())

    def state(self, entry: Entry) -> AccountState:
        return self.schema.state(entry, self._now)

    def is_privileged(self, entry: Entry) -> bool:
        flagged = self._session.flavour is Flavour.ACTIVE_DIRECTORY and number(entry, "adminCount") > 0
        return flagged or self.memberships.protected(entry["dn"])

    def _person(self, entry: Entry) -> Person:
        manager = self._manager(entry)
        return person_of(
            entry,
            self.schema,
            manager_id=self.schema.id_of(manager) if manager else None,
            privileged=self.is_privileged(entry),
            away=self.memberships.away(entry["dn"]),
            zone=self._session.settings.time_zone,
            now=self._now,
        )

    def _manager(self, entry: Entry) -> Entry | None:
        above = dns(entry, "manager")
        return self._entry_at(above[0]) if above else None

    def _entry_at(self, dn: str) -> Entry | None:
        return self._session.entry(dn, self.schema.attributes, self.schema.people)

    def _find(self, filter_: str) -> list[Entry]:
        whole = both(self.schema.people, filter_) if filter_ else self.schema.people
        return self._session.search(self._session.settings.people_base, whole, self.schema.attributes)

    def _with_words(self, wanted: list[str]) -> list[Entry]:
        """Wider than asked: the server narrows, the very letters decide here."""
        schema = self.schema
        each = [
            either(
                has_word_beginning(schema.name, word),
                has_word_beginning("cn", word),
                begins("mail", word),
                begins(schema.account, word),
            )
            for word in wanted
        ]
        return self._find(both(*each))

    def _begins(self, entry: Entry, word: str) -> bool:
        candidates = [
            *self._words(entry),
            *(value.lower() for value in (text(entry, "mail"), text(entry, self.schema.account))),
        ]
        return any(each.startswith(word) for each in candidates)

    def _present(self, entry: Entry) -> bool:
        return self.schema.status(entry, self._now) is Status.ACTIVE

    def _name(self, entry: Entry) -> str:
        return text(entry, self.schema.name) or text(entry, "cn")

    def _words(self, entry: Entry) -> list[str]:
        return words(folded(self._name(entry)) or "")
