"""Assemble the logged model, from raw rows to predictions, and find what saving it needs."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING

import pandas as pd
from sklearn.pipeline import Pipeline

from mlrunner.core.allowed_classes import LIBRARIES, find_untrusted
from mlrunner.core.column_kinds import infer_kinds
from mlrunner.core.errors import ConfigError
from mlrunner.core.estimators import get_library
from mlrunner.core.installed import list_packages
from mlrunner.core.skops_format import import_skops
from mlrunner.groups.model.raw_input import CleaningTransformer

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Roles
    from mlrunner.groups.strategy import CleaningStrategy

SERVING_PACKAGES = ("scikit-learn", "pandas", "numpy", "skops", "pydantic")
DISTRIBUTIONS = {"sklearn": ["scikit-learn"], "xgboost": ["xgboost", "xgboost-cpu"]}


def assemble(
    pipeline: Pipeline, strategy: CleaningStrategy, roles: Roles, features: pd.DataFrame, raw: pd.DataFrame
) -> Pipeline:
    """Prepend the cleaning to a fitted pipeline; the fitted steps are shared, not copied.

    Args:
        pipeline: Pipeline fitted on `features`.
        strategy: Cleaning strategy that produced `features`.
        roles: Roles of the raw columns.
        features: Cleaned feature columns; only their names are read.
        raw: Raw rows; only their names and dtypes are read.

    Returns:
        The model to log, from raw rows to predictions.
    """
    from mlrunner.groups.cleaning.controller import select_servable_inputs

    kinds = {name: kind.value for name, kind in infer_kinds(select_servable_inputs(raw, roles)).items()}
    cleaning = CleaningTransformer(strategy, kinds, [str(name) for name in features.columns])
    return Pipeline([("cleaning", cleaning), *pipeline.steps])


def find_trusted_types(pipeline: Pipeline) -> list[str]:
    """Return the types that skops has to trust when it loads a pipeline.

    Only types that `core.allowed_classes` allows and those of the modules of the pipeline's own steps are accepted.

    Returns:
        Sorted names for `skops_trusted_types`.

    Raises:
        ConfigError: When the pipeline holds another type, or one that skops cannot save.
    """
    skops = import_skops()
    try:
        names = skops.get_untrusted_types(data=skops.dumps(pipeline))
    except Exception as error:
        raise ConfigError(f"model.estimator cannot be saved with skops ({error}); choose another class.") from error
    if foreign := find_untrusted(names, list_own_modules(pipeline)):
        raise ConfigError(
            f"model.estimator holds {', '.join(foreign)}, which loading cannot trust; choose another class."
        )
    return list(names)


def pin_requirements(pipeline: Pipeline) -> list[str]:
    """Return the requirements for loading and serving a pipeline, pinned at the installed versions.

    Returns:
        Lines like `pandas==3.0.0`.
    """
    names = dict.fromkeys(SERVING_PACKAGES)
    for module in sorted(list_modules(pipeline)):
        names |= dict.fromkeys(_distributions(module))
    pins = {name: _version(name) for name in names}
    return [f"{name}=={version}" for name, version in pins.items() if version is not None]


def list_modules(pipeline: Pipeline) -> set[str]:
    """Return the top-level modules of the steps of a pipeline, without the standard library's."""
    parts = [pipeline, *pipeline.get_params(deep=True).values()]
    return {get_library(type(part)) for part in parts} - sys.stdlib_module_names


def list_own_modules(pipeline: Pipeline) -> set[str]:
    """Return the modules of the steps that are of neither mlrunner nor a library of models."""
    return list_modules(pipeline) - {*LIBRARIES, "mlrunner", "numpy", "scipy"}


def _distributions(module: str) -> list[str]:
    """Return the packages that may provide a module; none for a file of the user."""
    if module in DISTRIBUTIONS:
        return DISTRIBUTIONS[module]
    if _version(module) is not None:
        return [module]
    return list_packages(module)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
