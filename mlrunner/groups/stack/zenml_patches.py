"""Answers that ZenML works out anew for every run or artifact and that cannot change within a process.

Together they are a third of what a warm composition costs. Each is replaced by itself with a memory, so what
ZenML is told stays the same; a name that a later version no longer has is passed over.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

CONSTANT = (
    ("importlib.metadata", "packages_distributions"),  # which package a module is of: asked for each artifact
    ("zenml.environment", "Environment.get_python_packages"),  # what is installed: asked twice a run
    ("zenml.utils.source_code_utils", "get_source_code"),  # of the steps: asked five times each
    ("zenml.integrations.mlflow", "MlflowIntegration.check_installation"),  # walks MLflow's 60 dependencies
)


@contextmanager
def own_signals() -> Iterator[None]:
    """Leave Ctrl-C to the caller, who lets running trials finish; ZenML would end the run if it came during a step."""
    from zenml.orchestrators.signal_handler import SignalHandler

    original = SignalHandler.register
    SignalHandler.register = _as_it_is  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        SignalHandler.register = original  # type: ignore[method-assign]


def _as_it_is(handler: Any) -> Any:
    return handler


def remember() -> None:
    """Give each of the functions a memory."""
    for module, path in CONSTANT:
        holder: Any = importlib.import_module(module)
        *owners, name = path.split(".")
        for owner in owners:
            holder = getattr(holder, owner, None)
        function = getattr(holder, name, None)
        if function is not None and not hasattr(function, "cache_info"):
            setattr(holder, name, cache(function) if not owners else staticmethod(cache(function)))
