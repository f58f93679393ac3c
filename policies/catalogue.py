"""What one can ask for: the resources of ``catalogue.yaml``, checked when they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class Sensitivity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    CRITICAL = "critical"


class Resource(BaseModel):
    """One thing one can be given access to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    name: str
    aliases: tuple[str, ...] = ()
    lets: str  # what the access lets one do, for the approver
    system: str  # the connector that holds the group
    group: str  # immutable id of the group in that system
    owner: str  # mail of the person who answers for it
    sensitivity: Sensitivity
    max_days: int = Field(ge=1, le=366)


_BUNDLES = TypeAdapter(dict[str, tuple[str, ...]])


class CatalogueError(Exception):
    """The catalogue cannot be used; names the file and the entry."""


class Catalogue:
    """Resources by key, in the order of the file."""

    def __init__(
        self, resources: tuple[Resource, ...], bundles: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        """:param bundles: department -> keys of what people of it work with; "*": of every other one"""
        self._by_key = {resource.key: resource for resource in resources}
        self._bundles = dict(bundles or {})

    @classmethod
    def load(cls, path: Path) -> Catalogue:
        """:raises CatalogueError: for a missing file, a wrong field, or a key that stands twice"""
        try:
            file = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
            resources = tuple(Resource.model_validate(entry) for entry in file["resources"])
            bundles = _BUNDLES.validate_python(file.get("bundles", {}))
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValidationError) as error:
            raise CatalogueError(f"{path}: {error}") from error
        keys = [resource.key for resource in resources]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise CatalogueError(f"{path}: these keys stand twice: {', '.join(twice)}")
        for department, named in bundles.items():
            if unknown := sorted(set(named) - set(keys)):
                raise CatalogueError(
                    f"{path}: the bundle of {department} names {', '.join(unknown)}: not there"
                )
        return cls(resources, bundles)

    def bundle(self, department: str) -> tuple[Resource, ...]:
        """What somebody who starts in this department is given."""
        keys = self._bundles.get(department, self._bundles.get("*", ()))
        return tuple(self._by_key[key] for key in keys)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_key.values())

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __getitem__(self, key: str) -> Resource:
        return self._by_key[key]

    def get(self, key: str) -> Resource | None:
        return self._by_key.get(key)
