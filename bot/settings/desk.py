"""Settings of the desk itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.settings.part import PRIVATE, SettingError, setting

_HOME = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class DeskPart:
    data: Path = setting("DESKHAND_DATA", _HOME / "data", "folder of the databases and keys")
    host: str = setting(
        "DESKHAND_HOST", "127.0.0.1", "address the web desk listens on; without sign-in loopback only"
    )
    port: int = setting("DESKHAND_PORT", 8080, "port of the web desk and the pages")
    public_url: str = setting(
        "DESKHAND_PUBLIC_URL", "", "where browsers reach Deskhand's pages; empty: this host and port"
    )
    tls_cert: Path | None = setting(
        "DESKHAND_TLS_CERT_FILE", None, "certificate, PEM, where nothing in front of Deskhand speaks TLS"
    )
    tls_key: Path | None = setting("DESKHAND_TLS_KEY_FILE", None, "its private key, PEM")
    policies: Path = setting("DESKHAND_POLICIES", _HOME / "policies", "folder of rules and catalogue")
    company_seed: Path | None = setting(
        "DESKHAND_COMPANY_SEED", None, "folder of seed files for another embedded company"
    )
    lookups: Path | None = setting("DESKHAND_LOOKUPS", None, "folder of look-ups that are declared in files")
    lookups_ca_file: Path | None = setting(
        "DESKHAND_LOOKUPS_CA_FILE", None, "certificates of a private authority, PEM, of the systems they ask"
    )
    knowledge: Path | None = setting(
        "DESKHAND_KNOWLEDGE",
        None,
        "folder of documents that questions are answered from; empty: the embedded company's handbook",
    )
    admins: str = setting(
        "DESKHAND_ADMINS", "helpdesk-admins", "group told of trouble, and let see the audit"
    )
    fallback: str = setting(
        "DESKHAND_FALLBACK_APPROVERS", "helpdesk-approvers", "group that decides where no manager can"
    )
    remind_after: timedelta = setting(
        "DESKHAND_REMIND_AFTER_S", timedelta(hours=4), "seconds until an approver is reminded"
    )
    expire_after: timedelta = setting(
        "DESKHAND_EXPIRE_AFTER_S", timedelta(hours=24), "seconds until an undecided request expires"
    )
    reveal_for: timedelta = setting(
        "DESKHAND_REVEAL_FOR_S", timedelta(minutes=10), "seconds a new credential can be shown; at most 600"
    )
    verify_within: timedelta = setting(
        "DESKHAND_VERIFY_WITHIN_S", timedelta(minutes=5), "seconds a fresh proof of who somebody is counts"
    )
    quarantine: timedelta = setting(
        "DESKHAND_QUARANTINE_S",
        timedelta(hours=24),
        "seconds without risky requests or approvals after a new credential, link or authenticator",
    )
    session_idle: timedelta = setting(
        "DESKHAND_SESSION_IDLE_S", timedelta(minutes=15), "seconds until an unused sign-in at the desk ends"
    )
    link_by_mail: bool = setting(
        "DESKHAND_LINK_BY_MAIL", True, "no: chat accounts are linked by a sign-in or an admin alone"
    )
    requests_per_minute: int = setting(
        "DESKHAND_REQUESTS_PER_MINUTE", 10, "messages of one person acted upon"
    )
    open_per_person: int = setting(
        "DESKHAND_OPEN_PER_PERSON", 10, "requests one person may have under way at once"
    )
    log_level: str = setting("DESKHAND_LOG_LEVEL", "info", "debug, info, warning or error")

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "https" if self.tls_cert else "http"
        return self.public_url.rstrip("/") or f"{scheme}://{host}:{self.port}"

    def check_desk(self) -> None:
        """:raises SettingError:"""
        if self.port > 65_535:
            raise SettingError("DESKHAND_PORT: takes 1 to 65535")
        if not timedelta(0) < self.reveal_for <= timedelta(minutes=10):
            raise SettingError("DESKHAND_REVEAL_FOR_S: takes 1 to 600 seconds")
        if not timedelta(0) < self.verify_within <= timedelta(minutes=15):
            raise SettingError("DESKHAND_VERIFY_WITHIN_S: takes 1 to 900 seconds")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise SettingError("DESKHAND_TLS_CERT_FILE and DESKHAND_TLS_KEY_FILE: each needs the other")
        if self.public_url and not PRIVATE.match(self.public_url):
            raise SettingError("DESKHAND_PUBLIC_URL: takes an https address; plain http only on loopback")
