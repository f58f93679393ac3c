"""Jira Service Management in the cloud: tickets that people at the help desk work on."""

from integrations.jira.client import JiraSettings, NotConfigured
from integrations.jira.jira import Jira

__all__ = ["Jira", "JiraSettings", "NotConfigured"]
