"""The requirements of a served model: its own, and those of the server."""

from __future__ import annotations

from collections.abc import Iterable

from mlrunner.core.containers import pins
from mlrunner.core.containers.pins import Target

SERVER_PACKAGES = ("aiohttp", "orjson", "prometheus-client")
EXCLUDED = frozenset({"mlflow", "mlflow-skinny", "mlflow-tracing", "zenml"})
OPTIONAL = frozenset({"graphviz", "matplotlib", "plotly", "pyarrow"})  # for plots of boosters, not for predictions


def pin_requirements(requirements: Iterable[str], target: Target) -> list[str]:
    """Pin the requirements of a model and of the server; see `pins.pin_requirements`."""
    return pins.pin_requirements([*requirements, *SERVER_PACKAGES], target, EXCLUDED, OPTIONAL)
