"""A config-driven experiment runner for tabular machine learning."""

import importlib
from typing import Any

__version__ = "0.1.0"
API = ("deploy", "diff", "run", "runs", "sweep")  # loaded when they are asked for: importing mlrunner does nothing


def __getattr__(name: str) -> Any:
    """Find what `mlrunner.NAME` means in Python."""
    if name not in API:
        raise AttributeError(f"module 'mlrunner' has no attribute '{name}'")
    return getattr(importlib.import_module("mlrunner.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *API})
