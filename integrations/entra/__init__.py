"""Microsoft Entra, through Microsoft Graph: people, groups, passwords and passes."""

from integrations.entra.entra import Beside, Entra, EntraSettings, NotConfigured

__all__ = ["Beside", "Entra", "EntraSettings", "NotConfigured"]
