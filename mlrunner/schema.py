"""The one decorator for classes that a YAML file names: frozen, typed, no unknown key."""

from __future__ import annotations

from typing import TypeVar, cast, dataclass_transform

import pydantic.dataclasses

T = TypeVar("T")
STRICT = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())


@dataclass_transform(frozen_default=True, kw_only_default=True)
def dataclass(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass whose constructor checks names and types."""
    return cast(type[T], pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=STRICT)(cls))
