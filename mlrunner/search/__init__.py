"""A sweep around Hydra's jobs: the MLflow parent before them, the ranking after them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from rich.text import Text

from mlrunner.core.errors import MlrunnerError
from mlrunner.core.outcome import Outcome, rank, read_outcomes
from mlrunner.core.terminal import console, relative, show_hand_over, show_problems, show_ranking, show_report


class _Callable(ModuleType):
    """What makes `mlrunner.sweep([...])` a search in Python although `mlrunner.sweep` is this package as well."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """See `mlrunner.api.sweep`."""
        return import_module("mlrunner.api").sweep(*arguments, **options)  # which stands above this package


sys.modules[__name__].__class__ = _Callable
