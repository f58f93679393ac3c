"""What employees can ask: one file each. Each binds its action to the name ``ACTION``."""

from __future__ import annotations

import importlib
import pkgutil

from bot.procedures.action import Action, Registry


def discover() -> Registry:
    """Every action in this folder, by name. The one place where modules are found by a string."""
    found: dict[str, Action] = {}
    for module in pkgutil.iter_modules(__path__):
        action: Action = importlib.import_module(f"{__name__}.{module.name}").ACTION
        found[action.name] = action
    return Registry(found)
