"""Slack, behind its own gate."""
