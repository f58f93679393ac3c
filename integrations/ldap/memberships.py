"""Who is inside which group, at any depth, at one moment.

By the server's own rule on Active Directory; level by level on OpenLDAP, where that rule silently answers
"no". A group goes by the immutable id of its entry, or by a name that LDAP_GROUPS binds to that id: rules and
catalogue speak of names, the directory is asked by ids.
"""

from __future__ import annotations

from collections.abc import Sequence

from integrations.contract import UnknownGroup
from integrations.ldap.client import Entry, Flavour, Session
from integrations.ldap.entries import SCHEMAS, dns, sid_of
from integrations.ldap.names import IN_CHAIN, as_uuid, both, either, equals

_TOGETHER = 100  # names in one filter
_ATTRIBUTES = ("cn", "description", "member")

# Out of reach on every Active Directory, whatever is configured: whoever is in one of these administers.
# Source: MS-ADTS 3.1.1.6.1.2, the protected objects of AdminSDHolder.
_BUILT_IN = ("S-1-5-32-544", "S-1-5-32-548", "S-1-5-32-549", "S-1-5-32-550", "S-1-5-32-551", "S-1-5-32-552")
_OF_THE_DOMAIN = (512, 516, 518, 519, 520, 521)


class Memberships:
    """One look at the groups, with one connection."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.schema = SCHEMAS[session.flavour]
        names = session.settings.names or {}
        self._name_of = {group_id: name for name, group_id in names.items()}
        self._id_of = names
        # One look is at one moment: what it has read once, it does not read again.
        self._found: dict[str, Entry] = {}
        self._groups_above: dict[str, list[Entry]] = {}

    def find(self, group_id: str) -> Entry:
        """:raises UnknownGroup:"""
        if group_id not in self._found:
            self._found[group_id] = self._read(group_id)
        return self._found[group_id]

    def _read(self, group_id: str) -> Entry:
        known = as_uuid(self._id_of.get(group_id, group_id))
        if known is None:
            raise UnknownGroup("no group has this id")
        wanted = both(self.schema.groups, equals(self.schema.id, self.schema.id_value(known)))
        found = self._session.search(self._session.settings.groups_base, wanted, self._attributes)
        if not found:
            raise UnknownGroup("no group has this id")
        return found[0]

    def id_of(self, entry: Entry) -> str:
        """As the rules call it, else the immutable id."""
        own = self.schema.id_of(entry)
        return self._name_of.get(own, own)

    def of(self, dn: str) -> frozenset[str]:
        """Ids of all groups this entry is in, at any depth."""
        return frozenset(self.id_of(each) for each in self._above(dn))

    def inside(self, dn: str, group_id: str) -> bool:
        """Whether the entry is in the group at any depth."""
        try:
            group = self.find(group_id)
        except UnknownGroup:
            return False
        if self._session.flavour is Flavour.ACTIVE_DIRECTORY:  # base scope: 0.9 ms where a subtree takes 41
            return self._session.entry(dn, ("cn",), equals("memberOf", group["dn"], IN_CHAIN)) is not None
        return self.id_of(group) in self.of(dn)

    def protected(self, dn: str) -> bool:
        """In a group whose members are out of reach. A configured group that is not there protects nobody,
        so it is an error: :raises UnknownGroup:"""
        groups = self.protected_groups()
        if not groups:
            return False
        if self._session.flavour is Flavour.OPENLDAP:
            return bool({each.lower() for each in groups} & {each["dn"].lower() for each in self._above(dn)})
        anywhere = either(*(equals("memberOf", each, IN_CHAIN) for each in groups))
        return self._session.entry(dn, ("cn",), anywhere) is not None

    def protected_groups(self) -> list[str]:
        """Their names, those that every Active Directory has included. :raises UnknownGroup:"""
        groups = [self.find(group)["dn"] for group in self._session.settings.protected]
        return groups + (self._built_in() if self._session.flavour is Flavour.ACTIVE_DIRECTORY else [])

    def _built_in(self) -> list[str]:
        domain = "DC=" + self._session.settings.people_base.upper().partition("DC=")[2]
        root = self._session.entry(domain, ("objectSid",))
        own = sid_of(root) if root else ""
        sids = [*_BUILT_IN, *(f"{own}-{rid}" for rid in _OF_THE_DOMAIN if own)]
        wanted = either(*(equals("objectSid", sid) for sid in sids))
        return [each["dn"] for each in self._session.search(domain, wanted, ("cn",))]

    def away(self, dn: str) -> bool:
        on_leave = self._session.settings.on_leave
        return bool(on_leave) and self.inside(dn, on_leave)

    def leaves(self, group: Entry) -> list[str]:
        """Names of all entries inside a group that are no groups themselves. OpenLDAP."""
        met, waiting, found = {group["dn"].lower()}, dns(group, "member"), []
        while waiting:
            level, waiting = waiting, []
            for dn in level:
                if dn.lower() in met:
                    continue
                met.add(dn.lower())
                inner = self._session.entry(dn, self._attributes, self.schema.groups)
                if inner is None:
                    found.append(dn)
                else:
                    waiting += dns(inner, "member")
        return found

    def _above(self, dn: str) -> list[Entry]:
        if dn not in self._groups_above:
            self._groups_above[dn] = self._read_above(dn)
        return self._groups_above[dn]

    def _read_above(self, dn: str) -> list[Entry]:
        base = self._session.settings.groups_base
        if self._session.flavour is Flavour.ACTIVE_DIRECTORY:
            wanted = both(self.schema.groups, equals("member", dn, IN_CHAIN))
            return self._session.search(base, wanted, (self.schema.id,))
        found: dict[str, Entry] = {}
        level: Sequence[str] = [dn]
        while level:
            above: list[Entry] = []
            for at in range(0, len(level), _TOGETHER):
                some = either(*(equals("member", each) for each in level[at : at + _TOGETHER]))
                above += self._session.search(base, both(self.schema.groups, some), (self.schema.id,))
            new = {each["dn"].lower(): each for each in above if each["dn"].lower() not in found}
            found |= new
            level = [each["dn"] for each in new.values()]
        return list(found.values())

    @property
    def _attributes(self) -> tuple[str, ...]:
        return (self.schema.id, *_ATTRIBUTES)
