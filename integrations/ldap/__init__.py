"""Active Directory and OpenLDAP."""

from integrations.ldap.client import LdapSettings, NotConfigured
from integrations.ldap.ldap import Ldap

__all__ = ["Ldap", "LdapSettings", "NotConfigured"]
