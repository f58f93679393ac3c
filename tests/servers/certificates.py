"""A private certificate authority for test servers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    ca_file: Path
    cert_file: Path
    key_file: Path

    @classmethod
    def make(cls, folder: Path, *names: str) -> Certificates:
        """For ``localhost`` and these names. The first is the common name too: libldap asks for one."""
        folder.mkdir(parents=True, exist_ok=True)
        names = names or ("localhost", "127.0.0.1")
        authority = trustme.CA()
        made = authority.issue_cert(*names, common_name=names[0])
        files = cls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
        authority.cert_pem.write_to_path(str(files.ca_file))
        for number, part in enumerate(made.cert_chain_pems):
            part.write_to_path(str(files.cert_file), append=number > 0)
        made.private_key_pem.write_to_path(str(files.key_file))
        files.key_file.chmod(0o600)
        return files
