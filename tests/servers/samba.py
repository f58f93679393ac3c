"""A real Active Directory domain controller: Samba, with the people and groups of the embedded company.

Provisioned once into ``.cache`` (some ten seconds), copied and started for each use: one process, LDAP alone.
Its ports cannot be moved, so each test process has a loopback address of its own. Needs root.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from ldap3 import SAFE_SYNC, Connection, Server, Tls

from integrations.company.company import SEED
from integrations.contract import Kind, Status
from tests.servers.certificates import Certificates
from tests.servers.company_ldif import GROUPS, ON_LEAVE, PASSWORD, PEOPLE, protected_accounts

DOMAIN = "DC=corp,DC=example,DC=test"
ADMINISTRATOR, ADMIN_PASSWORD = f"CN=Administrator,CN=Users,{DOMAIN}", "Adm1n-Passw0rd!"
SERVICE, SERVICE_PASSWORD = f"CN=svc-deskhand,OU=Services,{DOMAIN}", "Quiet-Service-Harbour-11"
RIGHTS = f"CN=deskhand-rights,OU=Services,{DOMAIN}"
_ADDRESSES = (20, 60)  # last numbers: from, up to
_CLAIMS: list[IO[str]] = []
_CACHE = Path(__file__).parents[2] / ".cache"
_KEPT_APART = (
    "protected",
    "domain-admins",
    "tier-0-admins",
    "backup-operators",
    "helpdesk-admins",
    "helpdesk-approvers",
)

# Reset-Password, lockoutTime and pwdLastSet of users; member of groups. Source: MS-ADTS 5.1.3.2.
_ON_PEOPLE = (
    "(OA;CIIO;CR;00299570-246d-11d0-a768-00aa006e0529;bf967aba-0de6-11d0-a285-00aa003049e2;{sid})"
    "(OA;CIIO;RPWP;28630ebf-41d5-11d1-a9c1-0000f80367c1;bf967aba-0de6-11d0-a285-00aa003049e2;{sid})"
    "(OA;CIIO;RPWP;bf967a0a-0de6-11d0-a285-00aa003049e2;bf967aba-0de6-11d0-a285-00aa003049e2;{sid})"
)
_ON_GROUPS = "(OA;CIIO;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;bf967a9c-0de6-11d0-a285-00aa003049e2;{sid})"


@cache
def address() -> str:
    """A loopback address that no other test process of this machine has, another checkout's included."""
    for last in range(*_ADDRESSES):
        claim = Path(f"/tmp/deskhand-controller-{last}").open("w")  # noqa: SIM115  held as long as we live
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
            continue
        _CLAIMS.append(claim)
        return f"127.0.0.{last}"
    raise AssertionError("too many test processes at once")


def person_dn(account: str) -> str:
    unit = "Admins" if account in protected_accounts() else "People"
    return f"CN={account},OU={unit},{DOMAIN}"


def group_dn(group_id: str) -> str:
    return f"CN={group_id},OU={'Kept apart' if group_id in _KEPT_APART else 'Groups'},{DOMAIN}"


