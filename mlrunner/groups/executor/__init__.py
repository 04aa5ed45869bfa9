"""Config group `executor`: where the trials of a search run. It changes no result."""

from __future__ import annotations

from abc import ABC

from mlrunner.core.build import dataclass


class Engine(ABC):  # noqa: B024 - what an engine can do, `search` decides by its class
    """Base class of what runs the trials of a search."""

    def problems(self) -> list[str]:
        """Return one sentence for each setting that is not possible."""
        return []


@dataclass
class LocalEngine(Engine):
    """Worker processes of this machine."""


LOCAL_TARGET = f"{LocalEngine.__module__}.{LocalEngine.__name__}"  # of `executor=local`
