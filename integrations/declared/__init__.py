"""Look-ups that an admin declares in a file, without Python."""

from integrations.declared.fetch import Fetcher, NotFound
from integrations.declared.spec import DeclaredError, LookUp, load

__all__ = ["DeclaredError", "Fetcher", "LookUp", "NotFound", "load"]