@dataclass
class Samba:
    folder: Path
    certificates: Certificates
    _process: subprocess.Popen[bytes] | None = None

    people_base = groups_base = DOMAIN
    bind_dn, password = SERVICE, SERVICE_PASSWORD

    @property
    def url(self) -> str:
        return f"ldaps://{address()}"

    @property
    def ca_file(self) -> Path:
        return self.certificates.ca_file

    @property
    def config(self) -> Path:
        return self.folder / "etc" / "smb.conf"

    def start(self) -> None:
        """Accepts connections when this returns. Lives as long as its standard input is open."""
        self._write_config()
        command = ["samba", "-i", "-M", "single", "-s", str(self.config), "--debug-stdout", "-d1"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(2000):
            with contextlib.suppress(OSError), socket.create_connection((address(), 636), 0.2):
                return
            assert self._process.poll() is None, "samba ended by itself"
            time.sleep(0.01)
        raise AssertionError("samba did not start")

    def stop(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(10)
            self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def bind(self, dn: str, password: str) -> tuple[Connection, dict[str, Any]]:
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(self.ca_file))
        connection = Connection(Server(self.url, tls=tls), dn, password, client_strategy=SAFE_SYNC)
        connection.open()
        return connection, connection.bind()[1]

    def administrator(self) -> Connection:
        """Past the desk: what the directory's own admins do."""
        return self.bind(ADMINISTRATOR, ADMIN_PASSWORD)[0]

    def can_log_in(self, account: str, password: str) -> bool:
        """Also where the first thing to do is to change the password (773): it was the right one."""
        connection, result = self.bind(person_dn(account), password)
        connection.unbind()
        return result["result"] == 0 or "data 773" in result["message"]

    @contextmanager
    def without_rights(self) -> Iterator[None]:
        """What was delegated is taken away until the block ends."""
        admin = self.administrator()
        admin.modify(RIGHTS, {"member": [("MODIFY_DELETE", [SERVICE])]})
        try:
            yield
        finally:
            admin.modify(RIGHTS, {"member": [("MODIFY_ADD", [SERVICE])]})
            admin.unbind()

    def lock(self, account: str) -> None:
        for _ in range(4):
            self.bind(person_dn(account), "not this one")[0].unbind()

    def _write_config(self) -> None:
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        self.config.write_text(
            "[global]\n"
            + "\n".join(
                f"{name} = {value}"
                for name, value in {
                    "netbios name": "DC1",
                    "realm": "CORP.EXAMPLE.TEST",
                    "workgroup": "CORP",
                    "server role": "active directory domain controller",
                    "server services": "ldap",
                    "interfaces": f"{address()}/8",
                    "bind interfaces only": "yes",
                    "disable netbios": "yes",
                    "private dir": self.folder / "private",
                    "state directory": self.folder / "state",
                    "cache directory": self.folder / "cache",
                    "lock directory": self.folder,
                    "binddns dir": self.folder / "bind-dns",
                    "pid directory": run,
                    "ncalrpc dir": run / "ncalrpc",
                    "winbindd socket directory": run / "winbindd",
                    "log file": run / "log",
                    "tls enabled": "yes",
                    "tls cafile": self.certificates.ca_file,
                    "tls certfile": self.certificates.cert_file,
                    "tls keyfile": self.certificates.key_file,
                    "idmap_ldb:use rfc2307": "yes",
                }.items()
            )
            + "\n"
        )


def template() -> Samba:
    """Made once, whoever asks first; another version of what makes it makes another one."""
    made = hashlib.sha256(Path(__file__).read_bytes())
    for part in sorted(SEED.iterdir()):
        made.update(part.read_bytes())
    folder = _CACHE / f"samba-{made.hexdigest()[:16]}"
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "samba.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            for old in _CACHE.glob("samba-*"):
                shutil.rmtree(old)
            _make(folder)
            (folder / "ready").touch()
    return Samba(folder / "dc", _certificates(folder))


@contextmanager
def running(made: Samba) -> Iterator[Samba]:
    """A copy of the template, running, with Luis locked out. In a folder of its own with a short name: it
    makes sockets in there, whose paths may have 107 characters."""
    with tempfile.TemporaryDirectory(prefix="dc-") as folder:
        shutil.copytree(made.folder, Path(folder) / "dc", ignore=_no_sockets)
        server = Samba(Path(folder) / "dc", made.certificates)
        server.start()
        try:
            server.lock("luis")
            yield server
        finally:
            server.stop()


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]


def _certificates(folder: Path) -> Certificates:
    tls = folder / "tls"
    return Certificates(tls / "ca.pem", tls / "cert.pem", tls / "key.pem")


def _make(folder: Path) -> None:
    Certificates.make(folder / "tls", "dc1.corp.example.test", *(f"127.0.0.{n}" for n in range(*_ADDRESSES)))
    _tool(
        "domain", "provision", "--realm=CORP.EXAMPLE.TEST", "--domain=CORP", "--server-role=dc",
        "--dns-backend=NONE", f"--adminpass={ADMIN_PASSWORD}", f"--targetdir={folder / 'dc'}",
        "--host-name=dc1", "--host-ip=127.0.0.1", "--option=interfaces=lo",
        "--option=bind interfaces only=yes", "--use-rfc2307",
    )  # fmt: skip
    server = Samba(folder / "dc", _certificates(folder))
    server._write_config()
    here = ("-s", str(server.config))
    _tool(
        "domain", "passwordsettings", "set", "--account-lockout-threshold=3",
        "--account-lockout-duration=600", "--min-pwd-age=0", "--history-length=0", *here,
    )  # fmt: skip
    server.start()
    try:
        sid = _load(server.administrator())
    finally:
        server.stop()
    local = ("-H", str(folder / "dc" / "private" / "sam.ldb"), *here)
    _tool("dsacl", "set", f"--objectdn=OU=People,{DOMAIN}", f"--sddl={_ON_PEOPLE.format(sid=sid)}", *local)
    _tool("dsacl", "set", f"--objectdn=OU=Groups,{DOMAIN}", f"--sddl={_ON_GROUPS.format(sid=sid)}", *local)


