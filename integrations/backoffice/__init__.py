"""A company's own purchasing and expense system, over the small HTTP shape of docs/backoffice.md."""

from integrations.backoffice.backoffice import Backoffice
from integrations.backoffice.client import BackofficeSettings, NotConfigured

__all__ = ["Backoffice", "BackofficeSettings", "NotConfigured"]
