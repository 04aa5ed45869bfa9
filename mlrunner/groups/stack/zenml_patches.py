"""Replace private parts of ZenML that repeat work or interfere; read in ZenML 0.98.0.

Each replacement looks its name up first: one that another release does not have is left out, and ZenML works as
it does by itself, only slower. Only attributes of ZenML's own modules and classes are replaced.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any

from mlrunner.core import environment
from mlrunner.core.installed import list_packages

CACHED = (
    ("zenml.environment", "Environment.get_python_packages"),  # lists what is installed, twice a run
    ("zenml.utils.source_code_utils", "get_source_code"),  # reads a step's source, five times a step
    ("zenml.integrations.mlflow", "MlflowIntegration.check_installation"),  # checks MLflow's 60 dependencies
)
PACKAGE_LOOKUP = ("zenml.utils.source_utils", "_get_package_for_module")  # scans all packages, once an artifact
INTEGRATIONS = {"mlflow", "s3", "gcp", "azure"}
SQLITE = "sqlite:///"
SKIP_MIGRATIONS = "DISABLE_DATABASE_MIGRATION"  # a variable of ZenML's
CACHE_LOOKUP = ("zenml.orchestrators.cache_utils", "get_cached_step_run")
SIGNAL_HANDLER = ("zenml.orchestrators.signal_handler", "SignalHandler.register")


def disable_signal_handling() -> None:
    """Leave signals to their handlers of before: ZenML's own would query its store at whatever point a step is."""
    place = _locate(*SIGNAL_HANDLER)
    if place is not None:
        setattr(*place, _return_unchanged)


def _return_unchanged(handler: Any) -> Any:
    return handler


def skip_lost_artifacts() -> None:
    """Run a cached step anew when its artifacts are gone.

    ZenML removes them after Ctrl-C in the last moment of a step, also when it has recorded the step as completed.
    """
    place = _locate(*CACHE_LOOKUP)
    if place is None or hasattr(getattr(*place), "__wrapped__"):
        return
    find = getattr(*place)

    @wraps(find)
    def find_whole(cache_key: str) -> Any:
        step = find(cache_key)
        return step if step is None or _has_artifacts(step) else None

    setattr(*place, find_whole)


def _has_artifacts(step: Any) -> bool:
    exists = importlib.import_module("zenml.client").Client().active_stack.artifact_store.exists
    return all(exists(artifact.uri) for versions in step.outputs.values() for artifact in versions)


@contextmanager
def finished_migrations_skipped(url: str) -> Iterator[None]:
    """Keep ZenML from importing its 350 migrations, a tenth of a run, to open a database that has had them all."""
    newest = importlib.metadata.version("zenml")  # a release names its last revision after itself
    finished = url.startswith(SQLITE) and _read_revisions(Path(url.removeprefix(SQLITE))) == [newest]
    with environment.temporary_variables(**({SKIP_MIGRATIONS: "true"} if finished else {})):
        yield


def _read_revisions(database: Path) -> list[str]:
    """Return the revisions that a SQLite database is at; none when it has none or is not there."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            return [str(revision) for (revision,) in connection.execute("SELECT version_num FROM alembic_version")]
    except sqlite3.Error:
        return []


def remove_other_integrations() -> None:
    """Remove all integrations but MLflow's and those of object stores, which a stack may have for its artifacts.

    ZenML imports every installed integration in each run; xgboost, lightgbm and catboost take seconds. A new store
    has the flavors of the integrations that are left.
    """
    registry = getattr(importlib.import_module("zenml.integrations.registry"), "integration_registry", None)
    integrations = getattr(registry, "integrations", {})
    for name in set(integrations) - INTEGRATIONS:
        del integrations[name]


def cache_constant_answers() -> None:
    """Cache what ZenML computes anew for each run or artifact though it cannot change within a process.

    Together these are a third of the cost of a warm composition.
    """
    for module, path in CACHED:
        _replace(module, path, cache)
    _replace(*PACKAGE_LOOKUP, lambda _: package_of_module)


def package_of_module(module_name: str) -> str | None:
    """Return the package that provides a module; None when none or several do.

    Args:
        module_name: Dotted name; only its first part counts.
    """
    packages = list_packages(module_name)
    return packages[0] if len(packages) == 1 else None


def _locate(module: str, path: str) -> tuple[Any, str] | None:
    """Find the owner of an attribute; None when the installed ZenML does not have it."""
    try:
        owner: Any = importlib.import_module(module)
    except ImportError:
        return None
    *owners, name = path.split(".")
    for attribute in owners:
        owner = getattr(owner, attribute, None)
    return (owner, name) if callable(getattr(owner, name, None)) else None


def _replace(module: str, path: str, replace: Callable[[Any], Any]) -> None:
    """Replace a function of a module, or one without `self` of a class, once."""
    place = _locate(module, path)
    if place is None:
        return
    owner, name = place
    function = getattr(owner, name)
    if hasattr(function, "cache_info") or function is package_of_module:
        return
    replacement = replace(function)
    setattr(owner, name, staticmethod(replacement) if isinstance(owner, type) else replacement)
