"""Whose certificates are believed."""

from __future__ import annotations

import ssl
from pathlib import Path


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The system's authorities, or those of this file and no other."""
    return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
