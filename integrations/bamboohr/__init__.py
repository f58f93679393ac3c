"""BambooHR: balances, and time off that is entered there."""

from integrations.bamboohr.bamboohr import BambooHr, BambooHrSettings, NotConfigured

__all__ = ["BambooHr", "BambooHrSettings", "NotConfigured"]
