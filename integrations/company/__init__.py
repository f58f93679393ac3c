"""The embedded company: a made-up firm in one SQLite file, so that Deskhand works on a fresh machine."""

from integrations.company.company import Company
from integrations.company.login import LoginOutcome
from integrations.company.write_log import Write

__all__ = ["Company", "LoginOutcome", "Write"]
