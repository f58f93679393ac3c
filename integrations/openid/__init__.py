"""Signing in with any OpenID provider."""

from integrations.openid.sign_in import NotConfigured, OpenId, OpenIdSettings

__all__ = ["NotConfigured", "OpenId", "OpenIdSettings"]
