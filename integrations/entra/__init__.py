"""Microsoft Entra, through Microsoft Graph: people, groups, passwords and passes."""

from integrations.entra.entra import Entra, EntraSettings, NotConfigured

__all__ = ["Entra", "EntraSettings", "NotConfigured"]
