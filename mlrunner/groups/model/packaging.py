"""The logged model: the whole pipeline from raw rows to predictions, and what saving it needs."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import TYPE_CHECKING

import pandas as pd
from sklearn.pipeline import Pipeline

from mlrunner.core.errors import ConfigError
from mlrunner.groups.model.raw_input import CleaningTransformer, kind_of

if TYPE_CHECKING:
    from mlrunner.core.column_roles import Roles
    from mlrunner.groups.strategy import CleaningStrategy

TRUSTED = frozenset({"sklearn", "xgboost", "lightgbm", "catboost", "numpy", "mlrunner"})
HARMLESS = frozenset({"collections.OrderedDict", "collections.defaultdict"})
SERVING = ("scikit-learn", "pandas", "numpy", "skops", "pydantic")
DISTRIBUTIONS = {"sklearn": ["scikit-learn"], "xgboost": ["xgboost", "xgboost-cpu"], "mlrunner": []}


def assemble(
    pipeline: Pipeline, strategy: CleaningStrategy, roles: Roles, features: pd.DataFrame, raw: pd.DataFrame
) -> Pipeline:
    """Put the cleaning before a fitted pipeline; the fitted parts are shared, not copied.

    Args:
        pipeline: Fitted on `features`.
        strategy: The cleaning strategy that made them.
        roles: The part that each raw column plays.
        features: The cleaned feature columns; only their names are read.
        raw: Raw rows; only their names and dtypes are read.

    Returns:
        The model to log: from raw rows to predictions.
    """
    from mlrunner.groups.cleaning import feature_columns

    seen = feature_columns(raw, roles)
    kinds = {str(name): kind_of(seen[name]) for name in seen.columns}
    cleaning = CleaningTransformer(strategy, kinds, [str(name) for name in features.columns])
    return Pipeline([("cleaning", cleaning), *pipeline.steps])


def trusted_types(pipeline: Pipeline) -> list[str]:
    """Name the types that skops must be told to load, each from a library that the composition itself names.

    Args:
        pipeline: What will be saved, fitted.

    Returns:
        Sorted names for `skops_trusted_types`.

    Raises:
        ConfigError: When it holds something else, or something that skops cannot save.
    """
    import skops.io

    try:
        found = skops.io.get_untrusted_types(data=skops.io.dumps(pipeline))
    except Exception as error:
        raise ConfigError(f"model.estimator cannot be saved with skops ({error}); choose another class.") from error
    named = TRUSTED | modules(pipeline)
    foreign = [name for name in found if name not in HARMLESS and name.partition(".")[0] not in named]
    if foreign:
        raise ConfigError(
            f"model.estimator holds {', '.join(foreign)}, which loading cannot trust; choose another class."
        )
    return list(found)


def pip_requirements(pipeline: Pipeline) -> list[str]:
    """Pin what loading and serving a pipeline needs, at the versions that are installed here.

    Args:
        pipeline: What will be saved.

    Returns:
        Lines like `pandas==3.0.0`.
    """
    names = dict.fromkeys(SERVING)
    for module in sorted(modules(pipeline)):
        names |= dict.fromkeys(_distributions(module))
    pins = {name: _version(name) for name in names}
    return [f"{name}=={version}" for name, version in pins.items() if version is not None]


def modules(pipeline: Pipeline) -> set[str]:
    """Name the top-level modules of the parts of a pipeline, the standard library's aside."""
    parts = [pipeline, *pipeline.get_params(deep=True).values()]
    return {type(part).__module__.partition(".")[0] for part in parts} - sys.stdlib_module_names


def _distributions(module: str) -> list[str]:
    """Name the packages that a module may come from; none for a file of the user's own."""
    if module in DISTRIBUTIONS:
        return DISTRIBUTIONS[module]
    if _version(module) is not None:
        return [module]
    return list(importlib.metadata.packages_distributions().get(module, []))


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
