"""A config-driven experiment runner for tabular machine learning."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which takes longer to import than all that is imported with this package
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.2.0"  # the only place; a tag v0.2.0 and CHANGELOG.md must agree, see tests/contract/test_version.py
API = (
    "deploy",
    "diff",
    "explain",
    "load",
    "run",
    "runs",
    "sweep",
    "tag",
)  # loaded on first use: importing mlrunner is fast
ERROR = "MlrunnerError"


def __getattr__(name: str) -> Any:
    """Load a function of the Python API, or the error that it raises."""
    if name not in (*API, ERROR):
        raise AttributeError(f"module 'mlrunner' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module("mlrunner.core.errors" if name == ERROR else "mlrunner.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *API, ERROR})
