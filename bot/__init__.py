"""Deskhand: the help desk that acts."""
