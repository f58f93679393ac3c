"""A real OpenLDAP server for one test: rootless, on a free port, in a folder of its own, with the people and
groups of the embedded company. Its audit log counts what was changed, independently of whoever asked.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ldap3 import SAFE_SYNC, Connection, Server, Tls

from scripts.servers import find_slapd
from tests.servers.certificates import Certificates
from tests.servers.company_ldif import BASE, company_ldif, person_dn

SERVICE = f"uid=svc-deskhand,ou=services,{BASE}"
SERVICE_PASSWORD = "Quiet-Service-Harbour-11"
ROOT, ROOT_PASSWORD = f"cn=root,{BASE}", "Root-Of-The-Tree-9"

_CONFIG = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
include {schema}/nis.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
moduleload auditlog
pidfile {folder}/slapd.pid
TLSCACertificateFile {ca}
TLSCertificateFile {cert}
TLSCertificateKeyFile {key}
security simple_bind=1
sizelimit unlimited
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {rootpw}
directory {folder}/db
dbnosync
maxsize 67108864
index objectClass,entryUUID,entryCSN,uid,mail,member,manager eq
index cn,displayName eq,sub
overlay ppolicy
ppolicy_default "cn=default,ou=policies,{base}"
overlay auditlog
auditlog {folder}/audit.ldif
{acl}
"""

# Least privilege, as docs/directory.md gives it: passwords and locks of people, members of listed groups.
# What is protected is nobody's but the root's.
_ADMINS = 'dn.subtree="ou=people,{base}" filter="(|(employeeType=administrator)(employeeType=service))"'
_LOCKS = "pwdReset,pwdAccountLockedTime,pwdFailureTime"
_NOT_OURS = "protected|domain-admins|tier-0-admins|backup-operators|helpdesk-admins|helpdesk-approvers"
_READ, _SECRET = "by users read by * none", "by self =xw by anonymous auth by * none"
ACL = f"""
access to dn.subtree="ou=services,{{base}}" attrs=userPassword by anonymous auth by * none
access to {_ADMINS} attrs=userPassword by anonymous auth by * none
access to {_ADMINS} {_READ}
access to dn.subtree="ou=people,{{base}}" attrs=userPassword by dn.exact="{{service}}" =xw {_SECRET}
access to dn.subtree="ou=people,{{base}}" attrs={_LOCKS} by dn.exact="{{service}}" manage {_READ}
access to dn.regex="^cn=({_NOT_OURS}),ou=groups,{{base}}$" {_READ}
access to dn.subtree="ou=groups,{{base}}" attrs=member by dn.exact="{{service}}" write {_READ}
access to * {_READ}
"""


@dataclass
class Slapd:
    folder: Path
    certificates: Certificates
    acl: str = ACL
    port: int = 0
    plain_port: int = 0  # in the clear until StartTLS
    log: Path = field(init=False)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.log = self.folder / "audit.ldif"

    @property
    def url(self) -> str:
        return f"ldaps://localhost:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.certificates.ca_file

    people_base = f"ou=people,{BASE}"
    groups_base = f"ou=groups,{BASE}"
    bind_dn, password = SERVICE, SERVICE_PASSWORD

    def start(self) -> None:
        """Accepts connections when this returns."""
        self.port = self.port or _free_port()
        self.plain_port = self.plain_port or _free_port()
        self._write_config()
        command = [
            _slapd(),
            "-f",
            str(self.folder / "slapd.conf"),
            "-h",
            f"ldaps://127.0.0.1:{self.port}/ ldap://127.0.0.1:{self.plain_port}/",
            "-d",
            "0",
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.005)
        raise AssertionError("slapd did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def with_more(self, line: str) -> Iterator[None]:
        """Another line of configuration, until the block ends."""
        with self.with_acl(f"{line}\n{self.acl}"):
            yield

    @contextmanager
    def with_acl(self, acl: str) -> Iterator[None]:
        """Other rights, until the block ends."""
        before, self.acl = self.acl, acl
        self.stop()
        self.start()
        try:
            yield
        finally:
            self.acl = before
            self.stop()
            self.start()

    def root(self) -> Connection:
        """Past the desk: what the directory's own admins do."""
        return self.bind(ROOT, ROOT_PASSWORD)

    def bind(self, dn: str, password: str) -> Connection:
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(self.ca_file))
        connection = Connection(Server(self.url, tls=tls), dn, password, client_strategy=SAFE_SYNC)
        connection.open()
        connection.bind()
        return connection

    def can_log_in(self, account: str, password: str) -> bool:
        connection = self.bind(person_dn(account), password)
        bound: bool = connection.bound
        connection.unbind()
        return bound

    def effects(self, dn: str, attribute: str) -> int:
        """How many changes of this attribute the server has made, by its own log."""
        count, inside = 0, False
        for line in self.log.read_text().splitlines() if self.log.exists() else ():
            if line.startswith("dn: "):
                inside = line[4:].lower() == dn.lower()
            elif inside and line.split(": ", 1)[0] in ("add", "delete", "replace"):
                count += line.split(": ", 1)[1].lower() == attribute.lower()
        return count

    def _write_config(self) -> None:
        names = {"base": BASE, "service": SERVICE}
        config = _CONFIG.format(
            folder=self.folder,
            schema=_schema(),
            modules=_modules(),
            ca=self.certificates.ca_file,
            cert=self.certificates.cert_file,
            key=self.certificates.key_file,
            root=ROOT,
            rootpw=ROOT_PASSWORD,
            acl=self.acl.format(**names).strip(),
            base=BASE,
        )
        (self.folder / "slapd.conf").write_text(config)


def template(folder: Path, certificates: Certificates) -> Slapd:
    """The company loaded into a database, to be copied for each test."""
    (folder / "db").mkdir(parents=True)
    server = Slapd(folder, certificates)
    server._write_config()
    ldif = folder / "company.ldif"
    ldif.write_text(company_ldif(SERVICE, SERVICE_PASSWORD))
    tool = [str(Path(_slapd()).with_name("slapadd")), "-q", "-f", str(folder / "slapd.conf"), "-l", str(ldif)]
    subprocess.run(tool, check=True, capture_output=True)
    return server


@contextmanager
def running(made: Slapd, folder: Path) -> Iterator[Slapd]:
    """A copy of the template, running."""
    shutil.copytree(made.folder / "db", folder / "db")
    server = Slapd(folder, made.certificates)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _slapd() -> str:
    found = find_slapd()
    assert found, "the fixture asks whether it is there"
    return str(found)


def _schema() -> Path:
    return next(p for p in map(Path, ("/etc/ldap/schema", "/opt/homebrew/etc/openldap/schema")) if p.is_dir())


def _modules() -> Path:
    return next(
        p for p in map(Path, ("/usr/lib/ldap", "/opt/homebrew/opt/openldap/libexec/openldap")) if p.is_dir()
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
