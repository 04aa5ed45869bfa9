"""Find what a name from a store stands for, if it is defined where such a name may point.

Everybody who can write to a store may have written the name. A module also holds what it imports, such as
`sklearn.datasets._covtype.GzipFile`: the module that defines a class decides, not the one that is named.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from mlrunner.core import environment

LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost")  # libraries of models
# Their modules that download, open files, talk to clusters, or are not meant to be imported.
UNSUITABLE = frozenset({"__main__", "_testing", "collective", "conftest", "dask", "datasets", "externals"}) | frozenset(
    {"plotting", "spark", "testing", "tests", "tracker"}
)
CALLBACKS = ("xgboost.callback", "lightgbm.callback")
KERNELS = "sklearn.gaussian_process.kernels"
MODEL_CODE = tuple(f"mlrunner.groups.{name}" for name in ("cleaning", "features", "model", "strategy"))
# What fitted estimators hold beside estimators: single names, and packages that only compute.
MODEL_PARTS = frozenset(
    {"collections.OrderedDict", "collections.defaultdict", "numpy.dtype", "numpy.mean"}
) | frozenset({"lightgbm.basic.Booster", "sklearn.utils._bunch.Bunch", "xgboost.core.Booster"})
MODEL_CLASSES = (
    *(f"sklearn.{name}" for name in ("_loss", "calibration", "cluster", "compose", "ensemble", "gaussian_process")),
    *(f"sklearn.{name}" for name in ("linear_model", "metrics", "model_selection", "neighbors", "neural_network")),
    *(f"sklearn.{name}" for name in ("preprocessing", "svm", "tree", "utils._metadata_requests")),
)
MODEL_FUNCTIONS = ("sklearn.metrics", "sklearn.cluster", "sklearn.feature_selection", *MODEL_CODE)


def is_within(module: str, packages: Iterable[str]) -> bool:
    """Check whether a module is one of some packages, or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def find(path: str, packages: Iterable[str], trusted: Iterable[str] = ()) -> Any:
    """Import what a dotted path names, if both the named and the defining module lie in some packages.

    Args:
        path: Dotted path from a store.
        packages: Packages of which all but the `UNSUITABLE` modules may be used.
        trusted: Modules of which everything may be used.

    Returns:
        The class or function; None if the module has no such name.

    Raises:
        LookupError: If it lies elsewhere; its argument is the module.
    """
    module, _, name = path.rpartition(".")
    _refuse_elsewhere(module or path, packages, trusted)
    try:
        value = getattr(importlib.import_module(module), name)
    except Exception:  # an import may raise anything
        return None
    _refuse_elsewhere(getattr(value, "__module__", None) or type(value).__module__, packages, trusted)
    return value


def _refuse_elsewhere(module: str, packages: Iterable[str], trusted: Iterable[str]) -> None:
    if is_within(module, trusted):
        return
    if not is_within(module, packages) or not UNSUITABLE.isdisjoint(module.split(".")):
        raise LookupError(module)


def is_fitted_part(value: Any) -> bool:
    """Check whether a class of a library of models can be a part of an estimator."""
    if not isinstance(value, type):
        return False
    is_splitter = hasattr(value, "split") and hasattr(value, "get_n_splits")
    return hasattr(value, "fit") or is_splitter or value.__module__ == KERNELS or is_within(value.__module__, CALLBACKS)


def find_untrusted(names: Iterable[str], packages: Iterable[str] = ()) -> list[str]:
    """Return the types that a saved model must not hold.

    Args:
        names: Types as skops names them.
        packages: Modules that may be used beside mlrunner, the libraries of models and MLRUNNER_TRUSTED.
    """
    trusted = (*environment.trusted_modules(), *packages)
    return [name for name in names if name not in MODEL_PARTS and not _is_model_part(name, trusted)]


def _is_model_part(name: str, trusted: Iterable[str]) -> bool:
    try:
        value = find(name, (*MODEL_CODE, *LIBRARIES), trusted)
    except LookupError:
        return False
    if value is None:
        return False
    if is_within(value.__module__, (*trusted, *(MODEL_FUNCTIONS if not isinstance(value, type) else ()))):
        return True
    is_class = isinstance(value, type)
    return is_class and (is_fitted_part(value) or is_within(value.__module__, (*MODEL_CLASSES, *MODEL_CODE)))