def delegate(server: Samba, dn: str) -> None:
    """A mistake of an admin's: the rights over people, given for this entry itself."""
    sid = _rights_sid(server.administrator())
    here = ("-H", str(server.folder / "private" / "sam.ldb"), "-s", str(server.config))
    _tool(
        "dsacl", "set", f"--objectdn={dn}", f"--sddl={_ON_PEOPLE.replace('CIIO', '').format(sid=sid)}", *here
    )


def _rights_sid(admin: Connection) -> str:
    found = admin.search(RIGHTS, "(objectClass=group)", "BASE", attributes=["objectSid"])[2]
    admin.unbind()
    return str(found[0]["attributes"]["objectSid"])


def _tool(*words: str) -> None:
    done = subprocess.run(["samba-tool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _load(admin: Connection) -> str:
    """Everybody and every group. Returns the SID of the group that has the rights."""
    for unit in ("People", "Admins", "Groups", "Kept apart", "Services"):
        _add(admin, f"OU={unit},{DOMAIN}", "organizationalUnit", {})
    for person in PEOPLE.values():
        first, _, last = person.name.partition(" ")
        kinds = {Kind.CONTRACTOR: "contractor", Kind.SERVICE: "service"}
        given = {
            "displayName": person.name,
            "givenName": first,
            "sn": last or first,
            "mail": person.mail,
            "title": person.title,
            "department": person.department,
            "employeeType": kinds.get(person.kind, ""),
            "accountExpires": _filetime(datetime(2026, 1, 1, tzinfo=UTC))
            if person.status is Status.LEFT
            else "",
        }
        _user(
            admin,
            person_dn(person.account),
            person.account,
            PASSWORD,
            given,
            person.status is Status.DISABLED,
        )
    for person in PEOPLE.values():
        if person.manager:
            _change(admin, person_dn(person.account), "manager", [person_dn(person.manager)])
    away = [person.account for person in PEOPLE.values() if person.status is Status.ON_LEAVE]
    _group(admin, group_dn(ON_LEAVE), ON_LEAVE, "On leave")
    _change(admin, group_dn(ON_LEAVE), "member", [person_dn(each) for each in away])
    for group in GROUPS.values():
        _group(admin, group_dn(group.id), group.id, group.name)
    for group in GROUPS.values():
        flagged = [p.account for p in PEOPLE.values() if p.privileged] if group.id == "protected" else []
        members = [person_dn(each) for each in (*group.people, *flagged)]
        members += [group_dn(each) for each in group.groups]
        if members:
            _change(admin, group_dn(group.id), "member", members)
    _user(admin, SERVICE, "svc-deskhand", SERVICE_PASSWORD, {}, False)
    _group(admin, RIGHTS, "deskhand-rights", "What Deskhand may do")
    _change(admin, RIGHTS, "member", [SERVICE])
    return _rights_sid(admin)


def _user(
    admin: Connection, dn: str, account: str, password: str, given: dict[str, str], disabled: bool
) -> None:
    named = {"sAMAccountName": account, "userPrincipalName": f"{account}@corp.example.test"}
    secret = f'"{password}"'.encode("utf-16-le")
    control = "514" if disabled else "512"
    more = {name: value for name, value in given.items() if value}
    _add(admin, dn, "user", {**named, **more, "unicodePwd": secret, "userAccountControl": control})


def _group(admin: Connection, dn: str, group_id: str, name: str) -> None:
    _add(admin, dn, "group", {"sAMAccountName": group_id, "description": name, "groupType": "-2147483640"})


def _add(admin: Connection, dn: str, kind: str, attributes: dict[str, Any]) -> None:
    result = admin.add(dn, kind, attributes)[1]
    assert result["result"] == 0, (dn, result)


def _change(admin: Connection, dn: str, name: str, values: list[str]) -> None:
    result = admin.modify(dn, {name: [("MODIFY_ADD", values)]})[1]
    assert result["result"] == 0, (dn, result)


def _filetime(at: datetime) -> str:
    return str(int((at - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000)


@cache
def ids(server_url: str, ca_file: Path) -> dict[str, str]:
    """Account or group -> objectGUID, of the template: copies have the same."""
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(ca_file))
    admin = Connection(
        Server(server_url, tls=tls), ADMINISTRATOR, ADMIN_PASSWORD, client_strategy=SAFE_SYNC, auto_bind=True
    )
    found = admin.search(
        DOMAIN,
        "(|(objectClass=user)(objectClass=group))",
        attributes=["sAMAccountName", "objectGUID", "objectClass"],
    )[2]
    admin.unbind()
    return {
        ("group." if "group" in each["attributes"]["objectClass"] else "")
        + each["attributes"]["sAMAccountName"]: each["attributes"]["objectGUID"].strip("{}")
        for each in found
        if each["type"] == "searchResEntry"
    }
