"""Configuration files, each read once: composing again is cheap, and an edit meanwhile changes nothing."""

from __future__ import annotations

import copy
from typing import Any

from hydra._internal.config_repository import CachingConfigRepository


class ReadOnce(CachingConfigRepository):
    """The configuration files as each was first read; Hydra copies its repository for every composition."""

    def __deepcopy__(self, memo: dict[int, Any]) -> ReadOnce:
        return self

    def load_config(self, config_path: str) -> Any:
        """Give a copy, for Hydra merges other files into what it is given."""
        return copy.deepcopy(super().load_config(config_path))
