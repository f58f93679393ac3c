"""The one error that a command of the machine ends with."""


class Wrong(Exception):
    """The command cannot do what was asked; says why in a line."""
