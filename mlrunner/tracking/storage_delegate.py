"""A storage of Optuna that passes every call on to another one, for subclasses that change some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optuna.storages import BaseStorage


def _pass_on(name: str) -> Callable[..., Any]:
    def method(self: StorageDelegate, *arguments: Any, **keywords: Any) -> Any:
        return self.call(getattr(self.storage, name), *arguments, **keywords)

    return method


METHODS = {name: _pass_on(name) for name in vars(BaseStorage) if not name.startswith("_")}
_Base: Any = type("_Base", (BaseStorage,), METHODS)


class StorageDelegate(_Base):  # type: ignore[misc]
    """Passes every call on to a storage."""

    def __init__(self, storage: BaseStorage) -> None:
        self.storage = storage

    def call(self, method: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """Call a method of the storage."""
        return method(*arguments, **keywords)
