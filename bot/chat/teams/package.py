"""The Teams app package: a zip of the manifest and two icons, from the settings.

Source: https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PATH = "/api/messages"
VERSION = "1.30"  # of the manifest's schema
RELEASE = "0.1.0"  # ours: Teams takes an app anew only under another number

_ICONS = Path(__file__).with_name("icons")
_SHORT = "The help desk that acts: access, passwords and vacation days, in your own words."
_FULL = (
    "Deskhand understands what you need, checks your company's rules, shows exactly what it is about to do,"
    " asks the right manager where the risk asks for one, does it once, and keeps a record. It never asks for"
    " a password or a code: never send one. What you write to it is stored encrypted by your own company."
)
_EMPLOYEE = (
    ("How many vacation days have I left?", "Answered at once, for your eyes only"),
    ("I need figma for two weeks", "Access, for a time, shown before it is given"),
    ("I forgot my password", "A new one, once somebody has made sure that it is you"),
    ("My requests", "What is open, what you hold and when it ends"),
    ("Help", "How to ask"),
)
_ADMIN = (
    ("pending", "For admins: what waits for a decision or for a person"),
    ("audit since 7d", "For admins: what happened, newest first"),
)


def manifest(app_id: str, company: str, website: str) -> dict[str, Any]:
    """:param website: of the company, where people read about its help desk and its privacy notice"""
    commands = [{"title": title, "description": said} for title, said in (*_EMPLOYEE, *_ADMIN)]
    return {
        "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{VERSION}/MicrosoftTeams.schema.json",
        "manifestVersion": VERSION,
        "version": RELEASE,
        "id": app_id,
        "developer": {
            "name": company[:32],
            "websiteUrl": website,
            "privacyUrl": website,
            "termsOfUseUrl": website,
        },
        "name": {"short": "Deskhand", "full": "Deskhand, the help desk that acts"},
        "description": {"short": _SHORT, "full": _FULL},
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#1f4b3f",
        "bots": [
            {
                "botId": app_id,
                "scopes": ["personal", "team"],
                "supportsFiles": False,
                "isNotificationOnly": False,
                "commandLists": [
                    {"scopes": ["personal"], "commands": commands},
                    {"scopes": ["team"], "commands": commands[:5]},
                ],
            }
        ],
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": [urlsplit(website).hostname],
        "defaultInstallScope": "personal",
    }


def package(made: dict[str, Any]) -> bytes:
    """The zip to upload. The same manifest gives the same bytes."""
    files = {"manifest.json": json.dumps(made, indent=2).encode()}
    files |= {name: (_ICONS / name).read_bytes() for name in ("color.png", "outline.png")}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
